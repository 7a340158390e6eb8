"""The pieces of JSON Schema that several kinds of value share."""

from __future__ import annotations

TEXT = {"type": "string"}
ONE_OR_MANY = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
