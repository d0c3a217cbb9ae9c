"""Verdicts on photos, alone and as a set: pure decisions from what was found.

The thresholds were measured on two public-domain portraits (the astronaut of scikit-image and Grace Hopper of
matplotlib) sharp, blurred, darkened, brightened, cut, shrunk and recompressed, and on ten press photos of two people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from studio.faces.values import Face, PhotoFindings
from studio.intake.alike import SAME_PERSON, apart, grouped, same_person, same_picture
from studio.intake.values import (
    NEEDED_PHOTOS,
    REMEDIES,
    JudgedPhoto,
    Number,
    Reason,
    ReasonCode,
    SetCode,
    SetVerdict,
    Status,
    Verdict,
)

PORTRAIT_IN_FACES = 3.0  # a head-and-shoulders square is about three face widths wide
SMALLEST_PORTRAIT = 256
SMALL_PORTRAIT = 384
BYSTANDER_SHARE = 0.4
CUT_SHARE = 0.06
BLURRED_BELOW = 12.0
SOFT_BELOW = 30.0
DARK_BELOW = 45.0
DIM_BELOW = 80.0
PLAIN_BELOW = 10.0
CLIPPED_ABOVE = 0.45
BRIGHT_ABOVE = 0.25
BLOCKY_ABOVE = 2.2
RUINED_ABOVE = 3.5
MEASURED_PIXELS = 80


def judge(findings: PhotoFindings) -> Verdict:
    """The verdict on one photo by itself. Of one that lies on its side nothing else is said: turning comes first."""
    if findings.turned:
        return _verdict([_reason(ReasonCode.TURNED, degrees=findings.turned)])
    face = findings.main_face
    if face is None or not face.confirmed:
        return _verdict(_hidden(findings) or [_reason(ReasonCode.NO_FACE)])
    return _verdict(
        reason
        for reasons in (
            _company(findings),
            _size(face, findings),
            _frame(face, findings),
            _sharpness(findings),
            _light(findings),
            _blocks(findings),
        )
        for reason in reasons
    )


def judge_set(photos: Sequence[JudgedPhoto]) -> SetVerdict:
    """The verdict on every photo and on the whole set. Photos come in the order of upload.

    The subject is the person on most of the photos (of equal numbers, the one uploaded first). Of near-duplicates the
    best stays: fit in itself, then larger, less compressed, sharper; of equal ones the first.
    """
    alone = {photo.id: judge(photo.findings) for photo in photos}
    usable = [photo for photo in photos if alone[photo.id].status is not Status.UNFIT]
    strangers = _strangers(usable)
    originals = _near_duplicates([photo for photo in usable if photo.id not in strangers], alone)
    extra = strangers | originals
    verdicts = {photo.id: _verdict([*extra.get(photo.id, ()), *alone[photo.id].reasons]) for photo in photos}
    fit = sum(verdict.status is not Status.UNFIT for verdict in verdicts.values())
    return SetVerdict(
        enough=fit >= NEEDED_PHOTOS,
        fit=fit,
        needed=NEEDED_PHOTOS,
        code=_advice(fit, bool(strangers), bool(originals)),
        verdicts=verdicts,
    )


def _advice(fit: int, strangers: bool, duplicates: bool) -> SetCode:
    if fit >= NEEDED_PHOTOS:
        return SetCode.ENOUGH
    if strangers:
        return SetCode.ONE_PERSON_ONLY
    return SetCode.ADD_VARIETY if duplicates else SetCode.ADD_PHOTOS


def _verdict(reasons: Iterable[Reason]) -> Verdict:
    ordered = tuple(sorted(reasons, key=lambda reason: not reason.blocking))
    if not ordered:
        return Verdict(status=Status.FIT)
    return Verdict(status=Status.UNFIT if ordered[0].blocking else Status.WARNING, reasons=ordered)


def _reason(code: ReasonCode, blocking: bool = True, **data: Number) -> Reason:
    return Reason(code=code, remedy=REMEDIES[code], blocking=blocking, data=data)


def _company(findings: PhotoFindings) -> Iterable[Reason]:
    others = findings.faces[1:]
    if not others:
        return
    share = others[0].box.width / findings.faces[0].box.width
    yield _reason(ReasonCode.SEVERAL_FACES, blocking=share >= BYSTANDER_SHARE, faces=1 + len(others))


def _size(face: Face, findings: PhotoFindings) -> Iterable[Reason]:
    """Whether a portrait can be cut out. A face that is cut off is not small for the edge being near."""
    portrait = round(face.box.width * PORTRAIT_IN_FACES)
    if _outside(face, findings) <= CUT_SHARE:
        portrait = min(portrait, findings.width, findings.height)
    if portrait < SMALL_PORTRAIT:
        yield _reason(
            ReasonCode.FACE_TOO_SMALL,
            blocking=portrait < SMALLEST_PORTRAIT,
            face_pixels=face.box.width,
            portrait_pixels=portrait,
            needed_pixels=SMALLEST_PORTRAIT,
        )


def _frame(face: Face, findings: PhotoFindings) -> Iterable[Reason]:
    outside = _outside(face, findings)
    if outside > CUT_SHARE:
        yield _reason(ReasonCode.FACE_CUT_OFF, outside=round(outside, 3))


def _outside(face: Face, findings: PhotoFindings) -> float:
    """The share of the face that is beyond the picture's edge."""
    return 1 - face.box.within(findings.width, findings.height).area / face.box.area


