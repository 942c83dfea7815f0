"""REST of runs, documents and their history. Each door translates, calls a verb, and shows a picture."""

from ninja import Router

from generation.api import documents, folders, history, runs, sections

router = Router()
for room in (runs, documents, sections, folders, history):
    router.add_router("", room.router)
