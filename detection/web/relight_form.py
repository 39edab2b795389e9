"""The light that a person or a script asks for, as a form and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from detection.web.relight_words import PRESET_NAMES
from relitalk.light import PRESETS, Light
from relitalk.request import Request

SCENE, HEAD = "scene", "head"


class LightForm(forms.Form):
    """Everything may be left out: a light from the front then. Numbers are those of `relitalk.light.Light`."""

    azimuth = forms.FloatField(label=_("Azimuth, °"), min_value=-180, max_value=180, required=False)
    elevation = forms.FloatField(label=_("Elevation, °"), min_value=-90, max_value=90, required=False)
    intensity = forms.FloatField(label=_("Intensity"), min_value=0, max_value=10, required=False)
    ambient = forms.FloatField(label=_("Ambient light"), min_value=0, max_value=10, required=False)
    softness = forms.FloatField(label=_("Softness"), min_value=0, max_value=1, required=False)
    colour = forms.RegexField(r"^#[0-9a-fA-F]{6}$", label=_("Colour"), required=False)
    fixed_to = forms.ChoiceField(
        label=_("The light stays with"), choices=[(SCENE, _("the scene")), (HEAD, _("the head"))], required=False
    )
    sweep = forms.FloatField(label=_("Turn it once around in, s"), min_value=0.5, max_value=600, required=False)
    frames = forms.BooleanField(label=_("Keep every frame as PNG"), required=False)
    preset = forms.ChoiceField(choices=[("", ""), *PRESET_NAMES.items()], required=False)

    def clean_frames(self) -> bool:
        if self.cleaned_data["frames"] and settings.RELITALK_URL:
            raise forms.ValidationError(_("Frames are kept only where this machine does the relighting."))
        return bool(self.cleaned_data["frames"])

    def clean(self) -> dict[str, Any]:
        """Adds `light`."""
        given = self.cleaned_data
        names = {"azimuth": "azimuth_deg", "elevation": "elevation_deg"}
        numbers = ("azimuth", "elevation", "intensity", "ambient", "softness")
        wanted = {names.get(name, name): round(given[name], 3) for name in numbers if given.get(name) is not None}
        if given.get("colour"):
            wanted["colour"] = linear_colour(given["colour"])
        if given.get("fixed_to"):
            wanted["fixed_to"] = given["fixed_to"]
        if not self.errors:
            try:
                given["light"] = replace(PRESETS.get(given["preset"], Light()), **wanted)
            except ValueError as error:  # what no field can see by itself: a light that shows nothing
                raise forms.ValidationError(
                    _("This light shows nothing: give it intensity or ambient light.")
                ) from error
        return given

    @property
    def light(self) -> Light:
        light: Light = self.cleaned_data["light"]
        return light

    def request(self) -> Request:
        return Request(self.light, sweep_period_s=self.cleaned_data["sweep"])

    def faults(self) -> str:
        """All that is wrong, in one line."""
        return "; ".join(
            f"{'' if name == '__all__' else f'{name}: '}{' '.join(map(str, faults))}"
            for name, faults in self.errors.items()
        )


def from_json(given: Mapping[str, Any]) -> LightForm:
    """The same from a JSON object; a colour may also be three linear factors."""
    return LightForm({name: _as_text(value) for name, value in given.items() if value is not None})


def _as_text(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 3 and all(isinstance(part, int | float) for part in value):
        return hex_colour(tuple(float(part) for part in value))
    return value


def linear_colour(text: str) -> tuple[float, float, float]:
    """`#rrggbb` (sRGB) as linear factors, the strongest of them 1: how strong the light is, its intensity says."""
    red, green, blue = (_linear(int(text[at : at + 2], 16) / 255) for at in (1, 3, 5))
    strongest = max(red, green, blue) or 1.0
    if not red and not green and not blue:
        red = green = blue = 1.0  # black is no colour of a light
    return round(red / strongest, 4), round(green / strongest, 4), round(blue / strongest, 4)


def hex_colour(colour: tuple[float, ...]) -> str:
    """Linear factors as `#rrggbb`."""
    strongest = max(*colour, 1e-6)
    return "#" + "".join(f"{round(255 * _display(max(part, 0.0) / strongest)):02x}" for part in colour)


def _linear(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _display(value: float) -> float:
    return float(12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)


def as_fields(light: Light) -> dict[str, Any]:
    """A light as the form's fields have it."""
    return {
        "azimuth": light.azimuth_deg,
        "elevation": light.elevation_deg,
        "intensity": light.intensity,
        "ambient": light.ambient,
        "softness": light.softness,
        "colour": hex_colour(light.colour),
        "fixed_to": light.fixed_to,
    }
