"""The ASGI application: HTTP by Django, sockets by Channels, and the life of the process around them."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("PROCESS", "web")
http = get_asgi_application()  # loads the apps; what follows imports models

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from chat.routing import urlpatterns  # noqa: E402
from config.admission import Admission  # noqa: E402
from config.process import Process  # noqa: E402
from config.requests import Message, Receive, RequestIds, Send  # noqa: E402

process = Process()


async def startup() -> None:
    await process.open()


async def shutdown() -> None:
    await process.close()


async def lifespan(scope: Message, receive: Receive, send: Send) -> None:
    """Servers that speak the lifespan protocol (uvicorn); Daphne is told by `manage.py web`."""
    await receive()
    await startup()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await shutdown()
    await send({"type": "lifespan.shutdown.complete"})


asked = ProtocolTypeRouter({"http": http, "websocket": AuthMiddlewareStack(URLRouter(urlpatterns))})
door = RequestIds(Admission(asked))
application = ProtocolTypeRouter({"http": door, "websocket": door, "lifespan": lifespan})
