"""What all tests have in common."""

from __future__ import annotations

from hypothesis import settings

# No property is about how long an example takes, and a machine that others use, too, may stop at any of them.
settings.register_profile("rota", deadline=None)
settings.load_profile("rota")
