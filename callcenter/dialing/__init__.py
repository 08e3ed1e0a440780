"""Dialing: how many calls an automatic dialer places now."""
