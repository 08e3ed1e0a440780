"""The API for the bank's other systems, under /api/v1."""
