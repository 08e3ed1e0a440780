"""The agent console: rail, call bar, why this call, customer, script, wrap-up; or the idle view."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from callcenter.domain.enums import AUTOMATIC_MODES
from callcenter.web.pages.agenda import CallbackDue, FollowUpDesk, Help
from callcenter.web.pages.frame import Frame, Money
from callcenter.web.pages.handing_over import HandedOver, HandOverForm, OfferWhy
from callcenter.web.pages.offers import OfferDesk
from callcenter.web.pages.own import OwnPoints, OwnReview, OwnTarget
from callcenter.web.pages.script_results import Helps


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """One own figure of today beside the team's median.

    `code`: attempts, reached, right_party, verified, wrap_up. `kind`: count, share (0 to 1) or
    clock (seconds). `value` and `median` are None when there is nothing to divide by.
    `target` is the plan (count) or the limit (clock). `scale` is the right end of the drawn axis.
    """

    code: str
    kind: str
    value: float | None
    median: float | None
    scale: float
    numerator: int | None = None
    denominator: int | None = None
    target: float | None = None

    def place(self, figure: float | None) -> float:
        """Where a figure lies on the drawn axis, in percent from 0 to 100."""
        if figure is None or self.scale <= 0:
            return 0.0
        return round(min(1.0, max(0.0, figure / self.scale)) * 100, 1)


@dataclass(frozen=True, slots=True)
class PauseUse:
    """Minutes of one not-ready reason today, in seconds; `allowed_seconds` None is no limit."""

    reason: str
    used_seconds: int
    allowed_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many of the team are in one state; `code` is a work state or not_ready."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class PresenceSet:
    """Which supervisor set the agent's presence, when, and their note; the agent may change it back."""

    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rail:
    """The agent's own column.

    `presence`: signed_off, available, not_ready; `presence_reason` is set with not_ready.
    `may_choose` are the not-ready reasons the agent may pick. `work_state_since` starts the
    clock. `waiting` counts the call tasks in the agent's skills, `callable_now` those that may be
    called now; `oldest_since` is when the oldest began to wait. `overdue` counts late callbacks.
    """

    agent_name: str
    signed_in_at: datetime | None
    presence: str
    presence_reason: str | None
    presence_since: datetime
    may_choose: tuple[str, ...]
    work_state: str
    work_state_since: datetime
    waiting: int
    callable_now: int
    oldest_since: datetime | None = None
    last_wrap_up_seconds: int | None = None
    callbacks: tuple[CallbackDue, ...] = ()
    overdue: int = 0
    numbers: tuple[OwnNumber, ...] = ()
    pauses: tuple[PauseUse, ...] = ()
    team_now: tuple[StateCount, ...] = ()
    presence_set: PresenceSet | None = None


@dataclass(frozen=True, slots=True)
class StepMark:
    """A step on the stepper. `state`: passed, stopped, recovered, next or ahead."""

    label: str
    state: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class LiveNote:
    """What the customer just did. `tone`: good, bad or plain. Shown filled until `until`."""

    text: str
    at: datetime
    tone: str
    until: datetime


@dataclass(frozen=True, slots=True)
class AlsoWhy:
    """Another reason for the same call: what, on which step, since when, by which rule.

    `unsaid` are the reasons why it may not be mentioned on this call: it is an offer, and the call is not.
    """

    id: str
    headline: str
    step: str
    at: datetime
    rule: str
    unsaid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WhyThisCall:
    """Why the call task exists, in the words of the rule that leads the call.

    `ring_delay_seconds` is drop-off to first ring, None before it rang. `also` are the other reasons that stand.
    `still` is a short live sentence ("Still on the page.").
    """

    headline: str
    step: str
    stopped_at: datetime
    rule: str
    rule_version: int
    steps: tuple[StepMark, ...]
    also: tuple[AlsoWhy, ...] = ()
    ring_delay_seconds: int | None = None
    still: str | None = None
    live: LiveNote | None = None
    helps: Helps | None = None


@dataclass(frozen=True, slots=True)
class EarlierAttempt:
    """An attempt before this call task: when, and what came of it in one line."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One thing that happened, newest first in the list.

    `kind` picks icon and filter: registered, signed_in, opened, returned, accepted, rejected,
    error, call, rule, callback or other. `id` keeps its row in place when the page is refreshed.
    """

    id: str
    at: datetime
    kind: str
    text: str

    @property
    def is_error(self) -> bool:
        """True for what went wrong for the customer."""
        return self.kind in {"rejected", "error"}

    @property
    def is_call(self) -> bool:
        """True for what we did: dials, callbacks, rules."""
        return self.kind in {"call", "callback", "rule"}


