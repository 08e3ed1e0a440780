"""`carrier-sim`: start the simulator, say so in one line, run until told to stop."""

import signal
import sys
import threading
from types import FrameType

from .server import open_server
from .settings import LOOPBACK, BadSettings, settings_from_process
from .world import build_world


def main() -> None:
    """Entry point. Exit status 0 after SIGTERM or SIGINT, 2 when it cannot start so."""
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Ready line on standard output, structured log on standard error."""
    try:
        settings = settings_from_process(argv)
        world = build_world(settings, sys.stderr)
        server = open_server(world)
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        return 2
    told_to_stop = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        told_to_stop.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    world.start()
    serving = threading.Thread(target=server.serve_forever, args=(0.1,), name="http", daemon=True)
    serving.start()
    sys.stdout.write(
        f"carrier-sim ready on http://{LOOPBACK}:{server.port} account={settings.account_sid} "
        f"speed={settings.speed:g} cps={settings.cps:g} seed={settings.seed}\n"
    )
    sys.stdout.flush()
    told_to_stop.wait()
    server.shutdown()
    serving.join(timeout=2)
    world.stop()
    return 0


if __name__ == "__main__":
    main()
