"""Importing a log: every row stored, counted and explained; never twice; and it goes on after a stop."""

import gzip
import re
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from sqlmodel import select

from callcenter.commands.import_events import load_mapping
from callcenter.domain.events import PlacedEvent
from callcenter.domain.ids import derived_id
from callcenter.errors import CallCenterError, Conflict
from callcenter.intake.imports import ImportJob, import_log
from callcenter.intake.logfile import digest_of_file
from callcenter.models import Customer, ImportRun
from tests.flow.shop import HEADER, JOURNEY, MAPPING, ROWS, Shop, killed_after

pytestmark = pytest.mark.slow


def test_rows_become_events_with_their_place_in_the_journey(shop: Shop) -> None:
    report = shop.imports(shop.log(*ROWS))
    assert (report.read, report.stored, report.duplicate, report.filtered, report.bad) == (5, 3, 0, 2, 0)
    basket, paid, winter = shop.events()
    assert (basket.journey, basket.journey_key, basket.step, basket.role) == ("shop", "o1", "basket", "enter")
    assert basket.event_time == basket.received_at == datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
    assert winter.event_time == datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    assert basket.historical and not basket.clamped
    assert basket.properties == {"amount": 12.5, "till": "3", "order": "o1"}
    assert paid.properties == {"amount": 12.5, "order": "o1"}
    assert basket.customer_id == derived_id("customer", "c1")
    with shop.runtime.reading() as session:
        assert {one.external_id for one in session.exec(select(Customer))} == {"c1", "c2"}


def test_equal_times_keep_the_order_of_the_file(shop: Shop) -> None:
    rows = [f"c1;o1;{'BP'[number % 2]};01.07.2026 10:00:00;done;{number};" for number in range(50)]
    shop.imports(shop.log(*rows))
    assert [event.properties["amount"] for event in shop.events()] == list(range(50))


def test_a_finished_import_changes_nothing(shop: Shop) -> None:
    log = shop.log(*ROWS, "c1;o1;B;never;done;;")
    shop.imports(log)
    again = shop.imports(log)
    assert again.was_finished and again.stored_before == 3 and again.stored == 0
    assert len(shop.events()) == 3 and len(shop.quarantine()) == 1


def test_a_changed_mapping_stores_only_what_is_new(shop: Shop) -> None:
    log = shop.log(*ROWS)
    shop.imports(log)
    shop.mapping = shop.write("wider.yaml", MAPPING.replace("[done, late]", "[done, late, started]"))
    report = shop.imports(log)
    assert (report.stored, report.duplicate, report.filtered) == (1, 3, 1)


@pytest.mark.parametrize("chunks", [0, 1, 4])
def test_a_killed_import_goes_on_where_it_was(shop: Shop, chunks: int) -> None:
    rows = [f"c{number % 7};o1;B;01.07.2026 10:00:00;done;{number};" for number in range(95)]
    log = shop.log(*rows, "c1;o1;B;never;done;;")
    shop.imports(shop.log(name="journey-only.csv"))  # loads the journey
    job = ImportJob(log, load_mapping(shop.mapping), "one digest", "order", PlacedEvent)
    with pytest.raises(KeyboardInterrupt):
        import_log(job, killed_after(shop.runtime, chunks), shop.runtime.clock, chunk_rows=10)
    report = import_log(job, shop.runtime.unit_of_work, shop.runtime.clock, chunk_rows=10)
    assert report.stored_before == chunks * 10 and report.stored == 95 - chunks * 10
    assert report.duplicate == 0 and report.bad == 1
    assert [event.properties["amount"] for event in shop.events()] == list(range(95))
    assert len(shop.quarantine()) == 1


