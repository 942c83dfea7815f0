"""The routes: each translates HTTP to values and back, and decides nothing else."""

from contextlib import suppress
from dataclasses import asdict
from ipaddress import ip_address

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from generation.demo import request as requests
from generation.demo.control import Demo
from generation.demo.delivery import deliver
from generation.demo.faults import FAULTS, NO_FAULT, UnknownFaultError
from generation.demo.line import Line
from generation.demo.request import BadRequestError
from generation.demo.stats import Served
from generation.demo.wire import error

DEMO = web.AppKey("demo", Demo)
LARGEST_REQUEST = 64 * 1024 * 1024
MODELS = ("demo", "demo-reason")


def build(demo: Demo | None = None) -> web.Application:
    """The application around one server state."""
    app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[speak_openai])
    app[DEMO] = demo or Demo()
    app.add_routes(
        [
            web.get("/v1/models", models),
            web.post("/v1/chat/completions", completions),
            # For tests and benchmarks.
            web.get("/stats", stats),
            web.post("/stats/reset", reset_stats),
            web.get("/control", control),
            web.post("/control", change),
        ]
    )
    return app


def runner(app: web.Application) -> web.AppRunner:
    """How to run it: a client that goes away cancels its handler, and nobody is waited for at the end."""
    return web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)


@web.middleware
async def speak_openai(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors leave in OpenAI's shape."""
    try:
        return await handler(request)
    except BadRequestError as bad:
        return _json(error(str(bad), "invalid_request_error", param=bad.param), 400)
    except web.HTTPException as http:
        return _json(error(http.reason, "invalid_request_error", code=str(http.status)), http.status)


async def models(request: web.Request) -> web.StreamResponse:
    """The names worth knowing; any other name is served too."""
    names = (*MODELS, *(f"fault-{name}" for name in FAULTS))
    return _json({"object": "list", "data": [{"id": name, "object": "model", "owned_by": "demo"} for name in names]})


async def completions(request: web.Request) -> web.StreamResponse:
    """One chat completion, with the fault that is aimed at it."""
    demo = request.app[DEMO]
    chat = requests.read(await request.read())
    try:
        name, given = demo.aim.choose(chat, request.headers.get("X-Demo-Fault"))
    except UnknownFaultError as unknown:
        raise BadRequestError(str(unknown), "model") from unknown
    fault = FAULTS[name] if name else NO_FAULT
    served = Served(request.headers.get("X-Client-Request-Id", ""), chat.model, name, chat.tokens_in)
    line = Line(request, streaming=chat.stream)
    # Writing to a client that has gone is counted, and no error of ours.
    with suppress(ConnectionError), demo.stats.serving(served):
        if fault.refusal:
            served.state = "failed"
            return web.Response(**asdict(fault.refusal))
        await deliver(chat, fault, line, served, demo, given)
    return line.response


async def stats(request: web.Request) -> web.StreamResponse:
    """What was served; `?log=0` leaves the log out."""
    return _json(request.app[DEMO].stats.report(log=request.query.get("log") != "0"))


async def reset_stats(request: web.Request) -> web.StreamResponse:
    """Counts from zero again."""
    request.app[DEMO].stats.reset()
    return _json({})


async def control(request: web.Request) -> web.StreamResponse:
    """The settings in force."""
    return _json(request.app[DEMO].report())


async def change(request: web.Request) -> web.StreamResponse:
    """Changes settings; from this machine only."""
    if not ip_address(request.remote or "::").is_loopback:
        raise web.HTTPForbidden(reason="The demo model is controlled from its own machine only.")
    demo = request.app[DEMO]
    try:
        demo.change(orjson.loads(await request.read()))
    except ValueError as wrong:
        raise BadRequestError(str(wrong)) from wrong
    return _json(demo.report())


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")
