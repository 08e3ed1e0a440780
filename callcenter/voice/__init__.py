"""What customers say: causes and notes, product suggestions, the survey after a call."""
