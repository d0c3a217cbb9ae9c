"""Trains the bundled model sajin-tiny from nothing, phase by phase; each phase goes on where it was stopped.

    python scripts/train_tiny_model.py paint autoencoder text encode unet package measure
    python scripts/train_tiny_model.py unet --hours 2 --workers 2
    python scripts/train_tiny_model.py controlnet-openpose controlnet-tile package --hours 0.25

Everything is kept in the work folder (--work), also across days; docs/tiny-model.md tells the whole story.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from tiny_model.phases import HOURS, PHASES, Setting, run_phase  # noqa: E402

DEFAULT_WORK = Path.home() / ".cache" / "sajin" / "tiny-model"
DEFAULT_MODELS = ROOT / "webui_engine" / "models"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the phases named on the command line, in the order given."""
    options = build_parser().parse_args(arguments)
    log = partial(_log, start=time.monotonic())
    setting = Setting(
        work=options.work,
        models=options.models,
        workers=options.workers,
        device=options.device,
        pictures=options.pictures,
        batch=options.batch,
        only=options.only,
        rate_share=options.rate_share,
    )
    for phase in options.phases:
        hours = options.hours if options.hours is not None else HOURS[phase]
        log(f"phase {phase}")
        run_phase(phase, setting, hours, log)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("phases", nargs="+", choices=list(PHASES), metavar="phase", help=", ".join(PHASES))
    parser.add_argument("--hours", type=float, help="how long each training phase may take")
    parser.add_argument("--work", type=Path, default=DEFAULT_WORK, help="folder of pictures and states")
    parser.add_argument("--models", type=Path, default=DEFAULT_MODELS, help="folder that 'package' writes to")
    parser.add_argument(
        "--workers", type=int, default=2, help="processes that train together, one thread each"
    )
    parser.add_argument("--device", default="cpu", help="cpu, or cuda with --workers 1")
    parser.add_argument("--pictures", type=int, default=36_000, help="how many pictures 'paint' paints")
    parser.add_argument("--batch", type=int, default=16, help="pictures a worker and step")
    parser.add_argument(
        "--rate-share",
        type=float,
        default=1.0,
        help="of the learning rate; less for a model that was finished once",
    )
    parser.add_argument("--only", type=int, help="unet: learn only this many pictures, to check that it can")
    return parser


def _log(message: str, start: float) -> None:
    print(f"{time.monotonic() - start:7.0f} s  {message}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
