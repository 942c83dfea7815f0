"""The kinds of documents there are: one line each. What writes them is in `registry`."""

from generation.fields import Kind
from generation.recipes.company.schema import COMPANY
from generation.recipes.course.schema import COURSE
from generation.recipes.executive_summary.schema import EXECUTIVE_SUMMARY
from generation.recipes.note.schema import NOTE
from generation.recipes.use_case.schema import USE_CASE
from generation.recipes.use_case_list.schema import USE_CASE_LIST

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (NOTE, COURSE, COMPANY, USE_CASE_LIST, USE_CASE, EXECUTIVE_SUMMARY)
}
