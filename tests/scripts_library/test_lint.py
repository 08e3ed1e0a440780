"""Each mistake an author can make is found at its file and line."""

from collections.abc import Callable

import pytest

from scripts_library import ScriptLibraryError, lint_command, load_catalog
from tests.scripts_library.conftest import SmallLibrary

Found = Callable[..., bool]


def test_a_sound_library_has_no_findings(library: SmallLibrary) -> None:
    assert library.lint() == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version: 1", "version: one", "version: Not a valid integer"),
        ("version: 1", "version: 0", "version: Must be greater"),
        ("title: General", "title: a: b", "quotes"),
        ("title: General", "colour: red", "colour: Unknown field"),
        ("title: General", "id: general", "id: is here twice"),
        ("causes: [trust]", "causes: [magic]", "causes: Must be one of"),
        ("steps: []", "steps: [ID Photo]", "steps: use small letters"),
        ("## reason B", "## reason C", "the variants are A and B"),
        ("## reason B", "## reasons", "is not a section"),
        ("## reason B", "## reason A", "here twice"),
        ("1. **Error** (Try again) -> help", "1. Error -> help", "a branch is written"),
        ("1. **Error** (Try again)", "1. **Error** ()", "a branch is written"),
        ("2. **Works**", "1. **Works**", "digit 1 is used twice"),
        ("3. **Not now**", "12. **Not now**", "only the keys 1 to 9"),
        ("(Try again) -> help", "(Try again) -> nowhere", "there is no such node"),
        ("## say now: help", "## say now: Some Help", "needs a name"),
        ("## say now: help", "## say now: ask", "here twice"),
        ("Tap Retry.", "Tap {{ buton }}.", "unknown placeholder 'buton'"),
        ("(Try again)", "({{ buton }})", "unknown placeholder 'buton'"),
        ("Tap Retry.", "You have {{ credit_limit }}.", "may be unknown"),
        ("Tap Retry.", "{% if amount %}{{ amount }} {{ error_times }}{% endif %}.", "may be unknown"),
        ("Tap Retry.", "{% if amount %}Tap Retry.{% endif %}", "nothing is left to say"),
        ("Tap Retry.", "Tap {{ agent_name", "placeholder not understood"),
        ("Tap Retry.", "Tap {{ agent_name.upper() }}.", "only {{ fact }}"),
        ("Tap Retry.", "Tap {{ agent_name | upper }}.", "only {{ fact }}"),
        ("Tap Retry.", "{% for i in agent_name %}{% endfor %}", "only {{ fact }}"),
        ("Tap Retry.", "Tap {{ agent_name | minutes }}.", "cannot be filled"),
    ],
)
def test_a_mistake_is_found_on_its_own_line(
    library: SmallLibrary, found: Found, old: str, new: str, words: str
) -> None:
    line = library.change(old, new)
    assert found(library.path("general"), line, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It costs 4.5 % a year.", "figure for a rate"),
        ("The rate is about 4.", "figure for a rate"),
        ("It yields 3 per cent.", "figure for a rate"),
        ("Please tell me the code.", "asks for a secret"),
        ("What is your password?", "asks for a secret"),
        ("We guarantee a limit.", "sounds like a promise"),
        ("It is risk-free.", "sounds like a promise"),
        ("It is today only.", "hurries the customer"),
        ("Tap 重拍.", "Chinese in an English script"),
        ("**Works** (Go on) -> close", "would be read aloud"),
        ("### slow: It is slow", "would be read aloud"),
        ("Tap <!-- or hold --> Retry.", "would be read aloud"),
        ("Tap it, " * 20 + "now.", "columns without a full stop"),
    ],
)
def test_what_may_not_be_said_is_found(library: SmallLibrary, found: Found, text: str, words: str) -> None:
    line = library.change("Tap Retry.", f"Wait.\n{text}") + 1
    assert found(library.path("general"), line, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("年化是 3.6。", "figure for a rate"),
        ("也就百分之四。", "figure for a rate"),
        ("才两厘。", "figure for a rate"),
        ("请把验证码告诉我。", "asks for a secret"),
        ("麻烦念一下卡号。", "asks for a secret"),
        ("您一定能通过。", "sounds like a promise"),
        ("这个没有风险。", "sounds like a promise"),
        ("您抓紧办。", "hurries the customer"),
        ("Please tap it again.", "English in a Chinese script"),
        ("好的,您点这里。", "half-width"),
    ],
)
def test_what_may_not_be_said_is_found_in_chinese(
    library: SmallLibrary, found: Found, text: str, words: str
) -> None:
    line = library.change("Tap Retry.", f"好。\n{text}", language="zh") + 1
    assert found(library.path("general", "zh"), line, words)


