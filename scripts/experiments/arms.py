"""What is compared, and what was believed beforehand."""

from __future__ import annotations

from dataclasses import dataclass

from training.method import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to learn. name: a file's stem, too. rate: the learning rate, None for the usual one."""

    name: str
    method: Method
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A hypothesis: measure of arm is above (or, with below, under) that of the other arm."""

    words: str
    arm: str
    other: str
    measure: str
    below: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Arms, and the claims that they test. intro: why."""

    name: str
    title: str
    intro: str
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]


WORD_RATE = 2e-2
PLAIN = Arm(name="inversion", method=Method(name="textual_inversion", random_templates=True), rate=WORD_RATE)
MOMENTUM = Arm(
    name="momentum", method=Method(name="momentum_inversion", random_templates=True), rate=WORD_RATE
)
WORDS = ("long brown hair", "smiling", "fair skin")

METHODS = Experiment(
    name="methods",
    title="Four ways to learn a person",
    intro="LoRA, DreamBooth with LoRA, textual inversion and momentum textual inversion: the same photos, the same"
    " number of steps and pictures a step.",
    arms=(
        Arm(name="lora", method=Method()),
        Arm(name="dreambooth-lora", method=Method(name="dreambooth_lora")),
        PLAIN,
        MOMENTUM,
    ),
    claims=(
        Claim(
            words="Momentum keeps the embedding nearer to where it began.",
            arm="momentum",
            other="inversion",
            measure="drift",
            below=True,
        ),
        Claim(
            words="Momentum gives a higher likeness than plain textual inversion.",
            arm="momentum",
            other="inversion",
            measure="likeness",
        ),
        Claim(
            words="A LoRA gives a higher likeness than a learnt word.",
            arm="lora",
            other="inversion",
            measure="likeness",
        ),
        Claim(
            words="Prior preservation keeps prompts better obeyed than a LoRA alone.",
            arm="dreambooth-lora",
            other="lora",
            measure="obedience",
        ),
    ),
)

OPTIONS = Experiment(
    name="options",
    title="Options of momentum textual inversion",
    intro="What the founding document 004 did beside momentum, each alone, on momentum textual inversion.",
    arms=(
        MOMENTUM,
        Arm(
            name="no-noun",
            method=Method(name="momentum_inversion", random_templates=True, without_class_noun=True),
            rate=WORD_RATE,
        ),
        Arm(
            name="descriptive-words",
            method=Method(
                name="momentum_inversion",
                random_templates=True,
                descriptive_words=WORDS,
                descriptive_probability=0.1,
            ),
            rate=WORD_RATE,
        ),
        Arm(
            name="facial-loss",
            method=Method(name="momentum_inversion", random_templates=True, facial_loss_weight=1.0),
            rate=WORD_RATE,
        ),
    ),
    claims=(
        Claim(
            words="Captions without the class noun generalise better (prompts are better obeyed).",
            arm="no-noun",
            other="momentum",
            measure="obedience",
        ),
        Claim(
            words="Descriptive words at p = 0.1 give a higher likeness.",
            arm="descriptive-words",
            other="momentum",
            measure="likeness",
        ),
        Claim(
            words="Facial loss gives a higher likeness.",
            arm="facial-loss",
            other="momentum",
            measure="likeness",
        ),
    ),
)

EXPERIMENTS = {experiment.name: experiment for experiment in (METHODS, OPTIONS)}
