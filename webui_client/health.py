"""How a server has done lately, and for how long it is left alone after it failed."""

from __future__ import annotations

from dataclasses import dataclass

from webui_client.errors import (
    AuthenticationRequired,
    BadAnswer,
    FeatureDidNotRun,
    NotAWebui,
    ServerFailed,
    ServerTimeout,
    ServerUnreachable,
    WebuiError,
)

FIRST_REST_SECONDS = 5.0
LONGEST_REST_SECONDS = 300.0
FAULTS = (
    ServerUnreachable,
    ServerTimeout,
    NotAWebui,
    AuthenticationRequired,
    ServerFailed,
    BadAnswer,
    FeatureDidNotRun,
)
"""The errors that speak of the server; the others speak of the request, or of whoever stopped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """failures: in a row. rest_until: monotonic seconds. error: the last one. at_work: it came of a lease, and not of
    asking the server what it can do; only work that goes well heals it.
    """

    failures: int = 0
    rest_until: float = 0.0
    error: WebuiError | None = None
    at_work: bool = False

    def rest_seconds(self, moment: float) -> float:
        """For how much longer the server is left alone; 0 when it may be tried."""
        return max(self.rest_until - moment, 0.0) if self.failures else 0.0

    def after(self, error: WebuiError, moment: float, *, at_work: bool) -> Health:
        """The health after one more error. Each fault in a row doubles the rest; a look during one adds none."""
        if not isinstance(error, FAULTS) or (not at_work and self.rest_seconds(moment)):
            return self
        rest = min(FIRST_REST_SECONDS * 2.0**self.failures, LONGEST_REST_SECONDS)
        return Health(
            failures=self.failures + 1, rest_until=moment + rest, error=error, at_work=at_work or self.at_work
        )

    def after_an_answer(self) -> Health:
        """The health once the server has told what it can do."""
        return self if self.at_work else WELL


WELL = Health()
