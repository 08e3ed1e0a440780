"""`callcenter sample`: load the sample set-up, so that a fresh machine has something to do."""

from pathlib import Path
from typing import Any

import click
import yaml

from callcenter import acts, reviewing
from callcenter.accounts import service as accounts
from callcenter.commands.here import runtime_here
from callcenter.config import Settings
from callcenter.domain.enums import Role
from callcenter.intake import service as intake
from callcenter.journeys import queries as journey_queries
from callcenter.journeys import service as journeys
from callcenter.outcomes import service as outcomes
from callcenter.outcomes.queries import disposition_kinds
from callcenter.quality.policy import STARTING_CARD
from callcenter.quality.queries import scorecards_in_use
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
from callcenter.triggers.queries import newest_version

SAMPLE = Path(__file__).parents[1] / "sample"


def read_sample(name: str) -> Any:
    """Return the content of one file of the sample set-up."""
    return yaml.safe_load((SAMPLE / name).read_text(encoding="utf-8"))


def load_set_up(runtime: Runtime, *, again: bool = False) -> None:
    """Load the loan journey, its rules, the dispositions and a scorecard where there are none yet.

    What people have changed stays as it is; `again` puts the sample's version over it.
    """
    with runtime.unit_of_work() as session:
        now = runtime.clock()
        if again or not disposition_kinds(session):
            outcomes.load_dispositions(session, read_sample("dispositions.yaml"))
        loaded = dict(journey_queries.journeys_loaded(session))
        raw = read_sample("loan.yaml")
        journey = loaded.get(raw["journey"])
        if again or journey is None:
            journey = journeys.load_journey(session, raw, loaded.values(), now)
        if not scorecards_in_use(session):
            reviewing.adopt_scorecard(session, STARTING_CARD, None, now)
        for rule in read_sample("rules.yaml"):
            if again or newest_version(session, rule["rule"]) is None:
                acts.adopt_rule(session, rule, journey, None, now)


def load_sample(settings: Settings) -> list[tuple[str, str, str]]:
    """In the demo, load the sample set-up, its source and users; return (role, login, password) rows.

    Elsewhere nothing is loaded: a bank loads its own journeys, rules and dispositions.
    """
    if settings.environment != "demo":
        return []
    runtime = Runtime(settings)
    load_set_up(runtime)
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
    """Load the sample journey, rules and dispositions, over what was changed in them."""
    with runtime_here() as runtime:
        load_set_up(runtime, again=True)
    click.echo("The sample set-up is loaded.")
