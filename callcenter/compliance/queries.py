"""Facts for the gate, loaded in bulk: one trip to the database, whatever the number of customers."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlmodel import Session

from callcenter.ahead import Asked, in_one_trip
from callcenter.compliance.number_key import UNREADABLE, fingerprint_of
from callcenter.compliance.numbers import hash_number, kind_of, possible_zones, regions_of
from callcenter.db import cursor_of
from callcenter.domain.contact import CallingHours, CampaignFacts, CustomerFacts, Suppressed
from callcenter.domain.enums import CallResult, ConsentAct, Purpose, SuppressionKind

LOOK_BACK = timedelta(days=35)
"""How far back attempts are known: further than the longest window a pack may name."""
_NOT_RUNG = [CallResult.NOT_PLACED.value, CallResult.REJECTED.value]


class Callee(Protocol):
    """Who is to be called: a customer, or somebody of whom no more is known than a number."""

    @property
    def id(self) -> UUID: ...
    @property
    def number(self) -> str | None: ...
    @property
    def time_zone(self) -> str | None: ...
    @property
    def traits(self) -> dict[str, Any]: ...
    @property
    def frozen_at(self) -> datetime | None: ...


_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody with this number of whom the bank knows nothing."""

    number: str
    id: UUID = _NOBODY
    time_zone: str | None = None
    traits: dict[str, Any] = field(default_factory=dict)
    frozen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """A call the gate is asked about, and what it is for. `is_agent_guaranteed`: an agent waits for its answer."""

    customer: Callee
    purpose: Purpose
    campaign: str
    is_agent_guaranteed: bool = True
    firing_id: UUID | None = None
    call_task_id: UUID | None = None


# A lifted entry is taken back by another that names it; lists count while they are in force.
_SUPPRESSED = """
SELECT s.customer_id, s.number_hash, s.kind, s.created_at, s.expires_at, s.purpose, s.campaign
  FROM suppression s
 WHERE (s.customer_id = ANY(%(people)s) OR s.number_hash = ANY(%(hashes)s)) AND s.lifts_id IS NULL
   AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
   AND NOT EXISTS (SELECT FROM suppression l WHERE l.lifts_id = s.id)
UNION ALL
SELECT NULL, n.number_hash, 'do_not_call', l.as_of, NULL, l.purpose, NULL
  FROM suppression_list_number n JOIN suppression_list l ON l.id = n.list_id AND l.in_force
 WHERE n.number_hash = ANY(%(hashes)s)
"""
_CONSENTS = """
SELECT DISTINCT ON (customer_id, purpose) customer_id, purpose, act, expires_at
  FROM consent WHERE customer_id = ANY(%(people)s) AND at <= %(now)s
 ORDER BY customer_id, purpose, at DESC, id DESC
"""
# A try that provably never rang does not count. A conversation: both were on the line, and nobody says that
# it was a machine or not the customer; a corrected tag never makes a conversation none.
_ATTEMPTS = """
SELECT a.customer_id, a.to_number, a.claimed_at, a.result = 'abandoned',
       CASE WHEN a.bridged_at IS NOT NULL AND a.result = 'completed'
                 AND COALESCE(k.right_party OR c.right_party, k.right_party, true)
                 AND COALESCE(a.answered_by, 'human') IN ('human', 'unknown')
            THEN COALESCE(a.ended_at, a.claimed_at) END
  FROM contact_attempt a
  LEFT JOIN disposition d ON d.attempt_id = a.id
  LEFT JOIN disposition_kind k ON k.code = d.kind_code
  LEFT JOIN disposition_kind c ON c.code = d.corrected_code
 WHERE (a.customer_id = ANY(%(people)s) OR a.to_number = ANY(%(numbers)s)) AND a.claimed_at > %(since)s
   AND (a.result IS NULL OR a.result <> ALL(%(not_rung)s))
"""
_CAMPAIGNS = """
SELECT key, paused_at IS NOT NULL, hours FROM campaign WHERE key = ANY(%(campaigns)s)
"""
_ANSWERS = """
SELECT campaign, count(*), count(*) FILTER (WHERE result = 'abandoned')
  FROM contact_attempt
 WHERE campaign = ANY(%(campaigns)s) AND answered_at > %(now)s - interval '30 days'
   AND (answered_by IS NULL OR answered_by IN ('human', 'unknown'))
 GROUP BY campaign
"""
_REGISTRIES = "SELECT key, as_of FROM suppression_list WHERE in_force"
# After somebody has confirmed the clock, only what was written since counts.
_NEWEST = """
SELECT max(asked_at) FROM screening_decision
 WHERE id > COALESCE((SELECT max((detail ->> 'up_to')::bigint) FROM audit_entry WHERE act = 'clock.confirmed'), 0)
"""


