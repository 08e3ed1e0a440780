"""The life of a rule: drafts, a second person's review, pinned and migrated visits, and what is refused."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from callcenter import acts, trials
from callcenter.commands.sample import read_sample
from callcenter.domain.enums import FiringFate, Role, RuleState, SuppressReason
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, CallCenterError, Conflict, Forbidden, NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import AuditEntry, TriggerRule, User
from callcenter.routing import people as routing_people
from callcenter.triggers.queries import current_version, stamp_of_row
from tests.factories import Bank

RULE = "face-scan-quiet"
BEFORE: Mapping[str, Any] = next(one for one in read_sample("rules.yaml") if one["rule"] == RULE)
"""Live as version 1: quiet on the face scan for 2 minutes."""


@pytest.fixture
def author(bank: Bank) -> UUID:
    """A strategist."""
    return _person(bank, "author")


@pytest.fixture
def second(bank: Bank) -> UUID:
    """Another strategist."""
    return _person(bank, "second")


def _person(bank: Bank, login: str) -> UUID:
    user = User(
        id=derived_id("user", login),
        login=login,
        name=login.title(),
        role=Role.STRATEGIST,
        password_hash="-",
        created_at=bank.clock.now,
    )
    bank.session.add(user)
    bank.session.commit()
    return user.id


def _changed(**entries: Any) -> dict[str, Any]:
    return {**BEFORE, **entries}


def _draft(bank: Bank, author: UUID, raw: Mapping[str, Any], like: int = 1) -> int:
    """Begin a draft from a version and write this into it; return its number."""
    row = acts.draft_rule(bank.session, RULE, like, author, bank.clock.now)
    seen = stamp_of_row(row)
    acts.save_rule_draft(bank.session, RULE, row.version, raw, author, bank.clock.now, seen=seen, note="")
    bank.session.commit()
    return row.version


def _review(bank: Bank, author: UUID, raw: Mapping[str, Any], like: int = 1) -> int:
    version = _draft(bank, author, raw, like)
    acts.submit_rule(bank.session, RULE, version, author, bank.clock.now, note="fewer calls in vain")
    bank.session.commit()
    return version


def _publish(bank: Bank, version: int, second: UUID, *, migrate: bool = False) -> int:
    bank.clock.go_on(microseconds=1)
    missed = acts.publish_rule(bank.session, RULE, version, second, bank.clock.now, migrate=migrate)
    bank.session.commit()
    return missed


def _row(bank: Bank, version: int) -> TriggerRule:
    found = select(TriggerRule).where(TriggerRule.rule_key == RULE, TriggerRule.version == version)
    return bank.session.exec(found).one()


def _waits(bank: Bank, **span: float) -> None:
    bank.clock.go_on(**span)
    bank.ticks()


def _fates(bank: Bank) -> list[tuple[int, str | None]]:
    """Version and reason of every firing of the rule."""
    numbers = {row.id: row.version for row in bank.session.exec(select(TriggerRule))}
    return [(numbers[one.rule_id], one.suppress_reason) for one in bank.firings() if one.rule_key == RULE]


def test_a_draft_fires_nothing_until_a_second_person_publishes_it(
    bank: Bank, author: UUID, second: UUID
) -> None:
    version = _review(bank, author, _changed(after="1m"))
    bank.sends("u1", "face_scan")
    _waits(bank, seconds=70)
    assert _fates(bank) == []
    _publish(bank, version, second)
    bank.sends("u2", "face_scan")
    _waits(bank, seconds=70)
    assert sorted(one for one, _ in _fates(bank)) == [1, 2], (
        "u1 is pinned to version 1 and its 2 minutes are over"
    )
    assert (_row(bank, 1).state, _row(bank, 1).superseded_at) == (
        RuleState.RETIRED,
        _row(bank, 2).published_at,
    )
    assert _row(bank, 2).published_by == second


def test_neither_author_nor_submitter_publishes(bank: Bank, author: UUID, second: UUID) -> None:
    version = _draft(bank, author, _changed(after="1m"))
    acts.submit_rule(bank.session, RULE, version, second, bank.clock.now, note="for the author")
    for person in (author, second):
        with pytest.raises(Forbidden, match="second person"):
            _publish(bank, version, person)
    assert _row(bank, version).state == RuleState.IN_REVIEW
    _publish(bank, version, _person(bank, "third"))
    assert _row(bank, version).state == RuleState.LIVE


def test_a_version_in_review_cannot_be_edited_and_comes_back_with_a_reason(
    bank: Bank, author: UUID, second: UUID
) -> None:
    version = _review(bank, author, _changed(after="1m"))
    row = _row(bank, version)
    now = bank.clock.now
    with pytest.raises(Conflict, match="in review by now"):
        acts.save_rule_draft(
            bank.session, RULE, version, BEFORE, author, now, seen=stamp_of_row(row), note=""
        )
    with pytest.raises(BadInput, match="what is to be changed"):
        acts.send_rule_back(bank.session, RULE, version, second, now, reason=" ")
    acts.send_rule_back(bank.session, RULE, version, second, now, reason="too eager")
    assert (row.state, row.submitted_by) == (RuleState.DRAFT, None)
    acts.save_rule_draft(
        bank.session, RULE, version, _changed(after="90s"), author, now, seen=stamp_of_row(row), note=""
    )
    assert row.definition["after"] == "90s"


def test_a_note_says_why_before_anybody_reviews(bank: Bank, author: UUID) -> None:
    version = _draft(bank, author, _changed(after="1m"))
    with pytest.raises(BadInput, match="why this version"):
        acts.submit_rule(bank.session, RULE, version, author, bank.clock.now, note=" ")


def test_two_tabs_do_not_overwrite_one_another_unseen(bank: Bank, author: UUID) -> None:
    row = acts.draft_rule(bank.session, RULE, 1, author, bank.clock.now)
    opened_twice = stamp_of_row(row)

    def save(after: str, seen: str) -> None:
        acts.save_rule_draft(
            bank.session, RULE, 2, _changed(after=after), author, bank.clock.now, seen=seen, note=""
        )

    save("1m", opened_twice)
    with pytest.raises(Conflict, match="saved in another place"):
        save("3m", opened_twice)
    assert row.definition["after"] == "1m"
    save("3m", stamp_of_row(row))
    assert row.definition["after"] == "3m"


def test_a_draft_is_its_authors_own(bank: Bank, author: UUID, second: UUID) -> None:
    version = _draft(bank, author, _changed(after="1m"))
    row = _row(bank, version)
    with pytest.raises(Forbidden, match="somebody else's draft"):
        acts.save_rule_draft(
            bank.session, RULE, version, BEFORE, second, bank.clock.now, seen=stamp_of_row(row), note=""
        )
    with pytest.raises(Forbidden):
        acts.discard_rule_draft(bank.session, RULE, version, second, bank.clock.now)
    acts.discard_rule_draft(bank.session, RULE, version, author, bank.clock.now)
    assert (row.state, row.published_at) == (RuleState.RETIRED, None)
    assert acts.draft_rule(bank.session, RULE, 1, second, bank.clock.now).version == 3


def test_a_version_that_was_overtaken_is_not_published_and_the_refusal_says_what_to_do(
    bank: Bank, author: UUID, second: UUID
) -> None:
    slow = _review(bank, author, _changed(after="1m"))
    quick = _review(bank, author, _changed(after="3m"))
    _publish(bank, quick, second)
    with pytest.raises(Conflict, match=r"Version 3 went live meanwhile\. Begin a new draft from it"):
        _publish(bank, slow, second)
    with pytest.raises(Conflict, match="live by now"):
        _publish(bank, quick, second)
    current = current_version(bank.session, RULE)
    assert current and current.version == quick


def test_pinned_visits_stay_with_the_version_they_began_under(bank: Bank, author: UUID, second: UUID) -> None:
    bank.sends("old", "face_scan")
    bank.clock.go_on(seconds=30)
    assert _publish(bank, _review(bank, author, _changed(after="10m")), second) == 0
    bank.sends("new", "face_scan")
    _waits(bank, minutes=3)
    assert [one for one, _ in _fates(bank)] == [1]
    _waits(bank, minutes=8)
    assert [one for one, _ in _fates(bank)] == [1, 2]


def test_migrated_visits_fire_only_what_is_still_ahead_and_what_passed_is_kept(
    bank: Bank, author: UUID, second: UUID
) -> None:
    bank.sends("long", "face_scan")
    bank.clock.go_on(seconds=80)
    bank.sends("short", "face_scan")
    bank.clock.go_on(seconds=20)
    assert _publish(bank, _review(bank, author, _changed(after="1m")), second, migrate=True) == 1
    assert _fates(bank) == [(2, SuppressReason.WOULD_HAVE_FIRED)]
    missed = bank.firings()[0]
    assert (missed.customer_id, missed.fate) == (bank.customer("long").id, FiringFate.SUPPRESSED)
    assert missed.decided_at == bank.clock.now
    _waits(bank, seconds=50)
    fired = {one.customer_id: one.suppress_reason for one in bank.firings()}
    assert fired[bank.customer("long").id] == SuppressReason.WOULD_HAVE_FIRED
    assert fired[bank.customer("short").id] != SuppressReason.WOULD_HAVE_FIRED
    _waits(bank, minutes=10)
    assert len(_fates(bank)) == 2, "one firing per rule and visit, also across versions"


def test_what_its_conditions_would_have_barred_is_not_kept_as_missed(
    bank: Bank, author: UUID, second: UUID
) -> None:
    bank.sends("u1", "face_scan", app_version="8.2")
    bank.sends("u2", "face_scan", app_version="7.9")
    bank.clock.go_on(seconds=90)
    raw = _changed(after="1m", conditions={"field": "visit.app_version", "op": "starts with", "value": "8."})
    assert _publish(bank, _review(bank, author, raw), second, migrate=True) == 1
    assert [one.customer_id for one in bank.firings()] == [bank.customer("u1").id]


def test_what_ran_out_under_the_version_before_still_fires_and_other_rules_lose_nothing(
    bank: Bank, author: UUID, second: UUID
) -> None:
    bank.sends("u1", "face_scan")
    bank.clock.go_on(minutes=2, seconds=6)  # run out, and no tick yet
    assert _publish(bank, _review(bank, author, _changed(after="1m")), second, migrate=True) == 0
    assert [one for one, _ in _fates(bank)] == [1]
    bank.sends("u2", "id_photo_front")
    acts.switch_rule(bank.session, "id-photo-trouble", second, bank.clock.now, live=False)
    bank.clock.go_on(minutes=3, seconds=6)  # id-photo-dwell has run out, and no tick yet
    acts.switch_rule(bank.session, "id-photo-trouble", second, bank.clock.now, live=True)
    assert "id-photo-dwell" in [one.rule_key for one in bank.firings()]


def test_publishing_over_a_paused_version_calls_nobody_for_the_time_of_the_pause(
    bank: Bank, author: UUID, second: UUID
) -> None:
    bank.sends("u1", "face_scan")
    acts.switch_rule(bank.session, RULE, second, bank.clock.now, live=False)
    bank.clock.go_on(minutes=5)
    _publish(bank, _review(bank, author, _changed(after="1m")), second)
    _waits(bank, minutes=5)
    assert _fates(bank) == []
    bank.sends("u2", "face_scan")
    _waits(bank, minutes=2)
    assert [one for one, _ in _fates(bank)] == [2]


def test_a_rule_is_paused_and_resumed_while_its_next_version_is_written(bank: Bank, author: UUID) -> None:
    _draft(bank, author, _changed(after="1m"))
    acts.switch_rule(bank.session, RULE, author, bank.clock.now, live=False)
    assert (_row(bank, 1).state, _row(bank, 2).state) == (RuleState.PAUSED, RuleState.DRAFT)
    acts.switch_rule(bank.session, RULE, author, bank.clock.now, live=True)
    assert _row(bank, 1).state == RuleState.LIVE


def test_a_rule_that_was_ended_fires_no_more_also_not_for_visits_that_began_under_it(
    bank: Bank, author: UUID, second: UUID
) -> None:
    _publish(bank, _review(bank, author, _changed(after="3m")), second)
    bank.sends("u1", "face_scan")
    acts.retire_rule(bank.session, RULE, author, bank.clock.now, reason="the page was rebuilt")
    bank.session.commit()
    _waits(bank, minutes=5)
    assert _fates(bank) == []
    _publish(bank, _review(bank, author, _changed(after="1m"), like=2), second)
    bank.clock.go_on(seconds=1)
    bank.sends("u2", "face_scan")
    _waits(bank, minutes=5)
    assert [one for one, _ in _fates(bank)] == [3]
    with pytest.raises(NotFound):
        acts.retire_rule(bank.session, "none", author, bank.clock.now, reason="")


def test_rolling_back_is_an_older_definition_published_anew(bank: Bank, author: UUID, second: UUID) -> None:
    _publish(bank, _review(bank, author, _changed(after="10m")), second)
    row = acts.draft_rule(bank.session, RULE, 1, author, bank.clock.now)
    assert (row.version, row.definition, row.state) == (3, dict(BEFORE), RuleState.DRAFT)
    acts.submit_rule(bank.session, RULE, 3, author, bank.clock.now, note="back to version 1")
    _publish(bank, 3, second)
    current = current_version(bank.session, RULE)
    assert current and (current.version, current.definition) == (3, dict(BEFORE))


def test_a_new_rule_begins_as_a_draft_and_watches_nobody_who_was_there_before(
    bank: Bank, author: UUID, second: UUID
) -> None:
    raw = {"rule": "profile-long", "journey": "loan", "step": "profile", "preset": "dwell", "after": "1m"}
    bank.sends("u1", "profile")
    acts.begin_rule(bank.session, raw, author, bank.clock.now)
    with pytest.raises(Conflict, match="already"):
        acts.begin_rule(bank.session, raw, second, bank.clock.now)
    acts.submit_rule(bank.session, "profile-long", 1, author, bank.clock.now, note="new page")
    bank.clock.go_on(seconds=1)
    acts.publish_rule(bank.session, "profile-long", 1, second, bank.clock.now, migrate=False)
    bank.session.commit()
    bank.clock.go_on(seconds=1)
    bank.sends("u2", "profile")
    _waits(bank, minutes=2)
    fired = [one.customer_id for one in bank.firings() if one.rule_key == "profile-long"]
    assert fired == [bank.customer("u2").id]


def test_what_is_wrong_is_refused_before_it_is_kept(bank: Bank, author: UUID) -> None:
    wrong: list[dict[str, Any]] = [
        _changed(step="nowhere"),
        _changed(rule="another-name"),
        _changed(journey="none"),
    ]
    row = acts.draft_rule(bank.session, RULE, 1, author, bank.clock.now)
    for raw in wrong:
        with pytest.raises(CallCenterError):
            acts.save_rule_draft(
                bank.session, RULE, 2, raw, author, bank.clock.now, seen=stamp_of_row(row), note=""
            )
    assert row.definition == dict(BEFORE)


def test_every_act_is_in_the_audit_trail_with_its_version(bank: Bank, author: UUID, second: UUID) -> None:
    version = _review(bank, author, _changed(after="1m"))
    now = bank.clock.now
    acts.send_rule_back(bank.session, RULE, version, second, now, reason="why?")
    acts.submit_rule(bank.session, RULE, version, author, now, note="because")
    _publish(bank, version, second, migrate=True)
    other = _draft(bank, author, _changed(after="7m"), like=2)
    acts.discard_rule_draft(bank.session, RULE, other, author, now)
    acts.retire_rule(bank.session, RULE, second, now, reason="enough")
    acts.adopt_rule(
        bank.session, BEFORE, acts.journey_of(bank.session, BEFORE), None, bank.clock.go_on(seconds=1)
    )
    bank.session.commit()
    trail = bank.session.exec(
        select(AuditEntry).where(AuditEntry.subject == RULE).order_by(AuditEntry.id)  # type: ignore[arg-type]
    ).all()
    assert [(one.act, one.user_id, one.detail["version"]) for one in trail] == [
        ("rule.drafted", author, 2),
        ("rule.draft_saved", author, 2),
        ("rule.submitted", author, 2),
        ("rule.sent_back", second, 2),
        ("rule.submitted", author, 2),
        ("rule.published", second, 2),
        ("rule.drafted", author, 3),
        ("rule.draft_saved", author, 3),
        ("rule.discarded", author, 3),
        ("rule.retired", second, 2),
        ("rule.adopted", None, 4),
    ]
    published = trail[5].detail
    assert (published["open_visits"], published["missed"]) == ("migrate", 0)
    assert (trail[3].detail["reason"], trail[4].detail["note"]) == ("why?", "because")


def test_no_version_goes_live_that_asks_for_a_skill_or_a_team_that_is_not_there(
    bank: Bank, author: UUID, second: UUID
) -> None:
    for asked, named in (({"skill": "moon"}, "no skill moon"), ({"team": "Moon desk"}, "no team Moon desk")):
        with pytest.raises(BadInput, match=named):
            _draft(bank, author, _changed(**asked))
        bank.session.rollback()
        with pytest.raises(BadInput, match=named):
            acts.adopt_rule(
                bank.session,
                _changed(**asked),
                journeys_loaded(bank.session)["loan"],
                None,
                bank.clock.now,
            )
        bank.session.rollback()
    version = _review(bank, author, _changed(skill="cards"))
    routing_people.switch_skill(bank.session, "cards", is_active=False)
    bank.session.commit()
    with pytest.raises(BadInput, match="skill cards is switched off"):
        _publish(bank, version, second)
    bank.session.rollback()
    with pytest.raises(BadInput, match="skill cards is switched off"):
        trials.try_rule(bank.session, RULE, version, second, bank.clock.now, days=7)
    bank.session.rollback()
    assert _row(bank, version).state == RuleState.IN_REVIEW and _row(bank, 1).state == RuleState.LIVE
    routing_people.switch_skill(bank.session, "cards", is_active=True)
    _publish(bank, version, second)
    routing_people.switch_skill(bank.session, "cards", is_active=False)
    bank.clock.go_on(microseconds=1)
    back = trials.roll_back_rule(bank.session, RULE, second, bank.clock.now, reason="wrong desk")
    bank.clock.go_on(seconds=1)
    again = trials.roll_back_rule(bank.session, RULE, second, bank.clock.now, to_version=version)
    assert "skill" not in back.definition and again.definition["skill"] == "cards", "going back stops harm"
