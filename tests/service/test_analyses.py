"""Ten analyses over a small world whose numbers are worked out by hand."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from callcenter import studying
from callcenter.domain.enums import Role
from callcenter.domain.ids import derived_id
from callcenter.models import AuditEntry, Customer, EventArchive, User
from callcenter.reporting.analyses.asked import MEASURES, Finding, Model, Question, Split, sample_for
from callcenter.reporting.analyses.run import Behind, analyse, freshness, people_behind, spans_beside
from tests.factories import Bank

STEPS = (
    "register", "sign_in", "id_photo", "face_scan", "profile", "bind_card", "credit_granted", "withdraw",
    "withdrawn",
)  # fmt: skip


def asks(bank: Bank, model: Model, days: int = 1, **more: object) -> Question:
    """A question about the last days, in Shanghai."""
    measure = next(iter(MEASURES.get(model, ("",))))
    asked = Question(
        model, "loan", STEPS, "withdrawn", bank.clock.now - timedelta(days=days),
        bank.clock.now + timedelta(microseconds=1), "Asia/Shanghai", measure=measure,
    )  # fmt: skip
    return replace(asked, **more)  # type: ignore[arg-type]


def told(found: Finding, *codes: str) -> dict[tuple[str, str | None], tuple[float | None, ...]]:
    """Figures by group and label."""
    return {(one.group, one.label): tuple(one.figures.get(code) for code in codes) for one in found.lines}


@pytest.fixture
def world(bank: Bank) -> Bank:
    """Ten register on two devices; six reach the photo, of whom three meet an error; one withdraws 500."""
    for number in range(10):
        bank.sends(f"u{number}", "register", device=None, app_version="2.0" if number < 4 else "1.9")
    bank.clock.go_on(minutes=2)
    for number in range(6):
        bank.sends(f"u{number}", "id_photo_front")
    bank.clock.go_on(seconds=30)
    for number in range(3):
        bank.sends(f"u{number}", "photo_rejected", reason="glare" if number else "blurred")
    bank.clock.go_on(seconds=30)
    bank.sends("u5", "loan_withdrawn", amount=500)
    bank.clock.go_on(minutes=10)
    return bank


def test_the_funnel_counts_who_entered_and_who_stopped(world: Bank) -> None:
    found = analyse(world.session, asks(world, Model.FUNNEL))
    figures = told(found, "entered", "of_total", "lost", "loss", "median")
    assert figures["", "register"] == (10, 1.0, 4, 0.4, 120)
    assert figures["", "id_photo"] == (6, 0.6, 5, pytest.approx(5 / 6), 60)
    assert figures["", "withdrawn"] == (1, 0.1, 0, 0.0, None)


def test_a_split_tells_people_apart_and_keeps_one_group_when_asked(world: Bank) -> None:
    asked = asks(world, Model.FUNNEL, split=Split.APP_VERSION)
    figures = told(analyse(world.session, asked), "entered", "lost")
    assert figures["2.0", "register"] == (4, 0) and figures["1.9", "register"] == (6, 4)
    only = analyse(world.session, replace(asked, only="2.0"))
    assert {one.group for one in only.lines} == {"2.0"} and only.total == 4


def test_people_are_told_apart_by_segment_and_by_their_last_answer(world: Bank) -> None:
    for user, segments, group in (("u0", ["quiet", "vip"], "detractor"), ("u1", ["quiet"], None)):
        one = world.customer(user)
        one.segments, one.survey_group = segments, group
    world.session.flush()
    asked = asks(world, Model.FUNNEL, split=Split.SEGMENT)
    figures = told(analyse(world.session, asked), "entered")
    assert [figures[name, "register"] for name in ("", "quiet", "vip")] == [(8,), (2,), (1,)]
    answers = told(analyse(world.session, replace(asked, split=Split.SURVEY)), "entered")
    assert [answers[name, "register"] for name in ("", "detractor")] == [(9,), (1,)]


def test_sessions_events_attributes_and_distributions(world: Bank) -> None:
    sessions = told(analyse(world.session, asks(world, Model.SESSION)), "sessions", "people", "with_error")
    assert sessions["", None] == (10, 10, 3)
    events = told(analyse(world.session, asks(world, Model.EVENT)), "events", "people", "share")
    assert events["", "id_photo|id_photo_front|"] == (6, 6, 0.6)
    errors = told(analyse(world.session, asks(world, Model.EVENT, measure="errors")), "events")
    assert errors["", "id_photo|photo_rejected|glare"] == (2,) and errors["", None] == (3,)
    values = told(
        analyse(world.session, asks(world, Model.ATTRIBUTE, split=Split.APP_VERSION)), "people", "converted"
    )
    assert values["1.9", ""] == (6, 1) and values["2.0", ""] == (4, 0)
    counted = told(analyse(world.session, asks(world, Model.DISTRIBUTION)), "people", "share", "mean")
    assert counted["", "1"] == (4, 0.4, 1) and counted["", "3"] == (4, 0.4, 3)
    assert counted["", None][2] == pytest.approx((4 * 1 + 2 * 2 + 4 * 3) / 10)


def test_intervals_come_with_their_median_and_what_came_within(world: Bank) -> None:
    asked = asks(world, Model.INTERVAL, step="register", until="id_photo")
    figures = told(analyse(world.session, asked), "people", "share", "within", "median")
    assert figures == {("", "2"): (6, 1.0, 1.0, 120), ("", None): (6, 1.0, 1.0, 120)}


def test_paths_tell_two_events_before_and_after_a_drop(world: Bank) -> None:
    figures = told(analyse(world.session, asks(world, Model.PATH, step="id_photo")), "people", "share")
    assert figures["", "2|register|id_photo"] == (5, 1.0)
    assert figures["", "3|id_photo|photo_rejected"] == (3, 0.6)
    assert figures["", "3|id_photo|"] == (2, 0.4)
    assert figures["", "4|photo_rejected|"] == (3, 1.0)


def test_retention_leaves_days_out_that_have_not_begun(world: Bank) -> None:
    world.clock.go_on(days=1)
    world.sends("u0", "id_photo_front")
    figures = told(analyse(world.session, asks(world, Model.RETENTION, 7)), "people", "day_1", "day_2")
    assert figures["", "2026-11-18"] == (10, 0.1, None)


def test_value_counts_what_repeated(world: Bank) -> None:
    world.clock.go_on(days=3)
    world.sends("u5", "loan_withdrawn", amount=300, application_id="a2")
    figures = told(
        analyse(world.session, asks(world, Model.VALUE, 28)),
        "converted",
        "value",
        "repeated",
        "repeat_value",
        "watched",
    )
    assert figures["", None] == (1, 500, 1, 300, 0.0)


def test_what_is_usual_is_that_of_the_same_hours_in_earlier_weeks(bank: Bank) -> None:
    for number in range(20):
        bank.sends(f"old{number}", "register")
        if number < 15:
            bank.sends(f"old{number}", "sign_in")
    bank.clock.go_on(days=7, minutes=10)
    bank.sends("new", "register")
    found = analyse(bank.session, asks(bank, Model.FUNNEL), beside=1)
    (line,) = [one for one in found.lines if one.label == "register"]
    assert line.usual == 0.25 and found.compared == "loss"


@pytest.mark.parametrize("model", Model)
def test_every_model_answers_with_every_split_and_names_its_people(world: Bank, model: Model) -> None:
    for split in Split:
        asked = asks(world, model, 7, split=split, step="id_photo", until="withdrawn")
        for measure in MEASURES.get(model, ("",)):
            found = analyse(world.session, replace(asked, measure=measure))
            for line in found.lines:
                people, count = people_behind(world.session, found.question, Behind(line.group, line.label))
                assert count == len(people) > 0, (split, measure, line)


def test_a_sample_is_a_share_of_the_customers_and_is_multiplied_up(world: Bank) -> None:
    assert [sample_for(n, 100).times for n in (0, 100, 101, 399, 401)] == [1, 1, 2, 4, 8]
    half = replace(asks(world, Model.FUNNEL), sample=sample_for(200, 100))
    most = half.sample.most
    assert most.int == (1 << 127) - 1
    mine = [one for one in range(10) if world.customer(f"u{one}").id <= most]
    found = analyse(world.session, asks(world, Model.FUNNEL), budget=1)
    assert found.question.sample.times >= 2 or found.lines == ()
    people, _ = people_behind(world.session, half, Behind("", "register"))
    assert len(people) == len(mine)


def test_who_looked_at_people_is_kept_and_an_erased_customer_is_not_shown(world: Bank) -> None:
    user = User(
        id=derived_id("user", "s"), login="s", name="S", role=Role.STRATEGIST, password_hash="-",
        created_at=world.clock.now,
    )  # fmt: skip
    world.session.add(user)
    world.session.flush()
    behind = Behind("", "id_photo", part=True)
    found = studying.list_people(world.session, asks(world, Model.FUNNEL), behind, user.id, world.clock.now)
    assert found.count == 5 and set(found.customers) == {one.customer_id for one in found.people}
    customer, story = studying.look_at_person(
        world.session, world.customer("u5").id, user.id, world.clock.now
    )
    assert isinstance(customer, Customer) and [one.what for one in story if one.kind == "event"] == [
        "loan_withdrawn", "id_photo_front", "register",
    ]  # fmt: skip
    acts = world.session.exec(select(AuditEntry.act).where(AuditEntry.user_id == user.id)).all()
    assert sorted(acts) == ["people.listed", "people.viewed"]


def test_how_far_behind_the_newest_event_is_told(world: Bank) -> None:
    fresh = freshness(world.session, world.clock.now)
    assert fresh.newest_at == world.clock.now - timedelta(minutes=10) and fresh.lag_seconds == 0


def _archived(bank: Bank, until: datetime) -> None:
    bank.session.add(
        EventArchive(
            partition="journey_event_old", since=until - timedelta(days=7), until=until, path="old.parquet",
            events=1, archived_at=bank.clock.now,
        )
    )  # fmt: skip
    bank.session.flush()


def test_a_window_that_reaches_into_the_archive_says_from_when_it_is_complete(world: Bank) -> None:
    asked = asks(world, Model.FUNNEL, 7)
    assert analyse(world.session, asked, beside=7).complete_since is None
    until = world.clock.now - timedelta(days=5)
    _archived(world, until)
    assert analyse(world.session, asked, beside=7).complete_since == until
    assert analyse(world.session, asks(world, Model.FUNNEL, 4), beside=4).complete_since is None


def test_weeks_that_lie_in_the_archive_are_not_what_is_usual(world: Bank) -> None:
    day = asks(world, Model.FUNNEL, 1)
    whole = analyse(world.session, day, beside=1)
    assert (whole.beside, whole.asked_beside) == (4, 4) and len(spans_beside(world.session, day, 1)) == 4
    _archived(world, world.clock.now - timedelta(days=14))
    found = analyse(world.session, day, beside=1)
    # The span of two weeks ago and that of three lie in the file's week.
    assert (found.beside, found.asked_beside, found.complete_since) == (2, 4, None)
    assert found.compared == "loss" and len(spans_beside(world.session, day, 1)) == 2
