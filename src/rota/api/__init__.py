"""REST: requests in, problem+json and runs out; it decides nothing."""
