"""May we call this customer now? Facts in, verdict out; no I/O, no clock."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain

from callcenter.compliance.hours import are_open, next_open
from callcenter.domain.contact import FOR_GOOD, Cap, ContactPolicy, CustomerFacts, Suppressed, Verdict
from callcenter.domain.enums import BarReason, SuppressionKind

NO_POLICY_VERSION = "none"
ASK_AGAIN_AFTER = timedelta(minutes=15)
"""Bars that people lift (a pack that is wrong, a paused campaign, an old registry) are asked about so often."""
CLOCK_TOLERANCE = timedelta(seconds=60)
"""Computers of one house may differ by so much; a clock further behind our own records was set back."""
_OFFERS_AHEAD = tuple(timedelta(hours=hours) for hours in (0.5, 3, 20, 26))
_MOST_OFFERS = 3
_QUARTER = timedelta(minutes=15)

Bar = tuple[BarReason, datetime | None]
"""A reason, and when it is gone by itself; None when somebody must act, or nobody can tell."""
_REASON_OF = {
    SuppressionKind.DO_NOT_CALL: BarReason.DO_NOT_CALL,
    SuppressionKind.REFUSAL: BarReason.REFUSED,
    SuppressionKind.OBJECTION: BarReason.OBJECTED,
    SuppressionKind.DECEASED: BarReason.DECEASED,
    SuppressionKind.UNDER_AGE: BarReason.UNDER_AGE,
    SuppressionKind.COMPLAINT: BarReason.COMPLAINT_OPEN,
}
_ORDER = {reason: place for place, reason in enumerate(BarReason)}


def screen_customer(facts: CustomerFacts, policy: ContactPolicy | None, now: datetime) -> Verdict:
    """Name every reason that bars the call; no reason means it is allowed.

    Fails closed: what we do not know (policy, number, region, time zone, consent where it is needed) bars the
    call. Calling hours are the customer's local hours, in every zone the customer may be in, never the server's.
    """
    if policy is None:
        return Verdict((BarReason.NO_POLICY,), NO_POLICY_VERSION, now + ASK_AGAIN_AFTER)
    bars = list(
        chain(
            _suppressed(facts, policy, now),
            _without_consent(facts, policy, now),
            _by_number(facts, policy),
            _by_hours(facts, policy, now),
            _over_budget(facts, policy, now),
            _by_campaign(facts, policy, now),
            _by_clock(facts, now),
        )
    )
    lifts = [lifts_at for _, lifts_at in bars]
    next_at = None
    if bars and None not in lifts:
        next_at = next_allowed_at(facts, policy, max((now, *(at for at in lifts if at is not None))))
    reasons = sorted({reason for reason, _ in bars}, key=_ORDER.__getitem__)
    return Verdict(tuple(reasons), policy.version, next_at)


def _suppressed(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> Iterator[Bar]:
    """1. Who must not be called: lists, refusals, objections, and what freezes a customer."""
    for entry in facts.suppressions:
        if not entry.concerns(facts.purpose, facts.campaign):
            continue
        until = _until(entry, policy)
        if until is None or until > now:
            yield _REASON_OF[entry.kind], until
    if not facts.are_lists_readable:
        yield BarReason.LISTS_UNREADABLE, now + ASK_AGAIN_AFTER
    if facts.is_frozen:
        yield BarReason.CUSTOMER_FROZEN, None


def _until(entry: Suppressed, policy: ContactPolicy) -> datetime | None:
    """Return when an entry no longer counts: a refusal as long as the policy says, at most as it says itself."""
    if entry.kind is not SuppressionKind.REFUSAL or policy.refusal_stop == FOR_GOOD:
        return entry.until
    stops_at = entry.since + policy.refusal_stop
    return stops_at if entry.until is None else min(stops_at, entry.until)


def _without_consent(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> Iterator[Bar]:
    """2. What the call is for: whether consent is on record and the public registries were looked at lately."""
    stands = any(until is None or until > now for until in facts.consents_until)
    if policy.needs_consent and not stands:
        yield BarReason.NO_CONSENT, None
    for registry in policy.registries:
        as_of = facts.registries_at.get(registry.key)
        if as_of is None or as_of < now - registry.max_age:
            yield BarReason.REGISTRY_STALE, now + ASK_AGAIN_AFTER


def _by_number(facts: CustomerFacts, policy: ContactPolicy) -> Iterator[Bar]:
    """3. Whether the number is one that may be dialed."""
    if facts.number is None or facts.number_kind is None:
        yield BarReason.INVALID_NUMBER, None
    elif facts.number_kind in policy.barred_kinds:
        yield BarReason.NUMBER_KIND_BARRED, None
    if facts.regions & policy.barred_regions:
        yield BarReason.REGION_BARRED, None


def _by_hours(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> Iterator[Bar]:
    """4. Whether it is a time to call in every zone the customer may be in."""
    if not facts.time_zones:
        yield BarReason.UNKNOWN_TIME_ZONE, None
        yield BarReason.OUTSIDE_CALLING_HOURS, None
    elif not are_open(policy.hours, facts.time_zones, now):
        yield BarReason.OUTSIDE_CALLING_HOURS, next_open(policy.hours, facts.time_zones, now)


def _over_budget(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> Iterator[Bar]:
    """5. How often this person and this number were called, whatever for."""
    for reason, attempts in (
        (BarReason.ATTEMPT_CAP_REACHED, facts.person_attempts_at),
        (BarReason.NUMBER_CAP_REACHED, facts.number_attempts_at),
    ):
        free_at = [at for cap in policy.caps if (at := _free_at(cap, attempts, now)) is not None]
        if free_at:
            yield reason, max(free_at)
    latest = max((*facts.person_attempts_at, *facts.number_attempts_at), default=None)
    if latest is not None and latest > now - policy.minimum_gap:
        yield BarReason.MINIMUM_GAP, latest + policy.minimum_gap
    if facts.talked_at is not None and facts.talked_at > now - policy.conversation_pause:
        yield BarReason.TALKED_LATELY, facts.talked_at + policy.conversation_pause


def _free_at(cap: Cap, attempts: tuple[datetime, ...], now: datetime) -> datetime | None:
    """Return when a cap that is reached has room again; None when it has."""
    recent = sorted(at for at in attempts if at > now - cap.window)
    return recent[-cap.calls] + cap.window if len(recent) >= cap.calls else None


def _by_campaign(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> Iterator[Bar]:
    """6. What bars the campaign, and whether a call may ring before an agent is there to take it."""
    campaign = facts.campaign_facts
    if campaign.is_paused:
        yield BarReason.CAMPAIGN_PAUSED, now + ASK_AGAIN_AFTER
    if campaign.hours is not None and facts.time_zones:
        own = (campaign.hours,)
        if not are_open(own, facts.time_zones, now):
            yield BarReason.CAMPAIGN_CLOSED, next_open(own, facts.time_zones, now)
    if facts.is_agent_guaranteed:
        return
    if campaign.abandoned_30d + 1 > policy.abandonment_limit * (campaign.live_answers_30d + 1):
        yield BarReason.ABANDONMENT_BUDGET_SPENT, now + ASK_AGAIN_AFTER
    if facts.abandoned_at and facts.abandoned_at > now - policy.guaranteed_after_abandonment:
        yield BarReason.AGENT_NOT_GUARANTEED, facts.abandoned_at + policy.guaranteed_after_abandonment


def _by_clock(facts: CustomerFacts, now: datetime) -> Iterator[Bar]:
    """Caps and gaps count from our records: a clock that was set back would forget the last calls."""
    if facts.newest_record_at is not None and facts.newest_record_at > now + CLOCK_TOLERANCE:
        yield BarReason.CLOCK_SET_BACK, facts.newest_record_at


def next_allowed_at(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> datetime | None:
    """Return the first moment from `now` on at which hours, caps and gaps all allow a call.

    None when there is none within the time that calling hours are looked ahead.
    """
    hours = policy.hours
    if facts.campaign_facts.hours is not None:
        hours = (*hours, facts.campaign_facts.hours)
    starts = (lifts_at for _, lifts_at in _over_budget(facts, policy, now) if lifts_at is not None)
    return next_open(hours, facts.time_zones, max((now, *starts)))


def times_to_offer(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> tuple[datetime, ...]:
    """Return up to three quarter hours at which a call back is allowed: soon, later on, the next day."""
    times: list[datetime] = []
    for ahead in _OFFERS_AHEAD:
        allowed = next_allowed_at(facts, policy, _ceil_quarter(now + ahead))
        if allowed is not None:
            # A gap may end between two quarters, and the next one may lie after closing time.
            allowed = next_allowed_at(facts, policy, _ceil_quarter(allowed))
        if allowed is not None and allowed not in times and _ceil_quarter(allowed) == allowed:
            times.append(allowed)
    return tuple(times[:_MOST_OFFERS])


def _ceil_quarter(at: datetime) -> datetime:
    floor = at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
    return floor if floor == at else floor + _QUARTER
