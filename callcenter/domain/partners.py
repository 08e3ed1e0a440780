"""Words between us and the bank's other systems: what a token may do, what is told, how the telling stands."""

from enum import StrEnum


class Scope(StrEnum):
    """What the bearer of an API token may do."""

    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    TASKS_READ = "tasks:read"
    TASKS_WRITE = "tasks:write"
    OUTCOMES_READ = "outcomes:read"
    SUPPRESSIONS_WRITE = "suppressions:write"
    LISTS_WRITE = "lists:write"
    WEBHOOKS_MANAGE = "webhooks:manage"


class WebhookKind(StrEnum):
    """What a webhook tells."""

    CALL_TASK_OPENED = "call_task.opened"
    CALL_TASK_CLOSED = "call_task.closed"
    ATTEMPT_ENDED = "attempt.ended"
    DISPOSITION_SAVED = "disposition.saved"
    DISPOSITION_CORRECTED = "disposition.corrected"
    OUTCOME_CONVERTED = "outcome.converted"
    CUSTOMER_OPTED_OUT = "customer.opted_out"
    CONSENT_CHANGED = "consent.changed"
    OFFER_GRANTED = "offer.granted"
    OFFER_TAKEN_BACK = "offer.taken_back"
    SURVEY_INVITED = "survey.invited"


class DeliveryState(StrEnum):
    """How far the telling of one fact to one endpoint has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


BY_HAND = "by-hand"
"""The built-in rule of call tasks that somebody asked for; it is never live, and no effect is measured on it."""
