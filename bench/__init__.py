"""What Rota costs, beside RunWisp and the machine's own floor; `make bench` runs all of it."""
