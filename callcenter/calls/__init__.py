"""Contact attempts: one dial of one number, never twice, never lost."""
