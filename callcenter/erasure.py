"""Erase one person: every stage forgets what it knows of them, and what the law wants kept is named.

A verb as in the pipeline, and beside it for its length: it takes a session, ids and `now`, and commits nothing.
Rows are locked in the house's order: customer, visit, call task, agent, attempt.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlmodel import Session

from callcenter import moves
from callcenter.accounts import service as accounts
from callcenter.calls import forgetting as calls
from callcenter.calltasks import forgetting as calltasks
from callcenter.compliance import service as compliance
from callcenter.compliance.numbers import hash_number
from callcenter.domain.enums import CancelReason, TaskState
from callcenter.domain.veils import veil
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.evidence import service as evidence
from callcenter.evidence.kept import what_is_kept
from callcenter.evidence.queries import is_barred_but_for_number
from callcenter.intake import call_lists
from callcenter.intake import forgetting as intake
from callcenter.journeys import forgetting as journeys
from callcenter.models import Customer, Erasure
from callcenter.moves import House
from callcenter.outcomes import forgetting as outcomes
from callcenter.quality import forgetting as quality
from callcenter.triggers import forgetting as triggers
from callcenter.voice import forgetting as voice


def erase_customer(
    session: Session,
    house: House,
    external_id: str,
    why: str,
    user_id: UUID | None,
    now: datetime,
    *,
    archive: Path,
    keeping: timedelta,
) -> Erasure:
    """Erase the person the bank knows by this id; return what went, and what stays and why.

    Done again it erases what has come in since, and changes nothing else. Events that come later by the same id
    are a new person's. `archive` is the folder of old weeks of events, `keeping` how long decisions are kept.
    Raises NotFound when nobody is known by this id, BadInput without a reason, and Conflict while the person is
    on a call or an agent works on their task.
    """
    if not why.strip():
        raise BadInput("Say why this person's data is erased.")
    person = intake.person_named(session, external_id)
    if person is None:
        raise NotFound("Nobody is known by this id. Give the bank's own id, as the app reports it.")
    devices = intake.devices_of(session, person.id)
    ids = intake.people_of(session, person, devices)
    people = [moves.lock_customer(session, one) for one in ids]
    keys = journeys.lock_visits(session, ids) | intake.keys_of(session, ids)
    canceled = _end_tasks(session, ids, now)
    _carry_bar_to_number(session, house, people, now)
    marks = [external_id, *(one.number for one in people), *(one.anonymous_id for one in devices)]

    key = house.gate.number_key
    veils = {one: veil(key, one) for one in keys if one}
    recordings = calls.recordings_of(session, ids)
    erased = {
        **intake.forget_customer(session, ids, now),
        **journeys.forget_visits(session, ids, veils, now),
        **triggers.forget_firings(session, ids, veils),
        **calltasks.forget_tasks(session, ids, veils),
        "call_tasks_canceled": canceled,
        **outcomes.forget_notes(session, ids, veils),
        **quality.forget_reviews(session, ids),
        **voice.forget_answers(session, ids, now),
        **calls.forget_numbers(session, ids, lambda number: veil(key, number)),
        **intake.forget_events(session, ids, veils),
        **intake.forget_refused(session, marks, now),
        **intake.forget_archived(session, archive, ids, veils, now),
        "call_lists": call_lists.forget_person(session, external_id),
    }
    session.expire_all()  # what the session knows of them is not so any more
    kept = what_is_kept(session, ids, keeping, recordings)
    row = evidence.keep_erasure(session, person.id, why.strip(), user_id, now, erased=erased, kept=kept)
    accounts.record(session, user_id, "customer.erased", str(person.id), now, erased=erased)
    return row


def _end_tasks(session: Session, ids: Collection[UUID], now: datetime) -> int:
    """Cancel the open call tasks; raises Conflict while one is being worked on."""
    tasks = calltasks.lock_open_tasks(session, ids)
    if any(task.state in (TaskState.ASSIGNED, TaskState.WRAPPING) for task in tasks):
        raise Conflict("An agent is working on this person's call task. Try again when the wrap-up is saved.")
    for task in tasks:
        moves.cancel_task(session, task, CancelReason.BARRED, now)
    if calls.is_on_a_call(session, ids):
        raise Conflict("This person is on a call. Try again when the call has ended.")
    return len(tasks)


def _carry_bar_to_number(session: Session, house: House, people: Collection[Customer], now: datetime) -> None:
    """Who must never be called stays so by their number, the only thing by which they can be told afterwards."""
    for one in people:
        if one.number and is_barred_but_for_number(
            session, one.id, hash_number(house.gate.number_key, one.number), now
        ):
            compliance.bar_for_good(session, house.gate, one, "erasure", "carried to the number", now)
