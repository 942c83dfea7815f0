"""A run on a terminal: one line that moves on a terminal, plain lines elsewhere, or the text itself."""

import shutil
import sys
from typing import Any, TextIO

from django.core.management.base import OutputWrapper

from generation.models import END_STATES, Run, StepState

BAR = 24


class Line:
    """Shows events as they come; `note` and `end` say what no event says."""

    def __init__(self, out: OutputWrapper, *, follow: bool, quiet: bool, text: TextIO | None = None) -> None:
        self.out = out
        self.follow = follow
        self.quiet = quiet
        self.text = text or sys.stdout
        self.moves = out.isatty() and not follow
        self.progress = 0.0
        self.question = ""
        self.shown = ""
        self.step = ""
        self.attempts: dict[str, int] = {}

    def show(self, event: dict[str, Any]) -> None:
        data = event["data"]
        if event["type"] == "step":
            self.progress = max(self.progress, data.get("progress") or 0)
            self.on_step(data)
        elif event["type"] == "content_delta" and self.follow and not self.quiet:
            self.write_text(data)
        elif event["type"] == "retry":
            self.note(f"{data['step']}: {data['error']['error_code']}, again in {data['seconds']:g} s")
        elif event["type"] == "model" and data["reason"] == "next_model":
            self.note(f"{data['step']}: {data['provider']}:{data['model']} answers instead")

    def on_step(self, data: dict[str, Any]) -> None:
        label = data.get("label") or {}
        name = label.get("title") or data["key"]
        if data["state"] == StepState.WAITING:
            self.question = data["key"]
        elif data["state"] == StepState.RUNNING:
            self.bar(name)
        else:
            ended = {"fallback": "fallback", "failed": "FAILED"}.get(data["state"], "")
            self.bar(f"{name} {ended}".strip(), lasting=True)

    def bar(self, name: str, lasting: bool = False) -> None:
        """The moving line; where nothing can move, a line for each step that has ended."""
        if self.quiet or self.follow:
            return
        full = int(self.progress / 100 * BAR)
        line = f"{'█' * full}{'·' * (BAR - full)} {self.progress:3.0f} %  {name}"
        if self.moves:
            width = shutil.get_terminal_size().columns - 1
            self.out.write(f"\r\x1b[K{line[:width]}", ending="")
            self.out.flush()
        elif lasting:
            self.out.write(line)

    def write_text(self, data: dict[str, Any]) -> None:
        """The text of one step after the other as it comes; where it changes step or attempt, a heading says so."""
        place = f"{data['step']}#{data['attempt']}"
        if place != self.step:
            self.text.write(
                f"\n\n── {data['step']}{' · attempt ' + str(data['attempt']) if data['attempt'] > 1 else ''}\n"
            )
            self.step = place
        self.text.write(data["text"])
        self.text.flush()

    def note(self, text: str) -> None:
        if not self.quiet:
            self.out.write(("\r\x1b[K" if self.moves else "") + text)

    def end(self, run: Run, state: str) -> None:
        if self.quiet:
            return
        if state in END_STATES and state in ("done", "partial"):
            self.progress = 100
        self.bar(state, lasting=True)
        self.out.write(f"{chr(10) if self.moves or self.follow else ''}{run.kind} {run.id}: {state}")
