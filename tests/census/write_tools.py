"""Writes the golden list of tools anew."""

from __future__ import annotations

import json
from pathlib import Path

from rota.mcp.catalogue import TOOLS

GOLDEN = Path(__file__).with_name("tools.json")

if __name__ == "__main__":
    shown = [tool.listed.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in TOOLS.values()]
    GOLDEN.write_text(json.dumps(shown, indent=1, ensure_ascii=False) + "\n")