@pytest.mark.parametrize(
    "text",
    [
        "I cannot promise a result.",
        "I will never ask you to tell me a code.",
        "Please do not read me the code.",
        "Your rate is in the app.",
        "Hold it about 20 cm away.",
        "There is no hurry.",
    ],
)
def test_what_is_denied_is_not_said(library: SmallLibrary, text: str) -> None:
    library.change("Tap Retry.", text)
    assert library.lint() == []


@pytest.mark.parametrize(
    "text", ["验证码不用告诉我。", "结果我不能保证。", "离证件约 20 厘米。", "利率在 App 里。", "别着急。"]
)
def test_what_is_denied_in_chinese_is_not_said(library: SmallLibrary, text: str) -> None:
    library.change("Tap Retry.", text, language="zh")
    assert library.lint() == []


@pytest.mark.parametrize("words", ["It is about your loan.", "This call about your account is recorded."])
def test_the_notice_tells_nothing_of_the_business_either(
    library: SmallLibrary, found: Found, words: str
) -> None:
    line = library.change("We record this.", words, "_common")
    assert found(library.path("_common"), line, "customer's business")


def test_a_node_from_which_no_call_ends_is_found(library: SmallLibrary, found: Found) -> None:
    library.change("1. **Works** (Go on) -> it_works", "1. **Again** (Once more) -> help")
    line = library.change("## say now: help", "## say now: help")
    assert found(library.path("general"), line, "can never come to an end")


def test_a_close_nobody_leads_to_is_found(library: SmallLibrary, found: Found) -> None:
    library.change("1. **Done** (Goodbye) -> close\n", "")
    library.change("-> close", "-> it_works", "_common")
    line = library.change("Goodbye.", "Goodbye.", "_common")
    assert found(library.path("_common"), line, "general: no branch leads to the close")


def test_two_branches_of_one_name_are_found(library: SmallLibrary, found: Found) -> None:
    line = library.change("2. **Works**", "2. **Error**")
    assert found(library.path("general"), line, "two branches of ask are called Error")


def test_one_id_in_two_journeys_is_found(library: SmallLibrary, found: Found) -> None:
    (library.root / "other").mkdir()
    for path in sorted(library.folder.iterdir()):
        text = path.read_text(encoding="utf-8").replace("journey: loan", "journey: other")
        (library.root / "other" / path.name).write_text(text, encoding="utf-8")
    assert found(library.root / "other" / "general.en.md", 1, "id general is taken by loan/general.en.md")


def test_a_common_part_that_nobody_reads_is_found(library: SmallLibrary, found: Found) -> None:
    node = library.change("## objections", "## say now: alone\n\nHello.\n\n## objections", "_common")
    assert found(library.path("_common"), node, "node alone is read by no script")
    library.change("## say now: it_works", "## objections:\n\n## say now: it_works")
    line = library.change("### real_bank", "### real_bank", "_common")
    assert found(library.path("_common"), line, "objection real_bank is read by no script")


def test_a_mistake_deep_in_a_text_is_found_on_its_line(library: SmallLibrary, found: Found) -> None:
    line = library.change("Tap Retry.", "Tap Retry.\nThen wait.\nThen {{ buton }}.")
    assert found(library.path("general"), line + 2, "unknown placeholder")


def test_a_node_nobody_leads_to_is_found(library: SmallLibrary, found: Found) -> None:
    library.change("(Try again) -> help", "(Try again) -> it_works")
    line = library.change("## say now: help", "## say now: help")
    assert found(library.path("general"), line, "cannot be reached")


def test_the_first_question_must_offer_success_and_a_callback(library: SmallLibrary, found: Found) -> None:
    library.change("3. **Not now** (Call back) -> callback\n", "")
    line = library.change("## say now: ask", "## say now: ask")
    assert found(library.path("general"), line, "no branch -> callback")


def test_text_outside_any_section_is_found(library: SmallLibrary, found: Found) -> None:
    line = library.change("## reason A", "Hello\n\n## reason A")
    assert found(library.path("general"), line, "before the first ## heading")


def test_a_section_without_words_is_found(library: SmallLibrary, found: Found) -> None:
    library.change("It stopped.\n", "\n")
    line = library.change("## reason A", "## reason A")
    assert found(library.path("general"), line, "nothing to say")


