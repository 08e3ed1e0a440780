"""A back-test as strategy reads it: how many calls, for how many agents, and which of them are worth making."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from callcenter.backtest.run import Run, Tried, run_back_test
from callcenter.backtest.screening import Screened, Screening, screen_firings
from callcenter.backtest.store import StoredEvents
from callcenter.backtest.values import BackTest, Firing, Stored, sorted_since
from callcenter.compliance.policies import Gate, current_book
from callcenter.domain.erlang import Staffing, agents_needed
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import BadInput, NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Customer
from callcenter.triggers.policy import RuleSpec, read_rule
from callcenter.triggers.queries import RuleSet, current_rules

SPANS = (("1h", timedelta(hours=1)), ("24h", timedelta(hours=24)))
SAMPLES = 20
SHOWN_EVENTS = 6
"""A sample shows so many events up to its firing, and so many after it."""
NEARBY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the number of agents rests on.

    `handle_time` is that of an average call task, whether the customer is reached or not. The default of 4
    minutes is 8.5 minutes for the 40 % who are reached, wrap-up included, and 1 minute for the others; it is
    an assumption, to be replaced by your own figure. With `patience` those who wait give up after so long on
    average (Erlang A); without, everybody waits (Erlang C).
    """

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    handle_time: timedelta = timedelta(minutes=4)
    service_level: float = 0.8
    within: timedelta = timedelta(seconds=20)
    patience: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many firings are of customers a live rule chooses too, in the same visit or within the hour."""

    rule: str
    is_own: bool
    fired: int
    same_visit: int
    nearby: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One customer: the firing, their name, and the events around it."""

    firing: Firing
    name: str | None
    events: Sequence[Stored]


@dataclass(frozen=True)
class Report:
    """Everything a back-test tells. Days and hours are those of the assumptions' zone."""

    spec: RuleSpec
    live: RuleSpec | None
    """The version of the same rule that is live, None where none is."""
    run: Run
    assumptions: Assumptions
    per_day: Sequence[tuple[date, int]]
    per_hour: Sequence[int]
    busiest: tuple[datetime, int] | None
    staffing: Staffing
    overlaps: Sequence[Overlap]
    screened: Screened
    samples: Sequence[Sample]

    @property
    def result(self) -> BackTest:
        """The firings and the clock."""
        return self.run.back_test


