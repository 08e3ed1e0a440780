"""Agents, their states, and who is offered which call task."""