def test_a_second_import_of_the_same_file_at_once_is_refused(shop: Shop) -> None:
    log = shop.log(*(f"c1;o1;B;01.07.2026 10:00:00;done;{number};" for number in range(30)))
    job = ImportJob(log, load_mapping(shop.mapping), "one digest", "order", PlacedEvent)

    def other(done: int, size: int, report: Any) -> None:
        if report.read == 10:
            import_log(job, shop.runtime.unit_of_work, shop.runtime.clock)

    with pytest.raises(Conflict, match="another process"):
        import_log(job, shop.runtime.unit_of_work, shop.runtime.clock, other, chunk_rows=10)
    assert len(shop.events()) == 30


def test_bad_rows_are_reported_and_kept_and_the_rest_goes_through(shop: Shop) -> None:
    good = ROWS[0]
    log = shop.write(
        "log.csv",
        "\n".join(
            (
                HEADER,
                good,
                "c1;o1;B;2026-07-01;done;;",
                "c1;o1;B",
                "c1;o1;B;01.07.2026 10:00:00;done;;;;",
                ";o1;B;01.07.2026 10:00:00;done;;",
                "c1;o1;B;01.07.2026 10:00:00;done;much;",
                "c1;o1;B;01.07.2126 10:00:00;done;;",
                "c1;o1;B;01.07.2026 10:00:00;done;;\x00",
                '"c1;o1;B;01.07.2026 10:00:00;done;;',
                good.replace("c1", "c3"),
                '"c;4";"o\n1";B;"01.07.2026 10:00:00";done;;"say ""hi"""',
                'c5;o1;B;01.07.2026 10:00:00;done;;5" pipe',
                good.replace("c1", "c6"),
            )
        ).encode()
        + "\nc1;o1;B;01.07.2026 10:00:00;done;;caf\xe9\n".encode("latin-1"),
    )
    report = shop.imports(log)
    assert [one.properties.get("till") for one in shop.events()] == ["3", "3", 'say "hi"', '5" pipe', "3"]
    assert shop.events()[2].journey_key == "o\n1"
    found = {one.index: one.code for one in report.first_bad}
    assert found == {
        3: "bad_time",
        4: "too_few_columns",
        5: "too_many_columns",
        6: "bad_customer",
        7: "bad_number",
        8: "future_time",
        9: "nul_character",
        10: "bad_quotes",
        16: "bad_encoding",
    }
    assert [one.position for one in shop.quarantine()] == list(found)
    assert report.read == report.stored + report.bad == 14


def test_a_reason_shows_the_shape_of_a_value_and_not_the_value(shop: Shop) -> None:
    report = shop.imports(shop.log("c1;o1;B;Jane Doe 7;done;;"))
    assert "'aaaa aaa 9'" in report.first_bad[0].message and "Jane" not in report.first_bad[0].message


def test_all_other_columns_may_become_properties_by_their_own_names(shop: Shop) -> None:
    shop.mapping = shop.write("all.yaml", re.sub(r"properties: .*", "properties: all", MAPPING))
    shop.imports(shop.log(ROWS[0]))
    (event,) = shop.events()
    assert event.properties == {"order": "o1", "phase": "done", "sum": "12.5", "till": "3"}


