"""After the answer: does it prove that what was asked for really ran?

HTTP 200 does not mean so (see the A1111 contract notes, "success that is not"). Pure functions over the
request and the answer; each raises FeatureDidNotRun with the evidence. What no answer can prove is not
claimed: that ADetailer found a face at all, and that the inner pass of a detector applied its own LoRA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from PIL import Image, ImageChops

from webui_client.capabilities import Capabilities, Checkpoint, find_checkpoint, stem_of
from webui_client.errors import FaceNotSwapped, FeatureDidNotRun
from webui_client.infotext import Infotext, parse, read_pairs
from webui_client.pictures import Picture, upright_png
from webui_client.preflight import KEEP_VAE, Resolved
from webui_client.sizes import expected_size, extras_size
from webui_client.units.animatediff import TITLE, AnimateDiff, Animation
from webui_client.units.preprocessors import control_type
from webui_client.values import Extras, ExtrasBatch, FaceSwap, GenerationInfo, Img2Img, Txt2Img

SWAPPED_LEVELS = 8
SWAPPED_BLOCK = 4
SWAPPED_SHARE = 0.0005


@dataclass(frozen=True)
class Answer:
    """An answer beside what it answers. images: all that came, in order."""

    request: Txt2Img | Img2Img
    names: Resolved
    server: Capabilities
    images: tuple[Picture, ...]
    info: GenerationInfo

    @cached_property
    def infotext(self) -> Infotext:
        """The infotext of the first picture."""
        texts = self.info.infotexts[self.info.index_of_first_image :] or self.info.infotexts
        return parse(texts[0]) if texts else Infotext()

    def told(self, key: str) -> str | None:
        """Return what the server says of key, by its extra parameters or the infotext."""
        extra = self.info.extra_generation_params.get(key)
        return str(extra) if extra is not None else self.infotext.get(key)

    def failed(self, feature: str, reason: str) -> FeatureDidNotRun:
        """Return the error that says so."""
        return FeatureDidNotRun(self.server.server, feature, reason)


def check(answer: Answer) -> tuple[tuple[Picture, ...], tuple[Picture, ...]]:
    """Return (pictures, maps) of an answer that proves everything that was asked for; else raise
    FeatureDidNotRun.
    """
    pictures, maps = split(answer)
    check_count(answer, pictures)
    if not (isinstance(answer.request, Img2Img) and answer.request.skips_img2img):
        check_sampler(answer)
        check_scheduler(answer)
    check_checkpoint(answer)
    check_vae_and_clip_skip(answer)
    check_switches(answer)
    check_seeds(answer)
    check_loras(answer)
    check_hires(answer)
    check_inpainting(answer)
    check_adetailer(answer)
    check_upscale(answer)
    check_controlnet(answer, maps)
    check_sizes(answer, pictures)
    check_not_black(answer, pictures)
    return pictures, maps


def split(answer: Answer) -> tuple[tuple[Picture, ...], tuple[Picture, ...]]:
    """Return (pictures, others) of an answer: a grid, masks and detected maps are none of the pictures asked
    for.

    Pictures carry an infotext and the others do not, unless the server's option for it is off; then position
    tells.
    """
    images = answer.images
    if isinstance(answer.request, Img2Img) and answer.request.upscale:
        results = images[: answer.request.upscale.returned]
        return results[-1:], images[len(results) :]
    first = answer.info.index_of_first_image
    candidates = images[first:]
    written = tuple(image for image in candidates if image.infotext)
    pictures = (written or candidates)[: answer.request.pictures]
    return pictures, tuple(image for image in candidates if not any(image is picture for picture in pictures))


def check_count(answer: Answer, pictures: Sequence[Picture]) -> None:
    """All pictures asked for came."""
    wanted = answer.request.pictures
    if len(pictures) < wanted:
        raise answer.failed("the batch", f"{len(pictures)} of {wanted} pictures came back")


def check_sampler(answer: Answer) -> None:
    """The sampler was not substituted: an unknown one silently becomes the server's first."""
    ran = answer.info.sampler_name or answer.told("Sampler")
    if answer.names.sampler is not None and ran != answer.names.sampler:
        raise answer.failed("the sampler", f"{answer.names.sampler!r} was asked for, {ran!r} ran")
    hires = answer.names.hires_sampler
    told = answer.told("Hires sampler")
    if hires is not None and hires != answer.names.sampler and told != hires:
        raise answer.failed("the hires sampler", f"{hires!r} was asked for, {told!r} ran")


def check_scheduler(answer: Answer) -> None:
    """The scheduler was not ignored: an unknown one silently becomes Automatic."""
    wanted = answer.names.scheduler
    ran = answer.told("Schedule type")
    if wanted in (None, "Automatic") or (ran is None and not answer.server.ways.tells_schedule):
        return
    if ran != wanted:
        raise answer.failed("the scheduler", f"{wanted!r} was asked for, {ran!r} ran")


