"""`callcenter suppress` and `callcenter consent` at the shell: what they say, never say, and keep."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlmodel import select

from callcenter.cli import main
from callcenter.domain.ids import derived_id
from callcenter.models import AuditEntry, Customer
from callcenter.runtime import Runtime
from tests.factories import NOON_IN_SHANGHAI as NOW
from tests.servers import test_settings

NUMBER, KEY, FORMER = "+8613800138000", "k" * 32, "f" * 32
Shell = Callable[..., Result]


@pytest.fixture
def runtime(tmp_path: Path, fresh_database: Callable[[str], str], redis_url: str) -> Iterator[Runtime]:
    """An instance with one customer, c-7."""
    address = fresh_database("list_commands")
    settings = test_settings(tmp_path / "home", DATABASE_URL=address, REDIS_URL=redis_url, NUMBER_KEY=KEY)
    runtime = Runtime(settings)
    with runtime.unit_of_work() as session:
        who = derived_id("customer", "c-7")
        session.add(Customer(id=who, external_id="c-7", number=NUMBER, created_at=NOW, updated_at=NOW))
    yield runtime
    runtime.engine.dispose()


@pytest.fixture
def shell(runtime: Runtime) -> Shell:
    """Run a command against that instance."""

    def run(*words: object, key: str = KEY, says: str | None = None) -> Result:
        env = {
            "DATABASE_URL": runtime.database_url,
            "REDIS_URL": runtime.redis_url,
            "NUMBER_KEY": key,
            "DEMO": "0",
        }
        return CliRunner().invoke(main, list(map(str, words)), env=env, input=says)

    return run


def acts(runtime: Runtime) -> list[str]:
    with runtime.reading() as session:
        return list(session.exec(select(AuditEntry.act).order_by(AuditEntry.id)))  # type: ignore[arg-type]


def test_a_list_is_imported_shown_and_found(shell: Shell, runtime: Runtime, tmp_path: Path) -> None:
    file, report = tmp_path / "dnc.csv", tmp_path / "refused.csv"
    file.write_text(f"number,state\n{NUMBER},NY\n12345,NY\n(212) 555-2368,NY\n")
    words = ("suppress", "import", file, "--list", "us-dnc", "--source", "registry", "--as-of", "2026-11-01")
    dry = shell(*words, "--dry-run")
    assert "1 numbers can be read, 2 lines cannot. Nothing was changed." in dry.stdout
    done = shell(*words, "--region", "us", "--report", report)
    assert done.exit_code == 0 and "us-dnc is in force." in done.stdout
    assert "1 refused: not_a_number" in done.stderr and "12345" not in done.output
    assert report.read_text().splitlines()[1].startswith("3,not_a_number,")
    assert "in force" in shell("suppress", "show").stdout
    found = shell("suppress", "show", "--number", "-", says=f"{NUMBER}\n")
    assert "list us-dnc as of 2026-11-01 (registry) bars all calls" in found.stdout
    assert NUMBER not in found.output
    assert "us-dnc" in shell("suppress", "show", "--customer", "c-7").stdout
    assert acts(runtime) == ["suppression_list.imported"]


@pytest.mark.parametrize(
    ("content", "words", "says"),
    [
        ("number\n+1\n", (), "--list and --as-of"),
        ("number,customer_id\n1,2\n", ("--list", "x", "--as-of", "2026-11-01"), "say which column"),
        ("number\n+1\n", ("--list", "x", "--as-of", "2026-11-01"), "no valid number"),
        ("number\n+1\n", ("--list", "x", "--as-of", "2026-11-01", "--region", "XX"), "two letters"),
        ("", ("--list", "x", "--as-of", "2026-11-01"), "is empty"),
    ],
)
def test_a_wrong_import_ends_with_one_line_and_code_2(
    shell: Shell, tmp_path: Path, content: str, words: tuple[str, ...], says: str
) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text(content)
    result = shell("suppress", "import", file, "--source", "x", *words)
    assert result.exit_code == 2 and says in result.stderr


def test_the_report_does_not_overwrite_the_list(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "dnc.csv"
    file.write_text(f"number\n{NUMBER}\n")
    words = ("suppress", "import", file, "--list", "x", "--source", "x", "--as-of", "2026-11-01")
    assert shell(*words, "--report", file).exit_code == 2
    assert NUMBER in file.read_text()


def test_customers_are_barred_and_entries_added_and_shown(
    shell: Shell, runtime: Runtime, tmp_path: Path
) -> None:
    file = tmp_path / "court.csv"
    file.write_text("customer_id\nc-7\nc-8\n\n")
    said = shell("suppress", "import", file, "--source", "court").stdout
    assert "2 customers barred" in said and "Not met yet: 1" in said
    assert (
        "Entry" in shell("suppress", "add", "--customer", "c-9", "--kind", "deceased", "--source", "x").stdout
    )
    added = shell("suppress", "add", "--number", "-", "--source", "letter", says="+86 138 0013 8000\n")
    assert added.exit_code == 0
    shown = shell("suppress", "show", "--customer", "c-7").stdout
    assert "court" in shown and "letter" in shown and "(number)" in shown
    assert "deceased" in shell("suppress", "show", "--customer", "c-9").stdout
    assert "Nothing stands" in shell("suppress", "show", "--customer", "c-10").stdout
    assert shell("suppress", "add", "--source", "x").exit_code == 2
    assert shell("suppress", "add", "--number", "12", "--source", "x").exit_code == 2
    assert acts(runtime) == ["suppression.imported", "suppression.added", "suppression.added"]


def test_after_a_change_of_the_key_entries_move_and_lists_are_named(
    shell: Shell, tmp_path: Path, runtime: Runtime
) -> None:
    file, former = tmp_path / "own.csv", tmp_path / "former"
    file.write_text(f"number\n{NUMBER}\n")
    former.write_text(FORMER + "\n")
    shell("suppress", "add", "--number", NUMBER, "--source", "letter", key=FORMER)
    words = ("suppress", "import", file, "--list", "own", "--source", "x", "--as-of", "2026-11-01")
    shell(*words, key=FORMER)
    assert "OTHER KEY" in shell("suppress", "show").stdout
    moved = shell("suppress", "rekey", "--former-key-file", former)
    assert "1 entries are kept anew" in moved.stdout and "Import again: own" in moved.stderr
    assert FORMER not in moved.output
    assert shell(*words).exit_code == 0
    assert "OTHER KEY" not in shell("suppress", "show").stdout
    assert "letter" in shell("suppress", "show", "--number", NUMBER).stdout


def test_consents_are_imported_and_shown(shell: Shell, runtime: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "consents.csv"
    file.write_text(
        "customer_id,purpose,text_version,given_at,expires_at,proof\n"
        "c-7,marketing,v3,2026-11-01T09:00:00Z,,form 12\nc-7,marketing,v3,soon,,form 12\n"
    )
    assert "Nothing was changed" in shell("consent", "import", file, "--dry-run").stdout
    assert "nothing is on record" in shell("consent", "show", "--customer", "c-7").stdout.lower()
    done = shell("consent", "import", file)
    assert "1 consents kept" in done.stdout and "bad_time" in done.stderr
    shown = shell("consent", "show", "--customer", "c-7").stdout
    assert shown.startswith("stands  marketing given 2026-11-01 09:00 UTC, text v3, proof form 12")
    assert "last used never" in shown
    assert acts(runtime) == ["consent.imported"]
