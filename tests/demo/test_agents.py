"""The synthetic agents: what they do at the console, against its real pages and a browser's troubles."""

import shutil
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from flask.testing import FlaskClient

import callcenter
from callcenter.assets import compile_translations
from callcenter.demo.__main__ import read_settings
from callcenter.demo.agent_words import CHINESE, NOTES
from callcenter.demo.agents import LONGEST_TALK_S, Act, Agent
from callcenter.demo.console_client import PRESENCE, ConsolePage, SignInRefused, read_console, read_html
from callcenter.demo.desk import LOGIN, Desk, Member, open_desk
from callcenter.sample.people import DEMO_AGENTS, DEMO_PASSWORD, DEMO_USERS
from tests.web.preview import create_preview

from .consoles import PASSWORD, FakeConsole, open_page, served_console

pytestmark = pytest.mark.slow

DISPOSITIONS = (
    "done_on_call", "will_finish", "callback", "not_interested", "wrong_person", "no_answer", "machine",
    "do_not_call",
)  # fmt: skip
IDLE = ConsolePage(presence="available", not_ready_reasons=("break", "training"))
CALL = replace(
    IDLE,
    call_task="t1",
    dispositions=DISPOSITIONS,
    causes=("technical", "usability", "price"),
    callback_times=("2026-01-14T10:00:00+00:00",),
)
PREVIEW = replace(CALL, phase="previewing", may_dial=True, skip_reasons=("language", "other"))
TALK = replace(CALL, phase="talking", end_path="/end", node="opening", branches=("yes", "no"))
WRAP = replace(CALL, phase="wrapping", may_save=True, result="No answer")


def agent(seed: int = 1, **changes: object) -> Agent:
    return replace(Agent(Random(seed)), **changes)  # type: ignore[arg-type]


def acts(who: Agent, page: ConsolePage, began: float, seconds: float) -> list[tuple[float, Act]]:
    """What the agent does while the console shows one and the same page, looking every second."""
    found = []
    for second in range(int(seconds)):
        act = who.act(page, began + second)
        if act is not None:
            found.append((float(second), act))
    return found


def saved(who: Agent, page: ConsolePage, began: float = 1000.0) -> dict[str, list[str]]:
    """The first wrap-up form sent."""
    _, act = acts(who, page, began, 30)[0]
    assert act.path == "/console/call-tasks/t1/wrap-up"
    form: dict[str, list[str]] = {}
    for name, value in act.fields:
        form.setdefault(name, []).append(value)
    return form


def after_talking(who: Agent, seconds: float, wrap: ConsolePage = WRAP) -> dict[str, list[str]]:
    who.act(TALK, 0.0)
    who.act(replace(TALK, branches=()), seconds)
    return saved(who, replace(wrap, result="Answered"), 1000.0)


@pytest.mark.parametrize("seed", range(20))
def test_an_agent_dials_after_reading_for_two_to_six_seconds(seed: int) -> None:
    waited, act = acts(agent(seed), PREVIEW, 50.0, 10)[0]
    assert act == Act("dialed", "/console/call-tasks/t1/dial")
    assert 2 <= waited <= 7


def test_a_call_task_that_will_not_be_dialed_is_given_back() -> None:
    names = [act.name for _, act in acts(agent(), PREVIEW, 0.0, 40)]
    assert names[:4] == ["dialed", "dialed", "dialed", "skipped"]
    barred = acts(agent(), replace(PREVIEW, may_dial=False), 0.0, 10)
    assert barred[0][1] == Act("skipped", "/console/call-tasks/t1/skip", [("reason", "other")])


def test_a_few_digits_of_the_script_are_pressed_and_the_call_is_ended_at_last() -> None:
    for seed in range(20):
        done = [act for _, act in acts(agent(seed), TALK, 0.0, LONGEST_TALK_S + 2)]
        steps = [act for act in done if act.name == "script_steps"]
        assert 1 <= len(steps) <= 5
        assert all(dict(act.fields)["branch"] in TALK.branches for act in steps)
        assert any(act == Act("ended", "/end") for act in done)


