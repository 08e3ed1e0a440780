"""Alerts: what is open and who has it, what is over, and from when each team's supervisor is told."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.floor import Need
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert that is over. `title` is finished words."""

    title: str
    raised_at: datetime
    cleared_at: datetime
    has: str | None = None
    taken_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class TeamLimits:
    """From when a team's supervisor is told, as typed; `team` "" is for everybody else and the queue."""

    team: str
    title: str
    wrap_up: str
    not_ready: str
    talk: str
    overdue: str
    is_own: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class AlertsPage:
    """The open alerts, quiet ones last, those that are over, and the thresholds."""

    frame: Frame
    tabs: tuple[Choice, ...]
    needs: tuple[Need, ...] = ()
    past: tuple[PastAlert, ...] = ()
    limits: tuple[TeamLimits, ...] = ()
