"""How the site presents the Noise example."""

from __future__ import annotations

from detection.web.module_pages import ModulePage

PAGE = ModulePage(
    key="noise",
    title="Noise (example)",
    subject="fine noise",
    looks_at="Compares the fine noise of a face with that of its surroundings.",
    shows="How many times as noisy the face is, against the range of genuine faces.",
    limits="An example of how a module is made. One weak measure: read its figures before its score.",
)
