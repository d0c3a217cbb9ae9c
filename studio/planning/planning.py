"""Making the plan: preset, prompts, seeds, identity and a server's abilities, resolved into stage requests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.errors import LearnedElsewhere
from studio.library.product import (
    ANIMAL,
    DESCRIBED,
    EXTRAS,
    AnimateSpec,
    AnyStage,
    ControlSpec,
    DescribeSpec,
    DetailerSpec,
    FaceSwapSpec,
    Names,
    PresetSpec,
    ReferenceSpec,
    RepairFramesSpec,
    SampledStage,
    StageSpec,
    StyleLora,
    Tone,
    Txt2ImgSpec,
    UpscaleSpec,
    read_travel,
    takes_tone,
)
from studio.library.prompts import SUBJECT, PromptLibrary
from studio.planning.names import Chooser, Survey
from studio.planning.overrides import extra_loras, overridden
from studio.planning.plan import (
    AnyPlannedStage,
    Enlargement,
    Identity,
    Lack,
    Motion,
    Order,
    Plan,
    PlannedControl,
    PlannedDescription,
    PlannedDetailer,
    PlannedExtras,
    PlannedFaceSwap,
    PlannedPicture,
    PlannedStage,
    ServerFacts,
    with_description,
)
from studio.planning.sizes import adapted_pixels, adapted_size
from studio.values import MAX_SEED
from webui_client.capabilities import name_of_checkpoint
from webui_client.preflight import lora_names

DEFAULT_SAMPLER: Names = ("DPM++ 2M", "Euler a")
DEFAULT_SCHEDULER: Names = ("Karras", "Automatic")
DEFAULT_STEPS = 30
DEFAULT_CFG_SCALE = 7.0
DEFAULT_CLIP_SKIP = 1
UNSET = -1
HELD = "described-words"


def make_plan(order: Order, facts: ServerFacts, prompts: PromptLibrary) -> Plan:
    """Resolve an order for a server.

    Raises MissingCapability when the server has none of the names a part declares, LearnedElsewhere when the subject
    was learned on other checkpoints only, InvalidRequest for overrides the preset does not take.
    """
    planner = _Planner(
        order=order,
        spec=spec_of(order),
        chooser=Chooser(facts=facts),
        prompts=prompts,
        identity=fitting_identity(order, facts),
    )
    pictures = tuple(planner.picture(number) for number in range(order.count))
    return Plan(
        checkpoint=_checkpoint_of(planner.identity, facts) or facts.checkpoint,
        demonstration=facts.demonstration,
        identity=planner.identity,
        loras=_called_loras(pictures),
        choices=tuple(dict.fromkeys(planner.chooser.choices)),
        pictures=pictures,
    )


def lacks_of(order: Order, facts: ServerFacts, prompts: PromptLibrary) -> tuple[Lack, ...]:
    """Everything that a server lacks for an order, where make_plan stops at the first; without any identity.

    Of a ControlNet unit the model is looked for where its preprocessor is there.
    """
    survey = Survey(facts=facts)
    planner = _Planner(order=order, spec=spec_of(order), chooser=survey, prompts=prompts, identity=None)
    planner.picture(0)
    return tuple(dict.fromkeys(survey.lacks))


def spec_of(order: Order) -> PresetSpec:
    """The preset with what the tone says of its strength, and over that the job's overrides. Raises InvalidRequest."""
    strength = order.tone.denoising_strength if order.tone else None
    change = {} if strength is None else {"denoising_strength": strength}
    stages = {
        name: stage.model_copy(update=change) if takes_tone(stage) else stage
        for name, stage in order.spec.stages.items()
    }
    return overridden(order.spec.model_copy(update={"stages": stages}), order.options)


def fitting_identity(order: Order, facts: ServerFacts) -> Identity | None:
    """The newest identity that was learned on the server's checkpoint, or is one of its checkpoints itself.

    None where the order names none.

    Raises LearnedElsewhere, except where a photo's face can stand in.
    """
    if not order.identities:
        return None
    present = name_of_checkpoint(facts.checkpoint)
    for identity in order.identities:
        if identity.form == "checkpoint":
            if _checkpoint_of(identity, facts):
                return identity
        elif identity.checkpoint == present:
            return identity
    if order.spec.identity == "instant":
        return None
    raise LearnedElsewhere(order.identities[0].checkpoint, present, facts.url)


