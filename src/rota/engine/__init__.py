"""What decides: when runs are due, whether they start, and what becomes of them."""
