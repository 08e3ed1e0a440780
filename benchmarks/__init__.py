"""Measurements of the product. `python -m benchmarks [NAME...]` runs them; each prints a table and writes
`$CALLCENTER_HOME/bench/<name>.json`."""
