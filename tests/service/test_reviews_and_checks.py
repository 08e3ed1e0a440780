"""Calls reviewed and answered for, tags checked against what was seen, targets beside what was done."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from callcenter import aiming, checking, pipeline, reviewing
from callcenter.compliance.policies import look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import screen_customer
from callcenter.domain.enums import (
    AttemptState,
    BarReason,
    CallResult,
    CancelReason,
    Purpose,
    Role,
    TaskState,
)
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import Placed
from callcenter.domain.quality import (
    Contradiction,
    Mark,
    Measure,
    ReviewReason,
    TargetPeriod,
    TargetScope,
)
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.models import (
    AuditEntry,
    Customer,
    Disposition,
    DispositionCheck,
    PointsScheme,
    Review,
    Scorecard,
    User,
    WorkTarget,
)
from callcenter.outcomes.contradictions import contradictions_of
from callcenter.outcomes.forgetting import forget_notes
from callcenter.outcomes.rules import WrapUp
from callcenter.quality import queries
from callcenter.quality.forgetting import forget_reviews
from callcenter.quality.policy import A_WEEK, STARTING_CARD
from callcenter.reporting.reports import Period, ReportBy, report
from callcenter.reporting.tags import tag_counts, tag_of, tags_reviewable, tags_suspect
from callcenter.reviewing import Findings
from callcenter.targets.queries import figures_between, points_now, targets_at
from callcenter.targets.rules import POINTS_AT_FIRST, Figures
from tests.factories import Bank
from tests.web.scenes import users_in_arm, waiting_task

WELL = {one.id: Mark.MET for one in STARTING_CARD.questions}


def supervisor(bank: Bank, name: str = "boss") -> UUID:
    """A supervisor of this name."""
    user = User(
        id=derived_id("user", name),
        login=name,
        name=name.title(),
        role=Role.SUPERVISOR,
        password_hash="-",
        created_at=bank.clock.now,
    )
    bank.session.add(user)
    bank.session.commit()
    return user.id


def people(bank: Bank) -> list[str]:
    """Customers whom the rule's draw does not hold out."""
    return users_in_arm("id-photo-trouble", 8, held_out=False, at=bank.clock.now)


def call(
    bank: Bank, tag: str, note: str = "", *, talk: float = 60, wrap_up: float = 10, user: str | None = None
) -> UUID:
    """Let the agent have a call that is talked for so many seconds and tagged; return the attempt."""
    task = waiting_task(bank, user and people(bank)[int(user[2:])])
    bank.agent_is_available()
    bank.offers(task)
    dialing = bank.dials(task)
    assert isinstance(dialing, pipeline.Dialing)
    ref = f"CA-{task.id}"
    pipeline.note_placement(bank.session, dialing.attempt_id, Placed(ref), bank.clock.now)
    bank.hears(dialing.attempt_id, AttemptState.RINGING, ref=ref)
    if talk:
        bank.picks_up(dialing.attempt_id, ref)
        bank.hears(dialing.attempt_id, AttemptState.BRIDGED, ref=ref)
        bank.clock.go_on(seconds=talk)
    result = CallResult.COMPLETED if talk else CallResult.NO_ANSWER
    bank.hears(dialing.attempt_id, AttemptState.ENDED, result, ref=ref)
    bank.clock.go_on(seconds=wrap_up)
    pipeline.close_call(
        bank.session, bank.house, task.id, WrapUp(tag, note=note), bank.agent_id, bank.clock.now
    )
    bank.session.commit()
    return dialing.attempt_id


def card(bank: Bank) -> Scorecard:
    """The questions a bank begins with, in use."""
    row = reviewing.adopt_scorecard(bank.session, STARTING_CARD, None, bank.clock.now)
    bank.session.commit()
    return row


def review(bank: Bank, attempt_id: UUID, by: UUID, scorecard: Scorecard, **marks: Mark) -> Review:
    """Let somebody review a call: all is well but what is said."""
    named = {key.replace("_", "-"): mark for key, mark in marks.items()}
    found = Findings(scorecard_id=scorecard.id, marks={**WELL, **named}, comment="Heard it")
    row = reviewing.review_call(bank.session, attempt_id, found, by, bank.clock.now)
    bank.session.commit()
    return row


def acts(bank: Bank) -> list[str]:
    """What the audit trail says was done, oldest first."""
    return [one.act for one in bank.session.exec(select(AuditEntry).order_by(AuditEntry.id))]  # type: ignore[arg-type]


