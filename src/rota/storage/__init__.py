"""What is kept: the database, its one writer and its readers."""
