"""A tiny, faultless library in tmp_path, for tests to break in one place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts_library import Finding, lint

COMMON = """\
---
version: 1
language: {language}
journey: loan
---

## opening

This is {{{{ agent_name }}}} from {{{{ bank_name }}}}.

## notice

We record this.

## right person

Is that {{{{ address }}}}?

## say now: callback

When else?

1. **Later** (Pick a time) -> close

## objections

### real_bank: Is this real?
words: fake, fraud

Please hang up.

## close

Goodbye.

## required notices

- never_ask: Never ask.
- recording: Say so.
- rates: Name none.
- no_pressure: None.
- do_not_call: At once.
"""

SCRIPT = """\
---
id: general
version: 1
language: {language}
title: General
journey: loan
steps: []
causes: [trust]
variants:
  A: Short
  B: Long
---

## reason A

It stopped.

## reason B

It stopped, so I call.

## say now: ask

What happened?

1. **Error** (Try again) -> help
2. **Works** (Go on) -> it_works
3. **Not now** (Call back) -> callback

## say now: help

Tap Retry.

1. **Works** (Go on) -> it_works

## say now: it_works

Well done.

1. **Done** (Goodbye) -> close
"""


class SmallLibrary:
    """Files under a root, changed by replacing words in them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "loan"
        self.folder.mkdir()
        for language in ("en", "zh"):
            self.path("_common", language).write_text(COMMON.format(language=language), encoding="utf-8")
            self.path("general", language).write_text(SCRIPT.format(language=language), encoding="utf-8")

    def path(self, name: str, language: str = "en") -> Path:
        return self.folder / f"{name}.{language}.md"

    def change(self, old: str, new: str, name: str = "general", language: str = "en") -> int:
        """Replace `old` once; returns the line it was on."""
        path = self.path(name, language)
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    def add(self, name: str, steps: str, *extra: str, languages: tuple[str, ...] = ("en", "zh")) -> None:
        """A copy of the general script for the given steps, with further front matter lines."""
        for language in languages:
            text = SCRIPT.format(language=language).replace("id: general", f"id: {name}")
            text = text.replace("steps: []", "\n".join([f"steps: [{steps}]", *extra]))
            self.path(name, language).write_text(text, encoding="utf-8")

    def lint(self) -> list[Finding]:
        return lint(self.root)


@pytest.fixture
def library(tmp_path: Path) -> SmallLibrary:
    return SmallLibrary(tmp_path)


@pytest.fixture
def found(library: SmallLibrary) -> Callable[[Path, int, str], bool]:
    """Whether lint finds a message holding some words at that file and line."""

    def look(path: Path, line: int, words: str) -> bool:
        findings = library.lint()
        hit = any((f.path, f.line) == (path, line) and words in f.message for f in findings)
        assert hit, "\n".join(map(str, findings)) or "nothing found"
        return hit

    return look
