"""The file: found, read, and every fault of it told with its line."""
