"""What is asked of an arm: one table, by name. Each is a ratio of two sums over the tasks of a unit, or a quantile.

A task is what one step of a run asked, with all its calls. SQL of the sums is in `evidence`.
"""

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Form = Literal["share", "number", "tokens", "usd", "ms"]


@dataclass(frozen=True)
class Metric:
    """`of` and `over` are columns of a task; `quantile` of `of` instead of their ratio. `is_good`: more is better."""

    name: str
    title: Promise
    form: Form
    of: str
    over: str
    is_good: bool = False
    quantile: float | None = None


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("success", _("success"), "share", "done", "task", is_good=True),
        Metric("fallback", _("fallback"), "share", "fallback", "kept"),
        Metric("another_model", _("answered by another model"), "share", "another", "task"),
        Metric("retry", _("asked again"), "share", "retried", "task"),
        Metric("repair", _("answer repaired"), "share", "repaired", "task"),
        Metric("critic", _("critic's score, of 10"), "number", "score", "scored", is_good=True),
        Metric("thumbs", _("thumbs up"), "share", "good", "rated", is_good=True),
        Metric("undone", _("undone within {days} days"), "share", "undone", "wrote"),
        Metric("edited", _("changed by people within {days} days"), "share", "edited", "texts"),
        Metric("tokens", _("tokens"), "tokens", "tokens", "counted"),
        Metric("cost", _("cost"), "usd", "usd", "priced"),
        Metric("latency", _("time to the answer"), "ms", "took", "timed"),
        Metric("latency_p50", _("time to the answer, median"), "ms", "took", "timed", quantile=0.5),
        Metric("latency_p95", _("time to the answer, 95th percentile"), "ms", "took", "timed", quantile=0.95),
        Metric("first_token", _("time to the first word"), "ms", "first_ms", "spoke"),
    )
}
EDIT_DAYS = 7
COLUMNS = tuple(dict.fromkeys(name for metric in METRICS.values() for name in (metric.of, metric.over)))
