"""What a text rests on: pages and files, numbered, so that `[2]` in a text is the reference of that number."""

from urllib.parse import urlsplit

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from generation.fields import Item, line, plain

SCHEMES = ("http://", "https://")


def host_of(url: str) -> str:
    """Empty where it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


class Reference(Item):
    """Its `id` is its number: it stays when others go. Without `url` it is a file that was given."""

    title: str | None = line(300)
    url: str | None = line(2_000)
    excerpt: str | None = plain(2_000)

    @field_validator("url", mode="after")
    @classmethod
    def of_the_web(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is not None and not (url.lower().startswith(SCHEMES) and host_of(url)):
            raise PydanticCustomError("no_web_address", "An address of the web begins with http:// or https://")
        return url
