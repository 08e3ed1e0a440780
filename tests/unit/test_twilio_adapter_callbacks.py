"""Twilio's callbacks and our answers: signed or not, read without fear of the new, nothing personal kept."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.jwt.access_token import AccessToken

from callcenter.domain.enums import AnsweredBy, AttemptState
from callcenter.domain.ports import (
    CallbackNews,
    CallbackRequest,
    Capability,
    CarrierEvent,
    JoinRoom,
    MachineHeard,
    RecordingEvent,
    RecordingState,
    RoomChange,
    RoomEvent,
    RoomRole,
    SayAndHangUp,
    SayAndWait,
)
from callcenter.errors import ConfigError
from tests.contract.fake_twilio import ACCOUNT_SID, AUTH_TOKEN, PUBLIC, FakeTwilio, carrier_on

CARRIER = carrier_on(FakeTwilio())
AGENT = UUID(int=9)
STAMP = ("Timestamp", "Sun, 25 Mar 2018 09:53:19 +0000")
THEN = datetime(2018, 3, 25, 9, 53, 19, tzinfo=UTC)
PERSONAL = [
    (side + part, "+12025550123" if not part else "Somewhere")
    for side in ("To", "From", "Caller", "Called")
    for part in ("", "City", "State", "Zip", "Country")
] + [("CallerName", "Ann Example"), ("ForwardedFrom", "+12025550199"), ("NewAddress", "client:agent_7")]


def request_with(form: list[tuple[str, str]], headers: dict[str, str] | None = None) -> CallbackRequest:
    """A callback as the web hands it over."""
    return CallbackRequest("/carrier/twilio/x", form, headers or {})


def news(*form: tuple[str, str]) -> CallbackNews:
    """The one thing this callback tells."""
    [one] = CARRIER.parse(request_with(list(form)))
    return one


def signature(url: str, form: list[tuple[str, str]], secret: str, algorithm: str) -> str:
    """Twilio's rule: the address, then every name and value by name, then by value, repeated ones once."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), algorithm).digest()).decode()


def test_the_published_example_of_a_signature_is_reproduced() -> None:
    form = [("CallSid", "CA1234567890ABCDE"), ("Caller", "+14158675309"), ("Digits", "1234")]
    form += [("From", "+14158675309"), ("To", "+18005551212")]
    carrier = carrier_on(FakeTwilio(), auth_token="12345", public_base_url="https://mycompany.com")
    headers = {"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    assert carrier.verify(CallbackRequest("/myapp.php?foo=1&bar=2", form, headers))
    assert not carrier.verify(CallbackRequest("/myapp.php?foo=1&bar=3", form, headers))


@pytest.mark.parametrize("shared", [None, "the-shared-key"])
def test_the_stronger_signature_is_known_by_its_header(shared: str | None) -> None:
    carrier = carrier_on(FakeTwilio(), shared_key_secret=shared)
    form = [("A", "1"), ("A", "2"), ("名", "陈"), ("Empty", "")]
    url = PUBLIC + "/carrier/twilio/x"
    signed = signature(url, form, shared or AUTH_TOKEN, "sha256")
    settings = {"x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}
    assert carrier.verify(request_with(form, {"X-Twilio-Signature": signed, **settings}))
    assert not carrier.verify(request_with(form, {"X-Twilio-Signature": signed}))
    usual = signature(url, form, AUTH_TOKEN, "sha1")
    assert carrier.verify(request_with(form, {"X-Twilio-Signature": usual}))
    assert not carrier.verify(request_with(form, {"X-Twilio-Signature": usual, **settings}))
    strange = {"X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=NONE"}
    assert not carrier.verify(request_with(form, {"X-Twilio-Signature": usual, **strange}))


@settings(deadline=None)
@given(
    target=st.text(),
    form=st.lists(st.tuples(st.text(), st.text()), max_size=4),
    signed=st.text(),
    settings=st.text(),
)
def test_a_request_of_any_shape_is_refused_without_a_fault(
    target: str, form: list[tuple[str, str]], signed: str, settings: str
) -> None:
    headers = {"X-Twilio-Signature": signed, "X-Twilio-Webhooks-Signature-Settings": settings}
    assert CARRIER.verify(CallbackRequest(target, form, headers)) is False
    assert CARRIER.verify(CallbackRequest("\udcff", [("\udcff", "x")], headers)) is False
    assert CARRIER.verify(CallbackRequest(":99999999/", form, headers)) is False
    CARRIER.parse(CallbackRequest(target, form, {}))


def test_a_carrier_without_a_token_believes_nobody() -> None:
    carrier = carrier_on(FakeTwilio(), auth_token="x")
    object.__setattr__(carrier._account, "auth_token", "")
    signed = signature(PUBLIC + "/carrier/twilio/x", [], "", "sha1")
    assert not carrier.verify(request_with([], {"X-Twilio-Signature": signed}))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("human", AnsweredBy.HUMAN),
        ("machine_start", AnsweredBy.MACHINE),
        ("machine_end_beep", AnsweredBy.MACHINE),
        ("machine_end_silence", AnsweredBy.MACHINE),
        ("machine_end_other", AnsweredBy.MACHINE),
        ("fax", AnsweredBy.FAX),
        ("unknown", AnsweredBy.UNKNOWN),
        ("something new", AnsweredBy.UNKNOWN),
    ],
)
def test_what_detection_heard(said: str, meant: AnsweredBy) -> None:
    heard = news(("CallSid", "CA1"), ("AnsweredBy", said), ("MachineDetectionDuration", "3120"))
    assert isinstance(heard, MachineHeard)
    assert (heard.ref, heard.answered_by, heard.after_ms) == ("CA1", meant, 3120)
    event = news(("CallSid", "CA1"), ("CallStatus", "in-progress"), ("AnsweredBy", said))
    assert isinstance(event, CarrierEvent) and event.answered_by is meant


