"""Tables, one file per aggregate; each docstring names the single stage that writes it."""

from callcenter.models.account import AuditEntry, User
from callcenter.models.agent import Agent, AgentState, Reservation, Skill, Team
from callcenter.models.api import ApiAnswer, ApiToken, ListImport
from callcenter.models.attempt import AgentLeg, CarrierDay, CarrierInbox, ContactAttempt, Incident, Watch
from callcenter.models.back_test import BackTestRun
from callcenter.models.band import BandedVisit
from callcenter.models.calltask import CallTask
from callcenter.models.customer import Customer, Device
from callcenter.models.dialing import Campaign, DialingSwitch, PacingDecision
from callcenter.models.dispatch import Dispatch
from callcenter.models.event import EventArchive, EventReceipt, JourneyEvent
from callcenter.models.evidence import AuditLink, Erasure
from callcenter.models.floor import FloorAlert, TeamThreshold, WallboardLink
from callcenter.models.help import HelpRequest
from callcenter.models.learning import ScriptAllocation, WhatHelps
from callcenter.models.night import GhostTask, LearningRun, LearningStep, PropensityModel, RuleWorth
from callcenter.models.offer import Offer, OfferGrant
from callcenter.models.outbox import OutboxMessage
from callcenter.models.outcome import (
    Callback,
    Disposition,
    DispositionCheck,
    DispositionKind,
    FollowUp,
    Outcome,
    ProductSuggestion,
)
from callcenter.models.proposal import Proposal
from callcenter.models.quality import Review, ReviewPlan, Scorecard
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
from callcenter.models.surge import StepSurge
from callcenter.models.target import PointsScheme, WorkTarget
from callcenter.models.transfer import TaskTransfer
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
    "BackTestRun",
    "BandedVisit",
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
    "DispositionCheck",
    "DispositionKind",
    "Erasure",
    "EventArchive",
    "EventReceipt",
    "EventSource",
    "FloorAlert",
    "FollowUp",
    "GhostTask",
    "HelpRequest",
    "ImportRun",
    "Incident",
    "Journey",
    "JourneyEvent",
    "LearningRun",
    "LearningStep",
    "ListImport",
    "Offer",
    "OfferGrant",
    "OutboxMessage",
    "Outcome",
    "PacingDecision",
    "PackVersion",
    "PointsScheme",
    "ProductSuggestion",
    "PropensityModel",
    "Proposal",
    "QuarantinedEvent",
    "Reservation",
    "Review",
    "ReviewPlan",
    "RuleWorth",
    "Scorecard",
    "ScreeningDecision",
    "ScriptAllocation",
    "ScriptStep",
    "Segment",
    "Skill",
    "StepSurge",
    "Suggestion",
    "SuggestionLink",
    "Suppression",
    "SuppressionList",
    "SuppressionListNumber",
    "SurveyInvite",
    "SurveySetting",
    "TaskTransfer",
    "Team",
    "TeamThreshold",
    "TriggerFiring",
    "TriggerRule",
    "User",
    "Visit",
    "WallboardLink",
    "Watch",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WhatHelps",
    "WorkTarget",
    "WriteKey",
]
