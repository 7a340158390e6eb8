"""What a run wrote: its log files and how to read them."""
