"""The floor's search: a customer or an agent. What is typed comes in the body, so that no address holds it."""

from datetime import datetime

from flask import render_template, request
from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.enums import Presence, Role, TaskState
from callcenter.journeys.queries import journeys_loaded
from callcenter.reporting.finding import MOST_FOUND, FoundAgent, FoundCustomer, FoundTask, find
from callcenter.reporting.floor import why_code
from callcenter.routing.rules import state_shown
from callcenter.triggers.queries import RuleSet, current_rules
from callcenter.web.bars import bar_label
from callcenter.web.compliance_ledgers import read_number
from callcenter.web.dispatch_view import rule_title
from callcenter.web.edge import blueprint, roles_required, runtime
from callcenter.web.floor_frame import part_frame
from callcenter.web.formats import label, when
from callcenter.web.pages import finding as page
from callcenter.web.words import mask_number

bp = blueprint("finding")
_LONGEST = 100


@bp.post("/floor/find")
@roles_required(Role.SUPERVISOR)
def find_on_floor() -> str:
    """Answer with what is found: the floor's pane of it, or, without scripts, a page."""
    words = request.form.get("words", "").strip()[:_LONGEST]
    with runtime().reading() as session:
        shown = found_page(session, words, runtime().clock())
    is_pane = bool(request.headers.get("HX-Request"))
    return render_template("floor/_found.html" if is_pane else "floor/find.html", page=shown)


def found_page(session: Session, words: str, now: datetime) -> page.FoundPage:
    """Return what a search finds as of `now`, in the viewer's words; numbers are masked."""
    head, tabs = part_frame("floor")
    found = find(session, words, read_number(words))
    rules = current_rules(session, journeys_loaded(session))
    return page.FoundPage(
        frame=head,
        tabs=tabs,
        words=words,
        tasks=tuple(_task(one, rules, now) for one in found.tasks),
        customers=tuple(_customer(one, now) for one in found.others),
        agents=tuple(_agent(one) for one in found.agents),
        most=MOST_FOUND,
        is_cut=max(len(found.tasks), len(found.agents)) >= MOST_FOUND,
    )


def _task(one: FoundTask, rules: RuleSet, now: datetime) -> page.TaskFound:
    acts = {TaskState.PENDING.value: "priority_up", TaskState.RESERVED.value: "bring_back"}
    return page.TaskFound(
        id=str(one.id),
        customer=one.customer or gettext("Name not known"),
        number=mask_number(one.number),
        rule=rule_title(rules, one.rule_key),
        says=_where(one, now),
        since=one.since,
        act=acts.get(one.state),
    )


def _where(one: FoundTask, now: datetime) -> str:
    if one.state != TaskState.PENDING:
        return gettext("%(name)s, %(state)s", name=one.agent or gettext("Nobody"), state=label(one.state))
    what = bar_label(why_code(one.state, one.why, is_callable=one.since <= now, is_stuck=False))
    if one.since > now:
        return gettext("%(what)s, from %(time)s", what=what, time=when(one.since, now))
    return what


def _customer(one: FoundCustomer, now: datetime) -> page.CustomerFound:
    if one.called_at is None:
        says = gettext("No call task is open, and nobody has called them yet.")
    else:
        says = gettext(
            "No call task is open. Last called %(time)s: %(result)s.",
            time=when(one.called_at, now),
            result=label(one.result or "unknown"),
        )
    return page.CustomerFound(one.customer or gettext("Name not known"), mask_number(one.number), says)


def _agent(one: FoundAgent) -> page.AgentFound:
    state, since = state_shown(one.presence, one.presence_at, one.work_state, one.work_state_at)
    says = label(state)
    if state == Presence.NOT_READY and one.not_ready_reason:
        says = gettext("Not ready: %(reason)s", reason=label(one.not_ready_reason))
    return page.AgentFound(str(one.id), one.name, one.team, says, since)
