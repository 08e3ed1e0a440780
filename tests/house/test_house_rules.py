"""What import-linter cannot see: one writer per table, one commit, one clock, one job for each outbox kind."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from callcenter import models
from callcenter.commands.migrate import alembic_config
from callcenter.domain import enums
from callcenter.domain.enums import OutboxKind
from workers.queues import QUEUES, ROUTES

ROOT = Path(__file__).parents[2]
PRODUCT = [ROOT / "callcenter", ROOT / "workers", ROOT / "scripts_library", ROOT / "wsgi.py"]
WRITERS = {
    "User": "accounts",
    "AuditEntry": "accounts",
    "ApiToken": "accounts",
    "ApiAnswer": "accounts",
    "ListImport": "intake",
    "WebhookEndpoint": "webhooks",
    "WebhookDelivery": "webhooks",
    "Agent": "routing",
    "Reservation": "routing",
    "Skill": "routing",
    "Team": "routing",
    "HelpRequest": "routing",
    "ContactAttempt": "calls",
    "AgentLeg": "calls",
    "CarrierInbox": "calls",
    "Incident": "calls",
    "Watch": "calls",
    "CarrierDay": "calls",
    "Campaign": "dialing",
    "DialingSwitch": "dialing",
    "PacingDecision": "dialing",
    "CallTask": "calltasks",
    "Dispatch": "calltasks",
    "TaskTransfer": "calltasks",
    "AgentState": "routing",
    "FloorAlert": "alerting",
    "TeamThreshold": "alerting",
    "WallboardLink": "alerting",
    "Customer": "intake",
    "Device": "intake",
    "EventArchive": "intake",
    "EventReceipt": "intake",
    "EventSource": "intake",
    "WriteKey": "intake",
    "JourneyEvent": "intake",
    "QuarantinedEvent": "intake",
    "ImportRun": "intake",
    "Journey": "journeys",
    "Visit": "journeys",
    "BackTestRun": "backtest",
    "TriggerRule": "triggers",
    "TriggerFiring": "triggers",
    "BandedVisit": "triggers",
    "Proposal": "learning",
    "ScreeningDecision": "compliance",
    "ComplianceChange": "compliance",
    "Consent": "compliance",
    "PackVersion": "compliance",
    "Suppression": "compliance",
    "SuppressionList": "compliance",
    "SuppressionListNumber": "compliance",
    "AuditLink": "evidence",
    "Erasure": "evidence",
    "DispositionKind": "outcomes",
    "Disposition": "outcomes",
    "DispositionCheck": "outcomes",
    "Callback": "outcomes",
    "FollowUp": "outcomes",
    "Outcome": "outcomes",
    "ProductSuggestion": "outcomes",
    "Scorecard": "quality",
    "Review": "quality",
    "ReviewPlan": "quality",
    "WorkTarget": "targets",
    "PointsScheme": "targets",
    "ScriptStep": "scripting",
    "LearningRun": "learning",
    "LearningStep": "learning",
    "PropensityModel": "learning",
    "RuleWorth": "learning",
    "GhostTask": "learning",
    "ScriptAllocation": "learning",
    "WhatHelps": "learning",
    "StepSurge": "surging",
    "OutboxMessage": "outbox",
    "Offer": "offers",
    "OfferGrant": "offers",
    "Suggestion": "voice",
    "SuggestionLink": "voice",
    "SurveySetting": "voice",
    "SurveyInvite": "voice",
    "Segment": "segments",
    "AgentTag": "segments",
}
OWN_PROGRAMS = ("telephony/simulator", "demo/")
"""Separate programs that only live in this tree; they know nothing of the product and keep their own clocks."""


def _sources(*folders: Path) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
            yield path.relative_to(ROOT), _parsed(path)


@cache
def _parsed(path: Path) -> ast.Module:
    """A file as a tree, read once for all who look."""
    return ast.parse(path.read_text(encoding="utf-8"))


def _product() -> Iterator[tuple[Path, ast.Module]]:
    for path, tree in _sources(*PRODUCT):
        if not any(part in path.as_posix() for part in OWN_PROGRAMS):
            yield path, tree


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _names_written(tree: ast.Module) -> set[str]:
    """Tables a file makes rows of: Model(...), insert(Model), update(Model), delete(Model)."""
    written = set()
    for call in _calls(tree):
        if isinstance(call.func, ast.Name) and call.func.id in WRITERS:
            written.add(call.func.id)
        if isinstance(call.func, ast.Name) and call.func.id in ("insert", "update", "delete") and call.args:
            target = call.args[0]
            if isinstance(target, ast.Name) and target.id in WRITERS:
                written.add(target.id)
    return written


def test_every_table_has_one_writer_and_it_is_known() -> None:
    assert set(WRITERS) == set(models.__all__)


def test_a_table_is_written_by_its_one_stage_only() -> None:
    strangers = [
        f"{path}: {name} belongs to {WRITERS[name]}"
        for path, tree in _product()
        for name in _names_written(tree)
        if not path.as_posix().startswith((f"callcenter/{WRITERS[name]}/", f"callcenter/{WRITERS[name]}.py"))
    ]
    assert strangers == []


def test_only_db_commits() -> None:
    committers = [
        path.as_posix()
        for path, tree in _product()
        for call in _calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit"
    ]
    assert set(committers) == {"callcenter/db.py"}


def test_only_the_runtime_reads_the_clock_and_nothing_is_left_to_chance() -> None:
    """Processes that wait (up, keeper, live rings) may measure spans with time.monotonic."""
    readers = []
    for path, tree in _product():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if (node.value.id, node.attr) in (
                    ("datetime", "now"),
                    ("datetime", "utcnow"),
                    ("time", "time"),
                ):
                    readers.append(path.as_posix())
                if node.value.id == "random" or (node.value.id, node.attr) == ("uuid", "uuid4"):
                    readers.append(path.as_posix())
    assert set(readers) <= {"callcenter/runtime.py"}


def test_every_outbox_kind_has_one_job_and_one_queue() -> None:
    import workers.jobs

    assert set(ROUTES) == set(OutboxKind)
    for route in ROUTES.values():
        module, _, name = route.job.rpartition(".")
        assert module == "workers.jobs" and callable(getattr(workers.jobs, name))
        assert route.queue in QUEUES


def test_no_other_path_than_the_one_job_asks_the_carrier_for_a_call() -> None:
    askers = [
        path.as_posix()
        for path, tree in _product()
        for call in _calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "place"
        and isinstance(call.func.value, ast.Attribute)
        and call.func.value.attr == "carrier"
    ]
    assert askers == ["workers/jobs.py"]


def test_there_is_one_newest_migration() -> None:
    assert len(ScriptDirectory.from_config(alembic_config("postgresql://nowhere/none")).get_heads()) == 1


def test_files_can_be_read_in_a_sitting() -> None:
    lengths = {
        path.as_posix(): len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path, _ in _sources(*PRODUCT)
    }
    long = {path for path, length in lengths.items() if length > 330}
    assert len(long) <= 0.05 * len(lengths), sorted(long)


def _enum_values() -> set[str]:
    found: set[str] = set()
    for name in ("Presence", "WorkState", "TaskState", "AttemptState", "CallResult", "FiringFate", "Preset"):
        found |= {value.value for value in getattr(enums, name)}
    return found


def test_every_glossary_term_that_names_an_enum_value_exists() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", glossary))
    assert _enum_values() <= named, sorted(_enum_values() - named)
    everything = {
        value.value for kind in vars(enums).values() if isinstance(kind, type) for value in _values(kind)
    }
    assert named <= everything | {"next_allowed_at", "visit_seq", "wake_at"}, sorted(named - everything)


def _values(kind: type) -> list[enums.StrEnum]:
    return list(kind) if issubclass(kind, enums.StrEnum) else []


def _tracked() -> list[Path]:
    import subprocess

    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: the list of the product's own files is not known")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_file_names_a_package_registry() -> None:
    hosts = re.compile(r"(pypi|npmjs|pythonhosted|registry\.npm)[a-z.]*\.(org|com|io)", re.IGNORECASE)
    naming = [
        path.relative_to(ROOT).as_posix()
        for path in _tracked()
        if path.is_file()
        and path.suffix not in (".png", ".woff2")
        and hosts.search(path.read_text("utf-8", "ignore"))
    ]
    assert naming == []
