"""What the compliance gate works on: facts about a customer, the policy that applies, the verdict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from callcenter.domain.enums import BarReason, NumberKind, Purpose, SuppressionKind

Window = tuple[time, time]
"""[opens, closes) on one day of the customer's own clock; a window ends the day it began."""
FOR_GOOD = timedelta.max
"""How long a refusal counts where no law or house rule ends it."""


@dataclass(frozen=True, slots=True)
class CallingHours:
    """When a call may start, by one policy's word: the windows of each weekday (Monday first).

    `is_holiday` tells the holidays on which `on_holidays` counts instead (empty: no call); `is_workday` the
    days of a weekend that are worked instead of another day, on which Monday's windows count. None: the policy
    knows no such days.
    """

    by_weekday: tuple[tuple[Window, ...], ...]
    is_holiday: Callable[[date], bool] | None = None
    on_holidays: tuple[Window, ...] = ()
    is_workday: Callable[[date], bool] | None = None

    @classmethod
    def every_day(cls, opens: time, closes: time) -> "CallingHours":
        """Return the same window on every day of the year."""
        return cls((((opens, closes),),) * 7)

    def windows_on(self, day: date) -> tuple[Window, ...]:
        """Return the windows of one local day, in order; empty when no call may start on it."""
        if self.is_holiday is not None and self.is_holiday(day):
            return self.on_holidays
        if self.is_workday is not None and self.is_workday(day):
            return self.by_weekday[0]
        return self.by_weekday[day.weekday()]

    def contains(self, local: datetime) -> bool:
        """Whether a call may start at this local time."""
        clock = local.time()
        return any(opens <= clock < closes for opens, closes in self.windows_on(local.date()))


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `calls` in any `window` up to now, counted per person and, separately, per number."""

    calls: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Registry:
    """A public list calls must be screened against, in a copy no older than `max_age`."""

    key: str
    max_age: timedelta


@dataclass(frozen=True)
class ContactPolicy:
    """The limits on one call: the strictest of every pack that applies to it. `version` names them all.

    `hours` must all be open, in every zone the customer may be in. `refusal_stop` of 0 means that a refusal
    stops nothing by itself. `abandonment_limit` is a share of live answers within 30 days.
    """

    version: str
    hours: tuple[CallingHours, ...]
    caps: tuple[Cap, ...]
    minimum_gap: timedelta = timedelta(0)
    conversation_pause: timedelta = timedelta(0)
    refusal_stop: timedelta = FOR_GOOD
    needs_consent: bool = False
    registries: tuple[Registry, ...] = ()
    barred_kinds: frozenset[NumberKind] = frozenset()
    barred_regions: frozenset[str] = frozenset()
    abandonment_limit: float = 0.03
    guaranteed_after_abandonment: timedelta = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One entry of the suppression ledger that stands against a customer or their number.

    `purpose` and `campaign` say what it is limited to; None means nothing.
    """

    kind: SuppressionKind
    since: datetime
    until: datetime | None = None
    purpose: Purpose | None = None
    campaign: str | None = None

    def concerns(self, purpose: Purpose, campaign: str) -> bool:
        """Whether the entry is about calls for this purpose and campaign."""
        return self.purpose in (None, purpose) and self.campaign in (None, campaign)


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What is known of the campaign a call belongs to. `hours` are its own; None: the policy's alone count."""

    is_paused: bool = False
    hours: CallingHours | None = None
    live_answers_30d: int = 0
    abandoned_30d: int = 0


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What we know when the gate is asked about one call. Unknown is None or empty, never a guess.

    `regions` are those the number and the address may mean: ISO countries, and subdivisions such as US-FL.
    Attempts are the dials of the last 35 days, by person and by number, whoever else has it.
    `consents_until` has an entry per consent that stands for the purpose: its end, None without one.
    `newest_record_at` is the latest moment anything was written down: a clock behind it was set back.
    `are_lists_readable`: the numbers of every list in force stand under the number key we have.
    """

    number: str | None
    number_kind: NumberKind | None
    regions: frozenset[str]
    time_zones: tuple[ZoneInfo, ...]
    purpose: Purpose = Purpose.SERVICE
    campaign: str = ""
    is_agent_guaranteed: bool = True
    suppressions: tuple[Suppressed, ...] = ()
    consents_until: tuple[datetime | None, ...] = ()
    is_frozen: bool = False
    person_attempts_at: tuple[datetime, ...] = ()
    number_attempts_at: tuple[datetime, ...] = ()
    talked_at: datetime | None = None
    abandoned_at: datetime | None = None
    campaign_facts: CampaignFacts = CampaignFacts()
    registries_at: Mapping[str, datetime] = field(default_factory=dict)
    newest_record_at: datetime | None = None
    are_lists_readable: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer: every reason that bars the call, and from when it may be asked again.

    `next_allowed_at` is None where the call is allowed, and where waiting alone does not help.
    """

    reasons: tuple[BarReason, ...]
    policy_version: str
    next_allowed_at: datetime | None = None

    @property
    def may_call(self) -> bool:
        """No reason means the call is allowed."""
        return not self.reasons

    @property
    def lifts_by_itself(self) -> bool:
        """Whether waiting is enough: every reason passes, and we know when."""
        return self.next_allowed_at is not None
