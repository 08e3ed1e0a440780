"""Who gets a call task: suitable only, no expert wasted, nobody forgotten; and what becomes of one handed over."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.enums import (
    ForceEffect,
    HeldFor,
    OfferWay,
    Presence,
    Requirement,
    ReservationEnd,
    TaskState,
    TransferReason,
    TransferState,
    WorkState,
)
from callcenter.domain.handing_over import TransferFacts, TransferWish, what_became
from callcenter.domain.needs import EVERYTHING, Able, Need, suits
from callcenter.errors import BadInput
from callcenter.routing.policy import RELAX_EVERY
from callcenter.routing.rules import (
    Candidate,
    Standing,
    best_fit,
    choose_agent,
    effect_of_forcing,
    is_staffed,
    relaxation,
    why_offered,
)

NOW = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
SKILLS, TEAMS = ("cards", "loans"), ("A", "B")

ables = st.builds(
    Able,
    st.frozensets(st.sampled_from(("en", "zh")), min_size=1),
    st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 5)),
    st.sampled_from(TEAMS),
)
needs = st.builds(
    Need,
    st.sampled_from(("en", "zh")),
    st.none() | st.sampled_from(SKILLS),
    st.integers(1, 5),
    st.none() | st.sampled_from(TEAMS),
)
floors = st.lists(
    st.builds(
        Candidate,
        st.uuids(),
        ables,
        st.integers(0, 3600).map(lambda seconds: NOW - timedelta(seconds=seconds)),
    ),
    max_size=12,
    unique_by=lambda one: one.agent_id,
)
spans = st.integers(0, 600).map(lambda seconds: timedelta(seconds=seconds))


def _agent(number: int, skills: dict[str, int], team: str = "A", idle: int = 60, *spoken: str) -> Candidate:
    able = Able(frozenset(spoken or ("en", "zh")), skills, team)
    return Candidate(UUID(int=number), able, NOW - timedelta(seconds=idle))


@given(needs, floors)
def test_whoever_is_chosen_suits_and_nobody_suits_better(need: Need, floor: list[Candidate]) -> None:
    chosen = choose_agent(need, floor)
    suitable = [one for one in floor if suits(one.able, need)]
    assert (chosen is None) == (not suitable)
    if chosen is not None:
        assert chosen in suitable
        assert all(best_fit(need, chosen) <= best_fit(need, one) for one in suitable)


@given(needs, floors)
def test_no_expert_is_taken_while_somebody_with_less_to_spare_is_free(
    need: Need, floor: list[Candidate]
) -> None:
    chosen = choose_agent(need, floor)
    if chosen is None or need.skill is None:
        return
    level = chosen.able.skills[need.skill]
    assert all(one.able.skills[need.skill] >= level for one in floor if suits(one.able, need))


@given(needs, floors)
def test_among_equals_who_has_been_idle_longest_comes_first(need: Need, floor: list[Candidate]) -> None:
    alike = [
        Candidate(one.agent_id, Able(frozenset({need.language}), {}, "A"), one.idle_since) for one in floor
    ]
    chosen = choose_agent(Need(need.language), alike)
    assert chosen is None or chosen.idle_since == min(one.idle_since for one in alike)


@given(needs, floors)
def test_with_everything_given_up_anybody_is_taken_and_who_meets_more_comes_first(
    need: Need, floor: list[Candidate]
) -> None:
    chosen = choose_agent(need, floor, EVERYTHING)
    assert (chosen is None) == (not floor)
    if chosen is not None and any(suits(one.able, need) for one in floor):
        assert suits(chosen.able, need), "somebody meets all of it"


@given(needs, st.lists(ables, max_size=8), spans, spans)
def test_more_is_given_up_with_time_in_one_order_and_no_more_than_it_takes(
    need: Need, on: list[Able], first: timedelta, more: timedelta
) -> None:
    early, late = relaxation(need, on, first), relaxation(need, on, first + more)
    assert early == need.requirements[: len(early)] and late[: len(early)] == early
    assert len(late) <= (first + more) / RELAX_EVERY
    if not on or is_staffed(need, on):
        assert late == ()
    if late:
        assert not any(suits(one, need, late[:-1]) for one in on), "the last one had to go"


@given(needs, st.lists(ables, min_size=1, max_size=8))
def test_in_the_end_somebody_signed_on_suits(need: Need, on: list[Able]) -> None:
    relaxed = relaxation(need, on, RELAX_EVERY * 4)
    assert any(suits(one, need, relaxed) for one in on)


def test_the_order_is_written_down() -> None:
    need = Need("zh", "loans", 3, "B")
    assert need.requirements == (
        Requirement.TEAM,
        Requirement.LEVEL,
        Requirement.SKILL,
        Requirement.LANGUAGE,
    )
    one = [Able(frozenset({"en"}), {}, "A")]
    steps = [relaxation(need, one, RELAX_EVERY * count) for count in range(6)]
    assert steps == [need.requirements[: min(count, 4)] for count in range(6)]


def test_an_expert_stays_free_for_what_only_they_can() -> None:
    beginner, expert = _agent(1, {"loans": 2}, idle=10), _agent(2, {"loans": 5}, idle=900)
    plain = _agent(3, {}, idle=1)
    assert choose_agent(Need("en", "loans", 2), [expert, beginner, plain]) == beginner
    assert choose_agent(Need("en", "loans", 3), [expert, beginner, plain]) == expert
    assert choose_agent(Need("en"), [expert, beginner, plain]) == plain


def test_why_is_told_in_codes_with_values() -> None:
    need = Need("zh", "loans", 3, "B")
    why = why_offered(
        OfferWay.BEST_FIT,
        need,
        (Requirement.TEAM,),
        _agent(1, {"loans": 4}, "A", 125),
        Standing(60, timedelta(minutes=4, seconds=30), 1.0),
        NOW,
    )
    assert why == {
        "way": "best_fit",
        "language": "zh",
        "speaks": True,
        "idle_seconds": 125,
        "priority": 60,
        "waited_seconds": 270,
        "ageing_points": 4,
        "skill": "loans",
        "level": 3,
        "has_level": 4,
        "team": "B",
        "in_team": False,
        "relaxed": ["team"],
    }


# -- handed over ------------------------------------------------------------------------------------------

COLLEAGUE = UUID(int=7)


def _facts(**differs: object) -> TransferFacts:
    usual: dict[str, object] = {
        "state": TransferState.ON_ITS_WAY,
        "to_agent_id": COLLEAGUE,
        "expires_at": NOW + timedelta(minutes=10),
        "attempts_before": 1,
        "task_state": TaskState.PENDING,
        "held_for": HeldFor.COLLEAGUE,
        "agent_id": COLLEAGUE,
        "attempts": 1,
        "is_due": True,
        "last_offer": None,
        "is_receiver_there": True,
    }
    return TransferFacts(**{**usual, **differs})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("differs", "became"),
    [
        ({}, None),
        ({"task_state": TaskState.RESERVED, "expires_at": NOW}, None),
        ({"task_state": TaskState.ASSIGNED}, TransferState.TAKEN),
        ({"task_state": TaskState.COMPLETED, "attempts": 2}, TransferState.TAKEN),
        ({"agent_id": None, "attempts": 2}, TransferState.TAKEN),
        ({"task_state": TaskState.CANCELED}, TransferState.OVERTAKEN),
        ({"held_for": None}, TransferState.OVERTAKEN),
        ({"agent_id": None, "last_offer": ReservationEnd.SKIPPED}, TransferState.TURNED_DOWN),
        ({"agent_id": None, "last_offer": ReservationEnd.EXPIRED}, TransferState.UNANSWERED),
        ({"is_receiver_there": False}, TransferState.UNANSWERED),
        ({"is_receiver_there": False, "is_due": False}, None),
        ({"expires_at": NOW}, TransferState.UNANSWERED),
        ({"to_agent_id": None, "agent_id": None, "held_for": HeldFor.TEAM}, None),
        ({"state": TransferState.ASKED, "agent_id": None, "held_for": HeldFor.APPROVAL}, None),
        (
            {"state": TransferState.ASKED, "agent_id": None, "held_for": HeldFor.APPROVAL, "expires_at": NOW},
            TransferState.UNDECIDED,
        ),
    ],
)
def test_what_became_of_a_transfer(differs: dict[str, object], became: TransferState | None) -> None:
    assert what_became(_facts(**differs), NOW) is became


@pytest.mark.parametrize("to", [{}, {"to_agent_id": COLLEAGUE, "to_team": "B"}])
def test_a_transfer_goes_to_one_colleague_or_one_team(to: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        TransferWish(TransferReason.SKILL, **to).checked()  # type: ignore[arg-type]


@pytest.mark.parametrize("wanted", list(Presence))
@pytest.mark.parametrize("work_state", list(WorkState))
def test_a_forced_state_ends_an_offer_at_most_and_never_a_call(
    wanted: Presence, work_state: WorkState
) -> None:
    effect = effect_of_forcing(wanted, work_state)
    holds_offer = work_state in (WorkState.RESERVED, WorkState.PREVIEWING)
    assert (effect is ForceEffect.OFFER_BACK) == (holds_offer and wanted is not Presence.AVAILABLE)
    assert (effect is ForceEffect.AFTER_CALL) == (work_state in (WorkState.DIALING, WorkState.TALKING))
    assert (effect is ForceEffect.AFTER_WRAP_UP) == (work_state is WorkState.WRAPPING)
