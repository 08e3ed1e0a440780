"""Tags that supervisors check: upheld or corrected, and what follows from a correction at once.

Verbs as in the pipeline, and beside it for its length: each takes a session, ids and `now`, and commits nothing.
Rows are locked in the house's order: customer, call task, attempt.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter import moves, outbox
from callcenter.accounts import service as accounts
from callcenter.calls.queries import live_attempt_id_of_task
from callcenter.calltasks import forgetting as tasks
from callcenter.compliance import service as compliance
from callcenter.domain.enums import CancelReason, Purpose, TaskState
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.models import CallTask, ContactAttempt, Customer, DispositionCheck
from callcenter.moves import House
from callcenter.outcomes import checks
from callcenter.outcomes import service as outcomes
from callcenter.outcomes.contradictions import contradictions_of
from callcenter.outcomes.rules import Flags
from callcenter.reporting.tags import tag_of

MOST_REASON = 500


def check_tag(
    session: Session,
    house: House,
    attempt_id: UUID,
    found_code: str,
    reason: str,
    user_id: UUID,
    now: datetime,
    *,
    seen_code: str,
) -> DispositionCheck:
    """Keep what a supervisor finds of a tag: that it stands, or what it should have been.

    `seen_code` is what the supervisor saw. The agent's word stays; flags follow the correction from now on, and
    one that takes permission away bars the customer before the next dial. One that would give permission back
    gives none: entries of the ledger are lifted by compliance.

    Raises BadInput without a reason, NotFound, Forbidden for the own tag, Conflict when it was changed meanwhile.
    """
    reason = reason.strip()[:MOST_REASON]
    if not reason:
        raise BadInput("Say why the tag stands or is corrected; it is kept.", {"reason": ["needed"]})
    attempt = session.get(ContactAttempt, attempt_id)
    if attempt is None:
        raise NotFound("There is no such attempt.")
    customer = moves.lock_customer(session, attempt.customer_id)
    row = checks.lock_disposition(session, attempt_id)
    if row.agent_id == user_id:
        raise Forbidden("Nobody checks their own tags.")
    before = row.corrected_code or row.kind_code
    if before != seen_code:
        raise Conflict("Somebody has corrected this tag in the meantime. Look at it again.")
    flags = outcomes.flags_of(session, found_code)
    was = outcomes.flags_of_any(session, before)
    facts = tag_of(session, attempt_id)
    evidence = contradictions_of(facts, now) if facts else ()
    check = checks.keep_check(session, row, found_code, evidence, reason, user_id, now)
    _follow(session, house, customer, attempt, was, flags, user_id, now)
    act = "disposition.upheld" if found_code == before else "disposition.corrected"
    detail = {"said": before, "found": found_code, "evidence": check.evidence}
    accounts.record(session, user_id, act, str(attempt_id), now, **detail)
    outbox.ring(session, outbox.FLOOR, outbox.STUDIO, outbox.agent_channel(row.agent_id))
    return check


def _follow(
    session: Session,
    house: House,
    customer: Customer,
    attempt: ContactAttempt,
    was: Flags,
    flags: Flags,
    user_id: UUID,
    now: datetime,
) -> None:
    """Bar whom the corrected tag bars, and let what waits for them die."""
    if flags.do_not_call and not was.do_not_call:
        reason = f"attempt {attempt.id}, tag corrected"
        compliance.bar_for_good(session, house.gate, customer, "supervisor", reason, now, by=user_id)
        for task in tasks.lock_open_tasks(session, [customer.id]):
            if task.state in (TaskState.PENDING, TaskState.RESERVED):
                moves.cancel_task(session, task, CancelReason.REFUSED, now)
            elif live := live_attempt_id_of_task(session, task.id):
                moves.cancel_ringing(session, moves.lock_call(session, live), now)
    elif flags.refused and not was.refused:
        task_row = session.get_one(CallTask, attempt.call_task_id)
        purpose, campaign = Purpose(task_row.purpose), task_row.journey
        compliance.note_refusal(session, house.gate, customer, purpose, campaign, "supervisor", now)
