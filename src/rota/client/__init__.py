"""The far end of the server's socket, for the command line."""
