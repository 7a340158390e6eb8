"""What can be asked of Rota: one verb, one file, one implementation for every surface."""
