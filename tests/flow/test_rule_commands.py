"""`callcenter rules` at the shell: adopt with its trace in the audit trail, diff, why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result
from sqlmodel import select

from callcenter.commands.rules import rules
from callcenter.commands.sample import JOURNEYS, load_set_up, read_sample
from callcenter.domain.ids import derived_id
from callcenter.models import AuditEntry, Customer
from callcenter.runtime import Runtime
from tests.factories import NOON_IN_SHANGHAI
from tests.servers import test_settings

QUIET: dict[str, Any] = next(one for one in read_sample("rules.yaml") if one["rule"] == "face-scan-quiet")


def test_rules_are_adopted_compared_and_explained_at_the_shell(
    tmp_path: Path, fresh_database: Callable[[str], str], redis_url: str
) -> None:
    settings = test_settings(
        tmp_path / "home", DATABASE_URL=fresh_database("rule_commands"), REDIS_URL=redis_url
    )
    runtime = Runtime(settings)
    load_set_up(runtime)
    env = {"DATABASE_URL": settings.database_url, "REDIS_URL": redis_url}

    def run(*words: str) -> Result:
        return CliRunner().invoke(rules, list(words), env=env)

    changed = tmp_path / "rule.yaml"
    changed.write_text(yaml.safe_dump({**QUIET, "after": "5m"}))
    assert run("adopt", "--check", str(changed)).stdout == "face-scan-quiet: right\n"
    assert run("adopt", str(changed)).stdout == "face-scan-quiet: v2 is live\n"
    assert run("adopt", str(changed)).stdout == "face-scan-quiet: v2 is live\n"
    assert "after: 2 min → 5 min" in run("diff", "face-scan-quiet").stdout
    assert "等待：5 分钟 → 2 分钟" in run("diff", "face-scan-quiet", "2", "1", "--language", "zh").stdout
    assert "no difference" in run("diff", "face-scan-quiet", "2", "2").stdout
    assert run("diff", "face-scan-quiet", "7", "8").exit_code != 0
    changed.write_text(yaml.safe_dump({**QUIET, "skill": "moon"}))
    for words in (("adopt", "--check", str(changed)), ("adopt", str(changed))):
        refused = run(*words)
        assert refused.exit_code != 0 and "rule 1: There is no skill moon. Add it" in str(refused.exception)
    with runtime.unit_of_work() as session:
        trail = session.exec(select(AuditEntry.detail).where(AuditEntry.act == "rule.adopted")).all()
        loaded = sum(len(read_sample(of)) for _, of in JOURNEYS)
        assert len(trail) == loaded + 1, "the sample's rules, and the one changed"
        session.add(
            Customer(
                id=derived_id("customer", "c1"),
                external_id="c1",
                created_at=NOON_IN_SHANGHAI,
                updated_at=NOON_IN_SHANGHAI,
            )
        )
    told = run("why", "face-scan-quiet", "c1", "--zone", "Asia/Shanghai")
    assert told.stdout.startswith("It did not fire. The customer has not been on Face scan.\n  + Version 2")
    assert run("why", "face-scan-quiet", "c2").exit_code != 0
    assert run("why", "face-scan-quiet", "c1", "--zone", "Nowhere").exit_code != 0
    runtime.engine.dispose()
