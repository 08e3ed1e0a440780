"""The wallboard for a television, and the page with its links. No name and no number of anybody is on it."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.floor import Figure
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.reports import BarChart
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class StatePart:
    """So many agents in a state, as a share of those signed on. `place` picks its shade."""

    code: str
    many: int
    share: float
    place: int


@dataclass(frozen=True, slots=True)
class WallboardPage:
    """The day in large figures. `today` is in words; `figures` are those of the floor's strip, by code."""

    frame: Frame
    team: str
    today: str
    figures: dict[str, Figure]
    without_agent: int = 0
    states: tuple[StatePart, ...] = ()
    chart: BarChart | None = None

    @property
    def signed_on(self) -> int:
        """How many agents are signed on."""
        return sum(part.many for part in self.states)


@dataclass(frozen=True, slots=True)
class OpeningPage:
    """Where a television's link is exchanged for a cookie; `error` is a finished sentence."""

    organisation: str
    language: str
    theme: str
    csrf_token: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link to the wallboard. `state`: works, revoked or ended."""

    id: int
    name: str
    hint: str
    language: str
    theme: str
    state: str
    created_at: datetime
    expires_at: datetime
    created_by: str | None = None


@dataclass(frozen=True, slots=True)
class WallboardLinksPage:
    """The links there are, the form of a new one as typed, and the address of the one just made, shown once."""

    frame: Frame
    tabs: tuple[Choice, ...]
    links: tuple[LinkRow, ...] = ()
    name: str = ""
    made: str | None = None
    error: str | None = None
