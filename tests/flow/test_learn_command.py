"""`callcenter learn` at the shell: every step is told; one that fails is told too, and by the exit code."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlmodel import Session

from callcenter import nightly
from callcenter.commands.learn import learn_command
from callcenter.commands.sample import load_set_up
from callcenter.moves import House
from callcenter.runtime import Runtime
from tests.servers import test_settings


def test_learning_at_the_shell_tells_every_step_and_what_failed(
    tmp_path: Path,
    fresh_database: Callable[[str], str],
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = test_settings(tmp_path / "home", DATABASE_URL=fresh_database("learn"), REDIS_URL=redis_url)
    runtime = Runtime(settings)
    load_set_up(runtime)
    env = {"DATABASE_URL": settings.database_url, "REDIS_URL": redis_url}

    def run() -> Result:
        return CliRunner().invoke(learn_command, [], env=env)

    told = run()
    assert told.exit_code == 0, told.output
    assert [line.split()[0] for line in told.stdout.splitlines() if not line.startswith("2")] == [
        name for name, _ in nightly.STEPS
    ]
    assert "0 firings, 0 of them converted: too few to learn from." in told.stdout

    def fails(session: Session, house: House, now: datetime) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(nightly, "STEPS", (("scripts", fails), *nightly.STEPS[1:]))
    told = run()
    assert told.exit_code == 1
    assert "scripts      failed: ZeroDivisionError" in told.stdout
    assert "No rule has called some and held others out yet." in told.stdout, "the others were done"
    runtime.engine.dispose()
