"""What an error says to a person: what happened, what is kept, one thing to do. One sentence for each code.

A code without one gets its family's. Names in braces are filled from the error's parameters; `{limit:size}` writes
bytes as a person would, `{held:word}` a word of ours in the reader's language.
"""

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

FAMILIES: dict[str, Promise] = {
    "validation": _("Something in what was sent does not fit. Nothing was changed. Correct it and send it again."),
    "permission": _("You may not do this here. Nothing was changed. Ask an owner of the workspace."),
    "authentication": _("You are not signed in. Nothing was changed. Sign in and try again."),
    "not_found": _("This does not exist, or not for you. Nothing was changed. Check the address."),
    "conflict": _("Something else came first. Your change was not made. Load it again and decide."),
    "limit": _("There is too much at once. What is running goes on. Try again later."),
    "budget": _("The budget is spent. What was written is kept. Ask for more, or wait until tomorrow."),
    "tool": _("A tool did not work. What it had changed before is kept. Try another way."),
    "memory": _("The memory does not answer. Nothing is lost. Try again in a moment."),
    "session": _("This conversation cannot take that now. Every message is kept. Load it again."),
    "run": _("The writing cannot do that now. What was written is kept. Look at its state."),
    "service": _("A part of the house does not answer. Nothing is lost. Try again in a moment."),
    "model": _("The model did not answer well. What was written is kept. Try again, or choose another model."),
    "internal": _("Something went wrong in the house. What was saved is kept. Try again, or tell us its number."),
}

