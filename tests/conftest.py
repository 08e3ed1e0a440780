"""Fixtures every folder may use: real servers, an empty migrated database, a house set up as the sample is."""

from tests.chromium import browser  # noqa: F401
from tests.factories import bank, clock, house, one_engine, session  # noqa: F401
from tests.servers import database_url, fresh_database, redis_url, server_pair  # noqa: F401
