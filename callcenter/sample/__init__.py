"""The sample set-up: the loan journey, its rules, the dispositions. A bank replaces these files by its own."""
