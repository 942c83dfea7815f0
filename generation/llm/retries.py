"""When the same model is asked again, and after how long."""

from dataclasses import dataclass
from random import SystemRandom

from memory.base.errors import ModelError

CHANCE = SystemRandom()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off with full jitter; a provider's Retry-After is honoured up to its cap."""

    attempts: int = 3
    base: float = 0.5
    cap: float = 20
    retry_after_cap: float = 60
    patience: float = 60  # for models that are all paused

    def pause(self, try_number: int, error: ModelError) -> float | None:
        """Seconds before the next try of the same model; None when there should be none."""
        if error.permanent or try_number >= self.attempts:
            return None
        backoff = CHANCE.uniform(0, min(self.cap, self.base * 2 ** (try_number - 1)))
        if error.retry_after is None:
            return backoff
        # Many callers are told the same number: a little jitter keeps them from coming back as one.
        return min(error.retry_after, self.retry_after_cap) + min(backoff, self.base)
