"""The process of the synthetic customers and agents: `python -m callcenter.demo`."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from callcenter.demo.app_client import AppClient
from callcenter.demo.desk import TEAM_SIZE, Desk, open_desk
from callcenter.demo.memory import Memory, load_memory, save_memory
from callcenter.demo.telephones import SimulatedTelephones
from callcenter.demo.world import World

LOG = logging.getLogger("callcenter.demo")

LONGEST_NAP_S = 0.25  # calls are heard this soon
SAVE_EVERY_S = 15.0
LOG_EVERY_S = 60.0
OPENING = 30  # customers who come at once into a demo that follows nobody
FLUSH_WITHIN_S = 1.2  # of the two seconds a process has between being asked to end and being ended
FIRST_INDEX_FROM = 1_767_225_600  # 2026-01-01 UTC


@dataclass(frozen=True)
class Settings:
    """How to run: where the product and the carrier are, the seed, how fast, how many of whom."""

    product_url: str
    write_key: str
    carrier_url: str
    seed: int
    pace: float
    arrivals_per_min: float
    state_path: Path
    agents: int
    agent_password: str


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the environment. ValueError names a variable that makes no sense."""
    settings = Settings(
        product_url=env.get("CALLCENTER_URL", "http://127.0.0.1:8000"),
        write_key=env.get("CALLCENTER_WRITE_KEY", "demo-write-key"),
        carrier_url=env.get("CARRIER_SIM_URL", "http://127.0.0.1:4010"),
        seed=int(env.get("DEMO_SEED", "1")),
        pace=float(env.get("DEMO_PACE", "1.0")),
        arrivals_per_min=float(env.get("DEMO_ARRIVALS_PER_MIN", "12")),
        state_path=Path(env.get("CALLCENTER_HOME", "var")) / "demo-state.json",
        agents=int(env.get("DEMO_AGENTS", str(TEAM_SIZE))),
        agent_password=env.get("DEMO_AGENT_PASSWORD", "harbour-demo"),
    )
    if not 0 < settings.pace <= 1000:
        raise ValueError("DEMO_PACE must be above 0 and at most 1000")
    if not 0 < settings.arrivals_per_min <= 3000:
        raise ValueError("DEMO_ARRIVALS_PER_MIN must be above 0 and at most 3000")
    if not 0 <= settings.agents <= TEAM_SIZE:
        raise ValueError(f"DEMO_AGENTS must be from 0 to {TEAM_SIZE}")
    return settings


def recall(settings: Settings, now: float) -> Memory:
    """Return what the last run remembered, or a new beginning.

    A new beginning counts customers from the clock, so a lost file does not bring the same ones again.
    """
    memory = load_memory(settings.state_path, settings.seed)
    return memory or Memory(settings.seed, next_index=max(0, int(now) - FIRST_INDEX_FROM))


def run(settings: Settings, stopping: threading.Event) -> None:
    """Let the customers live until asked to stop; then deliver what is queued and remember."""
    memory = recall(settings, time.time())
    app = AppClient(settings.write_key, settings.product_url)
    telephones = SimulatedTelephones(settings.carrier_url, after=memory.calls_after)
    opening = 0 if memory.customers else OPENING
    world = World(app, telephones, memory, time.time(), settings.pace, settings.arrivals_per_min, opening)
    telephones.mark_restart()  # the carrier may have been started anew, too
    telephones.start()
    desk = open_desk(
        settings.product_url, settings.agents, settings.agent_password, settings.seed, time.time()
    )
    desk.start()
    saves_at = time.monotonic() + SAVE_EVERY_S
    logs_at = time.monotonic() + LOG_EVERY_S
    LOG.info("demo.started followed=%d agents=%d", len(world), settings.agents)
    while not stopping.is_set():
        world.advance(time.time())
        if time.monotonic() >= saves_at:
            _save(settings.state_path, world.remember(telephones.after))
            saves_at = time.monotonic() + SAVE_EVERY_S
        if time.monotonic() >= logs_at:
            log_minute(world, app, telephones)
            log_desk(desk)
            logs_at = time.monotonic() + LOG_EVERY_S
        stopping.wait(min(LONGEST_NAP_S, max(0.0, world.next_due() - time.time())))
    desk.stop()
    telephones.stop()
    _save(settings.state_path, world.remember(telephones.after))
    app.close(FLUSH_WITHIN_S)
    LOG.info("demo.stopped undelivered=%d", app.waiting)


def log_minute(world: World, app: AppClient, telephones: SimulatedTelephones) -> None:
    """Log one line of counts since the start."""
    names = (
        "arrived", "passed", "stopped", "returned", "talked_to", "convinced", "withdrawn", "closed",
    )  # fmt: skip
    counts = " ".join(f"{name}={world.counts[name]}" for name in names)
    LOG.info(
        "demo.minute_passed followed=%d %s reported=%d waiting=%d dropped=%d refused=%d carrier=%d",
        len(world), counts, app.reported, app.waiting, app.dropped, app.refused, telephones.reachable,
    )  # fmt: skip


def log_desk(desk: Desk) -> None:
    """Log one line of what the agents did since the start."""
    if desk.members:
        counts = " ".join(f"{name}={count}" for name, count in sorted(desk.counts.items()))
        LOG.info("demo.agents_worked signed_in=%d %s", desk.signed_in, counts)


def _save(path: Path, memory: Memory) -> None:
    try:
        save_memory(path, memory)
    except OSError as error:  # a full disk must not end the demo; the next save may succeed
        LOG.warning("demo.save_failed errno=%s", error.errno)


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status: 2 for settings that make no sense."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # The SDK logs whole events when it cannot send them, and they hold names and numbers; we count instead.
    logging.getLogger("segment").setLevel(logging.CRITICAL + 1)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        settings = read_settings(os.environ)
    except ValueError as error:
        LOG.error("demo.settings_refused %s", error)
        return 2
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    run(settings, stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
