"""Synthetic customers of a sample loan journey.

They live in their own process and know the product only as any app does: events sent to its public
HTTP API with a public SDK. They own their telephones, so they also speak to the carrier simulator.
"""
