"""`manage.py check_models [agent …]`: ask each model of these agents' chains what it can do; of all agents without one.

Ends with 1 when a first choice cannot do all that is asked of it.
"""

import sys
from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from generation import agents, chain_check
from generation.chain_check import ASPECTS, Check, Checked
from generation.health_pictures import as_check
from generation.management.tables import table
from generation.models import Agent
from memory.base.errors import ScriptoriumError
from memory.sentences import say

HOLDS = {True: "yes", False: "NO", None: "?"}


class Command(BaseCommand):
    help = "Ask each model of these agents' chains two tiny questions: can it be reached, and what can it do?"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agent", nargs="*", help="by name; all of them if left out")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asked = [agents.get(name) for name in options["agent"]] or list(Agent.objects.order_by("name"))
            checks = chain_check.check_all(asked)
        except ScriptoriumError as error:
            raise CommandError(f"{say(error.code, error.params)} ({error.code})") from None
        if options["json"]:
            self.stdout.write(orjson.dumps([as_check(check) for check in checks]).decode())
        else:
            self.tell(checks)
        sys.exit(0 if all(check.is_good for check in checks) else 1)

    def tell(self, checks: list[Check]) -> None:
        models = {each.model: each for check in checks for each in check.models}
        self.stdout.write(table(["model", *ASPECTS, "first word", "cost"], [line_of(each) for each in models.values()]))
        for each in models.values():
            for aspect in each.errors:
                code = aspect.error.code if aspect.error else ""
                self.stdout.write(f"{each.model}: {aspect.cause} ({code})")
        for check in checks:
            if not check.is_good:
                self.stdout.write(f"{check.agent.name}: its first choice {check.models[0].model} is not good.")


def line_of(each: Checked) -> list[str]:
    first = "" if each.first_word_ms is None else f"{each.first_word_ms} ms"
    cost = "?" if each.cost is None else f"${each.cost:.6f}"
    return [str(each.model), *(HOLDS[aspect.holds] for aspect in each.aspects), first, cost]
