"""A run on a terminal: a moving line on a terminal, plain lines elsewhere, or (`--follow`) the text itself."""

import shutil
from typing import Any, Protocol, TextIO

from django.core.management.base import OutputWrapper

from generation.models import Run, StepState

BAR = 24
CLEAR = "\r\x1b[K"


class Watcher(Protocol):
    """Shown every event as it comes; `note` and `end` say what no event says."""

    def show(self, event: dict[str, Any]) -> None: ...

    def note(self, text: str) -> None: ...

    def end(self, run: Run, state: str) -> None: ...


class Silent:
    """For programs: what they want is written by the command itself."""

    def show(self, event: dict[str, Any]) -> None:
        return

    def note(self, text: str) -> None:
        return

    def end(self, run: Run, state: str) -> None:
        return


class Bar:
    """One line that moves; where nothing can move, a line for each step that has ended."""

    def __init__(self, out: OutputWrapper) -> None:
        self.out = out
        self.moves = out.isatty()
        self.progress = 0.0
        self.names: dict[str, str] = {}

    def show(self, event: dict[str, Any]) -> None:
        data = event["data"]
        if event["type"] == "step":
            self.progress = max(self.progress, data.get("progress") or 0)
            self.on_step(data)
        elif trouble := trouble_in(event):
            self.note(trouble)

    def on_step(self, data: dict[str, Any]) -> None:
        key, state = data["key"], data["state"]
        if name := name_of(data.get("label") or {}):
            self.names[key] = name
        name = self.names.get(key, key)
        if state == StepState.RUNNING:
            self.draw(name, lasting=False)
        else:
            self.draw(name if state == StepState.DONE else f"{name}: {state}", lasting=True)

    def draw(self, name: str, lasting: bool) -> None:
        full = int(self.progress / 100 * BAR)
        line = f"{'█' * full}{'·' * (BAR - full)} {self.progress:3.0f} %  {name}"
        if self.moves:
            self.out.write(CLEAR + line[: shutil.get_terminal_size().columns - 1], ending="")
            self.out.flush()
        elif lasting:
            self.out.write(line)

    def note(self, text: str) -> None:
        self.out.write((CLEAR if self.moves else "") + text)

    def end(self, run: Run, state: str) -> None:
        if state in ("done", "partial"):
            self.progress = 100
        self.draw(f"{run.kind} {run.id}: {state}", lasting=True)
        if self.moves:
            self.out.write("")


class Text:
    """The text in reading order: the first step that still writes comes live, what others write waits its turn."""

    def __init__(self, out: TextIO, notes: OutputWrapper) -> None:
        self.out = out
        self.notes = notes
        self.waiting: dict[str, list[str]] = {}  # in the order in which the steps began
        self.ended: set[str] = set()
        self.attempts: dict[str, int] = {}
        self.headed = ""

    def show(self, event: dict[str, Any]) -> None:
        data = event["data"]
        if event["type"] == "content_delta":
            self.on_delta(data["step"], data["attempt"], data["text"])
        elif event["type"] == "step":
            self.on_step(data["key"], data["state"])
        elif trouble := trouble_in(event):
            self.note(trouble)

    def on_step(self, step: str, state: str) -> None:
        self.waiting.setdefault(step, [])
        if state != StepState.RUNNING:
            self.ended.add(step)
            self.print_what_can_be()

    def on_delta(self, step: str, attempt: int, text: str) -> None:
        """A new attempt drops what has not been printed of the one before, and says so for what has."""
        pieces = self.waiting.setdefault(step, [])
        if self.attempts.get(step, attempt) != attempt:
            pieces[:] = [f"\n[attempt {attempt}]\n"] if self.headed == step else []
        self.attempts[step] = attempt
        pieces.append(text)
        self.print_what_can_be()

    def print_what_can_be(self) -> None:
        for step in list(self.waiting):
            if self.waiting[step]:
                self.head(step)
                self.out.write("".join(self.waiting[step]))
                self.waiting[step].clear()
            if step not in self.ended:
                break
            del self.waiting[step]
        self.out.flush()

    def head(self, step: str) -> None:
        if step != self.headed:
            self.out.write(f"\n\n── {step}\n" if self.headed else f"── {step}\n")
            self.headed = step

    def note(self, text: str) -> None:
        self.notes.write(text)

    def end(self, run: Run, state: str) -> None:
        self.out.write("\n")
        self.out.flush()
        self.notes.write(f"{run.kind} {run.id}: {state}")


def name_of(label: dict[str, Any]) -> str:
    """What is being written, in the words of its label: the title above it, and its own or its kind."""
    own = label.get("part") or (label["code"] if label.get("code") not in ("section", "outline", None) else "")
    return ": ".join(part for part in (label.get("title"), own) if part)


def trouble_in(event: dict[str, Any]) -> str:
    """What a person should know of an event that is not text: a retry, another model."""
    data = event["data"]
    if event["type"] == "retry":
        return f"{data['step']}: {data['error']['error_code']}, again in {data['seconds']:g} s"
    if event["type"] == "model" and data["reason"] == "next_model":
        return f"{data['step']}: {data['provider']}:{data['model']} answers instead"
    return ""
