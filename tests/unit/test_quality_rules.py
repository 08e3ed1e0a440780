"""What a review scores, which call is next, and when a second one may be written."""

from collections import Counter
from uuid import UUID, uuid5

import pytest

from callcenter.domain.quality import Mark, ReviewReason
from callcenter.quality.policy import STARTING_CARD
from callcenter.quality.rules import (
    Candidate,
    Load,
    NewScorecard,
    Question,
    ReviewState,
    problems_of,
    propose,
    question_of,
    score_of,
    state_of,
    why_no_second,
)

SPACE = UUID(int=7)
A, B = UUID(int=1), UUID(int=2)


def _question(name: str, weight: int = 1, *, critical: bool = False) -> Question:
    return Question(name, {"en": "Part"}, {"en": name}, weight, critical)


def test_a_score_is_the_weighted_share_of_what_was_asked() -> None:
    asked = (_question("a", 3), _question("b", 1), _question("c", 6))
    score = score_of(asked, {"a": Mark.MET, "b": Mark.PARTLY, "c": Mark.NOT_ASKED})
    assert score is not None and (score.value, score.weight, score.failed) == (88, 4, ())
    assert score_of(asked, {"a": Mark.NOT_MET, "b": Mark.NOT_MET, "c": Mark.MET}).value == 60  # type: ignore[union-attr]
    assert score_of(asked, {}) is None


@pytest.mark.parametrize("mark", [Mark.NOT_MET, Mark.PARTLY])
def test_a_critical_question_that_is_not_wholly_met_fails_the_call(mark: Mark) -> None:
    asked = (_question("a", 9), _question("b", critical=True))
    score = score_of(asked, {"a": Mark.MET, "b": mark})
    assert score is not None and (score.value, score.failed) == (0, ("b",))
    fits_not = score_of(asked, {"a": Mark.MET, "b": Mark.NOT_ASKED})
    assert fits_not is not None and fits_not.value == 100


def test_the_questions_a_bank_begins_with_are_whole_and_in_both_languages() -> None:
    assert problems_of(STARTING_CARD) == {}
    for one in STARTING_CARD.questions:
        assert set(one.text) == set(one.section) == {"en", "zh"} and all(one.text.values())
        assert question_of(one.written()) == one
    assert len({one.id for one in STARTING_CARD.questions}) == len(STARTING_CARD.questions)


def test_a_scorecard_that_cannot_be_used_says_why() -> None:
    wrong = NewScorecard("k", {"en": " "}, (_question("a", 0), _question("b" * 400)), 0)
    assert set(problems_of(wrong)) == {"title", "pass_mark", "weight-a", f"text-{'b' * 400}"}
    assert set(problems_of(NewScorecard("k", {"en": "x"}, ()))) == {"questions"}


def _calls(agent: UUID, many: int, *risks: ReviewReason) -> list[Candidate]:
    return [Candidate(uuid5(SPACE, f"{agent}{n}"), agent, risks if n == 0 else ()) for n in range(many)]


def test_who_was_looked_at_least_comes_first_and_nobody_past_their_number() -> None:
    calls = _calls(A, 5) + _calls(B, 5)
    next_one = propose([Load(A, 1, 0, 3), Load(B, 0, 0, 3)], calls, "2026-W47")
    assert next_one is not None and next_one.agent_id == B and next_one.because is ReviewReason.RANDOM
    assert next_one.out_of == 5
    assert propose([Load(A, 3, 0, 3), Load(B, 4, 0, 3)], calls, "2026-W47") is None
    assert propose([Load(A, 3, 0, 3), Load(B, 0, 0, 3)], _calls(A, 5), "2026-W47") is None


def test_every_other_call_is_chosen_for_a_risk_the_gravest_first() -> None:
    calls = [
        *_calls(A, 8, ReviewReason.SHORT_WRAP_UP),
        Candidate(uuid5(SPACE, "x"), A, (ReviewReason.COMPLAINT, ReviewReason.SHORT_WRAP_UP)),
    ]
    chance = propose([Load(A, 0, 0, 4)], calls, "w")
    risk = propose([Load(A, 1, 0, 4)], calls, "w")
    again = propose([Load(A, 2, 1, 4)], calls, "w")
    assert chance and risk and again
    assert (chance.because, risk.because, again.because) == (
        ReviewReason.RANDOM,
        ReviewReason.COMPLAINT,
        ReviewReason.RANDOM,
    )
    assert risk.attempt_id == uuid5(SPACE, "x") and risk.out_of == 2 and chance.out_of == 9
    without = propose([Load(A, 1, 0, 4)], _calls(A, 3), "w")
    assert without and without.because is ReviewReason.RANDOM


def test_chance_is_even_and_the_same_for_whoever_asks() -> None:
    calls, drawn = _calls(A, 4), Counter[UUID]()
    for week in range(800):
        one = propose([Load(A, 0, 0, 3)], calls, f"w{week}")
        assert one is not None and one == propose([Load(A, 0, 0, 3)], calls[::-1], f"w{week}")
        drawn[one.attempt_id] += 1
    assert len(drawn) == 4 and all(140 < many < 260 for many in drawn.values())  # 200 each, 5 sigma


def test_a_second_review_is_for_a_disputed_one_and_by_another_person() -> None:
    assert state_of(None, None, None) is ReviewState.NEW
    assert state_of("t", None, None) is ReviewState.ACKNOWLEDGED
    assert state_of(None, "t", None) is ReviewState.DISPUTED
    assert state_of(None, "t", "t") is ReviewState.SETTLED
    assert why_no_second(ReviewState.DISPUTED, A, B) is None
    assert "Another supervisor" in str(why_no_second(ReviewState.DISPUTED, A, A))
    assert why_no_second(ReviewState.DISPUTED, A, A, is_admin=True) is None
    for state in (ReviewState.NEW, ReviewState.ACKNOWLEDGED, ReviewState.SETTLED):
        assert why_no_second(state, A, B) is not None
