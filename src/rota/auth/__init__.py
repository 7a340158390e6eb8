"""Who may do what: the caller, and the one function that answers for every surface."""
