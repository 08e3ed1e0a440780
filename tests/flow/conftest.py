"""The shop that every test of imports uses."""

from tests.flow.shop import shop  # noqa: F401
