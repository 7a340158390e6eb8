"""What changed: the bus inside the server's process."""
