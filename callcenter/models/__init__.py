"""Tables, one file per aggregate; each docstring names the single stage that writes it."""

from callcenter.models.account import AuditEntry, User
from callcenter.models.agent import Agent, AgentState, Reservation
from callcenter.models.api import ApiAnswer, ApiToken, ListImport
from callcenter.models.attempt import AgentLeg, CarrierDay, CarrierInbox, ContactAttempt, Incident, Watch
from callcenter.models.calltask import CallTask
from callcenter.models.customer import Customer, Device
from callcenter.models.dialing import Campaign, DialingSwitch, PacingDecision
from callcenter.models.dispatch import Dispatch
from callcenter.models.event import EventArchive, EventReceipt, JourneyEvent
from callcenter.models.evidence import AuditLink, Erasure
from callcenter.models.floor import FloorAlert, TeamThreshold, WallboardLink
from callcenter.models.help import HelpRequest
from callcenter.models.outbox import OutboxMessage
from callcenter.models.outcome import (
    Callback,
    Disposition,
    DispositionKind,
    FollowUp,
    Outcome,
    ProductSuggestion,
)
from callcenter.models.rule import TriggerFiring, TriggerRule
from callcenter.models.screening import (
    ComplianceChange,
    Consent,
    PackVersion,
    ScreeningDecision,
    Suppression,
    SuppressionList,
    SuppressionListNumber,
)
from callcenter.models.script import ScriptStep
from callcenter.models.segment import AgentTag, Segment
from callcenter.models.source import EventSource, ImportRun, QuarantinedEvent, WriteKey
from callcenter.models.visit import Journey, Visit
from callcenter.models.voice import Suggestion, SuggestionLink, SurveyInvite, SurveySetting
from callcenter.models.webhook import WebhookDelivery, WebhookEndpoint

__all__ = [
    "Agent",
    "AgentLeg",
    "AgentState",
    "AgentTag",
    "ApiAnswer",
    "ApiToken",
    "AuditEntry",
    "AuditLink",
    "CallTask",
    "Callback",
    "Campaign",
    "CarrierDay",
    "CarrierInbox",
    "ComplianceChange",
    "Consent",
    "ContactAttempt",
    "Customer",
    "Device",
    "DialingSwitch",
    "Dispatch",
    "Disposition",
    "DispositionKind",
    "Erasure",
    "EventArchive",
    "EventReceipt",
    "EventSource",
    "FloorAlert",
    "FollowUp",
    "HelpRequest",
    "ImportRun",
    "Incident",
    "Journey",
    "JourneyEvent",
    "ListImport",
    "OutboxMessage",
    "Outcome",
    "PacingDecision",
    "PackVersion",
    "ProductSuggestion",
    "QuarantinedEvent",
    "Reservation",
    "ScreeningDecision",
    "ScriptStep",
    "Segment",
    "Suggestion",
    "SuggestionLink",
    "Suppression",
    "SuppressionList",
    "SuppressionListNumber",
    "SurveyInvite",
    "SurveySetting",
    "TeamThreshold",
    "TriggerFiring",
    "TriggerRule",
    "User",
    "Visit",
    "WallboardLink",
    "Watch",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WriteKey",
]
