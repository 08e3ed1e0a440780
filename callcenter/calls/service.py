"""Keep attempts: claim, place once, move by rank, end once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg.errors import CheckViolation
from psycopg.types.json import Jsonb
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from callcenter.calls.policy import AS_A_RULE, EMPTY_LOOKS, RETRY_PLACING, LostCalls
from callcenter.calls.rules import RANK, News, advances, ending_of, what_of
from callcenter.db import cursor_of
from callcenter.domain.enums import AnsweredBy, AttemptState, CallResult, DialingMode
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import (
    CallbackNews,
    NotProcessed,
    Placed,
    Placement,
    RecordingEvent,
    RecordingState,
    Rejected,
)
from callcenter.errors import Conflict, NotFound
from callcenter.models import CallTask, ContactAttempt, Incident


class Dial(NamedTuple):
    """What is to be dialed: for which locked task, which number, and the agent who waits for it, if any."""

    task: CallTask
    number: str
    agent_id: UUID | None = None


def claim(
    session: Session,
    task: CallTask,
    agent_id: UUID | None,
    number: str,
    caller_id: str,
    mode: DialingMode,
    now: datetime,
) -> ContactAttempt:
    """Commit to one dial of one number, for an agent or, in an automatic mode, for whoever is free at the answer.

    Task and customer are locked. Raises Conflict when this number is on another call (two customers may share a
    telephone), and when automatic dialing is switched off: the database refuses the row then.
    """
    attempt = _claimed(Dial(task, number, agent_id), caller_id, mode, now)
    try:
        with session.begin_nested():
            session.add(attempt)
            session.flush()
    except IntegrityError as error:
        if isinstance(error.orig, CheckViolation):
            if error.orig.diag.constraint_name == "attempt_was_screened":
                raise  # a dial past the gate is a fault of the program, and nobody's to try again
            raise Conflict(
                "Automatic dialing is switched off. A supervisor can allow it on the floor."
            ) from None
        raise Conflict(
            "This number is on another call right now. Try again when that call has ended."
        ) from None
    return attempt


def claim_all(
    session: Session, dials: Sequence[Dial], caller_id: str, mode: DialingMode, now: datetime
) -> list[ContactAttempt | None]:
    """Commit to several dials, as `claim` does to one; None in the place of each that is refused."""
    claimed = [_claimed(dial, caller_id, mode, now) for dial in dials]
    try:
        with session.begin_nested():
            session.add_all(claimed)
            session.flush()
    except IntegrityError:  # one was refused, and with it all: which one shows one by one
        return [_claim_or_none(session, dial, caller_id, mode, now) for dial in dials]
    return [*claimed]


def _claim_or_none(
    session: Session, dial: Dial, caller_id: str, mode: DialingMode, now: datetime
) -> ContactAttempt | None:
    try:
        return claim(session, dial.task, dial.agent_id, dial.number, caller_id, mode, now)
    except Conflict:
        return None


def _claimed(dial: Dial, caller_id: str, mode: DialingMode, now: datetime) -> ContactAttempt:
    task = dial.task
    return ContactAttempt(
        id=derived_id("attempt", task.id, task.attempts),
        call_task_id=task.id,
        customer_id=task.customer_id,
        agent_id=dial.agent_id,
        firing_id=task.firing_id,
        campaign=task.journey,
        purpose=task.purpose,
        mode=mode,
        to_number=dial.number,
        caller_id=caller_id,
        claimed_at=now,
        last_news_at=now,
        script_id=task.script_id,
        script_version=task.script_version,
        script_variant=task.script_variant,
        script_propensity=task.script_propensity,
    )


# The agent of an automatic call is chosen, and a transferred one's changed, under the task's lock: so the second
# statement, which sees what was committed before it began, finds who is the agent now.
_LOCK_TASK = """
SELECT FROM call_task WHERE id = (SELECT call_task_id FROM contact_attempt WHERE id = %s) FOR UPDATE
"""
_LOCK_AGENT = """
SELECT FROM agent WHERE id = (SELECT agent_id FROM contact_attempt WHERE id = %s) FOR UPDATE
"""


def lock_around(session: Session, attempt_id: UUID) -> None:
    """Lock the call task of an attempt and then its agent, if it has one; two statements for one trip."""
    cursor_of(session).execute(_LOCK_TASK, [attempt_id])
    cursor_of(session).execute(_LOCK_AGENT, [attempt_id])


def lock_attempt(session: Session, attempt_id: UUID) -> ContactAttempt | None:
    """Return an attempt as the database has it now, locked until the commit."""
    return session.exec(
        select(ContactAttempt)
        .where(ContactAttempt.id == attempt_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def begin_placing(attempt: ContactAttempt, now: datetime) -> bool:
    """Take the one permission to ask the carrier. False when somebody took it before, or nobody wants it."""
    if attempt.state != AttemptState.CLAIMED or attempt.cancel_asked_at is not None:
        return False
    attempt.state, attempt.placing_at, attempt.last_news_at = AttemptState.PLACING, now, now
    attempt.requests += 1
    return True


def note_placement(
    session: Session, attempt: ContactAttempt, placement: Placement, now: datetime
) -> datetime | None:
    """Write down what the carrier answered. What callbacks have told meanwhile is never undone.

    Returns when to ask once more: only when the carrier provably did nothing, and a few times at most.
    """
    attempt.last_news_at = now
    if isinstance(placement, Placed):
        bind(session, attempt, placement.ref, now)
        _advance(attempt, AttemptState.PLACED, now)
    elif attempt.state != AttemptState.PLACING:
        return None
    elif isinstance(placement, Rejected):
        _end(attempt, CallResult.REJECTED, now, detail=f"{placement.refusal}:{placement.code}")
    elif isinstance(placement, NotProcessed):
        if attempt.requests < RETRY_PLACING and attempt.cancel_asked_at is None:
            attempt.state = AttemptState.CLAIMED
            return now + placement.retry_after
        _end(attempt, CallResult.NOT_PLACED, now, detail="carrier_busy")
    else:
        attempt.state, attempt.result_detail = AttemptState.UNKNOWN, placement.reason
    return None


def give_up(attempt: ContactAttempt, now: datetime) -> None:
    """End an attempt the carrier was never asked for."""
    _end(attempt, CallResult.NOT_PLACED, now, detail="never_asked")


def bind(session: Session, attempt: ContactAttempt, ref: str, now: datetime) -> bool:
    """Tie the carrier's call to the attempt. A second call for one attempt is an incident: False."""
    if attempt.carrier_ref == ref:
        return True
    if attempt.carrier_ref is None and not _was_never_placed(attempt):
        attempt.carrier_ref = ref
        if attempt.placed_at is None:
            attempt.placed_at = now
        return True
    kind = "second_call_for_attempt" if attempt.carrier_ref else "news_of_a_call_never_placed"
    session.add(
        Incident(
            at=now, kind=kind, attempt_id=attempt.id, customer_id=attempt.customer_id, detail={"ref": ref}
        )
    )
    return False


