"""Does calling help, and which script helps more: draws, evidence and honest effects.

`rules.py` draws who is held out and turns counts into effects with a verdict; `script_choice.py` shares
customers out among script variants and draws one, `variants.py` says how each does against the others.
`evidence.py` and `moving_shares.py` hold the statistics behind them: evidence that stays valid however often it
is looked at, the intervals that belong to it, and the number of firings to wait for. `associations.py` counts what
was seen and calls it no effect.
"""
