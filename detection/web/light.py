"""Where the light on a face comes from over time, as a page draws it: one chart per person and quantity."""

from __future__ import annotations

from dataclasses import dataclass

from detection.records.schema import Analysis, Course

LIMIT_DEG = {"light azimuth": 180.0, "light elevation": 90.0}  # the scale is fixed, so that charts can be compared
LIMIT_BETWEEN_DEG = 180.0


@dataclass(frozen=True)
class CourseChart:
    """A polyline in a drawing of 100 × 100, with 0 at `zero_y`; `usual` is the median."""

    course: Course
    usual: float
    points: str
    zero_y: float


def course_charts(analysis: Analysis) -> list[CourseChart]:
    """The courses of all modules, person by person; those of less than two moments are not drawn."""
    courses = [course for outcome in analysis.modules.values() for course in outcome.courses]
    return [_chart(course) for course in sorted(courses, key=lambda c: c.person) if len(course.times_s) > 1]


def _chart(course: Course) -> CourseChart:
    high = LIMIT_DEG.get(course.name, LIMIT_BETWEEN_DEG)
    low = -high if course.name in LIMIT_DEG else 0.0
    first, span = course.times_s[0], (course.times_s[-1] - course.times_s[0]) or 1.0

    def y(value: float) -> float:
        return round(100 * (high - min(max(value, low), high)) / (high - low), 2)

    points = " ".join(
        f"{100 * (time - first) / span:.2f},{y(value)}"
        for time, value in zip(course.times_s, course.values, strict=True)
    )
    return CourseChart(course, sorted(course.values)[len(course.values) // 2], points, y(0.0))
