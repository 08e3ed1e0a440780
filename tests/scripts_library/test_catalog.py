"""The most specific script that fits is chosen, and says why."""

import pytest

from scripts_library import Catalog, UnknownScript, load_catalog
from tests.scripts_library.conftest import SmallLibrary


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    library = SmallLibrary(tmp_path_factory.mktemp("scripts"))
    library.add("photo", "id_photo")
    library.add("photo_refused", "id_photo", "errors: [photo_rejected]")
    library.add("photo_glare", "id_photo", "errors: [glare]")
    library.add("photo_first_loan", "id_photo", "tags: [first_loan]")
    library.add("payday", "withdraw", "moments: [salary_arrived]")
    library.add("withdraw_stuck", "withdraw", "errors: [payout_failed]")
    return load_catalog(library.root)


@pytest.mark.parametrize(
    ("step", "error", "moment", "tags", "script_id", "code", "value"),
    [
        ("id_photo", "glare", None, (), "photo_glare", "error", "glare"),
        ("id_photo", "photo_rejected:glare", None, (), "photo_glare", "error", "glare"),
        ("id_photo", "photo_rejected:shadow", None, (), "photo_refused", "error", "photo_rejected"),
        ("id_photo", "unheard_of", None, (), "photo", "step", "id_photo"),
        ("id_photo", None, None, (), "photo", "step", "id_photo"),
        ("id_photo", None, None, ("first_loan",), "photo_first_loan", "step", "id_photo"),
        ("id_photo", "glare", None, ("first_loan",), "photo_glare", "error", "glare"),
        ("withdraw", "payout_failed", "salary_arrived", (), "withdraw_stuck", "error", "payout_failed"),
        ("withdraw", None, "salary_arrived", (), "payday", "moment", "salary_arrived"),
        ("withdraw", None, None, (), "general", "journey", "loan"),
        ("profile", "glare", "salary_arrived", (), "general", "journey", "loan"),
    ],
)
def test_error_comes_before_moment_before_step_before_journey(
    catalog: Catalog,
    step: str,
    error: str | None,
    moment: str | None,
    tags: tuple[str, ...],
    script_id: str,
    code: str,
    value: str,
) -> None:
    choice = catalog.find("loan", step, error, moment, "en", tags)
    assert (choice.script.id, choice.why.code, choice.why.value) == (script_id, code, value)
    assert choice.why.tag == ("first_loan" if script_id == "photo_first_loan" else "")


def test_a_language_without_scripts_falls_back_to_english_and_says_so(catalog: Catalog) -> None:
    choice = catalog.find("loan", "id_photo", "glare", None, "fr")
    assert (choice.script.id, choice.script.language) == ("photo_glare", "en")
    assert choice.why.is_fallback_language
    assert catalog.get("photo", "fr").language == "en"


@pytest.mark.parametrize("language", ["zh", "zh-CN", "zh_Hans_CN", "ZH"])
def test_a_regional_language_finds_its_script(catalog: Catalog, language: str) -> None:
    choice = catalog.find("loan", "id_photo", "glare", None, language)
    assert choice.script.language == "zh"
    assert not choice.why.is_fallback_language
    assert catalog.get("photo", language).language == "zh"


def test_a_specific_english_script_beats_a_general_one_in_the_language_asked_for(catalog: Catalog) -> None:
    only_english = Catalog(tuple(s for s in catalog.scripts if (s.id, s.language) != ("photo_glare", "zh")))
    choice = only_english.find("loan", "id_photo", "glare", None, "zh")
    assert (choice.script.id, choice.script.language) == ("photo_glare", "en")


def test_an_unknown_journey_or_script_is_an_error_with_a_name(catalog: Catalog) -> None:
    with pytest.raises(UnknownScript, match="mortgage"):
        catalog.find("mortgage", "sign", None, None, "en")
    with pytest.raises(UnknownScript, match="nothing"):
        catalog.get("nothing", "en")


def test_own_words_come_before_the_common_ones(library: SmallLibrary) -> None:
    objections = "## objections: real_bank\n\n### slow: It is slow\nwords: slow，wait\n\nI know.\n\n"
    own = objections + "## close\n\nBye now.\n\n"
    for language in ("en", "zh"):
        library.change("## say now: it_works", own + "## say now: it_works", language=language)
    script = load_catalog(library.root).get("general", "en")
    assert [objection.id for objection in script.objections] == ["slow", "real_bank"]
    assert script.objections[0].words == ("slow", "wait")
    assert script.close.text == "Bye now."
    assert script.version_label == "1.1"
    assert [node.id for node in script.nodes] == ["ask", "help", "it_works", "callback"]
