"""The states things can be in. The glossary (docs/glossary.md) explains each word."""

from enum import StrEnum


class Role(StrEnum):
    """What a signed-in person may do."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    STRATEGIST = "strategist"
    COMPLIANCE = "compliance"
    ADMIN = "admin"


class Presence(StrEnum):
    """Whether an agent wants call tasks. Owned by the agent."""

    SIGNED_OFF = "signed_off"
    AVAILABLE = "available"
    NOT_READY = "not_ready"


class NotReadyReason(StrEnum):
    """Why an agent takes no call tasks just now."""

    BREAK = "break"
    TRAINING = "training"
    MEETING = "meeting"
    ADMIN = "admin"
    MISSED_OFFER = "missed_offer"
    AWAY = "away"
    """The console has not been open for a while; nobody looks at it."""


class WorkState(StrEnum):
    """What an agent is doing. Owned by the call's course, never by the agent's click on presence."""

    IDLE = "idle"
    RESERVED = "reserved"
    PREVIEWING = "previewing"
    DIALING = "dialing"
    TALKING = "talking"
    WRAPPING = "wrapping"


class VisitEnd(StrEnum):
    """Why a visit closed."""

    ADVANCED = "advanced"
    GOAL = "goal"
    EXIT = "exit"
    WENT_BACK = "went_back"
    SILENT = "silent"
    MERGED = "merged"


class Preset(StrEnum):
    """The five kinds of trigger rule."""

    DWELL = "dwell"
    GONE_QUIET = "gone_quiet"
    ABSENCE = "absence"
    TROUBLE = "trouble"
    MOMENT = "moment"


class RuleState(StrEnum):
    """The life of a trigger rule's version."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    CANARY = "canary"
    LIVE = "live"
    PAUSED = "paused"
    RETIRED = "retired"


class ProposalKind(StrEnum):
    """What a proposal would change."""

    WAIT = "wait"
    PAUSE = "pause"
    HOLDOUT = "holdout"
    VARIANT = "variant"


