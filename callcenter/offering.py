"""Offers on a call: what its agent may grant, granting it once, taking it back; and the catalog.

Verbs as in the pipeline, and beside it for its length: each takes a session, ids and `now`, and commits nothing.
Rows are locked as everywhere, and the offer after them: who holds it counts alone, so no limit is overrun.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter import merging, moves, outbox
from callcenter.accounts import service as accounts
from callcenter.calls import service as calls
from callcenter.calltasks import queries as task_queries
from callcenter.domain.enums import AttemptState, TaskState
from callcenter.domain.offers import OfferTerms
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.journeys import queries as journey_queries
from callcenter.models import CallTask, ContactAttempt, Customer, Offer, OfferGrant, TriggerFiring
from callcenter.offers import queries, service
from callcenter.offers.rules import (
    About,
    Barred,
    Known,
    Occasion,
    Taken,
    day_of,
    is_for,
    problems_of,
    why_not,
)
from callcenter.triggers import queries as trigger_queries
from callcenter.triggers.history import about_customers

# -- on the call -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnCall:
    """An offer that is meant for a call: why it may not be granted now (nothing: it may), and its grant, if any."""

    offer: Offer
    barred: tuple[Barred, ...]
    grant: OfferGrant | None = None


def offers_on_call(session: Session, task: CallTask, agent_id: UUID, now: datetime) -> list[OnCall]:
    """List what an agent may grant on a call, and what not and why; what is over or has not begun is left out."""
    live = queries.offers_live(session)
    attempt = calls.last_attempt_of_task(session, task.id)
    granted = (
        {one.offer_code: one for one in queries.grants_of_attempt(session, attempt.id)} if attempt else {}
    )
    if not live and not granted:
        return []
    occasion = occasion_of(session, task, now)
    meant = [one for one in live if one.code in granted or is_for(queries.terms_of(one), occasion)]
    days = {one.code: day_of(queries.terms_of(one), now) for one in meant}
    taken = queries.taken(session, days, task.customer_id, agent_id) if days else {}
    shown = []
    for one in meant:
        barred = why_not(queries.terms_of(one), occasion, taken.get(one.code, Taken()), now)
        if one.code in granted or _is_now(one, now):
            shown.append(OnCall(one, barred, granted.get(one.code)))
    return shown


def _is_now(one: Offer, now: datetime) -> bool:
    return one.valid_from <= now and (one.valid_until is None or now < one.valid_until)


def occasion_of(session: Session, task: CallTask, now: datetime) -> Occasion:
    """Return what a call is about: its own reason, those folded in that stand, and who is called."""
    rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    own = session.get_one(TriggerFiring, task.firing_id)
    folded = merging.reasons_folded(session, rules, task.id) if task.folded_firings else []
    firings = [own, *(one.firing for one in folded if one.stands)]
    customer = session.get_one(Customer, task.customer_id)
    known = about_customers(session, [customer.id], {}, now).get(customer.id)
    return Occasion(
        reasons=tuple(About(one.journey, one.step, one.rule_key) for one in firings),
        tags=frozenset(customer.tags),
        objects=known is not None and known.objects,
    )


def grant_offer(session: Session, call_task_id: UUID, code: str, agent_id: UUID, now: datetime) -> OfferGrant:
    """Grant an offer on an agent's own call, until its wrap-up is saved; granted already is fine.

    Raises Conflict when it may not be granted: every limit is counted behind the offer's lock.
    """
    task, attempt = _call_of(session, call_task_id, agent_id)
    if attempt.bridged_at is None:
        raise Conflict("Nobody was spoken with on this call, so nothing can be granted on it.")
    row = service.lock_offer(session, code)
    known = {one.offer_code: one for one in queries.grants_of_attempt(session, attempt.id)}
    if code in known:
        return known[code]
    terms = queries.terms_of(row)
    occasion = occasion_of(session, task, now)
    if row.ended_at is not None or not is_for(terms, occasion):
        raise Conflict("This offer is not meant for this call. Choose one of those shown.")
    taken = queries.taken(session, {code: day_of(terms, now)}, task.customer_id, agent_id)
    if why_not(terms, occasion, taken.get(code, Taken()), now):
        raise Conflict("This offer may not be granted now. The console says why, and until when.")
    one = service.grant(session, row, attempt, agent_id, now)
    _record(session, one, agent_id, "offer.granted", now)
    return one


def take_back_offer(session: Session, grant_id: UUID, agent_id: UUID, now: datetime) -> None:
    """Take back what an agent granted on their own call, until its wrap-up is saved; taken back already is fine."""
    known = session.get(OfferGrant, grant_id)
    if known is None:
        raise NotFound("There is no such grant.")
    _, attempt = _call_of(session, known.call_task_id, agent_id)
    if attempt.id != known.attempt_id:
        raise Conflict("The wrap-up of that call is saved; what was granted on it stays.")
    service.lock_offer(session, known.offer_code)
    session.refresh(known)
    if service.take_back(known, now):
        _record(session, known, agent_id, "offer.taken_back", now)


def _call_of(session: Session, call_task_id: UUID, agent_id: UUID) -> tuple[CallTask, ContactAttempt]:
    """Lock an agent's own call task, its customer first, and return it with the attempt under way or wrapped up."""
    known = session.get(CallTask, call_task_id)
    if known is None:
        raise NotFound("There is no such call task.")
    moves.lock_customer(session, known.customer_id)
    task = task_queries.lock_task(session, call_task_id)
    assert task is not None
    if task.agent_id != agent_id:
        raise Forbidden("This call task is with another agent by now.")
    attempt = calls.last_attempt_of_task(session, task.id)
    if attempt is None or task.state not in (TaskState.ASSIGNED, TaskState.WRAPPING):
        raise Conflict("Offers are granted during the call or in its wrap-up.")
    return task, attempt


