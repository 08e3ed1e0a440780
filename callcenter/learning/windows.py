"""Which firings are counted: of all the time, of some days, or of one version of each rule. Frozen, no I/O.

Evidence belongs to all the time: it may be read as often as one likes while it gathers, but not over days that were
chosen after a look at them. Counts may be told of any window.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Part(StrEnum):
    """One count of a rule's firings, whose customers may be looked at."""

    FIRED = "fired"
    HELD_OUT = "held_out"
    CALLED = "called"
    REACHED = "reached"
    CONVERTED = "converted"
    CONVERTED_HELD_OUT = "converted_held_out"


@dataclass(frozen=True, slots=True)
class Window:
    """Firings from `since` up to, not including, `until`, and of the versions with these ids; None is no limit."""

    since: datetime | None = None
    until: datetime | None = None
    versions: tuple[UUID, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether everything counts."""
        return self == ALL_THE_TIME

    @property
    def parameters(self) -> dict[str, object]:
        """Return what a statement binds: `since`, `until`, `has_versions` and `versions`."""
        return {
            "since": self.since,
            "until": self.until,
            "has_versions": self.versions is not None,
            "versions": list(self.versions or ()),
        }


ALL_THE_TIME = Window()
