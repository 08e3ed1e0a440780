"""Lists of whom not to call come in from files as they are: all of a list counts, or nothing of it."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from callcenter.compliance import imports
from callcenter.compliance.csv_lines import MAX_LINE, Refusals, open_list
from callcenter.compliance.imports import Imported, NumberList, import_numbers, read_only
from callcenter.compliance.ledger_queries import consents_of, entries_of_person, lists, lists_with
from callcenter.compliance.ledgers import NewSuppression
from callcenter.compliance.person_imports import CONSENT_COLUMNS, import_consents, import_people
from callcenter.db import make_engine, read_scope, session_scope
from callcenter.domain.enums import Purpose, SuppressionKind
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, Conflict
from callcenter.models import Customer
from tests.factories import NOON_IN_SHANGHAI as NOW
from tests.servers import plain_url
from tests.system import wait_for

KEY = b"k" * 32
DAY = timedelta(days=1)
MINE, ANOTHERS = "+8613800138000", "+442079460018"
HEADER = ",".join(CONSENT_COLUMNS)


@pytest.fixture(scope="module")
def address(fresh_database: Callable[[str], str]) -> str:
    """A database of these tests' own; each test has lists and customers of its own names."""
    return fresh_database("list_imports")


@pytest.fixture(scope="module")
def engine(address: str) -> Iterator[Engine]:
    engine = make_engine(address)
    yield engine
    engine.dispose()


Import = Callable[..., Imported]


@pytest.fixture
def run(engine: Engine, tmp_path: Path) -> Import:
    """Import what a file holds as a list."""

    def run_it(
        content: bytes | str, key: str = "own", refusals: Refusals | None = None, **more: Any
    ) -> Imported:
        path = tmp_path / "list.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        wanted = NumberList(path=path, key=key, **{"source": "registry", "as_of": NOW, **more})
        return import_numbers(
            wanted, KEY, refusals or Refusals(), partial(session_scope, engine), lambda: NOW
        )

    return run_it


def is_on(engine: Engine, key: str, number: str = MINE) -> bool:
    with read_scope(engine) as session:
        return key in [one.key for one in lists_with(session, KEY, number)]


def stored(engine: Engine) -> int:
    with read_scope(engine) as session:
        return int(
            session.connection().exec_driver_sql("SELECT count(*) FROM suppression_list_number").scalar() or 0
        )


# -- what a file may look like


@pytest.mark.parametrize(
    "content",
    [
        f"number\n{MINE}\n",
        f"\ufeffnumber\r\n{MINE}\r\n",
        f'name;Number\n"Chen; Wei";{MINE}\n',
        f"name\tnumber\nChen\t{MINE}",
        'note,number\n"two\nlines, and ""quotes""",+86 (138) 0013-8000\n',
        "number\n\n   \n0086 138 0013 8000\n",
        "number\n13800138000\n",
        "number,more\n138-0013-8000,,,\n",
    ],
    ids=[
        "plain",
        "bom and crlf",
        "semicolons",
        "tabs",
        "quotes",
        "blank lines",
        "national",
        "commas at the end",
    ],
)
def test_a_list_is_read_however_it_is_written(run: Import, engine: Engine, content: str) -> None:
    done = run(content, "written", region="CN", anyway=True)
    assert (done.read, done.accepted) == (1, 1)
    assert is_on(engine, "written")


def test_a_number_may_lie_in_two_columns_without_names(run: Import, engine: Engine) -> None:
    done = run("212,5552368\n415,5552671\n", "dnc", columns=("1", "2"), has_header=False, region="US")
    assert done.accepted == 2
    assert is_on(engine, "dnc", "+12125552368")


REFUSED = {
    b"+86138001380": "not_a_number",
    b"": "no_number",
    b"+8613800\xff138000": "bad_encoding",
    b"+86138\x0000138000": "nul",
    b'"+8613800138000': "bad_quotes",
    b"+8613800138000,1,2,3": "columns",
    b"1" * (MAX_LINE + 10): "line_too_long",
    b"8.6138E+12": "not_a_number",
}


