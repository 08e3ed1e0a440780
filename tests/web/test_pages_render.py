"""Every screen renders in every state, in both languages, without anything a browser would refuse."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask.testing import FlaskClient
from jinja2 import StrictUndefined

import callcenter
from callcenter.assets import ICONS, compile_translations
from tests.web.preview import create_preview
from tests.web.sample_pages import SCREENS, sample, states

PACKAGE = Path(callcenter.__file__).parent
TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    translations = tmp_path_factory.mktemp("translations")
    shutil.copytree(PACKAGE / "translations", translations, dirs_exist_ok=True)
    compile_translations(translations)
    app = create_preview(translations)
    app.testing = True
    app.jinja_env.undefined = StrictUndefined
    with app.test_client() as test_client:
        yield test_client


def page(client: FlaskClient, name: str, language: str = "en") -> str:
    answer = client.get("/", query_string={"page": name, "lang": language})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", states())
def test_every_state_renders_in_both_languages(client: FlaskClient, name: str, language: str) -> None:
    html = page(client, name, language)
    assert 'id="main"' in html
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in html


@pytest.mark.parametrize("name", states())
def test_a_page_has_no_inline_script_and_no_handler(client: FlaskClient, name: str) -> None:
    html = page(client, name)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"\son[a-z]+=", html)
    assert "javascript:" not in html


@pytest.mark.parametrize("name", states())
def test_ids_are_unique_on_a_page(client: FlaskClient, name: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', page(client, name))
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("name", states())
def test_every_form_that_posts_carries_the_token(client: FlaskClient, name: str) -> None:
    for form in re.findall(r"<form\b.*?</form>", page(client, name), re.DOTALL):
        if 'method="post"' in form:
            assert 'name="csrf_token" value="sample-token"' in form


def test_a_state_fragment_is_the_state_alone() -> None:
    app = create_preview()
    for name in states():
        template, fragment, model = sample(name)
        if template == fragment:
            continue
        with app.test_request_context("/"):
            html = app.jinja_env.get_template(fragment).render(page=model)
        assert html.count('id="state"') == 1
        assert "<html" not in html


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("console-idle", "Nothing to call yet", "暂无可呼任务"),
        ("console-gone", "They finished by themselves.", "客户已自行完成。"),
        ("console-gone", "Call not needed.", "无需呼叫。"),
        ("console-failed", "The call did not go through: caller ID refused.", "呼叫未接通：外显号码被拒。"),
        ("console-unknown", "Do not redial; checking for up to 10 min.", "请勿重拨，最长核对 10 分钟。"),
        ("console-barred", "Not before 09:00 tomorrow in Urumqi.", "乌鲁木齐时间明天 09:00 前不可呼。"),
        ("console-held", "On hold", "保持中"),
        ("console-machine", "Sounds like an answering machine.", "听起来像语音信箱。"),
        (
            "console-lost",
            "The customer hears a waiting message; reconnect within",
            "客户正在听等待提示音，请在",
        ),
        ("console-lost-late", "reconnect now.", "请立即重新接入。"),
        ("console-lost", "Pick up when 139 •••• 7781 rings.", "139 •••• 7781 振铃时请接听。"),
        ("console-connecting", "Your phone 139 •••• 7781 rings first", "您的电话 139 •••• 7781 会先振铃"),
        ("console-predictive", "the customer is on the line.", "客户正在线上。"),
        ("console-idle-predictive", "Calls are dialed for you", "系统自动拨号"),
        ("console-all-busy", "Nobody is free.", "暂无空闲同事。"),
        ("console-choose", "Choose whom to call", "请选择要呼叫的客户"),
        ("console-choose", "Not before 09:00 tomorrow in Urumqi.", "乌鲁木齐时间明天 09:00 前不可呼。"),
        ("console-choose", "2 are left to colleagues", "2 个留给会该语言或已约回呼的同事"),
        ("console-choose-many", "And 23 more wait.", "另有 23 个在等待。"),
        ("console-choose-later", "Nobody may be called just now.", "目前无人可呼"),
        ("console-choose-empty", "No call task waits.", "没有等待的呼叫任务"),
        ("console-phone-idle", "Softphone ready", "软电话就绪"),
        ("console-phone-idle", "Your browser refuses the microphone.", "浏览器拒绝了麦克风。"),
        ("floor-empty", "Nothing needs you.", "当前无需处理。"),
        ("floor-full", "Live updates paused; checking every 5 s.", "实时更新中断，每 5 秒刷新。"),
        ("effects-full", "Calling helps", "外呼有效"),
        ("rules-empty", "Without a live rule nobody is called.", "没有生效的规则就不会外呼。"),
        ("error-409", "This has changed in the meantime", "情况已有变化"),
    ],
)
def test_a_state_says_what_is_the_matter(client: FlaskClient, name: str, english: str, chinese: str) -> None:
    assert english in page(client, name)
    assert chinese in page(client, name, "zh")


def test_an_act_is_offered_only_when_it_can_be_done(client: FlaskClient) -> None:
    running = {"end", "mute", "hold", "transfer", "recording"}
    offered = {
        "previewing": {"dial", "skip"},
        "dialing": {"end"},
        "talking": running,
        "held": running,
        "muted": running,
        "machine": running | {"machine"},
        "connecting": {"end", "recording"},
        "lost": {"end", "recording"},
        "barred-acts": {"end", "mute", "recording"},
        "phone-talking": running - {"mute"},
        "wrapping": {"more-time"},
        "choose": {"take"},
        "choose-later": set(),
        "gone": set(),
    }
    acts = set().union(*offered.values())
    for state, expected in offered.items():
        html = page(client, f"console-{state}")
        assert {act for act in acts if re.search(f'action="/console/[^"]*/?{act}"', html)} == expected, state


def test_a_barred_control_keeps_its_place_and_says_why(client: FlaskClient) -> None:
    barred = re.compile(r'id="(\w+)"[^>]*title="([^"]+)"[^>]*aria-disabled="true"')
    assert dict(barred.findall(page(client, "console-barred-acts"))) == {
        "hold": "This call cannot be held.",
        "keypad": "Use the keys of your own telephone.",
        "transfer": "This call cannot be transferred.",
    }
    lost = dict(barred.findall(page(client, "console-lost")))
    assert lost == dict.fromkeys(("mute", "hold", "transfer"), "Your line dropped.") | {
        "keypad": "Use the keys of your own telephone."
    }


@pytest.mark.parametrize(
    ("state", "act", "field", "value"),
    [
        ("talking", "hold", "on", "1"),
        ("held", "hold", "on", "0"),
        ("talking", "mute", "on", "1"),
        ("muted", "mute", "on", "0"),
        ("talking", "recording", "paused", "1"),
        ("not-recorded", "recording", "paused", "0"),
    ],
)
def test_a_switch_asks_for_the_other_state(
    client: FlaskClient, state: str, act: str, field: str, value: str
) -> None:
    form = re.search(
        rf'<form[^>]*action="[^"]*/{act}".*?</form>', page(client, f"console-{state}"), re.DOTALL
    )
    assert form and f'name="{field}" value="{value}"' in form.group()


def test_free_colleagues_come_first_and_the_others_cannot_be_chosen(client: FlaskClient) -> None:
    html = page(client, "console-talking")
    names = re.findall(r'<span class="cut">\s*<b>([^<]+)</b>', html)
    assert names == ["He Qian", "Zhang Rui", "Luo Fan", "Wu Jing"]
    inputs = re.findall(r'<input type="radio"\s+name="agent_id".*?/>', html, re.DOTALL)
    assert ["disabled" in each for each in inputs] == [False, False, True, True]
    assert "Transfer the call" not in page(client, "console-all-busy")
    assert "Nobody else is signed on." in page(client, "console-alone")


def test_no_two_controls_of_a_page_answer_to_one_key(client: FlaskClient) -> None:
    for name in states():
        state = page(client, name).split('id="state"')[-1].split('id="notice"')[0]
        shown = re.sub(r'<form class="node"[^>]*hidden>.*?</form>', "", state, flags=re.DOTALL)
        keys = re.findall(r'data-key="([^"]+)"', shown)
        assert sorted(keys) == sorted(set(keys)), name


def test_every_key_of_a_console_is_told_and_none_of_another_place(client: FlaskClient) -> None:
    for name in (state for state in states() if state.startswith(("console-", "floor-"))):
        html = page(client, name)
        told = set(re.findall(r"<kbd[^>]*>([^<]+)</kbd>", html.split('<dialog id="keys"')[1]))
        works = set(re.findall(r'data-key="([a-z?/])"', html.split('<dialog id="keys"')[0]))
        assert {key.upper() for key in works} <= {key.upper() for key in told}, name
    assert "Tick the call task" not in page(client, "console-talking")
    assert "Mute, and be heard again" not in page(client, "floor-full")


def test_words_are_the_viewers_whoever_looked_first(client: FlaskClient) -> None:
    """Jinja works out at once what depends on nothing: a word in a template is no such thing."""
    app = create_preview()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = client.application.config["BABEL_TRANSLATION_DIRECTORIES"]
    with app.test_client() as first:
        page(first, "floor-full", "zh")
        assert "监听" not in page(first, "floor-full", "en")


def test_a_barred_dial_cannot_be_pressed(client: FlaskClient) -> None:
    dial = re.compile(r'<form[^>]*id="dial".*?</form>', re.DOTALL)
    barred, allowed = (dial.search(page(client, f"console-{state}")) for state in ("barred", "previewing"))
    assert barred and "disabled" in barred.group()
    assert allowed and "disabled" not in allowed.group()


def test_save_waits_for_the_end_of_the_call(client: FlaskClient) -> None:
    save = re.compile(r'<button[^>]*data-key="ctrl\+enter"[^>]*>')
    talking, wrapping = (save.search(page(client, f"console-{state}")) for state in ("talking", "wrapping"))
    assert talking and "disabled" in talking.group()
    assert wrapping and "disabled" not in wrapping.group()


def test_figures_without_a_sound_comparison_are_hidden(client: FlaskClient) -> None:
    html = page(client, "effects-full")
    assert html.count(">hidden<") == 4
    assert html.count('class="forest forest-') == 6 + 4


def test_every_icon_used_is_in_the_sprite_and_none_is_left_over() -> None:
    text = "".join(path.read_text("utf-8") for path in TEMPLATES)
    quoted = set(re.findall(r'"([a-z0-9-]+)"', text)) | set(re.findall(r"'([a-z0-9-]+)'", text))
    called = set(re.findall(r'icon\("([a-z0-9-]+)"', text))
    assert called <= set(ICONS)
    assert set(ICONS) <= quoted


def test_every_sentence_of_the_screens_is_translated() -> None:
    options = [("web/**.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2), "lazy_pgettext": ((1, "c"), 2)}
    found = extract_from_dir(PACKAGE, options, keywords=keywords)
    with (PACKAGE / "translations/zh/LC_MESSAGES/messages.po").open("rb") as source:
        catalog = read_po(source, locale="zh")
    for file, line, message, _, context in found:
        entry = catalog.get(message[0] if isinstance(message, tuple) else message, context)
        assert entry is not None and entry.string, f"{file}:{line} {message!r} is not translated"


def test_every_screen_has_an_empty_or_failed_sample() -> None:
    for screen, (_, _, _, names) in SCREENS.items():
        assert {"empty", "failed", "409"} & set(names), screen