def test_an_offer_is_granted_to_some_who_listen_and_what_is_said_then_agrees_with_it() -> None:
    right = replace(
        TALK, node="right_person", branches=("1-reason",), grants=("/console/call-tasks/t1/offers/coupon",)
    )
    granted = 0
    for seed in range(40):
        who = agent(seed)
        made = [act for _, act in acts(who, right, 0.0, 200) if act.name == "granted"]
        assert len(made) <= 1 and all(act.path == right.grants[0] for act in made)
        (said,) = saved(who, replace(WRAP, result="Machine"))["disposition"]
        assert not made or said in ("will_finish", "done_on_call", "not_interested"), "somebody was reached"
        granted += len(made)
    assert 5 <= granted <= 25


def test_the_wrap_up_is_saved_five_to_twenty_seconds_after_the_call() -> None:
    waits = [acts(agent(seed), WRAP, 0.0, 30)[0][0] for seed in range(40)]
    assert min(waits) >= 5
    assert max(waits) <= 21
    assert not acts(agent(), replace(WRAP, may_save=False), 0.0, 30)


@pytest.mark.parametrize(
    ("result", "said"), [("No answer", "no_answer"), ("Busy", "no_answer"), ("Machine", "machine")]
)
def test_what_is_said_of_a_call_nobody_answered_is_what_the_telephone_said(result: str, said: str) -> None:
    for seed in range(20):
        form = saved(agent(seed), replace(WRAP, result=result))
        assert form["disposition"] == [said]
        assert "callback_at" not in form


def test_after_a_talk_most_will_finish_and_few_never_want_to_be_called() -> None:
    said = Counter(after_talking(agent(seed), 60.0)["disposition"][0] for seed in range(400))
    assert set(said) <= set(DISPOSITIONS) - {"no_answer", "machine"}
    assert said["will_finish"] == max(said.values())
    assert said["do_not_call"] + said["wrong_person"] < 40


def test_a_customer_seen_to_get_past_the_step_is_done_on_the_call() -> None:
    wrap = replace(WRAP, recovered=True)
    said = Counter(after_talking(agent(seed), 60.0, wrap)["disposition"][0] for seed in range(100))
    assert said["done_on_call"] > 70


@pytest.mark.parametrize(
    ("node", "branch", "said"),
    [
        ("right_person", "2-close", {"wrong_person"}),
        ("cost", "3-do_not_call", {"do_not_call"}),
        ("which_field", "5-callback", {"callback", "will_finish"}),
        ("phone_field", "1-it_works", {"done_on_call", "will_finish"}),
    ],
)
def test_what_is_said_of_a_talk_agrees_with_the_answer_given_last(
    node: str, branch: str, said: set[str]
) -> None:
    page = replace(TALK, node=node, branches=(branch,))
    for seed in range(20):
        who = agent(seed)
        assert any(act.name == "script_steps" for _, act in acts(who, page, 0.0, 20))
        form = saved(who, replace(WRAP, result="Answered"))
        assert form["disposition"][0] in said


def test_who_was_asked_and_is_the_right_person_is_not_said_to_be_another() -> None:
    for seed in range(100):
        who = agent(seed)
        acts(who, replace(TALK, node="right_person", branches=("1-which_field",)), 0.0, 20)
        assert saved(who, replace(WRAP, result="Answered"))["disposition"] != ["wrong_person"]


def test_a_callback_is_set_to_a_time_that_was_offered_and_to_none_if_there_is_none() -> None:
    forms = [after_talking(agent(seed), 60.0) for seed in range(100)]
    times = [form.get("callback_at") for form in forms if form["disposition"] == ["callback"]]
    assert times
    assert all(at == list(CALL.callback_times) for at in times)
    without = replace(WRAP, callback_times=())
    assert all(after_talking(agent(seed), 60.0, without)["disposition"] != ["callback"] for seed in range(60))


def test_causes_found_by_the_product_are_kept() -> None:
    wrap = replace(WRAP, causes_prefilled=("technical",))
    assert all(after_talking(agent(seed), 60.0, wrap)["causes"] == ["technical"] for seed in range(20))