@pytest.mark.parametrize("bad", list(REFUSED), ids=[f"{n} {code}" for n, code in enumerate(REFUSED.values())])
def test_a_bad_line_is_refused_alone_and_told_by_its_number_only(
    run: Import, engine: Engine, bad: bytes
) -> None:
    report = StringIO()
    refusals = Refusals(report)
    lines = [
        b"number,name",
        ANOTHERS.encode() + b",x",
        bad + (b",x" if len(bad) < 50 else b""),
        MINE.encode() + b",y",
    ]
    done = run(b"\n".join(lines) + b"\n", "bad", refusals, anyway=True)
    assert (done.read, done.accepted, refusals.total) == (3, 2, 1)
    assert refusals.first == [(3, REFUSED[bad])]
    assert is_on(engine, "bad")
    _header, line = report.getvalue().splitlines()
    assert line.startswith(f"3,{REFUSED[bad]},") and "138" not in line


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"number\n", "no valid number"),
        (b"number\n12\n", "no valid number"),
        (b"phone\n+8613800138000\n", "no column 'number'; the columns are phone"),
        (b"number,Number\n1,2\n", "two columns"),
        (b"+8613800138000\n+8613800138001\n", "no names of columns"),
        ("number\n+8613800138000\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04rest", "Excel"),
        (b"\x1f\x8brest", "gzipped"),
        (b"numb\xe9ro\n1\n", "not UTF-8"),
        (b"num\x00ber\n1\n", "NUL"),
        (b"n" * MAX_LINE, "longer than"),
    ],
)
def test_a_file_that_is_no_list_changes_nothing(
    run: Import, engine: Engine, content: bytes, says: str
) -> None:
    run(f"number\n{MINE}\n", "kept")
    with pytest.raises(BadInput, match=says) as refused:
        run(content, "kept", as_of=NOW + DAY / 2)
    assert "138" not in refused.value.message
    assert is_on(engine, "kept")


def test_a_file_of_one_hundred_columns_or_quotes_never_closed_stays_in_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text('number,name\n"+1\n' + f"{MINE},a\n" * 300 + f"{MINE}," + "x," * 98 + "\n")
    with open_list(path) as file:
        rows = list(file.rows())
    assert [one.refused for one in rows] == ["bad_quotes", *[None] * 300, "columns"]
    assert [one.number for one in rows] == list(range(2, 304))


# -- what counts


def test_a_new_copy_takes_the_place_of_the_former_and_its_numbers_go(run: Import, engine: Engine) -> None:
    before = stored(engine)
    run(f"number\n{MINE}\n{ANOTHERS}\n{MINE}\n", "copy", as_of=NOW - DAY)
    done = run(f"number\n{ANOTHERS}\n", "copy")
    assert (done.replaced, done.removed, done.accepted) == (2, 2, 1)
    assert not is_on(engine, "copy") and is_on(engine, "copy", ANOTHERS)
    assert stored(engine) == before + 1
    with read_scope(engine) as session:
        assert [one.in_force for one in lists(session) if one.key == "copy"] == [True, False]


def test_duplicates_are_counted_also_across_portions(run: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "PORTION", 2)
    done = run(f"number\n{MINE}\n{MINE}\n{ANOTHERS}\n{MINE}\n0044 20 7946 0018\n", "twice")
    assert (done.read, done.accepted, done.duplicates) == (5, 2, 3)


@pytest.mark.parametrize(
    ("content", "more", "says"),
    [
        (f"number\n{MINE}\n", {"as_of": NOW - DAY}, "is older"),
        (f"number\n{MINE}\n", {}, "whole"),
        (f"number\n{MINE}\n" + f"{ANOTHERS}1\n" * 3, {}, "refused"),
        (f"number\n{MINE}\n", {"as_of": NOW + 2 * DAY}, "future"),
        (f"number\n{MINE}\n", {"region": "XX"}, "two letters"),
        (f"number\n{MINE}\n", {"source": " "}, "where"),
    ],
)
def test_a_doubtful_copy_does_not_come_into_force(
    run: Import, engine: Engine, content: str, more: dict[str, Any], says: str
) -> None:
    numbers = "".join(f"+86138001390{n:02d}\n" for n in range(5))
    run(f"number\n{numbers}", "doubtful", anyway=True)
    before = stored(engine)
    with pytest.raises(BadInput, match=says):
        run(content, "doubtful", **more)
    assert is_on(engine, "doubtful", "+8613800139003") and not is_on(engine, "doubtful")
    assert stored(engine) == before