def test_a_file_without_front_matter_is_found(library: SmallLibrary, found: Found) -> None:
    library.path("general").write_text("## reason\n\nHello.\n", encoding="utf-8")
    assert found(library.path("general"), 1, "front matter is missing")


def test_a_third_variant_needs_its_words(library: SmallLibrary, found: Found) -> None:
    for language in ("en", "zh"):
        library.change("  B: Long", "  B: Long\n  C: Longer", language=language)
    assert found(library.path("general"), 1, "missing reason of variant C: write `## reason C`")
    for language in ("en", "zh"):
        library.change(
            "## say now: ask", "## reason C\n\nIt stopped, so I help.\n\n## say now: ask", language=language
        )
    assert library.lint() == []


def test_a_third_variant_may_not_repeat_another(library: SmallLibrary, found: Found) -> None:
    library.change("  B: Long", "  B: Long\n  C: Longer")
    line = library.change("## reason A\n\nIt stopped.\n\n", "")
    library.change("## reason B", "## reason A\n\nStopped.\n\n## reason C\n\nStopped.\n\n## reason B")
    assert found(library.path("general"), line + 6, "variants A and C are the same")
    assert any("variants differs from its twin" in one.message for one in library.lint())


def test_variants_without_a_gap_are_wanted(library: SmallLibrary, found: Found) -> None:
    line = library.change("variants:", "variants:")
    library.change("  B: Long", "  D: Long")
    assert found(library.path("general"), line, "name the variants A, B, C and so on")


def test_a_script_may_have_one_variant_alone(library: SmallLibrary) -> None:
    for language in ("en", "zh"):
        library.change("  B: Long\n", "", language=language)
        library.change("## reason B\n\nIt stopped, so I call.\n\n", "", language=language)
    assert library.lint() == []


def test_equal_variants_are_found(library: SmallLibrary, found: Found) -> None:
    library.change("## reason A\n\nIt stopped.\n\n", "")
    line = library.change("## reason B", "## reason")
    assert found(library.path("general"), line + 2, "A and B are the same")


def test_a_missing_opening_is_found(library: SmallLibrary, found: Found) -> None:
    library.change("## opening\n\nThis is {{ agent_name }} from {{ bank_name }}.\n\n", "", "_common")
    assert found(library.path("general"), 1, "missing opening of variant A")


def test_an_opening_without_the_bank_is_found(library: SmallLibrary, found: Found) -> None:
    line = library.change("{{ bank_name }}", "the bank", "_common")
    assert found(library.path("_common"), line, "must say {{ bank_name }}")


def test_business_is_not_told_before_the_person_is_known(library: SmallLibrary, found: Found) -> None:
    line = library.change("Is that {{ address }}?", "About {{ step_title }}.\nIs it you?", "_common")
    assert found(library.path("_common"), line, "before the person is confirmed")


def test_a_missing_required_notice_is_found(library: SmallLibrary, found: Found) -> None:
    library.change("- never_ask: Never ask.\n", "", "_common")
    assert found(library.path("general"), 1, "missing required notice never_ask")


def test_a_malformed_objection_and_notice_are_found(library: SmallLibrary, found: Found) -> None:
    objection = library.change("words: fake, fraud\n", "\n", "_common")
    notice = library.change("- rates: Name none.", "* Name no rate.", "_common")
    assert found(library.path("_common"), objection - 1, "an objection starts with")
    assert found(library.path("_common"), notice, "a notice is written")


def test_an_objection_that_is_not_in_the_common_file_is_found(library: SmallLibrary, found: Found) -> None:
    line = library.change("## say now: it_works", "## objections: real_bank, price\n\n## say now: it_works")
    assert found(library.path("general"), line, "objection price is not in the common file")


def test_a_missing_twin_is_found(library: SmallLibrary, found: Found) -> None:
    library.path("general", "zh").unlink()
    assert found(library.path("general"), 1, "its twin general.zh.md is missing")


def test_twins_that_branch_differently_are_found(library: SmallLibrary, found: Found) -> None:
    library.change("(Try again) -> help", "(Try again) -> it_works", language="zh")
    library.change("1. **Works** (Go on) -> it_works\n", "", language="zh")
    line = library.change("## say now: ask", "## say now: ask", language="zh")
    assert found(library.path("general", "zh"), line, "branches of ask differ")


