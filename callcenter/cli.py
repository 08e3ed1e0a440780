"""The `callcenter` command. Each command lives in `callcenter/commands/`, imported when it is called."""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import click

from callcenter.errors import CallCenterError


class Entry(NamedTuple):
    """Where a command lives and the line that tells what it does."""

    module: str
    attribute: str
    help: str


COMMANDS: dict[str, Entry] = {
    "up": Entry("callcenter.commands.up", "up_command", "Start everything and stay until Ctrl-C."),
    "migrate": Entry("callcenter.commands.migrate", "migrate_command", "Bring the database to this version."),
    "sample": Entry("callcenter.commands.sample", "sample", "Load the sample set-up."),
    "users": Entry("callcenter.commands.users", "users", "Add and change the people who sign in."),
    "sources": Entry("callcenter.commands.sources", "sources", "Add event sources and write keys."),
    "api-tokens": Entry(
        "callcenter.commands.api_tokens", "api_tokens", "Issue and revoke tokens of the API."
    ),
    "webhooks": Entry(
        "callcenter.commands.webhooks", "webhooks", "Tell other systems what happened, and tell again."
    ),
    "quarantine": Entry(
        "callcenter.commands.quarantine", "quarantine", "Look at refused events, drive them in again."
    ),
    "policy": Entry(
        "callcenter.commands.policy", "policy", "Explain the rules on calls; list and check packs."
    ),
    "scripts": Entry("callcenter.commands.scripts", "scripts", "Check call scripts."),
    "rules": Entry("callcenter.commands.rules", "rules", "List, check and adopt trigger rules."),
    "journeys": Entry("callcenter.commands.journeys", "journeys", "List and load journeys."),
    "dispositions": Entry(
        "callcenter.commands.journeys", "dispositions", "Load what agents can say of a call."
    ),
    "incidents": Entry("callcenter.commands.incidents", "incidents", "List and resolve incidents."),
    "import-events": Entry(
        "callcenter.commands.import_events", "import_events_command", "Take in journey events from a file."
    ),
    "events": Entry("callcenter.commands.events", "events", "See where events lie; archive old weeks."),
    "audit": Entry(
        "callcenter.commands.audit", "audit", "Verify the ledgers, export evidence, erase a person's data."
    ),
    "suppress": Entry(
        "callcenter.commands.suppress", "suppress", "Say whom not to call: import lists, add entries."
    ),
    "consent": Entry("callcenter.commands.consent", "consent", "Import what customers consented to, see it."),
    "back-test": Entry(
        "callcenter.commands.back_test", "back_test_command", "Ask what a trigger rule would have done."
    ),
    "funnel": Entry("callcenter.commands.funnel", "funnel_command", "Show where customers stop."),
    "learn": Entry("callcenter.commands.learn", "learn_command", "Learn anew what is learned by night."),
    "effect": Entry("callcenter.commands.effect", "effect_command", "Judge an experiment of your own."),
    "evaluate-policy": Entry(
        "callcenter.commands.evaluate_policy",
        "evaluate_policy_command",
        "Ask what other choices would bring.",
    ),
}


class LazyGroup(click.Group):
    """Lists from the table; imports only the command that is called. One line for an expected failure."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it
        return [name for name, entry in COMMANDS.items() if find_spec(entry.module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        entry = COMMANDS[cmd_name]
        command = getattr(import_module(entry.module), entry.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """Expected failures become one line and exit code 2; anything else keeps its traceback, code 1."""
        try:
            return super().invoke(ctx)
        except CallCenterError as error:
            click.echo(f"callcenter: {error.message}", err=True)
            ctx.exit(2)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Outbound call orchestration. Settings come from the environment; see docs/settings.md."""


if __name__ == "__main__":
    sys.exit(main())
