"""Looking things up on the web; the card of what was found holds its links."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson

from chat.tools.base import Done, Lookup
from generation.models import Run
from generation.web import tools


async def look(name: str, run: Run, arguments: str, shown: str) -> Done:
    told = await tools.use(run.workspace_id, name, arguments, shown=shown)
    return Done(told, {**asked(arguments), "links": tools.links(told)})


def asked(arguments: str) -> Mapping[str, Any]:
    """What was looked for, where something was; the arguments have been found to fit."""
    given = orjson.loads(arguments)
    return {"query": given["query"]} if "query" in given else {}


LOOKUPS = [
    Lookup(signature.spec, partial(look, name), partial(tools.is_offered, name))
    for name, signature in tools.SIGNATURES.items()
]
