"""Carrier adapters: how the product speaks to the telephone network."""
