"""How processes log: one line per event, with ids and never a customer's name or number."""

import logging
import sys

import structlog


def set_up_logs(level: str) -> None:
    """Send one line of key=value pairs per event to standard error."""
    numeric = logging.getLevelNamesMapping().get(level, logging.INFO)
    logging.basicConfig(stream=sys.stderr, level=numeric, format="%(name)s %(levelname)s %(message)s")
    for noisy in ("apscheduler", "rq", "rq.worker", "urllib3", "twilio", "twilio.http_client"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # A tick that finds the one before still running is left out: that is its design, not news.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
