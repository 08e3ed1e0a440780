"""What speaks against a tag, and what does not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from callcenter.domain.quality import Contradiction, TagFacts
from callcenter.outcomes.contradictions import (
    asks_not_to_be_called,
    contradictions_of,
    speaks_of_complaint,
)

NOON = datetime(2026, 11, 18, 4, tzinfo=UTC)
TAG = TagFacts(
    attempt_id=UUID(int=1),
    agent_id=UUID(int=2),
    tagged_at=NOON,
    reached=True,
    converted=False,
    do_not_call=False,
    talk_seconds=90,
    heard_human=False,
    heard_machine=False,
    conversion_seen=False,
    watched_until=NOON + timedelta(days=7),
    note="",
)


def _of(hours: float = 0, **changes: object) -> tuple[Contradiction, ...]:
    return contradictions_of(replace(TAG, **changes), NOON + timedelta(hours=hours))  # type: ignore[arg-type]


def test_a_talk_tagged_as_reached_has_nothing_against_it() -> None:
    assert _of(48) == ()


def test_a_conversion_nobody_saw_speaks_against_its_tag_after_a_day_or_the_end_of_the_watch() -> None:
    assert _of(23.9, converted=True) == ()
    assert _of(24, converted=True) == (Contradiction.CONVERTED_NOT_SEEN,)
    assert _of(2, converted=True, watched_until=NOON + timedelta(hours=1)) == (
        Contradiction.CONVERTED_NOT_SEEN,
    )
    assert _of(48, converted=True, conversion_seen=True) == ()
    assert _of(48, converted=True, conversion_seen=None, watched_until=None) == (), "nobody watches by events"


@pytest.mark.parametrize(("seconds", "speaks"), [(0, True), (3, True), (4, True), (5, False), (60, False)])
def test_nobody_is_reached_in_less_than_a_greeting(seconds: int, speaks: bool) -> None:
    assert (Contradiction.REACHED_TOO_SHORT in _of(talk_seconds=seconds)) is speaks


def test_a_talk_tagged_as_no_answer_is_contradicted_unless_a_machine_was_heard() -> None:
    found = (Contradiction.TALKED_NOT_REACHED,)
    assert _of(reached=False, talk_seconds=20) == found
    assert _of(reached=False, talk_seconds=19) == ()
    assert _of(reached=False, talk_seconds=6, heard_human=True) == found
    assert _of(reached=False, talk_seconds=60, heard_machine=True) == ()
    assert _of(reached=False, talk_seconds=0) == ()


def test_what_the_note_says_of_no_more_calls_goes_before_all_else() -> None:
    found = _of(reached=False, talk_seconds=40, note="客户说不要再打电话了")
    assert found == (Contradiction.DO_NOT_CALL_IN_NOTE, Contradiction.TALKED_NOT_REACHED)
    assert _of(note="Do not call again!", do_not_call=True) == ()


@pytest.mark.parametrize(
    "note",
    [
        "Please don't call again",
        "do not ever call",
        "STOP CALLING me",
        "wants no more calls",
        "take me off your list",
        "remove him from the call list",
        "never call this number",
        "请勿来电",
        "说别再打了",
        "以后不要给我打电话",
        "勿扰",
    ],
)
def test_a_wish_not_to_be_called_is_heard_in_both_languages(note: str) -> None:
    assert asks_not_to_be_called(note)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "Don't call before 6 pm",
        "do not call on Sundays",
        "call again tomorrow",
        "明天再打",
        "打电话给她丈夫",
        "called back",
    ],
)
def test_other_words_about_calls_are_no_such_wish(note: str) -> None:
    assert not asks_not_to_be_called(note)


def test_a_complaint_is_heard() -> None:
    assert speaks_of_complaint("She will complain to the branch") and speaks_of_complaint("客户要投诉")
    assert not speaks_of_complaint("compliant with the offer")
