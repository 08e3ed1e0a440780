"""What a raw event means: its time put right, its place looked up, nothing that crashes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.intake.policy import FUTURE_TOLERANCE, MAX_ID, MAX_MESSAGE_ID, REALTIME_LATENESS
from callcenter.intake.profiles import read_number, read_profile
from callcenter.intake.rules import read_batch

NOW = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
NAMES = ["type", "event", "name", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp"]
NAMES += ["sentAt", "properties", "context", "traits", "previousId", "integrations"]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3)
)
raw_events = st.fixed_dictionaries(
    {}, optional={name: values | st.sampled_from(["track", "page", "u1", NOW.isoformat()]) for name in NAMES}
)


def one(**raw: Any) -> Any:
    """Read one event that must be accepted."""
    batch = read_batch([{"type": "track", "event": "e", "userId": "u", **raw}], {}, NOW)
    assert batch.rejections == ()
    return batch.events[0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(raw_events | values, max_size=4),
    st.fixed_dictionaries({}, optional={"context": values, "sentAt": values}),
)
def test_whatever_comes_in_is_taken_or_refused_and_nothing_crashes(
    items: list[Any], inherited: dict[str, Any]
) -> None:
    batch = read_batch(items, inherited, NOW)
    assert len(batch.events) + len(batch.rejections) == len(items)
    assert sorted(rejection.index for rejection in batch.rejections) == [
        rejection.index for rejection in batch.rejections
    ]
    for event in batch.events:
        assert event.user_id or event.anonymous_id
        assert event.event_time.tzinfo is not None and event.event_time <= NOW + FUTURE_TOLERANCE
        assert event.historical is (NOW - event.event_time > REALTIME_LATENESS)
        assert 0 < len(event.message_id) <= MAX_MESSAGE_ID and len(event.user_id or "") <= MAX_ID
        orjson.dumps(dict(event.properties))


@settings(max_examples=50, deadline=None)
@given(
    skew=st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)),
    ago=st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=20)),
)
def test_the_time_is_right_however_wrong_the_senders_clock_is(skew: timedelta, ago: timedelta) -> None:
    event = one(timestamp=(NOW - ago + skew).isoformat(), sentAt=(NOW + skew).isoformat())
    assert abs(event.event_time - (NOW - ago)) <= timedelta(seconds=2)


@pytest.mark.parametrize(
    ("raw", "time"),
    [
        ({"timestamp": "2026-11-18T03:59:00Z"}, NOW - timedelta(minutes=1)),
        ({"timestamp": "2026-11-18T11:59:00+08:00"}, NOW - timedelta(minutes=1)),
        ({"timestamp": "2026-11-18T03:59:00"}, NOW - timedelta(minutes=1)),
        ({"timestamp": (NOW - timedelta(minutes=1)).timestamp()}, NOW - timedelta(minutes=1)),
        ({"timestamp": (NOW - timedelta(minutes=1)).timestamp() * 1000}, NOW - timedelta(minutes=1)),
        (
            {"timestamp": "2026-11-18T01:00:00Z", "originalTimestamp": "2026-11-18T03:59:00Z"},
            NOW - timedelta(minutes=1),
        ),
        ({}, NOW),
        ({"timestamp": ""}, NOW),
    ],
)
def test_times_are_read_in_every_usual_form(raw: dict[str, Any], time: datetime) -> None:
    assert one(**raw).event_time == time


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ({"type": "track", "event": "paid", "properties": {"step": "s"}}, "paid"),
        ({"type": "page", "name": "n", "properties": {"step": "s", "path": "/p"}}, "s"),
        ({"type": "page", "name": "n", "properties": {"path": "/p"}}, "/p"),
        ({"type": "screen", "name": "n", "context": {"page": {"path": "/c"}}}, "/c"),
        ({"type": "page", "name": "n", "context": {"page": "x"}}, "n"),
        ({"type": "page"}, "page"),
    ],
)
def test_the_key_of_a_page_is_its_step_else_its_path_else_its_name(raw: dict[str, Any], key: str) -> None:
    assert one(**raw).step_key == key


def test_an_events_own_context_beats_the_batchs() -> None:
    raw = [
        {"type": "page", "userId": "u", "context": {"page": {"path": "own"}}},
        {"type": "page", "userId": "v"},
    ]
    batch = read_batch(raw, {"context": {"page": {"path": "batch"}}}, NOW)
    assert [event.step_key for event in batch.events] == ["own", "batch"]


def test_numbers_as_ids_are_read_as_text() -> None:
    assert (one(userId=42).user_id, one(anonymousId=7).anonymous_id) == ("42", "7")


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("+86 138 0013 8000", "+8613800138000"),
        (" +8613800138000", "+8613800138000"),
        ("8613800138000", None),
        ("+86 1380013800", None),
        ("+999123456789", None),
        ("+", None),
        ("", None),
        (None, None),
        (8613800138000, None),
    ],
)
def test_a_number_is_one_in_international_form_or_none(raw: Any, number: str | None) -> None:
    assert read_number(raw) == number


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["phone", "time_zone", "timezone", "name", "tags", "language", "city", "gender", "x"]
        ),
        values,
    )
)
def test_a_profile_of_anything_is_read(traits: dict[str, Any]) -> None:
    profile = read_profile(traits)
    assert profile.language in (None, "en", "zh")
    assert profile.number is None or profile.number.startswith("+")
    assert {code for code, _ in profile.problems} <= {"invalid_phone", "unknown_time_zone"}
