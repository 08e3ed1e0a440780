"""Synthetic customers of a sample loan journey, and a small team of synthetic agents who call them.

They live in their own process. The customers know the product only as any app does: events sent to its
public HTTP API with a public SDK; they own their telephones, so they also speak to the carrier simulator.
The agents know only what a browser shows them, and nothing of what the customers are going to do.
"""
