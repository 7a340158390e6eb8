"""Rota runs scheduled tasks, services and background jobs, and keeps the truth about every run."""

__version__ = "0.1.0"
