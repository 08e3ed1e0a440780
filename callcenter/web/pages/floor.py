"""The supervisor floor: strip, needs you now, queue with why no call, agents."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.web.pages.compliance import Option
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the strip.

    `code`: waiting, oldest, speed_to_call, attempts, reached, right_party, verified, occupancy,
    abandonment. `kind`: count, share (0 to 1) or clock (seconds). `second` is the p90 beside a
    p50. `tone`: plain, warn or bad, of the last value. `trend` is oldest first; `threshold` is in
    the unit of the trend and drawn dashed. `denominator` and `numerator` are printed below;
    `base_seconds` replaces the denominator where the base is time (occupancy).
    `since` makes a clock tick (oldest).
    """

    code: str
    kind: str
    value: float | None
    tone: str = "plain"
    second: float | None = None
    second_tone: str = "plain"
    numerator: int | None = None
    denominator: int | None = None
    base_seconds: int | None = None
    threshold: float | None = None
    since: datetime | None = None
    trend: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs a person. `tone`: urgent or watch. Texts are finished sentences.

    `kind` picks the icon: stuck, promise, loss, carrier, abandonment, line, pacing, help, transfer or other.
    `free_agent_id` is set when freeing this agent's reservation is the remedy. A raised hand has `help_id`;
    `is_seen` once a supervisor has said so, and `watch_agent_id` where the viewer may listen in. `has` is who took
    it, with their `note`; it `is_quiet` until it gets worse. The call task of `transfer_id` waits for approval.
    """

    id: str
    kind: str
    tone: str
    title: str
    text: str
    since: datetime
    free_agent_id: str | None = None
    help_id: str | None = None
    is_seen: bool = False
    watch_agent_id: str | None = None
    has: str | None = None
    note: str = ""
    is_quiet: bool = False
    is_worse: bool = False
    transfer_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """A share of the why-no-call bar. `code`: no_agent, a bar reason, carrier_limit, rule_paused,
    waits_by_rule, reserved or stuck."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A waiting call task.

    `waiting_since` and `promise_seconds` draw the age; None when it waits by rule or by law.
    `why` is a code as in `ReasonCount`, `why_note` adds the particulars ("Urumqi, from 15:30"). `why_agent` says
    why it is offered to whom it is offered.
    """

    call_task_id: str
    customer: str
    rule: str
    why: str
    why_note: str | None = None
    waiting_since: datetime | None = None
    promise_seconds: int | None = None
    why_agent: str = ""
    rule_key: str = ""


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """The waiting call tasks of a rule: how many, callable now, and of those past their promise.

    `oldest_since` and `promise_seconds` are of the callable one that has waited longest. `shown` of them are rows.
    """

    key: str
    title: str
    tasks: int
    callable_now: int
    late: int
    oldest_since: datetime | None = None
    promise_seconds: int | None = None
    shown: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """The waiting call tasks, oldest promise first. `total` may exceed the rows shown.

    With `groups` they stand by rule.

    `teams`, `skills` and `levels` are whom they may be given to, beside the agents of the seats.
    """

    total: int
    reasons: tuple[ReasonCount, ...] = ()
    rows: tuple[QueueRow, ...] = ()
    teams: tuple[Option, ...] = ()
    skills: tuple[Option, ...] = ()
    levels: tuple[Option, ...] = ()
    groups: tuple[RuleGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent's seat, in fixed order by name. `tone`: plain, warn or bad.

    `state` is a work state, or not_ready with `reason`. `may_free` offers to free a reservation.
    `line` keeps the agent in their room: up, connecting or down; None where it does not matter.
    `may_watch` offers to listen, whisper or barge; `watchers` are finished words: "Chen listens".
    `hand_since` is when they raised a hand, None while they ask for no help. `why` says why they were offered the
    call task before them.
    """

    agent_id: str
    name: str
    state: str
    since: datetime
    reason: str | None = None
    step: str | None = None
    tone: str = "plain"
    may_free: bool = False
    line: str | None = None
    may_watch: bool = False
    watchers: tuple[str, ...] = ()
    hand_since: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """The viewer's own part in an agent's calls.

    `mode` is what the carrier says (monitor, whisper, barge), None while it has not said anything yet;
    `wanted` is what was asked for. `on_call`: the agent is talking with a customer.
    """

    id: str
    agent: str
    mode: str | None
    wanted: str
    since: datetime
    on_call: bool = True
    is_leaving: bool = False
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What pacing decided, as a finished sentence, and what was then placed and taken back."""

    at: datetime
    mode: str
    sentence: str
    dialed: int
    canceled: int


@dataclass(frozen=True, slots=True)
class Budget:
    """Abandoned calls of live answers over 30 days. `allowed` are the whole calls within the ceiling.

    `left` is negative when the ceiling is broken; the next abandoned call needs `next_at` answers.
    `tone`: plain, warn or bad.
    """

    abandoned: int
    answers: int
    ceiling: float
    allowed: int
    left: int
    next_at: int
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Campaign:
    """How a journey's call tasks are dialed.

    `mode` is set, `in_force` is what counts now: an automatic mode counts as preview while the switch is
    off. `hours` are its own calling hours, None: the packs' alone. `version` tells a form from an older one.
    `decision` is the newest of the mode in force.
    """

    key: str
    title: str
    mode: str
    in_force: str
    lines_per_agent: float
    drops_machines: bool
    version: str
    budget: Budget
    signed_on: int = 0
    ready: int = 0
    ringing: int = 0
    waiting: int = 0
    paused_at: datetime | None = None
    hours: tuple[str, str] | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None
    decision: Decision | None = None
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialing:
    """The one switch of automatic dialing and the campaigns. `changed_at` is None while nobody moved it.

    `ceiling` is the share of live answers that may be abandoned.
    """

    is_on: bool
    campaigns: tuple[Campaign, ...] = ()
    changed_at: datetime | None = None
    changed_by: str | None = None
    ceiling: float = 0.03

    @property
    def automatic(self) -> tuple[Campaign, ...]:
        """The campaigns for which an automatic mode is set."""
        return tuple(one for one in self.campaigns if one.mode not in ("manual", "preview"))


@dataclass(frozen=True, slots=True)
class TeamChoice:
    """A team whose seats may be shown."""

    name: str
    href: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class AskedChoices:
    """The campaigns and days that may be chosen; `group_href` groups the queue's rows, or no longer does."""

    campaigns: tuple[Choice, ...] = ()
    days: tuple[Choice, ...] = ()
    is_today: bool = True
    has_campaign: bool = False
    by_rule: bool = False
    group_href: str = "/floor?group=rule"


