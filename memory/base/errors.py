"""One taxonomy of failures: a stable code and parameters, never a sentence.

Every error that leaves a function on purpose is one of these families. Whoever catches it finds the facts it needs:
`code` (stable, `family.reason`), `status` (HTTP), `permanent` (a retry cannot help), `retry_after` (seconds, when
known) and `params` (what the sentence at the door is filled with).
"""

from typing import Any, ClassVar


class ScriptoriumError(Exception):
    """Base of all typed errors. `reason` completes the family to the stable code."""

    family: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    permanent: bool = True

    def __init__(self, reason: str, *, retry_after: float | None = None, **params: Any) -> None:
        self.code = f"{self.family}.{reason}"
        self.retry_after = retry_after
        self.params = params
        super().__init__(self.code)

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.code} ({facts})" if facts else self.code

    def as_data(self) -> dict[str, Any]:
        """The error as stored in rows and events: code, parameters, and how long to wait when known."""
        data: dict[str, Any] = {"error_code": self.code, "params": self.params, "permanent": self.permanent}
        if self.retry_after is not None:
            data["retry_after"] = self.retry_after
        return data


class InvalidInput(ScriptoriumError):
    family, status = "validation", 422


class PermissionRefused(ScriptoriumError):
    family, status = "permission", 403


class SignInNeeded(ScriptoriumError):
    family, status = "authentication", 401


class NotFound(ScriptoriumError):
    family, status = "not_found", 404


class Conflict(ScriptoriumError):
    family, status = "conflict", 409


class StaleChange(Conflict):
    """What is to be changed does not stand as its writer saw it. `params` show what stands in the way."""


class LimitReached(ScriptoriumError):
    """A rate or a count is used up for now; `retry_after` says for how long."""

    family, status, permanent = "limit", 429, False


class BudgetSpent(ScriptoriumError):
    """Money or tokens are used up; raising the limit or waiting for the next day is the way on."""

    family, status = "budget", 402


class BudgetHeld(BudgetSpent):
    """It would do, once calls of the same run have ended that hold back more than they will use."""


class ToolFailed(ScriptoriumError):
    family, status = "tool", 422


class ToolUnavailable(ToolFailed):
    """What a tool asks outside is away, or has too much to do for now: the same may be asked again."""

    status, permanent = 503, False


class MemoryUnavailable(ScriptoriumError):
    family, status, permanent = "memory", 503, False


class SessionError(ScriptoriumError):
    family, status = "session", 409


class RunError(ScriptoriumError):
    family, status = "run", 409


class ServiceUnavailable(ScriptoriumError):
    """A part we depend on (PostgreSQL, Redis) is away; the request may be sent again."""

    family, status, permanent = "service", 503, False


class ModelError(ScriptoriumError):
    """A request to a model failed. Subclasses say whether the same request may succeed later."""

    family, status, permanent = "model", 502, True


class ModelRateLimited(ModelError):
    status, permanent = 503, False


class ModelTimeout(ModelError):
    status, permanent = 504, False


class ModelConnectionFailed(ModelError):
    permanent = False


class ModelUnavailable(ModelError):
    """The provider answered with a server error, or its breaker is open."""

    status, permanent = 503, False


class ModelStreamBroken(ModelError):
    """The stream ended, or went astray, before a finish reason: what arrived is not an answer."""

    permanent = False


class ModelBadOutput(ModelError):
    """A whole answer that does not have the shape that was asked for."""


class ModelRefused(ModelError):
    """The model or its provider declined (content filter, refusal, unauthorised, unknown model): try another model."""
