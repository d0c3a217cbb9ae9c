"""Verdicts on photos, alone and as a set: pure decisions from what was found.

The thresholds were measured on two public-domain portraits (the astronaut of scikit-image and Grace Hopper of
matplotlib) sharp, blurred, darkened, brightened, cut, shrunk and recompressed, and on ten press photos of two people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from studio.faces.embeddings import distance
from studio.faces.values import Face, PhotoFindings
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
SAME_PERSON = 0.6
SAME_PICTURE_BITS = 4


def judge(findings: PhotoFindings) -> Verdict:
    """The verdict on one photo by itself."""
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
        )
        for reason in reasons
    )


def judge_set(photos: Sequence[JudgedPhoto]) -> SetVerdict:
    """The verdict on every photo and on the whole set. Photos come in the order of upload.

    The subject is the person on most of the photos (of equal numbers, the one uploaded first). Of near-duplicates the
    first that is fit in itself stays.
    """
    alone = {photo.id: judge(photo.findings) for photo in photos}
    usable = [photo for photo in photos if alone[photo.id].status is not Status.UNFIT]
    strangers = _strangers(usable)
    originals = _near_duplicates([photo for photo in usable if photo.id not in strangers])
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
    portrait = min(round(face.box.width * PORTRAIT_IN_FACES), findings.width, findings.height)
    if portrait < SMALL_PORTRAIT:
        yield _reason(
            ReasonCode.FACE_TOO_SMALL,
            blocking=portrait < SMALLEST_PORTRAIT,
            face_pixels=face.box.width,
            portrait_pixels=portrait,
            needed_pixels=SMALLEST_PORTRAIT,
        )


def _frame(face: Face, findings: PhotoFindings) -> Iterable[Reason]:
    inside = face.box.within(findings.width, findings.height).area / face.box.area
    if 1 - inside > CUT_SHARE:
        yield _reason(ReasonCode.FACE_CUT_OFF, outside=round(1 - inside, 3))


def _hidden(findings: PhotoFindings) -> list[Reason]:
    """What may hide a face that is not, or not surely, seen. A plain surface is not blurred."""
    blur = _sharpness(findings) if findings.measures.contrast > PLAIN_BELOW else ()
    cut = _frame(findings.faces[0], findings) if findings.faces else ()
    return [reason for reason in (*cut, *blur, *_light(findings)) if reason.blocking]


def _sharpness(findings: PhotoFindings) -> Iterable[Reason]:
    sharpness = findings.measures.sharpness
    if sharpness < SOFT_BELOW:
        yield _reason(ReasonCode.BLURRED, blocking=sharpness < BLURRED_BELOW, sharpness=round(sharpness, 1))


def _light(findings: PhotoFindings) -> Iterable[Reason]:
    light, clipped = findings.measures.light, findings.measures.clipped
    if light < DIM_BELOW:
        yield _reason(ReasonCode.TOO_DARK, blocking=light < DARK_BELOW, light=round(light))
    if clipped > BRIGHT_ABOVE:
        yield _reason(ReasonCode.TOO_BRIGHT, blocking=clipped > CLIPPED_ABOVE, clipped=round(clipped, 3))


def _strangers(photos: Sequence[JudgedPhoto]) -> dict[str, list[Reason]]:
    """A reason for each photo that does not belong to the largest group of alike faces."""
    groups = _groups_of_alike(photos)
    if len(groups) < 2:
        return {}
    subject = max(groups, key=len)
    return {
        photo.id: [_reason(ReasonCode.OTHER_PERSON, distance=_nearest(photo, subject), limit=SAME_PERSON)]
        for group in groups
        if group is not subject
        for photo in group
    }


def _groups_of_alike(photos: Sequence[JudgedPhoto]) -> list[list[JudgedPhoto]]:
    """Groups joined by any pair nearer than SAME_PERSON, the one with the earliest photo first."""
    groups: list[list[JudgedPhoto]] = []
    for photo in photos:
        near = [group for group in groups if _nearest(photo, group) < SAME_PERSON]
        merged = [*(member for group in near for member in group), photo]
        keep = [group for group in groups if group not in near]
        place = groups.index(near[0]) if near else len(keep)
        groups = [*keep[:place], merged, *keep[place:]]
    return groups


def _nearest(photo: JudgedPhoto, group: Sequence[JudgedPhoto]) -> float:
    return round(min(_apart(photo.findings, member.findings) for member in group), 3)


def _apart(one: PhotoFindings, other: PhotoFindings) -> float:
    if one.embedding is None or other.embedding is None:
        return 0.0
    return distance(one.embedding, other.embedding)


def _near_duplicates(photos: Sequence[JudgedPhoto]) -> dict[str, list[Reason]]:
    """A reason, naming the photo that stays, for each that shows nearly the same picture as an earlier one."""
    kept: list[JudgedPhoto] = []
    found: dict[str, list[Reason]] = {}
    for photo in photos:
        twin = next((other for other in kept if _same_picture(photo.findings, other.findings)), None)
        if twin is None:
            kept.append(photo)
        else:
            found[photo.id] = [_reason(ReasonCode.NEAR_DUPLICATE, photo=twin.id)]
    return found


def _same_picture(one: PhotoFindings, other: PhotoFindings) -> bool:
    differing = int(one.fingerprint, 16) ^ int(other.fingerprint, 16)
    return differing.bit_count() <= SAME_PICTURE_BITS