def test_a_status_tells_when_and_how_long_and_nothing_of_who() -> None:
    status = [
        ("CallSid", "CA1"),
        ("CallStatus", "completed"),
        STAMP,
        ("CallDuration", "49"),
        ("Duration", "1"),
    ]
    event = news(*status, *PERSONAL)
    assert isinstance(event, CarrierEvent)
    assert (event.occurred_at, event.talk_seconds, event.answered_by) == (THEN, 49, None)
    assert event.raw == dict(status)


def test_a_recorded_call_s_last_status_is_a_status_though_it_names_the_recording() -> None:
    event = news(
        ("CallSid", "CA1"), ("CallStatus", "completed"), ("RecordingSid", "RE1"), ("RecordingDuration", "48")
    )
    assert isinstance(event, CarrierEvent) and event.state is AttemptState.ENDED


ROOM = [("ConferenceSid", "CF1"), ("FriendlyName", "agent-1"), ("SequenceNumber", "4"), STAMP]


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ("conference-start", RoomChange.STARTED),
        ("conference-end", RoomChange.ENDED),
        ("participant-join", RoomChange.JOINED),
        ("participant-leave", RoomChange.LEFT),
        ("participant-mute", RoomChange.CHANGED),
        ("participant-unmute", RoomChange.CHANGED),
        ("participant-hold", RoomChange.CHANGED),
        ("participant-unhold", RoomChange.CHANGED),
        ("participant-modify", RoomChange.CHANGED),
    ],
)
def test_what_happened_in_a_room(event: str, change: RoomChange) -> None:
    flags = [("Muted", "true"), ("Hold", "false"), ("Coaching", "true"), ("CallSid", "CA1")]
    told = news(
        *ROOM, *flags, ("StatusCallbackEvent", event), ("ReasonParticipantLeft", "because"), *PERSONAL
    )
    assert isinstance(told, RoomEvent)
    assert (told.room, told.room_ref, told.change, told.ref) == ("agent-1", "CF1", change, "CA1")
    assert (told.muted, told.held, told.coaching, told.sequence) == (True, False, True, 4)
    assert (told.reason, told.occurred_at) == ("because", THEN)
    assert not {name for name, _ in PERSONAL} & set(told.raw)