# -- reviews -----------------------------------------------------------------------------------------------


def test_a_review_keeps_marks_score_and_version_and_is_in_the_trail(bank: Bank) -> None:
    boss, attempt = supervisor(bank), call(bank, "will_finish")
    first = card(bank)
    newer = reviewing.adopt_scorecard(bank.session, STARTING_CARD, boss, bank.clock.now)
    assert (first.version, newer.version, first.ended_at) == (1, 2, bank.clock.now)
    with pytest.raises(Conflict, match="newer version"):
        review(bank, attempt, boss, first)
    row = review(bank, attempt, boss, newer, help=Mark.PARTLY)
    assert (row.score, row.failed, row.seq, row.scorecard_id) == (93, [], 1, newer.id)
    assert row.marks["help"] == "partly_met" and row.agent_id == bank.agent_id
    assert acts(bank)[-1] == "review.saved"
    with pytest.raises(Conflict, match="This call is reviewed"):
        review(bank, attempt, boss, newer)


def test_a_critical_question_not_met_fails_the_call(bank: Bank) -> None:
    row = review(bank, call(bank, "will_finish"), supervisor(bank), card(bank), right_person=Mark.NOT_MET)
    assert (row.score, row.failed) == (0, ["right-person"])


def test_a_disputed_review_is_settled_by_another_supervisor_and_the_second_counts(bank: Bank) -> None:
    boss, other, scorecard = supervisor(bank), supervisor(bank, "other-boss"), card(bank)
    attempt = call(bank, "will_finish")
    first = review(bank, attempt, boss, scorecard, greeting=Mark.NOT_MET)
    with pytest.raises(Forbidden):
        reviewing.dispute_review(bank.session, first.id, "no", boss, bank.clock.now)
    with pytest.raises(BadInput, match="Say in a word"):
        reviewing.dispute_review(bank.session, first.id, "  ", bank.agent_id, bank.clock.now)
    reviewing.dispute_review(bank.session, first.id, "I did greet", bank.agent_id, bank.clock.now)
    with pytest.raises(Conflict, match="have disputed"):
        reviewing.acknowledge_review(bank.session, first.id, bank.agent_id, bank.clock.now)
    assert [one.id for one in queries.reviews_open(bank.session)] == [first.id]
    with pytest.raises(Conflict, match="Another supervisor"):
        review(bank, attempt, boss, scorecard)
    second = review(bank, attempt, other, scorecard)
    assert (second.seq, second.because, second.score) == (2, ReviewReason.DISPUTED, 100)
    assert first.settled_at == bank.clock.now and queries.reviews_open(bank.session) == []
    with pytest.raises(Conflict, match="has settled"):
        review(bank, attempt, other, scorecard)
    with pytest.raises(Conflict, match="settles the matter"):
        reviewing.dispute_review(bank.session, second.id, "still", bank.agent_id, bank.clock.now)
    reviewing.acknowledge_review(bank.session, second.id, bank.agent_id, bank.clock.now)
    day = timedelta(days=1)
    counting = queries.reviews_counting(bank.session, bank.clock.now - day, bank.clock.now + day)
    assert [one.id for one in counting] == [second.id]
    wanted = ["review.saved", "review.disputed", "review.saved", "review.acknowledged"]
    assert [act for act in acts(bank) if act.startswith("review.")] == wanted


def test_a_review_can_be_disputed_for_two_weeks(bank: Bank) -> None:
    row = review(bank, call(bank, "will_finish"), supervisor(bank), card(bank))
    bank.clock.go_on(days=15)
    with pytest.raises(Conflict, match="two weeks"):
        reviewing.dispute_review(bank.session, row.id, "late", bank.agent_id, bank.clock.now)


def test_only_an_ended_call_of_somebody_else_is_reviewed_with_at_least_one_mark(bank: Bank) -> None:
    boss, scorecard, attempt = supervisor(bank), card(bank), call(bank, "will_finish")
    with pytest.raises(Forbidden, match="their own call"):
        review(bank, attempt, bank.agent_id, scorecard)
    with pytest.raises(NotFound):
        review(bank, UUID(int=5), boss, scorecard)
    with pytest.raises(BadInput, match="at least one"):
        reviewing.review_call(
            bank.session, attempt, Findings(scorecard_id=scorecard.id, marks={}), boss, bank.clock.now
        )