def check_checkpoint(answer: Answer) -> None:
    """The checkpoint was not ignored: an unknown one silently leaves the current one."""
    wanted = answer.names.checkpoint
    if wanted is None:
        return
    name = answer.info.sd_model_name or answer.told("Model")
    digest = answer.info.sd_model_hash or answer.told("Model hash")
    if not _is_checkpoint(name, digest, wanted):
        raise answer.failed("the checkpoint", f"{wanted.title!r} was asked for, {name!r} [{digest}] ran")


def check_vae_and_clip_skip(answer: Answer) -> None:
    """The overridden VAE and clip skip were not ignored."""
    vae, clip_skip = answer.request.vae, answer.request.clip_skip
    key = answer.server.ways.vae_key
    used = answer.told(key) or (answer.info.sd_vae_name if key == "VAE" else None)
    if vae is not None and vae not in KEEP_VAE and stem_of(used or "") != stem_of(vae):
        raise answer.failed("the VAE", f"{vae!r} was asked for, {used!r} was used")
    told = answer.info.clip_skip or int(answer.told("Clip skip") or 1)
    if clip_skip is not None and told != clip_skip:
        raise answer.failed("clip skip", f"{clip_skip} was asked for, {told} was used")


def check_switches(answer: Answer) -> None:
    """What is either on or off left its key: tiling, a variation of the seed, a second checkpoint."""
    request = answer.request
    if not answer.server.ways.tells_switches or (isinstance(request, Img2Img) and request.skips_img2img):
        return
    switches = {
        "Tiling": bool(request.tiling),
        "Variation seed strength": request.subseed_strength > 0,
        "Refiner": _is_refined(answer),
    }
    for key, is_on in switches.items():
        if is_on and answer.told(key) is None:
            raise answer.failed(key.lower(), "it was asked for and left no trace")


def check_seeds(answer: Answer) -> None:
    """The pictures are of the seeds asked for: seed, seed + 1, … (an upscale script counts its tiles
    instead).
    """
    request = answer.request
    if request.seed < 0 or (isinstance(request, Img2Img) and request.upscale):
        return
    step = 0 if request.subseed_strength else 1
    wanted = tuple(request.seed + step * number for number in range(request.pictures))
    if answer.info.all_seeds[: request.pictures] != wanted:
        raise answer.failed("the seed", f"{wanted} were asked for, {answer.info.all_seeds} ran")


def check_loras(answer: Answer) -> None:
    """Every LoRA of the prompt is among the "Lora hashes": a missing file silently leaves it out."""
    hashes = answer.told("Lora hashes")
    if hashes is None and not answer.server.ways.tells_loras:
        return
    applied = Infotext(settings=(("Lora hashes", hashes or ""),)).lora_hashes
    missing = [name for name in answer.names.loras if name.replace(":", "").replace(",", "") not in applied]
    if missing:
        raise answer.failed(
            "the LoRA", f"{', '.join(missing)} is not among those applied ({hashes or 'none'})"
        )


def check_hires(answer: Answer) -> None:
    """Hires fix ran with the upscaler, the schedule and the checkpoint asked for."""
    hires = answer.request.hires if isinstance(answer.request, Txt2Img) else None
    if hires is None:
        return
    told = answer.told("Hires upscaler")
    if told != hires.upscaler:
        raise answer.failed("hires fix", f"upscaler {hires.upscaler!r} was asked for, {told!r} ran")
    schedule = answer.names.hires_scheduler
    ran = answer.told("Hires schedule type") or answer.told("Schedule type")
    if schedule not in (None, "Automatic", ran) and answer.server.ways.tells_schedule:
        raise answer.failed("hires fix", f"scheduler {schedule!r} was asked for, {ran!r} ran")
    checkpoint, used = answer.names.hires_checkpoint, answer.told("Hires checkpoint")
    if checkpoint and not _is_checkpoint(*_name_and_hash(used), checkpoint):
        raise answer.failed("hires fix", f"checkpoint {checkpoint.title!r} was asked for, {used!r} ran")


def check_inpainting(answer: Answer) -> None:
    """The mask was used; a blank one silently makes a plain img2img."""
    inpaint = answer.request.inpaint if isinstance(answer.request, Img2Img) else None
    if inpaint is None or not answer.server.ways.tells_masks:
        return
    if inpaint.only_masked and answer.told("Inpaint area") != "Only masked":
        raise answer.failed("inpainting", "the mask is blank, or was not used")
    if inpaint.blur and answer.told("Mask blur") is None:
        raise answer.failed("inpainting", "the mask was not used")


