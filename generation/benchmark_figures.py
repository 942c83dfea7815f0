"""What came of a question that one model was asked several times: how often it answered, how fast, at what cost."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median, quantiles

from generation import calls
from generation.llm.journal import Attempt
from generation.llm.trials import Trial
from generation.llm.values import ModelRef

LEAST_LINE = 20  # characters: shorter lines repeat where all is well


@dataclass(frozen=True)
class Result:
    """Of one model, asked one question so many times. Figures of answers are None without any, `cost_usd` where a price
    is not known. `proxy_…`: `cut` the share that ran into the limit of tokens, `words` in the middle one, `repeated`
    the share of lines that stood there before."""

    agent: str
    slot: str
    model: str
    rounds: int
    answered: float
    errors: dict[str, int]
    proxy_cut: float
    proxy_words: int | None
    proxy_repeated: float | None
    first_word_ms_p50: int | None
    total_ms_p50: int | None
    total_ms_p95: int | None
    tokens_in: int
    tokens_out: int
    cost_usd: float | None


def result_of(agent: str, slot: str, model: ModelRef, asked: Sequence[Trial]) -> Result:
    for trial in asked:
        calls.count(Attempt(model, 1, "first"), trial.outcome)
    answers = [trial.answer for trial in asked if trial.answer]
    errors = dict(Counter(trial.error.code for trial in asked if trial.error))
    costs = [trial.cost() for trial in asked]
    first = [answer.first_token_ms for answer in answers if answer.first_token_ms is not None]
    took = [answer.duration_ms for answer in answers]
    return Result(
        agent=agent,
        slot=slot,
        model=str(model),
        rounds=len(asked),
        answered=len(answers) / len(asked),
        errors=errors,
        proxy_cut=errors.get("model.cut_at_limit", 0) / len(asked),
        proxy_words=middle(len(answer.content.split()) for answer in answers),
        proxy_repeated=mean(repeated(answer.content) for answer in answers),
        first_word_ms_p50=middle(first),
        total_ms_p50=middle(took),
        total_ms_p95=slowest(took),
        tokens_in=sum(trial.outcome.usage.tokens_in for trial in asked),
        tokens_out=sum(trial.outcome.usage.tokens_out for trial in asked),
        cost_usd=float(sum((each for each in costs if each is not None), Decimal(0))) if None not in costs else None,
    )


def repeated(text: str) -> float:
    """The share of lines that stood there before, word by word."""
    lines = [line.strip() for line in text.splitlines() if len(line.strip()) >= LEAST_LINE]
    return 1 - len(set(lines)) / len(lines) if lines else 0.0


def mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def middle(values: Iterable[int]) -> int | None:
    known = list(values)
    return round(median(known)) if known else None


def slowest(values: Sequence[int]) -> int | None:
    """The 95th percentile; of few, their slowest."""
    if len(values) < 2:
        return values[0] if values else None
    return round(min(quantiles(values, n=20, method="inclusive")[-1], max(values)))