def test_what_was_reviewed_counts_against_the_number_of_the_week(bank: Bank) -> None:
    boss, scorecard, attempt = supervisor(bank), card(bank), call(bank, "will_finish")
    since = bank.clock.now - timedelta(days=2)
    assert [
        one.facts.attempt_id for one in tags_reviewable(bank.session, since, bank.clock.now + timedelta(1))
    ] == [attempt]
    assert queries.loads_since(bank.session, since)[bank.agent_id].quota == A_WEEK
    reviewing.set_plan(bank.session, 5, boss, bank.clock.now)
    review(bank, attempt, boss, scorecard)
    load = queries.loads_since(bank.session, since)[bank.agent_id]
    assert (load.reviewed, load.risky, load.quota) == (1, 0, 5)
    assert tags_reviewable(bank.session, since, bank.clock.now + timedelta(1)) == []
    with pytest.raises(BadInput):
        reviewing.set_plan(bank.session, 0, boss, bank.clock.now)


def test_hearing_a_recording_is_in_the_trail(bank: Bank) -> None:
    boss, attempt = supervisor(bank), call(bank, "will_finish")
    assert reviewing.note_listened(bank.session, attempt, boss, bank.clock.now) is None
    assert "recording.heard" not in acts(bank)
    bank.attempts()[0].recording_ref = "RE" + "0" * 32
    assert reviewing.note_listened(bank.session, attempt, boss, bank.clock.now) == "RE" + "0" * 32
    bank.session.commit()
    assert acts(bank)[-1] == "recording.heard"


# -- tags --------------------------------------------------------------------------------------------------


def found(bank: Bank) -> dict[UUID, tuple[Contradiction, ...]]:
    """What speaks against the tags of the last three days."""
    now = bank.clock.now
    rows = tags_suspect(bank.session, now - timedelta(days=3), now + timedelta(seconds=1))
    told = {one.facts.attempt_id: contradictions_of(one.facts, now) for one in rows}
    return {key: one for key, one in told.items() if one}


def test_tags_that_events_and_telephone_speak_against_are_found_and_others_are_not(bank: Bank) -> None:
    unheard = call(bank, "no_answer", talk=0, user="u-5")
    false_yes = call(bank, "done_on_call", user="u-1")
    short = call(bank, "will_finish", talk=3, user="u-2")
    hidden = call(bank, "no_answer", talk=45, user="u-3")
    fine = call(bank, "will_finish", user="u-4")
    assert found(bank) == {
        short: (Contradiction.REACHED_TOO_SHORT,),
        hidden: (Contradiction.TALKED_NOT_REACHED,),
    }, "a conversion may still be seen"
    bank.clock.go_on(hours=25)
    assert found(bank)[false_yes] == (Contradiction.CONVERTED_NOT_SEEN,)
    assert {fine, unheard}.isdisjoint(found(bank))


def check(bank: Bank, attempt: UUID, code: str, by: UUID, seen: str, reason: str = "Heard it") -> Any:
    """Let a supervisor check a tag."""
    row = checking.check_tag(
        bank.session, bank.house, attempt, code, reason, by, bank.clock.now, seen_code=seen
    )
    bank.session.commit()
    return row


def counts(bank: Bank) -> Any:
    """What the report of dispositions says."""
    now = bank.clock.now
    return report(
        bank.session, ReportBy.DISPOSITION, Period(now - timedelta(days=2), now + timedelta(1), "UTC", now)
    )


def test_a_correction_keeps_the_agents_word_and_the_flags_follow_it(bank: Bank) -> None:
    boss, attempt = supervisor(bank), call(bank, "no_answer", talk=45)
    assert counts(bank)["no_answer"].right_party == 0
    row = check(bank, attempt, "will_finish", boss, "no_answer")
    told = bank.session.get_one(Disposition, attempt, populate_existing=True)
    assert (told.kind_code, told.corrected_code, told.counts_as) == (
        "no_answer",
        "will_finish",
        "will_finish",
    )
    assert (row.said_code, row.found_code, row.evidence) == (
        "no_answer",
        "will_finish",
        ["talked_not_reached"],
    )
    assert set(counts(bank)) == {"will_finish"} and counts(bank)["will_finish"].right_party == 1
    assert found(bank) == {} and acts(bank)[-1] == "disposition.corrected"
    with pytest.raises(Conflict, match="in the meantime"):
        check(bank, attempt, "machine", boss, "no_answer")
    day = timedelta(days=1)
    now = bank.clock.now
    assert tag_counts(bank.session, now - day, now + day)[bank.agent_id].upheld == 0
    check(bank, attempt, "no_answer", boss, "will_finish", "Wrong call heard")
    assert bank.session.get_one(Disposition, attempt, populate_existing=True).corrected_code is None
    had = tag_counts(bank.session, now - day, now + day)[bank.agent_id]
    assert (had.tags, had.checked, had.upheld) == (1, 1, 1)
    assert len(bank.session.exec(select(DispositionCheck)).all()) == 2