SENTENCES: dict[str, Promise] = {
    # Who asks
    "authentication.needed": _("You are not signed in. Nothing was changed. Sign in, or send a token."),
    "authentication.token": _("This token is not valid, or no longer. Nothing was changed. Make a new one."),
    "authentication.link": _(
        "This link was used or is too old. Nothing was changed. `make up` and `manage.py sign_in` print a new one."
    ),
    "permission.role": _(
        "You are {held:word} in this workspace. Nothing was changed. Its owner can make you {needed:word}."
    ),
    "permission.scope": _("This token may not {needed:word}. Nothing was changed. Use one with that scope."),
    "permission.csrf": _("The page was open for too long. Nothing was changed. Load it again, then repeat."),
    "permission.staff": _("Only staff may see this. Nothing was changed. Ask somebody of the staff."),
    "permission.refused": _("You may not see this. Nothing was changed. Ask an administrator for the right to."),
    # What is not there
    "not_found.page": _("This page does not exist. Nothing was changed. Check the address."),
    "not_found.run": _("This run does not exist, or is not yours to see. Nothing was changed. Look in the queue."),
    "not_found.workspace": _(
        "This workspace does not exist, or you are no member. Nothing was changed. Choose one of yours."
    ),
    "not_found.member": _("They are no member of this workspace. Nothing was changed. Look at its list of members."),
    "not_found.invitation": _(
        "There is no such invitation. Nothing was changed. Check that the link is whole, or ask for a new one."
    ),
    "not_found.token": _("There is no such token of yours. Nothing was changed. Look at the list in your profile."),
    "conflict.last_owner": _(
        "A workspace keeps at least one owner. Nothing was changed. Make somebody else an owner first."
    ),
    "conflict.member": _("You are {held:word} in this workspace already. Nothing was changed. Go to your documents."),
    "conflict.invitation_used": _("This invitation has been used. Nothing was changed. Ask {by} for a new one."),
    "conflict.invitation_expired": _("This invitation is too old. Nothing was changed. Ask {by} for a new one."),
    "conflict.invitation_revoked": _(
        "This invitation was withdrawn. Nothing was changed. Ask an owner of the workspace for a new one."
    ),
    "not_found.user": _("There is no such user. Nothing was changed. Check the name."),
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
    "not_found.group": _(
        "These changes do not exist, or are not yours to see. Nothing was changed. Look in the history."
    ),
    "not_found.change": _(
        "This change does not exist, or is not yours to see. Nothing was changed. Look in the history."
    ),
    "not_found.snapshot": _(
        "This state does not exist, or is not yours to see. Nothing was changed. Look in the history."
    ),
    "not_found.proposal": _(
        "This proposal does not exist, or is not yours to see. Nothing was changed. Look at the document."
    ),
    "not_found.object": _("What this belongs to was deleted for good. Nothing was changed. Look in your list."),
    "conflict.changed_since": _(
        "Somebody changed this while you wrote. Your text was not saved. Compare the two and save again."
    ),
    "conflict.stale_change": _(
        "Something newer stands where this change was. Nothing was undone. Look at what is in the way."
    ),
    "conflict.nothing_to_undo": _(
        "Nothing is left to undo in this document. Nothing was changed. Look in its history."
    ),
    "conflict.decided": _("Somebody has decided on this proposal already. Nothing was changed. Load it again."),
    "conflict.locked": _("This section is locked against machines. Nothing was changed. Unlock it, or write by hand."),
    "validation.path": _("There is nothing at {path} to be changed. Nothing was saved. Check the name of the field."),
    "validation.paths_overlap": _("{path} is named twice, once within the other. Nothing was saved. Send it once."),
    "validation.version": _("There is no such version; the newest is {version}. Nothing was saved. Load it again."),
    "validation.fields": _(
        "A field does not fit its kind. Nothing was saved. Correct what is named and send it again."
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
    # Work in a child process
    "tool.child_timeout": _(
        "Reading or drawing this took longer than {seconds} s and was stopped. The rest goes on. Make it simpler."
    ),
    "tool.child_refused": _("This cannot be read or drawn: {because}. The rest goes on. Correct it and try again."),
    "tool.child_died": _(
        "Reading or drawing this asked for too much and was stopped. The rest goes on. Make it simpler."
    ),
    # Exports
    "tool.export_timeout": _(
        "Making this file took longer than {seconds} s and was stopped. Nothing was changed. Choose another format."
    ),
    "tool.export_failed": _("The {format} file could not be made. Nothing was changed. Choose another format."),
    "validation.export_format": _("There is no export as {format}. Nothing was changed. Choose one of {allowed}."),
    # Files that are read for a run
    "tool.file_encrypted": _(
        "The file is locked by a password. The rest goes on. Save it without one and upload it again."
    ),
    "tool.file_scanned": _(
        "The file holds pictures and no text. The rest goes on. Have its text recognised and upload it again."
    ),
    "tool.file_blank": _("The file holds no text. The rest goes on. Upload one that does."),
    "tool.file_broken": _("The file cannot be read. The rest goes on. Save it again and upload it once more."),
    "tool.file_lost": _("The file is no longer where it was. The rest goes on. Upload it again."),
    # Diagrams
    "tool.diagram_type": _("Diagrams of type {type} cannot be drawn here. The text is kept. Use one of: {allowed}."),
    "tool.diagram_invalid": _("The diagram cannot be drawn: {because}. The text is kept. Correct its code."),
    "tool.diagram_too_large": _("The diagram is too large: {because}. The text is kept. Make it smaller."),
    "tool.diagram_timeout": _("The diagram took too long: {because}. The text is kept. Make it smaller."),
    "tool.diagram_died": _("The diagram could not be drawn: {because}. The text is kept. Make it smaller."),
    # What was sent
    "validation.request": _("Some fields do not fit. Nothing was changed. Correct those named and send again."),
    "validation.malformed": _("The request cannot be read. Nothing was changed. Send it again."),
    "validation.method": _("This address does not take {method}. Nothing was changed. It takes: {allowed}."),
    "validation.json": _("This is not JSON. Nothing was changed. Check quotes, commas and characters."),
    "validation.not_json": _("A value cannot be written as JSON ({type}). Nothing was changed. Send text or numbers."),
    "validation.too_deep": _("The JSON is nested too deeply. Nothing was changed. Stay within {limit} levels."),
    "validation.body_too_large": _("This is too large to send at once. Nothing was kept. Stay below {limit:size}."),
    "validation.characters": _(
        "The text holds characters that are none. Nothing was changed. Remove them and send it again."
    ),
    "validation.frame_type": _("There is no frame {type}. Nothing was changed. There are: {allowed}."),
    "validation.topics": _("These topics cannot be watched. What you watch stays. Send at most {limit} names."),
    "validation.list": _("{field} has to be a list of at most {limit}. Nothing was sent. Shorten it."),
    "validation.key": _("The key is missing. Nothing was started. Send one that you keep for a second try."),
    "validation.since": _("The log has no number {since}. Nothing is lost. Read from 0."),
    "validation.cursor": _("This place in the list is unknown. Nothing was changed. Begin at its top."),
    "validation.scopes": _("A token needs a scope. No token was made. There are: {allowed}."),
    "validation.name_empty": _("The name is empty. Nothing was made. Give it a name."),
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
    "validation.file_empty": _("The file {name} is empty. It was not kept. Choose another one."),
    "validation.file_too_large": _("The file {name} is too large. It was not kept. Stay below {limit:size}."),
    "validation.file_kind": _("The file {name} cannot be read here. It was not kept. Send one of: {allowed}."),
    "validation.file_content": _(
        "The file {name} is not what its name says. It was not kept. Save it as {kind} and send it again."
    ),
    "validation.file_bomb": _(
        "The file unpacks to far more than it is. It was not kept. Save it again in a word processor."
    ),
    "validation.files_too_many": _("These are {count} files. Nothing was started. Send at most {limit}."),
    "service.busy": _("The house has more to do than it can. Nothing was begun. Try again in {retry_after} seconds."),
    "service.storage": _("The file could not be kept: the disk takes no more. Nothing was changed. Try again later."),
    # Prompts and agents
    "validation.chain": _(
        "The models of {agent} cannot be read. What was written is kept. Write them as provider:model."
    ),
    "validation.prompt_variables": _(
        "The variables of {slot} do not fit. What was written is kept. Missing: {missing}; too many: {unknown}."
    ),
    "validation.prompt_template": _("The prompt cannot be read. What was written is kept. Correct this: {problem}."),
    # Limits
    "limit.requests": _("Too many requests. Nothing is lost. Wait {retry_after} seconds and go on."),
    "limit.runs_open": _("You have {open} runs open. They go on. Wait until one has ended, or stop one."),
    "limit.sockets": _("You have too many pages open. They go on. Close one of the {limit}."),
    "limit.followed": _("You follow too many runs here. Those go on. Leave one of the {limit}."),
    "budget.run": _("The budget of this run is spent. What was written is kept. Raise it and retry."),
    "budget.user_day": _("Your budget for today is spent. What was written is kept. Go on tomorrow, or ask for more."),
    "budget.workspace_day": _(
        "The workspace's budget for today is spent. What was written is kept. Go on tomorrow, or ask its owner."
    ),
    # Conversations
    "not_found.session": _(
        "This conversation does not exist, or is not yours to see. Nothing was changed. Look in your list."
    ),
    "not_found.message": _(
        "This message does not exist, or is not yours to see. Nothing was changed. Look in the conversation."
    ),
    "validation.message_empty": _("There is nothing in the message. Nothing was sent. Write something."),
    "validation.message_too_long": _(
        "The message has {length} characters. Nothing was sent. Shorten it to {limit}, or attach it as a file."
    ),
    "validation.title_empty": _("A conversation needs a name. The old one stays. Write another."),
    "limit.turns_open": _("You wait for {open} answers already. They go on. Send this when one has come, or stop one."),
    "limit.links": _("A conversation is about {limit} objects at most. Nothing was added. Take one out first."),
    "session.being_answered": _("The answer has begun. The message stays. Stop the answer instead."),
    "session.not_yours": _("Only what you said yourself can be changed. Nothing was changed. Ask for another answer."),
    "session.no_answer": _("No model has answered here. Nothing was kept. Wait for an answer."),
    "validation.reason_too_long": _("The reason is too long. Nothing was kept. Shorten it to {limit} characters."),
    "session.no_panel": _("At least two agents must have answered. What they said stays. Ask the panel again."),
    "run.of_a_turn": _("This was an answer in a conversation. It is kept there. Ask for another one there."),
    "tool.unknown": _("There is no tool {tool} here. Nothing was changed. Say what you want in other words."),
    "tool.arguments": _("The model used a tool wrongly. Nothing was changed. Say it differently."),
    "tool.not_linked": _(
        "“{title}” is not part of this conversation. Nothing was changed. Add it to the conversation first."
    ),
    "tool.not_read": _("The model has not read this yet. Nothing was changed. It may read it and try again."),
    "tool.not_whole": _("This is too long to be read whole. Nothing was changed. Change it on its own page."),
    "tool.too_many": _("These are more than {limit} tools at once. This one did nothing. Ask for less at a time."),
    "tool.too_many_runs": _("One answer begins at most {limit} works. Those go on. Ask once more for the rest."),
    "tool.no_text": _("This has no text of its own. Nothing was changed. Name the part that is to change."),
    # Runs
    "session.behind": _("The page fell behind the text. Nothing is lost. It reads on from where it stopped."),
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

# What `{…:word}` may be and no model names: scopes of tokens.
WORDS = (_("read"), _("write"))


def say(code: str, params: Mapping[str, Any]) -> str:
    """The sentence of a code in the language that is active now; one comes for every code, known or not."""
    sentence = SENTENCES.get(code) or FAMILIES.get(code.partition(".")[0]) or FAMILIES["internal"]
    return Filler().vformat(str(sentence), (), params)


class Filler(Formatter):
    """Writes values for people. A parameter that is missing leaves a gap, never an error."""

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key), "…")

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "size" and isinstance(value, int):
            return filesizeformat(value)
        if format_spec == "word":
            return gettext(str(value))
        if isinstance(value, list | tuple):
            return ", ".join(str(item) for item in value)
        return str(localize(value))
