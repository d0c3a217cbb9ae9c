"""Write presets/preset.schema.json, from which editors complete and check presets."""

from __future__ import annotations

import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from studio.library.product import preset_schema  # noqa: E402  the repository must be on the path first


def main() -> None:
    """Write the schema that the code gives now."""
    text = json.dumps(preset_schema(), indent=2, ensure_ascii=False) + "\n"
    (REPOSITORY / "presets" / "preset.schema.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
