"""`python scripts/experiment.py NAME`: teach one person in several ways, measure, write docs/experiments/NAME.md.

What is measured and compared stands in scripts/experiments. A run that is stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]


def main() -> int:
    """Make the experiment that the first argument names."""
    from experiments.arms import EXPERIMENTS
    from experiments.course import Course
    from experiments.pages import write_page

    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("name", choices=sorted(EXPERIMENTS))
    line.add_argument("--seeds", type=int, default=3, help="repetitions of every arm")
    line.add_argument("--steps", type=int, default=160)
    line.add_argument("--work", type=Path, default=Path.home() / ".cache" / "sajin" / "experiments")
    line.add_argument("--pages", type=Path, default=ROOT / "docs" / "experiments")
    given = line.parse_args()
    course = Course(work=given.work, steps=given.steps)
    experiment = EXPERIMENTS[given.name]
    results = [course.result(arm, seed) for seed in range(given.seeds) for arm in experiment.arms]
    path = write_page(experiment, course, results, given.pages)
    print(path.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
