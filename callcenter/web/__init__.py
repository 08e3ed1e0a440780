"""The edges, by persona."""
