"""What every part of the simulator shares: the books, time, chance, the courier and the log."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TextIO

from .books import Books
from .faults import Faults
from .journal import Journal
from .records import Call, Delivery
from .settings import LOOPBACK, Settings
from .timers import Timers
from .webhooks import Courier, Reply, Webhook

SETTLE_S = 5.0


@dataclass(slots=True)
class Limits:
    """What the account may do; changeable while it runs."""

    cps: float
    concurrency: int


@dataclass(slots=True)
class VoiceApplication:
    """The account's one TwiML application: what answers when a softphone calls out."""

    sid: str
    created_at: datetime
    updated_at: datetime
    voice_url: str | None = None
    voice_method: str = "POST"
    voice_fallback_url: str | None = None
    voice_fallback_method: str = "POST"
    status_callback: str | None = None
    status_callback_method: str = "POST"
    friendly_name: str = "carrier-sim"


@dataclass(slots=True)
class World:
    settings: Settings
    books: Books
    timers: Timers
    faults: Faults
    journal: Journal
    courier: Courier
    limits: Limits
    application: VoiceApplication
    port: int = field(default=0)

    @property
    def base_url(self) -> str:
        """This very server, as recordings' addresses name it."""
        return f"http://{LOOPBACK}:{self.port or self.settings.port}"

    def start(self) -> None:
        if self.settings.is_manual:
            self.timers.stand()
        self.timers.start()
        self.courier.start()

    def stop(self) -> None:
        self.timers.stop()
        self.courier.stop()

    def advance(self, seconds: float) -> int:
        """Move a standing clock; after each timer what was sent is let arrive, so that order is the clock's."""
        return self.timers.advance(seconds, lambda: self.courier.wait_until_still(SETTLE_S))


def build_world(settings: Settings, log: TextIO | None) -> World:
    """Wire the parts together; nothing runs until `start`."""
    faults = Faults(Random(f"{settings.seed}:faults"))

    def note_error(error: BaseException) -> None:
        journal.note_error(error)

    timers = Timers(settings.speed, note_error)
    books = Books(settings.kept_calls, lambda: timers.now() + timedelta(seconds=faults.setting("clock_skew")))
    journal = Journal(log, timers.now)
    courier = Courier(timers, faults, journal, settings.auth_token, settings.signature)
    courier.witness = lambda webhook, reply, ms: _into_events(books, webhook, reply, ms)
    application = VoiceApplication(
        settings.application_sid, books.now(), books.now(), voice_url=settings.voice_url
    )
    limits = Limits(settings.cps, settings.concurrency)
    return World(settings, books, timers, faults, journal, courier, limits, application)


def _into_events(books: Books, webhook: Webhook, reply: Reply, ms: int) -> None:
    call: Call | None = books.calls.get(webhook.lane[:34])
    if call is not None:
        delivery = Delivery(books.now(), webhook.method, webhook.url, webhook.what, reply.status, ms)
        call.note_delivery(delivery)