class ProposalState(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    IN_REVIEW = "in_review"
    CANARY = "canary"
    ADOPTED = "adopted"
    DECLINED = "declined"
    ROLLED_BACK = "rolled_back"
    EXPIRED = "expired"


class QuarantineState(StrEnum):
    """What became of an event that was not accepted."""

    OPEN = "open"
    REDRIVEN = "redriven"
    DISMISSED = "dismissed"


class FiringFate(StrEnum):
    """What became of a trigger firing."""

    TASK = "task"
    HELD_OUT = "held_out"
    SUPPRESSED = "suppressed"


class SuppressReason(StrEnum):
    """Why a firing became neither a call task nor a held-out case."""

    BARRED = "barred"
    MERGED = "merged"
    RECOVERED = "recovered"
    PAUSED = "paused"
    SHADOWED = "shadowed"
    COOL_DOWN = "cool_down"
    WOULD_HAVE_FIRED = "would_have_fired"


class Purpose(StrEnum):
    """What a call is for; law and consent differ by it."""

    SERVICE = "service"
    MARKETING = "marketing"
    COLLECTION = "collection"


class NumberKind(StrEnum):
    """What kind of line a number is, as the numbering plan says; a number that is none of these is not called."""

    MOBILE = "mobile"
    FIXED = "fixed"
    FIXED_OR_MOBILE = "fixed_or_mobile"
    VOIP = "voip"
    PERSONAL = "personal"
    TOLL_FREE = "toll_free"
    SHARED_COST = "shared_cost"
    PREMIUM = "premium"
    COMPANY = "company"
    PAGER = "pager"
    VOICEMAIL = "voicemail"


class SuppressionKind(StrEnum):
    """Why somebody stands in the suppression ledger."""

    DO_NOT_CALL = "do_not_call"
    REFUSAL = "refusal"
    """Said no to this offer: not again by telephone for as long as the policy says."""
    OBJECTION = "objection"
    """Objected to marketing: no marketing call, and no rule looks at them for one."""
    DECEASED = "deceased"
    UNDER_AGE = "under_age"
    COMPLAINT = "complaint"


class SuppressionScope(StrEnum):
    """How far an entry of the suppression ledger reaches."""

    GLOBAL = "global"
    PURPOSE = "purpose"
    CAMPAIGN = "campaign"
    NUMBER = "number"


class ConsentAct(StrEnum):
    """What an entry of the consent ledger says."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class BarReason(StrEnum):
    """Why the compliance gate says no."""

    DO_NOT_CALL = "do_not_call"
    REFUSED = "refused"
    OBJECTED = "objected"
    DECEASED = "deceased"
    UNDER_AGE = "under_age"
    COMPLAINT_OPEN = "complaint_open"
    CUSTOMER_FROZEN = "customer_frozen"
    NO_CONSENT = "no_consent"
    REGISTRY_STALE = "registry_stale"
    LISTS_UNREADABLE = "lists_unreadable"
    """The number key is not the one under which a suppression list was made."""
    INVALID_NUMBER = "invalid_number"
    NUMBER_KIND_BARRED = "number_kind_barred"
    REGION_BARRED = "region_barred"
    UNKNOWN_TIME_ZONE = "unknown_time_zone"
    OUTSIDE_CALLING_HOURS = "outside_calling_hours"
    ATTEMPT_CAP_REACHED = "attempt_cap_reached"
    NUMBER_CAP_REACHED = "number_cap_reached"
    MINIMUM_GAP = "minimum_gap"
    TALKED_LATELY = "talked_lately"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_CLOSED = "campaign_closed"
    ABANDONMENT_BUDGET_SPENT = "abandonment_budget_spent"
    AGENT_NOT_GUARANTEED = "agent_not_guaranteed"
    NO_POLICY = "no_policy"
    CLOCK_SET_BACK = "clock_set_back"


class ChangeKind(StrEnum):
    """What a change of the compliance rules would do; each needs a second person."""

    PACK_VERSION = "pack_version"
    LIFT_SUPPRESSION = "lift_suppression"
    GIVE_CONSENT = "give_consent"
    RETIRE_LIST = "retire_list"


class ChangeState(StrEnum):
    """What became of a proposed change."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


class ScreeningPoint(StrEnum):
    """When the gate was asked."""

    OPENING = "opening"
    CLAIM = "claim"
    DIAL = "dial"
    CALLBACK = "callback"


class TaskState(StrEnum):
    """Where a call task is."""

    PENDING = "pending"
    RESERVED = "reserved"
    ASSIGNED = "assigned"
    WRAPPING = "wrapping"
    COMPLETED = "completed"
    CANCELED = "canceled"


class CancelReason(StrEnum):
    """Why a call task died."""

    ADVANCED = "advanced"
    RECOVERED = "recovered"
    LATE_PROGRESS = "late_progress"
    REFUSED = "refused"
    EXPIRED = "expired"
    BARRED = "barred"
    WITHDRAWN = "withdrawn"


class ForceEffect(StrEnum):
    """When a presence that a supervisor sets takes effect, by what the agent is at."""

    AT_ONCE = "at_once"
    OFFER_BACK = "offer_back"
    """At once, and the offer before them goes to somebody else."""
    AFTER_CALL = "after_call"
    AFTER_WRAP_UP = "after_wrap_up"


class ReservationEnd(StrEnum):
    """How an offer to an agent ended."""

    DIALED = "dialed"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    FREED = "freed"
    BARRED = "barred"
    PASSED_ON = "passed_on"


class Requirement(StrEnum):
    """What a call task may ask of its agent."""

    TEAM = "team"
    LEVEL = "level"
    SKILL = "skill"
    LANGUAGE = "language"


class OfferWay(StrEnum):
    """How a call task came to an agent."""

    BEST_FIT = "best_fit"
    PROMISED = "promised"
    GIVEN = "given"
    HANDED_OVER = "handed_over"
    CHOSEN = "chosen"


class HeldFor(StrEnum):
    """Whom a call task in transfer is kept for."""

    APPROVAL = "approval"
    COLLEAGUE = "colleague"
    TEAM = "team"


class TransferState(StrEnum):
    """How far a transfer has come, and how it ended."""

    ASKED = "asked"
    ON_ITS_WAY = "on_its_way"
    TAKEN = "taken"
    DECLINED = "declined"
    TURNED_DOWN = "turned_down"
    UNANSWERED = "unanswered"
    UNDECIDED = "undecided"
    TAKEN_BACK = "taken_back"
    OVERTAKEN = "overtaken"


class TransferReason(StrEnum):
    """Why an agent hands a call task over."""

    SKILL = "skill_needed"
    LANGUAGE = "language_needed"
    KNOWN_TO_COLLEAGUE = "known_to_colleague"
    CUSTOMER_ASKED = "customer_asked"
    END_OF_SHIFT = "end_of_shift"
    OTHER = "other"


class AttemptState(StrEnum):
    """How far one dial of one number has come, as far as we know."""

    CLAIMED = "claimed"
    PLACING = "placing"
    UNKNOWN = "unknown"
    PLACED = "placed"
    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    BRIDGED = "bridged"
    ENDED = "ended"


LEG_UP = frozenset({AttemptState.ANSWERED, AttemptState.BRIDGED})
"""States in which an agent's leg is in their room."""


class CallResult(StrEnum):
    """How the telephone ended; the carrier says."""

    COMPLETED = "completed"
    ABANDONED = "abandoned"
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELED = "canceled"
    REJECTED = "rejected"
    NOT_PLACED = "not_placed"


class Cause(StrEnum):
    """Why the customer stopped, as the agent understood it."""

    TECHNICAL = "technical"
    USABILITY = "usability"
    PRODUCT = "product"
    PRICE = "price"
    TRUST = "trust"
    NEED = "need"


class FollowUpKind(StrEnum):
    """What kind of business a follow-up is about."""

    ANOTHER_PRODUCT = "another_product"
    VISIT = "visit"
    BRANCH_APPOINTMENT = "branch_appointment"
    SOMETHING_ELSE = "something_else"


class HelpEnd(StrEnum):
    """How an agent's request for help ended."""

    LOWERED = "lowered"
    CLOSED = "closed"
    CALL_OVER = "call_over"


class DialingMode(StrEnum):
    """Who decides when a call is placed: an agent (manual, preview) or the pacing rule (the others)."""

    MANUAL = "manual"
    PREVIEW = "preview"
    PROGRESSIVE = "progressive"
    POWER = "power"
    PREDICTIVE = "predictive"


AUTOMATIC_MODES = frozenset({DialingMode.PROGRESSIVE, DialingMode.POWER, DialingMode.PREDICTIVE})
"""Modes in which calls are placed without an agent's click; one switch makes them all impossible."""


class SupervisorMode(StrEnum):
    """How a supervisor takes part in a call: hears both, speaks to the agent alone, or speaks to both."""

    MONITOR = "monitor"
    WHISPER = "whisper"
    BARGE = "barge"


class AnsweredBy(StrEnum):
    """Who picked up, as answering-machine detection heard it; unknown counts as a human."""

    HUMAN = "human"
    MACHINE = "machine"
    FAX = "fax"
    UNKNOWN = "unknown"


class OutboxKind(StrEnum):
    """What must happen next."""

    OFFER_CALL_TASK = "offer-call-task"
    OFFER_TO_AGENT = "offer-to-agent"
    PLACE_ATTEMPT = "place-attempt"
    HANG_UP_ATTEMPT = "hang-up-attempt"
    HANG_UP_STRAYS = "hang-up-strays"
    SETTLE_CALL = "settle-call"
    CLOSE_UNATTENDED = "close-unattended"
    CONNECT_AGENT = "connect-agent"
    RELEASE_AGENT = "release-agent"
    PLACE_WATCH = "place-watch"
    SETTLE_WATCH = "settle-watch"
    DELIVER_WEBHOOKS = "deliver-webhooks"
    LOOK_AT_LIST = "look-at-list"
    WORK_LIST = "work-list"
    LEARN = "learn"
    BACK_TEST = "back-test"


class SuggestionState(StrEnum):
    """How far a product suggestion has come."""

    NEW = "new"
    CONSIDERED = "considered"
    PLANNED = "planned"
    DONE = "done"
    DECLINED = "declined"


class SurveyGroup(StrEnum):
    """Where an answer to "would you recommend us" from 0 to 10 puts a customer."""

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


class SegmentForm(StrEnum):
    """The forms a row of a segment's definition has."""

    DID = "did"
    DID_NOT = "did_not"
    FIRST = "first"
    LAST = "last"
    WORTH = "worth"
    """Recency, frequency and money of one event."""
    ATTRIBUTE = "attribute"
    TAG = "tag"
    SURVEY = "survey"
