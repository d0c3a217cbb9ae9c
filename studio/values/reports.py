"""The report card of a learned identity: how good its candidates were, and which was chosen."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from studio.values.base import Failure, Fraction, Scalar, Value

AdviceCode = Literal["keep", "more_steps", "fewer_steps", "vary_photos", "better_photos", "score_again"]
LoraWeight = Annotated[float, Field(gt=0, le=2)]


class ReportPicture(Value):
    """A validation picture. id: SHA-256 of the file. background, clothes: the colours that were asked for.

    obedience: None where neither could be seen. leak: of the training photos' surroundings.
    """

    id: str
    background: str
    clothes: str
    likeness: Fraction
    obedience: Fraction | None
    leak: Fraction


class ReportPoint(Value):
    """A candidate at one weight. likeness: the mean, likeness_spread: standard deviation. score: see assessment.score.

    obedience: share of the asked colours that came; leak: share that came from the training photos instead. diversity:
    how different the pictures are.
    """

    steps: int
    weight: LoraWeight
    likeness: Fraction
    likeness_spread: Fraction
    diversity: Fraction
    obedience: Fraction
    leak: Fraction
    score: Fraction
    pictures: tuple[ReportPicture, ...]


class Advice(Value):
    """What would help most at the next training. data: numbers for the words, such as steps."""

    code: AdviceCode
    data: dict[str, Scalar] = Field(default_factory=dict)


class AdapterReport(Value):
    """What is known of an adapter. steps, weight: of the candidate and LoRA weight that were chosen.

    points: every candidate at the first weight, oldest first, then the best one at the others; none when it could not
    be scored, for the reason in failure, and the last candidate was taken unseen, at the usual weight (None).
    measure: of the likeness: of faces, or where none can be told, of the colours and shapes of the head. chosen: index
    in points.
    """

    training_id: str
    subject_id: str
    steps: int
    weight: LoraWeight | None
    measure: Literal["face", "colours"] | None
    points: tuple[ReportPoint, ...]
    chosen: int | None
    advice: Advice
    failure: Failure | None
