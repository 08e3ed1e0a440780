"""Trigger rules: when a visit is worth a call."""
