"""Words and values shared by all stages: enums, frozen values, ports. Pure: no I/O, no clock, no chance."""
