"""Importing an XES log: the same events as its CSV form, in bounded memory, and no trust in the file."""

import gzip
import re
import tracemalloc
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson
import pytest

from callcenter.commands.import_events import load_mapping
from callcenter.domain.events import PlacedEvent, Rejection
from callcenter.errors import BadInput
from callcenter.intake.imports import ImportJob, import_log
from callcenter.intake.logfile import open_log
from callcenter.intake.mapping import read_mapping
from callcenter.models import JourneyEvent
from tests.flow.shop import Shop, killed_after

pytestmark = pytest.mark.slow

MAPPING = """
source: shop-log
journey: shop.yaml
columns: {customer: "case:owner", journey_key: case, activity: "concept:name", time: "time:timestamp"}
time: {format: iso, zone: Europe/Berlin}
keep: [{column: "lifecycle:transition", is: complete}]
events: {B: basket_filled, P: paid}
properties: {amount: {column: "case:sum", type: number}, till: till}
"""
ONE_COLUMN = MAPPING.replace('"case:sum"', "till")
"""The same for logs whose events have no more than `till`."""
HEADER = ("case", "case:owner", "case:sum", "concept:name", "time:timestamp", "lifecycle:transition", "till")
ROWS = (
    ("o1", "c1", "12.5", "B", "2026-07-01T10:00:00.250+02:00", "start", "3"),
    ("o1", "c1", "12.5", "B", "2026-07-01T10:00:00.250+02:00", "complete", "3"),
    ("o1", "c1", "12.5", "P", "2026-07-01 08:00:01+00:00", "complete", ""),
    ("o2", "c2", "", "B", "2026-01-05T10:00:00", "complete", "4 < 5 & \"6\" 'é'"),
    ("o2", "c2", "", "X", "2026-01-05T10:00:00.000Z", "complete", "4"),
)


def attribute(key: str, value: str, tag: str = "string", inside: str = "") -> str:
    """One attribute as XES writes it."""
    return f"<{tag} key={quoteattr(key)} value={quoteattr(value)}>{inside}</{tag}>"


def event(name: str = "B", at: str = "2026-07-01T08:00:00Z", more: str = "", **others: str) -> str:
    """One event; `more` is XML of its own."""
    parts = [attribute("concept:name", name), attribute("time:timestamp", at, "date")]
    parts += [attribute(key, value) for key, value in {"lifecycle:transition": "complete", **others}.items()]
    return f"<event>{''.join(parts)}{more}</event>"


def trace(name: str, *events: str, owner: str = "c1") -> str:
    """One trace with its events."""
    return f"<trace>{attribute('concept:name', name)}{attribute('owner', owner)}{''.join(events)}</trace>"


def log(*traces: str) -> bytes:
    """A whole log, with the declarations a log has."""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- a comment -->\n'
        '<log xes.version="1849.2016" xmlns="http://www.xes-standard.org/">'
        '<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>'
        '<global scope="event"><string key="concept:name" value="UNKNOWN"/></global>'
        '<classifier name="Activity" keys="concept:name"/>' + attribute("source", "shop")
    )
    return f"{head}{''.join(traces)}</log>\n".encode()


def many(count: int) -> bytes:
    """A log of so many events, ten to a trace."""
    return log(
        *(
            trace(f"o{first}", *(event(till=str(number)) for number in range(first, min(first + 10, count))))
            for first in range(0, count, 10)
        )
    )


def xes_of(rows: tuple[tuple[str, ...], ...]) -> bytes:
    """Write rows under HEADER as XES: what is blank is left out, a trace is what follows under one case."""
    traces: dict[str, list[str]] = {}
    for row in rows:
        cells = {name: text for name, text in zip(HEADER, row, strict=True) if text}
        part = traces.setdefault(cells.pop("case"), [])
        if not part:
            part.append(attribute("concept:name", row[0]))
            part += [attribute(key[5:], text) for key, text in cells.items() if key.startswith("case:")]
        inside = (attribute(key, text) for key, text in cells.items() if not key.startswith("case:"))
        part.append(f"<event>{''.join(inside)}</event>")
    return log(*(f"<trace>{''.join(parts)}</trace>" for parts in traces.values()))


def _said(row: JourneyEvent) -> dict[str, Any]:
    return row.model_dump(exclude={"id", "message_id", "source_id"})


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """The shop with a mapping for XES."""
    shop.mapping = shop.write("mapping.yaml", ONE_COLUMN)
    return shop