@dataclass(frozen=True, slots=True)
class FloorPage:
    """The whole floor. `last_alert_at` and `last_act` are shown when there is nothing to do.

    `states` counts the agents of the chosen teams by what their seats show, also the `seats_hidden` ones. `own_of`
    are the ids of users who read words of their own in it. `last_act_href` leads to
    an act on many call tasks, and its undo.
    """

    frame: Frame
    team: str
    figures: tuple[Figure, ...]
    needs: tuple[Need, ...] = ()
    queue: Queue = Queue(total=0)
    seats: tuple[Seat, ...] = ()
    last_alert_at: datetime | None = None
    last_act: str | None = None
    last_act_href: str | None = None
    dialing: Dialing = Dialing(is_on=False)
    watch: Watch | None = None
    teams: tuple[TeamChoice, ...] = ()
    states: Mapping[str, int] = field(default_factory=dict)
    seats_hidden: int = 0
    own_of: frozenset[str] = frozenset()
    asked: AskedChoices = AskedChoices()

    def count(self, *states: str) -> int:
        """How many agents are in one of the states."""
        known = self.states or Counter(seat.state for seat in self.seats)
        return sum(known.get(state, 0) for state in states)

    @property
    def signed_in(self) -> int:
        """How many agents are signed in."""
        known = self.states or Counter(seat.state for seat in self.seats)
        return sum(known.values()) - known.get("signed_off", 0)
