"""Stands in for kohya's train_network.py: the same arguments, lines, streams, files and exit codes, and no learning.

It follows what was recorded of sd-scripts (0.10): the block before the learning and the saving on standard output, bars
with carriage returns on standard error, status 0 without data, a loss that is no number and goes on, files written in
place, states that say their step before the rest is there, a resumed run that counts its steps anew, data loaders that
are processes of their own. behaviour.json beside this file says what goes wrong, and when.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import signal
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save
from tqdm import tqdm

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
STATE_FILES = ("model.safetensors", "optimizer.bin", "scheduler.bin", "sampler.bin", "random_states_0.pkl")
BEHAVIOUR = Path(__file__).with_name("behaviour.json")


def parser(*, sdxl: bool) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    for name in ("--pretrained_model_name_or_path", "--output_dir", "--output_name", "--resume"):
        made.add_argument(name, type=str)
    made.add_argument("--dataset_config", type=Path)
    made.add_argument("--network_module", type=str)
    for name, default in (
        ("--network_dim", None),
        ("--max_train_steps", 1600),
        ("--max_train_epochs", None),
        ("--initial_epoch", None),
        ("--initial_step", None),
        ("--train_batch_size", 1),
        ("--max_data_loader_n_workers", 8),
        ("--save_every_n_epochs", None),
        ("--save_last_n_epochs_state", None),
        ("--clip_skip", None),
        ("--seed", None),
    ):
        made.add_argument(name, type=int, default=default)
    for name, value in (("--network_alpha", 1), ("--learning_rate", 2e-6), ("--prior_loss_weight", 1.0)):
        made.add_argument(name, type=float, default=value)
    for name in ("--unet_lr", "--min_snr_gamma", "--noise_offset"):
        made.add_argument(name, type=float)
    made.add_argument("--text_encoder_lr", type=float, nargs="*")
    made.add_argument("--optimizer_type", type=str, default="")
    made.add_argument("--optimizer_args", type=str, nargs="*")
    made.add_argument("--lr_scheduler", type=str, default="constant")
    made.add_argument("--lr_warmup_steps", type=float, default=0)
    made.add_argument("--save_model_as", default="safetensors", choices=[None, "ckpt", "pt", "safetensors"])
    made.add_argument("--save_precision", choices=[None, "float", "fp16", "bf16"])
    made.add_argument("--mixed_precision", default="no", choices=["no", "fp16", "bf16"])
    made.add_argument("--training_comment", type=str)
    switches = [
        "--network_train_unet_only", "--cache_latents", "--sdpa", "--gradient_checkpointing", "--save_state",
        "--persistent_data_loader_workers", "--skip_until_initial_step", "--console_log_simple", "--no_half_vae",
        *(["--cache_text_encoder_outputs"] if sdxl else []),
    ]  # fmt: skip
    for name in switches:
        made.add_argument(name, action="store_true")
    return made


@dataclass
class Subset:
    folder: Path
    repeats: int
    regular: bool
    captions: list[str]


@dataclass
class Run:
    args: argparse.Namespace
    behaviour: dict[str, Any]
    version: str
    weight: float = 0.0
    learned: int = 0
    losses: list[float] = field(default_factory=list)
    loss_total: float = 0.0
    metadata: dict[str, str] = field(default_factory=dict)

    def log(self, text: str) -> None:
        """The logger: plain on standard output when asked to be, else wrapped on standard error with time and place."""
        if self.args.console_log_simple:
            print(text)
            return
        for start in range(0, max(len(text), 1), 60):
            print(f"{'':11}INFO     {text[start : start + 60]:<60} train_network.py:100", file=sys.stderr)

    def fails(self, name: str, at: int) -> bool:
        return self.behaviour.get(name) == at

    def train(self) -> None:
        self.log(f"Loading dataset config from {self.args.dataset_config}")
        subsets = list(self.subsets())
        learned = [subset for subset in subsets if not subset.regular and subset.captions]
        if not learned:
            self.log(
                "No data found. Please verify arguments (train_data_dir must be the parent of folders with "
                "images) / 画像がありません。"
            )
            return
        self.log("preparing accelerator")
        print(f"load StableDiffusion checkpoint: {self.args.pretrained_model_name_or_path}")
        if not Path(self.args.pretrained_model_name_or_path).exists():
            raise FileNotFoundError(self.args.pretrained_model_name_or_path)
        self.cache(subsets)
        print("import network module:", self.args.network_module)
        if self.args.network_module is None:
            raise AttributeError("'NoneType' object has no attribute 'startswith'")
        self.learn(learned, regular=any(subset.regular and subset.captions for subset in subsets))

    def subsets(self) -> Iterator[Subset]:
        config = tomllib.loads(self.args.dataset_config.read_text(encoding="utf-8"))
        for dataset in config["datasets"]:
            for subset in dataset["subsets"]:
                folder = Path(subset["image_dir"])
                pictures = (
                    [path for path in sorted(folder.iterdir()) if path.suffix.lower() in PICTURES]
                    if folder.is_dir()
                    else []
                )
                if self.behaviour.get("lose_photos") and not subset.get("is_reg"):
                    pictures = pictures[: self.behaviour["lose_photos"] - 1]
                captions = [self.caption(path, subset) for path in tqdm(pictures, desc="read caption")]
                self.log(f"found directory {folder} contains {len(pictures)} image files")
                yield Subset(folder, subset.get("num_repeats", 1), bool(subset.get("is_reg")), captions)

    def caption(self, picture: Path, subset: dict[str, Any]) -> str:
        path = picture.with_suffix(subset.get("caption_extension", ".caption"))
        if not path.is_file():
            return str(subset.get("class_tokens", ""))
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) > 0, f"caption file is empty / キャプションファイルが空です: {path}"
        return lines[0].strip()

    def cache(self, subsets: list[Subset]) -> None:
        if self.args.cache_latents:
            self.log("caching latents with caching strategy.")
            self.log("caching latents...")
            for _ in tqdm([caption for subset in subsets for caption in subset.captions]):
                self.pause()

    def learn(self, learned: list[Subset], *, regular: bool) -> None:
        args = self.args
        images = sum(subset.repeats * len(subset.captions) for subset in learned)
        per_epoch = math.ceil(images * (2 if regular else 1) / args.train_batch_size)
        print("prepare optimizer, data loader etc.")
        if args.max_train_epochs is not None:
            args.max_train_steps = args.max_train_epochs * per_epoch
            print(f"override steps. steps for {args.max_train_epochs} epochs is / 数: {args.max_train_steps}")
        from_state = self.restored()
        epochs = math.ceil(args.max_train_steps / per_epoch)
        print("running training / 学習開始")
        print(f"  num train images * repeats / 学習画像の数×繰り返し回数: {images}")
        print("  num validation images * repeats / 学習画像の数×繰り返し回数: 0")
        print(f"  num reg images / 正則化画像の数: {images if regular else 0}")
        print(f"  num batches per epoch / 1epochのバッチ数: {per_epoch}")
        print(f"  num epochs / epoch数: {epochs}")
        print("  batch size per device / バッチサイズ: " + str(args.train_batch_size))
        print("  gradient accumulation steps / 勾配を合計するステップ数 = 1")
        print(f"  total optimization steps / 学習ステップ数: {args.max_train_steps}")
        self.metadata = self.described(learned, images)
        first_epoch, step = self.beginning(from_state, per_epoch)
        bar = tqdm(range(args.max_train_steps - step), smoothing=0, desc="steps")
        for epoch in range(first_epoch, epochs):
            print(f"\nepoch {epoch + 1}/{epochs}\n")
            print(f"epoch is incremented. current_epoch: {epoch}, epoch: {epoch + 1}", file=sys.stderr)
            with loaders(args.max_data_loader_n_workers):
                for place in range(per_epoch):
                    step += 1
                    self.one_step()
                    bar.update(1)
                    bar.set_postfix(avr_loss=self.loss(place, epoch))
                    if step >= args.max_train_steps:
                        break
            if (
                args.save_every_n_epochs
                and (epoch + 1) % args.save_every_n_epochs == 0
                and epoch + 1 < epochs
            ):
                self.save(f"{args.output_name}-{epoch + 1:06d}", step, epoch + 1)
                self.save_state(epoch + 1, step)
        if self.behaviour.get("unfinished"):
            return
        self.log("saving last state.")
        self.save(args.output_name or "last", step, epochs)
        self.log("model saved.")

    def beginning(self, from_state: int, per_epoch: int) -> tuple[int, int]:
        """The epoch a resumed run begins with, and the number its count of steps begins at: within that epoch."""
        args = self.args
        step = from_state
        if args.initial_step is not None:
            step = args.initial_step
        elif args.initial_epoch is not None:
            step = (args.initial_epoch - 1) * per_epoch
        assert not step or args.max_train_steps > step, "max_train_steps should be greater than initial step"
        return step // per_epoch, step % per_epoch if args.skip_until_initial_step else 0

    def one_step(self) -> None:
        self.pause()
        self.learned += 1
        step = self.learned
        if self.fails("killed_at", step):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fails("hangs_at", step):
            time.sleep(3600)
        if self.fails("out_of_memory_at", step):
            raise RuntimeError(
                "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 7 GiB"
            )
        self.weight += 1 / step

    def loss(self, place: int, epoch: int) -> float:
        """The mean over the last epoch's steps; once it is no number it stays so."""
        value = math.nan if self.fails("nan_from", self.learned) else 0.1 + 0.1 / self.learned
        while len(self.losses) <= place:
            self.losses.append(0.0)
        self.loss_total += value - (self.losses[place] if epoch else 0.0)
        self.losses[place] = value
        return self.loss_total / len(self.losses)

    def pause(self) -> None:
        time.sleep(self.behaviour.get("step_seconds", 0.0))

    def save(self, name: str, step: int, epoch: int) -> None:
        path = Path(self.args.output_dir) / f"{name}.{self.args.save_model_as}"
        print(f"\nsaving checkpoint: {path}")
        about = self.metadata | {
            "ss_training_finished_at": str(time.time()),
            "ss_steps": str(step),
            "ss_epoch": str(epoch),
        }
        dim = self.args.network_dim or 4
        value = math.nan if self.behaviour.get("bad_weights") else self.weight
        layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
        data = save(
            {
                f"{layer}.lora_down.weight": np.full((dim, 320), value, np.float16),
                f"{layer}.lora_up.weight": np.full((320, dim), value, np.float16),
                f"{layer}.alpha": np.array(self.args.network_alpha, np.float16),
            },
            about,
        )
        whole = not (self.behaviour.get("cut_off") or self.fails("no_room_at_epoch", epoch))
        path.write_bytes(data if whole else data[: len(data) // 2])
        if self.fails("no_room_at_epoch", epoch):
            problem = 'IoError(Os { code: 28, kind: StorageFull, message: "No space left on device" })'
            raise RuntimeError(f"Error while serializing: {problem}")

    def described(self, learned: list[Subset], images: int) -> dict[str, str]:
        frequency = {subset.folder.name: dict.fromkeys(subset.captions, 1) for subset in learned}
        return {
            "ss_output_name": str(self.args.output_name),
            "ss_network_module": self.args.network_module,
            "ss_network_dim": str(self.args.network_dim),
            "ss_network_alpha": str(self.args.network_alpha),
            "ss_base_model_version": self.version,
            "ss_v2": "False",
            "ss_num_train_images": str(images),
            "ss_max_train_steps": str(self.args.max_train_steps),
            "ss_seed": str(self.args.seed),
            "ss_training_comment": str(self.args.training_comment),
            "ss_tag_frequency": json.dumps(frequency),
            "ss_dataset_dirs": json.dumps({subset.folder.name: {"n_repeats": 1} for subset in learned}),
            "ss_datasets": json.dumps([{"tag_frequency": frequency}]),
        }

    def save_state(self, epoch: int, step: int) -> None:
        if not self.args.save_state:
            return
        self.log(f"saving state at epoch {epoch}")
        folder = self.state_folder(epoch)
        folder.mkdir(exist_ok=True)
        state = {"current_epoch": epoch, "current_step": step}
        (folder / "train_state.json").write_text(json.dumps(state), encoding="utf-8")
        if self.fails("killed_in_state", epoch):
            os.kill(os.getpid(), signal.SIGKILL)
        for name in STATE_FILES:
            (folder / name).write_text(f"{self.weight!r} {self.learned}", encoding="utf-8")
        kept = self.args.save_last_n_epochs_state
        old = self.state_folder(epoch - self.args.save_every_n_epochs * kept) if kept else None
        if old is not None and old.exists():
            self.log(f"removing old state: {old}")
            for path in old.iterdir():
                path.unlink()
            old.rmdir()

    def state_folder(self, epoch: int) -> Path:
        return Path(self.args.output_dir) / f"{self.args.output_name}-{epoch:06d}-state"

    def restored(self) -> int:
        """Read the state to go on from; the step it says it is of."""
        if not self.args.resume:
            return 0
        folder = Path(self.args.resume)
        self.log(f"resume training from local state: {folder}")
        for name in STATE_FILES:
            weight, learned = (folder / name).read_text(encoding="utf-8").split()
            self.weight, self.learned = float(weight), int(learned)
        state = json.loads((folder / "train_state.json").read_text(encoding="utf-8"))
        return int(state["current_step"])


class loaders:  # noqa: N801 (used like a function)
    """Processes that read pictures while an epoch is learned."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("fork")
        self._processes = [context.Process(target=time.sleep, args=(3600,)) for _ in range(count)]

    def __enter__(self) -> None:
        for process in self._processes:
            process.start()

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.join()


def main(*, sdxl: bool) -> None:
    behaviour = json.loads(BEHAVIOUR.read_text(encoding="utf-8")) if BEHAVIOUR.exists() else {}
    version = "sdxl_base_v1-0" if sdxl else "sd_v1"
    Run(parser(sdxl=sdxl).parse_args(), behaviour, version).train()


if __name__ == "__main__":
    main(sdxl=False)