@pytest.mark.parametrize("name", ["log.xes", "log.xes.gz"])
def test_a_log_gives_the_same_events_in_xes_as_in_csv(shop: Shop, name: str) -> None:
    quoted = (['"' + text.replace('"', '""') + '"' for text in row] for row in (HEADER, *ROWS))
    shop.mapping = shop.write("csv.yaml", MAPPING)
    csv_report = shop.imports(shop.write("log.csv", "\n".join(map(",".join, quoted))))
    from_csv = shop.events()
    shop.mapping = shop.write("xes.yaml", MAPPING.replace("shop-log", "shop-log-xes"))
    content = xes_of(ROWS)
    report = shop.imports(shop.write(name, gzip.compress(content) if name.endswith("gz") else content))
    both = shop.events()
    from_xes = [row for row in both if row.source_id != from_csv[0].source_id]
    assert [_said(row) for row in from_xes] == [_said(row) for row in from_csv]
    assert len(from_xes) == 4 and from_xes[0].properties == {"amount": 12.5, "till": "3", "order": "o1"}
    assert (report.read, report.stored, report.filtered, report.bad) == (5, 4, 1, 0)
    assert report == csv_report


def test_without_columns_the_names_of_the_standard_are_meant(shop: Shop) -> None:
    shop.mapping = shop.write("short.yaml", "{source: s, journey: shop.yaml, properties: all}")
    number = attribute("sum", "12", "int")
    shop.imports(shop.write("log.xes", log(trace("c7", event("paid", more=number, colour="red", none="")))))
    (row,) = shop.events()
    assert (row.name, row.step) == ("paid", "paid")
    assert row.properties == {
        "case:owner": "c1",
        "colour": "red",
        "lifecycle:transition": "complete",
        "sum": 12,
    }


def test_attributes_inside_attributes_are_named_by_both_and_lists_are_joined(shop: Shop) -> None:
    inside = attribute("part", "a", inside=attribute("size", "2", "int")) + attribute("part", "b")
    more = f"<list key='parts'><values>{inside}</values></list>" + attribute("till", "3", inside="<!-- -->")
    shop.mapping = shop.write("all.yaml", "{source: s, journey: shop.yaml, properties: all}")
    shop.imports(shop.write("log.xes", log(trace("o1", event(more=more)))))
    (row,) = shop.events()
    assert row.properties["parts.part"] == "a, b" and row.properties["parts.part.size"] == 2
    assert row.properties["till"] == "3"


def test_the_standards_prefix_may_be_written_out(shop: Shop) -> None:
    content = log(trace("o1", event(till="3"))).decode()
    prefixed = re.sub(r"<(/?)(log|trace|event|string|date|global)\b", r"<\1xes:\2", content)
    shop.mapping = shop.write("short.yaml", "{source: s, journey: shop.yaml}")
    report = shop.imports(shop.write("log.xes", prefixed.replace("xmlns=", "xmlns:xes=")))
    assert report.stored == 1


def test_equal_times_keep_the_order_of_the_file(shop: Shop) -> None:
    shop.imports(shop.write("log.xes", many(30)))
    assert [row.properties["amount"] for row in shop.events()] == list(range(30))


BAD_EVENTS = (
    (event(at="01.07.2026 10:00"), "bad_time"),
    (event(name=""), "no_activity"),
    ("<event/>", "no_activity"),
    (event(at="2126-07-01T08:00:00Z"), "future_time"),
    (event(more='<string value="3"/>'), "bad_attribute"),
    (event(more='<string key="till"/>'), "bad_attribute"),
    (event(more=attribute("till", "1") + attribute("till", "2")), "repeated_attribute"),
    (event(till="x" * 40_000), "event_too_large"),
)


def test_bad_events_are_reported_by_their_number_and_kept_and_the_rest_goes_through(shop: Shop) -> None:
    shop.mapping = shop.write("m.yaml", ONE_COLUMN.replace("keep:", "keep: [] #"))
    good = event(till="7")
    events = [good, *(bad for bad, _ in BAD_EVENTS), good]
    content = log(trace("o1", *events), trace("o3", good, owner=""))
    report = shop.imports(shop.write("log.xes", content))
    codes = [code for _, code in BAD_EVENTS] + ["bad_customer"]
    assert [one.code for one in report.first_bad] == codes
    assert [row.code for row in shop.quarantine()] == codes
    assert [row.position for row in shop.quarantine()] == [*range(2, 10), 11]
    assert (report.read, report.stored, report.bad) == (11, 2, 9)
    assert "'concept:name': 'B'" in shop.quarantine()[0].raw["text"]
    assert (
        "event 2: column 'time:timestamp'" in shop.commands(shop.write("again.xes", content + b"\n")).stdout
    )


def test_a_trace_that_is_wrong_spoils_its_own_events_only(shop: Shop) -> None:
    big = trace("o1", event(till="1"), event(till="2")).replace('value="c1"', f'value="{"c" * 40_000}"', 1)
    content = log(trace("o0", event(**{"till": "0"})), big, trace("o2", event(till="3")))
    report = shop.imports(shop.write("log.xes", content))
    assert (report.stored, [one.code for one in report.first_bad]) == (2, ["event_too_large"] * 2)


