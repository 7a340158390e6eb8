"""When: durations, cron expressions and the ticks that they make. Pure: no I/O, no clock."""
