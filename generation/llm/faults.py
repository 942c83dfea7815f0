"""Faults of an SDK and of the transport below it, as our errors."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import aiohttp
import httpx2

from generation.llm.errors import from_status
from memory.base.errors import ModelConnectionFailed, ModelError, ModelStreamBroken, ModelTimeout

TRANSPORT = (httpx2.HTTPError, aiohttp.ClientError, OSError)


@runtime_checkable
class StatusError(Protocol):
    """What both SDKs raise for a status: they come from one generator. So neither is imported for the other's sake."""

    status_code: int
    body: object
    response: httpx2.Response


def from_fault(fault: Exception, *, started: bool) -> ModelError:
    """Our error for what the SDK or the transport raised, before (`started` false) or in the middle of a stream."""
    if isinstance(fault, StatusError):
        return from_status(fault.status_code, fault.body, fault.response.headers)
    # aiohttp's own exception decides: on its way up a reset connection turns into the SDK's "timed out".
    causes = list(_causes(fault))
    if any(isinstance(cause, aiohttp.ServerTimeoutError | TimeoutError) for cause in causes):
        return ModelTimeout("connect")
    if any(isinstance(cause, aiohttp.ClientConnectorError) for cause in causes):
        return ModelConnectionFailed("unreachable")
    return ModelStreamBroken("cut") if started else ModelConnectionFailed("reset")


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__
