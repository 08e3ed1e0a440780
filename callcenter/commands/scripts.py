"""`callcenter scripts`: check what agents say."""

import sys
from pathlib import Path

import click

from scripts_library.lint import lint_command


@click.group("scripts")
def scripts() -> None:
    """Check call scripts."""


@scripts.command("lint")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def lint(folder: Path | None) -> None:
    """Check every script: schema, placeholders, branches, notices, languages. Exit code 1 for mistakes."""
    sys.exit(lint_command(folder))