@dataclass
class _Known:
    """What the database knows of the people and numbers asked about."""

    suppressed: dict[UUID | bytes, list[Suppressed]] = field(default_factory=lambda: defaultdict(list))
    consents: dict[tuple[UUID, str], datetime | None] = field(default_factory=dict)
    tried: dict[UUID | str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    talked: dict[UUID | str, datetime] = field(default_factory=dict)
    abandoned: dict[UUID | str, datetime] = field(default_factory=dict)
    campaigns: dict[str, CampaignFacts] = field(default_factory=dict)
    registries: dict[str, datetime] = field(default_factory=dict)
    newest: datetime | None = None
    are_lists_readable: bool = True


def facts_of_calls(
    session: Session, calls: Sequence[ProposedCall], number_key: bytes, now: datetime
) -> list[CustomerFacts]:
    """Load what the gate must know of these calls, in the order given; one trip whatever their number."""
    hashes = {
        one.customer.number: hash_number(number_key, one.customer.number)
        for one in calls
        if one.customer.number
    }
    known = _load(session, calls, hashes, fingerprint_of(number_key), now)
    return [_facts(known, one, hashes.get(one.customer.number or "")) for one in calls]


def _facts(known: _Known, call: ProposedCall, number_hash: bytes | None) -> CustomerFacts:
    customer, number = call.customer, call.customer.number
    country, subdivision = _address(customer.traits)
    entries = [*known.suppressed.get(customer.id, ())]
    if number_hash is not None:
        entries += known.suppressed.get(number_hash, ())
    consent = (customer.id, call.purpose.value)
    both: tuple[UUID | str, ...] = (customer.id, number) if number else (customer.id,)
    return CustomerFacts(
        number=number,
        number_kind=kind_of(number) if number else None,
        regions=regions_of(number, country, subdivision),
        time_zones=possible_zones(customer.time_zone, number, country),
        purpose=call.purpose,
        campaign=call.campaign,
        is_agent_guaranteed=call.is_agent_guaranteed,
        suppressions=tuple(dict.fromkeys(entries)),
        consents_until=(known.consents[consent],) if consent in known.consents else (),
        is_frozen=customer.frozen_at is not None,
        person_attempts_at=tuple(known.tried.get(customer.id, ())),
        number_attempts_at=tuple(known.tried.get(number or "", ())),
        talked_at=max((known.talked[one] for one in both if one in known.talked), default=None),
        abandoned_at=max((known.abandoned[one] for one in both if one in known.abandoned), default=None),
        campaign_facts=known.campaigns.get(call.campaign, CampaignFacts()),
        registries_at=known.registries,
        newest_record_at=known.newest,
        are_lists_readable=known.are_lists_readable,
    )


def _address(traits: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return country and subdivision of an address as ISO codes, where the bank's app has told them."""
    address = traits.get("address")
    told = {**traits, **address} if isinstance(address, dict) else traits
    country, state = (str(told.get(name) or "").strip().upper() for name in ("country", "state"))
    is_code = len(country) == 2 and country.isalpha()
    return (country, state if len(state) == 2 else None) if is_code else (None, None)


def _load(
    session: Session,
    calls: Sequence[ProposedCall],
    numbers: Mapping[str, bytes],
    key_name: str,
    now: datetime,
) -> _Known:
    hashes = list(numbers.values())
    people = [one.customer.id for one in calls]
    campaigns = sorted({one.campaign for one in calls})
    overdials = sorted({one.campaign for one in calls if not one.is_agent_guaranteed})
    with in_one_trip(session):
        suppressed = _ask(session, _SUPPRESSED, people=people, hashes=hashes, now=now)
        consents = _ask(session, _CONSENTS, people=people, now=now)
        attempts = _ask(
            session,
            _ATTEMPTS,
            people=people,
            numbers=list(numbers),
            since=now - LOOK_BACK,
            not_rung=_NOT_RUNG,
        )
        set_up = _ask(session, _CAMPAIGNS, campaigns=campaigns)
        answers = _ask(session, _ANSWERS, campaigns=overdials, now=now) if overdials else None
        registries = _ask(session, _REGISTRIES)
        newest = _ask(session, _NEWEST)
        unreadable = _ask(session, UNREADABLE, mine=key_name, now=now)
    known = _Known()
    for person, number_hash, kind, since, until, purpose, campaign in suppressed:
        entry = Suppressed(
            SuppressionKind(kind), since, until, Purpose(purpose) if purpose else None, campaign
        )
        for one in (person, bytes(number_hash) if number_hash is not None else None):
            if one is not None:
                known.suppressed[one].append(entry)
    known.consents = {
        (person, purpose): until for person, purpose, act, until in consents if act == ConsentAct.GIVEN
    }
    _sort_attempts(known, attempts)
    live = {key: counts for key, *counts in answers} if answers is not None else {}
    rows = {key: (paused, hours) for key, paused, hours in set_up}
    known.campaigns = {
        key: CampaignFacts(
            rows.get(key, (False, ()))[0], _own_hours(rows.get(key, (False, ()))[1]), *live.get(key, ())
        )
        for key in campaigns
    }
    known.registries = dict(registries.fetchall())
    known.newest = (newest.fetchone() or (None,))[0]
    known.are_lists_readable = unreadable.fetchone() is None
    return known


def _ask(session: Session, statement: str, **asked: object) -> Asked:
    return cursor_of(session).execute(statement, asked)


def _sort_attempts(known: _Known, attempts: Asked) -> None:
    for person, number, at, abandoned, talked_at in attempts:
        for one in (person, number):
            known.tried[one].append(at)
            if abandoned:
                known.abandoned[one] = max(at, known.abandoned.get(one, at))
            if talked_at is not None:
                known.talked[one] = max(talked_at, known.talked.get(one, talked_at))


def _own_hours(hours: Collection[str]) -> CallingHours | None:
    if len(hours) != 2:
        return None
    opens, closes = (time.fromisoformat(one) for one in hours)
    return CallingHours.every_day(opens, closes)
