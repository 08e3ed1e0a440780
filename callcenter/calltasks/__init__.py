"""Call tasks: one thing for an agent to do, from opening to its end."""
