"""What an export is made of: for each kind of record its statement, and how its cells are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson


@dataclass(frozen=True, slots=True)
class Sheet:
    """One kind of record: where its rows come from, how one person's and how a period's are found.

    Columns named in `documents` are JSON already.
    """

    name: str
    select: str
    of_customer: str
    in_period: str
    order: str
    documents: frozenset[str] = frozenset()


def _in(column: str) -> str:
    return f"{column} >= %(since)s AND {column} < %(until)s"


SHEETS: Sequence[Sheet] = (
    Sheet(
        "screening_decisions",
        "SELECT d.id, d.asked_at, d.for_at, d.point, d.customer_id, d.firing_id, d.call_task_id, d.purpose,"
        " d.campaign, d.may_call, d.reasons::text AS reasons, d.next_allowed_at, d.policy_version,"
        " d.facts::text AS facts FROM screening_decision d",
        "d.customer_id = ANY(%(people)s)",
        _in("d.asked_at"),
        "d.id",
        frozenset({"reasons", "facts"}),
    ),
    Sheet(
        "attempts",
        "SELECT a.id, a.call_task_id, a.customer_id, a.campaign, a.purpose, a.mode, t.rule_key, u.login AS agent,"
        " a.to_number, a.caller_id, a.state, a.result, a.result_detail, a.answered_by, a.claimed_at, a.placing_at,"
        " a.placed_at, a.ringing_at, a.answered_at, a.bridged_at, a.ended_at, a.talk_seconds, a.script_id,"
        " a.script_version, a.script_variant, a.carrier_ref, a.recording_ref"
        " FROM contact_attempt a JOIN call_task t ON t.id = a.call_task_id"
        " LEFT JOIN app_user u ON u.id = a.agent_id",
        "a.customer_id = ANY(%(people)s)",
        _in("a.claimed_at"),
        "a.claimed_at, a.id",
    ),
    Sheet(
        "dispositions",
        "SELECT d.attempt_id, a.customer_id, d.at, u.login AS agent, d.kind_code AS disposition,"
        " d.corrected_code AS corrected_to, k.reached,"
        " k.right_party, k.converted, k.callback, k.do_not_call, k.refused, d.causes::text AS causes, d.note,"
        " d.wrap_up_seconds FROM disposition d JOIN contact_attempt a ON a.id = d.attempt_id"
        " JOIN disposition_kind k ON k.code = d.counts_as JOIN app_user u ON u.id = d.agent_id",
        "a.customer_id = ANY(%(people)s)",
        _in("d.at"),
        "d.at, d.attempt_id",
        frozenset({"causes"}),
    ),
    Sheet(
        "callbacks",
        "SELECT c.id, c.attempt_id, c.call_task_id, c.customer_id, u.login AS agent, c.created_at, c.due_at,"
        " c.said, c.closed_at FROM callback c LEFT JOIN app_user u ON u.id = c.agent_id",
        "c.customer_id = ANY(%(people)s)",
        _in("c.created_at"),
        "c.created_at, c.id",
    ),
    Sheet(
        "offers_granted",
        "SELECT g.id, g.offer_code AS offer, g.offer_version, g.attempt_id, g.customer_id, u.login AS agent,"
        " g.value::text AS value, g.cost::text AS cost, g.currency, g.granted_at, g.taken_back_at"
        " FROM offer_grant g LEFT JOIN app_user u ON u.id = g.agent_id",
        "g.customer_id = ANY(%(people)s)",
        _in("g.granted_at"),
        "g.granted_at, g.id",
    ),
    Sheet(
        "surveys",
        "SELECT i.id, i.attempt_id, i.call_task_id, i.customer_id, i.created_at, i.expires_at, i.withheld,"
        " i.answered_at, i.score, i.answer FROM survey_invite i",
        "i.customer_id = ANY(%(people)s)",
        _in("i.created_at"),
        "i.created_at, i.id",
    ),
    Sheet(
        "consents",
        "SELECT c.id, c.act, c.customer_id, c.purpose, c.text_version, c.proof, c.source, c.at, c.expires_at,"
        " c.created_at, u.login AS created_by FROM consent c LEFT JOIN app_user u ON u.id = c.created_by",
        "c.customer_id = ANY(%(people)s)",
        _in("c.created_at"),
        "c.id",
    ),
    Sheet(
        "suppressions",
        "SELECT s.id, s.kind, s.scope, s.customer_id, s.number_hash, s.purpose, s.campaign, s.source, s.reason,"
        " s.proof, s.created_at, u.login AS created_by, s.expires_at, s.lifts_id"
        " FROM suppression s LEFT JOIN app_user u ON u.id = s.created_by",
        "(s.customer_id = ANY(%(people)s) OR s.number_hash = %(number_hash)s OR s.lifts_id IN"
        " (SELECT id FROM suppression WHERE customer_id = ANY(%(people)s) OR number_hash = %(number_hash)s))",
        _in("s.created_at"),
        "s.id",
    ),
    Sheet(
        "audit_entries",
        "SELECT e.id, e.at, u.login AS user, e.act, e.subject, e.detail::text AS detail"
        " FROM audit_entry e LEFT JOIN app_user u ON u.id = e.user_id",
        # Some entries name what they are about before its id: "customer <id>", "call task <id>".
        "e.subject IN (SELECT word || one::text FROM unnest(%(people)s::uuid[]) AS one,"
        " (VALUES (''), ('customer ')) AS words (word)"
        " UNION ALL SELECT id::text FROM contact_attempt WHERE customer_id = ANY(%(people)s)"
        " UNION ALL SELECT word || id::text FROM call_task, (VALUES (''), ('call task ')) AS words (word)"
        " WHERE customer_id = ANY(%(people)s))",
        _in("e.at"),
        "e.id",
        frozenset({"detail"}),
    ),
)
NUMBERS = "to_number"
"""The one column that holds telephone numbers of customers."""
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def masked(number: str | None) -> str | None:
    """Show only enough of a number to tell two apart; the token of an erased one is shown as it is."""
    if number is None or number.startswith("erased:"):
        return number
    return f"{number[:4]}****{number[-4:]}" if len(number) > 10 else f"****{number[-2:]}"


def cell(value: Any) -> str:
    """Return what stands in a cell of a table, made harmless: a spreadsheet takes none for a formula."""
    text = _plain(value)
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def json_line(row: Mapping[str, Any], documents: frozenset[str]) -> bytes:
    """Return a row as a line of JSON."""
    said = {
        name: orjson.Fragment(value) if name in documents and value is not None else _json(value)
        for name, value in row.items()
    }
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def _json(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def parameters(
    people: Sequence[UUID], number_hash: bytes | None, since: datetime | None, until: datetime | None
) -> dict[str, Any]:
    """Return what the statements ask for by name."""
    return {"people": list(people), "number_hash": number_hash, "since": since, "until": until}
