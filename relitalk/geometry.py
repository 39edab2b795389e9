"""One face in one frame as surface: a small square picture around it with height, normal and UV in every pixel.

All shading happens on this square, the canvas. Only the gain that comes out of it is brought back to the frame's
resolution, so that the work hardly grows with the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relitalk.matte import height_normals, inflate, person_matte, snap_to_edges, tighten, unit
from relitalk.mesh import FEATURES, LEFT_EYE, MOUTH, MOUTH_CORNERS, RIGHT_EYE, Pose, face_mesh, fit_pose, vertex_normals
from relitalk.raster import rasterise

Array = NDArray[Any]

CANVAS_PX = 256
CANVAS_SCALE = 2.7  # side of the canvas over the longer side of the face's landmarks: hair, ears, neck, shoulders
GAMMA = 2.2
SILHOUETTE_CM = -4.0  # depth of the plane in which a head seen from the front has its outline: a little behind the ears

_JOIN_FROM_CM = 0.16  # from the mesh's border inwards: here the inflated normals begin to give way to the mesh's …
_JOIN_OVER_CM = 1.6  # … and over this distance they do
_NORMAL_BLUR_CM = 0.2
_GAMMA_TABLE = ((np.arange(256) / 255.0) ** GAMMA).astype(np.float32)


def to_linear(image: Array) -> Array:
    """Display values (…, uint8) → linear light (…, float32) in 0..1."""
    return _GAMMA_TABLE[image]


@dataclass(frozen=True)
class Canvas:
    """A square of the frame. `left_px`, `top_px` is its corner in the frame, `step_px` the frame pixels per canvas
    pixel.
    """

    left_px: float
    top_px: float
    step_px: float

    @classmethod
    def around(cls, landmarks_px: Array) -> Canvas:
        """The square for a face's landmarks (468, 3) in frame pixels."""
        low, high = landmarks_px[:, :2].min(axis=0), landmarks_px[:, :2].max(axis=0)
        side = CANVAS_SCALE * float((high - low).max())
        x, y = (low + high) / 2 - side / 2
        return cls(float(x), float(y), side / CANVAS_PX)

    @property
    def to_frame(self) -> Array:
        """Matrix (2, 3) from canvas pixels to frame pixels; the centre of the first pixel is (0, 0) in both."""
        shift = 0.5 * self.step_px - 0.5
        return np.array([[self.step_px, 0, self.left_px + shift], [0, self.step_px, self.top_px + shift]])

    def place(self, points_px: Array) -> Array:
        """Frame points (N, 3) → canvas points (N, 3); depth is scaled alike."""
        offset = np.append(self.to_frame[:, 2], 0.0)
        placed: Array = (points_px - offset) / self.step_px
        return placed

    def cut(self, image: Array) -> Array:
        """The square of an RGB frame (H, W, 3) as (CANVAS_PX, CANVAS_PX, 3); the frame's border goes on outside it."""
        matrix = self.to_frame
        shrink = int(self.step_px)  # averaging first: sampling a large face would alias, and that shows as flicker
        if shrink > 1:
            height, width = image.shape[:2]
            side = CANVAS_PX * self.step_px
            x0, x1 = (int(np.clip(v, 0, width)) for v in (self.left_px - shrink, self.left_px + side + shrink))
            y0, y1 = (int(np.clip(v, 0, height)) for v in (self.top_px - shrink, self.top_px + side + shrink))
            columns, rows = max(1, (x1 - x0) // shrink), max(1, (y1 - y0) // shrink)
            part = image[y0 : y0 + rows * shrink, x0 : x0 + columns * shrink]
            image = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
            matrix = matrix.copy()
            matrix[:, 2] = (matrix[:, 2] - (x0, y0) + 0.5) / shrink - 0.5
            matrix[:, :2] /= shrink
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut: Array = cv2.warpAffine(image, matrix, (CANVAS_PX,) * 2, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return cut


@dataclass(frozen=True)
class Geometry:
    """The surface of one face in one frame, on its canvas of S² pixels.

    `image` (S, S, 3) uint8; `matte` (S, S) 0..1 person; `height_px` (S, S) above the silhouette's plane; `normals` (S,
    S, 3) unit, (right, up, viewer); `uv` (S, S, 2), meant where `on_mesh`; `mesh_weight` (S, S) 1 where the mesh alone
    decides, 0 off it; `skin` (S, S) bool, the mesh less eyes, brows and lips; `careful` (S, S) 0..1, eyes and the
    inside of the mouth; `points_px` (468, 3) canvas x, y (down) and z towards the viewer above the silhouette's plane.
    """

    canvas: Canvas
    image: Array
    matte: Array
    height_px: Array
    normals: Array
    uv: Array
    on_mesh: Array
    mesh_weight: Array
    skin: Array
    careful: Array
    points_px: Array
    pose: Pose

    @property
    def px_per_cm(self) -> float:
        return self.pose.scale

    @property
    def inside(self) -> Array:
        return self.matte > 0.5


def build_geometry(frame: Array, landmarks_px: Array, last_matte: Array | None = None) -> Geometry:
    """The surface of the face with these landmarks (468, 3; z smaller is nearer) in an RGB frame (H, W, 3).

    `last_matte` is the matte of the same face in the frame before: the new one is averaged with it, against flicker.
    """
    canvas = Canvas.around(landmarks_px)
    image = canvas.cut(frame)
    matte = tighten(snap_to_edges(person_matte(image), image))
    if last_matte is not None:
        matte = 0.6 * matte + 0.4 * last_matte

    mesh = face_mesh()
    points = canvas.place(landmarks_px) * (1, 1, -1)  # z towards the viewer
    posed = points * (1, -1, 1)
    pose = fit_pose(posed)
    silhouette_z = pose.apply(np.array([[0, 0, SILHOUETTE_CM]]))[0, 2]
    points[:, 2] -= silhouette_z

    attributes = np.concatenate([vertex_normals(posed, mesh.triangles), mesh.uv], axis=1)
    depth, drawn = rasterise(points, mesh.triangles, attributes, CANVAS_PX)
    inside = matte > 0.5
    on_mesh = np.isfinite(depth) & inside
    from_border_cm = cv2.distanceTransform(on_mesh.astype(np.uint8), cv2.DIST_L2, 3) / pose.scale
    blend = np.clip((from_border_cm - _JOIN_FROM_CM) / _JOIN_OVER_CM, 0, 1)
    weight = (blend * blend * (3 - 2 * blend)).astype(np.float32)

    depth = np.maximum(np.where(on_mesh, depth, 0), 0)
    # Only the upper face holds the inflated surface up: necks recede behind the chin, foreheads go on into the skull.
    holds = (from_border_cm > 0.3) & ~_below(points, MOUTH_CORNERS)
    inflated = inflate(inside, np.where(holds, depth, np.nan), pose.scale)
    inflated_normals = cv2.GaussianBlur(height_normals(inflated), (0, 0), 0.25 * pose.scale)
    normals = weight[..., None] * drawn[..., :3] + (1 - weight[..., None]) * inflated_normals
    normals = unit(cv2.GaussianBlur(normals, (0, 0), _NORMAL_BLUR_CM * pose.scale)).astype(np.float32)
    return Geometry(
        canvas=canvas,
        image=image,
        matte=matte.astype(np.float32),
        height_px=(depth * weight + inflated * (1 - weight)).astype(np.float32),
        normals=normals,
        uv=drawn[..., 3:],
        on_mesh=on_mesh,
        mesh_weight=weight,
        skin=(_outlines(points, FEATURES) == 0) & on_mesh & (from_border_cm > 0.3),
        careful=cv2.GaussianBlur(_outlines(points, (LEFT_EYE, RIGHT_EYE, MOUTH)), (0, 0), 0.12 * pose.scale),
        points_px=points,
        pose=pose,
    )


def _below(points_px: Array, line: tuple[int, int]) -> Array:
    """Where a pixel lies on the chin's side of the line through two vertices: (CANVAS_PX, CANVAS_PX) bool."""
    (x0, y0), (x1, y1) = points_px[line[0], :2], points_px[line[1], :2]
    y, x = np.mgrid[0:CANVAS_PX, 0:CANVAS_PX]
    below: Array = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) > 0
    return below


def _outlines(points_px: Array, outlines: tuple[tuple[int, ...], ...]) -> Array:
    """1 inside the closed outlines of vertices, 0 elsewhere: (CANVAS_PX, CANVAS_PX) float32."""
    mask = np.zeros((CANVAS_PX, CANVAS_PX), np.float32)
    for outline in outlines:
        corners = np.round(points_px[list(outline), :2] * 16).astype(np.int32)
        cv2.fillPoly(mask, [corners], 1.0, lineType=cv2.LINE_8, shift=4)
    return mask
