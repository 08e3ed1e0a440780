"""`callcenter sample`: load the sample set-up, so that a fresh machine has something to do."""

import os
from pathlib import Path
from typing import Any

import click
import yaml

from callcenter.accounts import service as accounts
from callcenter.config import Settings, load_settings
from callcenter.domain.enums import Role
from callcenter.embedded import servers
from callcenter.intake import service as intake
from callcenter.journeys import queries as journey_queries
from callcenter.journeys import service as journeys
from callcenter.outcomes import service as outcomes
from callcenter.routing import service as routing
from callcenter.runtime import Runtime
from callcenter.sample.people import (
    DEMO_AGENT_TEAM,
    DEMO_AGENTS,
    DEMO_PASSWORD,
    DEMO_TEAM,
    DEMO_USERS,
    DEMO_WRITE_KEY,
)
from callcenter.triggers import service as triggers

SAMPLE = Path(__file__).parents[1] / "sample"


def read_sample(name: str) -> Any:
    """Return the content of one file of the sample set-up."""
    return yaml.safe_load((SAMPLE / name).read_text(encoding="utf-8"))


def load_set_up(runtime: Runtime) -> None:
    """Load the loan journey, its rules and the dispositions; what is there unchanged stays as it is."""
    with runtime.unit_of_work() as session:
        now = runtime.clock()
        outcomes.load_dispositions(session, read_sample("dispositions.yaml"))
        others = journey_queries.journeys_loaded(session).values()
        raw = read_sample("loan.yaml")
        journey = journeys.load_journey(session, raw, others, now)
        for rule in read_sample("rules.yaml"):
            triggers.adopt_rule(session, rule, journey, now)


def load_sample(settings: Settings) -> list[tuple[str, str, str]]:
    """Load the sample set-up and, in the demo, its source, users and team of synthetic agents.

    Returns (role, login, password) rows of those a person may sign in as.
    """
    runtime = Runtime(settings)
    load_set_up(runtime)
    if settings.environment != "demo":
        return []
    with runtime.unit_of_work() as session:
        now = runtime.clock()
        intake.add_source(session, "demo-app", DEMO_WRITE_KEY, 1.0, now)
        for login, name, role in DEMO_USERS:
            user = accounts.add_user(session, login, name, role, DEMO_PASSWORD, now)
            if role is Role.AGENT:
                routing.add_agent(session, user.id, DEMO_TEAM, now)
        for login, name in DEMO_AGENTS:
            user = accounts.add_user(session, login, name, Role.AGENT, DEMO_PASSWORD, now)
            routing.add_agent(session, user.id, DEMO_AGENT_TEAM, now)
    runtime.engine.dispose()
    return [(role.value, login, DEMO_PASSWORD) for login, _, role in DEMO_USERS]


@click.command("sample")
def sample() -> None:
    """Load the sample journey, rules and dispositions into the configured database."""
    with servers(load_settings(os.environ)) as running:
        load_sample(running.settings)
    click.echo("The sample set-up is loaded.")
