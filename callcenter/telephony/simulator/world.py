"""What every part of the simulator shares: the books, time, chance, the courier and the log."""

from dataclasses import dataclass
from random import Random
from typing import TextIO

from .books import Books
from .faults import Faults
from .journal import Journal
from .settings import Settings
from .timers import Timers
from .webhooks import Courier


@dataclass(slots=True)
class World:
    settings: Settings
    books: Books
    timers: Timers
    faults: Faults
    journal: Journal
    courier: Courier

    def start(self) -> None:
        self.timers.start()
        self.courier.start()

    def stop(self) -> None:
        self.timers.stop()
        self.courier.stop()


def build_world(settings: Settings, log: TextIO | None) -> World:
    """Wire the parts together; nothing runs until `start`."""
    books = Books(settings.kept_calls)
    journal = Journal(log, books.now)
    timers = Timers(settings.speed, journal.note_error)
    faults = Faults(Random(f"{settings.seed}:faults"))
    courier = Courier(timers, faults, journal, settings.auth_token, settings.signature)
    return World(settings, books, timers, faults, journal, courier)
