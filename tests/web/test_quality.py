"""Quality on the floor and the console: a call is proposed, heard, reviewed, disputed; tags are checked."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import reviewing
from callcenter.domain.enums import Role
from callcenter.domain.ports import RecordingState
from callcenter.domain.quality import Mark
from callcenter.models import AuditEntry, Disposition, Review, Scorecard, Suppression
from callcenter.quality.policy import STARTING_CARD
from callcenter.runtime import Runtime
from tests.factories import Bank
from tests.service.test_reviews_and_checks import call, card, supervisor
from tests.web.conftest import SignIn
from tests.web.scenes import enter, words

WELL = {f"mark-{one.id}": "met" for one in STARTING_CARD.questions}


def reviewed(client: FlaskClient, attempt: UUID, scorecard: Scorecard, **form: str) -> int:
    """Send the form of a review; return the answer's status."""
    sent = {"scorecard": str(scorecard.id), "because": "random", "comment": "Well done", **WELL, **form}
    return client.post(f"/floor/quality/attempts/{attempt}", data=sent).status_code


def test_without_a_scorecard_the_page_leads_to_one_and_its_form_is_filled(
    bank: Bank, sign_in: SignIn
) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    assert "No scorecard is in use." in client.get("/floor/quality").text
    html = client.get("/floor/quality/scorecards/new").text
    assert html.count('name="text_en-') == len(STARTING_CARD.questions) + 3
    form = dict(
        re.findall(
            r'name="((?:id|section_\w\w|text_\w\w|weight|title_\w\w|key|pass_mark|is_new)[^"]*)" value="([^"]*)"',
            html,
        )
    )
    more = client.post("/floor/quality/scorecards", data={**form, "more": "1", "text_en-11": "Thanked them"})
    assert more.text.count('name="text_en-') == len(STARTING_CARD.questions) + 4
    form |= {"text_en-11": "Thanked them", "weight-11": "2", "critical-3": "1"}
    wrong = client.post("/floor/quality/scorecards", data={**form, "weight-11": "many"})
    assert wrong.status_code == 400 and 'value="Thanked them"' in wrong.text and 'role="alert"' in wrong.text
    assert client.post("/floor/quality/scorecards", data=form).status_code == 302
    row = bank.session.exec(select(Scorecard)).one()
    assert len(row.questions) == len(STARTING_CARD.questions) + 1
    assert [one["is_critical"] for one in row.questions].count(True) == 1, (
        "what is not ticked is not critical"
    )
    listed = words(client.get("/floor/quality/scorecards").text)
    assert "11, 1 critical" in listed and "in use" in listed
    html = client.get(f"/floor/quality/scorecards/new?like={row.id}").text
    form = dict(
        re.findall(
            r'name="((?:id|section_\w\w|text_\w\w|weight|title_\w\w|key|pass_mark|is_new)[^"]*)" value="([^"]*)"',
            html,
        )
    )
    client.post("/floor/quality/scorecards", data=form)
    bank.session.expire_all()
    versions = bank.session.exec(select(Scorecard).order_by(Scorecard.version)).all()  # type: ignore[arg-type]
    assert [(one.version, one.ended_at is None) for one in versions] == [(1, False), (2, True)]
    assert [one["id"] for one in versions[0].questions] == [one["id"] for one in versions[1].questions]
    client.post(f"/floor/quality/scorecards/{versions[1].id}/end")
    assert "No scorecard is in use." in client.get("/floor/quality").text


def test_a_call_is_proposed_with_why_and_reviewed(bank: Bank, sign_in: SignIn) -> None:
    attempt, scorecard = call(bank, "will_finish", "Will finish at home"), card(bank)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    html = client.get("/floor/quality").text
    told = words(html)
    assert "Drawn by chance. Talked 1 min 0 s, tagged: Will finish now." in told
    assert "Lin Yue has 0 of 3 reviews this week, the fewest; chosen from 1 of their calls." in told
    assert f"/floor/quality/attempts/{attempt}?because=random" in html
    skipped = client.get(f"/floor/quality?skip={attempt}").text
    assert "You have passed over every call that could be proposed." in skipped
    chosen = client.get(f"/floor/quality?agent={bank.agent_id}").text
    assert f"/floor/quality/attempts/{attempt}?because=chosen" in chosen
    assert "No talk of theirs" in client.get(f"/floor/quality?agent={bank.another_agent()}").text
    html = client.get(f"/floor/quality/attempts/{attempt}?because=random").text
    told = words(html)
    assert "Will finish at home" in told and "talked 1 min 0 s" in told and "We called" in told
    assert "+86138" not in html, "the number is masked"
    assert "This call was not recorded" in told and "The agent marked no step" in told
    assert reviewed(client, attempt, scorecard, **{"mark-help": "partly_met"}) == 302
    row = bank.session.exec(select(Review)).one()
    assert (row.score, row.because, row.comment) == (93, "random", "Well done")
    told = words(client.get(f"/floor/quality/attempts/{attempt}").text)
    assert "Review 1: 93 points" in told and "This call is reviewed." in told
    assert "1 of 3" in words(client.get("/floor/quality").text)


