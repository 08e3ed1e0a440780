"""Does calling help, and which script helps more: draws, evidence and honest effects.

`rules.py` draws who is held out and which script variant a customer hears, and turns counts into
effects with a verdict. `evidence.py` holds the statistics behind it: evidence that stays valid
however often it is looked at, the intervals that belong to it, and the number of firings to wait for.
"""
