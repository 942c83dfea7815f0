"""The engine by which the web is searched, as the environment names it: a SearXNG of one's own, Tavily, or none.

It was chosen by whoever runs this house, so its address needs no guard. Its key comes from the environment, and goes
into one header and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

MOST_FOUND = 8
MOST_QUERY = 400
TITLES = {"searxng": "SearXNG", "tavily": "Tavily"}


@dataclass(frozen=True)
class Backend:
    """An engine: its name, its address, and how it is asked. The key is in `headers`, and in no text of this object."""

    name: str
    url: str
    method: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def title(self) -> str:
        return TITLES[self.name]

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def asked(self, query: str, language: str) -> dict[str, Any]:
        """The parameters of a request."""
        if self.name == "tavily":
            return {"json": {"query": query, "max_results": MOST_FOUND, "search_depth": "basic"}}
        return {"params": {"q": query, "format": "json", **({"language": language} if language else {})}}


def backend() -> Backend | None:
    """The engine that is set up, or None."""
    if settings.WEB_SEARCH == "searxng":
        return Backend("searxng", f"{settings.SEARXNG_URL.rstrip('/')}/search", "GET")
    if settings.WEB_SEARCH == "tavily":
        key = {"Authorization": f"Bearer {settings.TAVILY_API_KEY}"}
        return Backend("tavily", f"{settings.TAVILY_BASE_URL.rstrip('/')}/search", "POST", key)
    return None


def is_configured() -> bool:
    return backend() is not None
