"""Leases of the agents' states; they run on the server."""

from datetime import timedelta

PREVIEW = timedelta(seconds=30)
WRAP_UP = timedelta(seconds=60)
MORE_TIME = timedelta(seconds=60)
MAX_EXTENSIONS = 5
NOTED_FOR = timedelta(seconds=15)
"""A console that was noted as open so lately is not noted again when it is looked at: longer than open consoles are
noted together (web.beats), well under what an unseen one is given."""
SILENT_BROWSER = timedelta(seconds=45)
"""A console that has not asked for anything for so long is not looked at by anybody."""
RELAX_EVERY = timedelta(seconds=60)
"""While nobody signed on meets what a call task asks, one requirement more is given up each time it passes."""
