"""REST of conversations. Each door translates, calls a verb, and shows a picture."""

from ninja import Router

from chat.api import messages, sessions

router = Router()
for room in (messages, sessions):
    router.add_router("", room.router)
