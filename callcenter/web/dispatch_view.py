"""The queue page and one act on many call tasks, in the viewer's words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlmodel import Session, col, select

from callcenter.calltasks import waiting
from callcenter.calltasks.policy import UNDO_WITHIN
from callcenter.domain.dispatching import DispatchAct, LeftOut, TaskSieve
from callcenter.domain.enums import BarReason
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Agent, Dispatch, User
from callcenter.triggers.queries import RuleSet, current_rules
from callcenter.web.bars import bar_label
from callcenter.web.edge import chosen, viewer
from callcenter.web.floor_frame import part_frame
from callcenter.web.formats import label
from callcenter.web.offer_words import skill_names
from callcenter.web.pages import dispatch as page
from callcenter.web.pages.compliance import Option
from callcenter.web.receivers import level_words, receivers

SHOWN_ROWS = 200
ACTS = {
    DispatchAct.ASSIGN_AGENT: _l("Assign to an agent"),
    DispatchAct.ASSIGN_TEAM: _l("Assign to a team, evenly"),
    DispatchAct.ASSIGN_SKILL: _l("Assign by skill, evenly"),
    DispatchAct.BRING_BACK: _l("Bring back for anybody"),
    DispatchAct.PRIORITY_UP: _l("Priority up"),
    DispatchAct.PRIORITY_DOWN: _l("Priority down"),
    DispatchAct.EXPIRE: _l("Expire"),
}
_LEFT_OUT = {
    LeftOut.TAKEN: _l("Taken or changed meanwhile"),
    LeftOut.HELD: _l("Being worked on this moment"),
    LeftOut.LANGUAGE: _l("Nobody chosen speaks their language"),
    LeftOut.AT_LIMIT: _l("Priority is at its limit"),
    LeftOut.ANOTHER_OPEN: _l("Another call task is open for them"),
}


def queue_page(
    session: Session, sieve: TaskSieve, values: Mapping[str, str], now: datetime, error: str | None = None
) -> page.QueuePage:
    """Return the waiting call tasks that a sieve lets through, with the form of an act on them."""
    head, tabs = part_frame("queue")
    rules = current_rules(session, journeys_loaded(session))
    counts = waiting.count_sieved(session, sieve, now)
    rows = waiting.tasks_sieved(session, sieve, now, SHOWN_ROWS)
    return page.QueuePage(
        frame=head,
        tabs=tabs,
        choices=_choices(session, rules, now),
        values=values,
        matched=counts.matched,
        held=counts.held,
        rows=tuple(_row(one, rules) for one in rows),
        ticked=frozenset(values.get("ids", "").split()),
        done=_done(session),
        error=error,
    )


def _row(one: waiting.Sieved, rules: RuleSet) -> page.QueueTask:
    return page.QueueTask(
        id=str(one.id),
        customer=one.name or one.external_id or gettext("Name not known"),
        rule=rule_title(rules, one.rule_key),
        since=one.since,
        promise_seconds=one.promise_seconds,
        why=bar_label(one.code),
        language=label(one.language),
        priority=one.priority,
        agent=one.agent,
        is_reserved=one.code == "reserved",
    )


def rule_title(rules: RuleSet, key: str) -> str:
    """What a rule is called."""
    spec = rules.spec(key)
    return chosen(spec.title, key) if spec else key


def _choices(session: Session, rules: RuleSet, now: datetime) -> dict[str, tuple[Option, ...]]:
    found = waiting.sieve_choices(session, now)
    titles = {key: chosen(dict(one.title), key) for key, one in journeys_loaded(session).items()}
    words = {
        "rule": lambda key: rule_title(rules, key),
        "journey": lambda key: titles.get(key, key),
        "why": bar_label,
        "language": label,
    }
    choices = {
        name: tuple(Option(value, f"{words[name](value)} ({many})") for value, many in found[name])
        for name in words
    }
    agents = session.exec(
        select(Agent, User.name)
        .join(User, col(User.id) == col(Agent.id))
        .where(col(User.is_active))
        .order_by(User.name)
    ).all()
    return choices | {
        "act": tuple(Option(act.value, str(words)) for act, words in ACTS.items()),
        "agent": tuple(Option(str(one.id), _agent_words(name, one.presence)) for one, name in agents),
        **receivers(session),
    }


def _agent_words(name: str, presence: str) -> str:
    return gettext("%(name)s, %(state)s", name=name, state=label(presence).lower())


def _done(session: Session) -> tuple[page.DoneAct, ...]:
    rows = waiting.last_dispatches(session)
    names = _names(session, [one.made_by for one in rows])
    return tuple(
        page.DoneAct(
            href=f"/floor/queue/{one.id}",
            title=str(ACTS[DispatchAct(one.act)]),
            at=one.done_at or one.made_at,
            by=names.get(one.made_by, gettext("Somebody")),
            changed=len(one.changed),
            planned=len(one.planned) + len(one.refused),
            is_undone=one.undone_at is not None,
        )
        for one in rows
    )


def _names(session: Session, ids: Sequence[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(User.id, User.name).where(col(User.id).in_(ids))).all())


def dispatch_page(
    session: Session, row: Dispatch, now: datetime, *, from_floor: bool = False
) -> page.DispatchPage:
    """Return one act: what would happen, or what has happened and what could not; `from_floor`: and back there."""
    head, tabs = part_frame("queue")
    people = _names(session, [row.made_by, *(UUID(one) for _, *both in row.planned for one in both if one)])
    undo_until = row.done_at + UNDO_WITHIN if row.done_at and row.undone_at is None else None
    if undo_until is not None and (undo_until <= now or not row.changed):
        undo_until = None
    return page.DispatchPage(
        frame=head,
        tabs=tabs,
        id=str(row.id),
        state=_state(row, now),
        title=str(ACTS[DispatchAct(row.act)]),
        sieve=_sieve_words(session, row),
        matched=row.matched,
        planned=len(row.planned),
        changed=len(row.changed),
        made_at=row.made_at,
        made_by=people.get(row.made_by, gettext("Somebody")),
        is_own=row.made_by == viewer().id,
        reason=str(row.wanted.get("reason", "")),
        whose=_parts([seen for _, _, seen in row.planned], people, gettext("Nobody")),
        to=_parts([to for _, to, _ in row.planned if to], people, ""),
        refused=_why_parts(row.refused),
        lost=_why_parts(row.lost),
        undo_until=undo_until,
        from_floor=from_floor,
    )


def _state(row: Dispatch, now: datetime) -> str:
    if row.undone_at is not None:
        return "undone"
    if row.done_at is not None:
        return "done" if row.worked >= len(row.planned) else "partly"
    return "stale" if waiting.is_stale(row, now) else "planned"


def _parts(ids: Sequence[str | None], people: Mapping[UUID, str], nobody: str) -> tuple[page.Part, ...]:
    counted = Counter(people.get(UUID(one), gettext("Somebody")) if one else nobody for one in ids)
    return tuple(
        page.Part(name, many) for name, many in sorted(counted.items(), key=lambda it: (-it[1], it[0]))
    )


def _why_parts(left_out: Sequence[Sequence[str | None]]) -> tuple[page.Part, ...]:
    counted = Counter(str(why) for _, why in left_out)
    return tuple(page.Part(_why_words(why), many) for why, many in counted.most_common())


def _why_words(why: str) -> str:
    if why in set(BarReason):
        return gettext("The gate bars it now: %(why)s", why=bar_label(why))
    return str(_LEFT_OUT.get(LeftOut(why), why))


def _sieve_words(session: Session, row: Dispatch) -> tuple[str, ...]:
    """What was chosen, in words, one line each."""
    sieve, told = row.wanted.get("sieve", {}), row.wanted
    rules = current_rules(session, journeys_loaded(session))
    lines = []
    if key := sieve.get("rule"):
        lines.append(gettext("Rule: %(rule)s", rule=rule_title(rules, key)))
    if key := sieve.get("journey"):
        journey = journeys_loaded(session).get(key)
        title = chosen(dict(journey.title), key) if journey else key
        lines.append(gettext("Journey: %(journey)s", journey=title))
    if key := sieve.get("why"):
        lines.append(gettext("Why no call: %(why)s", why=bar_label(key)))
    if key := sieve.get("language"):
        lines.append(gettext("Language: %(language)s", language=label(key)))
    if "older_minutes" in sieve:
        lines.append(gettext("Waiting for %(n)s min or longer", n=sieve["older_minutes"]))
    if "count" in told:
        lines.append(gettext("The oldest %(n)s", n=told["count"]))
    if "share" in told:
        lines.append(gettext("The oldest %(n)s %% of them", n=told["share"]))
    if "ids" in told:
        lines.append(gettext("Those ticked"))
    return (*lines, *_receiver_words(session, told))


def _receiver_words(session: Session, told: Mapping[str, Any]) -> tuple[str, ...]:
    """The team, or the skill with its level, whose agents get them."""
    if team := told.get("team"):
        return (gettext("Team: %(team)s", team=team),)
    if key := told.get("skill"):
        skill = skill_names(session).get(key, key)
        level = level_words(told.get("level", 1))
        return (gettext("Skill: %(skill)s, %(level)s", skill=skill, level=level),)
    return ()
