"""How customers come back by themselves, beside the minutes of a rule."""

from dataclasses import dataclass

from callcenter.web.pages.studio import CurvePoint


@dataclass(frozen=True, slots=True)
class RecoveryCurve:
    """How customers of a step come back by themselves; `minute` is where the rule would call, `visits` how many."""

    points: tuple[CurvePoint, ...]
    minute: float | None
    visits: int
