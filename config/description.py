"""What OpenAPI says of REST beyond what ninja knows: every refusal by its status, and doors that are Django's own."""

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from generation.api.rehearsing import POSTED
from generation.api.streams import STREAMS

ERROR = {
    "title": "Error",
    "type": "object",
    "required": ["error_code", "message", "details"],
    "properties": {
        "error_code": {"type": "string", "description": "Stable: family.reason"},
        "message": {"type": "string", "description": "In the user's language; for the unknown by Accept-Language"},
        "details": {"type": "object"},
        "retry_after": {"type": "number", "description": "Seconds"},
    },
}
BODY = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
REFUSAL = {"description": "Any error has this body", "content": BODY}

ALWAYS = {
    401: "Nobody is signed in, or the token is unknown or revoked",
    403: "The role, the token's scope or a missing CSRF token does not allow it",
    429: "Too much at once; Retry-After says for how long",
    503: "A part this needs is away; the same may be sent again",
}
NAMED = {404: "What is named does not exist, or is not for you to see"}
READ = {422: "Something given is not what this takes; details say what"}
WRITTEN = {
    400: "The request could not be read",
    **NAMED,
    409: "It does not go with what stands now; details say with what",
    413: "The body is too large",
    **READ,
}


def refusals(method: str, operation: dict[str, Any]) -> dict[int, str]:
    """How this operation may say no."""
    said = dict(ALWAYS)
    if method != "get":
        return said | WRITTEN
    given = [parameter["in"] for parameter in operation.get("parameters", ())]
    return said | (NAMED if "path" in given else {}) | (READ if "query" in given else {})


def ways_in() -> list[dict[str, list[str]]]:
    return [{"Bearer": []}, {"Session": []}]


def describe(schema: OpenAPISchema) -> None:
    schema["components"]["schemas"]["Error"] = ERROR
    for method, table in (("get", STREAMS), ("post", POSTED)):
        for path, operation in table.items():
            told = {**operation, "responses": dict(operation["responses"]), "security": ways_in()}
            schema["paths"][path] = {method: told}
    for operations in schema["paths"].values():
        for method, operation in operations.items():
            for status, why in sorted(refusals(method, operation).items()):
                operation["responses"].setdefault(status, {"description": why, "content": BODY})
            operation["responses"].setdefault("default", REFUSAL)


class API(NinjaAPI):
    """Describes, with every operation, how it refuses."""

    def get_openapi_schema(self, **where: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**where)
        describe(schema)
        return schema