def test_a_tag_is_upheld_with_a_reason_and_is_not_asked_about_again(bank: Bank) -> None:
    boss, attempt = supervisor(bank), call(bank, "will_finish", talk=3)
    with pytest.raises(BadInput, match="Say why"):
        check(bank, attempt, "will_finish", boss, "will_finish", "  ")
    with pytest.raises(Forbidden, match="their own tags"):
        check(bank, attempt, "will_finish", bank.agent_id, "will_finish")
    with pytest.raises(BadInput, match="Choose a result"):
        check(bank, attempt, "nonsense", boss, "will_finish")
    check(bank, attempt, "will_finish", boss, "will_finish", "They said yes at once")
    assert found(bank) == {} and acts(bank)[-1] == "disposition.upheld"


def _why_barred(bank: Bank, customer: Customer) -> tuple[str, ...]:
    proposed = ProposedCall(customer, Purpose.SERVICE, "loan")
    ((facts, policy),) = look(bank.session, bank.house.gate, [proposed], bank.clock.now + timedelta(days=3))
    return tuple(map(str, screen_customer(facts, policy, bank.clock.now + timedelta(days=3)).reasons))


def test_a_correction_to_do_not_call_bars_at_once_and_ends_what_waits(bank: Bank) -> None:
    boss = supervisor(bank)
    attempt = call(bank, "no_answer", "请勿来电", talk=45)
    (task,) = bank.tasks()
    assert found(bank)[attempt][0] is Contradiction.DO_NOT_CALL_IN_NOTE
    assert task.state == TaskState.PENDING, "it waits for another try"
    customer = bank.session.get_one(Customer, task.customer_id)
    assert BarReason.DO_NOT_CALL not in _why_barred(bank, customer)
    check(bank, attempt, "do_not_call", boss, "no_answer")
    assert BarReason.DO_NOT_CALL in _why_barred(bank, customer)
    assert (task.state, task.cancel_reason) == (TaskState.CANCELED, CancelReason.REFUSED)
    check(bank, attempt, "no_answer", boss, "do_not_call", "Misheard")
    assert BarReason.DO_NOT_CALL in _why_barred(bank, customer), "only compliance lifts it"


def test_a_correction_never_gives_back_a_call_that_a_talk_has_used_up(bank: Bank) -> None:
    boss, attempt = supervisor(bank), call(bank, "will_finish", talk=45)
    (task,) = bank.tasks()
    customer = bank.session.get_one(Customer, task.customer_id)
    proposed = ProposedCall(customer, Purpose.SERVICE, "loan")

    def talked() -> bool:
        ((facts, _),) = look(bank.session, bank.house.gate, [proposed], bank.clock.now)
        return facts.talked_at is not None

    assert talked()
    check(bank, attempt, "wrong_person", boss, "will_finish")
    assert talked()


def test_of_an_erased_person_no_word_stays_in_reviews_and_checks(bank: Bank) -> None:
    boss, attempt = supervisor(bank), call(bank, "no_answer", talk=45)
    row = review(bank, attempt, boss, card(bank))
    done = check(bank, attempt, "will_finish", boss, "no_answer", "Wang Wei said so")
    (task,) = bank.tasks()
    assert forget_reviews(bank.session, [task.customer_id]) == {"reviews": 1}
    assert forget_notes(bank.session, [task.customer_id], {})["checks"] == 1
    bank.session.expire_all()
    assert (row.comment, row.score, done.reason, done.found_code) == ("", 100, "", "will_finish")


# -- targets -----------------------------------------------------------------------------------------------


def _figures(bank: Bank) -> Figures:
    now = bank.clock.now
    found = figures_between(bank.session, now - timedelta(days=2), now + timedelta(days=1), now)
    return found.get(bank.agent_id, Figures())


