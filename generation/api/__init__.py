"""REST of runs, documents, their history, and what staff put in force. Each door translates, calls a verb, and shows
a picture."""

from ninja import Router

from generation.api import (
    documents,
    experiments,
    folders,
    health,
    history,
    issues,
    prompting,
    rehearsing,
    runs,
    sections,
)

router = Router()
for room in (runs, documents, sections, folders, history, issues, prompting, rehearsing, experiments, health):
    router.add_router("", room.router)