def test_what_a_room_does_not_say_is_not_known() -> None:
    told = news(*ROOM[:2], ("StatusCallbackEvent", "conference-end"), ("ReasonConferenceEnded", "last-left"))
    assert isinstance(told, RoomEvent)
    assert (told.ref, told.muted, told.held, told.coaching, told.sequence) == (None,) * 5
    assert (told.occurred_at, told.reason) == (None, "last-left")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("in-progress", RecordingState.RUNNING),
        ("completed", RecordingState.READY),
        ("absent", RecordingState.ABSENT),
        ("failed", RecordingState.ABSENT),
    ],
)
def test_where_a_recording_is(status: str, state: RecordingState) -> None:
    told = news(
        ("RecordingSid", "RE1"),
        ("RecordingStatus", status),
        ("CallSid", "CA1"),
        ("RecordingDuration", "61"),
    )
    assert isinstance(told, RecordingEvent)
    assert (told.ref, told.state, told.call_ref, told.room_ref, told.seconds) == (
        "RE1",
        state,
        "CA1",
        None,
        61,
    )


@pytest.mark.parametrize(
    "form",
    [
        [],
        [("CallSid", "CA1")],
        [("CallSid", "CA1"), ("CallStatus", "dreaming")],
        [("CallStatus", "completed")],
        [
            ("ConferenceSid", "CF1"),
            ("FriendlyName", "x"),
            ("StatusCallbackEvent", "participant-speech-start"),
        ],
        [("ConferenceSid", "CF1"), ("StatusCallbackEvent", "conference-end")],
        [("RecordingSid", "RE1"), ("RecordingStatus", "dubbed")],
    ],
)
def test_what_we_do_not_know_is_no_news_and_no_fault(form: list[tuple[str, str]]) -> None:
    assert CARRIER.parse(request_with(form)) == ()


def test_the_same_event_has_one_key_and_others_have_others() -> None:
    told = [
        [("CallSid", "CA1"), ("CallStatus", "ringing"), ("SequenceNumber", "1")],
        [("CallSid", "CA1"), ("CallStatus", "completed"), ("SequenceNumber", "1")],
        [("CallSid", "CA1"), ("CallStatus", "completed"), ("SequenceNumber", "2")],
        [("CallSid", "CA2"), ("CallStatus", "ringing"), ("SequenceNumber", "1")],
        [("CallSid", "CA1"), ("AnsweredBy", "human")],
        [("CallSid", "CA1"), ("AnsweredBy", "machine_start")],
        [*ROOM, ("StatusCallbackEvent", "participant-mute"), ("CallSid", "CA1")],
        [*ROOM, ("StatusCallbackEvent", "participant-mute"), ("CallSid", "CA2")],
        [*ROOM, ("StatusCallbackEvent", "participant-unmute"), ("CallSid", "CA1")],
        [
            ("ConferenceSid", "CF2"),
            *ROOM[1:],
            ("StatusCallbackEvent", "participant-mute"),
            ("CallSid", "CA1"),
        ],
        [*ROOM[:2], ("SequenceNumber", "5"), ("StatusCallbackEvent", "participant-mute"), ("CallSid", "CA1")],
        [("RecordingSid", "RE1"), ("RecordingStatus", "in-progress")],
        [("RecordingSid", "RE1"), ("RecordingStatus", "completed")],
        [("RecordingSid", "RE2"), ("RecordingStatus", "completed")],
    ]
    keys = [news(*form).key for form in told]
    assert len(set(keys)) == len(told)
    again = [news(("Fresh", "1"), *reversed(form), ("Later", "2")).key for form in told]
    assert again == keys
    assert all(len(key) == len(hashlib.sha256().hexdigest()) for key in keys)


def _conference(decision: JoinRoom) -> ElementTree.Element:
    [dial] = ElementTree.fromstring(CARRIER.answer(decision))
    [conference] = dial
    assert not dial.attrib and conference.text == decision.room
    return conference


