"""`callcenter up` with stand-ins for the product's processes: a web process with /readyz, and a helper.

Run as a program by test_up.py. STUB_SLOW names a step that takes long, STUB_BROKEN a web process that fails.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import click

from callcenter.cli import LazyGroup
from callcenter.commands.up import Plan, SampleSignIn, run_up
from callcenter.config import Settings, load_settings
from callcenter.processes import ProcessSpec

CHILD = """
import http.server, os, signal, sys, time
name = sys.argv[1]
def stop(number, frame):
    print(f"{name}: asked to stop", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
print(f"{name}: here", flush=True)
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *values): pass
if name == "web":
    http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Ready).serve_forever()
time.sleep(600)
"""


def step(name: str) -> None:
    if os.environ.get("STUB_SLOW") == name:
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
        time.sleep(600)


def migrate(settings: Settings) -> None:
    assert settings.database_url
    step("migrating")


def load_sample(settings: Settings) -> list[SampleSignIn]:
    step("loading")
    return [("agent", "ada@example.com", "sample-password")]


def processes(settings: Settings) -> Sequence[ProcessSpec]:
    program = "import sys; sys.exit(7)" if os.environ.get("STUB_BROKEN") else CHILD
    return tuple(
        ProcessSpec(name=name, argv=(sys.executable, "-c", program, name)) for name in ("web", "helper")
    )


def no_past(settings: Settings, stopping: threading.Event) -> None:
    """The stand-ins have no customers, today or before."""


@click.command()
def up() -> None:
    ready_seconds = 3.0 if os.environ.get("STUB_BROKEN") else 30.0
    run_up(load_settings(os.environ), Plan(migrate, load_sample, processes, ready_seconds, no_past))


class OnlyUp(LazyGroup):
    """The same handling of failures, with this file's command."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return up


if __name__ == "__main__":
    OnlyUp(name="stub")(["up"])
