"""A face laid onto a picture: the photo's skin and features, in the pose and light of the face that was there.

No network paints anything. The photo's face mesh is turned into the picture's head pose, the photo is warped onto it
triangle by triangle, brought to the picture's colours (Reinhard et al. 2001) and blended in so that its gradients stay
and its border vanishes (Pérez et al. 2003). Expression and gaze are therefore the photo's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.ndimage import distance_transform_edt
from scipy.spatial import Delaunay

from webui_engine.controlnet.face_mesh import find_meshes

Pixels = NDArray[np.uint8]
Mesh = NDArray[np.float64]

# Points of mediapipe's canonical face mesh: the outline in order, without which the irises (468 on) make 468 points.
FACE_POINTS = 468
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)

TOP, CHIN = 10, 152
BROWS = (105, 334)

OWN_SHAPE_FROM = 0.22
"""From this depth inside the outline on, as a share of the face's width, the shape is wholly the photo's."""

FOREHEAD_SHARE = 0.35
"""How much of the forehead above the brows is replaced; more would take a fringe along, or cover one."""

BORDER, FEATHER = 0.045, 0.05
"""Widths inside the outline, as shares of the face's: what is left alone, and over what the new face fades in."""

SPREAD_RANGE = (0.7, 1.4)
"""Bounds of how much contrast is changed: a flat drawing must not wash the photo out, nor a harsh one burn it."""

MARGIN = 0.35
CONFIDENCE = 0.3
NEARLY_ONE = 0.9


@dataclass(frozen=True, slots=True)
class FaceIn:
    """A face in a picture. pixels: RGB, uint8, shape (height, width, 3). mesh: x, y, z in pixels, shape (478, 3)."""

    pixels: Pixels
    mesh: Mesh

    @classmethod
    def nth(cls, pixels: Pixels, number: int) -> FaceIn | None:
        """The number-th face of a picture, from 0 for the largest; None where there are not so many."""
        meshes = find_meshes(pixels, most=number + 1, confidence=CONFIDENCE)
        return cls(pixels, meshes[number].astype(np.float64)) if len(meshes) > number >= 0 else None


def lay_face(source: FaceIn, target: FaceIn) -> Pixels:
    """target's picture with source's face in place of its face; RGB, uint8, neither input changed."""
    corner, window = _window(target)
    face = FaceIn(window, target.mesh - [*corner, 0.0])
    placed = _placed(source.mesh, face.mesh)
    mask = _mask(face.mesh, placed, window.shape[:2])
    laid, covered = _warped(_near_size(source, placed), placed, window.shape[:2])
    mask = np.where(covered, mask, 0).astype(np.uint8)
    coloured = _in_colours_of(laid, window, mask)
    result = target.pixels.copy()
    height, width = window.shape[:2]
    result[corner[1] : corner[1] + height, corner[0] : corner[0] + width] = _blended(coloured, window, mask)
    return result


def _window(target: FaceIn) -> tuple[tuple[int, int], Pixels]:
    """The part of the picture around the face, and where its corner lies."""
    low, high = target.mesh[:FACE_POINTS, :2].min(axis=0), target.mesh[:FACE_POINTS, :2].max(axis=0)
    room = MARGIN * (high - low)
    height, width = target.pixels.shape[:2]
    left, top = (int(max(0.0, edge)) for edge in low - room)
    right, bottom = (int(min(most, edge)) for most, edge in zip((width, height), high + room, strict=True))
    return (left, top), np.ascontiguousarray(target.pixels[top:bottom, left:right])


def _placed(source: Mesh, target: Mesh) -> Mesh:
    """Where the source's points come to lie, shape (468, 2): its own shape inside, the target's along the outline."""
    inner, outer = source[:FACE_POINTS], target[:FACE_POINTS]
    own = _fitted(inner, outer)[:, :2]
    depth = _depth_inside(outer[:, :2]) / OWN_SHAPE_FROM
    share = np.clip(depth, 0.0, 1.0)[:, None]
    share = share * share * (3 - 2 * share)
    placed: Mesh = own * share + outer[:, :2] * (1 - share)
    return placed


def _fitted(points: Mesh, onto: Mesh) -> Mesh:
    """points turned in space, scaled and moved as near to onto as can be, by least squares (Umeyama 1991)."""
    centre, goal = points.mean(axis=0), onto.mean(axis=0)
    own, other = points - centre, onto - goal
    left, strengths, right = np.linalg.svd(other.T @ own)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    scale = float((strengths * signs).sum() / (own**2).sum())
    fitted: Mesh = scale * own @ (left @ np.diag(signs) @ right).T + goal
    return fitted


