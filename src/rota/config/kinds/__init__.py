"""The kinds of value that keys have: how each is read, or refused as Unreadable, and its JSON Schema."""
