"""When nobody who is signed on meets what call tasks ask: the clock that runs then, and what is given up by it.

A verb as in the pipeline, and beside it: it takes a session and `now`, and commits nothing.
"""

from datetime import datetime

from sqlmodel import Session

from callcenter import outbox
from callcenter.calltasks import queries as task_queries
from callcenter.calltasks import staffing as tasks
from callcenter.domain.enums import OutboxKind
from callcenter.routing import queries as routing
from callcenter.routing.rules import is_staffed, relaxation


def relax_needs(session: Session, now: datetime) -> int:
    """Keep since when nobody signed on suits each waiting call task, and give up what the rule says by now.

    A task whose need is met again asks for all of it again. Returns for how many something was given up anew;
    those are offered.
    """
    on = routing.signed_on(session, now)
    unmet = {one for one in tasks.needs_waiting(session, now) if on and not is_staffed(one, on)}
    relaxed, changed = [], False
    for task in tasks.lock_unstaffed(session, unmet, now):
        need = task_queries.need_of(task, task.language)
        if need not in unmet:
            tasks.note_staffed(task)
            changed = True
            continue
        changed |= tasks.note_unstaffed(task, now)
        given_up = relaxation(need, on, now - (task.unstaffed_at or now))
        if tasks.relax(task, given_up):
            relaxed.append(task.id)
    for call_task_id in relaxed:
        outbox.hand_over_once(session, OutboxKind.OFFER_CALL_TASK, call_task_id, now)
    if relaxed or changed:
        outbox.ring(session, outbox.FLOOR)
    return len(relaxed)
