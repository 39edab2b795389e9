"""From a frame and its decomposition to the same frame under another light.

What is computed on the canvas is a gain and an added highlight per pixel; `composite` brings them onto the frame. A
frame keeps its own detail that way, at any resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relitalk.decompose import LUMINANCE, Decomposition, low_frequencies
from relitalk.geometry import CANVAS_PX, GAMMA, Canvas, Geometry, to_linear
from relitalk.light import Light, Vector, angles_of, soft_cosine
from relitalk.mesh import CHIN
from relitalk.shadow import shadow_map

Array = NDArray[Any]

TARGET_SOFTNESS = 0.2  # tangent of the key light's apparent radius: a 1 m softbox at 2.5 m
SHADOW_BLUR_CM = 0.3  # its edges across the ray, which the march leaves hard: a nose would cast a box on the lip
MAX_GAIN = 5.0
_FREE_GAIN = 2.5
HAIR_STRENGTH = 0.5  # of the effect on what is neither skin nor mesh …
CLOTHES_STRENGTH = 0.3  # … and below the chin, where the height is a mere guess

_SPECULAR = 0.04
_SHININESS = 22.0
_SKIN_SPREAD = 0.6  # of log albedo around the skin's median, beyond which a pixel is no skin
_CAREFUL_GAIN = (0.3, 1.5)  # eyes and teeth: never lit up like skin, never black


@dataclass(frozen=True)
class Overlay:
    """What relighting does to one square of a frame: display value × `gain` + `added`, both (S, S, 3) float32."""

    canvas: Canvas
    gain: Array
    added: Array


def key_direction(light: Light, geometry: Geometry) -> Vector:
    """Where the key light comes from in this frame: turned with the head when the light is fixed to it."""
    return geometry.pose.rotation @ light.direction if light.fixed_to == "head" else light.direction


@dataclass(frozen=True)
class Key:
    """The key light in one frame: `cosine` n·l and `visible`, the part of it that is not shadowed, both (S, S)."""

    direction: Vector
    cosine: Array
    visible: Array

    @classmethod
    def on(cls, geometry: Geometry, light: Light) -> Key:
        direction = key_direction(light, geometry)
        cosine = geometry.normals @ direction.astype(np.float32)
        if light.softness >= 1:
            return cls(direction, cosine, np.ones_like(cosine))
        shadow = shadow_map(geometry, direction, TARGET_SOFTNESS)
        return cls(direction, cosine, cv2.GaussianBlur(shadow, (0, 0), SHADOW_BLUR_CM * geometry.px_per_cm))


def target_irradiance(light: Light, key: Key) -> Array:
    """Irradiance (S, S, 3) float32 under the light that is asked for."""
    # A source of some size has no sharp terminator: where it rises over the horizon, the cosine sets in smoothly.
    rising = np.clip((key.cosine + TARGET_SOFTNESS) / (2 * TARGET_SOFTNESS), 0, 1)
    lambert = np.where(key.cosine > TARGET_SOFTNESS, key.cosine, TARGET_SOFTNESS * rising * rising)
    shading = (1 - light.softness) * lambert * key.visible
    if light.softness > 0:
        shading += light.softness * np.maximum(soft_cosine(key.cosine), 0)
    colour = np.asarray(light.colour, np.float32)
    irradiance: Array = np.float32(light.ambient) + np.float32(light.intensity) * shading[..., None] * colour
    return irradiance


def overlay(
    geometry: Geometry,
    decomposition: Decomposition,
    light: Light,
    *,
    presence: float = 1.0,
    others: Sequence[Array] = (),
) -> Overlay:
    """What has to be done to the frame so that this face is lit by `light`.

    `presence` 0..1 fades the whole effect; `others` are the landmarks (468, 3) in frame pixels of the other faces in
    the picture, whose hair and body are theirs to light.
    """
    source = decomposition.light.irradiance(geometry)
    linear = to_linear(geometry.image)
    key = Key.on(geometry, light)
    log_gain = np.log(np.maximum(target_irradiance(light, key), 0.02) / source[..., None])
    log_gain += _albedo_correction(geometry, decomposition, source, linear)[..., None]
    log_gain = _spare_features(_limited(log_gain), geometry)

    skin = _skin_likeness(geometry, decomposition, source, linear)
    elsewhere = _strength_off_skin(geometry)
    strength = geometry.matte * (elsewhere + (1 - elsewhere) * np.maximum(skin, geometry.mesh_weight))
    strength *= _reach() * _facing(geometry) * presence
    for other in others:
        strength *= _ownership(geometry, other)
    log_gain *= strength[..., None]

    lit = linear * np.exp(log_gain)
    highlight = _highlight(geometry, light, key) * (strength * skin * (1 - geometry.careful))[..., None]
    added = np.power(lit + np.maximum(highlight, 0), 1 / GAMMA) - np.power(lit, 1 / GAMMA)
    return Overlay(geometry.canvas, np.exp(log_gain / GAMMA).astype(np.float32), added.astype(np.float32))


def _limited(log_gain: Array) -> Array:
    """Gains from _FREE_GAIN on run smoothly into MAX_GAIN: what little light a deep source shadow left is mostly
    noise.
    """
    knee = np.float32(np.log(_FREE_GAIN))
    room = np.float32(np.log(MAX_GAIN)) - knee
    over = np.maximum(log_gain - knee, 0)
    limited: Array = np.where(over > 0, knee + room * np.tanh(over / room), np.maximum(log_gain, -4))
    return limited


def _strength_off_skin(geometry: Geometry) -> Array:
    """HAIR_STRENGTH from the chin up, CLOTHES_STRENGTH from 4 cm below it: (S, 1)."""
    y = np.arange(CANVAS_PX, dtype=np.float32)[:, None]
    below = np.clip((y - geometry.points_px[CHIN, 1]) / (4 * geometry.px_per_cm), 0, 1)
    strength: Array = HAIR_STRENGTH + (CLOTHES_STRENGTH - HAIR_STRENGTH) * below
    return strength


def _albedo_correction(geometry: Geometry, decomposition: Decomposition, source: Array, linear: Array) -> Array:
    """Where the source light was weak, its shading is known badly: log factors (S, S) towards the clip's albedo there.

    Half of what this frame's low frequencies deviate from the clip's albedo is taken back, and a third of what the
    clip's albedo deviates from even skin.
    """
    weak = 1 - np.clip((source / decomposition.light.exposure - 0.2) / 0.5, 0, 1)
    sure = geometry.skin * np.clip(geometry.normals[..., 2] - 0.1, 0, 1)
    log = np.log(np.maximum(linear, 2e-3)) @ LUMINANCE - np.log(source) - decomposition.skin_log @ LUMINANCE
    here = low_frequencies(log, sure, 0.6 * geometry.px_per_cm)
    size = decomposition.log_albedo.shape[0]
    u, v = (np.ascontiguousarray(geometry.uv[..., axis] * size - 0.5) for axis in (0, 1))
    clip = cv2.remap(decomposition.log_albedo, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inner = cv2.GaussianBlur(geometry.mesh_weight * geometry.on_mesh, (0, 0), 0.15 * geometry.px_per_cm)
    correction: Array = -np.clip(0.5 * (here - clip) + 0.3 * clip, -0.7, 0.7) * inner * weak
    smooth: Array = cv2.GaussianBlur(correction, (0, 0), 0.2 * geometry.px_per_cm)
    return smooth


def _spare_features(log_gain: Array, geometry: Geometry) -> Array:
    """Eyes and teeth get the even, grey gain of what is around them, capped."""
    around = cv2.GaussianBlur(log_gain @ LUMINANCE, (0, 0), 1.0 * geometry.px_per_cm)
    low, high = np.log(_CAREFUL_GAIN)
    careful = geometry.careful[..., None]
    spared: Array = log_gain * (1 - careful) + np.clip(around, low, high)[..., None] * careful
    return spared


def _skin_likeness(geometry: Geometry, decomposition: Decomposition, source: Array, linear: Array) -> Array:
    """How much each pixel's albedo is the face's skin: (S, S) in 0..1. Neck and ears are, hair and clothes are not."""
    smooth = cv2.GaussianBlur(linear, (0, 0), 0.2 * geometry.px_per_cm)
    deviation = np.log(np.maximum(smooth, 2e-3)) - np.log(source)[..., None] - decomposition.skin_log
    likeness = np.exp(-(deviation**2).sum(axis=-1) / (2 * 3 * _SKIN_SPREAD**2))
    even: Array = cv2.GaussianBlur(likeness.astype(np.float32), (0, 0), 0.25 * geometry.px_per_cm)
    return even


def _highlight(geometry: Geometry, light: Light, key: Key) -> Array:
    """Blinn-Phong highlight of the key light in linear light, (S, S, 3)."""
    half = key.direction + np.array([0.0, 0.0, 1.0])
    length = float(np.linalg.norm(half))
    if length < 1e-3 or light.softness >= 1:
        return np.zeros((CANVAS_PX, CANVAS_PX, 3), np.float32)
    lobe = np.maximum(geometry.normals @ (half / length).astype(np.float32), 0) ** _SHININESS
    lobe *= np.clip(key.cosine * 4, 0, 1) * key.visible * geometry.mesh_weight
    amount = _SPECULAR * light.intensity * (1 - light.softness)
    highlight: Array = amount * lobe[..., None] * np.asarray(light.colour, np.float32)
    return highlight


def _reach() -> Array:
    """1 around the face, falling to 0 at the canvas's border, so that a body that goes on beyond it shows no edge."""
    axis = np.abs(np.linspace(-1, 1, CANVAS_PX, dtype=np.float32))
    distance = np.hypot(axis[:, None], axis[None, :] * 0.9)
    fade = np.clip((1.0 - distance) / 0.5, 0, 1)
    reach: Array = fade * fade * (3 - 2 * fade)
    return reach


