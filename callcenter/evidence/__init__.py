"""What makes the ledgers evidence: the hash chain over them, exports, the record of erasures."""
