"""Where everything is put together: settings, database, carrier, scripts, clock. Nothing else reads the clock."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from uuid import UUID

import redis
from sqlalchemy import Engine
from sqlmodel import Session

from callcenter import outbox
from callcenter.calls.policy import LostCalls
from callcenter.compliance.policies import Gate
from callcenter.config import Settings, load_settings
from callcenter.db import make_engine, read_scope, session_scope, without_transactions
from callcenter.domain.ports import AmdPolicy, Carrier, RecordPolicy
from callcenter.errors import ConfigError
from callcenter.moves import House
from callcenter.telephony.bucket import CallBucket, brake_for
from callcenter.telephony.twilio import TwilioCarrier, account_from
from callcenter.voice.rules import link_key, make_token
from scripts_library.catalog import shipped_catalog

LIVE_PREFIX = "callcenter-live-"
_COUNT_PREFIX = "callcenter-rings-"
_RING = "return redis.call('PUBLISH', KEYS[2], redis.call('INCR', KEYS[1]))"
"""In one, so that the counts arrive in their order."""


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Runtime:
    """The product, put together from its settings. One per process."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        if not settings.database_url or not settings.redis_url:
            raise ConfigError(
                "DATABASE_URL and REDIS_URL must be set; `callcenter up` sets them for its processes"
            )
        self.settings = settings
        self.clock = clock
        self.database_url = settings.database_url
        self.redis_url = settings.redis_url

    @cached_property
    def engine(self) -> Engine:
        """The database's connections."""
        return make_engine(self.database_url)

    @cached_property
    def redis(self) -> "redis.Redis":
        """The doorbell's connection; everything on it may be lost without losing anything."""
        return redis.Redis.from_url(self.redis_url, socket_connect_timeout=2, socket_timeout=5)

    @cached_property
    def house(self) -> House:
        """The bank's scripts, compliance gate and caller id."""
        return House(
            shipped_catalog(),
            Gate(self.settings.policy_packs, self.settings.number_key.encode()),
            self.settings.caller_id,
            self.settings.bank_name,
            LostCalls(
                timedelta(seconds=self.settings.lost_call_look_seconds),
                timedelta(seconds=self.settings.lost_call_absent_seconds),
            ),
            timedelta(seconds=self.settings.retry_after_seconds),
            self.settings.global_holdout,
            self.settings.calls_per_second,
        )

    @cached_property
    def survey_key(self) -> bytes:
        """The key by which survey links are made and known."""
        return link_key(self.settings.secret_key)

    def survey_link(self, survey_id: UUID) -> str:
        """Return the link of a survey; whoever has it may answer."""
        return f"{self.settings.public_base_url.rstrip('/')}/s/{make_token(self.survey_key, survey_id)}"

    @property
    def record_policy(self) -> RecordPolicy:
        """Whether customers' calls are recorded."""
        return RecordPolicy.ON if self.settings.record_calls else RecordPolicy.OFF

    @property
    def amd_policy(self) -> AmdPolicy:
        """Whether the carrier listens for answering machines."""
        return AmdPolicy.LISTEN if self.settings.answering_machine_detection else AmdPolicy.OFF

    @cached_property
    def _call_slots(self) -> CallBucket:
        return CallBucket(self.redis, self.settings.calls_per_second, "calls")

    def take_call_slot(self) -> timedelta:
        """Take one of the calls per second that all workers share; else return how long to wait."""
        return self._call_slots.take()

    def note_queue_delay(self, delay: timedelta) -> None:
        """Slow down when the carrier says that calls wait in its own queue."""
        if pause := brake_for(delay):
            self._call_slots.brake(pause)

    @cached_property
    def carrier(self) -> Carrier:
        """The carrier: Twilio, or the simulator by the same adapter."""
        return TwilioCarrier(account_from(self.settings))

    def warm_up(self) -> None:
        """Load what every process needs sooner or later, so that no customer waits for it."""
        _ = self.house, self.carrier, self.engine

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        """One transaction; after its commit the screens concerned are told."""
        with session_scope(self.engine) as session:
            yield session
        if rings := outbox.rings_of(session):
            self.tell(*rings)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reads; nothing of it is kept."""
        with read_scope(self.engine) as session:
            yield session

    @cached_property
    def _looking_engine(self) -> Engine:
        return without_transactions(self.engine)

    def looking(self) -> AbstractContextManager[Session]:
        """A session for a few short reads that very many ask for; nothing of it is kept."""
        return read_scope(self._looking_engine)

    def tell(self, *channels: str) -> None:
        """Ring channels, each with how often it has rung; a doorbell that is away costs a screen one polling
        interval."""
        with suppress(redis.RedisError), self.redis.pipeline(transaction=False) as together:
            for channel in channels:
                together.eval(_RING, 2, _COUNT_PREFIX + channel, LIVE_PREFIX + channel)
            together.execute()

    def times_rung(self, channel: str) -> int | None:
        """Return how often a channel has rung; None when the doorbell is away and nobody can say."""
        with suppress(redis.RedisError):
            return int(self.redis.get(_COUNT_PREFIX + channel) or 0)
        return None


@lru_cache(maxsize=1)
def get_runtime() -> Runtime:
    """Return this process's runtime, made from the environment on first use."""
    return make_runtime(os.environ)


def make_runtime(environ: Mapping[str, str]) -> Runtime:
    """Put a runtime together from an environment."""
    return Runtime(load_settings(environ))
