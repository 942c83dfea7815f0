"""REST of runs, documents, what is done and said about them, and what staff put in force. Each door translates, calls
a verb, and shows a picture."""

from ninja import Router

from generation.api import (
    comments,
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
ROOMS = (runs, documents, sections, folders, comments, history, issues, prompting, rehearsing, experiments, health)
for room in ROOMS:
    router.add_router("", room.router)
