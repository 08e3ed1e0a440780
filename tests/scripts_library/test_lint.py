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


def test_a_third_variant_is_refused(library: SmallLibrary, found: Found) -> None:
    library.change("  B: Long", "  B: Long\n  C: Longer")
    line = library.change("variants:", "variants:")
    assert found(library.path("general"), line, "exactly two variants")


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
    line = library.change("Tap Retry.", "Tap " + "really " * 10 + "Retry.")
    assert found(library.path("general"), line, "columns without a pause")
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
