"""The tables of the file: each key with its type, meaning, default and example. The only list of them."""
