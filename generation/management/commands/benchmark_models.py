"""`manage.py benchmark_models`: ask models what agents are really asked, and compare answers, latency and cost.

Questions are filled as they were last filled for a person, where calls still keep that: who names other models with
--model sends it to their providers; --samples keeps to the samples. Spends: asks first, unless --yes.
"""

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

import orjson
from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError

from generation import agents, benchmark
from generation.benchmark import Plan
from generation.benchmark_figures import Result
from generation.management.tables import table
from generation.models import Agent
from memory.base.errors import ScriptoriumError
from memory.sentences import first, say

HEAD = (
    *("agent", "slot", "model", "answered", "cut*", "words*", "repeated*", "first word p50", "total p50", "total p95"),
    *("tokens in", "tokens out", "cost"),
)


class Command(BaseCommand):
    help = "Compare models by what agents are really asked: how often they answer, how fast, at what cost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--agent", action="append", default=[], metavar="NAME", help="all of them if left out")
        parser.add_argument("--model", action="append", default=[], metavar="PROVIDER:MODEL", help="not the chain")
        parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each is asked (3)")
        parser.add_argument("--samples", action="store_true", help="nothing that was filled in for a person")
        parser.add_argument("--yes", action="store_true", help="spend without asking")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rounds"] < 1:
            raise CommandError("--rounds takes a number from 1.")
        try:
            asked = [agents.get(name) for name in options["agent"]] or list(Agent.objects.order_by("name"))
            models = agents.parse("--model", options["model"])
            plan = benchmark.plan(asked, models, options["rounds"], with_past=not options["samples"])
        except ScriptoriumError as error:
            raise CommandError(f"{say(error.code, error.params)} ({error.code})") from None
        if not plan.pairs:
            raise CommandError("No prompt names these agents: there is nothing to ask them.")
        if not options["yes"]:
            self.consent(plan)
        results = async_to_sync(benchmark.run)(plan, self.note)
        if options["json"]:
            self.stdout.write(orjson.dumps([asdict(result) for result in results]).decode())
        else:
            self.tell(plan, results)

    def consent(self, plan: Plan) -> None:
        """Ask before money is spent, or may be."""
        if not plan.most_usd and not plan.unpriced:
            return
        requests = len(plan.pairs) * plan.rounds
        unknown = f", and what {', '.join(plan.unpriced)} cost is not known" if plan.unpriced else ""
        self.stderr.write(f"{requests} requests. They cost at most ${plan.most_usd:.4f}{unknown}.")
        if not sys.stdin.isatty():
            raise CommandError("Nothing was asked. Say --yes to spend that.")
        if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was asked.")

    def note(self, result: Result) -> None:
        self.stderr.write(f"{result.model}: {result.slot} done")

    def tell(self, plan: Plan, results: list[Result]) -> None:
        self.stdout.write(table(HEAD, [line_of(result) for result in results]))
        for result in results:
            for code, times in result.errors.items():
                self.stdout.write(f"{result.model}: {result.slot}: {times} × {first(say(code, {}))} ({code})")
        for slot, problem in plan.skipped.items():
            self.stdout.write(f"{slot}: not asked, nothing here fills it: {problem}")
        self.stdout.write(
            f"\n{len(plan.past)} of {len(plan.slots)} slots filled as for a person, the others by samples."
        )
        self.stdout.write("* Proxies: only the recipe of a slot knows which answers it takes. Cut: ran into its limit.")


def line_of(result: Result) -> list[str]:
    cost = "?" if result.cost_usd is None else f"${result.cost_usd:.6f}"
    return [
        *(result.agent, result.slot, result.model),
        *(percent(result.answered), percent(result.proxy_cut), figure(result.proxy_words)),
        percent(result.proxy_repeated),
        *(figure(ms, " ms") for ms in (result.first_word_ms_p50, result.total_ms_p50, result.total_ms_p95)),
        *(figure(result.tokens_in), figure(result.tokens_out), cost),
    ]


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.0f} %"


def figure(number: int | None, unit: str = "") -> str:
    return "–" if number is None else f"{number}{unit}"