def test_a_form_that_lacks_marks_comes_back_as_it_was_typed(bank: Bank, sign_in: SignIn) -> None:
    attempt, scorecard = call(bank, "will_finish"), card(bank)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    sent = {"scorecard": str(scorecard.id), "comment": "Half done", "remark-help": "so far"}
    answer = client.post(f"/floor/quality/attempts/{attempt}", data=sent)
    assert answer.status_code == 400 and "Mark at least one question." in answer.text
    assert "Half done" in answer.text and 'value="so far"' in answer.text
    bad = client.post(f"/floor/quality/attempts/{attempt}", data={**sent, "mark-help": "superb"})
    assert bad.status_code == 400 and bank.session.exec(select(Review)).all() == []


def test_the_agent_reads_a_review_and_disputes_it_and_another_settles_it(
    bank: Bank, sign_in: SignIn, desk: FlaskClient
) -> None:
    attempt, scorecard = call(bank, "will_finish"), card(bank)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    reviewed(client, attempt, scorecard, **{"mark-greeting": "not_met", "remark-greeting": "No name given"})
    row = bank.session.exec(select(Review)).one()
    told = words(desk.get("/console").text)
    assert (
        "Reviews of your calls" in told
        and "No name given" in told
        and "93 points" in told.replace("92", "93")
    )
    assert desk.post(f"/console/reviews/{row.id}/dispute", data={"why": " "}).status_code == 400
    assert desk.post(f"/console/reviews/{row.id}/dispute", data={"why": "I said it"}).status_code == 200
    assert "You said: I said it" in words(desk.get("/console").text)
    assert f"/console/reviews/{row.id}/dispute" not in desk.get("/console").text
    told = words(client.get("/floor/quality").text)
    assert "Disputed I said it" in told
    assert "Another supervisor settles it" in client.get(f"/floor/quality/attempts/{attempt}").text
    assert reviewed(client, attempt, scorecard) == 409
    admin = sign_in(Role.ADMIN)
    assert reviewed(admin, attempt, scorecard) == 302
    second = bank.session.exec(select(Review).where(Review.seq == 2)).one()
    assert desk.post(f"/console/reviews/{second.id}/acknowledge").status_code == 200
    assert "No agent disputes a review." in client.get("/floor/quality").text


def test_a_colleagues_review_is_not_the_agents_to_answer(
    bank: Bank, sign_in: SignIn, desk: FlaskClient
) -> None:
    attempt, scorecard = call(bank, "will_finish"), card(bank)
    reviewed(enter(bank, sign_in, Role.SUPERVISOR), attempt, scorecard)
    row = bank.session.exec(select(Review)).one()
    other = bank.another_agent()
    row.agent_id = other
    bank.session.commit()
    assert desk.post(f"/console/reviews/{row.id}/acknowledge").status_code == 403
    assert "Reviews of your calls" not in desk.get("/console").text