def check_adetailer(answer: Answer) -> None:
    """Each tab's arguments were accepted: a rejected tab is left out in silence."""
    wanted = answer.request.adetailer
    if wanted is None:
        return
    if answer.told("ADetailer version") is None:
        raise answer.failed("ADetailer", "its arguments were rejected")
    accepted = [answer.told(f"ADetailer model{suffix(number)}") for number in range(1, len(wanted.tabs) + 1)]
    models = [tab.model for tab in wanted.tabs]
    if accepted != models:
        raise answer.failed("ADetailer", f"detectors {models} were asked for, {accepted} were accepted")


def check_upscale(answer: Answer) -> None:
    """The upscale script ran with the upscaler asked for."""
    upscale = answer.request.upscale if isinstance(answer.request, Img2Img) else None
    if upscale is None:
        return
    told = answer.told(f"{upscale.script} upscaler")
    if told != upscale.upscaler:
        raise answer.failed(upscale.script, f"upscaler {upscale.upscaler!r} was asked for, {told!r} ran")


def check_controlnet(answer: Answer, maps: Sequence[Picture]) -> None:
    """Each unit was accepted (its infotext key) and ran (its detected maps came back).

    The key is written before the ControlNet loads and proves nothing alone. Upscale scripts suppress the
    maps. A map on which a pose or face finder found nothing is a failure too: there was nothing to control
    by.
    """
    units = answer.names.control_units
    absent = [number for number in range(len(units)) if answer.told(f"ControlNet {number}") is None]
    if absent:
        raise answer.failed("ControlNet", f"unit {absent[0]} was rejected")
    server = answer.server.controlnet
    upscales = isinstance(answer.request, Img2Img) and answer.request.upscale
    if not units or upscales or not (server and server.returns_maps):
        return
    hires = isinstance(answer.request, Txt2Img) and answer.request.hires is not None
    due = [unit.maps(server.dialect, hires=hires) for unit in units]
    if len(maps) < sum(due):
        raise answer.failed("ControlNet", f"{len(maps)} of {sum(due)} detected maps came back")
    if len(maps) == sum(due):
        firsts = [sum(due[:number]) for number in range(len(units))]
        for unit, first, count in zip(units, firsts, due, strict=True):
            if count and control_type(unit.unit.module).finds and maps[first].is_black:
                raise answer.failed("ControlNet", f"{unit.unit.module} found nothing in its picture")


def check_sizes(answer: Answer, pictures: Sequence[Picture]) -> None:
    """Every picture has the size asked for, rounded down to whole latent cells as the server does."""
    wanted = expected_size(answer.request)
    for picture in pictures:
        if (picture.width, picture.height) != wanted:
            came = f"{picture.width}x{picture.height}"
            raise answer.failed("the size", f"{wanted[0]}x{wanted[1]} was due, {came} came")


def check_not_black(answer: Answer, pictures: Sequence[Picture]) -> None:
    """No picture is all black, which is what overflowing numbers look like."""
    if any(picture.is_black for picture in pictures):
        raise answer.failed("sampling", "the picture is all black; the server may need --no-half-vae")


def check_extras(request: Extras, result: Picture, server: str) -> None:
    """The picture was enlarged by the upscaler asked for; raises FeatureDidNotRun.

    An upscaler whose weights cannot be had leaves a plain resize and claims success; so a result that equals
    the plain resize proves that it did not run. Nothing in the answer proves a face restorer.
    """
    wanted = extras_size(request)
    if (result.width, result.height) != wanted:
        came = f"{result.width}x{result.height}"
        raise FeatureDidNotRun(server, "the upscaler", f"{wanted[0]}x{wanted[1]} was due, {came} came")
    if result.is_black and not Picture.read(request.image).is_black:
        raise FeatureDidNotRun(server, "the upscaler", "the picture is all black")
    learned = request.upscaler not in ("None", "Lanczos", "Nearest") and request.second_visibility == 0
    restores = request.gfpgan_visibility or request.codeformer_visibility
    if learned and not restores and request.size is None and _is_plain_resize(request.image, result):
        reason = f"{request.upscaler!r} left a plain resize; its weights are probably missing"
        raise FeatureDidNotRun(server, "the upscaler", reason)


def check_extras_batch(request: ExtrasBatch, results: Sequence[Picture], server: str) -> None:
    """Every picture came back and passes check_extras; raises FeatureDidNotRun.

    An interrupt or skip leaves pictures out, and nothing says which.
    """
    if len(results) != len(request.images):
        reason = f"{len(results)} of {len(request.images)} pictures came back"
        raise FeatureDidNotRun(server, "the upscaler", reason)
    for single, result in zip(request.singles, results, strict=True):
        check_extras(single, result, server)


