"""Why did it fire, why not: the story of a rule and a customer, told from the rows, in both languages."""

from typing import Any

from callcenter import acts
from callcenter.commands.sample import read_sample
from callcenter.domain.enums import Role
from callcenter.domain.ids import derived_id
from callcenter.models import User
from callcenter.reporting.trace_in_words import trace_words
from callcenter.traces import story_of
from tests.factories import Bank, user_in_arm

QUIET = "face-scan-quiet"
TROUBLE = "id-photo-trouble"
HIGH = "high-limit-withdraw"


def _told(bank: Bank, rule: str, user: str, language: str = "en") -> tuple[str, list[str]]:
    """The headline, and every line with the way it speaks."""
    story = story_of(bank.session, rule, user, bank.clock.now)
    words = trace_words(story.journey, language, bank.clock.now)
    return words.headline(story.trace), [f"{one.way}: {one.text}" for one in words.lines(story.trace)]


def _knows(bank: Bank, user: str, **traits: Any) -> None:
    bank.knows(user, **traits)


def test_a_quiet_customer_has_so_much_silence_to_go(bank: Bank) -> None:
    _knows(bank, "u1")
    bank.sends("u1", "face_scan")
    bank.clock.go_on(seconds=40)
    headline, lines = _told(bank, QUIET, "u1")
    assert headline == "It has not fired yet. Still 1 min 20 s to go, until 04:02:00."
    assert lines[:3] == [
        "for: Version 1 of the rule is live since 04:00:00.",
        "for: On Face scan since 04:00:00 (visit 1).",
        "for: Counts from the last activity, 04:00:00.",
    ]
    assert _told(bank, QUIET, "u1", "zh")[0] == "尚未触发。还差 1 分钟 20 秒，至 04:02:00。"


def test_whoever_was_never_on_the_step_is_said_to_be_elsewhere(bank: Bank) -> None:
    _knows(bank, "u1")
    assert _told(bank, QUIET, "u1")[0] == "It did not fire. The customer has not been on Face scan."
    bank.sends("u1", "sign_in")
    assert _told(bank, QUIET, "u1")[0].endswith("has not been on Face scan; they are on Sign in.")


def test_a_missing_event_is_named_with_how_often_it_was_seen(bank: Bank) -> None:
    _knows(bank, "u1")
    bank.sends("u1", "id_photo_front")
    assert "Photo rejected, Upload failed was seen 0 times of 2." in _told(bank, TROUBLE, "u1")[0]
    bank.sends("u1", "photo_rejected", reason="glare")
    assert "was seen 1 times of 2." in _told(bank, TROUBLE, "u1")[0]


def test_whoever_went_on_in_time_is_said_to_have_left(bank: Bank) -> None:
    _knows(bank, "u1")
    bank.sends("u1", "face_scan")
    bank.clock.go_on(seconds=30)
    bank.sends("u1", "profile")
    headline, _ = _told(bank, QUIET, "u1")
    assert headline == ("It did not fire. On Face scan from 04:00:00 to 04:00:30 (visit 1): they went on.")


def test_an_event_that_called_it_off_is_named(bank: Bank) -> None:
    _knows(bank, "u1")
    bank.sends("u1", "sign_in")
    bank.sends("u1", "password_wrong")
    bank.sends("u1", "password_wrong")
    bank.clock.go_on(seconds=20)
    bank.sends("u1", "sign_in")
    bank.clock.go_on(minutes=1)
    headline, _ = _told(bank, "sign-in-trouble", "u1")
    assert headline == "It did not fire. sign in at 04:00:20 called it off."


def test_each_condition_is_told_with_the_value_it_had(bank: Bank) -> None:
    _knows(bank, "u1", credit_limit=20000)
    bank.sends("u1", "withdraw", credit_limit=30000)
    bank.clock.go_on(minutes=1)
    bank.ticks()
    headline, lines = _told(bank, HIGH, "u1")
    false = "“the customer's credit limit is at least 50,000” does not hold: it is 20,000."
    assert headline == f"It did not fire. {false}"
    assert [line for line in lines if line.startswith("against")] == [
        "against: Any of these: does not hold",
        f"against: {false}",
        "against: “the credit limit shown is at least 50,000” does not hold: it is 30,000.",
        "against: It was looked at when the time had run out, and did not fire then: its conditions did not "
        "hold, or the rule began to watch later.",
    ]
    _knows(bank, "u2")
    bank.sends("u2", "withdraw", credit_limit=80000)
    assert any(
        "credit limit is at least 50,000” does not hold: it is not known." in one
        for one in _told(bank, HIGH, "u2")[1]
    )
    chinese = _told(bank, HIGH, "u1", "zh")[0]
    assert chinese == "未触发。“客户额度不低于 50,000”不满足：实际为 20,000。"