def test_twins_of_different_version_are_found(library: SmallLibrary, found: Found) -> None:
    library.change("version: 1", "version: 2", language="zh")
    assert found(library.path("general", "zh"), 1, "version differs")


def test_variants_that_differ_in_one_language_only_are_found(library: SmallLibrary, found: Found) -> None:
    opening = "## opening B\n\n{{ bank_name }}, {{ agent_name }}.\n\n"
    library.change("## notice", opening + "## notice", "_common", "zh")
    line = library.change("## opening", "## opening A", "_common", "zh") - 2
    assert line and any("A and B have the same opening" in one.message for one in library.lint())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version: 1", "version: 2", "version differs"),
        ("### real_bank", "### is_it_real", "objections differ"),
        ("- rates: Name none.\n", "- rates: Name none.\n- more: More.\n", "required notices differ"),
        ("## notice\n\nWe record this.\n\n", "", "sections differ"),
    ],
)
def test_common_files_that_drift_apart_are_found(
    library: SmallLibrary, found: Found, old: str, new: str, words: str
) -> None:
    library.change(old, new, "_common", "zh")
    assert found(library.path("_common", "zh"), 1, words)


def test_common_files_that_branch_differently_are_found(library: SmallLibrary, found: Found) -> None:
    library.change("1. **Later** (Pick a time)", "2. **Later** (Pick a time)", "_common", "zh")
    line = library.change("## say now: callback", "## say now: callback", "_common", "zh")
    assert found(library.path("_common", "zh"), line, "branches of callback differ")


def test_a_missing_common_twin_is_found(library: SmallLibrary, found: Found) -> None:
    library.path("_common", "zh").unlink()
    assert found(library.path("_common"), 1, "its twin _common.zh.md is missing")


def test_a_file_name_that_is_not_the_id_is_found(library: SmallLibrary, found: Found) -> None:
    library.path("general").rename(library.path("other"))
    assert found(library.path("other"), 1, "file name should be general.en.md")


def test_a_script_in_the_wrong_folder_is_found(library: SmallLibrary, found: Found) -> None:
    library.change("journey: loan", "journey: card")
    assert found(library.path("general"), 1, "belongs in the folder card")


def test_a_journey_without_a_general_script_is_found(library: SmallLibrary, found: Found) -> None:
    for language in ("en", "zh"):
        library.change("steps: []", "steps: [id_photo]", language=language)
    assert found(library.folder, 1, "no general script in en")


def test_two_scripts_for_the_same_case_are_found(library: SmallLibrary, found: Found) -> None:
    library.add("first", "id_photo")
    library.add("second", "id_photo, profile")
    assert found(library.path("second"), 1, "same case as first: loan, en, id_photo")


def test_an_empty_folder_is_no_library(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ScriptLibraryError, match="no scripts here"):
        load_catalog(tmp_path_factory.mktemp("empty"))


def test_a_clause_without_a_pause_is_only_a_warning(library: SmallLibrary, found: Found) -> None:
    line = library.change("Tap Retry.", "Wait.\n\nTap " + "really " * 10 + "Retry.")
    assert found(library.path("general"), line + 2, "columns without a pause")
    assert load_catalog(library.root).scripts
    assert lint_command(library.root) == 0


def test_the_catalog_refuses_to_load_and_lists_every_mistake(library: SmallLibrary) -> None:
    library.change("Tap Retry.", "Tap {{ buton }}.")
    library.change("(Try again) -> help", "(Try again) -> nowhere")
    with pytest.raises(ScriptLibraryError) as error:
        load_catalog(library.root)
    assert error.value.findings == tuple(library.lint())
    said = [finding.message for finding in error.value.findings]
    expected = ("no such node", "cannot be reached", "unknown placeholder", "differ from its twin")
    assert all(words in message for words, message in zip(expected, said, strict=True)), said


def test_the_command_prints_path_line_message_and_a_count(
    library: SmallLibrary, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lint_command(library.root) == 0
    assert capsys.readouterr().out == "mistakes: 0, warnings: 0\n"
    line = library.change("Tap Retry.", "Tap {{ buton }}.")
    assert lint_command(library.root) == 1
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith(f"{library.path('general')}:{line}: unknown placeholder")
    assert rows[1] == "mistakes: 1, warnings: 0"


def test_full_width_punctuation_is_understood(library: SmallLibrary) -> None:
    library.change("1. **Error** (Try again) -> help", "1. **没反应**（再点一次）→ help", language="zh")
    library.change("## say now: help", "## say now：help", language="zh")
    assert library.lint() == []
