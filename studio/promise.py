"""The likeness promise: a job with a bar makes candidates until enough of them reach it, and delivers only those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studio.database.tables import JobRow
from studio.faces.values import Likeness
from studio.library.product import PresetSpec
from studio.values import Failure, FailureCode, JobOptions, JobRequest, Promise
from studio.values.base import Value

CANDIDATES_FOR_EACH = 4
"""How many candidates are made for each picture, where no budget is named."""


class Candidate(Value):
    """A picture of a job with a bar. number: in the job; path: of its last stage, in the store."""

    number: int
    path: str
    likeness: float
    reached: bool


def problems_of(spec: PresetSpec, request: JobRequest) -> Iterator[tuple[str, str]]:
    """What is wrong with the promise that is asked for: places of fields with reasons."""
    options = request.options
    if options.likeness_bar is None:
        if options.likeness_budget is not None:
            yield "options.likeness_budget", "is of use with a likeness_bar only"
        return
    if spec.identity == "none":
        yield "options.likeness_bar", "this preset makes nobody in particular, so no likeness can be measured"
    elif request.subject is None:
        yield "options.likeness_bar", "needs a subject with photos to compare with"
    if options.likeness_budget is not None and options.likeness_budget < request.count:
        yield "options.likeness_budget", f"must allow at least the {request.count} pictures asked for"


def reaches(likeness: Likeness, bar: float, *, demonstration: bool) -> bool:
    """Whether a picture is like enough. Where faces can be told, colours alone prove nobody's likeness.

    The bundled model paints faces too coarse to be told, so that there colours must do.
    """
    return likeness.score >= bar and (likeness.measure == "face" or demonstration)


def candidates_of(row: JobRow) -> tuple[Candidate, ...]:
    """The candidates made so far, in order."""
    return tuple(map(Candidate.model_validate, row.candidates or ()))


def with_candidate(known: Sequence[Mapping[str, Any]] | None, new: Candidate) -> list[Mapping[str, Any]]:
    """The candidates as a job's row keeps them, with a new one; the same one twice counts once."""
    others = [entry for entry in known or () if entry["number"] != new.number]
    return [*others, new.model_dump()]


def pictures_planned(row: JobRow) -> int:
    """How many pictures a job may come to in all. A retry after the whole budget was used allows as many again."""
    options = JobOptions.model_validate(row.options)
    if options.likeness_bar is None:
        return row.count
    budget = options.likeness_budget or CANDIDATES_FOR_EACH * row.count
    return budget * (1 + len(candidates_of(row)) // budget)


def bar_of(row: JobRow) -> float | None:
    """The likeness that a job's pictures must have."""
    return JobOptions.model_validate(row.options).likeness_bar


def promise_of(row: JobRow) -> Promise | None:
    """How a job with a bar stands; None for one without."""
    bar = bar_of(row)
    if bar is None:
        return None
    candidates, nearest = candidates_of(row), nearest_of(row)
    return Promise(
        bar=bar,
        made=len(candidates),
        reached=sum(candidate.reached for candidate in candidates),
        nearest=None if nearest is None else nearest.likeness,
    )


def nearest_of(row: JobRow) -> Candidate | None:
    """The best of the candidates that were not delivered."""
    short = [candidate for candidate in candidates_of(row) if not candidate.reached]
    return max(short, key=lambda candidate: candidate.likeness, default=None)


def shortfall(promise: Promise, count: int) -> Failure | None:
    """Why a job that has used its budget does not deliver all its pictures; None where it does."""
    if promise.reached >= count:
        return None
    best = "" if promise.nearest is None else f"; the best of the others has {promise.nearest:.2f}"
    return Failure(
        code=FailureCode.LIKENESS_NOT_REACHED,
        message=f"{promise.reached} of {promise.made} candidates reached a likeness of {promise.bar:.2f}, "
        f"{count} were asked for{best}.",
    )
