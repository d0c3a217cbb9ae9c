"""How Sajin's own trainer teaches: the method and its options, as a researcher may choose them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from training.names import AdapterForm, MethodName, OptimizerName

FORMS: TypeAdapter[AdapterForm] = TypeAdapter(AdapterForm)
Words = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f,]+$")]

INVERSIONS: frozenset[MethodName] = frozenset(["textual_inversion", "momentum_inversion", "pivotal_tuning"])
WITH_PRIOR: frozenset[MethodName] = frozenset(["dreambooth_lora", "dreambooth"])


class Method(BaseModel):
    """One way to teach an identity; the defaults are what everybody gets.

    name: "lora" (Hu et al. 2021), "locon" (LoRA on convolutions too), "dreambooth_lora" and "dreambooth" (Ruiz et al.
    2022: with prior preservation, as a LoRA or by all weights of the UNet), "textual_inversion" (Gal et al. 2022),
    "momentum_inversion" (the same, held near its last state), "pivotal_tuning" (Roich et al. 2021: inversion, then a
    LoRA around what it found).
    text_encoder: a LoRA teaches the text encoder too. prior_loss_weight: of the class pictures in DreamBooth.
    facial_loss_weight: of the same loss once more on the face alone; 0 for none. outside_face_weight: of the loss
    outside the face; 1 for an unmasked loss.
    descriptive_words: words for the person, each added to a training caption with descriptive_probability.
    without_class_noun: captions name the token alone. random_templates: captions of textual inversion's templates.
    token_from_name: the instance token is the person's name under a Caesar cipher.
    min_snr_gamma: 0 for an unweighted loss. noise_offset: see LearningPlan. momentum: gamma, the share of each step
    that momentum inversion takes. vectors: how many a learnt word has. compiled: the UNet is compiled where a CUDA card
    is; the first step then takes a minute or more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: MethodName = "lora"
    text_encoder: bool = False
    prior_loss_weight: Annotated[float, Field(ge=0, le=10)] = 1.0
    facial_loss_weight: Annotated[float, Field(ge=0, le=10)] = 0.0
    outside_face_weight: Annotated[float, Field(ge=0, le=1)] = 1.0
    descriptive_words: Annotated[tuple[Words, ...], Field(max_length=20, strict=False)] = ()
    descriptive_probability: Annotated[float, Field(ge=0, le=1)] = 0.1
    without_class_noun: bool = False
    random_templates: bool = False
    token_from_name: bool = False
    min_snr_gamma: Annotated[float, Field(ge=0, le=20)] = 5.0
    noise_offset: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    momentum: Annotated[float, Field(gt=0, le=1)] = 0.1
    vectors: Annotated[int, Field(ge=1, le=16)] = 1
    optimizer: OptimizerName = "adamw"
    compiled: bool = False

    @property
    def form(self) -> AdapterForm:
        """What the method yields."""
        if self.name in ("textual_inversion", "momentum_inversion"):
            return "embedding"
        return "checkpoint" if self.name == "dreambooth" else "lora"

    @property
    def inverts(self) -> bool:
        """Whether a word is learnt."""
        return self.name in INVERSIONS

    @property
    def keeps_prior(self) -> bool:
        """Whether pictures of the class are learnt beside those of the person."""
        return self.name in WITH_PRIOR

    @property
    def looks_at_face(self) -> bool:
        """Whether the loss tells the face from the rest."""
        return self.facial_loss_weight > 0 or self.outside_face_weight < 1
