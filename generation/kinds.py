"""The kinds of documents there are: one line each. What writes them is in `registry`."""

from generation.fields import Kind
from generation.recipes.company.schema import COMPANY
from generation.recipes.course.schema import COURSE
from generation.recipes.note.schema import NOTE

KINDS: dict[str, Kind] = {kind.name: kind for kind in (NOTE, COURSE, COMPANY)}