def test_a_recording_is_heard_through_our_server_and_that_is_written_down(
    bank: Bank, sign_in: SignIn, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = call(bank, "will_finish")
    client = enter(bank, sign_in, Role.SUPERVISOR)
    path = f"/floor/quality/attempts/{attempt}/recording"
    assert client.get(path).status_code == 404
    row = bank.attempts()[0]
    row.recording_ref, row.recording_state, row.recording_seconds = "RE" + "1" * 32, RecordingState.READY, 60
    bank.session.commit()
    assert f'src="{path}"' in client.get(f"/floor/quality/attempts/{attempt}").text
    sounds: dict[str, bytes | None] = {"RE" + "1" * 32: b"RIFF1234WAVE" + bytes(100)}
    monkeypatch.setattr(type(runtime.carrier), "recording", lambda self, ref: sounds[ref])
    whole = client.get(path)
    assert (whole.status_code, whole.mimetype, len(whole.data)) == (200, "audio/wav", 112)
    part = client.get(path, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, b"RIFF")
    sounds["RE" + "1" * 32] = None
    assert client.get(path).status_code == 503
    heard = [one for one in bank.session.exec(select(AuditEntry)) if one.act == "recording.heard"]
    assert len(heard) == 3 and {one.subject for one in heard} == {str(attempt)}


def test_the_report_tells_scores_by_agent_and_question(bank: Bank, sign_in: SignIn) -> None:
    attempt, scorecard = call(bank, "will_finish"), card(bank)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    assert "No call was reviewed in this period." in client.get("/floor/quality/report").text
    reviewed(client, attempt, scorecard, **{"mark-recording-notice": "not_met"})
    told = words(client.get("/floor/quality/report?days=7").text)
    assert "Lin Yue 1 0 0 of 1 1 of 1" in told
    assert "Said that the call is recorded critical Opening 0.0 % of 1 call 0 0 1" in told
    file = client.get("/floor/quality/report.csv?days=7")
    assert file.mimetype == "text/csv" and "Lin Yue,1,0.0,0,1" in file.text


def test_a_tag_is_corrected_with_a_reason_and_the_customer_barred(bank: Bank, sign_in: SignIn) -> None:
    attempt = call(bank, "no_answer", "请勿来电", talk=45)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    html = client.get("/floor/quality/tags").text
    told = words(html)
    assert "The note says no more calls, but the tag does not." in told
    assert "Tagged as nobody reached, but somebody was on the line." in told
    assert "Lin Yue 1 100.0 % 1 of 1 none checked" in told
    path = f"/floor/quality/tags/{attempt}"
    empty = client.post(path, data={"found": "do_not_call", "seen": "no_answer", "reason": ""})
    assert empty.status_code == 400 and "Say why the tag stands" in empty.text
    late = client.post(path, data={"found": "do_not_call", "seen": "machine", "reason": "x"})
    assert late.status_code == 409 and 'value="x"' in late.text
    sent = {"found": "do_not_call", "seen": "no_answer", "reason": "The note says so"}
    assert client.post(path, data=sent).status_code == 302
    bank.session.expire_all()
    assert bank.session.get_one(Disposition, attempt).counts_as == "do_not_call"
    assert bank.session.exec(select(Suppression)).one().source == "supervisor"
    told = words(client.get("/floor/quality/tags").text)
    assert "Nothing speaks against a tag." in told and "0.0 % 0 of 1" in told and "The note says so" in told
    told = words(client.get(f"/floor/quality/attempts/{attempt}").text)
    assert "Do not call corrected; the agent said: No answer or busy" in told


def test_every_page_of_quality_is_chinese_to_a_chinese_reader(bank: Bank, sign_in: SignIn) -> None:
    attempt, scorecard = call(bank, "no_answer", talk=45), card(bank)
    client = enter(bank, sign_in, Role.SUPERVISOR, language="zh")
    reviewed(client, attempt, scorecard)
    for path, text in {
        "/floor/quality": "通话质量如何？",
        f"/floor/quality/attempts/{attempt}": "第 1 次质检：100 分",
        "/floor/quality/tags": "结果为未接通，但有人通话。",
        "/floor/quality/report": "告知通话正在录音",
        "/floor/quality/scorecards": "通话质量",
        "/floor/quality/scorecards/new": "启用",
        "/floor/targets": "目标完成得如何？",
        "/floor/lists": "要按名单呼叫哪些客户？",
    }.items():
        assert text in client.get(path).text, path


def test_the_number_of_the_week_is_set_and_refused_out_of_bounds(bank: Bank, sign_in: SignIn) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    assert client.post("/floor/quality/plan", data={"a_week": "5"}).status_code == 302
    assert 'value="5"' in client.get("/floor/quality").text
    wrong = client.post("/floor/quality/plan", data={"a_week": "many"})
    assert wrong.status_code == 400 and "from 1 to 50" in wrong.text


def test_a_review_of_two_weeks_ago_can_no_longer_be_disputed_on_the_console(
    bank: Bank, desk: FlaskClient
) -> None:
    boss, scorecard, attempt = supervisor(bank), card(bank), call(bank, "will_finish")
    marks = {one.id: Mark.MET for one in STARTING_CARD.questions}
    found = reviewing.Findings(scorecard_id=scorecard.id, marks=marks)
    row = reviewing.review_call(bank.session, attempt, found, boss, bank.clock.now)
    bank.session.commit()
    assert f"/console/reviews/{row.id}/dispute" in desk.get("/console").text
    bank.clock.go_on(days=15)
    html = desk.get("/console").text
    assert (
        f"/console/reviews/{row.id}/dispute" not in html and f"/console/reviews/{row.id}/acknowledge" in html
    )
    assert bank.clock.now - row.at > timedelta(days=14)
