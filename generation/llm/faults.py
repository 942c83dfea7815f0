"""Faults of the SDK and of the transport below it, as our errors."""

from collections.abc import Iterator

import aiohttp
import httpx2
import openai

from generation.llm.errors import from_status
from memory.base.errors import ModelConnectionFailed, ModelError, ModelStreamBroken, ModelTimeout

FAULTS = (openai.OpenAIError, httpx2.HTTPError, aiohttp.ClientError, OSError)


def from_fault(fault: Exception, *, started: bool) -> ModelError:
    """Our error for what the SDK or the transport raised, before (`started` false) or in the middle of a stream."""
    if isinstance(fault, openai.APIStatusError):
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