@pytest.mark.parametrize("role", RoomRole)
def test_a_room_outlives_every_leg_is_never_recorded_and_every_leg_names_its_callbacks(
    role: RoomRole,
) -> None:
    attributes = _conference(JoinRoom("agent-9", AGENT, role)).attrib
    is_heard = "false" if role is RoomRole.SUPERVISOR else "true"
    base, again = f"{PUBLIC}/carrier/twilio/room/{AGENT}", "#rc=3&rp=ct,rt,5xx"
    assert attributes == {
        "beep": "false",
        "endConferenceOnExit": "false",
        "muted": "true" if is_heard == "false" else "false",
        "startConferenceOnEnter": is_heard,
        "statusCallback": f"{base}/events{again}",
        "statusCallbackEvent": "start end join leave mute hold modify",
        "statusCallbackMethod": "POST",
        "waitUrl": "",
    }, "and no label: a leg whose label is taken is kept out of the room"


@pytest.mark.parametrize(
    ("ours", "twilios"),
    [("en", "en-US"), ("zh", "zh-CN"), ("en-GB", "en-GB"), ("pt_BR", "pt-BR"), ("de", "de")],
)
def test_a_language_is_named_as_twilio_names_it(ours: str, twilios: str) -> None:
    [said, _] = ElementTree.fromstring(CARRIER.answer(SayAndHangUp("a < b & c", ours)))
    assert (said.get("language"), said.text) == (twilios, "a < b & c")


def test_who_waits_hears_it_again_and_is_never_sent_elsewhere() -> None:
    document = list(ElementTree.fromstring(CARRIER.answer(SayAndWait("Please hold.", "en"))))
    assert {element.tag for element in document} == {"Say", "Pause"}
    assert [element.tag for element in document[:3]] == ["Say", "Pause", "Say"]
    assert sum(int(element.get("length", "0")) for element in document) >= 600


NOW = datetime.now(UTC).replace(microsecond=0)
KEY = {"api_key_sid": "SK" + "5" * 32, "api_key_secret": "a-secret-of-at-least-thirty-two-bytes"}


def test_a_softphone_s_token_is_signed_by_its_own_key_and_ends() -> None:
    carrier = carrier_on(FakeTwilio(), **KEY, app_sid="AP" + "6" * 32)
    given_ = carrier.softphone_credentials(AGENT, timedelta(hours=1), NOW)
    assert (given_.identity, given_.expires_at) == (f"agent_{AGENT.hex}", NOW + timedelta(hours=1))
    token = AccessToken.from_jwt(given_.token, KEY["api_key_secret"])
    assert (token.headers["cty"], token.headers["alg"]) == ("twilio-fpa;v=1", "HS256")
    assert (token.payload["iss"], token.payload["sub"]) == (KEY["api_key_sid"], ACCOUNT_SID)
    assert token.payload["exp"] - token.payload["nbf"] == 3600
    assert token.payload["grants"] == {
        "identity": given_.identity,
        "voice": {"incoming": {"allow": True}, "outgoing": {"application_sid": "AP" + "6" * 32}},
    }


def test_a_token_never_outlives_a_day_and_calls_nobody_without_an_application() -> None:
    given_ = carrier_on(FakeTwilio(), **KEY).softphone_credentials(AGENT, timedelta(days=3), NOW)
    assert given_.expires_at == NOW + timedelta(days=1)
    token = AccessToken.from_jwt(given_.token, KEY["api_key_secret"])
    assert token.payload["grants"]["voice"] == {"incoming": {"allow": True}}


def test_without_a_key_there_is_no_softphone_and_it_says_so() -> None:
    assert Capability.SOFTPHONE not in CARRIER.capabilities()
    assert carrier_on(FakeTwilio(), **KEY).capabilities() == frozenset(Capability)
    with pytest.raises(ConfigError, match="TWILIO_API_KEY_SID"):
        CARRIER.softphone_credentials(AGENT, timedelta(hours=1), NOW)
