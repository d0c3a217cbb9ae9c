"""The phases of the training, by name, with how long each takes when nothing else is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from . import (
    animal_lora,
    autoencoder,
    clips,
    controlnets,
    latents,
    motion,
    package,
    paintings,
    sampling,
    text,
    unet,
)
from .animal_measure import animal_wishes, fit_classifier, measure_animals
from .animal_painter import painting_at
from .measure import measure, restlessness, wishes
from .shapes import LATENT_CHANNELS
from .unpack import unpack
from .vocabulary import build_tokenizer
from .workers import run_workers

Log = Callable[[str], None]
TALL_SHARE = 0.25
AUTOENCODER_BLOCKS = 2
BALANCE_PICTURES = 500
CLIP_BLOCKS = 30
MEASURED_LOOPS = 4
ANIMAL_PICTURES = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where and how to train; work: pictures and states, models: where the finished model goes.

    rate_share: of each phase's own learning rate; a network that was finished once wants less than a new one.
    """

    work: Path
    models: Path
    workers: int
    device: str
    pictures: int
    batch: int
    only: int | None
    rate_share: float

    @property
    def paintings(self) -> Path:
        """Folder of the painted pictures and their latents."""
        return self.work / "paintings"


def run_phase(name: str, setting: Setting, hours: float, log: Log) -> None:
    """Run one phase for at most hours (training phases) or until it is done (the others)."""
    cv2.setNumThreads(1)
    PHASES[name](setting, hours * 3600, log)


def _unpack(setting: Setting, _seconds: float, log: Log) -> None:
    unpack(setting.models, setting.work, log)


def _paint(setting: Setting, _seconds: float, log: Log) -> None:
    tall = int(setting.pictures * TALL_SHARE)
    paintings.paint_blocks(setting.paintings, {"square": setting.pictures - tall, "tall": tall}, log)


def _autoencoder(setting: Setting, seconds: float, log: Log) -> None:
    run_workers(
        setting.workers, partial(_autoencoder_job, setting=setting, seconds=seconds, decoder=False, log=log)
    )


def _decoder(setting: Setting, seconds: float, log: Log) -> None:
    run_workers(
        setting.workers, partial(_autoencoder_job, setting=setting, seconds=seconds, decoder=True, log=log)
    )


def _autoencoder_job(rank: int, setting: Setting, seconds: float, decoder: bool, log: Log) -> None:
    files = paintings.painted_blocks(setting.paintings, "square")[:AUTOENCODER_BLOCKS]
    painted = np.concatenate([paintings.open_block(file) for file in files]) if files else None
    run = autoencoder.AutoencoderRun(
        state_file=setting.work / "autoencoder.pt",
        seconds=seconds,
        decoder_only=decoder,
        device=setting.device,
    )
    autoencoder.train_autoencoder(run, painted, rank, log)


def _text(setting: Setting, seconds: float, log: Log) -> None:
    run = text.TextRun(state_file=setting.work / "text.pt", seconds=seconds, device=setting.device)
    text.train_text(run, build_tokenizer(), log)


def _encode(setting: Setting, _seconds: float, log: Log) -> None:
    model = autoencoder.load_autoencoder(setting.work / "autoencoder.pt", setting.device)
    if not autoencoder.is_balanced(setting.work / "autoencoder.pt"):
        sample = paintings.open_block(paintings.painted_blocks(setting.paintings, "square")[0])[
            :BALANCE_PICTURES
        ]
        latents.balance_channels(model, autoencoder.to_tensor(sample))
        autoencoder.keep_balanced(setting.work / "autoencoder.pt", model)
        log(f"balanced {LATENT_CHANNELS} latent channels; from now on only the decoder may be trained")
    latents.encode_blocks(model, setting.paintings, log)


def _unet(setting: Setting, seconds: float, log: Log) -> None:
    run = unet.UnetRun(
        work=setting.work,
        seconds=seconds,
        batch=setting.batch,
        learning_rate=unet.LEARNING_RATE * setting.rate_share,
        only=setting.only,
        device=setting.device,
    )
    run_workers(setting.workers, partial(_unet_job, run=run, log=log))


def _unet_job(rank: int, run: unet.UnetRun, log: Log) -> None:
    unet.train_unet(run, rank, log)


def _controlnet(setting: Setting, seconds: float, log: Log, kind: controlnets.Kind) -> None:
    run = controlnets.ControlNetRun(
        kind=kind,
        work=setting.work,
        seconds=seconds,
        batch=setting.batch,
        learning_rate=controlnets.LEARNING_RATE * setting.rate_share,
        device=setting.device,
    )
    run_workers(setting.workers, partial(_controlnet_job, run=run, log=log))


def _controlnet_job(rank: int, run: controlnets.ControlNetRun, log: Log) -> None:
    controlnets.train_controlnet(run, rank, log)


def _clips(setting: Setting, _seconds: float, log: Log) -> None:
    model = autoencoder.load_autoencoder(setting.work / "autoencoder.pt", setting.device)
    clips.encode_clips(model, setting.work / "clips", CLIP_BLOCKS, log)


def _motion(setting: Setting, seconds: float, log: Log) -> None:
    run = motion.MotionRun(
        work=setting.work,
        seconds=seconds,
        learning_rate=motion.LEARNING_RATE * setting.rate_share,
        only=setting.only,
        device=setting.device,
    )
    run_workers(setting.workers, partial(_motion_job, run=run, log=log))


def _motion_job(rank: int, run: motion.MotionRun, log: Log) -> None:
    motion.train_motion(run, rank, log)


