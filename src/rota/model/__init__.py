"""Words: what a task, a run and an event are, and which moves they may make. No I/O, no clock."""
