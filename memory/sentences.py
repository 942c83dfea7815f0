"""What an error says to a person: what happened, what is kept, one thing to do. One sentence for each code.

A code without one gets its family's. Names in braces are filled from the error's parameters; `{limit:size}` writes
bytes as a person would, `{held:word}` a word of ours in the reader's language.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from string import Formatter
from typing import Any

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.module_loading import import_string
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
    "permission.right": _("You lack the right {needed}. Nothing was changed. Ask an administrator for it."),
    "permission.refused": _("You may not see this. Nothing was changed. Ask an administrator for the right to."),
    # What is not there
    "not_found.page": _("This page does not exist. Nothing was changed. Check the address."),
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
    # Documents and their history
    "not_found.group": _(
        "These changes do not exist, or are not yours to see. Nothing was changed. Look in the history."
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
    # Work in a child process
    "tool.child_timeout": _(
        "Reading or drawing this took longer than {seconds} s and was stopped. The rest goes on. Make it simpler."
    ),
    "tool.child_refused": _("This cannot be read or drawn: {because}. The rest goes on. Correct it and try again."),
    "tool.child_died": _(
        "Reading or drawing this asked for too much and was stopped. The rest goes on. Make it simpler."
    ),
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
    # What was sent
    "validation.request": _("Some fields do not fit. Nothing was changed. Correct those named and send again."),
    "validation.malformed": _("The request cannot be read. Nothing was changed. Send it again."),
    "validation.method": _("This address does not take {method}. Nothing was changed. It takes: {allowed}."),
    "validation.json": _("This is not JSON. Nothing was changed. Check quotes, commas and characters."),
    "validation.not_json": _("A value cannot be written as JSON ({type}). Nothing was changed. Send text or numbers."),
    "validation.too_deep": _("The JSON is nested too deeply. Nothing was changed. Stay within {limit} levels."),
    "validation.body_too_large": _("This is too large to send at once. Nothing was kept. Stay below {limit:size}."),
    "validation.scopes": _("A token needs a scope. No token was made. There are: {allowed}."),
    "validation.name_empty": _("The name is empty. Nothing was made. Give it a name."),
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
    "service.busy": _("The house has more to do than it can. Nothing was begun. Try again in {retry_after} seconds."),
    "service.storage": _("The file could not be kept: the disk takes no more. Nothing was changed. Try again later."),
    # Limits
    "limit.requests": _("Too many requests. Nothing is lost. Wait {retry_after} seconds and go on."),
}

# What `{…:word}` may be and no model names: scopes of tokens.
WORDS = (_("read"), _("write"))


@cache
def known() -> dict[str, Promise]:
    """All of the house: each app has a table of its own, named in the settings."""
    return {code: sentence for table in settings.SENTENCES for code, sentence in import_string(table).items()}


def say(code: str, params: Mapping[str, Any]) -> str:
    """The sentence of a code in the language that is active now; one comes for every code, known or not."""
    sentence = known().get(code) or FAMILIES.get(code.partition(".")[0]) or FAMILIES["internal"]
    return Filler().vformat(str(sentence), (), params)


def first(said: str) -> str:
    """Of what an error says, the part about what happened."""
    happened, stop, _rest = said.partition(". ")
    return f"{happened}." if stop else said


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