def _was_never_placed(attempt: ContactAttempt) -> bool:
    return attempt.result in (CallResult.NOT_PLACED, CallResult.REJECTED)


_KEEP = """
INSERT INTO carrier_inbox (key, subject_id, received_at, what, raw)
VALUES (%(key)s, %(subject)s, %(now)s, %(what)s, %(raw)s)
ON CONFLICT DO NOTHING
"""


def keep_in_inbox(session: Session, subject_id: UUID, news: CallbackNews, now: datetime) -> bool:
    """Keep a callback; False when it was here before. Its subject is the attempt, or the agent of the room."""
    row = {
        "key": news.key,
        "subject": subject_id,
        "now": now,
        "what": what_of(news),
        "raw": Jsonb(dict(news.raw)),
    }
    return cursor_of(session).execute(_KEEP, row).rowcount > 0


def note_news(session: Session, attempt: ContactAttempt, news: News, now: datetime) -> bool:
    """Move an attempt forward by what the carrier said; True when it moved.

    Order, repetition and loss of news do not matter: the highest rank wins and an end is final.
    """
    if not bind(session, attempt, news.ref, now):
        return False
    attempt.last_news_at = now
    if news.state is AttemptState.ENDED:
        if attempt.state == AttemptState.ENDED:
            return False
        ending = ending_of(
            news.result or CallResult.FAILED,
            bridged=attempt.bridged_at is not None,
            talk_seconds=news.talk_seconds,
            by_machine=attempt.answered_by in (AnsweredBy.MACHINE, AnsweredBy.FAX),
        )
        _end(attempt, ending.result, now, talk_seconds=ending.talk_seconds)
        return True
    return _advance(attempt, news.state, now)


