"""The floor's queue: who waits, and why nobody calls them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext

from callcenter.reporting.floor import RuleWaiting, WaitingTask, WaitingTasks
from callcenter.triggers.queries import RuleSet
from callcenter.web.bars import LIFTED_BY_PEOPLE, bar_label
from callcenter.web.edge import chosen
from callcenter.web.formats import label, when
from callcenter.web.offer_words import Names, nobody_words, why_agent, why_relaxed, why_task
from callcenter.web.pages import floor as page
from callcenter.web.pages.compliance import Option


def queue_of(
    tasks: WaitingTasks,
    rules: RuleSet,
    names: Names,
    whom: Mapping[str, tuple[Option, ...]],
    now: datetime,
    groups: Sequence[RuleWaiting] = (),
) -> page.Queue:
    """Return the waiting call tasks with their reasons; `names` are the skills', `whom` who may be given them.

    With `groups` the rows stand by rule, in the order of the rules' titles.
    """
    return page.Queue(
        total=tasks.total,
        reasons=tuple(page.ReasonCount(code, count) for code, count in tasks.reasons),
        rows=tuple(_row(task, rules, names, now) for task in tasks.rows),
        teams=whom["team"],
        skills=whom["skill"],
        levels=whom["level"],
        groups=tuple(sorted((_group(one, tasks, rules) for one in groups), key=lambda one: one.title)),
    )


def _group(one: RuleWaiting, tasks: WaitingTasks, rules: RuleSet) -> page.RuleGroup:
    return page.RuleGroup(
        key=one.rule_key,
        title=_title(rules, one.rule_key),
        tasks=one.tasks,
        callable_now=one.callable_now,
        late=one.late,
        oldest_since=one.oldest_at,
        promise_seconds=one.promise_seconds,
        shown=sum(task.rule_key == one.rule_key for task in tasks.rows),
    )


def _title(rules: RuleSet, key: str) -> str:
    spec = rules.spec(key)
    return chosen(spec.title, key) if spec else key


def _row(task: WaitingTask, rules: RuleSet, names: Names, now: datetime) -> page.QueueRow:
    has_age = task.is_callable or task.agent is not None
    return page.QueueRow(
        call_task_id=str(task.id),
        customer=task.customer or gettext("Name not known"),
        rule=_title(rules, task.rule_key),
        rule_key=task.rule_key,
        why=task.code,
        why_note=_why_note(task, names, now),
        why_agent=_why_agent(task, names),
        waiting_since=task.since if has_age else None,
        promise_seconds=task.promise_seconds if has_age else None,
    )


def _why_agent(task: WaitingTask, names: Names) -> str:
    why = task.offer_why or {}
    return " ".join(one for one in (why_agent(why, names), why_task(why), why_relaxed(why, names)) if one)


def _why_note(task: WaitingTask, names: Names, now: datetime) -> str | None:
    """The particulars of why no call: who holds it, who is missing, or from when, in the customer's own hours."""
    if task.code in ("reserved", "stuck"):
        return gettext("Reserved, %(name)s", name=task.agent) if task.agent else None
    if task.code == "nobody_suits":
        return nobody_words(
            names,
            language_code=task.language,
            skill=task.skill,
            level=task.skill_level,
            team=task.team,
        )
    if task.is_callable:
        return None
    local = ZoneInfo(task.time_zone) if task.time_zone else None
    time = when(task.since, now, local)
    if task.code == "outside_calling_hours":
        place = task.city or (task.time_zone or "").rpartition("/")[2].replace("_", " ")
        return gettext("%(what)s, from %(time)s", what=place or bar_label(task.code), time=time)
    if task.code in LIFTED_BY_PEOPLE:
        return None
    if task.code != "waits_by_rule":
        return gettext("%(what)s, from %(time)s", what=bar_label(task.code), time=time)
    if task.why == "callback":
        return gettext("Callback, %(time)s", time=time)
    if task.why == "retry":
        return gettext("Next try, %(time)s", time=time)
    if task.why == "skipped":
        return gettext("Skipped, again %(time)s", time=time)
    return gettext("%(what)s, from %(time)s", what=label(task.code), time=time)