def test_notes_are_in_the_agents_language() -> None:
    forms = [after_talking(agent(seed, language=CHINESE), 60.0) for seed in range(60)]
    notes = {form["note"][0] for form in forms} - {""}
    assert notes <= {note for texts in NOTES.values() for note in texts[CHINESE]}
    assert notes


def test_a_form_refused_once_is_sent_again_without_a_callback() -> None:
    for seed in range(40):
        who = agent(seed)
        who.act(TALK, 0.0)
        who.act(replace(TALK, branches=()), 60.0)
        forms = [act for _, act in acts(who, replace(WRAP, result="Answered"), 100.0, 60)]
        assert len(forms) > 1
        assert all(dict(act.fields)["disposition"] != "callback" for act in forms[1:])


def test_an_agent_signed_off_or_who_missed_an_offer_becomes_available() -> None:
    for presence, reason in (("signed_off", ""), ("not_ready", "missed_offer")):
        page = replace(IDLE, presence=presence, reason=reason)
        waited, act = acts(agent(), page, 0.0, 20)[0]
        assert act == Act("became_available", PRESENCE, [("presence", "available")])
        assert 1 <= waited <= 13


def test_a_break_is_taken_between_calls_and_ends() -> None:
    who = agent(wants_break=True)
    begun = who.act(IDLE, 0.0)
    assert begun == Act("breaks", PRESENCE, [("presence", "not_ready"), ("reason", "break")])
    waited, act = acts(who, replace(IDLE, presence="not_ready", reason="break"), 0.0, 200)[0]
    assert act.name == "became_available"
    assert 60 <= waited <= 151
    assert who.act(IDLE, 400.0) is None


def test_an_idle_available_agent_does_nothing() -> None:
    assert not acts(agent(), IDLE, 0.0, 300)


# -- the pages as they are -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    translations = tmp_path_factory.mktemp("translations")
    package = Path(callcenter.__file__).parent
    shutil.copytree(package / "translations", translations, dirs_exist_ok=True)
    compile_translations(translations)
    with create_preview(translations).test_client() as client:
        yield client


def shown(preview: FlaskClient, state: str, language: str = "en") -> ConsolePage:
    html = preview.get("/", query_string={"page": f"console-{state}", "lang": language}).text
    seen = read_html(html)
    assert seen.is_console
    return read_console(seen)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_consoles_real_pages_tell_an_agent_all_they_need(preview: FlaskClient, language: str) -> None:
    previewing = shown(preview, "previewing", language)
    assert (previewing.phase, previewing.presence, previewing.may_dial) == ("previewing", "available", True)
    assert previewing.csrf_token == "sample-token"
    assert "other" in previewing.skip_reasons
    assert not previewing.may_save
    talking = shown(preview, "talking", language)
    assert talking.end_path.endswith("/end")
    assert talking.node
    assert talking.branches
    assert [path.rpartition("/")[2] for path in talking.grants] == ["rate-30"], "and no other may be granted"
    assert previewing.grants == ()
    wrapping = shown(preview, "wrapping", language)
    assert wrapping.may_save
    assert wrapping.call_task
    assert set(wrapping.causes_prefilled) < set(wrapping.causes)
    assert wrapping.dispositions
    assert wrapping.callback_times
    assert not shown(preview, "barred", language).may_dial


def test_presence_and_what_became_of_the_customer_are_read(preview: FlaskClient) -> None:
    assert shown(preview, "signed-off").presence == "signed_off"
    on_break = shown(preview, "not-ready")
    assert on_break.presence == "not_ready"
    assert on_break.reason in on_break.not_ready_reasons
    assert shown(preview, "gone").recovered
    assert not shown(preview, "previewing").recovered
    assert shown(preview, "no-answer").result == "No answer"


def test_the_sign_in_form_is_not_taken_for_a_console(preview: FlaskClient) -> None:
    seen = read_html(preview.get("/", query_string={"page": "sign-in-demo", "lang": "en"}).text)
    assert not seen.is_console
    assert seen.csrf_token == "sample-token"


# -- a browser's troubles ------------------------------------------------------------------------------------


def work(desk: Desk, began: float, seconds: float) -> None:
    """Let the desk work through this many seconds at once."""
    now = began
    while now < began + seconds:
        now = max(now + 0.05, desk.advance(now))


