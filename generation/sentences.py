"""What errors of writing say to a person (memory.sentences says how)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    # What is not there
    "not_found.run": _("This run does not exist, or is not yours to see. Nothing was changed. Look in the queue."),
    "not_found.file": _("A file is not in this workspace. Nothing was started. Upload it here first."),
    "not_found.step": _("This run has no such step. Nothing was started. Choose one of its steps."),
    "not_found.agent": _("There is no agent {agent}. Nothing was started. Choose one that exists."),
    "not_found.prompt": _("The prompt {slot} has no version {version}. What was written is kept. Choose another one."),
    "not_found.topic": _("There is nothing to watch at {topic}. What you watch stays. Check the topic."),
    # Documents and their history
    "not_found.document": _(
        "This document does not exist, or is not yours to see. Nothing was changed. Look in your list."
    ),
    "not_found.section": _(
        "This section does not exist, or is not yours to see. Nothing was changed. Look at the document."
    ),
    "not_found.folder": _("This folder is not in this workspace. Nothing was changed. Choose one that is."),
    "not_found.change": _(
        "This change does not exist, or is not yours to see. Nothing was changed. Look in the history."
    ),
    "not_found.snapshot": _(
        "This state does not exist, or is not yours to see. Nothing was changed. Look in the history."
    ),
    "not_found.proposal": _(
        "This proposal does not exist, or is not yours to see. Nothing was changed. Look at the document."
    ),
    "validation.choice": _("{field} has a value it cannot have. Nothing was saved. Choose one of those named."),
    "validation.folder": _("This folder is not in this workspace. Nothing was saved. Choose one that is."),
    "validation.section_type": _(
        "This kind of document has no section {type}. Nothing was saved. Choose one of those named."
    ),
    "validation.place": _("A section of type {type} cannot stand there. Nothing was moved. Choose another place."),
    "validation.place_after": _(
        "The section to follow stands elsewhere. Nothing was moved. Choose one in the same place."
    ),
    "validation.sections_too_many": _(
        "A document has at most {limit} sections of type {type}. Nothing was added. Remove one first."
    ),
    "not_found.action": _(
        "This kind of document knows no action {action}. Nothing was started. Choose one of those named."
    ),
    "run.never_written": _(
        "No run has written this section. Nothing was started. Write it by hand, or write the document again."
    ),
    "not_found.drawing": _("There is no such picture, or not for you. Nothing was changed. Load the page again."),
    "validation.export_kind": _("A document of kind {kind} cannot be exported. Nothing was changed. Read it here."),
    "conflict.being_written": _(
        "This document is still being written. Nothing was started. Wait until it is done, or stop it."
    ),
    "conflict.binned": _("This document lies in the bin. Nothing was started. Take it out first."),
    "limit.chapters": _(
        "A course has at most {limit} chapters. Nothing was added. Remove one, or begin another course."
    ),
    # Comments
    "not_found.thread": _(
        "This thread does not exist, or is not yours to see. Nothing was changed. Look at the document."
    ),
    "not_found.comment": _(
        "This comment does not exist, or is not yours to see. Nothing was changed. Look at the document."
    ),
    "validation.comment_empty": _("The comment is empty. Nothing was written. Say in a few words what you think."),
    "validation.comment_too_long": _("The comment is too long. Nothing was written. Shorten it to {limit} characters."),
    "validation.quote_too_long": _("The quote is too long. Nothing was written. Quote at most {limit} characters."),
    "validation.assignee": _("{name} is no member of this workspace. Nothing was changed. Choose one who is."),
    "permission.author": _("Somebody else wrote this. Nothing was changed. Answer it instead."),
    "conflict.thread_closed": _("This thread is closed. Nothing was written. Open it again first."),
    "conflict.comment_key": _("This key came with another comment. That one is kept. Send a new key for a new one."),
    "limit.threads": _("A document has at most {limit} threads. Nothing was written. Reply in one there is."),
    "limit.comments": _("A thread has at most {limit} comments. Nothing was written. Begin another one."),
    # Learning
    "not_found.attempt": _(
        "This attempt does not exist, or is not yours to see. Nothing was changed. Look at the course."
    ),
    "not_found.question": _(
        "This question is not asked there. What you answered before is kept. Load the questions again."
    ),
    "conflict.no_questions": _("Nothing is asked there. Nothing was begun. Look at the course."),
    "conflict.questions_changed": _(
        "These questions were changed after you opened them. Nothing was begun. Load them again."
    ),
    "conflict.time_up": _("The time is up. What was kept by then counts. Look at the result."),
    "conflict.attempt_ended": _("You have handed this in already. What was kept by then counts. Look at the result."),
    "conflict.attempt_open": _("You have not handed this in yet. Your answers are kept. Hand it in first."),
    "conflict.no_chapter": _("Only chapters can be finished. Nothing was changed. Choose one."),
    "validation.given": _(
        "This is no answer to this question. What you answered before is kept. Choose among those shown."
    ),
    "validation.answer_too_long": _(
        "The answer is too long. What you answered before is kept. Shorten it to {limit} characters."
    ),
    # Exports
    "tool.export_timeout": _(
        "Making this file took longer than {seconds} s and was stopped. Nothing was changed. Choose another format."
    ),
    "tool.export_failed": _("The {format} file could not be made. Nothing was changed. Choose another format."),
    "validation.title_needed": _("It has no title yet. Nothing was begun. Give it one."),
    "validation.title_taken": _("“{title}” is there already. Nothing was changed. Give it another title."),
    "validation.export_format": _("There is no export as {format}. Nothing was changed. Choose one of {allowed}."),
    # Diagrams
    "tool.diagram_type": _("Diagrams of type {type} cannot be drawn here. The text is kept. Use one of: {allowed}."),
    "tool.diagram_invalid": _("The diagram cannot be drawn: {because}. The text is kept. Correct its code."),
    "tool.diagram_too_large": _("The diagram is too large: {because}. The text is kept. Make it smaller."),
    "tool.diagram_timeout": _("The diagram took too long: {because}. The text is kept. Make it smaller."),
    "tool.diagram_died": _("The diagram could not be drawn: {because}. The text is kept. Make it smaller."),
    # Tools
    "tool.unknown": _("There is no tool {tool} here. Nothing was changed. Say what you want in other words."),
    "tool.arguments": _("The model used a tool wrongly. Nothing was changed. Say it differently."),
    # The web
    "tool.search_not_configured": _(
        "No search engine is set up here. Nothing was looked for. Ask whoever runs this house for one."
    ),
    "tool.search_refused": _(
        "The search engine {engine} refuses us, with {status}. Nothing was found. Have its key checked."
    ),
    "tool.search_rate_limited": _(
        "The search engine {engine} was asked too often. Nothing was found. Try again in a moment."
    ),
    "tool.search_too_slow": _(
        "The search engine {engine} took longer than {seconds} s. Nothing was found. Try again in a moment."
    ),
    "tool.search_unreachable": _(
        "The search engine {engine} does not answer. Nothing was found. Try again in a moment."
    ),
    "tool.search_malformed": _(
        "The search engine {engine} sent no list of pages. Nothing was found. Have its address checked."
    ),
    "tool.web_address": _(
        "{url} is no address of the public web. Nothing was read. Give one that begins with https://."
    ),
    "tool.web_not_given": _(
        "Nobody has named {url} here. Nothing was read. Name it yourself, or have it searched for."
    ),
    "tool.web_unreachable": _("{url} cannot be reached. Nothing was read. Check the address, or try again later."),
    "tool.web_too_slow": _("{url} took longer than {seconds} s. Nothing was read. Try again later."),
    "tool.web_redirects": _("{url} leads on more than {limit} times. Nothing was read. Give the last address."),
    "tool.web_status": _("{url} answers with {status}. Nothing was read. Check the address."),
    "tool.web_not_text": _("{url} is no page of text. Nothing was read. Save it and attach it as a file."),
    "tool.web_too_large": _("{url} is larger than {limit:size}. Nothing was read. Choose a shorter page."),
    "tool.web_encoding": _("{url} is packed in a way that is not known here. Nothing was read. Choose another page."),
    "tool.web_unreadable": _("There is no text to be found at {url}. Nothing was kept. Choose another page."),
    # What was sent
    "validation.characters": _(
        "The text holds characters that are none. Nothing was changed. Remove them and send it again."
    ),
    "validation.since": _("The log has no number {since}. Nothing is lost. Read from 0."),
    "validation.cursor": _("This place in the list is unknown. Nothing was changed. Begin at its top."),
    # Orders
    "validation.kind": _("There is no kind {kind}. Nothing was started. There are: {allowed}."),
    "validation.brief_empty": _("The brief is empty. Nothing was started. Say in a few words what to write."),
    "validation.brief_not_utf8": _("The brief is not UTF-8 text. Nothing was started. Save it as UTF-8."),
    "validation.brief_too_long": _(
        "The brief has {length} characters. Nothing was started. Shorten it to {limit}, or send a file."
    ),
    "validation.title_too_long": _("The title is too long. Nothing was changed. Shorten it to {limit} characters."),
    "validation.options": _("Some options do not fit. Nothing was started. Correct those named."),
    "validation.answer": _("The answer does not fit the question. The run still waits. Correct what is named."),
    "conflict.key_reused": _("This key began another run. That run is kept. Send a new key for a new order."),
    # Files
    "validation.files_too_many": _("These are {count} files. Nothing was started. Send at most {limit}."),
    # Prompts and agents
    "validation.chain": _(
        "The models of {agent} cannot be read. What was written is kept. Write them as provider:model."
    ),
    "validation.reason": _("A reason is missing, or longer than {limit} characters. Nothing was changed. Say why."),
    "validation.experiment_target": _(
        "An experiment is about one prompt or one agent. Nothing was changed. Choose one of the two."
    ),
    "validation.experiment_metric": _(
        "There is no metric {metric}, or it is its own guard. Nothing was changed. Choose among those named."
    ),
    "validation.experiment_arms": _(
        "An experiment has {least} to {most} arms, one of them its control. Nothing was changed. Correct its arms."
    ),
    "validation.experiment_arm": _(
        "The arm {arm} gives nothing that could be tried, or what another gives. Nothing was changed. Correct it."
    ),
    "conflict.check_running": _("Models are being checked already. That goes on. Try again when it is done."),
    "conflict.in_force_already": _("This is in force already. Nothing was changed. Look at what was decided last."),
    "conflict.experiment_open": _(
        "Another experiment on {target} has not ended. Nothing was changed. Stop that one first."
    ),
    "conflict.experiment_over": _("This experiment does not run. Nothing was changed. Look at its state."),
    "conflict.critique_open": _("A critic is at it already. That goes on. Ask for more when it is done."),
    "conflict.nothing_to_score": _(
        "No answer that you may look into waits to be scored. Nothing was begun. Ask again when there are more."
    ),
    "conflict.arm_closed": _("This arm is closed. Nothing was changed. Choose one that is open."),
    "conflict.arm_needed": _(
        "An experiment needs its control and one more arm. Nothing was changed. Stop the experiment instead."
    ),
    "conflict.decision_passed": _(
        "Something else was decided since. Nothing was changed. Look at what is in force, and decide anew."
    ),
    "not_found.call": _("No model was asked for this, or it is not kept. Nothing was changed. Look in the history."),
    "not_found.version": _("The prompt {slot} has no version {version}. Nothing was changed. Look at its versions."),
    "not_found.experiment": _("There is no such experiment. Nothing was changed. Look at the list."),
    "not_found.arm": _("The experiment has no such arm. Nothing was changed. Look at its arms."),
    "not_found.decision": _("There is no such decision. Nothing was changed. Look at the list."),
    "validation.prompt_variables": _(
        "The variables of {slot} do not fit. What was written is kept. Missing: {missing}; too many: {unknown}."
    ),
    "validation.prompt_transfer": _(
        "This is no slot that was exported here. Nothing was changed. Export it once more and send that file."
    ),
    "validation.prompt_version": _(
        "Version {number} does not fit here, line {line}: {problem} Nothing was changed. Correct it and send it again."
    ),
    "validation.prompt_template": _("The prompt cannot be read. What was written is kept. Correct this: {problem}."),
    "validation.variables": _(
        "Variables are one JSON object: names, each with its value. What was written is kept. Put it in braces."
    ),
    "validation.version_or_text": _(
        "A version and a text were sent. Nothing was rendered. Send the number of a version, or a text."
    ),
    "service.tries": _("What tries cost cannot be counted now. Nothing was asked. Try again in a moment."),
    # Limits
    "limit.runs_open": _("You have {open} runs open. They go on. Wait until one has ended, or stop one."),
    "budget.run": _("The budget of this run is spent. What was written is kept. Raise it and retry."),
    "budget.user_day": _("Your budget for today is spent. What was written is kept. Go on tomorrow, or ask for more."),
    "budget.workspace_day": _(
        "The workspace's budget for today is spent. What was written is kept. Go on tomorrow, or ask its owner."
    ),
    # Conversations
    "validation.reason_needed": _("Somebody will ask why. Nothing was changed. Give a reason."),
    "run.nothing_to_sum_up": _("No use case is there to sum up. Nothing was written. Add some to the portfolio."),
    "not_found.portfolio": _("This is no portfolio of use cases. Nothing was changed. Look at the list of documents."),
    "not_found.issue": _("There is no such finding. Nothing was changed. Look at the document."),
    "validation.reason_too_long": _("The reason is too long. Nothing was kept. Shorten it to {limit} characters."),
    "run.of_a_turn": _("This was an answer in a conversation. It is kept there. Ask for another one there."),
    # Runs
    "run.deadline": _("The run took longer than it may. What was written is kept. Retry to go on from there."),
    "run.crashed": _("The run broke off several times. What was written is kept. Retry, or shorten the brief."),
    "run.still_open": _("The run has not ended yet. It goes on. Retry when it has ended, or stop it first."),
    "run.nothing_to_retry": _("Every step of this run is good. All is kept. Name the steps to write again."),
    "run.not_asking": _("The run is not waiting for this answer. It is unchanged. Look at what it asks now."),
    "run.unknown_job": _("This house no longer knows how to do {job}. What was written is kept. Start a new run."),
    # Models
    "model.connect": _("The model could not be reached in time. What was written is kept. Try again in a moment."),
    "model.first_token": _("The model did not begin to answer in time. What was written is kept. Try again."),
    "model.idle": _("The model stopped in the middle. What was written is kept. Try again."),
    "model.total": _("The answer took too long. What was written is kept. Try again, or ask for less."),
    "model.provider": _("The provider gave up waiting for its model. What was written is kept. Try again."),
    "model.unreachable": _(
        "The provider cannot be reached. What was written is kept. Check its address and the network."
    ),
    "model.reset": _("The provider closed the connection. What was written is kept. Try again."),
    "model.cut": _("The answer was cut off. What was written is kept. Try again."),
    "model.no_finish": _("The answer has no end. What was written is kept. Try again."),
    "model.cut_at_limit": _(
        "The answer reached its longest length. What was written is kept. Ask for less, or allow more."
    ),
    "model.unknown_finish": _("The answer ended in a way nobody knows. What was written is kept. Try again."),
    "model.error_event": _("The provider broke off its answer. What was written is kept. Try again."),
    "model.bad_shape": _("The provider sent something else than an answer. What was written is kept. Try again."),
    "model.not_json": _("The provider sent an answer nobody can read. What was written is kept. Try again."),
    "model.not_a_stream": _(
        "The provider sent a page instead of an answer. What was written is kept. Check its address."
    ),
    "model.response_too_large": _("The answer was larger than {limit:size}. What was written is kept. Ask for less."),
    "model.event_too_large": _(
        "A piece of the answer was larger than {limit:size}. What was written is kept. Try again."
    ),
    "model.empty": _("The model gave an empty answer. What was written is kept. Try again, or say it differently."),
    "model.not_as_asked": _("The answer does not have the form asked for. What was written is kept. Try again."),
    "model.tool_arguments": _("The model called a tool with nonsense. Nothing was changed. Try again."),
    "model.refusal": _("The model declined to answer. What was written is kept. Say it differently."),
    "model.content_filter": _(
        "The provider's filter held the answer back. What was written is kept. Say it differently."
    ),
    "model.too_long": _("This is more than the model can read. What was written is kept. Send less, or fewer files."),
    "model.bad_request": _("The provider did not accept the request. What was written is kept. Choose another model."),
    "model.unauthorised": _("The provider does not accept the key. What was written is kept. Check the key."),
    "model.unknown_model": _("The provider does not know this model. What was written is kept. Choose another one."),
    "model.unknown_provider": _("There is no provider {provider}. What was written is kept. Choose another model."),
    "model.no_model": _("No model is left to ask. What was written is kept. Add one to the chain."),
    "model.quota_spent": _(
        "The provider's account is empty. What was written is kept. Top it up, or choose another model."
    ),
    "model.rate_limited": _("The provider has too much to do. What was written is kept. Try again in a moment."),
    "model.server_error": _("The provider has a fault. What was written is kept. Try again in a moment."),
    "model.paused": _("The model failed too often and rests. What was written is kept. Try again in a moment."),
}