def test_conversions_count_by_events_and_contacts_by_the_telephone(bank: Bank) -> None:
    call(bank, "done_on_call", user="u-1")
    call(bank, "done_on_call", talk=2, user="u-2")
    had = _figures(bank)
    assert (had.attempts, had.right_party, had.verified) == (2, 1, 0), "tags alone convert nobody"
    bank.sends(people(bank)[1], "face_scan")
    bank.session.expire_all()
    assert _figures(bank).verified == 1


def test_quality_is_the_average_of_the_reviews_that_count(bank: Bank) -> None:
    boss, scorecard = supervisor(bank), card(bank)
    review(bank, call(bank, "will_finish", user="u-1"), boss, scorecard)
    review(bank, call(bank, "will_finish", user="u-2"), boss, scorecard, no_secrets=Mark.NOT_MET)
    assert _figures(bank).value(Measure.QUALITY) == 50.0 and _figures(bank).reviews == 2


def test_a_target_counts_from_when_it_is_set_and_the_one_before_stays_with_its_time(bank: Bank) -> None:
    boss = supervisor(bank)
    set_it: Any = lambda value: aiming.set_targets(  # noqa: E731
        bank.session,
        TargetScope.MEMBER,
        "Loan desk A",
        TargetPeriod.DAY,
        {Measure.VERIFIED: value},
        boss,
        bank.clock.go_on(hours=1),
    )
    assert (set_it(4), set_it(4)) == (1, 0)
    before = bank.clock.now
    assert set_it(6) == 1
    assert [one.value for one in targets_at(bank.session, TargetPeriod.DAY, before)] == [4]
    assert [one.value for one in targets_at(bank.session, TargetPeriod.DAY, bank.clock.now)] == [6]
    assert targets_at(bank.session, TargetPeriod.WEEK, bank.clock.now) == []
    assert set_it(None) == 1 and targets_at(bank.session, TargetPeriod.DAY, bank.clock.now) == []
    assert len(bank.session.exec(select(WorkTarget)).all()) == 2
    with pytest.raises(BadInput, match="from 1 to 100,000"):
        set_it(0)
    with pytest.raises(NotFound):
        aiming.set_targets(
            bank.session, TargetScope.TEAM, "Nobody", TargetPeriod.DAY, {}, boss, bank.clock.now
        )
    assert acts(bank).count("target.set") == 3


def test_points_are_set_anew_and_kept(bank: Bank) -> None:
    assert points_now(bank.session) == POINTS_AT_FIRST
    aiming.set_points(
        bank.session, {**POINTS_AT_FIRST, Measure.VERIFIED: 30}, supervisor(bank), bank.clock.now
    )
    assert points_now(bank.session)[Measure.VERIFIED] == 30 and acts(bank)[-1] == "points.set"
    with pytest.raises(BadInput):
        aiming.set_points(bank.session, {Measure.VERIFIED: 2_000}, bank.agent_id, bank.clock.now)
    assert len(bank.session.exec(select(PointsScheme)).all()) == 1


def test_a_callback_is_kept_by_its_agents_dial_at_the_time(bank: Bank) -> None:
    task = waiting_task(bank)
    bank.agent_is_available()
    bank.offers(task)
    dialing = bank.dials(task)
    assert isinstance(dialing, pipeline.Dialing)
    pipeline.note_placement(bank.session, dialing.attempt_id, Placed("CA-1"), bank.clock.now)
    bank.picks_up(dialing.attempt_id, "CA-1")
    bank.hears(dialing.attempt_id, AttemptState.BRIDGED, ref="CA-1")
    bank.clock.go_on(seconds=30)
    bank.hears(dialing.attempt_id, AttemptState.ENDED, CallResult.COMPLETED, ref="CA-1")
    due = bank.clock.now + timedelta(days=1)
    pipeline.close_call(
        bank.session, bank.house, task.id, WrapUp("callback", callback_at=due), bank.agent_id, bank.clock.now
    )
    bank.session.commit()
    assert _figures(bank).due_callbacks == 0, "it is not due yet"
    bank.clock.go_on(days=1, minutes=5)
    had = _figures(bank)
    assert (had.due_callbacks, had.kept_callbacks) == (1, 0)
    bank.agent_is_available()
    bank.offers(task)
    assert isinstance(bank.dials(task), pipeline.Dialing)
    had = _figures(bank)
    assert (had.due_callbacks, had.kept_callbacks) == (1, 1)


def test_the_tag_of_an_attempt_without_one_is_none(bank: Bank) -> None:
    assert tag_of(bank.session, UUID(int=3)) is None