@dataclass(frozen=True, slots=True)
class TagChoice:
    """A tag agents may give; `is_on`: the customer has it."""

    code: str
    label: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Customer:
    """The person, as far as an agent may see them. `masked_number` never shows the whole number."""

    name: str
    short_name: str
    title: str
    masked_number: str
    place: str
    time_zone: tzinfo | None
    credit_limit: Money | None = None
    credit_note: str | None = None
    products: tuple[str, ...] = ()
    consent: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    agent_tags: tuple[TagChoice, ...] = ()
    crm_url: str | None = None
    earlier: tuple[EarlierAttempt, ...] = ()
    timeline: tuple[TimelineEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """An answer the customer may give, chosen by its digit. `lit` is the live event it answers."""

    digit: int
    key: str
    label: str
    hint: str
    leads_to: str | None
    lit: str | None = None


@dataclass(frozen=True, slots=True)
class ScriptNode:
    """One thing to say. `position` of `total` steps, None where a path has no fixed length."""

    key: str
    label: str
    say: tuple[str, ...]
    branches: tuple[Branch, ...] = ()
    position: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step of the script already behind us, with the answer given and when."""

    label: str
    answer: str | None
    at: datetime
    is_notice: bool = False


@dataclass(frozen=True, slots=True)
class Objection:
    """Something customers say, and the answer to give. Common ones are shown as chips."""

    key: str
    label: str
    answer: str
    is_common: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """The script of this attempt with its placeholders filled. `current` is the key of a node."""

    label: str
    version: int
    variant: str | None
    nodes: tuple[ScriptNode, ...]
    current: str
    path: tuple[StepTaken, ...] = ()
    objections: tuple[Objection, ...] = ()
    required_notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DispositionChoice:
    """One big button. `needs_callback` asks for a time as well."""

    key: str
    label: str
    needs_callback: bool = False


@dataclass(frozen=True, slots=True)
class CauseChoice:
    """Why they stopped. `is_prefilled` says it was read from the errors."""

    key: str
    label: str
    is_prefilled: bool = False


@dataclass(frozen=True, slots=True)
class WrapUp:
    """The form after every attempt. At most eight dispositions have a key.

    `may_save` is true once the carrier says the call has ended. `callback_times` are only those
    the customer's calling hours allow. `errors` holds a sentence by field name.
    """

    dispositions: tuple[DispositionChoice, ...]
    causes: tuple[CauseChoice, ...]
    may_save: bool
    limit_seconds: int
    causes_from: str | None = None
    callback_times: tuple[datetime, ...] = ()
    disposition: str | None = None
    note: str = ""
    suggestion: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Barred:
    """Why this customer may not be dialled now. `next_allowed_at` None: no time is known, or people must act.

    `time_zone` and `place` are where that time counts.
    """

    reasons: tuple[str, ...]
    next_allowed_at: datetime | None = None
    time_zone: tzinfo | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody the call may be given to. `team` may be empty; who is not free cannot be chosen."""

    id: str
    name: str
    team: str
    is_free: bool


@dataclass(frozen=True, slots=True)
class CurrentCall:
    """The call task before the agent, from reservation to saved wrap-up.

    `phase`: reserved, previewing, dialing, talking, wrapping or gone. `deadline_at` ends the
    preview or the wrap-up, `allowed_seconds` is its whole length. `result` is the carrier's call
    result once known; `failure` names the cause of a failed one. `cancel_reason` is set when gone.
    `own_number` is the agent's masked telephone if that rings first.

    While talking: `is_muted` is the mute of the agent's own telephone, a softphone mutes itself.
    `why_no_hold` and `why_no_transfer` are sentences shown where `may_hold` or `may_transfer` is
    false. `answered_by` is machine when that is what it sounds like. `agent_leg`: connected,
    connecting or lost; a lost one has to be back by `agent_back_by`. `mode` is the dialing mode:
    manual, preview, progressive, power or predictive.
    """

    call_task_id: str
    phase: str
    customer: Customer
    why: WhyThisCall
    script: Script | None
    wrap_up: WrapUp
    attempt_id: str | None = None
    phase_since: datetime | None = None
    deadline_at: datetime | None = None
    allowed_seconds: int | None = None
    barred: Barred | None = None
    result: str | None = None
    failure: str | None = None
    cancel_reason: str | None = None
    shown_as: str | None = None
    is_recorded: bool = False
    own_number: str | None = None
    may_ask_more_time: bool = False
    skip_reasons: tuple[str, ...] = ("busy_with_another", "known_to_me", "language", "wrong_skill", "other")
    is_held: bool = False
    is_muted: bool = False
    may_hold: bool = False
    may_transfer: bool = False
    why_no_hold: str | None = None
    why_no_transfer: str | None = None
    colleagues: tuple[Colleague, ...] = ()
    answered_by: str | None = None
    is_recording_paused: bool = False
    agent_leg: str = "connected"
    agent_back_by: datetime | None = None
    mode: str = "preview"
    help: Help = field(default_factory=Help)
    follow_ups: FollowUpDesk = field(default_factory=FollowUpDesk)
    offers: OfferDesk = field(default_factory=OfferDesk)
    hand_over: HandOverForm | None = None
    offer_why: OfferWhy | None = None

    @property
    def came_answered(self) -> bool:
        """True where nobody pressed Dial: the customer is on the line when the call opens."""
        return self.mode in AUTOMATIC_MODES

    @property
    def by_freedom(self) -> tuple[Colleague, ...]:
        """Colleagues in the order they are offered: the free ones first, then by name."""
        return tuple(sorted(self.colleagues, key=lambda one: (not one.is_free, one.name)))


@dataclass(frozen=True, slots=True)
class WaitReason:
    """Why some call tasks wait. `code` is a bar reason, or in_preview, no_agent, carrier_limit."""

    code: str
    count: int
    first_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """An own attempt of today and what the customer then did.

    `disposition` is None when the telephone answered for us; then `result` is shown.
    `then_tone`: good, plain or wait. `then` is None while nothing is known.
    """

    at: datetime
    customer: str
    step: str
    result: str
    disposition: str | None = None
    rang_seconds: int | None = None
    then: str | None = None
    then_tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Note:
    """A message in the idle view, such as a changed script. `href` leads to it."""

    title: str
    text: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A waiting call task the agent may choose. `language` is named only where it is not the agent's own.

    One that may not be called yet has `reasons`, in words, and `not_before`, a sentence, where a time is known.
    """

    call_task_id: str
    customer: str
    masked_number: str
    why: str
    step: str
    priority: int
    waiting_since: datetime
    language: str | None = None
    reasons: tuple[str, ...] = ()
    not_before: str | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """The list of an agent who chooses whom to call, each part by priority and then by age.

    `more` wait beside those shown; `for_colleagues` are left to others: who speak the language, or have promised.
    `look_again_at` is when the list will have changed by itself. `others_come` says that call tasks of other
    campaigns are offered all the same.
    """

    now: tuple[Choice, ...] = ()
    later: tuple[Choice, ...] = ()
    more: int = 0
    for_colleagues: int = 0
    look_again_at: datetime | None = None
    others_come: bool = False


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing to call: why, what comes next, and what the last attempts led to.

    `mode` is the dialing mode of the campaign the agent works in. `choices` is the list to choose from where a
    campaign is dialed manually and the agent is available; None otherwise. `handed_over` are the agent's own, and
    `hand_over` the form with which a callback is.
    """

    place_in_line: int | None = None
    idle_agents: int | None = None
    skills: tuple[str, ...] = ()
    why_none: tuple[WaitReason, ...] = ()
    callbacks: tuple[CallbackDue, ...] = ()
    attempts: tuple[LastAttempt, ...] = ()
    notes: tuple[Note, ...] = ()
    team_size: int | None = None
    preview_seconds: int = 30
    mode: str = "preview"
    choices: Choices | None = None
    follow_ups: FollowUpDesk = field(default_factory=FollowUpDesk)
    reviews: tuple[OwnReview, ...] = ()
    targets: tuple[OwnTarget, ...] = ()
    points: OwnPoints | None = None
    handed_over: tuple[HandedOver, ...] = ()
    hand_over: HandOverForm | None = None

    @property
    def brings_answered_calls(self) -> bool:
        """True where the next call opens with the customer already on the line."""
        return self.mode in AUTOMATIC_MODES


@dataclass(frozen=True, slots=True)
class Softphone:
    """The agent talks through this browser. `kind`: twilio or simulator; `url` is the simulator's."""

    kind: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """The whole console: either a `call` is before the agent, or `idle` says why not.

    `softphone` is None for an agent with a telephone of their own.
    """

    frame: Frame
    rail: Rail
    call: CurrentCall | None = None
    idle: Idle = field(default_factory=Idle)
    softphone: Softphone | None = None