def _advance(attempt: ContactAttempt, state: AttemptState, now: datetime) -> bool:
    if not advances(AttemptState(attempt.state), state):
        return False
    attempt.state = state
    stamps: Mapping[AttemptState, str] = {
        AttemptState.RINGING: "ringing_at",
        AttemptState.ANSWERED: "answered_at",
        AttemptState.BRIDGED: "bridged_at",
    }
    for passed, column in stamps.items():
        if RANK[passed] <= RANK[state] and getattr(attempt, column) is None:
            setattr(attempt, column, now)
    return True


def _end(
    attempt: ContactAttempt,
    result: CallResult,
    now: datetime,
    *,
    detail: str | None = None,
    talk_seconds: int | None = None,
) -> None:
    attempt.state, attempt.result, attempt.ended_at, attempt.last_news_at = (
        AttemptState.ENDED,
        result,
        now,
        now,
    )
    attempt.result_detail = detail or attempt.result_detail
    attempt.is_held = attempt.hold_wanted = False
    attempt.agent_lost_at = None
    if talk_seconds is None and attempt.bridged_at:
        talk_seconds = int((now - attempt.bridged_at).total_seconds())
    attempt.talk_seconds = talk_seconds


def note_machine(attempt: ContactAttempt, answered_by: AnsweredBy) -> bool:
    """Keep who answering-machine detection heard; True when it is news and the call still goes on."""
    if attempt.answered_by == answered_by:
        return False
    attempt.answered_by = answered_by
    return attempt.state != AttemptState.ENDED


def note_recording(attempt: ContactAttempt, event: RecordingEvent) -> None:
    """Keep where a call's recording is; one that is ready stays so."""
    if attempt.recording_state == RecordingState.READY and event.state is RecordingState.RUNNING:
        return
    attempt.recording_ref, attempt.recording_state = event.ref, event.state
    attempt.recording_seconds = event.seconds if event.seconds is not None else attempt.recording_seconds


def note_detail(attempt: ContactAttempt, detail: str) -> None:
    """Say in a word what led to the end of a call."""
    attempt.result_detail = detail


def ask_to_end(attempt: ContactAttempt, now: datetime) -> bool:
    """Note that the call shall end. True when the carrier must be told; a call never asked for just ends."""
    if attempt.state == AttemptState.ENDED:
        return False
    attempt.cancel_asked_at = attempt.cancel_asked_at or now
    if attempt.state == AttemptState.CLAIMED:
        _end(attempt, CallResult.CANCELED, now, detail="before_dial")
        return False
    return True


def note_absence(attempt: ContactAttempt, now: datetime, lost: LostCalls = AS_A_RULE) -> bool:
    """Note that the carrier's list did not show the call; after enough looks it was never placed: True."""
    attempt.empty_looks += 1
    attempt.last_news_at = now
    began = attempt.placing_at or attempt.claimed_at
    if attempt.empty_looks < EMPTY_LOOKS or now - began < lost.absent_for:
        return False
    _end(attempt, CallResult.NOT_PLACED, now, detail="not_found_at_carrier")
    return True


def resolve_incident(session: Session, incident_id: int, now: datetime) -> UUID | None:
    """Close an incident; returns its customer. Raises NotFound when there is none of this number."""
    incident = session.get(Incident, incident_id, with_for_update=True)
    if incident is None:
        raise NotFound("There is no such incident.")
    incident.resolved_at = incident.resolved_at or now
    session.flush()
    return incident.customer_id


def open_incidents(session: Session, customer_id: UUID) -> Sequence[Incident]:
    """List a customer's incidents nobody has looked into."""
    return session.exec(
        select(Incident).where(Incident.customer_id == customer_id).where(col(Incident.resolved_at).is_(None))
    ).all()


def live_attempt_of_task(session: Session, call_task_id: UUID) -> ContactAttempt | None:
    """Return the attempt of a call task that has not ended, locked; None when there is none."""
    return session.exec(
        select(ContactAttempt)
        .where(ContactAttempt.call_task_id == call_task_id)
        .where(ContactAttempt.state != AttemptState.ENDED)
        .with_for_update()
    ).first()


def last_attempt_of_task(session: Session, call_task_id: UUID) -> ContactAttempt | None:
    """Return the newest attempt of a call task; None before the first."""
    return session.exec(
        select(ContactAttempt)
        .where(ContactAttempt.call_task_id == call_task_id)
        .order_by(col(ContactAttempt.claimed_at).desc())
        .limit(1)
    ).first()
