"""What errors of conversations say to a person (memory.sentences says how)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    # What is not there
    "not_found.user": _("There is no such user. Nothing was changed. Check the name."),
    # What was sent
    "validation.frame_type": _("There is no frame {type}. Nothing was changed. There are: {allowed}."),
    "validation.topics": _("These topics cannot be watched. What you watch stays. Send at most {limit} names."),
    "validation.list": _("{field} has to be a list of at most {limit}. Nothing was sent. Shorten it."),
    "validation.key": _("The key is missing. Nothing was started. Send one that you keep for a second try."),
    # Limits
    "limit.sockets": _("You have too many pages open. They go on. Close one of the {limit}."),
    "limit.followed": _("You follow too many runs here. Those go on. Leave one of the {limit}."),
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
    "session.no_panel": _("At least two agents must have answered. What they said stays. Ask the panel again."),
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
}
