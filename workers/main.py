"""A worker process: takes jobs from the queues, one after the other. Run as many as you like.

`python -m workers.main` works for calls; `python -m workers.main errands` for webhooks and lists, which other
systems may make slow, and for nothing else.
"""

import sys
from importlib import import_module

from rq import SimpleWorker
from rq.timeouts import TimerDeathPenalty

from callcenter.runtime import get_runtime
from workers.logs import set_up_logs
from workers.queues import CALLS_FIRST, QUEUES, queue_named


class CallWorker(SimpleWorker):
    """A worker that does its jobs in its own process: a job is a short transaction, a fork would cost more."""

    death_penalty_class = TimerDeathPenalty


def main(wanted: tuple[str, ...] = ()) -> None:
    """Work for these queues until told to stop; a job under way is finished first."""
    if unknown := set(wanted).difference(QUEUES):
        sys.exit(f"no such queue: {', '.join(sorted(unknown))}; there is {', '.join(QUEUES)}")
    runtime = get_runtime()
    set_up_logs(runtime.settings.log_level)
    runtime.warm_up()
    import_module("workers.jobs")
    worker = CallWorker(
        [queue_named(runtime, name) for name in wanted or CALLS_FIRST], connection=runtime.redis
    )
    worker.work(logging_level="WARNING", with_scheduler=False)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
