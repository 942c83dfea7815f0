"""The context history: every change of an editable object goes through here, is kept, and can be undone.

The changes of an object, replayed in order of (version, id), give its state, whole. Undo writes forward: it is a change
like any other, and undone by undoing it. All writers of one document take its lock first, so that they never meet.
"""

from memory.history.ground import By, digest, lock_roots, replay
from memory.history.proposals import Written, accept, propose, reject, write_as_recipe
from memory.history.undoing import Undone, restore, undo, undo_group, undo_latest, undone_in, undos_in
from memory.history.writing import check_unchanged, create, edit

__all__ = [
    "By",
    "Undone",
    "Written",
    "accept",
    "check_unchanged",
    "create",
    "digest",
    "edit",
    "lock_roots",
    "propose",
    "reject",
    "replay",
    "restore",
    "undo",
    "undo_group",
    "undo_latest",
    "undone_in",
    "undos_in",
    "write_as_recipe",
]
