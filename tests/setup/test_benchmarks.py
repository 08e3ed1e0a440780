"""The benchmarks that write rows by statements of their own still know the tables: each runs, small."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = {
    "AUDIT_ROWS": "2000",
    "LISTS_ROWS": "200",
    "SCREENING_CUSTOMERS": "300",
    "SCREENING_LIST": "500",
    "SEGMENTS_CUSTOMERS": "1000",
    "SEGMENTS_EVENTS": "3000",
    "STUDIO_EVENTS": "5000",
    "STUDIO_ROUNDS": "1",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["audit", "lists", "screening", "segments", "studio"])
def test_a_benchmark_runs_and_keeps_what_it_found(name: str, tmp_path: Path) -> None:
    environ = {**os.environ, **SMALL, "CALLCENTER_HOME": str(tmp_path)}
    argv = [sys.executable, "-m", "benchmarks", name]
    done = subprocess.run(
        argv, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads((tmp_path / "bench" / f"{name}.json").read_text(encoding="utf-8"))