def _paint_animals(setting: Setting, _seconds: float, log: Log) -> None:
    folder = setting.work / "animals"
    paintings.paint_blocks(folder, {"square": ANIMAL_PICTURES}, log, painting_at)
    latents.encode_blocks(package.load_pipeline(setting.models).vae.to(setting.device), folder, log)


def _animals_text(setting: Setting, seconds: float, log: Log) -> None:
    animal_lora.train_animal_text(_animal_run(setting, seconds), log)


def _animals_unet(setting: Setting, seconds: float, log: Log) -> None:
    animal_lora.train_animal_unet(_animal_run(setting, seconds), log)


def _package_animals(setting: Setting, _seconds: float, log: Log) -> None:
    file = animal_lora.package_animals(setting.models, setting.work)
    log(f"wrote {file}, {file.stat().st_size / 1e6:.1f} MB")


def _measure_animals(setting: Setting, _seconds: float, log: Log) -> None:
    asked, classifier = animal_wishes(), fit_classifier()
    pipeline = package.load_pipeline(setting.models)
    pipeline.load_lora_weights(setting.models / animal_lora.LORA)
    with torch.inference_mode():
        pictures = sampling.sample(pipeline, [wish.prompt for wish in asked])
    result = measure_animals(pictures, asked, classifier)
    log(f"right animal {result.animal:.0%}, right background {result.background:.0%}")
    sheet = setting.work / "measured-animals.png"
    cv2.imwrite(str(sheet), sampling.contact_sheet(pictures, 8)[..., ::-1])
    log(f"pictures in {sheet}")


def _animal_run(setting: Setting, seconds: float) -> animal_lora.AnimalRun:
    return animal_lora.AnimalRun(
        models=setting.models,
        work=setting.work,
        seconds=seconds,
        batch=setting.batch,
        rate_share=setting.rate_share,
        device=setting.device,
    )


def _package(setting: Setting, _seconds: float, log: Log) -> None:
    tokenizer = build_tokenizer()
    folder = package.package_checkpoint(
        setting.models,
        tokenizer=tokenizer,
        text_encoder=unet.load_text_encoder(setting.work / "text.pt", tokenizer),
        autoencoder=autoencoder.load_autoencoder(setting.work / "autoencoder.pt"),
        unet=unet.load_unet(setting.work / "unet.pt"),
    )
    log(f"wrote {folder}")
    for kind in ("openpose", "tile"):
        state = setting.work / f"controlnet-{kind}.pt"
        if state.exists():
            log(
                f"wrote {package.package_controlnet(setting.models, kind, controlnets.load_controlnet(state))}"
            )
    _package_motion(setting, log)
    log(f"{package.folder_megabytes(setting.models):.1f} MB altogether")


def _package_motion(setting: Setting, log: Log) -> None:
    if (setting.work / "motion.pt").exists():
        log(f"wrote {package.package_motion(setting.models, motion.load_motion(setting.work))}")


def _measure(setting: Setting, _seconds: float, log: Log) -> None:
    asked = wishes()
    with torch.inference_mode():
        pictures = sampling.sample(package.load_pipeline(setting.models), [wish.prompt for wish in asked])
    result = measure(pictures, asked)
    log(
        f"right colour in the right place: background {result.background:.0%}, hair {result.hair:.0%}, "
        f"clothes {result.clothes:.0%}, overall {result.overall:.1%}"
    )
    sheet = setting.work / "measured.png"
    cv2.imwrite(str(sheet), sampling.contact_sheet(pictures, 8)[..., ::-1])
    log(f"pictures in {sheet}")


def _measure_motion(setting: Setting, _seconds: float, log: Log) -> None:
    pipeline, adapter = package.load_pipeline(setting.models), motion.load_motion(setting.work)
    prompts = [wish.prompt for wish in wishes()[:MEASURED_LOOPS]]
    with torch.inference_mode():
        loops = [
            sampling.sample_loop(pipeline, adapter, prompt, frames=clips.FRAMES, seed=seed)
            for seed, prompt in enumerate(prompts)
        ]
    for prompt, loop in zip(prompts, loops, strict=True):
        told = restlessness(loop)
        log(f"neighbours {told.neighbours:.2f}, seam {told.seam:.2f}: {prompt}")
    sheet = setting.work / "measured-motion.png"
    frames = [frame for loop in loops for frame in loop]
    cv2.imwrite(str(sheet), sampling.contact_sheet(frames, clips.FRAMES)[..., ::-1])
    log(f"frames in {sheet}")


PHASES: dict[str, Callable[[Setting, float, Log], None]] = {
    "unpack": _unpack,
    "paint": _paint,
    "autoencoder": _autoencoder,
    "text": _text,
    "encode": _encode,
    "unet": _unet,
    "decoder": _decoder,
    "controlnet-openpose": partial(_controlnet, kind="openpose"),
    "controlnet-tile": partial(_controlnet, kind="tile"),
    "clips": _clips,
    "motion": _motion,
    "package": _package,
    "measure": _measure,
    "measure-motion": _measure_motion,
    "animals-paint": _paint_animals,
    "animals-text": _animals_text,
    "animals-unet": _animals_unet,
    "animals-package": _package_animals,
    "animals-measure": _measure_animals,
}
HOURS: dict[str, float] = dict.fromkeys(PHASES, 0.25) | {
    "text": 0.08,
    "unet": 2.0,
    "autoencoder": 0.5,
    "animals-text": 0.1,
    "animals-unet": 1.0,
}