def _depth_inside(points: Mesh) -> NDArray[np.float64]:
    """How far each point lies inside the outline, by the face's width; not below 0."""
    outline = points[list(OVAL)].astype(np.float32)
    across = float(np.ptp(outline[:, 0]))
    depths = [cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in points]
    return np.clip(np.array(depths) / across, 0.0, None)


def _near_size(source: FaceIn, placed: Mesh) -> FaceIn:
    """The source made as small as it will be shown, so that warping does not skip pixels; never enlarged."""
    scale = min(1.0, float(np.ptp(placed[:, 0]) / np.ptp(source.mesh[:FACE_POINTS, 0])))
    if scale > NEARLY_ONE:
        return source
    smaller = cv2.resize(source.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = source.pixels.shape[:2]
    ratio = np.array([smaller.shape[1] / width, smaller.shape[0] / height, scale])
    return FaceIn(smaller, source.mesh * ratio)


def _warped(source: FaceIn, placed: Mesh, shape: tuple[int, int]) -> tuple[Pixels, NDArray[np.bool_]]:
    """The source's picture drawn so that its mesh comes to lie on placed, and where it shows anything."""
    height, width = shape
    where = LinearNDInterpolator(Delaunay(placed), source.mesh[:FACE_POINTS, :2])
    rows, columns = np.mgrid[0:height, 0:width]
    places = where(columns, rows).astype(np.float32)
    covered = np.isfinite(places[..., 0])
    places = np.nan_to_num(places, nan=-1.0)
    drawn = cv2.remap(
        source.pixels, places[..., 0], places[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return drawn, covered


def _mask(mesh: Mesh, placed: Mesh, shape: tuple[int, int]) -> Pixels:
    """255 inside the face's outline, drawn in by the border in which hair and background may begin."""
    outline = np.round(_below_hair(mesh, placed)).astype(np.int32)
    filled = np.zeros(shape, np.uint8)
    cv2.fillPoly(filled, [outline], 255)
    filled[[0, -1], :], filled[:, [0, -1]] = 0, 0
    inside = distance_transform_edt(filled)
    return np.where(inside > BORDER * np.ptp(outline[:, 0]), 255, 0).astype(np.uint8)


def _below_hair(mesh: Mesh, placed: Mesh) -> Mesh:
    """The outline, shape (36, 2), its top lowered to a little above both faces' brows: a fringe begins there."""
    outline = mesh[list(OVAL), :2]
    upward = mesh[TOP, :2] - mesh[CHIN, :2]
    upward = upward / np.linalg.norm(upward)
    heights = outline @ upward
    brows = max(float((points[list(BROWS), :2] @ upward).max()) for points in (mesh, placed))
    limit = brows + FOREHEAD_SHARE * max(float(heights.max()) - brows, 0.0)
    lowered: Mesh = outline - np.clip(heights - limit, 0.0, None)[:, None] * upward
    return lowered


def _in_colours_of(laid: Pixels, around: Pixels, mask: Pixels) -> Pixels:
    """laid with mean and spread of each Lab channel as around has them, within the mask (Reinhard et al. 2001)."""
    own, other = (cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float32) for pixels in (laid, around))
    inside = mask > 0
    if not inside.any():
        return laid
    (mean, spread), (goal, wanted) = ((plane[inside].mean(0), plane[inside].std(0)) for plane in (own, other))
    ratio = np.clip(wanted / np.maximum(spread, 1.0), *SPREAD_RANGE)
    matched = np.clip((own - mean) * ratio + goal, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(matched, cv2.COLOR_LAB2RGB), dtype=np.uint8)


def _blended(laid: Pixels, around: Pixels, mask: Pixels) -> Pixels:
    """laid inside the mask with its own gradients and around's border (Pérez et al. 2003), feathered at the edge."""
    if not mask.any():
        return around
    left, top, width, height = cv2.boundingRect(mask)
    centre = (left + width // 2, top + height // 2)
    cloned = cv2.seamlessClone(laid, around, mask.copy(), centre, cv2.NORMAL_CLONE)
    inside = distance_transform_edt(mask) / (FEATHER * width)
    share = np.clip(inside, 0.0, 1.0)[..., None].astype(np.float32)
    return np.asarray(np.round(cloned * share + around * (1 - share)), dtype=np.uint8)
