"""Processes: the only place that knows RQ and APScheduler."""
