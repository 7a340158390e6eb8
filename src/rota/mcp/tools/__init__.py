"""Tools: one file each, by its name."""
