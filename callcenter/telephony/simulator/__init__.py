"""`carrier-sim`: a telephone carrier on the loopback interface that speaks Twilio's REST API and webhooks.

It is a program of its own: it imports nothing of `callcenter` and nothing of the `twilio` SDK, so a
mistake in the product's reading of the carrier cannot be repeated here unseen. Calls, rooms and the log
live in memory and are gone when it stops.
"""
