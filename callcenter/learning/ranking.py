"""What is known of firings when they fire, what was learned from them, and what a new call task is worth."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, text
from sqlmodel import Session

from callcenter.db import cursor_of
from callcenter.errors import BadInput
from callcenter.learning.learned import newest_model
from callcenter.learning.propensity import (
    LEFT_OUT,
    Facts,
    Model,
    chance_of,
    digest_of,
    parameters_of,
    read_model,
)
from callcenter.learning.propensity_training import Firing, Trained
from callcenter.learning.worth import Worth, chance_factor, points_of, reach_of, usual_worth
from callcenter.models import PropensityModel, RuleWorth

LEARNED_FROM = timedelta(days=180)
"""Older firings tell of another product and other customers."""
MOST_FIRINGS = 50_000
"""The newest so many are learned from: enough for eleven numbers, and done within seconds."""

# The same statement says what is known of a firing for training and for a new one, so both mean the same. Every
# part looks only at what lies before the firing.
_FACTS = """
SELECT f.rule_key, f.step, f.fired_at, f.anchor_at, f.visit_seq, f.facts ->> 'errors' AS errors,
       c.created_at AS known_at,
       (SELECT count(*) FROM trigger_firing e WHERE e.customer_id = f.customer_id AND e.fired_at < f.fired_at
           AND e.rule_key <> 'by-hand') AS firings_before,
       (SELECT count(*) FROM contact_attempt a WHERE a.customer_id = f.customer_id AND a.bridged_at < f.fired_at)
           AS talks_before,
       (SELECT count(*) FROM trigger_firing e JOIN outcome p ON p.firing_id = e.id
         WHERE e.customer_id = f.customer_id AND p.converted_at < f.fired_at) AS conversions_before,
       o.converted_at IS NOT NULL AS converted
  FROM trigger_firing f
  JOIN customer c ON c.id = f.customer_id
  LEFT JOIN outcome o ON o.firing_id = f.id
"""
_ONE = _FACTS + " WHERE f.id = %(firing)s"
_MATURE = (
    _FACTS
    + """
 WHERE f.fate = 'task' AND f.rule_key <> 'by-hand' AND o.window_until <= %(now)s AND f.fired_at > %(since)s
 ORDER BY f.fired_at DESC, f.id LIMIT %(limit)s
"""
)
_MINUTES = text("""
SELECT f.rule_key, count(DISTINCT a.call_task_id) AS tasks,
       sum(extract(epoch FROM greatest(a.ended_at - a.claimed_at, interval '0')) + coalesce(d.wrap_up_seconds, 0))
           / 60.0 AS minutes
  FROM contact_attempt a
  JOIN trigger_firing f ON f.id = a.firing_id
  LEFT JOIN disposition d ON d.attempt_id = a.id
 WHERE a.claimed_at > :since AND a.ended_at IS NOT NULL AND a.agent_id IS NOT NULL
 GROUP BY f.rule_key
""")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a new call task is worth: money per agent minute; the points, within what, and how soon they fade."""

    worth: float
    points: float
    fades_minutes: float
    reach: float


def mature_firings(session: Session, now: datetime) -> list[Firing]:
    """Return the firings to learn from: meant to be called, their window over, the newest first."""
    asked = {"now": now, "since": now - LEARNED_FROM, "limit": MOST_FIRINGS}
    rows = cursor_of(session).execute(_MATURE, asked).fetchall()
    return [Firing(row[2], _facts(row), bool(row[10])) for row in rows]


def agent_minutes(session: Session, now: datetime) -> Mapping[str, tuple[float, int]]:
    """Return, per rule, the minutes agents spent on dials and wrap-ups lately and the call tasks they were of."""
    rows = session.execute(_MINUTES, {"since": now - LEARNED_FROM})
    return {row.rule_key: (float(row.minutes or 0), row.tasks) for row in rows}


def keep_model(session: Session, trained: Trained, now: datetime) -> PropensityModel:
    """Keep what training gave as the newest version; the one before stays as it was."""
    parameters = parameters_of(trained.model) if trained.model else {}
    card: dict[str, Any] = {
        "n": trained.n,
        "converted": trained.converted,
        "fitted": trained.fitted,
        "calibrated": trained.calibrated,
        "left_out": list(LEFT_OUT),
    }
    for name in ("span_from", "judged_from", "span_until"):
        at = getattr(trained, name)
        card[name] = at.isoformat() if at else None
    if trained.judgement:
        card["judgement"] = asdict(trained.judgement)
    row = PropensityModel(
        trained_at=now,
        is_used=trained.model is not None and trained.why_not is None,
        why_not=trained.why_not,
        parameters=parameters,
        digest=digest_of(parameters),
        card=card,
    )
    session.add(row)
    session.flush()
    return row


def keep_worth(
    session: Session,
    worth: Mapping[str, Worth],
    fades: Mapping[str, timedelta],
    priorities: Mapping[str, int],
    now: datetime,
) -> None:
    """Keep what calls are worth by rule, in place of what was known before; `priorities` are the set ones.

    What is usual is so among the rules of one set priority, the only ones that worth ranks against each other.
    """
    reach = reach_of({key: priorities[key] for key in worth})
    usual = {
        tier: usual_worth([one for key, one in worth.items() if priorities[key] == tier])
        for tier in set(priorities.values())
    }
    session.execute(delete(RuleWorth))
    for key, one in worth.items():
        session.add(
            RuleWorth(
                rule_key=key,
                learned_at=now,
                assigned=one.assigned,
                held_out=one.held_out,
                own_effect=one.own.difference if one.own else None,
                own_deviation=one.own.deviation if one.own else None,
                effect=one.effect,
                base_rate=one.base_rate,
                value=one.value,
                minutes=one.minutes,
                per_minute=one.per_minute,
                fades_minutes=max(1.0, fades[key].total_seconds() / 60),
                usual=usual[priorities[key]],
                reach=reach[key],
            )
        )
    session.flush()


def standing_of(session: Session, firing_id: UUID, rule_key: str) -> Standing | None:
    """Return what a call on a firing is worth; None where nothing was learned of its rule."""
    rule = session.get(RuleWorth, rule_key)
    if rule is None:
        return None
    per_minute = rule.per_minute * chance_factor(_chance(session, firing_id), rule.base_rate)
    return Standing(per_minute, points_of(per_minute, rule.usual), rule.fades_minutes, rule.reach)


def _chance(session: Session, firing_id: UUID) -> float | None:
    row = newest_model(session)
    if row is None or not row.is_used:
        return None
    try:
        model: Model = read_model(row.parameters, row.digest)
    except BadInput:
        return None  # the simple order holds; the studio says so
    found = cursor_of(session).execute(_ONE, {"firing": firing_id}).fetchone()
    return chance_of(model, _facts(found)) if found else None


def _facts(row: Any) -> Facts:
    rule_key, step, fired_at, anchor_at, visit_seq, errors, known_at, firings, talks, conversions, _ = row
    return Facts(
        rule_key=rule_key,
        step=step,
        hour=fired_at.hour + fired_at.minute / 60,
        is_weekend=fired_at.weekday() >= 5,
        minutes_to_firing=(fired_at - anchor_at).total_seconds() / 60,
        errors=int(errors) if errors and errors.isdigit() else 0,
        visits_before=max(0, visit_seq - 1),
        firings_before=firings,
        talks_before=talks,
        conversions_before=conversions,
        days_known=(fired_at - known_at).total_seconds() / 86_400,
    )
