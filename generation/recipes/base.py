"""What a recipe is: a kind of text, the job that writes it, the options it takes."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from pydantic import BaseModel, ConfigDict

from generation.manuscripts import Manuscript
from generation.models import Document, Queue, Run, RunState
from memory.base.errors import RunError
from memory.models import Workspace


class Options(BaseModel):
    """Options of a recipe; a recipe without any uses this class itself. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid")


Places = Sequence[tuple[str, str]]


class Picture(Protocol):
    """What a kind computes from a document and shows around its fields, each by a template that is given it as
    `picture`: nothing where the name is empty. `leading` and `trailing`: what of it the outline names, each by its
    anchor and its heading. `watched`: topics that tell of a change in it, beside its own."""

    above: str
    below: str

    @property
    def leading(self) -> Places: ...

    @property
    def trailing(self) -> Places: ...

    @property
    def watched(self) -> str: ...


@dataclass(frozen=True)
class Action:
    """Something that can be done to a document of the recipe's kind by a run."""

    name: str
    job: str
    options: type[Options] = Options


@dataclass(frozen=True)
class Work:
    """Calls of one slot: how many and how long their answers are, in tokens, at least and at most. `reads`: tokens that
    each is shown at most of what it is made from; where there is none, brief and files as a run shows them."""

    slot: str
    calls: tuple[int, int]
    tokens_out: tuple[int, int]
    reads: int | None = None


@dataclass(frozen=True)
class Speech:
    """What a page calls a kind: one of it, several, a new one, what its brief is asked with, its parts counted (`{n}`).

    Words of ours that are translated where they are shown.
    """

    one: str
    several: str
    new: str
    ask: str
    parts: tuple[str, str]


@dataclass(frozen=True)
class Errand:
    """What a run of a recipe is called that writes no document, in which words it ended, and where its outcome is seen.

    There it is asked for again, too, and not from the queue.
    """

    name: str
    words: Mapping[RunState, str]
    page: Callable[[Run], str]


@dataclass(frozen=True)
class Recipe:
    """One line of the registry. `job` is the dotted path a run stores; `manuscript` sets what was written in order.

    `work` foresees what a writing with these options will ask of models; it is a guess, and shown as one. `coming` says
    what a section of a type will hold, from the fields of its document. `remakes`: the action that makes again the
    `fields` it is given, of a document made of fields. `searches`: on the web, where an engine is set up. `admit` is
    asked before a run begins, and raises what speaks against it. `picture`: of a document made of fields, what is shown
    around them. `has_tables`: its manuscript holds some, which can be had as sheets. `by_hand`: people may begin one
    empty, and fill it in themselves.
    """

    kind: str
    job: str
    options: type[Options] = Options
    queue: Queue = Queue.DEFAULT
    slots: tuple[str, ...] = field(default=())
    manuscript: Callable[[Document], Manuscript] | None = None
    actions: tuple[Action, ...] = ()
    phases: tuple[str, ...] = ()  # steps on which everything after them rests, in order
    speech: Speech | None = None
    errand: Errand | None = None
    work: Callable[[Any], Sequence[Work]] | None = None
    coming: Callable[[str, Mapping[str, Any]], str] | None = None
    remakes: str = ""
    searches: bool = False
    admit: Callable[[Workspace, Mapping[str, Any]], None] | None = None
    has_tables: bool = False
    by_hand: bool = False
    picture: Callable[[Document], Picture | None] | None = None

    def resting_on(self, again: Iterable[str], known: Iterable[str]) -> list[str]:
        """The steps to make again when these are: they, what lies in them, and all that rests on a phase among them."""
        wanted = set(again)
        for n, phase in enumerate(self.phases):
            if phase in wanted:
                wanted |= {key for key in known if key not in self.phases[:n] and not is_reading(key)}
                break
        inside = {key for key in known if any(key.startswith(f"{step}/") for step in wanted)}
        return sorted(wanted | inside)

    def doing(self, action: Action) -> "Recipe":
        """The recipe with the options of this action."""
        return replace(self, options=action.options)


@dataclass(frozen=True)
class Job:
    """Work that keeps something of its own when its run ends, however it ends: done, failed, stopped by anybody.

    `keep` is given the run, its last state and its error, in the transaction that ends it; what it refuses is logged,
    and the run ends all the same. A job that has nothing to keep is a plain function.
    """

    do: Callable[[Any], Coroutine[Any, Any, Any]]
    keep: Callable[[Run, RunState, dict[str, Any] | None], None]

    def __call__(self, running: Any) -> Coroutine[Any, Any, Any]:
        return self.do(running)


def is_reading(key: str) -> bool:
    """What a run has read of the world, not made: each retry reads anew what it must."""
    return key in ("read", "sources") or key.startswith("read/")


def import_job(path: str) -> Any:
    """What the dotted path names, if it lies where jobs may lie (RUN_JOBS); `run.unknown_job` otherwise."""
    if not path.startswith(tuple(settings.RUN_JOBS)):
        raise RunError("unknown_job", job=path)
    try:
        return import_string(path)
    except ImportError:
        raise RunError("unknown_job", job=path) from None
