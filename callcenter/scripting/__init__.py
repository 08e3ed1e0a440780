"""Which script an agent sees, and the path taken through it."""
