"""The keeper: the parent of every child process, and the server's way to talk to it."""
