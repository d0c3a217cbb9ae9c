"""The page of an experiment: numbers with their spread, what became of each claim, and pictures."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, stdev

from PIL import Image

from experiments.arms import Arm, Claim, Experiment
from experiments.course import BATCH, PHOTOS, Course, Result
from studio.assessment.trials import TRIALS

MEASURES = ("likeness", "obedience", "leak", "diversity", "score", "drift", "seconds")
SIDE = 96
INTRO = """\
    python scripts/experiment.py {name} --steps {steps} --seeds {seeds}

{photos} photos of one person (variations of one public-domain portrait), the bundled model, {steps} steps of {batch}
pictures, {seeds} seed(s); {trials} pictures of prompts that no training saw. The measures are those of the report card
(docs/photos-and-learning.md), likeness by colours and shapes of the head, for the bundled model's faces are too soft to
be told apart. drift: how far the learnt word went from the class noun, relative to its length. Mean ± standard
deviation over seeds.
"""
PICTURES = """\
A claim counts as held or not where the mean difference at equal seeds is above twice its standard error; else it is
open. The bundled model is small and its likeness weak: what holds here need not hold on a full checkpoint, nor the
reverse.

## Pictures

![One row for each arm]({name}.webp)

Rows from above: {arms}; {trials} pictures a seed, the same prompts and noise in each.

Made with Python {python}, torch {torch}, diffusers {diffusers}, on a processor without a graphics card.
"""


def write_page(experiment: Experiment, course: Course, results: Sequence[Result], folder: Path) -> Path:
    """Write NAME.md and NAME.webp into folder; the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = sorted({result.seed for result in results})
    sheet(experiment.arms, course, seeds).save(folder / f"{experiment.name}.webp", quality=82, method=6)
    path = folder / f"{experiment.name}.md"
    path.write_text("\n".join(_lines(experiment, course, results, seeds)) + "\n", encoding="utf-8")
    return path


def verdict(claim: Claim, results: Sequence[Result]) -> str:
    """What the runs say of a claim: the mean of the differences at equal seeds, and how it compares to their spread.

    "held" or "did not hold" only where the mean difference is above twice its standard error; else it is open.
    """
    differences = differences_of(claim, results)
    mean = fmean(differences)
    if len(differences) < 2:
        return f"**open**: one seed alone tells no spread ({mean:+.3f} in {claim.measure})"
    error = stdev(differences) / len(differences) ** 0.5
    wanted = -mean if claim.below else mean
    if abs(mean) <= 2 * error:
        word = "**open**: no difference beyond the spread"
    else:
        word = "**held**" if wanted > 0 else "**did not hold**"
    return f"{word} ({mean:+.3f} ± {error:.3f} in {claim.measure}, {len(differences)} seeds)"


def differences_of(claim: Claim, results: Sequence[Result]) -> list[float]:
    """The claim's arm less the other one, by seed."""
    values = {(result.arm, result.seed): getattr(result, claim.measure) for result in results}
    seeds = sorted({result.seed for result in results})
    return [values[claim.arm, seed] - values[claim.other, seed] for seed in seeds]


def sheet(arms: Sequence[Arm], course: Course, seeds: Sequence[int]) -> Image.Image:
    """A row for each arm: the validation pictures of every seed side by side."""
    picture = Image.new("RGB", (SIDE * len(TRIALS) * len(seeds), SIDE * len(arms)), "white")
    for row, arm in enumerate(arms):
        files = [file for seed in seeds for file in course.pictures(arm, seed)]
        for column, file in enumerate(files):
            small = Image.open(file).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            picture.paste(small, (column * SIDE, row * SIDE))
    return picture


def _lines(
    experiment: Experiment, course: Course, results: Sequence[Result], seeds: Sequence[int]
) -> list[str]:
    rows = [_row(arm, [one for one in results if one.arm == arm.name]) for arm in experiment.arms]
    arms = ", ".join(arm.name for arm in experiment.arms)
    about = INTRO.format(
        photos=PHOTOS,
        steps=course.steps,
        batch=BATCH,
        seeds=len(seeds),
        trials=len(TRIALS),
        name=experiment.name,
    )
    table = ["| arm | " + " | ".join(MEASURES) + " |", "|---|" + "---|" * len(MEASURES), *rows]
    claims = [f"- {claim.words} {verdict(claim, results)}." for claim in experiment.claims]
    pictures = PICTURES.format(
        arms=arms,
        trials=len(TRIALS),
        name=experiment.name,
        python=platform.python_version(),
        torch=version("torch"),
        diffusers=version("diffusers"),
    )
    return [
        f"# {experiment.title}",
        "",
        experiment.intro,
        "",
        about,
        *table,
        "",
        "## What was claimed",
        "",
        *claims,
        "",
        pictures.rstrip(),
    ]


def _row(arm: Arm, results: Sequence[Result]) -> str:
    cells = [_cell([getattr(result, measure) for result in results]) for measure in MEASURES]
    return f"| {arm.name} | " + " | ".join(cells) + " |"


def _cell(values: Sequence[float | None]) -> str:
    numbers = [value for value in values if value is not None]
    if not numbers:
        return ""
    spread = f" ± {stdev(numbers):.3f}" if len(numbers) > 1 else ""
    return f"{fmean(numbers):.3f}{spread}"
