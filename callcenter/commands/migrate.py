"""`callcenter migrate`: bring the database to the version of this code."""

import os
import tempfile
from pathlib import Path

import click
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from callcenter.config import load_settings
from callcenter.embedded import servers
from callcenter.errors import ConfigError, Unavailable

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def alembic_config(database_url: str) -> Config:
    """Alembic's settings for one database; `migrations/env.py` reads the address from `attributes`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = database_url
    return config


def migrate(database_url: str) -> None:
    """Upgrade to the newest migration. Safe to run twice, also at once: the second waits, then finds it done.

    Raises ConfigError when there is more than one newest migration, or the database is of a later version;
    Unavailable when the database does not answer.
    """
    config = alembic_config(database_url)
    heads = ScriptDirectory.from_config(config).get_heads()
    if len(heads) > 1:
        raise ConfigError(f"there is more than one newest migration: {', '.join(heads)}; merge them")
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError(f"the database cannot be migrated: {error}") from error
    except OperationalError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise Unavailable(f"the database cannot be migrated now: {reason}") from error


def check_drift(database_url: str) -> None:
    """Raises ConfigError when the models say something the migrations do not. Needs a migrated database."""
    try:
        command.check(alembic_config(database_url))
    except CommandError as error:
        raise ConfigError(f"models and migrations differ; write a migration: {error}") from error


@click.command("migrate")
@click.option("--check", is_flag=True, help="Migrate a throw-away database and compare it with the models.")
def migrate_command(check: bool) -> None:
    """Bring the database to this version."""
    if not check:
        with servers(load_settings(os.environ)) as running:
            migrate(running.database_url)
        return
    with tempfile.TemporaryDirectory(prefix="callcenter-check-") as folder:
        # Root's servers run under an ordinary account, which must get through to its own directory.
        Path(folder).chmod(0o711 if os.geteuid() == 0 else 0o700)
        settings = load_settings({"CALLCENTER_HOME": f"{folder}/home", "MIN_FREE_MB": "50"})
        with servers(settings, durable=False) as running:
            migrate(running.database_url)
            check_drift(running.database_url)
    click.echo("models and migrations agree")