def test_a_firing_is_told_to_its_end(bank: Bank) -> None:
    user = user_in_arm(QUIET, held_out=False)
    _knows(bank, user)
    bank.sends(user, "face_scan")
    bank.clock.go_on(minutes=2, seconds=6)
    bank.ticks()
    headline, lines = _told(bank, QUIET, user)
    assert headline == "It fired. The call task is waiting since 04:02:06."
    assert "for: It fired at 04:02:06 by version 1, 6 s after the deadline." in lines
    assert "for: The gate allowed the call before a call task was opened, 04:02:06." in lines
    bank.clock.go_on(seconds=10)
    bank.sends(user, "profile")
    assert _told(bank, QUIET, user)[0].endswith("The call task was canceled at 04:02:16: they went on.")


def test_held_out_and_barred_are_told_with_their_reason(bank: Bank) -> None:
    held = user_in_arm(QUIET, held_out=True)
    _knows(bank, held)
    bank.sends(held, "face_scan")
    bank.sends("nobody", "face_scan")  # without a number
    bank.clock.go_on(minutes=4)
    bank.ticks()
    assert _told(bank, QUIET, held)[0] == (
        "It fired. The customer is held out: 20 % are not called, to measure the effect."
    )
    assert "The gate barred the call before a call task was opened" in _told(bank, QUIET, "nobody")[0]


def test_a_shadowed_firing_names_the_rule_that_went_first(bank: Bank) -> None:
    _knows(bank, "u1")
    bank.sends("u1", "id_photo_front")
    bank.clock.go_on(minutes=4)
    refused = {
        "type": "track",
        "event": "photo_rejected",
        "userId": "u1",
        "timestamp": bank.clock.now.isoformat(),
        "properties": {"application_id": "a1"},
    }
    bank.takes({**refused, "messageId": "r1"}, {**refused, "messageId": "r2"})
    headline, _ = _told(bank, "id-photo-dwell", "u1")
    assert (
        headline == f"It fired. It was suppressed: rule {TROUBLE} of higher priority fired in the same look."
    )


def test_a_paused_rule_and_a_pinned_visit_are_told_as_such(bank: Bank) -> None:
    _knows(bank, "u1")
    bank.sends("u1", "face_scan")
    people = []
    for login in ("one", "two"):
        user = User(
            id=derived_id("user", login),
            login=login,
            name=login,
            role=Role.STRATEGIST,
            password_hash="-",
            created_at=bank.clock.now,
        )
        bank.session.add(user)
        people.append(user.id)
    bank.session.flush()
    bank.clock.go_on(seconds=10)
    now = bank.clock.now
    acts.draft_rule(bank.session, QUIET, 1, people[0], now)
    acts.submit_rule(bank.session, QUIET, 2, people[0], now, note="as it is")
    acts.publish_rule(bank.session, QUIET, 2, people[1], now, migrate=False)
    assert _told(bank, QUIET, "u1")[1][0] == (
        "for: Version 2 of the rule is live since 04:00:10. This visit falls under version 1."
    )
    acts.switch_rule(bank.session, QUIET, people[0], bank.clock.go_on(seconds=10), live=False)
    assert _told(bank, QUIET, "u1")[0] == (
        "It did not fire. Version 2 of the rule is paused since 04:00:20: it fires nothing."
        " This visit falls under version 1."
    )


def test_no_telephone_number_is_told(bank: Bank) -> None:
    user = user_in_arm(QUIET, held_out=False)
    number = bank.knows(user).number or ""
    bank.sends(user, "face_scan")
    bank.clock.go_on(minutes=3)
    bank.ticks()
    headline, lines = _told(bank, QUIET, user)
    assert number and number[3:] not in headline + " ".join(lines)


def test_every_rule_of_the_sample_can_be_told_for_anybody(bank: Bank) -> None:
    _knows(bank, "u1")
    for step in ("register", "sign_in", "id_photo_front", "face_scan", "profile", "bind_card", "withdraw"):
        bank.sends("u1", step)
        bank.clock.go_on(minutes=6)
        bank.ticks()
    for language in ("en", "zh"):
        for rule in read_sample("rules.yaml"):
            headline, lines = _told(bank, rule["rule"], "u1", language)
            assert headline and lines and "{" not in headline + "".join(lines)