def _facing(geometry: Geometry) -> float:
    """The mesh is a guess on a face seen in profile: 1 up to 60° of yaw, 0 from 80°."""
    return float(np.clip((80 - abs(geometry.pose.yaw_deg)) / 20, 0, 1))


def _ownership(geometry: Geometry, other_px: Array) -> Array:
    """1 where a pixel is nearer (in face sizes) to this face than to the other one, 0 where not: (S, S)."""
    y, x = np.mgrid[0:CANVAS_PX, 0:CANVAS_PX].astype(np.float32)

    def distance(points: Array) -> Array:
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        centre, size = (low + high) / 2, max(float((high - low).max()), 1.0)
        away: Array = np.hypot(x - centre[0], y - centre[1]) / size
        return away

    lead = distance(geometry.canvas.place(other_px)) - distance(geometry.points_px)
    owned: Array = np.clip(lead / 0.3 + 0.5, 0, 1)
    return owned


def reference_light(light: Light) -> Light:
    """`light` as white, hard and fixed in the scene: what a direction can be read back from."""
    return replace(light, colour=(1.0, 1.0, 1.0), softness=0.0, fixed_to="scene")


def source_as_light(decomposition: Decomposition) -> Light:
    """The light that the shot was taken in, in the terms in which a new one is asked for."""
    source = decomposition.light
    azimuth, elevation = angles_of(source.direction)
    return Light(
        azimuth, elevation, intensity=source.exposure * (1 - source.ambient), ambient=source.exposure * source.ambient
    )