def test_a_dry_run_tells_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"number\n{MINE}\nx\n")
    refusals = Refusals()
    wanted = NumberList(path=path, key="dry", source="x", as_of=NOW)
    assert read_only(wanted, KEY, refusals, NOW).accepted == 1
    assert refusals.first == [(3, "not_a_number")]
    with pytest.raises(BadInput, match="NUMBER_KEY"):
        read_only(wanted, b"", refusals, NOW)


def test_a_later_run_of_the_same_list_takes_over_from_one_that_is_under_way(
    run: Import, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "PORTION", 1)
    path = tmp_path / "slow.csv"
    path.write_text(f"number\n{ANOTHERS}\n{MINE}\n")
    slow = NumberList(path=path, key="race", source="slow", as_of=NOW)
    begun = []

    def overtakes(_done: int, _size: int) -> None:
        if not begun:
            begun.append(run(f"number\n{MINE}\n", "race"))

    with pytest.raises(Conflict):
        import_numbers(slow, KEY, Refusals(), partial(session_scope, engine), lambda: NOW, overtakes)
    assert is_on(engine, "race") and not is_on(engine, "race", ANOTHERS)


class Died(Exception):
    """The process is gone."""


@pytest.mark.parametrize("after", range(1, 7))
def test_stopped_anywhere_an_import_has_changed_nothing_or_everything(
    run: Import, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Transactions: begin, three portions, into force, what is removed."""
    monkeypatch.setattr(imports, "PORTION", 1)
    key = f"stopped-{after}"
    former = [f"+86138001370{n:02d}" for n in range(3)]
    run("number\n" + "\n".join(former), key, as_of=NOW - DAY)
    before = stored(engine)
    path = tmp_path / "next.csv"
    path.write_text("number\n" + "\n".join(one[:-4] + f"9{n:03d}" for n, one in enumerate(former)))
    wanted = NumberList(path=path, key=key, source="x", as_of=NOW)
    left = [after]

    @contextmanager
    def dies() -> Iterator[Session]:
        with session_scope(engine) as session:
            yield session
            left[0] -= 1
            if left[0] < 0:
                raise Died

    unit: Callable[[], AbstractContextManager[Session]] = dies
    with pytest.raises(Died):
        import_numbers(wanted, KEY, Refusals(), unit, lambda: NOW)
    assert is_on(engine, key, former[0]) is (after < 5)
    done = import_numbers(wanted, KEY, Refusals(), partial(session_scope, engine), lambda: NOW)
    assert (done.accepted, done.duplicates) == (3, 0)
    assert not is_on(engine, key, former[0])
    assert stored(engine) == before


@pytest.mark.slow
def test_killed_half_way_the_former_list_counts_and_the_next_run_ends_well(
    engine: Engine, address: str, redis_url: str, tmp_path: Path
) -> None:
    chance = random.Random(1)
    path = tmp_path / "large.csv"
    rows = "".join(f"+86139{chance.randrange(10**8):08d}\n" for _ in range(250_000))
    small, key_env = tmp_path / "small.csv", {"NUMBER_KEY": "k" * 32}
    small.write_text(f"number\n{MINE}\n")
    path.write_text(f"number\n{rows}")
    environ = {
        **os.environ, **key_env, "DATABASE_URL": address, "REDIS_URL": redis_url, "DEMO": "0",
        "CALLCENTER_HOME": str(tmp_path / "home"),
    }  # fmt: skip

    def start(file: Path, as_of: datetime) -> "subprocess.Popen[bytes]":
        command = [
            sys.executable,
            "-m",
            "callcenter.cli",
            "suppress",
            "import",
            str(file),
            "--list",
            "killed",
        ]
        return subprocess.Popen(
            [*command, "--source", "registry", "--as-of", as_of.isoformat()],
            env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    first = start(small, NOW - 40 * DAY)
    assert (first.communicate()[0], first.returncode)[1] == 0
    before = stored(engine)
    killed = start(path, NOW - 35 * DAY)
    wait_for(lambda: stored(engine) > before, 90, "the first portion")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert is_on(engine, "killed")
    again = start(path, NOW - 35 * DAY)
    said, _ = again.communicate()
    assert again.returncode == 0, said
    assert not is_on(engine, "killed")
    with psycopg.connect(plain_url(address)) as connection:
        in_force = connection.execute(
            "SELECT accepted FROM suppression_list WHERE key = 'killed' AND in_force"
        )
        (accepted,) = in_force.fetchone() or (0,)
    assert accepted > 249_000
    assert stored(engine) == before - 1 + accepted


# -- customers and consents


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose writes are undone."""
    with read_scope(engine) as opened:
        yield opened


BAR = NewSuppression(kind=SuppressionKind.DO_NOT_CALL, source="court list")


def test_customers_are_barred_by_the_banks_own_ids_once(session: Session, tmp_path: Path) -> None:
    session.add(Customer(id=derived_id("customer", "c-7"), external_id="c-7", created_at=NOW, updated_at=NOW))
    path = tmp_path / "people.csv"
    path.write_text(f"customer_id;name\nc-7;x\nc-8;y\nc-7;x\n ;z\n{'c' * 257};z\n")
    refusals = Refusals()
    done = import_people(session, path, "customer_id", BAR, refusals, NOW)
    assert (done.read, done.accepted, done.known, done.strangers) == (5, 2, 1, 1)
    assert refusals.first == [(5, "no_customer"), (6, "no_customer")]
    (entry,) = entries_of_person(session, derived_id("customer", "c-8"), NOW)
    assert (entry.source, entry.in_force) == ("court list", True)
    again = import_people(session, path, "customer_id", BAR, Refusals(), NOW + DAY)
    assert (again.accepted, again.known) == (0, 3)


def test_people_are_not_imported_without_one_valid_line(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("customer_id\n \n")
    with pytest.raises(BadInput, match="no valid line"):
        import_people(session, path, "customer_id", BAR, Refusals(), NOW)
    with pytest.raises(BadInput, match="limited"):
        import_people(session, path, "customer_id", replace(BAR, campaign="loan"), Refusals(), NOW)


def test_consents_come_in_with_what_proves_them(session: Session, tmp_path: Path) -> None:
    good = "c-9,marketing,v3,2026-11-01T09:00:00+08:00,2027-11-01T00:00:00Z,form 12"
    wrong = {
        "no_customer": ",marketing,v3,2026-11-01T09:00:00Z,,form",
        "unknown_purpose": "c-9,promotions,v3,2026-11-01T09:00:00Z,,form",
        "no_text_version": "c-9,marketing,,2026-11-01T09:00:00Z,,form",
        "no_proof": "c-9,marketing,v3,2026-11-01T09:00:00Z,,",
        "too_long": f"c-9,marketing,v3,2026-11-01T09:00:00Z,,{'f' * 501}",
        "bad_time": "c-9,marketing,v3,2026-11-01 09:00,,form",
        "future_time": "c-9,marketing,v3,2027-11-01T09:00:00Z,,form",
        "consent_ended": "c-9,marketing,v3,2026-11-01T09:00:00Z,2026-10-01T09:00:00Z,form",
        "columns": "c-9,marketing",
    }
    path = tmp_path / "consents.csv"
    path.write_text("\n".join([HEADER, good, *wrong.values(), good]))
    refusals = Refusals()
    done = import_consents(session, path, "branch files", refusals, NOW)
    assert (done.read, done.accepted, done.known, done.strangers) == (11, 1, 1, 1)
    assert sorted(refusals.by_code) == sorted(wrong)
    (kept,) = consents_of(session, derived_id("customer", "c-9"), NOW)
    assert (kept.purpose, kept.stands, kept.proof, kept.source) == (
        Purpose.MARKETING, True, "form 12", "branch files",
    )  # fmt: skip
    assert import_consents(session, path, "branch files", Refusals(), NOW).accepted == 0
    with pytest.raises(BadInput, match="--source"):
        import_consents(session, path, " ", Refusals(), NOW)
