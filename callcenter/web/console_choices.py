"""The list on the console of agents who choose whom to call: campaigns in manual dialing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from babel import Locale, UnknownLocaleError
from flask_babel import get_locale, gettext
from sqlmodel import Session

from callcenter.calltasks.queries import Chooser, choice_counts, tasks_to_choose
from callcenter.compliance.policies import look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import screen_customer
from callcenter.dialing.queries import campaigns
from callcenter.domain.contact import Verdict
from callcenter.domain.enums import DialingMode, Presence, Purpose, RuleState, WorkState
from callcenter.domain.journey import JourneyDefinition
from callcenter.models import Agent, CallTask, Customer, TriggerFiring
from callcenter.routing.policy import SILENT_BROWSER
from callcenter.routing.queries import agents_available
from callcenter.routing.rules import may_be_offered
from callcenter.runtime import Runtime
from callcenter.triggers.queries import RuleSet, current_rules
from callcenter.web import words
from callcenter.web.edge import chosen, language
from callcenter.web.formats import label, not_before, when
from callcenter.web.pages import console as page

SHOWN_NOW, SHOWN_LATER = 20, 10
_ASKED_AT_ONCE, _ASKED_AT_MOST = 30, 300
"""Of how many waiting call tasks the gate is asked, to find those that may be called now."""
_LOOK_AGAIN = timedelta(minutes=1)
"""Calling hours end and colleagues leave without a ring."""
_PAUSED = "rule_paused"

Found = tuple[CallTask, Customer, TriggerFiring]


def journeys_to_choose_from(session: Session) -> frozenset[str]:
    """Name the journeys whose agents choose whom to call."""
    return frozenset(key for key, row in campaigns(session).items() if row.mode == DialingMode.MANUAL)


def agents_choosing(session: Session) -> Sequence[UUID]:
    """List the agents who are free to choose right now; nobody where no campaign is one to choose from."""
    return agents_available(session) if journeys_to_choose_from(session) else ()


def choices_of(
    runtime: Runtime,
    session: Session,
    agent: Agent,
    journeys: Mapping[str, JourneyDefinition],
    now: datetime,
) -> page.Choices | None:
    """Return the list an idle agent chooses from; None where nobody chooses, or the agent takes no calls."""
    manual = journeys_to_choose_from(session)
    if not manual or not may_be_offered(Presence(agent.presence), WorkState(agent.work_state)):
        return None
    who = Chooser(agent.id, agent.languages.split(","), manual, now, SILENT_BROWSER)
    rules = current_rules(session, journeys)
    may, may_not = _asked(runtime, session, who, rules)
    later: list[tuple[Found, Verdict | None]] = [
        *may_not,
        *((found, None) for found in tasks_to_choose(session, who, SHOWN_LATER, later=True)),
    ]
    later.sort(key=lambda one: (-one[0][0].priority, _since(one[0][0])))
    counts = choice_counts(session, who)
    shown_later = later[:SHOWN_LATER]
    return page.Choices(
        now=tuple(_choice(found, journeys, rules, who) for found in may),
        later=tuple(_later(found, verdict, journeys, rules, who) for found, verdict in shown_later),
        more=max(0, counts.waiting - len(may) - len(shown_later)),
        for_colleagues=counts.for_colleagues,
        look_again_at=min(now + _LOOK_AGAIN, counts.next_at or now + _LOOK_AGAIN),
        others_come=bool(set(journeys) - manual),
    )


def _asked(
    runtime: Runtime, session: Session, who: Chooser, rules: RuleSet
) -> tuple[list[Found], list[tuple[Found, Verdict | None]]]:
    """Ask the gate of those whose time has come, until enough may be called."""
    may: list[Found] = []
    may_not: list[tuple[Found, Verdict | None]] = []
    for offset in range(0, _ASKED_AT_MOST, _ASKED_AT_ONCE):
        due = tasks_to_choose(session, who, _ASKED_AT_ONCE, offset)
        for found, verdict in zip(due, _verdicts(runtime, session, due, who.now), strict=True):
            if _is_paused(rules, found[0]):
                may_not.append((found, None))
            elif verdict.may_call:
                may.append(found)
            else:
                may_not.append((found, verdict))
        if len(may) >= SHOWN_NOW or len(due) < _ASKED_AT_ONCE:
            break
    return may[:SHOWN_NOW], may_not


def _verdicts(runtime: Runtime, session: Session, due: Sequence[Found], now: datetime) -> list[Verdict]:
    """What the gate would say of these calls now. Nothing of it is kept: whoever takes one asks anew."""
    if not due:
        return []
    calls = [ProposedCall(customer, Purpose(task.purpose), task.journey) for task, customer, _ in due]
    return [screen_customer(*known, now) for known in look(session, runtime.house.gate, calls, now)]


def _is_paused(rules: RuleSet, task: CallTask) -> bool:
    rule = rules.current(task.rule_key)
    return rule is not None and rule.state == RuleState.PAUSED


def _since(task: CallTask) -> datetime:
    return max(task.created_at, task.not_before_at)


def _choice(
    found: Found,
    journeys: Mapping[str, JourneyDefinition],
    rules: RuleSet,
    who: Chooser,
    reasons: Sequence[str] = (),
    until: str | None = None,
) -> page.Choice:
    task, customer, firing = found
    journey, spoken = journeys.get(firing.journey), language()
    spec = rules.spec_of(firing.rule_id, firing.rule_key)
    title = chosen(spec.title, firing.rule_key) if spec else firing.rule_key
    preset = spec.preset if spec else ""
    return page.Choice(
        call_task_id=str(task.id),
        customer=customer.name or gettext("Unknown name"),
        masked_number=words.mask_number(customer.number),
        why=words.headline(journey, title, firing.facts, preset, firing.step, spoken),
        step=words.step_words(journey, firing.step, spoken),
        priority=task.priority,
        waiting_since=_since(task),
        language=None if customer.language in who.languages else _spoken(customer.language),
        reasons=tuple(reasons),
        not_before=until,
    )


def _later(
    found: Found,
    verdict: Verdict | None,
    journeys: Mapping[str, JourneyDefinition],
    rules: RuleSet,
    who: Chooser,
) -> page.Choice:
    """One that may not be called yet: what the gate says now, else what the call task has been waiting for."""
    task, customer, _ = found
    if verdict is not None:
        at, codes = verdict.next_allowed_at, [str(reason) for reason in verdict.reasons]
    elif _is_paused(rules, task):
        at, codes = None, [_PAUSED]
    else:
        at, codes = task.not_before_at, list(task.why_no_call) or ["waits_by_rule"]
        if codes == [_PAUSED]:  # it runs again: the call task looks within half a minute
            codes = ["waits_by_rule"]
    return _choice(
        found, journeys, rules, who, [_reason(code) for code in codes], _until(customer, at, who.now)
    )


def _spoken(code: str) -> str:
    """A language's name in the viewer's own."""
    try:
        return Locale.parse(code, sep="-").get_display_name(get_locale()) or code
    except (UnknownLocaleError, ValueError):
        return code


def _reason(code: str) -> str:
    return {
        "callback": gettext("Callback promised"),
        "retry": gettext("Next try"),
        "skipped": gettext("Skipped by an agent"),
    }.get(code) or label(code)


def _until(customer: Customer, at: datetime | None, now: datetime) -> str | None:
    """From when they may be called: in their own hours where we know them, else in the agent's."""
    if at is None:
        return None
    zone = words.zone_of(customer)
    if zone is not None:
        return not_before(at, now, zone, words.place_of(customer))
    return gettext("Not before %(time)s.", time=when(at, now))
