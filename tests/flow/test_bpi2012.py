"""A real log, BPI Challenge 2012 (doi 10.4121/uuid:3926db30-f712-4394-aebc-75976070e91f): 262,200 events.

The figures were counted without this program. Skipped where the log is not at hand: put
`bpi2012/events.csv.gz` into the folder that CALLCENTER_SHARED_DATA names.
"""

import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from callcenter.commands.back_test import back_test_command
from callcenter.commands.funnel import funnel_command
from callcenter.commands.import_events import import_events_command

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "bpi2012"
LOG = (
    Path(os.environ.get("CALLCENTER_SHARED_DATA", ROOT.parent / "shared" / "data")) / "bpi2012/events.csv.gz"
)

pytestmark = [
    pytest.mark.log,
    pytest.mark.skipif(not LOG.exists(), reason=f"the BPI Challenge 2012 log is not at {LOG}"),
]


@pytest.fixture(scope="module")
def servers_environ(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, str]:
    """The environment of commands, on a database into which the log has been imported once."""
    fresh_database: Callable[[str], str] = request.getfixturevalue("fresh_database")
    running = request.getfixturevalue("server_pair")
    environ = {"DATABASE_URL": fresh_database("bpi2012"), "REDIS_URL": running.redis_url}
    summary = imports(environ)
    assert (summary["read"], summary["stored"], summary["filtered"]) == (262_200, 92_093, 170_107)
    assert (summary["bad"], summary["duplicate"]) == (0, 0)
    return environ


def imports(environ: dict[str, str]) -> dict[str, object]:
    """Import the log as the command does and return its summary."""
    arguments = [str(LOG), "--mapping", str(EXAMPLE / "mapping.yaml"), "--json"]
    result = CliRunner().invoke(import_events_command, arguments, env=environ, catch_exceptions=False)
    summary: dict[str, object] = orjson.loads(result.stdout)
    return summary


def test_importing_the_log_again_changes_nothing(servers_environ: dict[str, str]) -> None:
    summary = imports(servers_environ)
    assert summary["was_finished"] and summary["stored"] == 0 and summary["stored_before"] == 92_093


def test_the_funnel_is_the_published_one(servers_environ: dict[str, str]) -> None:
    result = CliRunner().invoke(funnel_command, ["bpi2012", "--json"], env=servers_environ)
    assert {one["step"]: one["reached"] for one in orjson.loads(result.stdout)["steps"]} == {
        "submitted": 13_087,
        "pre_accepted": 7_367,
        "accepted": 5_113,
        "offer_sent": 5_015,
        "offer_returned": 3_254,
        "approved": 2_246,
    }


Reference = dict[str, list[tuple[datetime, str]]]


@pytest.fixture(scope="module")
def applications() -> Reference:
    """The completed A_ and O_ events of every application, in time and file order."""
    found: Reference = defaultdict(list)
    with gzip.open(LOG, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["lifecycle:transition"] == "COMPLETE" and row["concept:name"][:2] in ("A_", "O_"):
                at = datetime.fromisoformat(row["time:timestamp"])
                found[row["case"]].append((at, row["concept:name"]))
    for events in found.values():
        events.sort(key=lambda event: event[0])  # stable: equal times keep the order of the file
    return found


ENDS = {"O_SENT_BACK", "O_CANCELLED", "O_DECLINED", "A_CANCELLED", "A_DECLINED"}


def reference_firings(applications: Reference, after: timedelta) -> Iterator[tuple[str, datetime, datetime]]:
    """Each offer that opened and met no end within `after`, as far as the log goes; no clocks, no visits."""
    last = max(at for events in applications.values() for at, _ in events)
    for case, events in applications.items():
        opened: datetime | None = None
        for at, name in [*events, (last + timedelta(days=10_000), "A_CANCELLED")]:
            if opened is None:
                opened = at if name == "O_SENT" else None
            elif name in ENDS:
                if opened + after < at and opened + after <= last:
                    yield case, opened, opened + after
                opened = None


@pytest.mark.parametrize(("days", "fired"), [(1, 5_970), (7, 4_230), (14, 1_978)])
def test_the_back_test_fires_for_the_same_offers_at_the_same_times_as_a_plain_reading(
    servers_environ: dict[str, str], applications: Reference, days: int, fired: int
) -> None:
    arguments = [str(EXAMPLE / "offer-silent.yaml"), "--after", f"{days}d", "--json"]
    result = CliRunner().invoke(back_test_command, arguments, env=servers_environ, catch_exceptions=False)
    said = orjson.loads(result.stdout)
    found = sorted(
        (one["journey_key"], datetime.fromisoformat(one["anchor_at"]), datetime.fromisoformat(one["due_at"]))
        for one in said["firings"]
    )
    assert found == sorted(reference_firings(applications, timedelta(days=days)))
    assert said["fired"] == len(found) == fired
    assert all(one["customer"] == one["journey_key"] for one in said["firings"])


def test_nothing_but_the_stated_events_and_harmless_ones_comes_while_an_offer_is_open(
    applications: Reference,
) -> None:
    """What the journey's file relies on: no earlier step is entered again while an offer is open."""
    during = set()
    for events in applications.values():
        is_open = False
        for _, name in events:
            if is_open:
                during.add(name)
            is_open = name == "O_SENT" or (is_open and name not in ENDS)
    assert during - ENDS <= {
        "O_SENT",
        "A_APPROVED",
        "O_SELECTED",
        "O_CREATED",
        "O_ACCEPTED",
        "A_REGISTERED",
        "A_ACTIVATED",
    }