@pytest.mark.parametrize("chunks", [0, 1, 4])
def test_a_killed_import_goes_on_where_it_was(shop: Shop, chunks: int) -> None:
    file = shop.write("log.xes", many(95))
    job = ImportJob(file, load_mapping(shop.mapping), "one digest", "order", PlacedEvent)
    with pytest.raises(KeyboardInterrupt):
        import_log(job, killed_after(shop.runtime, chunks), shop.runtime.clock, chunk_rows=10)
    report = import_log(job, shop.runtime.unit_of_work, shop.runtime.clock, chunk_rows=10)
    assert (report.stored_before, report.resumed_after_line) == (chunks * 10, chunks * 10)
    assert (report.stored, report.duplicate) == (95 - chunks * 10, 0)
    assert [row.properties["amount"] for row in shop.events()] == list(range(95))


@pytest.mark.parametrize("is_zipped", [False, True], ids=["plain", "gzip"])
def test_a_log_that_breaks_off_is_imported_up_to_there_and_whole_when_mended(
    shop: Shop, is_zipped: bool
) -> None:
    whole = gzip.compress(many(5_000)) if is_zipped else many(5_000)
    name = "log.xes.gz" if is_zipped else "log.xes"
    result = shop.commands(shop.write(name, whole[: len(whole) // 2]), "--json")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert re.search(rf"{name} is damaged after event \d+ \(.*; get it again", result.stderr)
    some = orjson.loads(result.stdout)["stored"]
    assert 0 < some == len(shop.events()) < 5_000
    report = shop.imports(shop.write(name, whole))
    assert (report.stored, report.duplicate) == (5_000 - some, some)
    assert len(shop.events()) == 5_000


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        (b"</event></event>", "mismatched tag"),
        (b"\xff</event>", "not well-formed"),
        (b"</event><trace/>", "a <trace> stands in <trace>"),
        (b"<event></event></event>", "an <event> stands in <event>"),
        (b"</event><string key='late' value='1'/>", "must come first"),
        (b"&bomb;</event>", "undefined entity"),
        (b"<container key='a'>" * 40, "nested deeper than 32"),
    ],
)
def test_damage_half_way_ends_the_import_there_and_says_where(shop: Shop, spoiled: bytes, said: str) -> None:
    before, _, after = many(100).partition(b'value="50"></string></event>')
    damaged = before + b'value="50"></string>' + spoiled + after
    result = shop.commands(shop.write("log.xes", damaged), "--json")
    assert result.exit_code == 2 and said in result.stderr and "damaged after event 5" in result.stderr
    assert len(shop.events()) in (50, 51) and shop.quarantine() == []


_LAUGHS = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE log [<!ENTITY l0 "ha">{_LAUGHS}]><log><trace>&l9;</trace></log>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE log SYSTEM "file:///etc/passwd"><log/>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BOMB, "declares a document type or entities, which no event log needs"),
        (OUTSIDE, "declares a document type or entities, which no event log needs"),
        ("", "log.xes is empty"),
        ("who;order\n", "log.xes is no XES log (line 1: not well-formed"),
        ("<html><body/></html>", "is no XES log (it begins with <html>, an XES log with <log>)"),
        (log().decode(), "holds no event"),
        ("<log><trace/><trace/></log>", "holds no event"),
        ("<log><trace>", "damaged after event 0"),
        (
            f"<log>{event(till='1')}</log>",
            "no event has an attribute 'case:owner'; the attributes are concept:",
        ),
        (
            log(trace("o1", event(tilt="1"))).decode(),
            "no event has an attribute 'till'; the attributes are case,",
        ),
    ],
    ids=["bomb", "outside", "empty", "csv", "html", "no trace", "no event", "cut", "no traces", "misspelt"],
)
def test_a_file_that_is_no_log_is_refused_in_one_line_and_nothing_is_stored(
    shop: Shop, content: str, said: str
) -> None:
    result = shop.commands(shop.write("log.xes", content), "--json")
    assert result.exit_code == 2
    assert said in result.stderr and result.stderr.count("\n") == 1
    assert shop.events() == []


def _peak_of_reading(path: Path) -> tuple[int, int]:
    """Return how many events a log has, and how many bytes reading them held at most."""
    mapping = read_mapping({"source": "s", "journey": "j"})
    tracemalloc.start()
    try:
        with open_log(path, mapping) as opened:
            count = sum(not isinstance(fields, Rejection) for _, fields in opened.rows())
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_reading_takes_the_same_memory_however_long_the_log(tmp_path: Path) -> None:
    peaks = []
    for count in (2_000, 20_000):
        path = tmp_path / f"{count}.xes.gz"
        path.write_bytes(gzip.compress(many(count), 1))
        found, peak = _peak_of_reading(path)
        assert found == count
        peaks.append(peak)
    assert peaks[1] < 1.2 * peaks[0] and peaks[1] < 4_000_000


@pytest.mark.parametrize("opened", [b"<event><string key='a' value='", b"<!--", b"<event "])
def test_an_element_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path, opened: bytes) -> None:
    path = tmp_path / "bomb.xes.gz"
    head = log(trace("o1", event())).removesuffix(b"</log>\n")
    path.write_bytes(gzip.compress(head + opened + b"x" * 50_000_000, 1))
    with pytest.raises(BadInput, match="an element is longer than 1,000,000 bytes"):
        _peak_of_reading(path)