def desk_at(url: str, password: str = PASSWORD) -> Desk:
    return open_desk(url, 1, password, seed=3, now=0.0)


def test_an_agent_works_a_call_from_sign_in_to_wrap_up() -> None:
    console = FakeConsole()
    with served_console(console) as url:
        desk = desk_at(url)
        work(desk, 0.0, 60.0)
    assert console.acts[:2] == ["available", "dial"]
    assert "wrap-up" in console.acts
    assert console.dispositions == ["no_answer"]
    assert desk.signed_in == 1


@pytest.mark.parametrize("status", [409, 400, 503, 502, 429])
def test_an_act_refused_or_not_answered_is_done_a_little_later(status: int) -> None:
    console = FakeConsole(refusals=deque([("dial", status), ("wrap-up", status)]))
    with served_console(console) as url:
        desk = desk_at(url)
        work(desk, 0.0, 90.0)
    assert console.dispositions == ["no_answer"]
    assert not console.refusals


@pytest.mark.parametrize("expires_at", ["available", "dial", "wrap-up", "look"])
def test_an_agent_whose_session_expired_signs_in_again_and_goes_on(expires_at: str) -> None:
    console = FakeConsole(refusals=deque([(expires_at, 401)]))
    with served_console(console) as url:
        desk = desk_at(url)
        work(desk, 0.0, 90.0)
    assert console.sign_ins == 2
    assert console.dispositions == ["no_answer"]
    assert desk.counts["signed_out"] == 1


def test_a_product_that_is_away_is_asked_ever_less_often_and_hurts_nobody() -> None:
    desk = desk_at("http://127.0.0.1:9")
    work(desk, 0.0, 120.0)
    assert 5 <= desk.counts["away"] <= 14
    assert desk.signed_in == 0


def test_a_wrong_password_is_tried_seldom() -> None:
    console = FakeConsole()
    with served_console(console) as url:
        desk = desk_at(url, password="another-password")
        work(desk, 0.0, 100.0)
    assert console.acts == []
    assert desk.counts["sign_ins_refused"] == 4


def test_several_agents_share_one_thread_and_stop_when_asked() -> None:
    console = FakeConsole()
    with served_console(console) as url:
        desk = open_desk(url, 2, PASSWORD, seed=3, now=0.0)
        desk.start()
        console.saw_sign_in.wait(5.0)
        desk.stop()
    assert console.sign_ins >= 1


def test_one_agents_trouble_does_not_hold_up_the_others() -> None:
    class Broken:
        def sign_in(self) -> ConsolePage:
            raise SignInRefused

        def look(self) -> ConsolePage:
            raise SignInRefused

        def post(self, path: str, fields: object) -> ConsolePage:
            raise SignInRefused

    console = FakeConsole()
    with served_console(console) as url:
        good = desk_at(url).members[0]
        desk = Desk([Member("broken", agent(), Broken()), good], 0.0)
        work(desk, 0.0, 60.0)
    assert console.dispositions == ["no_answer"]


def test_a_page_that_is_no_console_has_nothing_in_it() -> None:
    for html in ("", "<p>hello", "\x00<form><input name=csrf_token", open_page("idle")[:40]):
        assert not read_html(html).is_console


# -- the sample's team ---------------------------------------------------------------------------------------


def test_the_team_of_the_sample_is_the_team_that_signs_in() -> None:
    assert [login for login, _ in DEMO_AGENTS] == [LOGIN.format(number) for number in range(1, 6)]
    settings = read_settings({})
    assert (settings.agents, settings.agent_password) == (len(DEMO_AGENTS), DEMO_PASSWORD)
    assert not {login for login, _ in DEMO_AGENTS} & {login for login, _, _ in DEMO_USERS}


def test_the_team_can_be_switched_off_and_not_be_larger_than_it_is() -> None:
    assert read_settings({"DEMO_AGENTS": "0"}).agents == 0
    open_desk("http://127.0.0.1:9", 0, "", seed=1, now=0.0).start()
    for wrong in ("-1", "6", "many"):
        with pytest.raises(ValueError, match=r"DEMO_AGENTS|invalid literal"):
            read_settings({"DEMO_AGENTS": wrong})
