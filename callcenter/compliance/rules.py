"""May we call this customer now? Facts in, verdict out; no I/O, no clock."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.domain.contact import CallingHours, ContactPolicy, CustomerFacts, Verdict
from callcenter.domain.enums import PASSING_BARS, BarReason

NO_POLICY_VERSION = "none"
_SEARCH_STEP = timedelta(minutes=15)
_SEARCH_DAYS = 8
_OFFERS_AHEAD = tuple(timedelta(hours=hours) for hours in (0.5, 3, 20, 26))
_MOST_OFFERS = 3


def screen_customer(facts: CustomerFacts, policy: ContactPolicy | None, now: datetime) -> Verdict:
    """Name every reason that bars the call; no reason means it is allowed.

    Fails closed: what we do not know (policy, number, time zone) bars the call. Calling hours are the
    customer's local hours, in every zone the customer may be in, never the server's.
    """
    if policy is None:
        return Verdict(reasons=(BarReason.NO_POLICY,), policy_version=NO_POLICY_VERSION)
    checks = {
        BarReason.DO_NOT_CALL: facts.on_do_not_call_list,
        BarReason.CUSTOMER_FROZEN: facts.is_frozen,
        BarReason.INVALID_NUMBER: not facts.is_number_valid,
        BarReason.UNKNOWN_TIME_ZONE: not facts.time_zones,
        BarReason.OUTSIDE_CALLING_HOURS: not _all_open(policy.calling_hours, facts.time_zones, now),
        BarReason.ATTEMPT_CAP_REACHED: _attempts_since(facts, now - policy.cap_window) >= policy.attempt_cap,
        BarReason.MINIMUM_GAP: _attempts_since(facts, now - policy.minimum_gap) > 0,
    }
    reasons = tuple(reason for reason, is_barred in checks.items() if is_barred)
    passes = bool(reasons) and all(reason in PASSING_BARS for reason in reasons)
    return Verdict(
        reasons=reasons,
        policy_version=policy.version,
        next_allowed_at=next_allowed_at(facts, policy, now) if passes else None,
    )


def next_allowed_at(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> datetime | None:
    """Return the first moment from `now` on at which hours, cap and gap all allow a call, to a quarter hour.

    None when there is none within eight days.
    """
    start = max(now, *_budget_free_at(facts, policy, now))
    if _all_open(policy.calling_hours, facts.time_zones, start):
        return start
    moment = _ceil_quarter(start)
    for _ in range(int(timedelta(days=_SEARCH_DAYS) / _SEARCH_STEP)):
        if _all_open(policy.calling_hours, facts.time_zones, moment):
            return moment
        moment += _SEARCH_STEP
    return None


def times_to_offer(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> tuple[datetime, ...]:
    """Return up to three quarter hours at which a call back is allowed: soon, later on, the next day."""
    times: list[datetime] = []
    for ahead in _OFFERS_AHEAD:
        allowed = next_allowed_at(facts, policy, _ceil_quarter(now + ahead))
        if allowed is not None:
            # A gap may end between two quarters, and the next one may lie after closing time.
            allowed = next_allowed_at(facts, policy, _ceil_quarter(allowed))
        if allowed is not None and allowed not in times:
            times.append(allowed)
    return tuple(times[:_MOST_OFFERS])


def _all_open(hours: CallingHours, zones: tuple[ZoneInfo, ...], at: datetime) -> bool:
    return bool(zones) and all(hours.contains(at.astimezone(zone)) for zone in zones)


def _attempts_since(facts: CustomerFacts, since: datetime) -> int:
    return sum(at > since for at in facts.attempts_at)


def _budget_free_at(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> list[datetime]:
    """When the cap and the gap allow the next call: one moment each, in the past when they do already."""
    recent = sorted(at for at in facts.attempts_at if at > now - policy.cap_window)
    free = [now]
    if len(recent) >= policy.attempt_cap:
        free.append(recent[-policy.attempt_cap] + policy.cap_window)
    if facts.attempts_at:
        free.append(max(facts.attempts_at) + policy.minimum_gap)
    return free


def _ceil_quarter(at: datetime) -> datetime:
    floor = at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
    return floor if floor == at else floor + _SEARCH_STEP
