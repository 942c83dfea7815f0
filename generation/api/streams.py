"""REST of what lasts longer than one answer: its views are Django's (`views.streams`), so it is described by hand."""

from typing import Any

from generation.exports import FORMATS, SHEETS

EVENT = {
    "type": "object",
    "required": ["seq", "type", "data", "at"],
    "properties": {
        "seq": {"type": "integer", "minimum": 1},
        "type": {"type": "string"},
        "data": {"type": "object"},
        "at": {"type": "string", "format": "date-time"},
    },
}
EVENTS = {
    "title": "Events",
    "description": "What came after `after`, as far as `upto`. `reset`: the place asked for is gone, begin anew",
    "type": "object",
    "required": ["after", "upto", "events", "state"],
    "properties": {
        "after": {"type": "integer", "minimum": 0},
        "upto": {"type": "integer", "minimum": 0},
        "events": {"type": "array", "items": EVENT},
        "state": {"type": "string"},
        "reset": {"type": "boolean"},
    },
}

BINARY = {"type": "string", "format": "binary"}


def parameter(place: str, name: str, about: str = "", **schema: Any) -> dict[str, Any]:
    told = {"description": about} if about else {}
    return {"in": place, "name": name, "required": place == "path", "schema": schema, **told}


STREAMS: dict[str, dict[str, Any]] = {
    "/api/v1/runs/{run_id}/events": {
        "operationId": "generation_views_streams_events",
        "summary": "What happened in a run",
        "description": "With `Accept: text/event-stream` a stream that goes on until the run has ended.",
        "tags": ["runs"],
        "parameters": [
            parameter("path", "run_id", type="string", format="uuid"),
            parameter("query", "since", "the last number seen", type="integer", minimum=0, maximum=10**18 - 1),
            parameter("header", "Last-Event-ID", "the same, by browsers", type="string", pattern="^[0-9]{1,18}$"),
        ],
        "responses": {
            200: {
                "description": "OK",
                "content": {
                    "application/json": {"schema": EVENTS},
                    "text/event-stream": {"schema": {"type": "string"}},
                },
            }
        },
    },
    "/api/v1/documents/{document_id}/export": {
        "operationId": "generation_views_streams_export",
        "summary": "A document as a file",
        "tags": ["documents"],
        "parameters": [
            parameter("path", "document_id", type="string", format="uuid"),
            parameter(
                "query",
                "format",
                "`csv`, `xlsx`: its tables, where it has some",
                type="string",
                enum=[*FORMATS, *SHEETS],
                default="md",
            ),
            parameter("query", "answers", "`1` adds the answers to questions", type="boolean", default=False),
        ],
        "responses": {
            200: {
                "description": "OK",
                "content": {mime.partition(";")[0]: {"schema": BINARY} for mime in (FORMATS | SHEETS).values()},
            }
        },
    },
}
