"""Whether and when a stage is tried again: a pure decision from the error and what was tried before."""

from __future__ import annotations

from dataclasses import dataclass

from webui_client.errors import (
    AuthenticationRequired,
    BadAnswer,
    FaceNotSwapped,
    FeatureDidNotRun,
    Interrupted,
    MissingCapability,
    NoFreeServer,
    NotAWebui,
    RequestRefused,
    ServerFailed,
    ServerTimeout,
    ServerUnreachable,
    WebuiError,
)

# Most specific first.
CODES: tuple[tuple[type[WebuiError], str], ...] = (
    (ServerUnreachable, "webui_unreachable"),
    (ServerTimeout, "webui_timeout"),
    (NotAWebui, "not_a_webui"),
    (AuthenticationRequired, "webui_needs_password"),
    (RequestRefused, "webui_refused"),
    (ServerFailed, "webui_failed"),
    (BadAnswer, "webui_bad_answer"),
    (MissingCapability, "missing_capability"),
    (FaceNotSwapped, "face_not_swapped"),
    (FeatureDidNotRun, "feature_did_not_run"),
    (Interrupted, "interrupted"),
    (NoFreeServer, "no_free_server"),
)
OTHER_CODE = "webui_error"
HOPELESS = (NotAWebui, AuthenticationRequired, RequestRefused, MissingCapability, FaceNotSwapped)
COMING_BACK = (ServerUnreachable, NotAWebui, RequestRefused, MissingCapability)
"""After an absence these are not final: A1111 answers some seconds before the routes of its API are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Limits of trying again.

    tries: how often a stage may fail on servers that do answer. patience_seconds: how long servers that do not answer
    are waited for, counted from the first such failure; long enough for a supervisor to restart one.
    first_pause_seconds: doubled at each failure.
    """

    tries: int = 3
    patience_seconds: float = 120.0
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """What went wrong at a stage so far. away_since: monotonic seconds since which servers are away or coming back."""

    answered: int = 0
    away: int = 0
    away_since: float | None = None

    def and_then(self, error: WebuiError, moment: float) -> Failures:
        """These failures and one more."""
        if isinstance(error, COMING_BACK if self.away_since is not None else ServerUnreachable):
            since = moment if self.away_since is None else self.away_since
            return Failures(answered=self.answered, away=self.away + 1, away_since=since)
        return Failures(answered=self.answered + 1)


def pause_before_next(
    policy: RetryPolicy, failures: Failures, error: WebuiError, moment: float, *, others: bool
) -> float | None:
    """Seconds to wait before the next try, or None to give up. others: whether another server may be able."""
    if isinstance(error, Interrupted) and error.ours:
        return None
    if isinstance(error, HOPELESS) and not others and failures.away_since is None:
        return None
    if failures.away_since is not None:
        if moment - failures.away_since > policy.patience_seconds:
            return None
    elif failures.answered >= policy.tries:
        return None
    doubled = policy.first_pause_seconds * 2.0 ** (failures.answered + failures.away - 1)
    return min(doubled, policy.longest_pause_seconds)


def code_of(error: WebuiError) -> str:
    """The stable code of a server's failure."""
    return next((code for kind, code in CODES if isinstance(error, kind)), OTHER_CODE)
