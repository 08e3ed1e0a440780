"""Who is offered what, by the rows: the statement says what the rule says, both ways, and it is kept why."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest
from sqlmodel import col, select

from callcenter import pipeline, staffing
from callcenter.domain.enums import Presence, Requirement
from callcenter.domain.needs import EVERYTHING, Need
from callcenter.models import Agent, CallTask, Reservation, User
from callcenter.routing import people
from callcenter.routing import service as routing
from callcenter.routing.policy import RELAX_EVERY
from callcenter.routing.queries import candidate_of, signed_in
from callcenter.routing.rules import choose_agent
from tests.factories import Bank, user_in_arm

RULE = "id-photo-trouble"


def task_waiting(bank: Bank, **asked: object) -> CallTask:
    """Let a call task wait that asks this of its agent."""
    user = user_in_arm(RULE, held_out=False, at=bank.clock.now)
    bank.knows(user)
    bank.sends(user, "id_photo_front")
    for attempt in (1, 2):
        bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)
    bank.ticks()
    task = bank.tasks()[-1]
    for name, value in asked.items():
        setattr(task, name, value)
    bank.session.commit()
    return task


def agent_with(
    bank: Bank,
    name: str,
    skills: Mapping[str, int] | None = None,
    languages: tuple[str, ...] = ("en", "zh"),
    team: str | None = None,
) -> UUID:
    """Let one more agent be available, with what they bring."""
    agent_id = bank.another_agent(name)
    for key in skills or {}:
        people.put_skill(bank.session, key, key.title(), key, bank.clock.now)
    agent = routing.lock_agent(bank.session, agent_id)
    if team is not None:
        routing.add_agent(bank.session, agent_id, team, bank.clock.now)
    people.set_abilities(bank.session, agent, languages, skills or {})
    bank.session.commit()
    return agent_id


def _relaxes(bank: Bank, **span: float) -> int:
    bank.clock.go_on(**span)
    for agent in bank.session.exec(select(Agent).where(Agent.presence != Presence.SIGNED_OFF)):
        agent.seen_at = bank.clock.now
    relaxed = staffing.relax_needs(bank.session, bank.clock.now)
    bank.session.commit()
    return relaxed


def _offered(bank: Bank, task: CallTask) -> UUID | None:
    offer = bank.offers(task)
    return offer.agent_id if isinstance(offer, pipeline.Reserved) else None


def test_the_statement_chooses_whom_the_rule_chooses(bank: Bank) -> None:
    chance, now = Random(20261118), bank.clock.now
    for key in ("loans", "cards"):
        people.put_skill(bank.session, key, key, key, now)
    for number in range(9):
        agent_with(bank, f"a{number}")
    agents = bank.session.exec(select(Agent).where(Agent.id != bank.agent_id)).all()
    chosen = 0
    for _ in range(150):
        for agent in agents:
            levels = {one: chance.randint(1, 5) for one in ("loans", "cards") if chance.random() < 0.6}
            languages = chance.choice((("en",), ("zh",), ("en", "zh")))
            people.set_abilities(bank.session, agent, languages, levels)
            agent.team = chance.choice("AB")
            agent.work_state_at = now - timedelta(seconds=chance.randint(0, 3))
        bank.session.flush()
        need = Need(
            chance.choice(("en", "zh")),
            chance.choice((None, "loans", "cards")),
            chance.randint(1, 5),
            chance.choice((None, "A", "B")),
        )
        given_up = chance.choice(((), need.requirements[:1], need.requirements[:2], tuple(EVERYTHING)))
        told = choose_agent(need, map(candidate_of, agents), given_up)
        found = routing.free_agent(bank.session, need, now, given_up)
        assert (found and found.id) == (told and told.agent_id), (need, given_up)
        chosen += told is not None
    assert 30 < chosen < 150, "both answers were seen"


def test_a_skill_is_asked_at_its_level_and_experts_are_not_wasted(bank: Bank) -> None:
    task = task_waiting(bank, skill="loans", skill_level=3)
    agent_with(bank, "none")
    agent_with(bank, "two", {"loans": 2})
    assert _offered(bank, task) is None and task.why_no_call == ["no_agent"]
    agent_with(bank, "five", {"loans": 5})
    bank.clock.go_on(seconds=5)
    three = agent_with(bank, "three", {"loans": 3})
    assert _offered(bank, task) == three
    why = bank.session.exec(select(Reservation)).one().why
    assert (why["way"], why["skill"], why["level"], why["has_level"]) == ("best_fit", "loans", 3, 3)
    assert why["speaks"] and why["waited_seconds"] == 5


def test_an_agent_who_looks_for_work_gets_what_they_suit_not_what_is_most_urgent(bank: Bank) -> None:
    urgent = task_waiting(bank, skill="loans", skill_level=4, priority=100)
    agent = agent_with(bank, "cards", {"cards": 2})
    offer = pipeline.offer_to_agent(bank.session, bank.house, agent, bank.clock.now)
    assert isinstance(offer, pipeline.NotOffered)
    assert pipeline.agents_to_offer(bank.session, bank.clock.now) == []
    urgent.skill, urgent.skill_level = "cards", 2
    bank.session.commit()
    assert pipeline.agents_to_offer(bank.session, bank.clock.now) == [agent]
    offer = pipeline.offer_to_agent(bank.session, bank.house, agent, bank.clock.now)
    assert isinstance(offer, pipeline.Reserved)


@pytest.mark.parametrize("asked", [{"team": "B"}, {"language": "en"}])
def test_team_and_language_are_asked(bank: Bank, asked: dict[str, str]) -> None:
    task = task_waiting(bank, **asked)
    if "language" in asked:
        bank.customer(user_in_arm(RULE, held_out=False, at=bank.clock.now)).language = "en"
        bank.session.commit()
    agent_with(bank, "wrong", languages=("zh",), team="A")
    assert _offered(bank, task) is None
    right = agent_with(bank, "right", languages=("en",) if "language" in asked else ("zh",), team="B")
    assert _offered(bank, task) == right


def test_while_somebody_suitable_is_signed_on_busy_or_not_nothing_is_given_up(bank: Bank) -> None:
    task = task_waiting(bank, skill="loans", skill_level=3)
    expert = agent_with(bank, "expert", {"loans": 4})
    pipeline.set_presence(bank.session, expert, Presence.NOT_READY, None, bank.clock.now)
    agent_with(bank, "plain")
    bank.session.commit()
    assert _relaxes(bank) == 0
    assert _relaxes(bank, minutes=20) == 0 and task.relaxed == [] and task.unstaffed_at is None
    assert _offered(bank, task) is None


def test_when_nobody_suitable_is_signed_on_it_is_said_and_then_less_is_asked(bank: Bank) -> None:
    task = task_waiting(bank, skill="loans", skill_level=3, team="Loan desk B")
    plain = agent_with(bank, "plain", {"loans": 1})
    assert _relaxes(bank) == 0
    assert task.why_no_call == ["nobody_suits"] and task.unstaffed_at == bank.clock.now
    seconds = RELAX_EVERY.total_seconds()
    assert _relaxes(bank, seconds=seconds) == 1 and task.relaxed == [Requirement.TEAM]
    assert _offered(bank, task) is None, "the level is asked still"
    assert _relaxes(bank, seconds=seconds) == 1 and task.relaxed == [Requirement.TEAM, Requirement.LEVEL]
    assert _relaxes(bank, seconds=seconds) == 0, "no more than it takes"
    assert _offered(bank, task) == plain
    why = bank.session.exec(select(Reservation)).one().why
    assert why["relaxed"] == ["team", "level"] and why["has_level"] == 1


def test_all_of_it_is_asked_again_once_somebody_suitable_signs_on(bank: Bank) -> None:
    task = task_waiting(bank, skill="loans", skill_level=3)
    agent_with(bank, "plain")
    _relaxes(bank)
    _relaxes(bank, minutes=1)
    assert task.relaxed == ["level"]
    expert = agent_with(bank, "expert", {"loans": 3})
    _relaxes(bank)
    assert (task.relaxed, task.unstaffed_at, task.why_no_call) == ([], None, ["no_agent"])
    assert _offered(bank, task) == expert


def test_nothing_is_given_up_at_night(bank: Bank) -> None:
    task = task_waiting(bank, skill="loans", skill_level=3)
    assert _relaxes(bank, hours=2) == 0 and task.unstaffed_at is None


def test_a_personal_callback_asks_nothing_of_who_promised_it(bank: Bank) -> None:
    task = task_waiting(bank, skill="loans", skill_level=5, agent_id=bank.agent_id)
    agent_with(bank, "expert", {"loans": 5})
    bank.agent_is_available()
    assert _offered(bank, task) == bank.agent_id
    assert bank.session.exec(select(Reservation)).one().why["way"] == "promised"


def test_a_rule_hands_what_it_asks_to_its_call_tasks(bank: Bank) -> None:
    user = user_in_arm("loan-not-withdrawn", held_out=False, at=bank.clock.now)
    bank.knows(user)
    bank.sends(user, "credit_granted")
    bank.clock.go_on(minutes=6)
    bank.ticks()
    task = bank.session.exec(select(CallTask).where(col(CallTask.rule_key) == "loan-not-withdrawn")).one()
    assert (task.language, task.skill, task.skill_level, task.team) == ("zh", "loans", 3, None)


def test_who_is_signed_in_is_counted_by_team_and_skill(bank: Bank) -> None:
    before = signed_in(bank.session)
    agent_with(bank, "Ann", {"loans": 3}, team="Loan desk Z")
    away = agent_with(bank, "Bob", {"loans": 2, "cards": 1}, team="Loan desk Y")
    routing.lock_agent(bank.session, away).presence = Presence.SIGNED_OFF
    gone = agent_with(bank, "Cem", {"loans": 5}, team="Loan desk Z")
    bank.session.get_one(User, gone).is_active = False
    bank.session.commit()
    here = signed_in(bank.session)
    assert here.of_team == {**before.of_team, "Loan desk Z": 1, "Loan desk Y": 0}
    assert here.of_skill == {**before.of_skill, "loans": 1}