def picture_seed(seed: int, number: int) -> int:
    """The seed of the number-th picture (from 0) of a job, as A1111 counts them; wraps at 2**32."""
    return (seed + number) % (MAX_SEED + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planner:
    order: Order
    spec: PresetSpec
    chooser: Chooser
    prompts: PromptLibrary
    identity: Identity | None

    @property
    def facts(self) -> ServerFacts:
        return self.chooser.facts

    def style_tags(self, name: str, stage: SampledStage) -> str:
        """The calls of a stage's style LoRAs: its own or else the preset's, the tone's, the job's, and the animals'."""
        tone = self.tone_of(stage)
        own = ("", self.spec.loras or ()) if stage.loras is None else (name, stage.loras)
        groups = (
            own,
            (name, tone.loras if tone else ()),
            ("", extra_loras(self.order.options)),
            ("", self.demonstration_loras()),
        )
        return "".join(self.style_tag(place, lora) for place, loras in groups for lora in loras)

    def demonstration_loras(self) -> tuple[StyleLora, ...]:
        learnt = self.order.demonstration
        if learnt is None or name_of_checkpoint(self.facts.checkpoint) != learnt.checkpoint:
            return ()
        return (StyleLora(name=(learnt.lora,), weight=learnt.weight, optional=True),)

    def style_tag(self, place: str, lora: StyleLora) -> str:
        name = self.chooser.perhaps_one_of(place, "lora", lora.name, self.facts.loras, optional=lora.optional)
        return "" if name is None else f"<lora:{name}:{lora.weight:g}>"

    def tone_of(self, stage: SampledStage) -> Tone | None:
        return self.order.tone if takes_tone(stage) else None

    def picture(self, number: int) -> PlannedPicture:
        seed = picture_seed(self.order.seed, number)
        size = adapted_size(self.spec.width, self.spec.height, self.facts.native_size)
        stages: list[AnyPlannedStage] = []
        for name, stage in self.spec.stages.items():
            if not self.takes_part(stage):
                continue
            planned = self.any_stage(name, stage, seed, size, first=not stages)
            size = (planned.width, planned.height)
            stages.append(planned)
        return PlannedPicture(number=number, seed=seed, stages=tuple(stages))

    def takes_part(self, stage: AnyStage) -> bool:
        """Whether a stage of the preset is needed: not where the job brings what it would make."""
        if isinstance(stage, FaceSwapSpec):
            return self.identity is None
        if isinstance(stage, ReferenceSpec):
            return self.order.reference is None
        return not isinstance(stage, DescribeSpec) or self.order.options.description is None

    def any_stage(
        self, name: str, stage: AnyStage, seed: int, size: tuple[int, int], *, first: bool
    ) -> AnyPlannedStage:
        if isinstance(stage, FaceSwapSpec):
            return self.face_swap(name, stage, size)
        if isinstance(stage, DescribeSpec):
            return PlannedDescription(
                name=name,
                use=stage.use,
                describers=stage.describer,
                picture=self.order.reference,
                width=size[0],
                height=size[1],
            )
        if isinstance(stage, ReferenceSpec):
            return self.nobody().stage(name, stage, seed, size, None)
        planned = self.extras_or_stage(name, stage, seed, size)
        if not isinstance(planned, PlannedStage):
            return planned
        if isinstance(stage, Txt2ImgSpec):
            planned = planned.model_copy(update={"picture": self.order.reference})
        elif first:
            begins_with = self.order.image if isinstance(stage, AnimateSpec) else self.order.photo
            planned = planned.model_copy(update={"picture": begins_with})
        if self.order.options.description is not None:
            return with_description(planned, self.order.options.description)
        return planned

    def nobody(self) -> _Planner:
        """This planner for pictures of nobody in particular: the same with and without a learned person."""
        return replace(self, identity=None)

    def face_swap(self, name: str, stage: FaceSwapSpec, size: tuple[int, int]) -> PlannedFaceSwap:
        facts = self.facts
        return PlannedFaceSwap(
            name=name,
            use=stage.use,
            swapper=self.chooser.one_of(name, "face swapper", stage.swapper, facts.face_swappers),
            face_restorer=self.chooser.perhaps_one_of(
                name, "face restorer", stage.face_restorer, facts.face_restorers, optional=True
            ),
            photo=self.order.photo,
            width=size[0],
            height=size[1],
        )

    def extras_or_stage(
        self, name: str, stage: SampledStage, seed: int, size: tuple[int, int]
    ) -> PlannedStage | PlannedExtras:
        if not isinstance(stage, UpscaleSpec):
            return self.stage(name, stage, seed, size, None)
        way = self.chooser.one_of(name, "script", stage.script, (*self.facts.scripts, EXTRAS))
        upscaler = self.chooser.one_of(name, "upscaler", stage.upscaler, self.facts.upscalers)
        if way == EXTRAS:
            return PlannedExtras(
                name=name,
                use="extras",
                upscaler=upscaler,
                scale=stage.scale,
                width=round(size[0] * stage.scale),
                height=round(size[1] * stage.scale),
            )
        return self.stage(name, stage, seed, size, self.enlargement(stage, way, upscaler))

    def stage(
        self,
        name: str,
        stage: SampledStage,
        seed: int,
        size: tuple[int, int],
        enlargement: Enlargement | None,
    ) -> PlannedStage:
        scale = enlargement.scale if enlargement else 1.0
        tone, options = self.tone_of(stage), self.order.options
        style_tags = self.style_tags(name, stage)
        return PlannedStage(
            name=name,
            use=stage.use,
            prompt=self.travelling(
                self.text(
                    seed, stage.prompt or self.spec.prompt, tone.prompt if tone else None, options.prompt
                )
                + style_tags,
                stage,
                seed,
            ),
            negative_prompt=self.text(
                seed,
                _first(stage.negative_prompt, self.spec.negative_prompt),
                tone.negative_prompt if tone else None,
                options.negative_prompt,
            ),
            seed=seed,
            steps=stage.steps or self.spec.steps or DEFAULT_STEPS,
            sampler=self.chooser.one_of(
                name, "sampler", stage.sampler or self.spec.sampler or DEFAULT_SAMPLER, self.facts.samplers
            ),
            scheduler=self.chooser.one_of(
                name,
                "scheduler",
                stage.scheduler or self.spec.scheduler or DEFAULT_SCHEDULER,
                self.facts.schedulers,
            ),
            cfg_scale=stage.cfg_scale or self.spec.cfg_scale or DEFAULT_CFG_SCALE,
            clip_skip=stage.clip_skip or self.spec.clip_skip or DEFAULT_CLIP_SKIP,
            width=round(size[0] * scale),
            height=round(size[1] * scale),
            denoising_strength=self.strength(stage),
            enlargement=enlargement,
            adetailer=self.detailers(name, stage, seed, style_tags),
            controlnet=self.controls(name, stage),
            motion=self.motion(name, stage),
            crop=self.crop(stage),
        )

    def strength(self, stage: SampledStage) -> float | None:
        """How much of what a stage works over is painted anew; None where it works over nothing."""
        over_nothing = isinstance(stage, AnimateSpec) and self.order.image is None
        if over_nothing or isinstance(stage, ReferenceSpec | Txt2ImgSpec):
            return None
        return stage.denoising_strength

    def motion(self, name: str, stage: SampledStage) -> Motion | None:
        if not isinstance(stage, AnimateSpec):
            return None
        return Motion(
            module=self.chooser.motion_module(name, stage.module),
            frames=stage.frames,
            context=stage.context,
            fps=stage.fps,
            closed_loop=stage.closed_loop,
        )

    def crop(self, stage: SampledStage) -> int | None:
        if not isinstance(stage, RepairFramesSpec):
            return None
        return adapted_size(stage.size, stage.size, self.facts.native_size)[0]

    def travelling(self, prompt: str, stage: SampledStage, seed: int) -> str:
        """The prompt, and below it the words that change over the frames."""
        steps = read_travel(stage.travel) if isinstance(stage, AnimateSpec) else []
        lines = (f"{frame}: {self.words(words, seed)}" for frame, words in steps)
        return "\n".join((prompt, *lines))

    def enlargement(self, stage: UpscaleSpec, script: str, upscaler: str) -> Enlargement:
        native = self.facts.native_size
        return Enlargement(
            scale=stage.scale,
            upscaler=upscaler,
            script=script,
            tile_width=native,
            tile_height=native,
            overlap=adapted_pixels(stage.overlap, native),
        )

    def detailers(
        self, name: str, stage: SampledStage, seed: int, style_tags: str
    ) -> tuple[PlannedDetailer, ...]:
        planned = (self.detailer(name, tab, seed, self.tone_of(stage), style_tags) for tab in stage.adetailer)
        return tuple(tab for tab in planned if tab is not None)

    def detailer(
        self, name: str, tab: DetailerSpec, seed: int, tone: Tone | None, style_tags: str
    ) -> PlannedDetailer | None:
        """One tab. Words of its own are sampled without the stage's, so the tone and the LoRAs are said again."""
        model = self.chooser.perhaps_one_of(
            name, "adetailer model", tab.model, self.facts.detectors, optional=tab.optional
        )
        if model is None:
            return None
        native = self.facts.native_size
        return PlannedDetailer(
            model=model,
            prompt=self.text(seed, tab.prompt, tone.prompt if tone else None) + style_tags
            if tab.prompt
            else "",
            negative_prompt=self.text(seed, tab.negative_prompt, tone.negative_prompt if tone else None)
            if tab.negative_prompt
            else "",
            confidence=tab.confidence,
            denoising_strength=tab.denoising_strength,
            mask_blur=adapted_pixels(tab.mask_blur, native),
            dilate_erode=adapted_pixels(tab.dilate_erode, native),
            padding=adapted_pixels(tab.padding, native),
        )

    def controls(self, name: str, stage: StageSpec) -> tuple[PlannedControl, ...]:
        planned = []
        for unit in stage.controlnet:
            if not self.has_picture(stage, unit):
                continue
            drawn = unit.picture == "pose" and self.order.pose_is_skeleton
            pictures = {"pose": self.order.pose, "photo": self.order.photo, "input": None}
            names = self.chooser.control(name, unit, drawn=drawn)
            if names is None:
                continue
            planned.append(
                PlannedControl(
                    unit=unit.unit,
                    module=names[0],
                    model=names[1],
                    picture=pictures[unit.picture],
                    part=self.order.head if unit.unit == "ip_adapter_face" else None,
                    weight=unit.weight,
                    guidance_start=unit.guidance_start,
                    guidance_end=unit.guidance_end,
                    control_mode=unit.control_mode,
                    resolution=UNSET if unit.resolution is None else unit.resolution,
                    threshold_a=UNSET if unit.threshold_a is None else unit.threshold_a,
                    threshold_b=UNSET if unit.threshold_b is None else unit.threshold_b,
                )
            )
        return tuple(planned)

    def words(self, template: str, seed: int) -> str:
        """A template's words, with whom and what they name."""
        identity = self.identity
        subject = self.order.class_noun if identity is None else f"{identity.trigger} {identity.class_noun}"
        held = _held(template, self.order.animal)
        return self.prompts.words(held, subject, _draw_seed(seed, template)).replace(HELD, DESCRIBED)

    def has_picture(self, stage: StageSpec, unit: ControlSpec) -> bool:
        """Whether a unit has something to do.

        One that follows a pose needs a chosen picture or the composition's reference, one that carries a photo's face a
        person who is not learned.
        """
        if unit.carries_face:
            return self.identity is None
        composed = isinstance(stage, Txt2ImgSpec) and self.spec.takes_reference
        return unit.picture != "pose" or self.order.pose is not None or composed

    def text(self, seed: int, *templates: str | None) -> str:
        """The words of templates for one picture; whoever names the subject calls the subject's LoRA too."""
        identity = self.identity
        given = [template for template in templates if template]
        parts = (self.words(part, seed) for part in given)
        words = ", ".join(part for part in parts if part)
        if identity is None or identity.form != "lora" or not any(SUBJECT in part for part in given):
            return words
        weight = identity.weight if self.spec.lora_weight is None else self.spec.lora_weight
        return f"{words} <lora:{identity.lora}:{weight:g}>"


def _held(template: str, animal: str) -> str:
    """The template with the animal in it, and {described}, which no seed draws, kept from the template's parser."""
    return template.replace(ANIMAL, animal).replace(DESCRIBED, HELD)


def _checkpoint_of(identity: Identity | None, facts: ServerFacts) -> str | None:
    """The title of the checkpoint that an identity is; None for another form, or one that the server does not list."""
    if identity is None or identity.form != "checkpoint":
        return None
    return next((title for title in facts.checkpoints if name_of_checkpoint(title) == identity.lora), None)


def _first(*texts: str | None) -> str:
    return next((text for text in texts if text is not None), "")


def _called_loras(pictures: Sequence[PlannedPicture]) -> tuple[str, ...]:
    """Names of all LoRAs that prompts of stages and of their repairs call, in order, each once."""
    stages = [stage for picture in pictures for stage in picture.sampled]
    prompts = (text for stage in stages for text in (stage.prompt, *(tab.prompt for tab in stage.adetailer)))
    return lora_names(" ".join(prompts))


def _draw_seed(seed: int, template: str) -> int:
    """A seed for the choices of one template: the same words in every stage of a picture that uses it."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{template}".encode()).digest()[:4], "big")
