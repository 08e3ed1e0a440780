"""Telling the bank's other systems what happened: whom, what, signed, again until it is heard."""
