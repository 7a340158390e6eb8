"""Far end of the server's Unix socket: requests, problems and events, with the standard library alone."""
