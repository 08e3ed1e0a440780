"""Run benchmarks by name, all of them without one: `python -m benchmarks [NAME...]`.

A benchmark is a module of this folder with `run(home: Path) -> None`. Its results go below `home`, which is
CALLCENTER_HOME (`var` without it).
"""

import importlib
import os
import pkgutil
import sys
import time
from pathlib import Path

import benchmarks


def names() -> list[str]:
    """All benchmarks, in the order of their names."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def main(wanted: list[str]) -> int:
    """Run what is wanted; return 2 and say what there is when a name is unknown."""
    known = names()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    home = Path(os.environ.get("CALLCENTER_HOME") or "var").expanduser().absolute()
    for name in wanted or known:
        began = time.monotonic()
        importlib.import_module(f"benchmarks.{name}").run(home)
        print(f"{name}: {time.monotonic() - began:.0f} s; {home / 'bench' / f'{name}.json'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
