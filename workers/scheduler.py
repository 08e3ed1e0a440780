"""The scheduler process: ticks, and the relay of the outbox. Run as many as you like."""

import signal
import threading
from collections.abc import Callable

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from callcenter.dialing.policy import PACED_EVERY
from callcenter.runtime import Runtime, get_runtime
from workers import ticks
from workers.logs import set_up_logs
from workers.relay import run_relay

log = structlog.get_logger()
TICKS: tuple[tuple[Callable[[Runtime], None], float], ...] = (
    (ticks.fire, 0.25),
    (ticks.match, 1.0),
    (ticks.relax, 5.0),
    (ticks.settle_transfers, 1.0),
    (ticks.pace, PACED_EVERY.total_seconds()),
    (ticks.expire, 1.0),
    (ticks.rescue, 1.0),
    (ticks.reconcile, 15.0),
    (ticks.look_at_lines, 30.0),
    (ticks.compare_days, 1_800.0),
    (ticks.announce, 120.0),
    (ticks.seal, 3.0),
    (ticks.keep_ledgers, 1_800.0),
    (ticks.verify_ledgers, 900.0),
    (ticks.tend, 600.0),
    (ticks.tell, 1.0),
    (ticks.alert, 5.0),
    (ticks.watch_steps, 60.0),
    (ticks.tidy, 900.0),
    (ticks.learn, 300.0),
    (ticks.look_at_ghosts, 5.0),
    (ticks.watch_canaries, 300.0),
    (ticks.weigh_proposals, 300.0),
    (ticks.invite, 10.0),
    (ticks.segment, 30.0),
)


def _guarded(tick: Callable[[Runtime], None], runtime: Runtime) -> Callable[[], None]:
    """Keep a tick that fails from ending the schedule: the next one tries again."""

    def run() -> None:
        try:
            tick(runtime)
        except Exception:  # a tick must never take the scheduler down
            log.exception("tick.failed", tick=tick.__name__)

    return run


def main() -> None:
    """Run the ticks and the relay until told to stop."""
    runtime = get_runtime()
    set_up_logs(runtime.settings.log_level)
    runtime.warm_up()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    scheduler = BackgroundScheduler(timezone="UTC")
    most = runtime.settings.lost_call_look_seconds / 2
    for tick, seconds in TICKS:
        scheduler.add_job(
            _guarded(tick, runtime),
            "interval",
            seconds=min(seconds, most) if tick is ticks.reconcile else seconds,
            id=tick.__name__,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    scheduler.start()
    log.info("scheduler.started")
    run_relay(runtime, stop)
    scheduler.shutdown(wait=True)
    log.info("scheduler.stopped")


if __name__ == "__main__":
    main()
