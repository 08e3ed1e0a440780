"""The carrier's callbacks: signed or refused, taken in once, in any order, and never lost with the database."""

from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlmodel import Session, select
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from callcenter import pipeline, talk
from callcenter.domain.enums import AttemptState, CallResult, SupervisorMode, WorkState
from callcenter.domain.ports import Placed, RefusalClass, Rejected
from callcenter.models import Agent, AgentLeg, CarrierInbox, ContactAttempt, Incident
from callcenter.moves import room_of
from callcenter.runtime import Runtime
from tests.factories import Bank
from tests.web.conftest import AUTH_TOKEN, PUBLIC, app_on, settings_for

RULE = "id-photo-trouble"
HANG_UP = '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup /></Response>'


@dataclass
class Caller:
    """Signs and sends what the carrier would."""

    client: FlaskClient
    token: str = AUTH_TOKEN
    public: str = PUBLIC
    sent: list[dict[str, str]] = field(default_factory=list)

    def posts(self, target: str, **form: str) -> TestResponse:
        """Send one signed request to a raw target."""
        signature = RequestValidator(self.token).compute_signature(self.public + target, form)
        self.sent.append(form)
        return self.client.post(target, data=form, headers={"X-Twilio-Signature": signature})

    def status(self, attempt: UUID, status: str, ref: str = "CA1", **more: str) -> TestResponse:
        """Report on an attempt's call."""
        return self.posts(f"/carrier/twilio/attempt/{attempt}/status", CallSid=ref, CallStatus=status, **more)

    def answered(self, attempt: UUID, ref: str = "CA1") -> TestResponse:
        """Ask what the customer who has picked up shall hear."""
        return self.posts(f"/carrier/twilio/attempt/{attempt}/answer", CallSid=ref, CallStatus="in-progress")


@pytest.fixture
def caller(client: FlaskClient) -> Caller:
    """The carrier."""
    return Caller(client)


@pytest.fixture
def attempt(bank: Bank) -> UUID:
    """An attempt whose request is on its way to the carrier."""
    return bank.is_placing(RULE)


def _row(session: Session, attempt: UUID) -> ContactAttempt:
    session.expire_all()
    return session.get_one(ContactAttempt, attempt)


def _kinds(session: Session) -> list[str]:
    return [incident.kind for incident in session.exec(select(Incident))]


def _placed(bank: Bank, attempt: UUID, ref: str = "CA1") -> None:
    pipeline.note_placement(bank.session, attempt, Placed(ref), bank.clock.now)
    bank.session.commit()


def test_a_call_is_followed_from_ringing_to_its_end(caller: Caller, bank: Bank, attempt: UUID) -> None:
    _placed(bank, attempt)
    for status in ("initiated", "ringing"):
        assert (caller.status(attempt, status)).status_code == 204
    assert _row(bank.session, attempt).state == AttemptState.RINGING
    answer = caller.answered(attempt)
    assert (answer.status_code, answer.content_type) == (200, "text/xml; charset=utf-8")
    room = room_of(bank.agent_id)
    assert f">{room}</Conference>" in answer.text and 'endConferenceOnExit="false"' in answer.text
    assert bank.session.get_one(Agent, bank.agent_id, populate_existing=True).work_state == WorkState.TALKING
    bank.clock.go_on(seconds=42)
    assert caller.status(attempt, "completed", CallDuration="40").status_code == 204
    row = _row(bank.session, attempt)
    assert (row.result, row.talk_seconds) == (CallResult.COMPLETED, 40)
    assert bank.session.get_one(Agent, bank.agent_id).work_state == WorkState.WRAPPING