def test_a_time_without_zone_is_bad_when_the_mapping_names_none(shop: Shop) -> None:
    shop.mapping = shop.write("no-zone.yaml", MAPPING.replace(", zone: Europe/Berlin", ""))
    report = shop.imports(shop.log(ROWS[0]))
    assert report.first_bad[0].code == "no_zone" and "time.zone" in report.first_bad[0].message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("source:", "sauce:", "unknown entry sauce"),
        ("Europe/Berlin", "Europe/Berlen", "not an IANA zone"),
        ("is: [done", "was: [done", "unknown entry was"),
        ("type: number", "type: money", "text, number"),
        ("activity: what, ", "", "say which column is the activity"),
        ('";"', '";;"', "delimiter: one character"),
        ("who", "whom", "line 1: there is no column 'whom'; the columns are who, order"),
        ("B: basket_filled", "B: 3", "events.B: needs a text"),
        ("shop.yaml", "gone.yaml", "gone.yaml: cannot be read"),
        ("columns:", "columns: [", "line 6: is not YAML"),
    ],
)
def test_a_wrong_mapping_is_refused_in_one_line_with_what_to_do(
    shop: Shop, old: str, new: str, said: str
) -> None:
    shop.mapping = shop.write("wrong.yaml", MAPPING.replace(old, new, 1))
    result = shop.commands(shop.log(*ROWS), "--json")
    assert result.exit_code == 2
    assert said in result.stderr and result.stderr.count("\n") == 1
    assert shop.events() == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "empty.csv is empty"),
        ("blank.csv", b"\n\n", "blank.csv is empty"),
        ("log.csv.gz", b"who;order\n", "is not gzip"),
        ("log.xlsx", b"PK\x03\x04....", "a zip or Excel file"),
        ("log.csv", b"<?xml version='1.0'?><log/>", "if it is an XES log, name it .xes"),
        ("log.csv", b"\x89PNG\r\n\x1a\n\x00\x00\n", "no CSV header"),
        ("comma.csv", HEADER.replace(";", ",").encode(), "is the delimiter ','?"),
        ("tab.csv", HEADER.replace(";", "\t").encode(), r"is the delimiter '\t'?"),
        ("log.csv", b"who;order;what;at;phase;sum;till;who\n", "two columns are called 'who'"),
        ("log.csv", gzip.compress(b"", mtime=0)[:5], "log.csv is damaged after line 0"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_one_line(
    shop: Shop, name: str, content: bytes, said: str
) -> None:
    result = shop.commands(shop.write(name, content), "--json")
    assert result.exit_code == 2
    assert said in result.stderr and result.stderr.count("\n") == 1


def test_a_damaged_gzip_is_imported_up_to_the_damage_and_whole_when_mended(shop: Shop) -> None:
    rows = [f"c{number};o{number * 7919};B;01.07.2026 10:00:00;done;{number};" for number in range(5000)]
    whole = gzip.compress("\n".join((HEADER, *rows)).encode())
    result = shop.commands(shop.write("log.csv.gz", whole[: len(whole) // 2]), "--json")
    assert result.exit_code == 2 and "log.csv.gz is damaged after line" in result.stderr
    some = orjson.loads(result.stdout)["stored"]
    assert 0 < some == len(shop.events()) < 5000
    report = shop.imports(shop.write("log.csv.gz", whole))
    assert report.stored + report.duplicate == 5000 == len(shop.events())


def test_the_summary_is_one_json_object_and_no_progress_bar(shop: Shop) -> None:
    result = shop.commands(shop.log(*ROWS, "c1;o1;B;never;done;;"), "--json")
    assert result.exit_code == 0 and result.stderr == ""
    summary = orjson.loads(result.stdout)
    assert summary["read"] == 6 and summary["journey"] == "shop"
    assert summary["first_bad"][0]["line"] == 7


def test_people_read_a_table_with_the_bad_rows(shop: Shop) -> None:
    log = shop.log(*ROWS, "c1;o1;B;never;done;;")
    result = shop.commands(log)
    assert result.exit_code == 0 and "filtered out by the mapping" in result.stdout
    assert "line 7: column 'at' looks like 'aaaaa'" in result.stdout
    assert "nothing changed" in shop.commands(log).stdout


def test_a_journey_whose_events_belong_to_another_is_refused(shop: Shop) -> None:
    shop.imports(shop.log(*ROWS))
    shop.write("shop.yaml", JOURNEY.replace("journey: shop", "journey: store"))
    with pytest.raises(CallCenterError, match=r"shop\.yaml: event .* already belongs to journey 'shop'"):
        shop.imports(shop.log(ROWS[0]))


def test_the_import_run_says_how_far_it_came(shop: Shop) -> None:
    log = shop.log(*ROWS)
    shop.imports(log)
    with shop.runtime.reading() as session:
        (run,) = session.exec(select(ImportRun))
    assert (run.file_name, run.lines_done, run.stored) == ("log.csv", 6, 3)
    assert run.ended_at is not None and run.digest != digest_of_file(log)
