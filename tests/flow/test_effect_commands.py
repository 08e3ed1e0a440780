"""The commands that judge an outside experiment and another policy: figures, words, and every bad input."""

import csv
import gzip
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from click.testing import CliRunner, Result

from callcenter.cli import main
from callcenter.learning.rules import ArmCounts, effect_of_rule

ROOT = Path(__file__).parents[2]
CALLS = ROOT / "examples" / "experiment" / "calls.csv"
SCRIPTS = ROOT / "examples" / "experiment" / "scripts.csv"
BANK = (
    Path(os.environ.get("CALLCENTER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    / "uci-bank-marketing/bank-additional-full.csv.gz"
)
ARMS = ("--assigned", "assigned", "--reached", "reached", "--converted", "converted")
DRAWS = ("--action", "script", "--reward", "converted", "--propensity", "propensity")


def run(command: str, file: Path, *options: str) -> Result:
    """The command, as a person calls it."""
    return CliRunner().invoke(main, [command, str(file), *options], catch_exceptions=False)


def said(command: str, file: Path, *options: str) -> dict[str, Any]:
    """What the command says as JSON."""
    result = run(command, file, *options, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = orjson.loads(result.stdout)
    return found


def refused(command: str, file: Path, *options: str) -> str:
    """The one line with which the command refuses."""
    result = run(command, file, *options)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1, result.output
    return result.stderr.strip()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file and say where it is."""

    def write_file(text: str, name: str = "e.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows, read without the product."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def in_flags(rows: Sequence[Mapping[str, str]], **wanted: str) -> int:
    """How many rows have these values; counted without the product."""
    return sum(all(row[name] == value for name, value in wanted.items()) for row in rows)


# --- effect


def test_the_example_is_counted_right_and_judged_as_the_live_page_judges() -> None:
    rows = rows_of(CALLS)
    found = said("effect", CALLS, *ARMS, "--holdout", "0.2", "--time", "drawn_at", "--strata", "team")
    assigned, held = found["assigned"], found["held_out"]
    assert assigned["customers"] == in_flags(rows, assigned="1")
    assert assigned["reached"] == in_flags(rows, assigned="1", reached="yes")
    assert held["converted"] == in_flags(rows, assigned="0", converted="1")
    n1, n0 = assigned["customers"], held["customers"]
    live = effect_of_rule(
        ArmCounts(n1 + n0, n0, n1, n1, assigned["reached"], assigned["converted"], held["converted"]), 0.2
    )
    assert live.difference is not None and live.evidence is not None
    assert (found["verdict"], found["analysis"]) == ("helps", "watched")
    assert found["difference"]["low"] == pytest.approx(live.difference.low)
    assert found["evidence"]["value"] == pytest.approx(live.evidence)
    assert found["power"]["needs"] == live.watched_needs_firings
    assert found["stratified"]["strata"] == 3 and found["stratified"]["method"] == "mantel_haenszel"
    assert found["difference"]["low"] <= 0.18 * 0.5 <= found["difference"]["high"]
    assert found["effect_on_reached"]["effect"]["low"] <= 0.18 <= found["effect_on_reached"]["effect"]["high"]


def test_the_moment_the_evidence_was_enough_is_that_of_the_plain_loop() -> None:
    found = said("effect", CALLS, *ARMS, "--holdout", "0.2", "--time", "drawn_at")["evidence"]
    treated = held = 0
    for row in sorted(rows_of(CALLS), key=lambda one: one["drawn_at"]):
        treated += row["converted"] == row["assigned"] == "1"
        held += row["converted"] == "1" and row["assigned"] == "0"
        counts = ArmCounts(99_999, 20_000, 79_999, 79_999, 0, treated, held)
        if (effect_of_rule(counts, 0.2).evidence or 0) >= 20:
            break
    assert found["decided_at"][:16] == row["drawn_at"][:16]


def test_without_an_order_or_a_design_it_is_one_look_and_says_so() -> None:
    found = said("effect", CALLS, *ARMS)
    assert found["analysis"] == "fixed" and not found["sample_ratio"]["checked"]
    assert any("one look" in note for note in found["notes"])
    no_design = said("effect", CALLS, *ARMS, "--time", "drawn_at")
    assert no_design["analysis"] == "fixed"
    assert any("--holdout is not given" in note for note in no_design["notes"])


def test_people_are_told_in_words() -> None:
    result = run("effect", CALLS, *ARMS, "--holdout", "0.2", "--time", "drawn_at", "--strata", "team")
    told = " ".join(result.output.split())
    for words in ("Calling helps", "assumes:", "within 3 strata", "came before the assignment"):
        assert words in told


def test_a_split_that_is_not_the_designed_one_is_refused_with_its_counts() -> None:
    result = run("effect", CALLS, *ARMS, "--holdout", "0.3", "--json")
    found = orjson.loads(result.stdout)
    assert result.exit_code == 2 and "split is not as designed" in result.stderr
    assert found["verdict"] == "sample_ratio_fails" and found["difference"] is None
    assert found["sample_ratio"]["fails"] and found["assigned"]["customers"] > 0


def test_a_stratum_whose_split_is_not_the_designed_one_is_named(write: Callable[..., Path]) -> None:
    lines = ["assigned,reached,converted,team"] + ["1,0,1,north", "0,0,0,north"] * 300
    lines += ["1,0,1,south"] * 200 + ["0,0,0,south"] * 30 + ["1,0,1,west"] * 30 + ["0,0,0,west"] * 200
    result = run("effect", write("\n".join(lines)), *ARMS, "--holdout", "0.5", "--strata", "team")
    assert result.exit_code == 2 and "not as designed within south, west," in result.stderr


def test_little_is_not_made_into_much(write: Callable[[str], Path]) -> None:
    lines = ["assigned,reached,converted"] + ["1,1,1"] * 3 + ["1,0,0"] * 77 + ["0,0,0"] * 20
    found = said("effect", write("\n".join(lines)), *ARMS)
    assert found["verdict"] == "too_early" and found["sentence"].startswith("Cannot tell yet")
    assert found["effect_on_reached"]["refused"] == "too_few_reached"
    assert found["risk_ratio"]["high"] is None and found["power"]["needs_more"] > 0


def test_the_shape_of_the_file_does_not_matter(write: Callable[..., Path], tmp_path: Path) -> None:
    plain = said("effect", CALLS, *ARMS)
    text = CALLS.read_text(encoding="utf-8")
    wordy = text.replace(",1\n", ", TRUE \r\n").replace(",0\n", ",No\r\n").replace(",", ";")
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(("\ufeff" + wordy.replace("\r\n", "\r\n\r\n", 3) + "\r\n\r\n").encode()))
    for other in (packed, write(wordy, "wordy.csv")):
        found = said("effect", other, *ARMS)
        assert {**found, "file": ""} == {**plain, "file": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty; the first line"),
        ("\n\n", "is empty; the first line"),
        ("assigned,reached,converted\n", "has a header and no rows"),
        ("assigned,reached\n1,1\n", "column 'converted' is not there; there are: assigned, reached"),
        ("assigned,reached,converted,converted\n1,1,1,0\n", "column 'converted' is there twice"),
        (
            "assigned,reached,converted\n1,1,1\n0,maybe,1\n",
            "line 3, column 'reached': 'maybe' is none of 0, 1",
        ),
        ("assigned,reached,converted\n1,1,1\n0,0,\n", "line 3, column 'converted': is empty"),
        ("assigned,reached,converted\n1,1,1\n\n0,0,2\n", "line 4, column 'converted': '2' is none of"),
        ('note,assigned,reached,converted\n"two\nlines",1,1,1\nx,0,0,-1\n', "line 4, column 'converted'"),
        ("assigned,reached,converted\n1,1,1\n1,0\n", "line 3, column 'converted': is empty"),
        ("assigned,reached,converted\n1,1,1\n1,0,0,0\n", "line 3 has 4 fields and the header 3"),
        ("assigned,reached,converted\n1,1,1\n1,0,0\n", "nobody was held out"),
        ("assigned,reached,converted\n0,0,1\n0,0,0\n", "nobody was assigned"),
        ("assigned,reached,converted\n1,1,13800138000\n", "column 'converted': its value is none of"),
    ],
)
def test_bad_files_are_told_by_line_and_column(
    write: Callable[[str], Path], text: str, expected: str
) -> None:
    told = refused("effect", write(text), *ARMS)
    assert expected in told and "13800138000" not in told


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (("2026-11-21", "yesterday"), "line 3, column 'at': 'yesterday' is not read as the first row's"),
        (("soon", "2026-11-21"), "line 2, column 'at': 'soon' is neither a number nor a moment"),
        (("7", ""), "line 3, column 'at': is empty"),
    ],
)
def test_bad_times_are_told_by_line(
    write: Callable[[str], Path], times: tuple[str, str], expected: str
) -> None:
    text = f"assigned,reached,converted,at\n1,1,1,{times[0]}\n0,0,0,{times[1]}\n"
    assert expected in refused("effect", write(text), *ARMS, "--holdout", "0.5", "--time", "at")


@pytest.mark.parametrize(
    "moments",
    [
        ("3", "1.5", "20"),
        ("2026-11-21", "2026-11-02", "2026-12-01"),
        ("2026-11-21T10:00+02:00", "2026-11-21T09:30+03:00", "2026-11-21T08:30Z"),
    ],
)
def test_rows_are_put_in_order_by_number_or_moment(
    write: Callable[[str], Path], moments: tuple[str, str, str]
) -> None:
    counts = ((1, 40), (1, 20), (0, 60))
    lines = ["assigned,reached,converted,at"]
    for (assigned, n), at in zip(counts, moments, strict=True):
        lines += [f"{assigned},0,1,{at}"] * n
    found = said("effect", write("\n".join(lines)), *ARMS, "--holdout", "0.5", "--time", "at")
    assert found["evidence"]["decided_after_rows"] == 20  # the second moment is the first


def test_other_bad_input_is_refused(write: Callable[[str], Path], tmp_path: Path) -> None:
    latin = tmp_path / "latin.csv"
    latin.write_bytes("assigned,reached,converted,é\n1,1,1,é\n".encode("latin-1"))
    wide = tmp_path / "wide.csv"
    wide.write_text("assigned,reached,converted\n1,1,1\n", encoding="utf-16")
    for path in (latin, wide):
        assert "not UTF-8" in refused("effect", path, *ARMS)
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"assigned,reached,converted\n1,1,1\n" * 2000)[:60])
    assert "cannot be read" in refused("effect", broken, *ARMS)
    same = ("--assigned", "assigned", "--reached", "reached", "--converted", "reached")
    assert "three different columns" in refused("effect", CALLS, *same)
    assert "columns of their own" in refused("effect", CALLS, *ARMS, "--strata", "reached")
    lines = ["assigned,reached,converted,who"] + [f"{i % 2},0,1,c{i}" for i in range(2_200)]
    assert "strata" in refused("effect", write("\n".join(lines)), *ARMS, "--strata", "who")
    for option in (("--holdout", "1"), ("--alpha", "0"), ("--holdout", "a fifth")):
        assert run("effect", CALLS, *ARMS, *option).exit_code == 2
    assert run("effect", tmp_path / "none.csv", *ARMS).exit_code == 2


# --- evaluate-policy


def test_the_example_policy_is_better_and_its_truth_is_covered() -> None:
    found = said("evaluate-policy", SCRIPTS, *DRAWS, "--target", "proposed", "--features", "segment,age")
    assert found["verdict"] == "better" and found["refusals"] == []
    rows = rows_of(SCRIPTS)
    weights = [(r["script"] == r["proposed"]) / float(r["propensity"]) for r in rows]
    wins = [w * (r["converted"] == "yes") for w, r in zip(weights, rows, strict=True)]
    assert found["ips"]["value"]["point"] == pytest.approx(sum(wins) / len(rows))
    assert found["self_normalised_ips"]["value"]["point"] == pytest.approx(sum(wins) / sum(weights))
    size = sum(weights) ** 2 / sum(w * w for w in weights)
    assert found["effective_sample_size"] == pytest.approx(size)
    share = [r["segment"] != "new" for r in rows]
    truth = 0.10 + 0.10 * sum(share) / len(rows) + 0.002 * (sum(int(r["age"]) for r in rows) / len(rows) - 45)
    assert found["doubly_robust"]["value"]["low"] <= truth <= found["doubly_robust"]["value"]["high"]


def test_a_policy_may_be_told_by_its_probability(write: Callable[[str], Path]) -> None:
    frame = pl.read_csv(SCRIPTS).with_columns(
        (pl.col("script") == pl.col("proposed")).cast(pl.Float64).alias("chance")
    )
    path = write(frame.write_csv())
    told = said("evaluate-policy", path, *DRAWS, "--target-probability", "chance")
    by_action = said("evaluate-policy", SCRIPTS, *DRAWS, "--target", "proposed")
    assert told["ips"] == by_action["ips"] and told["doubly_robust"] is None
    assert any("--target" in note for note in told["notes"])
    assert any("Without --features" in note for note in by_action["notes"])


def test_the_evaluation_is_told_in_words() -> None:
    result = run("evaluate-policy", SCRIPTS, *DRAWS, "--target", "proposed")
    told = " ".join(result.output.split())
    assert result.exit_code == 0
    for words in ("The target policy brings more", "effective sample size", "largest weight", "mean of 1/p"):
        assert words in told


def test_what_the_log_cannot_tell_is_refused_with_what_to_do(write: Callable[[str], Path]) -> None:
    result = run("evaluate-policy", SCRIPTS, *DRAWS, "--target", "segment", "--json")
    found = orjson.loads(result.stdout)
    assert result.exit_code == 2 and found["verdict"] == "refused" and found["never_logged_share"] == 1
    assert [one["code"] for one in found["refusals"]] == ["support_violated", "effective_sample_too_small"]
    assert all(one["what_to_do"] for one in found["refusals"]) and found["ips"] is None
    frame = pl.read_csv(SCRIPTS)
    wrong = write(frame.with_columns(pl.lit(0.9).alias("propensity")).write_csv())
    assert "not those of the draw" in refused("evaluate-policy", wrong, *DRAWS, "--target", "proposed")
    few = write(frame.head(300).write_csv())
    assert "effective sample size" in refused("evaluate-policy", few, *DRAWS, "--target", "proposed")
    assert said("evaluate-policy", few, *DRAWS, "--target", "proposed", "--smallest-sample", "50")["ips"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("a,1,,a,3", "line 3, column 'propensity': is empty"),
        ("a,1,0,a,3", "line 3, column 'propensity': '0' is no probability above 0"),
        ("a,1,1.2,a,3", "line 3, column 'propensity': '1.2' is no probability above 0"),
        ("a,1,NaN,a,3", "line 3, column 'propensity': 'NaN' is no probability"),
        ("a,1,half,a,3", "line 3, column 'propensity': 'half' is no probability"),
        (",1,0.5,a,3", "line 3, column 'script': is empty"),
        ("a,sold,0.5,a,3", "line 3, column 'converted': 'sold' is no number"),
        ("a,1,0.5,,3", "line 3, column 'proposed': is empty"),
        ("a,1,0.5,a,", "line 3, column 'age': is empty"),
        ("a,1,0.5,a,inf", "line 3, column 'age': 'inf' is no finite number"),
    ],
)
def test_bad_rows_of_a_log_are_told_by_line_and_column(
    write: Callable[[str], Path], row: str, expected: str
) -> None:
    path = write(f"script,converted,propensity,proposed,age\na,yes,0.5,a,3\n{row}\n")
    assert expected in refused("evaluate-policy", path, *DRAWS, "--target", "proposed", "--features", "age")


def test_other_bad_logs_are_refused(write: Callable[[str], Path]) -> None:
    head = "script,converted,propensity,proposed,name\n"
    rows = [f"s{i},1,0.5,s{i},n{i}" for i in range(60)]
    path = write(head + "\n".join(rows))
    assert "60 different actions" in refused("evaluate-policy", path, *DRAWS, "--target", "proposed")
    named = write(head + "\n".join(row.replace(f"s{i},", "s,") for i, row in enumerate(rows)))
    told = refused("evaluate-policy", named, *DRAWS, "--target", "proposed", "--features", "name")
    assert "60 different values" in told
    assert "either --target or" in refused("evaluate-policy", SCRIPTS, *DRAWS)
    both = ("--target", "proposed", "--target-probability", "propensity")
    assert "either --target or" in refused("evaluate-policy", SCRIPTS, *DRAWS, *both)
    assert "two columns" in refused("evaluate-policy", SCRIPTS, *DRAWS, "--target", "script")
    late = ("--target", "proposed", "--features", "converted")
    assert "not something that was known" in refused("evaluate-policy", SCRIPTS, *DRAWS, *late)
    chance = write(head + "a,1,0.5,a,1.5\n")
    told = refused("evaluate-policy", chance, *DRAWS, "--target-probability", "name")
    assert "line 2, column 'name': '1.5' is no probability between 0 and 1" in told


def test_the_document_says_what_the_commands_say() -> None:
    document = " ".join((ROOT / "docs" / "how-to-judge-an-experiment.md").read_text(encoding="utf-8").split())
    calls = said("effect", CALLS, *ARMS, "--holdout", "0.2", "--time", "drawn_at", "--strata", "team")
    scripts = said("evaluate-policy", SCRIPTS, *DRAWS, "--target", "proposed", "--features", "segment,age")
    assert calls["sentence"] in document
    assert scripts["sentence"].removesuffix(" (doubly robust).") in document
    for found in (calls, scripts):
        assert [key for key in found if f"`{key}`" not in document] == []
    for part in ("sample_ratio", "evidence", "effect_on_reached", "stratified", "power", "assigned"):
        assert [key for key in calls[part] if f"`{key}`" not in document] == []


# --- real customers, a split that does nothing


@pytest.mark.log
@pytest.mark.skipif(not BANK.exists(), reason=f"the UCI Bank Marketing data is not at {BANK}")
def test_on_real_customers_a_split_without_a_call_shows_nothing_and_the_raw_gap_does(tmp_path: Path) -> None:
    """S. Moro, P. Cortez and P. Rita, Decision Support Systems 62 (2014): 41,188 calls with their results.

    The arms are drawn here and change nothing. "Reached" is by mobile, which goes with converting.
    """
    rng = np.random.default_rng(2014)
    frame = pl.read_csv(gzip.decompress(BANK.read_bytes()), separator=";", infer_schema_length=None)
    assigned = rng.random(len(frame)) >= 0.2
    frame = frame.with_columns(
        pl.Series("assigned", assigned.astype(int)),
        pl.Series("reached", assigned & (frame["contact"] == "cellular").to_numpy()).cast(pl.String),
    ).with_row_index("place")
    path = tmp_path / "bank.csv"
    frame.write_csv(path, separator=";")
    arms = (
        "--assigned",
        "assigned",
        "--reached",
        "reached",
        "--converted",
        "y",
        "--strata",
        "month,poutcome",
    )
    for order in ((), ("--time", "place")):
        found = said("effect", path, *arms, "--holdout", "0.2", *order)
        assert found["rows"] == 41_188 and found["verdict"] in ("no_worthwhile_gain", "not_known")
        assert found["difference"]["low"] <= 0 <= found["difference"]["high"]
        effect = found["effect_on_reached"]["effect"]
        assert effect["low"] <= 0 <= effect["high"]
        within = found["stratified"]["difference"]
        assert within["low"] <= 0 <= within["high"]
        assert within["high"] - within["low"] < 0.02
    called = frame.filter(pl.col("assigned") == 1)
    shares = [(called.filter(pl.col("reached") == r)["y"] == "yes").mean() for r in ("true", "false")]
    assert float(str(shares[0])) - float(str(shares[1])) > 0.08


@pytest.mark.log
@pytest.mark.skipif(not BANK.exists(), reason=f"the UCI Bank Marketing data is not at {BANK}")
def test_on_real_customers_choices_without_effect_are_worth_the_mean(tmp_path: Path) -> None:
    rng = np.random.default_rng(2014)
    frame = pl.read_csv(gzip.decompress(BANK.read_bytes()), separator=";", infer_schema_length=None)
    chance = np.where((frame["poutcome"] == "success").to_numpy(), 0.3, 0.6)
    calm = rng.random(len(frame)) < chance
    frame = frame.with_columns(
        pl.Series("script", np.where(calm, "calm", "brisk")),
        pl.Series("p", np.where(calm, chance, 1 - chance)),
        pl.Series("proposed", np.where((frame["age"] > 40).to_numpy(), "calm", "brisk")),
    )
    path = tmp_path / "bank.csv"
    frame.write_csv(path)
    draws = ("--action", "script", "--reward", "y", "--propensity", "p", "--target", "proposed")
    plain = said("evaluate-policy", path, *draws)
    known = said("evaluate-policy", path, *draws, "--features", "age,month,poutcome,euribor3m")
    for found in (plain, known):
        for name in ("ips", "self_normalised_ips", "doubly_robust"):
            assert found[name]["gain"]["low"] <= 0 <= found[name]["gain"]["high"]
    assert known["doubly_robust"]["standard_error"] < 0.97 * plain["ips"]["standard_error"]
