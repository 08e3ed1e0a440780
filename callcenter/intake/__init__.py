"""The collector: what comes in is checked, corrected in time, stored once and given to its customer."""
