"""What a recipe is: a kind of text, the job that writes it, the options it takes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, ConfigDict

from generation.manuscripts import Manuscript
from generation.models import Document, Queue


class Options(BaseModel):
    """Options of a recipe; a recipe without any uses this class itself. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Action:
    """Something that can be done to a document of the recipe's kind by a run."""

    name: str
    job: str
    options: type[Options] = Options


@dataclass(frozen=True)
class Recipe:
    """One line of the registry. `job` is the dotted path a run stores; `manuscript` sets what was written in order."""

    kind: str
    job: str
    options: type[Options] = Options
    queue: Queue = Queue.DEFAULT
    slots: tuple[str, ...] = field(default=())
    manuscript: Callable[[Document], Manuscript] | None = None
    actions: tuple[Action, ...] = ()

    def doing(self, action: Action) -> "Recipe":
        """The recipe with the options of this action."""
        return replace(self, options=action.options)