def check_face_swap(request: FaceSwap, result: Picture, server: str) -> None:
    """The picture has its size and a changed part as large as a small face; raises FaceNotSwapped, FeatureDidNotRun.

    Every swapper answers 200 with the picture as it was when it finds no face or its filter flags it. A picture that
    was only encoded anew keeps the means of its blocks of SWAPPED_BLOCK pixels; a swapped face changes those of
    at least SWAPPED_SHARE of the picture.
    """
    before = Picture.read(upright_png(request.image))
    if (result.width, result.height) != (before.width, before.height):
        came = f"{before.width}x{before.height} was due, {result.width}x{result.height} came"
        raise FeatureDidNotRun(server, request.swapper, came)
    if result.is_black and not before.is_black:
        raise FeatureDidNotRun(server, request.swapper, "the picture is all black")
    blocks = before.open().reduce(SWAPPED_BLOCK), result.open().reduce(SWAPPED_BLOCK)
    difference = ImageChops.difference(*blocks).convert("L")
    changed = sum(difference.histogram()[SWAPPED_LEVELS:])
    if changed < SWAPPED_SHARE * difference.width * difference.height:
        raise FaceNotSwapped(server, request.swapper)


def check_animation(
    answer: Answer, unit: AnimateDiff, files: Sequence[Animation | None]
) -> tuple[Animation, ...]:
    """Return the files of an answer whose frames prove the animation that was asked for; else raise FeatureDidNotRun.

    answer: its images are the frames. A script that failed leaves still pictures and status 200; one that could not
    load its module leaves no infotext of its own.
    """
    animations = tuple(_animated(answer, due, came) for due, came in zip(unit.files, files, strict=False))
    if len(animations) < len(unit.files):
        raise answer.failed(TITLE, f"{len(animations)} of {len(unit.files)} files came back")
    if len(answer.images) != unit.frames:
        raise answer.failed(TITLE, f"{unit.frames} frames were due, {len(answer.images)} came back")
    told = _told_of_animation(answer)
    for key in ("model", "video_length", "closed_loop"):
        wanted = str(getattr(unit, key))
        if told.get(key) != wanted:
            raise answer.failed(TITLE, f"{key} {wanted} was asked for, {told.get(key)!r} ran")
    check_sampler(answer)
    check_scheduler(answer)
    check_checkpoint(answer)
    check_vae_and_clip_skip(answer)
    check_switches(answer)
    check_seeds(answer)
    check_loras(answer)
    check_sizes(answer, answer.images)
    check_not_black(answer, answer.images)
    return animations


def _told_of_animation(answer: Answer) -> Mapping[str, str]:
    told = answer.info.extra_generation_params.get(TITLE)
    if isinstance(told, Mapping):
        return {str(key): str(value) for key, value in told.items()}
    return dict(read_pairs(answer.told(TITLE) or ""))


def _animated(answer: Answer, due: str, came: Animation | None) -> Animation:
    if came is None:
        raise answer.failed(TITLE, f"{due} was asked for, still pictures came back")
    if came.format != due:
        raise answer.failed(TITLE, f"{due} was asked for, {came.format} came back")
    if came.frames == 1:
        raise answer.failed(TITLE, f"nothing moves in the {due}: all its frames are the same")
    return came


def suffix(number: int) -> str:
    """Return what ADetailer appends to the infotext keys of its tab number (from 1)."""
    if number == 1:
        return ""
    endings = {1: "st", 2: "nd", 3: "rd"}
    ending = "th" if number % 100 in (11, 12, 13) else endings.get(number % 10, "th")
    return f" {number}{ending}"


def _is_plain_resize(source: bytes, result: Picture) -> bool:
    plain = Picture.read(source).open().resize((result.width, result.height), Image.Resampling.LANCZOS)
    difference = ImageChops.difference(plain, result.open()).convert("L").getextrema()
    return difference in ((0, 0), (0, 1))


def _is_refined(answer: Answer) -> bool:
    """Whether a checkpoint other than the first shall finish the picture."""
    wanted = answer.request.refiner_checkpoint
    if wanted is None:
        return False
    first = answer.names.checkpoint or answer.server.current_checkpoint
    return find_checkpoint(wanted, answer.server.checkpoints) != first


def _name_and_hash(told: str | None) -> tuple[str | None, str | None]:
    """The parts of a checkpoint told as "name [hash]"."""
    name, _, digest = (told or "").partition(" [")
    return name or None, digest.removesuffix("]") or None


def _is_checkpoint(name: str | None, digest: str | None, wanted: Checkpoint) -> bool:
    return _same_name(name, wanted) or (digest is not None and digest == wanted.hash)


def _same_name(told: str | None, wanted: Checkpoint) -> bool:
    if not told:
        return False
    file_name = wanted.title.rsplit(" [", 1)[0].replace("\\", "/")
    return stem_of(told) in (wanted.model_name, stem_of(file_name), stem_of(file_name.rsplit("/", 1)[-1]))
