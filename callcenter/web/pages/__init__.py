"""View models: what each screen shows, as frozen values. No I/O, no Flask.

Texts that come from database rows (rules, steps, dispositions, causes, script lines) are
already in the viewer's language. Fixed codes (presence, work state, bar reason, call result,
cancel reason ...) stay codes; templates turn them into words with the filter `label`.
Times are aware datetimes, durations are seconds, shares are numbers from 0 to 1.
"""
