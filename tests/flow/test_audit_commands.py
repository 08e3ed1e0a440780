"""`callcenter audit`: what it prints, and how it ends."""

from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZipFile

import orjson
import psycopg
import pytest
from click.testing import CliRunner, Result

from callcenter import ledgers
from callcenter.commands.audit import audit
from callcenter.domain.enums import ScreeningPoint
from callcenter.domain.ids import derived_id
from callcenter.models import Customer, ScreeningDecision
from callcenter.runtime import Runtime
from tests.servers import plain_url, test_settings


@pytest.fixture
def runtime(tmp_path: Path, fresh_database: Callable[[str], str], redis_url: str) -> Iterator[Runtime]:
    """A database with one person and three sealed decisions on them."""
    url = fresh_database("audit")
    made = Runtime(test_settings(tmp_path / "home", DATABASE_URL=url, REDIS_URL=redis_url))
    now = made.clock()
    with made.unit_of_work() as session:
        person = Customer(
            id=derived_id("customer", "c1"),
            external_id="c1",
            name="陈伟",
            number="+8613800138000",
            created_at=now,
            updated_at=now,
        )
        session.add(person)
        session.add_all(
            ScreeningDecision(
                asked_at=now,
                for_at=now,
                point=ScreeningPoint.DIAL,
                customer_id=person.id,
                may_call=True,
                policy_version="cn-bank@2026-01-01",
            )
            for _ in range(3)
        )
        session.flush()
        assert ledgers.seal_rows(session, now) == 3
    yield made
    made.engine.dispose()


def call(runtime: Runtime, *words: str) -> Result:
    home = runtime.settings.home
    env = {
        "DATABASE_URL": runtime.settings.database_url,
        "REDIS_URL": runtime.settings.redis_url,
        "CALLCENTER_HOME": str(home),
    }
    return CliRunner().invoke(audit, list(words), env=env)


def test_a_chain_that_holds_names_its_head_and_one_that_does_not_the_row(runtime: Runtime) -> None:
    head = call(runtime, "head").stdout.strip()
    held = call(runtime, "verify", "--expect", head)
    assert held.exit_code == 0 and "the chain holds: 3 links" in held.stdout
    assert held.stdout.endswith(f"head to write down: {head}\n")
    with psycopg.connect(plain_url(runtime.database_url)) as connection:
        connection.execute("ALTER TABLE screening_decision DISABLE TRIGGER ledger_is_append_only")
        connection.execute("UPDATE screening_decision SET may_call = false WHERE id = 2")
    broken = call(runtime, "verify", "--json")
    said = orjson.loads(broken.stdout)
    assert (broken.exit_code, said["holds"], said["faults"], said["head"]) == (1, False, 1, head)
    (finding,) = said["findings"]
    assert (finding["fault"], finding["ledger"], finding["row_id"]) == ("altered", "screening_decision", 2)
    assert call(runtime, "verify", "--from", "2").exit_code == 0
    cut = call(runtime, "verify", "--expect", "9:" + "ab" * 32)
    assert cut.exit_code == 1 and "the chain ends at link 3" in cut.stdout


def test_an_export_is_a_file_of_ones_own_and_an_audit_entry(runtime: Runtime, tmp_path: Path) -> None:
    out = tmp_path / "c1.zip"
    done = call(runtime, "export", "--customer", "c1", "--format", "json", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert out.stat().st_mode & 0o777 == 0o600 and [*tmp_path.glob("*.part")] == []
    with ZipFile(out) as archive:
        assert len(archive.read("screening_decisions.jsonl").splitlines()) == 3
    assert call(runtime, "erase", "--customer", "c1", "--why", "asked by letter", "--yes").exit_code == 0
    assert call(runtime, "export", "--customer", "c1", "--format", "json", "--out", str(out)).exit_code == 0
    with ZipFile(out) as archive:
        assert len(archive.read("screening_decisions.jsonl").splitlines()) == 3, (
            "kept, and found by the same id"
        )
        assert b"customer.erased" in archive.read("audit_entries.jsonl")
    period = tmp_path / "all.zip"
    done = call(runtime, "export", "--from", "2020-01-01", "--to", "2100-01-01", "--out", str(period))
    assert done.exit_code == 0
    with ZipFile(period) as archive:
        assert b"evidence.exported" in archive.read("audit_entries.csv")
    assert call(runtime, "export", "--from", "2020-01-01", "--out", str(period)).exit_code != 0
    assert call(runtime, "export", "--customer", "nobody", "--out", str(period)).exit_code != 0


def test_an_erasure_says_what_went_and_what_stays(runtime: Runtime) -> None:
    asked = call(runtime, "erase", "--customer", "c1", "--why", "asked by letter")
    assert asked.exit_code == 1 and "cannot be taken back" in asked.output
    done = call(runtime, "erase", "--customer", "c1", "--why", "asked by letter", "--yes")
    assert done.exit_code == 0, done.output
    assert "erased  profiles: 1" in done.stdout and "kept    screening decisions: 3," in done.stdout
    assert "陈伟" not in done.output and "138000" not in done.output
