"""Quality: which call to review next, one call under review, scorecards, tags under check, and what it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.compliance import Option
from callcenter.web.pages.console import StepTaken, TimelineEvent
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.own import QuestionRow
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class Part:
    """What the pages of quality share: the frame, an administrator's tabs, and the switch between them."""

    frame: Frame
    tabs: tuple[Choice, ...]
    parts: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """The call proposed for review; `why` and `among` are finished words."""

    href: str
    skip_href: str
    agent: str
    called_at: datetime
    talk_seconds: int
    tag: str
    why: str
    among: str


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One review in a list. `state`: new, acknowledged, disputed, settled; `tone` of the score."""

    href: str
    agent: str
    score: int
    tone: str
    state: str
    state_label: str
    because: str
    reviewer: str
    at: datetime
    dispute: str = ""
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class LoadRow:
    """How many of an agent's calls were reviewed this week, of how many."""

    agent: str
    reviewed: int
    quota: int


@dataclass(frozen=True, slots=True)
class CallRow:
    """A talk that nobody has reviewed."""

    href: str
    called_at: datetime
    talk_seconds: int
    tag: str


@dataclass(frozen=True, slots=True)
class QualityPage:
    """What to review next, what is disputed, what was reviewed. `why_none` says why nothing is proposed.

    `agents` may be chosen to see their `calls`; `agent` is the one chosen.
    """

    part: Part
    a_week: int
    has_card: bool
    proposed: Proposed | None = None
    why_none: str = ""
    open: tuple[ReviewRow, ...] = ()
    lately: tuple[ReviewRow, ...] = ()
    loads: tuple[LoadRow, ...] = ()
    agents: tuple[Option, ...] = ()
    agent: str = ""
    calls: tuple[CallRow, ...] = ()
    error: str | None = None

    @property
    def frame(self) -> Frame:
        """The page's frame."""
        return self.part.frame


@dataclass(frozen=True, slots=True)
class ReviewShown:
    """A review as it was written, with what its agent said of it."""

    row: ReviewRow
    comment: str
    questions: tuple[QuestionRow, ...]
    scorecard: str


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call as a reviewer sees it; numbers are masked. `recording`: a path, or None with `no_recording` why."""

    agent: str
    customer: str
    masked_number: str
    step: str
    rule: str
    called_at: datetime
    rang_seconds: int | None
    talk_seconds: int
    result: str
    tag: str
    said: str
    causes: tuple[str, ...]
    note: str
    wrap_up_seconds: int
    speaks_against: tuple[str, ...] = ()
    recording: str | None = None
    recording_seconds: int | None = None
    no_recording: str = ""
    script: str = ""
    path: tuple[StepTaken, ...] = ()
    events: tuple[TimelineEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class CallReviewPage:
    """One call under review: what is known of it, reviews so far, and the form while one may be written."""

    part: Part
    attempt_id: str
    facts: CallFacts
    reviews: tuple[ReviewShown, ...]
    questions: tuple[QuestionRow, ...] = ()
    scorecard_id: str = ""
    scorecard: str = ""
    cards: tuple[Choice, ...] = ()
    pass_mark: int = 80
    because: str = "chosen"
    comment: str = ""
    why_not: str = ""
    error: str | None = None

    @property
    def frame(self) -> Frame:
        """The page's frame."""
        return self.part.frame


@dataclass(frozen=True, slots=True)
class CardRow:
    """A version of a scorecard in a list."""

    id: str
    title: str
    version: int
    questions: int
    critical: int
    pass_mark: int
    made_at: datetime
    by: str
    is_in_use: bool
    edit_href: str


@dataclass(frozen=True, slots=True)
class ScorecardsPage:
    """The scorecards and their versions."""

    part: Part
    rows: tuple[CardRow, ...] = ()

    @property
    def frame(self) -> Frame:
        """The page's frame."""
        return self.part.frame


@dataclass(frozen=True, slots=True)
class CardFormPage:
    """The form of a scorecard: `rows` are questions as typed, with empty ones to fill; keys by field name."""

    part: Part
    key: str
    title_en: str
    title_zh: str
    pass_mark: str
    rows: tuple[Mapping[str, str], ...] = ()
    is_new: bool = True
    error: str | None = None

    @property
    def frame(self) -> Frame:
        """The page's frame."""
        return self.part.frame


@dataclass(frozen=True, slots=True)
class AgentScore:
    """An agent's average score of so many reviews, and of them passed and failed for a critical question."""

    agent: str
    reviews: int
    average: float | None
    passed: int
    failed: int


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """How often a question was met, partly met, not met, of those asked."""

    section: str
    text: str
    is_critical: bool
    met: int
    partly: int
    not_met: int

    @property
    def asked(self) -> int:
        """How often it was asked."""
        return self.met + self.partly + self.not_met

    @property
    def share(self) -> float | None:
        """The share of what could be reached, partly met as one half."""
        return (self.met + self.partly / 2) / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class QualityReportPage:
    """Scores by agent and by question, of the reviews of a period."""

    part: Part
    spans: tuple[Choice, ...]
    query: str
    agents: tuple[AgentScore, ...] = ()
    questions: tuple[QuestionScore, ...] = ()

    @property
    def frame(self) -> Frame:
        """The page's frame."""
        return self.part.frame


@dataclass(frozen=True, slots=True)
class SuspectTag:
    """A tag that evidence speaks against, each piece a finished sentence."""

    attempt_id: str
    review_href: str
    agent: str
    called_at: datetime
    tag: str
    code: str
    talk_seconds: int
    result: str
    evidence: tuple[str, ...]
    note: str = ""
    reason: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TagRate:
    """An agent's tags of the period, those spoken against and not yet checked, and of those checked the upheld."""

    agent: str
    tags: int
    suspect: int
    checked: int
    upheld: int


@dataclass(frozen=True, slots=True)
class DoneCheck:
    """A tag that was checked: what was said and what it was found to be."""

    agent: str
    said: str
    found: str
    reason: str
    by: str
    at: datetime
    is_upheld: bool


@dataclass(frozen=True, slots=True)
class TagsPage:
    """Tags that evidence speaks against, how often agents' tags stand, and what was found lately."""

    part: Part
    spans: tuple[Choice, ...]
    days: int
    choices: tuple[Option, ...]
    rows: tuple[SuspectTag, ...] = ()
    more: int = 0
    rates: tuple[TagRate, ...] = ()
    done: tuple[DoneCheck, ...] = ()

    @property
    def frame(self) -> Frame:
        """The page's frame."""
        return self.part.frame
