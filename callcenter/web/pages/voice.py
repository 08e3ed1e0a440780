"""What customers say: causes and notes, suggestions, surveys; and the page a customer answers on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class CauseCell:
    """How many calls named a cause: `share` of the row's calls; `change` in points against the weeks before."""

    cause: str
    count: int
    share: float | None
    change: float | None


@dataclass(frozen=True, slots=True)
class CauseRow:
    """One step: `reached` calls on which somebody was spoken with, `told` of them named a cause."""

    step: str
    label: str
    href: str
    reached: int
    told: int
    earlier: int
    notes: int
    cells: tuple[CauseCell, ...]
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note as it may be shown: without names and numbers."""

    at: datetime
    text: str
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VoicePage:
    """Why they stopped, by step; the notes of the step that is chosen. `more_notes` are not shown."""

    frame: Frame
    tabs: tuple[Choice, ...]
    journeys: tuple[Choice, ...]
    windows: tuple[Choice, ...]
    journey: str
    from_on: date
    to_on: date
    window_days: int
    earlier_windows: int
    query: str
    causes: tuple[str, ...] = ()
    rows: tuple[CauseRow, ...] = ()
    chosen: CauseRow | None = None
    filters: tuple[Choice, ...] = ()
    notes: tuple[NoteRow, ...] = ()
    more_notes: int = 0


@dataclass(frozen=True, slots=True)
class WishRow:
    """A wish taken down on a call. `like` names the suggestion it looks like, `like_id` its id."""

    id: str
    text: str
    place: str
    at: datetime
    note: str | None = None
    causes: tuple[str, ...] = ()
    like: str | None = None
    like_id: str | None = None


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """A suggestion with what it rests on: see `Evidence`; `days` is how far back firings and errors are counted."""

    id: str
    title: str
    href: str
    state: str
    owner: str | None
    wishes: int
    people: int
    notes: int
    errors: int
    firings: int
    step_errors: int
    places: tuple[str, ...]
    last_at: datetime | None
    reason: str = ""
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class ChosenSuggestion:
    """The suggestion that is chosen, as its form has it: `values` by the fields' names, `error` a sentence."""

    row: SuggestionRow
    values: Mapping[str, str]
    wishes: tuple[WishRow, ...]
    alike: tuple[Choice, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SuggestionsPage:
    """Suggestions, and the wishes that belong to none yet. `owners` and `others` are (id, name)."""

    frame: Frame
    tabs: tuple[Choice, ...]
    states: tuple[Choice, ...]
    days: int
    rows: tuple[SuggestionRow, ...] = ()
    wishes: tuple[WishRow, ...] = ()
    chosen: ChosenSuggestion | None = None
    owners: tuple[tuple[str, str], ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    all_states: tuple[str, ...] = ()
    title: str = ""
    ticked: frozenset[str] = frozenset()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """A campaign or one of its rules: whether it asks, and what came back. `asks` is on, off or as_campaign."""

    journey: str
    rule: str
    label: str
    asks: str
    does_ask: bool
    invited: int = 0
    withheld: int = 0
    answered: int = 0
    rate: float | None = None
    promoters: int = 0
    passives: int = 0
    detractors: int = 0
    score: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_campaign(self) -> bool:
        """Whether it is a campaign rather than one of its rules."""
        return not self.rule


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What a customer wrote, without names and numbers, and about what."""

    at: datetime
    score: int
    group: str
    text: str
    about: str


@dataclass(frozen=True, slots=True)
class SurveysPage:
    """Surveys after calls: what they say, who asks, what was written. `trend` are weekly scores, oldest first."""

    frame: Frame
    tabs: tuple[Choice, ...]
    windows: tuple[Choice, ...]
    window_days: int
    total: SurveyRow
    rows: tuple[SurveyRow, ...] = ()
    answers: tuple[AnswerRow, ...] = ()
    trend: tuple[float, ...] = ()
    hears: bool = True
    """Whether some endpoint is told of surveys; without one no link reaches a customer."""


@dataclass(frozen=True, slots=True)
class SurveyPage:
    """The page a customer answers on: it names the bank and nobody else.

    `state` is open, done, gone or busy; `error` is a sentence about what was sent.
    """

    organisation: str
    language: str
    theme: str
    csrf_token: str
    token: str
    state: str = "open"
    score: int | None = None
    answer: str = ""
    error: str | None = None
    message: str | None = None