def is_spoken(attempt: ContactAttempt | None) -> bool:
    """Whether customer and agent were in one room on an attempt, so that something may be granted on it."""
    return attempt is not None and (attempt.bridged_at is not None or attempt.state == AttemptState.BRIDGED)


def _record(session: Session, one: OfferGrant, agent_id: UUID, act: str, now: datetime) -> None:
    detail = {"offer": one.offer_code, "version": one.offer_version, "attempt_id": str(one.attempt_id)}
    accounts.record(session, agent_id, act, f"grant {one.id}", now, **detail)
    outbox.ring(session, outbox.agent_channel(agent_id), outbox.STUDIO)


# -- the catalog -------------------------------------------------------------------------------------------


class OfferRefused(BadInput):
    """What was said of an offer cannot be kept; `problems` says why, by field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("Look at the fields marked.", {name: [text] for name, text in problems.items()})
        self.problems = problems


def known_names(session: Session) -> Known:
    """Return the journeys, steps and rules an offer may name."""
    journeys = journey_queries.journeys_loaded(session)
    rules = trigger_queries.current_rules(session, journeys)
    return Known(
        journeys=tuple(journeys),
        steps=tuple(f"{one.id}/{step.id}" for one in journeys.values() for step in one.steps),
        rules=tuple(one.spec.key for one in rules.all_current()),
    )


def add_offer(session: Session, code: str, terms: OfferTerms, user_id: UUID | None, now: datetime) -> Offer:
    """Add an offer to the catalog; it may be granted from then on. Raises OfferRefused."""
    problems = dict(problems_of(code, terms, known_names(session)))
    if "code" not in problems and session.get(Offer, code) is not None:
        problems["code"] = "There is an offer of this code. Choose another."
    if problems:
        raise OfferRefused(problems)
    row = service.add_offer(session, code, terms, user_id, now)
    accounts.record(session, user_id, "offer.added", f"offer {code}", now, version=row.version)
    outbox.ring(session, outbox.STUDIO)
    return row


def change_offer(
    session: Session, code: str, terms: OfferTerms, seen: int, user_id: UUID | None, now: datetime
) -> Offer:
    """Change an offer as of now; `seen` is the version the change was made to.

    The audit trail keeps what it said before. Raises OfferRefused, NotFound, and Conflict when somebody else was
    quicker.
    """
    row = service.lock_offer(session, code)
    if row.version != seen:
        raise Conflict("Somebody has changed this offer meanwhile. Open it again; nothing of theirs is lost.")
    still_there = queries.terms_of(row)
    known = known_names(session)
    # What it named before may stay, also where a rule has been retired since.
    known = Known(
        (*known.journeys, *still_there.journeys),
        (*known.steps, *still_there.steps),
        (*known.rules, *still_there.rules),
    )
    if problems := dict(problems_of(code, terms, known)):
        raise OfferRefused(problems)
    changed = service.change_offer(row, terms, user_id, now)
    if changed:
        accounts.record(
            session, user_id, "offer.changed", f"offer {code}", now, version=row.version, changed=changed
        )
        outbox.ring(session, outbox.STUDIO)
    return row


def end_offer(session: Session, code: str, user_id: UUID | None, now: datetime, *, ended: bool) -> None:
    """End an offer, or let it run again; so already is fine. What was granted stays granted."""
    row = service.lock_offer(session, code)
    if service.end_offer(row, user_id, now, ended=ended):
        accounts.record(session, user_id, "offer.ended" if ended else "offer.resumed", f"offer {code}", now)
        outbox.ring(session, outbox.STUDIO)
