"""Stand-ins for what the world of customers speaks to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.demo.behaviour import Value
from callcenter.demo.people import Person, TelephoneManner
from callcenter.demo.telephones import CallNews


@dataclass(frozen=True)
class Reported:
    """One event the app was asked to report."""

    index: int
    known: bool
    kind: str
    name: str
    properties: Mapping[str, Value]
    at: datetime


@dataclass
class RecordingApp:
    """Keeps what is reported."""

    events: list[Reported] = field(default_factory=list)

    def report(
        self, person: Person, known: bool, kind: str, name: str, properties: Mapping[str, Value], at: datetime
    ) -> None:
        self.events.append(Reported(person.index, known, kind, name, properties, at))

    def of(self, index: int) -> list[Reported]:
        return [event for event in self.events if event.index == index]


@dataclass
class RecordingTelephones:
    """Keeps the announced numbers; hands out the news it was given."""

    announced: dict[str, TelephoneManner] = field(default_factory=dict)
    waiting: list[CallNews] = field(default_factory=list)
    restarted: bool = False
    speed: float = 1.0

    def announce(self, phone: str, manner: TelephoneManner) -> None:
        self.announced[phone] = manner

    def news(self) -> list[CallNews]:
        news, self.waiting = self.waiting, []
        return news

    def take_carrier_restart(self) -> bool:
        restarted, self.restarted = self.restarted, False
        return restarted


def news_of(
    phone: str,
    sid: str = "CA1",
    ringing: bool = False,
    talking: bool = False,
    ended: bool = False,
    talked_s: float = 0.0,
) -> CallNews:
    return CallNews(sid, phone, ringing, talking, ended, talked_s)
