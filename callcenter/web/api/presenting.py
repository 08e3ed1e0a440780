"""Rows as the API answers them: ids, states and times."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from callcenter.compliance.ledger_queries import Entry, Listed
from callcenter.models import (
    Callback,
    CallTask,
    ContactAttempt,
    Customer,
    Disposition,
    ListImport,
    OfferGrant,
    Outcome,
    Suppression,
    WebhookDelivery,
    WebhookEndpoint,
)
from callcenter.web.lists_view import FILES
from callcenter.webhooks.queries import Counts

Body = dict[str, Any]
_TOLD_APART = ("language", "gender", "city")


def time(at: datetime | None) -> str | None:
    """Return a moment in UTC as ISO 8601."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def customer(one: Customer) -> Body:
    """A customer as we know them."""
    return {
        "customer_id": str(one.id),
        "external_id": one.external_id,
        "name": one.name,
        "phone": one.number,
        "time_zone": one.time_zone,
        "language": one.language,
        "gender": one.gender,
        "city": one.city,
        "tags": one.tags,
        "agent_tags": one.agent_tags,
        "segments": one.segments,
        "survey_group": one.survey_group,
        "traits": {name: value for name, value in one.traits.items() if name not in _TOLD_APART},
        "is_frozen": one.frozen_at is not None,
        "created_at": time(one.created_at),
        "updated_at": time(one.updated_at),
    }


def task(one: CallTask, external_id: str | None) -> Body:
    """A call task, with why nobody calls just now."""
    return {
        "call_task_id": str(one.id),
        "customer_id": str(one.customer_id),
        "external_id": external_id,
        "journey": one.journey,
        "step": one.step,
        "rule": one.rule_key,
        "purpose": one.purpose,
        "state": one.state,
        "state_at": time(one.state_at),
        "priority": one.priority,
        "why_no_call": [str(reason) for reason in one.why_no_call],
        "cancel_reason": one.cancel_reason,
        "attempts": one.attempts,
        "script_id": one.script_id,
        "reason": _text(one.facts.get("asked_for")),
        "asked_by": _text(one.facts.get("asked_by")),
        "created_at": time(one.created_at),
        "not_before_at": time(one.not_before_at),
        "expires_at": time(one.expires_at),
        "closed_at": time(one.closed_at),
    }


def _text(value: object) -> str | None:
    return str(value) if value else None


def grant(one: OfferGrant) -> Body:
    """An offer that was granted on an attempt."""
    return {
        "grant_id": str(one.id),
        "offer": one.offer_code,
        "offer_version": one.offer_version,
        "value": f"{one.value:f}",
        "cost": f"{one.cost:f}",
        "currency": one.currency,
        "granted_at": time(one.granted_at),
        "taken_back_at": time(one.taken_back_at),
    }


def attempt(one: ContactAttempt, external_id: str | None, granted: Sequence[OfferGrant]) -> Body:
    """One dial with what was granted on it; the number is told nowhere."""
    return {
        "attempt_id": str(one.id),
        "call_task_id": str(one.call_task_id),
        "customer_id": str(one.customer_id),
        "external_id": external_id,
        "state": one.state,
        "result": one.result,
        "claimed_at": time(one.claimed_at),
        "answered_at": time(one.answered_at),
        "ended_at": time(one.ended_at),
        "talk_seconds": one.talk_seconds,
        "purpose": one.purpose,
        "mode": one.mode,
        "offers": [grant(offer) for offer in granted],
    }


def disposition(one: Disposition, call_task_id: Any, customer_id: Any, external_id: str | None) -> Body:
    """What the agent said; notes stay here."""
    return {
        "attempt_id": str(one.attempt_id),
        "call_task_id": str(call_task_id),
        "customer_id": str(customer_id),
        "external_id": external_id,
        "disposition": one.kind_code,
        "causes": [str(cause) for cause in one.causes],
        "at": time(one.at),
    }


def outcome(one: Outcome, rule: str, fate: str | None, call_task_id: Any, external_id: str | None) -> Body:
    """A conversion."""
    return {
        "firing_id": str(one.firing_id),
        "call_task_id": str(call_task_id) if call_task_id else None,
        "customer_id": str(one.customer_id),
        "external_id": external_id,
        "journey": one.journey,
        "rule": rule,
        "fate": fate,
        "converted_step": one.converted_step,
        "converted_at": time(one.converted_at),
    }


def callback(one: Callback, external_id: str | None) -> Body:
    """A promised call."""
    return {
        "callback_id": str(one.id),
        "call_task_id": str(one.call_task_id),
        "customer_id": str(one.customer_id),
        "external_id": external_id,
        "at": time(one.due_at),
        "is_personal": one.agent_id is not None,
        "created_at": time(one.created_at),
        "closed_at": time(one.closed_at),
    }


def suppression_kept(one: Suppression) -> Body:
    """An entry just made."""
    return {
        "suppression_id": one.id,
        "kind": one.kind,
        "scope": one.scope,
        "customer_id": str(one.customer_id) if one.customer_id else None,
        "expires_at": time(one.expires_at),
    }


def suppression(one: Entry) -> Body:
    """An entry in force."""
    return {
        "suppression_id": one.id,
        "kind": one.kind,
        "scope": one.scope,
        "about_person": one.about_person,
        "about_number": one.about_number,
        "purpose": one.purpose,
        "campaign": one.campaign,
        "source": one.source,
        "created_at": time(one.created_at),
        "expires_at": time(one.expires_at),
    }


def listed(one: Listed) -> Body:
    """A list in force that holds the number."""
    return {"key": one.key, "purpose": one.purpose, "as_of": time(one.as_of)}


def call_list(one: ListImport, *, most_refused: int | None = 20) -> Body:
    """A list and how far it is; of the refused rows the first few, or all."""
    return {
        "list_id": str(one.id),
        "name": one.name,
        "is_dry_run": one.is_dry_run,
        "state": _list_state(one),
        "rows_total": one.rows_total,
        "rows_done": one.rows_done,
        "tasks_opened": one.tasks_opened,
        "refused_total": len(one.refused),
        "refused": one.refused[:most_refused],
        "ignored_columns": one.ignored_columns,
        "failed": {"code": one.failed, "message": str(FILES.get(one.failed, FILES["damaged"]))}
        if one.failed
        else None,
        "created_at": time(one.created_at),
        "ended_at": time(one.ended_at),
    }


def _list_state(one: ListImport) -> str:
    if one.failed:
        return "failed"
    if one.body is not None:
        return "reading"
    if one.is_dry_run:
        return "checked"
    return "done" if one.ended_at else "working"


def endpoint(one: WebhookEndpoint, counts: Counts) -> Body:
    """An endpoint without its secret."""
    return {
        "webhook_id": str(one.id),
        "url": one.url,
        "kinds": one.kinds,
        "is_enabled": one.is_enabled,
        "pending": counts.pending,
        "failed": counts.failed,
        "created_at": time(one.created_at),
    }


def delivery(one: WebhookDelivery) -> Body:
    """One telling of one fact."""
    return {
        "delivery_id": one.id,
        "event_id": str(one.event_id),
        "event": one.kind,
        "state": one.state,
        "tries": one.tries,
        "created_at": time(one.created_at),
        "due_at": time(one.due_at),
        "last_status": one.last_status,
        "last_error": one.last_error,
    }
