"""Reads of the survey: who is to be asked after a call, whether they are, and what came back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.models import SurveyInvite, SurveySetting
from callcenter.voice import policy
from callcenter.voice.rules import NetPromoter

_MAY_INVITE = "SELECT pg_try_advisory_xact_lock(7107)"
_TO_ASK = """
SELECT DISTINCT ON (a.customer_id) a.id, a.customer_id, t.id, t.journey, t.step, t.rule_key, t.purpose, c.language
  FROM disposition d
  JOIN disposition_kind k ON k.code = d.kind_code AND k.reached AND k.right_party
  JOIN contact_attempt a ON a.id = d.attempt_id
  JOIN call_task t ON t.id = a.call_task_id
  JOIN customer c ON c.id = a.customer_id AND c.external_id IS NOT NULL AND c.erased_at IS NULL
  LEFT JOIN survey_setting r ON r.journey = t.journey AND r.rule_key = t.rule_key
  LEFT JOIN survey_setting s ON s.journey = t.journey AND s.rule_key = ''
 WHERE d.at > %(since)s AND d.at <= %(now)s
   AND coalesce(r.is_on, s.is_on, false) AND d.at >= coalesce(r.changed_at, s.changed_at)
   AND NOT EXISTS (SELECT FROM survey_invite i WHERE i.attempt_id = a.id)
   AND NOT EXISTS (SELECT FROM survey_invite i WHERE i.customer_id = a.customer_id
                      AND i.withheld IS NULL AND i.created_at > %(not_since)s)
 ORDER BY a.customer_id, d.at DESC LIMIT %(limit)s
"""
_OBJECTING = """
SELECT s.customer_id FROM suppression s
 WHERE s.customer_id = ANY(%(ids)s) AND s.kind IN ('do_not_call', 'objection') AND s.lifts_id IS NULL
   AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
   AND NOT EXISTS (SELECT FROM suppression l WHERE l.lifts_id = s.id)
"""
_COUNTS = """
SELECT journey, rule_key, count(*) FILTER (WHERE withheld IS NULL), count(*) FILTER (WHERE withheld IS NOT NULL),
       count(answered_at), count(*) FILTER (WHERE score >= 9), count(*) FILTER (WHERE score IN (7, 8)),
       count(*) FILTER (WHERE score <= 6)
  FROM survey_invite WHERE created_at >= %(since)s AND created_at < %(until)s GROUP BY 1, 2 ORDER BY 1, 2
"""
_BY_WEEK = """
SELECT floor(extract(epoch FROM (%(until)s::timestamptz - created_at)) / 604800)::int AS ago, count(*),
       count(answered_at), count(*) FILTER (WHERE score >= 9), count(*) FILTER (WHERE score IN (7, 8)),
       count(*) FILTER (WHERE score <= 6)
  FROM survey_invite WHERE withheld IS NULL AND created_at >= %(since)s AND created_at < %(until)s
 GROUP BY 1 ORDER BY 1 DESC
"""
_ANSWERS = """
SELECT i.answered_at, i.score, i.answer, i.journey, i.step, i.rule_key, c.name
  FROM survey_invite i JOIN customer c ON c.id = i.customer_id
 WHERE i.answered_at >= %(since)s AND i.answered_at < %(until)s AND i.answer <> ''
 ORDER BY i.answered_at DESC LIMIT %(limit)s
"""

NOBODY = NetPromoter()


@dataclass(frozen=True, slots=True)
class ToAsk:
    """A customer who was spoken with and may be asked what they think of it."""

    attempt_id: UUID
    customer_id: UUID
    call_task_id: UUID
    journey: str
    step: str
    rule_key: str
    purpose: str
    language: str


@dataclass(frozen=True, slots=True)
class SurveyCounts:
    """How many were asked and answered; `withheld` were spoken with and not asked, for a bar."""

    invited: int = 0
    withheld: int = 0
    answered: int = 0
    groups: NetPromoter = NOBODY

    @property
    def response_rate(self) -> float | None:
        """The share that answered of those asked; None while nobody was asked."""
        return self.answered / self.invited if self.invited else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one customer wrote; `name` is there to be taken out of it."""

    at: datetime
    score: int
    text: str
    journey: str
    step: str
    rule_key: str
    name: str | None


def may_invite(session: Session) -> bool:
    """Keep to this transaction the right to invite; False when another process is at it."""
    return bool((cursor_of(session).execute(_MAY_INVITE).fetchone() or (False,))[0])


def customers_to_ask(session: Session, now: datetime) -> list[ToAsk]:
    """List those who were spoken with lately, whose rule or campaign asks, and who were not asked of late."""
    facts = {
        "now": now,
        "since": now - policy.ASKED_WITHIN,
        "not_since": now - policy.ASKED_AGAIN_AFTER,
        "limit": policy.ASKED_AT_ONCE,
    }
    return [ToAsk(*row) for row in cursor_of(session).execute(_TO_ASK, facts)]


def objecting(session: Session, customer_ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Return those who want no calls or no marketing, of whatever campaign: they are not asked either."""
    rows = cursor_of(session).execute(_OBJECTING, {"ids": list(customer_ids), "now": now})
    return {row[0] for row in rows}


def survey_of(session: Session, survey_id: UUID) -> SurveyInvite | None:
    """Return a survey that somebody was asked to answer."""
    row = session.get(SurveyInvite, survey_id, populate_existing=True)
    return None if row is None or row.withheld is not None else row


def settings_of_surveys(session: Session) -> Mapping[tuple[str, str], SurveySetting]:
    """Return what was set, by campaign and rule; the rule is empty for the campaign's own."""
    rows = session.exec(select(SurveySetting).order_by(col(SurveySetting.journey)))
    return {(one.journey, one.rule_key): one for one in rows}


def survey_counts(
    session: Session, since: datetime, until: datetime
) -> Mapping[tuple[str, str], SurveyCounts]:
    """Count the surveys of calls in a time by campaign and rule, whenever they were answered."""
    rows = cursor_of(session).execute(_COUNTS, {"since": since, "until": until})
    return {(row[0], row[1]): SurveyCounts(row[2], row[3], row[4], NetPromoter(*row[5:])) for row in rows}


def total_counts(counts: Mapping[Any, SurveyCounts]) -> SurveyCounts:
    """Add counts up."""
    all_of = list(counts.values())
    return SurveyCounts(
        sum(one.invited for one in all_of),
        sum(one.withheld for one in all_of),
        sum(one.answered for one in all_of),
        NetPromoter(
            sum(one.groups.promoters for one in all_of),
            sum(one.groups.passives for one in all_of),
            sum(one.groups.detractors for one in all_of),
        ),
    )


def surveys_by_week(session: Session, since: datetime, until: datetime) -> list[tuple[int, SurveyCounts]]:
    """Count by weeks back from `until`, the earliest first: how many weeks ago, and the counts."""
    rows = cursor_of(session).execute(_BY_WEEK, {"since": since, "until": until})
    return [(row[0], SurveyCounts(row[1], 0, row[2], NetPromoter(*row[3:]))) for row in rows]


def survey_answers(session: Session, since: datetime, until: datetime, limit: int) -> list[Answer]:
    """List what customers wrote, the newest first."""
    facts = {"since": since, "until": until, "limit": limit}
    return [Answer(*row) for row in cursor_of(session).execute(_ANSWERS, facts)]
