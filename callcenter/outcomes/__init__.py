"""Dispositions, callbacks, and what the customer then did."""