def _hidden(findings: PhotoFindings) -> list[Reason]:
    """What may hide a face that is not, or not surely, seen. A plain surface is not blurred."""
    blur = _sharpness(findings) if findings.measures.contrast > PLAIN_BELOW else ()
    cut = _frame(findings.faces[0], findings) if findings.faces else ()
    return [reason for reason in (*cut, *blur, *_light(findings)) if reason.blocking]


def _sharpness(findings: PhotoFindings) -> Iterable[Reason]:
    sharpness, face = findings.measures.sharpness, findings.main_face
    if face is not None and face.box.width < MEASURED_PIXELS:
        return  # so small a face was enlarged to be measured, and is soft for that
    if sharpness < SOFT_BELOW:
        yield _reason(ReasonCode.BLURRED, blocking=sharpness < BLURRED_BELOW, sharpness=round(sharpness, 1))


def _light(findings: PhotoFindings) -> Iterable[Reason]:
    light, clipped = findings.measures.light, findings.measures.clipped
    if light < DIM_BELOW:
        yield _reason(ReasonCode.TOO_DARK, blocking=light < DARK_BELOW, light=round(light))
    if clipped > BRIGHT_ABOVE:
        yield _reason(ReasonCode.TOO_BRIGHT, blocking=clipped > CLIPPED_ABOVE, clipped=round(clipped, 3))


def _blocks(findings: PhotoFindings) -> Iterable[Reason]:
    blockiness = findings.blockiness
    if blockiness > BLOCKY_ABOVE:
        yield _reason(ReasonCode.COMPRESSED, blocking=blockiness > RUINED_ABOVE, blockiness=blockiness)


def _strangers(photos: Sequence[JudgedPhoto]) -> dict[str, list[Reason]]:
    """A reason for each photo that does not belong to the largest group of alike faces."""
    groups = grouped(photos, same_person)
    if len(groups) < 2:
        return {}
    subject = max(groups, key=len)
    return {
        photo.id: [_reason(ReasonCode.OTHER_PERSON, distance=_nearest(photo, subject), limit=SAME_PERSON)]
        for group in groups
        if group is not subject
        for photo in group
    }


def _nearest(photo: JudgedPhoto, group: Sequence[JudgedPhoto]) -> float:
    return round(min(apart(photo.findings, member.findings) for member in group), 3)


def _near_duplicates(photos: Sequence[JudgedPhoto], alone: Mapping[str, Verdict]) -> dict[str, list[Reason]]:
    """A reason, naming the photo that stays, for each that shows nearly the same as a better one."""
    found: dict[str, list[Reason]] = {}
    for group in grouped(photos, same_picture):
        best = max(group, key=lambda photo: _worth(photo.findings, alone[photo.id]))
        found |= {
            photo.id: [_reason(ReasonCode.NEAR_DUPLICATE, photo=best.id)]
            for photo in group
            if photo is not best
        }
    return found


def _worth(findings: PhotoFindings, verdict: Verdict) -> tuple[bool, int, float, float]:
    """What decides, in this order, which of nearly the same photos is kept."""
    pixels = findings.width * findings.height
    return verdict.status is Status.FIT, pixels, -round(findings.blockiness, 1), findings.measures.sharpness
