"""Drawings of diagrams, kept by what they are of: the same code is drawn once in a workspace, whoever asks how often.

Each workspace has its own, though another may have drawn the same: whoever may see a workspace may see its drawings,
and nobody learns from an address what others wrote.
"""

import asyncio
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any
from uuid import UUID

from generation.diagrams import rendering, table
from generation.models import Drawing
from memory.base import metrics
from memory.base.database import db
from memory.base.errors import NotFound, ToolFailed
from memory.models import User


@cache
def threads() -> ThreadPoolExecutor:
    """Those who wait for a place at an easel hold no thread that others need."""
    return ThreadPoolExecutor(rendering.EASELS, thread_name_prefix="easel")


os.register_at_fork(after_in_child=threads.cache_clear)


async def draw(type: str, code: str, workspace_id: UUID) -> Drawing:
    """The drawing, made now if it was not made before. Raises what `rendering.render` raises, `tool.diagram_…`.

    That the code is invalid is remembered; that it could not be drawn in time is not: tomorrow the machine may be idle.
    """
    digest = digest_of(type, code, workspace_id)
    drawing = await db(recall, digest)
    (metrics.cache_hits if drawing else metrics.cache_misses).labels("drawings").inc()
    if drawing is None:
        made = await asyncio.get_running_loop().run_in_executor(threads(), attempt, type, code)
        drawing = await db(keep, Drawing(digest=digest, workspace_id=workspace_id, type=type, code=code, **made))
    if drawing.error:
        raise ToolFailed("diagram_invalid", **drawing.error)
    return drawing


def attempt(type: str, code: str) -> dict[str, Any]:
    """What to remember: a picture, or why there can be none."""
    try:
        return {"svg": rendering.render(type, code)}
    except ToolFailed as failed:
        if failed.code != "tool.diagram_invalid":
            raise
        return {"error": failed.params}


def digest_of(type: str, code: str, workspace_id: UUID) -> str:
    """Another release of its renderer, or another look, makes another drawing."""
    renderer = table.TYPES.get(type)
    identity = [str(workspace_id), type, code, renderer.version() if renderer else None, rendering.LOOK]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def recall(digest: str) -> Drawing | None:
    return Drawing.objects.filter(digest=digest).first()


def keep(drawing: Drawing) -> Drawing:
    """Of two who drew the same at once, both are right: the first row stays."""
    Drawing.objects.bulk_create([drawing], ignore_conflicts=True)
    return drawing


def visible(user: User, digest: str) -> Drawing:
    """The picture, if this user may see it; `not_found.drawing` otherwise, whether it exists or not."""
    drawing = Drawing.objects.visible(user).filter(digest=digest).exclude(svg="").first()
    if drawing is None:
        raise NotFound("drawing")
    return drawing
