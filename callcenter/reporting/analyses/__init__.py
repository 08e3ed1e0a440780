"""Ten ways to look at the same journey events; each is SQL over the events of a window, with its denominators."""
