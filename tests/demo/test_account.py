"""Customers who come for a moment of their account: who, what is reported, what they do once told."""

from collections import Counter
from random import Random

import pytest

from callcenter.commands.sample import read_sample
from callcenter.demo import account
from callcenter.demo.behaviour import IDENTIFY
from callcenter.demo.memory import Memory
from callcenter.demo.world import World
from callcenter.journeys.policy import read_journey

from .fakes import RecordingApp, RecordingTelephones, news_of
from .test_world import HOUR, NOW, live

pytestmark = pytest.mark.slow


def test_a_share_of_the_sessions_comes_for_every_kind_of_moment() -> None:
    drawn = Counter(account.draws_moment(1, index) for index in range(10_000))
    assert 1 - drawn[""] / 10_000 == pytest.approx(account.SHARE, abs=0.015)
    assert set(drawn) == {"", *account.MOMENTS}
    assert account.draws_moment(1, 7) == account.draws_moment(1, 7)


@pytest.mark.parametrize("kind", list(account.MOMENTS))
def test_what_is_reported_are_events_of_the_journey_and_some_consent_to_offers(kind: str) -> None:
    journey, chance = read_journey(read_sample("account.yaml")), Random(3)
    said: Counter[str] = Counter()
    for _ in range(400):
        first, *rest = account.plan_moment(kind, "P-1", 20_000, chance)
        assert first.kind == IDENTIFY
        assert [one.after_s for one in rest] == sorted(one.after_s for one in rest)
        said.update(one.name for one in rest)
        for one in rest:
            if one.name not in ("Consent Given", "Marketing Objection"):
                assert one.name in journey.roles and one.properties["product"] == "P-1"
    assert said["Consent Given"] / 400 == pytest.approx(account.CONSENTS, abs=0.1)
    assert 0 < said["Marketing Objection"] < 60
    assert account.MOMENTS[kind].arranged in journey.roles


def test_customers_of_the_account_report_it_and_some_arrange_it_once_talked_to() -> None:
    app, telephones = RecordingApp(), RecordingTelephones()
    world = World(app, telephones, Memory(1, 0), NOW, arrivals_per_min=60)
    live(world, 600)
    moved = {one.index for one in app.events if one.name in ("balance_moved", "limit_unused")}
    assert world.counts["moments"] > 20 and moved
    arranged = world.counts["arranged"]
    humans = sorted(phone for phone, manner in telephones.announced.items() if manner.outcome == "human")
    for number, phone in enumerate(humans):
        telephones.waiting.append(news_of(phone, f"CA{number}", ended=True, talked_s=60.0))
    live(world, HOUR, start=NOW + 600)
    assert world.counts["arranged"] > arranged + 3
