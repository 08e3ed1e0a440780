"""What a review scores, which call is reviewed next and why, what of a review may still be done. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from callcenter.domain.quality import RISKS, Mark, ReviewReason

MOST_QUESTIONS = 40
MOST_TEXT = 300
MOST_REMARK = 1_000
WORTH: Mapping[Mark, float] = {Mark.MET: 1.0, Mark.PARTLY: 0.5, Mark.NOT_MET: 0.0}


@dataclass(frozen=True, slots=True)
class Question:
    """One question asked of a call. `weight` is its part of the score; a critical one that is not met fails all."""

    id: str
    section: Mapping[str, str]
    text: Mapping[str, str]
    weight: int = 1
    is_critical: bool = False

    def written(self) -> dict[str, Any]:
        """Return itself as it is kept."""
        return {
            "id": self.id,
            "section": dict(self.section),
            "text": dict(self.text),
            "weight": self.weight,
            "is_critical": self.is_critical,
        }


def question_of(raw: Mapping[str, Any]) -> Question:
    """Return a question as it was kept."""
    return Question(raw["id"], raw["section"], raw["text"], raw["weight"], raw["is_critical"])


@dataclass(frozen=True, slots=True)
class NewScorecard:
    """A scorecard as somebody wants it; `pass_mark` is a score from 0 to 100."""

    key: str
    title: Mapping[str, str]
    questions: tuple[Question, ...]
    pass_mark: int = 80


def problems_of(card: NewScorecard) -> dict[str, list[str]]:
    """Say what is wrong with a scorecard, by field; nothing when all is well."""
    problems: dict[str, list[str]] = {}
    if not any(text.strip() for text in card.title.values()):
        problems["title"] = ["give it a name"]
    if not 1 <= card.pass_mark <= 100:
        problems["pass_mark"] = ["a whole number from 1 to 100"]
    if not card.questions or len(card.questions) > MOST_QUESTIONS:
        problems["questions"] = [f"ask from 1 to {MOST_QUESTIONS} questions"]
    for one in card.questions:
        if not 1 <= one.weight <= 100:
            problems[f"weight-{one.id}"] = ["a whole number from 1 to 100"]
        if any(len(text) > MOST_TEXT for text in (*one.text.values(), *one.section.values())):
            problems[f"text-{one.id}"] = [f"at most {MOST_TEXT} characters"]
    return problems


@dataclass(frozen=True, slots=True)
class Score:
    """What a review comes to: `value` from 0 to 100, of `weight` counted; `failed` are critical ones not met."""

    value: int
    weight: int
    failed: tuple[str, ...] = ()


def score_of(questions: Sequence[Question], marks: Mapping[str, Mark]) -> Score | None:
    """Return the score of a call; None when no question fits it.

    100 times the sum of weight times worth (met 1, partly 0.5, not met 0) over the sum of the weights of the
    questions asked, rounded; 0 as soon as a critical question is not wholly met.
    """
    asked = [(one, marks.get(one.id, Mark.NOT_ASKED)) for one in questions]
    asked = [(one, mark) for one, mark in asked if mark is not Mark.NOT_ASKED]
    weight = sum(one.weight for one, _ in asked)
    if not weight:
        return None
    failed = tuple(one.id for one, mark in asked if one.is_critical and mark is not Mark.MET)
    reached = sum(one.weight * WORTH[mark] for one, mark in asked)
    return Score(0 if failed else int(100 * reached / weight + 0.5), weight, failed)


# -- which call next ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """What was reviewed of an agent this week, `risky` of it because of a risk, of how many there should be."""

    agent_id: UUID
    reviewed: int
    risky: int
    quota: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that may be reviewed, and what about it is worth a look."""

    attempt_id: UUID
    agent_id: UUID
    risks: tuple[ReviewReason, ...] = ()


@dataclass(frozen=True, slots=True)
class NextReview:
    """The call to review next, why this agent's and why this one."""

    attempt_id: UUID
    agent_id: UUID
    because: ReviewReason
    reviewed: int
    quota: int
    out_of: int
    """From how many of the agent's calls it was chosen."""


def _drawn(*what: object) -> bytes:
    return sha256(":".join(map(str, what)).encode()).digest()


def propose(loads: Sequence[Load], candidates: Sequence[Candidate], week: str) -> NextReview | None:
    """Return the call to review next; None when every agent's number of the week is reached or has no call.

    The agent with the smallest part of their number done comes first, so that nobody is looked at more than
    others. Of their calls every other one is drawn by chance, those between by risk, the gravest first. Chance
    is a hash of `week` and call: the same for whoever asks, so that nobody can ask until they like the answer.
    """
    of_agent: dict[UUID, list[Candidate]] = {}
    for one in candidates:
        of_agent.setdefault(one.agent_id, []).append(one)
    behind = [one for one in loads if one.reviewed < one.quota and one.agent_id in of_agent]
    if not behind:
        return None
    load = min(behind, key=lambda one: (one.reviewed / one.quota, _drawn(week, one.agent_id)))
    theirs = sorted(of_agent[load.agent_id], key=lambda one: _drawn(week, one.attempt_id))
    risky = sorted((one for one in theirs if one.risks), key=lambda one: RISKS.index(one.risks[0]))
    wants_risk = bool(risky) and load.risky < load.reviewed - load.risky
    chosen = risky[0] if wants_risk else theirs[0]
    because = chosen.risks[0] if wants_risk else ReviewReason.RANDOM
    pool = len(risky) if wants_risk else len(theirs)
    return NextReview(chosen.attempt_id, load.agent_id, because, load.reviewed, load.quota, pool)


# -- what becomes of a review ------------------------------------------------------------------------------


class ReviewState(StrEnum):
    """Where a review is: the agent has not answered, agrees, disagrees; or a second review has settled it."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    DISPUTED = "disputed"
    SETTLED = "settled"


def state_of(acknowledged: object, disputed: object, settled: object) -> ReviewState:
    """Return where a review is, by which of its moments have come."""
    if settled:
        return ReviewState.SETTLED
    if disputed:
        return ReviewState.DISPUTED
    return ReviewState.ACKNOWLEDGED if acknowledged else ReviewState.NEW


def why_no_second(
    state: ReviewState, first_reviewer: UUID, reviewer: UUID, *, is_admin: bool = False
) -> str | None:
    """Say why a second review may not be written; None when it may: it settles a dispute, by another person."""
    if state is ReviewState.SETTLED:
        return "A second review has settled this call."
    if state is not ReviewState.DISPUTED:
        return "This call is reviewed. A second review is for a review that the agent disputes."
    if reviewer == first_reviewer and not is_admin:
        return "You wrote the review that is disputed. Another supervisor settles it."
    return None
