"""Outbound call orchestration for banks: who stopped, whether we may call, who calls, what came of it.

`callcenter/pipeline.py` tells the whole story; start there.
"""
