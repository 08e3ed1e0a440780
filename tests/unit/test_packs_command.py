"""`callcenter policy`: explains, lists and checks without a database, and writes no number down."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from callcenter.cli import main
from callcenter.compliance.packs import PACKS

Run = Callable[..., Result]
CHRISTMAS = ("--at", "2026-12-25T10:00+01:00")
MARKETING = ("--number", "+49 30 901820", "--purpose", "marketing")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command with neither database nor home: anything that wanted one would fail."""
    for name in ("DATABASE_URL", "REDIS_URL", "POLICY_PACKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CALLCENTER_HOME", "/nonexistent/home")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["policy", *arguments])

    return call


def test_a_call_is_explained_in_words_from_the_number_alone(run: Run) -> None:
    told = run("explain", *CHRISTMAS, *MARKETING)
    assert told.exit_code == 0, told.output
    for said in (
        "a call for marketing at 2026-12-25T10:00+01:00",
        "the number alone: lists, consents, attempts",
        "Fri 2026-12-25 10:00  Europe/Berlin",
        "de@2021-10-01  Germany",
        "de@2021-10-01: UWG 7(2) no. 1: prior express consent.",
        "barred: no_consent, outside_calling_hours",
        "waiting alone does not help",
        "Mon 2026-12-28 09:00 Europe/Berlin",
    ):
        assert said in told.output
    assert "901820" not in told.output


def test_a_call_that_only_has_to_wait_is_told_from_when(run: Run) -> None:
    told = run("explain", *CHRISTMAS, "--number", "+8613800138000", "--purpose", "service")
    assert "allowed, as far as the number tells" in told.output
    late = run(
        "explain", "--at", "2026-12-25T22:00+08:00", "--number", "+8613800138000", "--purpose", "service"
    )
    assert "barred: outside_calling_hours" in late.output
    assert "2026-12-26 09:00 Asia/Shanghai" in late.output


def test_the_same_as_json(run: Run) -> None:
    told = run("explain", *CHRISTMAS, *MARKETING, "--campaign", "loans", "--json")
    document = json.loads(told.output)
    assert document["reasons"] == ["no_consent", "outside_calling_hours"]
    assert document["policy_version"] == "cn-bank@2023-03-01+de@2021-10-01+eu-gdpr@2018-05-25"
    assert document["zones"] == {"Europe/Berlin": "2026-12-25T10:00:00+01:00"}
    assert document["open_at"] == "2026-12-28T08:00:00+00:00"
    assert document["campaign"] == "loans"
    assert all(figure["source"] for figure in document["figures"])
    assert "901820" not in told.output


def test_an_address_widens_where_the_customer_may_be(run: Run) -> None:
    told = run("explain", *CHRISTMAS, *MARKETING, "--country", "US-FL", "--zone", "America/Chicago", "--json")
    document = json.loads(told.output)
    assert document["regions"] == ["DE", "US", "US-FL"]
    assert set(document["zones"]) == {"Europe/Berlin", "America/Chicago"}
    assert "us-fl@2021-07-01" in document["policy_version"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--at", "2026-12-25T10:00", *MARKETING), "--at must be a moment with its offset"),
        (("--at", "tomorrow", *MARKETING), "--at must be a moment"),
        ((*CHRISTMAS, *MARKETING, "--zone", "Berlin"), "--zone is no time zone"),
        ((*CHRISTMAS, *MARKETING, "--country", "Germany"), "--country must be such as DE or US-FL"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(run: Run, arguments: tuple[str, ...], says: str) -> None:
    told = run("explain", *arguments)
    assert told.exit_code == 2
    assert says in told.output


def test_no_number_and_no_pack_bar_the_call(run: Run) -> None:
    told = run("explain", *CHRISTMAS, "--number", "12", "--purpose", "service")
    assert "invalid_number, unknown_time_zone" in told.output
    missing = run("explain", *CHRISTMAS, *MARKETING, "--packs", "nowhere")
    assert "nowhere: always applies, and has no version in force: bars every call" in missing.output
    assert "no_policy" in missing.output


def test_packs_are_listed_with_what_comes(run: Run) -> None:
    told = run("packs", "--at", "2026-08-01T00:00+02:00")
    assert told.exit_code == 0, told.output
    assert "fr@2023-03-01" in told.output
    assert "comes: fr@2026-08-11, from 2026-08-11 (in 10 days)" in told.output
    listed = {one["pack"]: one for one in json.loads(run("packs", *CHRISTMAS, "--json").output)}
    assert {"cn-bank", "us-tcpa", "us-fl", "uk", "de", "fr", "eu-gdpr"} <= set(listed)
    assert listed["cn-bank"]["always_applies"]
    assert listed["fr"] == {
        "pack": "fr",
        "title": {"en": "France", "zh": "法国"},
        "always_applies": False,
        "in_force": "fr@2026-08-11",
        "upcoming": [],
    }


def test_a_well_made_file_is_told_what_it_changes(run: Run, tmp_path: Path) -> None:
    text = (PACKS / "us-fl.yaml").read_text(encoding="utf-8")
    later = text.replace("2021-07-01", "2027-01-01")
    later = later[: later.index("    caps:")]
    file = tmp_path / "florida.yaml"
    file.write_text(later, encoding="utf-8")
    told = run("check", str(file))
    assert told.exit_code == 0, told.output
    assert "us-fl: well made, 1 version(s), applies to US-FL" in told.output
    assert "follows us-fl@2021-07-01; leaves out cap, consent: no longer limited by this pack" in told.output


def test_a_malformed_file_is_refused_by_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(
        (PACKS / "us-fl.yaml").read_text(encoding="utf-8").replace("08:00-20:00", "20:00-08:00"),
        encoding="utf-8",
    )
    told = run("check", str(file))
    assert told.exit_code == 2
    assert (
        "bad.yaml, line 12, versions[0].calling_hours.value.every_day[0]: 20:00-08:00 closes" in told.output
    )
