"""What a recipe is: a kind of text, the job that writes it, the options it takes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from generation.models import Queue

if TYPE_CHECKING:
    from generation.models import Run


class Options(BaseModel):
    """Options of a recipe; a recipe without any uses this class itself. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Recipe:
    """One line of the registry. `job` is the dotted path a run stores; `markdown` renders what a run has written."""

    kind: str
    job: str
    options: type[Options] = Options
    queue: Queue = Queue.DEFAULT
    slots: tuple[str, ...] = field(default=())
    markdown: "Callable[[Run], str] | None" = None
