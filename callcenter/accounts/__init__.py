"""Who may sign in, and the audit trail."""
