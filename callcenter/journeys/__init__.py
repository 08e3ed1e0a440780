"""Journeys and visits: where a customer is, and since when."""
