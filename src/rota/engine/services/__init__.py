"""Keeps services alive: rules that decide, each a function of its own, and a loop that does what they say."""