@pytest.mark.parametrize("place", ["status", "answer"])
@pytest.mark.parametrize("kind", ["attempt", "agent"])
def test_what_the_carrier_did_not_sign_is_refused_and_changes_nothing(
    client: FlaskClient, bank: Bank, attempt: UUID, kind: str, place: str
) -> None:
    subject = attempt if kind == "attempt" else bank.agent_id
    target = f"/carrier/twilio/{kind}/{subject}/{place}"
    form = {"CallSid": "CA1", "CallStatus": "ringing"}
    right = RequestValidator(AUTH_TOKEN).compute_signature(PUBLIC + target, form)
    wrong = (
        RequestValidator("another token").compute_signature(PUBLIC + target, form),
        RequestValidator(AUTH_TOKEN).compute_signature("http://localhost" + target, form),
        RequestValidator(AUTH_TOKEN).compute_signature(PUBLIC + target + "?x=1", form),
        RequestValidator(AUTH_TOKEN).compute_signature(PUBLIC + target, {**form, "CallStatus": "busy"}),
        right[:-1],
        "",
        "é",
    )
    for signature in wrong:
        answer = client.post(target, data=form, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 403, signature
        assert answer.json == {"code": "forbidden", "message": "The signature does not match."}
    assert client.post(target, data=form).status_code == 403
    assert _row(bank.session, attempt).state == AttemptState.PLACING
    assert bank.session.exec(select(CarrierInbox)).all() == []
    assert bank.session.get(AgentLeg, bank.agent_id) is None


def test_the_signature_covers_the_raw_target_with_its_query(
    caller: Caller, bank: Bank, attempt: UUID
) -> None:
    target = f"/carrier/twilio/attempt/{attempt}/status?fallback=1&name=%E9%99%88%20x"
    assert caller.posts(target, CallSid="CA1", CallStatus="ringing").status_code == 204
    assert _row(bank.session, attempt).state == AttemptState.RINGING


def test_a_repeated_callback_changes_nothing(caller: Caller, bank: Bank, attempt: UUID) -> None:
    _placed(bank, attempt)
    caller.status(attempt, "ringing", SequenceNumber="1")
    first = _row(bank.session, attempt).ringing_at
    bank.clock.go_on(seconds=9)
    for _ in range(3):
        assert caller.status(attempt, "ringing", SequenceNumber="1").status_code == 204
    row = _row(bank.session, attempt)
    assert (row.state, row.ringing_at) == (AttemptState.RINGING, first)
    assert len(bank.session.exec(select(CarrierInbox)).all()) == 1


def test_a_repeated_callback_is_no_news(caller: Caller, bank: Bank, attempt: UUID) -> None:
    caller.status(attempt, "ringing", SequenceNumber="1")
    first = _row(bank.session, attempt).last_news_at
    bank.clock.go_on(seconds=9)
    caller.status(attempt, "ringing", SequenceNumber="1")
    assert _row(bank.session, attempt).last_news_at == first


def test_late_news_of_a_call_that_has_ended_changes_nothing(
    caller: Caller, bank: Bank, attempt: UUID
) -> None:
    _placed(bank, attempt)
    caller.status(attempt, "no-answer")
    for status in ("ringing", "initiated", "in-progress", "completed"):
        assert caller.status(attempt, status).status_code == 204
    row = _row(bank.session, attempt)
    assert (row.state, row.result, row.answered_at) == (AttemptState.ENDED, CallResult.NO_ANSWER, None)


def test_parameters_we_do_not_know_are_fine_and_numbers_are_not_kept(
    caller: Caller, bank: Bank, attempt: UUID
) -> None:
    number = _row(bank.session, attempt).to_number
    answer = caller.status(attempt, "ringing", To=number, ToCity="Wuxi", NewThing="数", StirStatus="A")
    assert answer.status_code == 204
    (kept,) = bank.session.exec(select(CarrierInbox)).all()
    assert kept.raw["NewThing"] == "数" and number not in str(kept.raw) and "Wuxi" not in str(kept.raw)


@pytest.mark.parametrize("status", ["", "on-fire", "RINGING"])
def test_a_status_we_do_not_know_is_taken_and_changes_nothing(
    caller: Caller, bank: Bank, attempt: UUID, status: str
) -> None:
    assert caller.status(attempt, status).status_code == 204
    assert caller.posts(f"/carrier/twilio/attempt/{attempt}/status", CallStatus="ringing").status_code == 204
    assert _row(bank.session, attempt).state == AttemptState.PLACING


def test_a_duration_that_is_no_number_is_left_out(caller: Caller, bank: Bank, attempt: UUID) -> None:
    assert caller.status(attempt, "completed", CallDuration="²").status_code == 204
    assert _row(bank.session, attempt).result == CallResult.ABANDONED


def test_news_of_an_attempt_nobody_knows_is_not_found(caller: Caller, bank: Bank) -> None:
    assert caller.status(uuid4(), "ringing").status_code == 404
    assert bank.session.exec(select(CarrierInbox)).all() == []
    assert caller.posts("/carrier/twilio/attempt/no-id/status", CallSid="CA1").status_code == 404


def test_a_callback_that_beats_the_answer_to_our_request_binds_the_call(
    caller: Caller, bank: Bank, attempt: UUID
) -> None:
    caller.status(attempt, "ringing", ref="CA7")
    assert _row(bank.session, attempt).carrier_ref == "CA7"
    _placed(bank, attempt, "CA7")
    row = _row(bank.session, attempt)
    assert (row.state, row.carrier_ref, _kinds(bank.session)) == (AttemptState.RINGING, "CA7", [])


def test_whoever_answers_a_call_that_has_ended_or_is_canceled_hears_nothing(
    caller: Caller, bank: Bank, attempt: UUID
) -> None:
    _placed(bank, attempt)
    pipeline.end_call(bank.session, attempt, bank.agent_id, bank.clock.now)
    bank.session.commit()
    assert caller.answered(attempt).text == HANG_UP
    assert _row(bank.session, attempt).bridged_at is None
    caller.status(attempt, "canceled")
    assert caller.answered(attempt).text == HANG_UP
    assert _kinds(bank.session) == []


def test_an_unknown_attempt_and_a_call_without_a_name_are_hung_up(
    caller: Caller, bank: Bank, attempt: UUID
) -> None:
    assert caller.answered(uuid4()).text == HANG_UP
    nameless = caller.posts(f"/carrier/twilio/attempt/{attempt}/answer", CallStatus="in-progress")
    assert nameless.text == HANG_UP
    row = _row(bank.session, attempt)
    assert (row.carrier_ref, row.state) == (None, AttemptState.PLACING)


def test_a_second_call_for_one_attempt_is_hung_up_and_an_incident(
    caller: Caller, bank: Bank, attempt: UUID
) -> None:
    _placed(bank, attempt)
    assert caller.answered(attempt, ref="CA2").text == HANG_UP
    row = _row(bank.session, attempt)
    assert (row.carrier_ref, row.state) == ("CA1", AttemptState.PLACED)
    assert _kinds(bank.session) == ["second_call_for_attempt"]


def test_an_answer_to_a_call_never_placed_is_hung_up_and_an_incident(
    caller: Caller, bank: Bank, attempt: UUID, runtime: Runtime
) -> None:
    refused = Rejected(RefusalClass.CALLER_ID, "21210")
    pipeline.note_placement(bank.session, attempt, refused, bank.clock.now)
    bank.session.commit()
    assert caller.answered(attempt).text == HANG_UP
    assert _kinds(bank.session) == ["news_of_a_call_never_placed"]


def test_an_agent_who_picks_up_is_put_into_their_room_and_a_stranger_is_not(
    caller: Caller, bank: Bank
) -> None:
    target = f"/carrier/twilio/agent/{bank.agent_id}/answer"
    assert f">{room_of(bank.agent_id)}</Conference>" in caller.posts(target, CallSid="CA9").text
    assert caller.posts(f"/carrier/twilio/agent/{uuid4()}/answer", CallSid="CA9").text == HANG_UP


def test_the_agents_own_call_is_followed(caller: Caller, bank: Bank) -> None:
    talk.begin_connecting(bank.session, bank.agent_id, bank.clock.now)
    bank.session.commit()
    target = f"/carrier/twilio/agent/{bank.agent_id}/status"
    assert caller.posts(target, CallSid="CA9", CallStatus="in-progress").status_code == 204
    bank.session.expire_all()
    leg = bank.session.get_one(AgentLeg, bank.agent_id)
    assert (leg.carrier_ref, leg.state) == ("CA9", AttemptState.ANSWERED)


def test_news_of_an_agent_nobody_knows_is_not_found(caller: Caller, bank: Bank) -> None:
    target = f"/carrier/twilio/agent/{uuid4()}/status"
    assert caller.posts(target, CallSid="CA9", CallStatus="ringing").status_code == 404


def test_without_the_database_the_carrier_is_asked_to_come_again(
    runtime: Runtime, bank: Bank, attempt: UUID, tmp_path: Path
) -> None:
    away = settings_for(tmp_path, "postgresql://nobody:nothing@127.0.0.1:1/none", runtime.redis_url)
    caller = Caller(app_on(Runtime(away, bank.clock)).test_client())
    for answer in (caller.status(attempt, "ringing"), caller.answered(attempt)):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert _row(bank.session, attempt).state == AttemptState.PLACING


def _talking(caller: Caller, bank: Bank, attempt: UUID) -> None:
    bank.agent_line_is_up()
    _placed(bank, attempt)
    assert caller.answered(attempt).status_code == 200


def _room(caller: Caller, bank: Bank, event: str, number: int, ref: str = "CA1", **more: str) -> TestResponse:
    """Report on the agent's room."""
    told = {
        "ConferenceSid": "CF1",
        "FriendlyName": room_of(bank.agent_id),
        "StatusCallbackEvent": event,
        "SequenceNumber": str(number),
        "CallSid": ref,
        **more,
    }
    return caller.posts(f"/carrier/twilio/room/{bank.agent_id}/events", **told)


def test_what_the_carrier_says_of_a_room_is_kept_once_and_shown(
    caller: Caller, bank: Bank, attempt: UUID
) -> None:
    _talking(caller, bank, attempt)
    for _ in range(2):
        assert _room(caller, bank, "participant-hold", 4, Hold="true", Muted="false").status_code == 204
    assert _row(bank.session, attempt).is_held
    kept = [one.what for one in bank.session.exec(select(CarrierInbox)) if one.subject_id == bank.agent_id]
    assert kept == ["room_changed"]
    assert _room(caller, bank, "participant-leave", 5, "CA-agent").status_code == 204
    assert _row(bank.session, attempt).agent_lost_at == bank.clock.now


def test_a_machine_heard_and_a_recording_are_kept_with_the_attempt(
    caller: Caller, bank: Bank, attempt: UUID
) -> None:
    _talking(caller, bank, attempt)
    heard = {"CallSid": "CA1", "AnsweredBy": "machine_start", "MachineDetectionDuration": "3200"}
    assert caller.posts(f"/carrier/twilio/attempt/{attempt}/amd", **heard).status_code == 204
    told = {
        "CallSid": "CA1",
        "RecordingSid": "RE" + "1" * 32,
        "RecordingStatus": "completed",
        "RecordingDuration": "31",
    }
    assert caller.posts(f"/carrier/twilio/attempt/{attempt}/recording", **told).status_code == 204
    row = _row(bank.session, attempt)
    assert (row.answered_by, row.recording_ref, row.recording_seconds) == ("machine", "RE" + "1" * 32, 31)


def test_somebody_on_hold_hears_a_sentence_in_their_language(caller: Caller) -> None:
    answer = caller.posts("/carrier/twilio/hold/zh", CallSid="CA1")
    assert "请您稍候" in answer.text and "zh-CN" in answer.text


def test_a_supervisor_who_picks_up_enters_muted(caller: Caller, bank: Bank, attempt: UUID) -> None:
    _talking(caller, bank, attempt)
    watch = talk.begin_watch(
        bank.session, bank.agent_id, bank.agent_id, SupervisorMode.MONITOR, bank.clock.now
    )
    bank.session.commit()
    path = f"/carrier/twilio/watch/{watch}"
    assert 'muted="true"' in caller.posts(f"{path}/answer", CallSid="CA-boss").text
    assert caller.posts(f"{path}/status", CallSid="CA-boss", CallStatus="completed").status_code == 204
    assert "<Hangup" in caller.posts(f"{path}/answer", CallSid="CA-boss").text