def report_back_test(
    session: Session,
    raw: Mapping[str, Any],
    *,
    now: datetime,
    gate: Gate,
    archive: Path | None = None,
    where: str = "rule",
    since: datetime | None = None,
    until: datetime | None = None,
    assumptions: Assumptions | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> Report:
    """Run a rule's definition over the stored events of its journey, and tell what it would have done.

    In: a session that has read nothing yet of the events, the definition as parsed from YAML or JSON, the
    the gate, the folder of the archived weeks, limits for the firings. The session's transaction becomes read-only.
    Raises NotFound when the journey is not loaded, BadInput when the definition is wrong.
    """
    assumed = assumptions or Assumptions()
    journey, tried = _read(session, raw, where)
    stored = StoredEvents(session, journey, archive, until)
    rules = current_rules(session, journeys_loaded(session))
    beside = _live_rules(rules, journey)
    run = run_back_test(
        stored, journey, tried, others=beside, since=since, until=until, on_progress=on_progress
    )
    firings = run.back_test.firings
    local = [one.fired_at.astimezone(assumed.zone) for one in firings]
    busiest = _busiest(local, assumed.zone)
    return Report(
        spec=tried.spec,
        live=next((one.spec for one in beside if one.spec.key == tried.spec.key), None),
        run=run,
        assumptions=assumed,
        per_day=sorted(Counter(at.date() for at in local).items()),
        per_hour=_per_hour(local),
        busiest=busiest,
        staffing=agents_needed(
            busiest[1] if busiest else 0,
            assumed.handle_time,
            assumed.within,
            assumed.service_level,
            assumed.patience,
        ),
        overlaps=[_overlap(firings, one.spec.key, run, tried.spec.key) for one in beside],
        screened=screen_firings(
            session,
            firings,
            tried.spec.purpose,
            journey.id,
            Screening(current_book(session, gate.home_packs), gate.number_key),
            now,
        ),
        samples=_samples(session, stored, firings),
    )


def _read(session: Session, raw: Mapping[str, Any], where: str) -> tuple[JourneyDefinition, Tried]:
    loaded = journeys_loaded(session)
    journey = loaded.get(str(raw.get("journey")))
    if journey is None:
        raise NotFound(
            f"{where}: journey {raw.get('journey')!r} is not loaded; import its events first: "
            "callcenter import-events FILE --mapping MAPPING.yaml"
        )
    try:
        return journey, Tried(read_rule(raw, journey), raw.get("conditions"))
    except BadInput as error:
        raise BadInput(f"{where}: {error.message}") from error


def _live_rules(rules: RuleSet, journey: JourneyDefinition) -> list[Tried]:
    live = [one for one in rules.all_current() if rules.is_live(one.spec.key)]
    return [Tried(one.spec, one.conditions) for one in live if one.spec.journey == journey.id]


def _per_hour(local: Iterable[datetime]) -> list[int]:
    hours = Counter(at.hour for at in local)
    return [hours[hour] for hour in range(24)]


def _busiest(local: Iterable[datetime], zone: ZoneInfo) -> tuple[datetime, int] | None:
    """The clock hour with the most firings, the earliest of several."""
    # Counted in UTC: an hour that a changed clock repeats is two hours.
    hours = Counter(at.replace(minute=0, second=0, microsecond=0).astimezone(UTC) for at in local)
    found = min(hours.items(), key=lambda hour: (-hour[1], hour[0]), default=None)
    return (found[0].astimezone(zone), found[1]) if found else None


def _overlap(firings: Sequence[Firing], rule_key: str, run: Run, own_key: str) -> Overlap:
    theirs = run.others[rule_key]
    visits = {one.visit for one in theirs}
    times: dict[str, list[datetime]] = {}
    for one in theirs:
        times.setdefault(one.customer_id, []).append(one.fired_at)
    same = [one.visit in visits for one in firings]
    near = [
        is_same or any(abs(at - one.fired_at) <= NEARBY for at in times.get(one.customer_id, ()))
        for one, is_same in zip(firings, same, strict=True)
    ]
    return Overlap(rule_key, rule_key == own_key, len(theirs), sum(same), sum(near))


def _samples(session: Session, stored: StoredEvents, firings: Sequence[Firing]) -> list[Sample]:
    """Choose customers as if by chance, and always the same."""
    first = {one.customer_id: one for one in reversed(firings)}
    chosen = sorted(first.values(), key=lambda one: sha256(one.customer_id.encode()).digest())[:SAMPLES]
    ids = [UUID(one.customer_id) for one in chosen]
    names = dict(session.execute(select(Customer.id, Customer.name).where(col(Customer.id).in_(ids))).all())
    courses: dict[tuple[str, str], list[Stored]] = {}
    wanted = {(one.customer_id, one.journey_key) for one in chosen}
    for event in stored.of_courses(wanted, with_properties=False) if wanted else ():
        courses.setdefault((event.customer_id, event.place.journey_key), []).append(event)
    return [
        Sample(one, names.get(UUID(one.customer_id)), _around(one, courses[one.customer_id, one.journey_key]))
        for one in sorted_since(chosen, None)
    ]


def _around(firing: Firing, events: Sequence[Stored]) -> list[Stored]:
    """The events before and after a firing, as they came in."""
    place = sum(one.event.received_at <= firing.fired_at for one in events)
    return list(events[max(place - SHOWN_EVENTS, 0) : place + SHOWN_EVENTS])
