"""Write presets/preset.schema.json and presets/id/document.schema.json, from which editors complete and check."""

from __future__ import annotations

import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from studio.id_photo.documents import document_schema  # noqa: E402  the repository must be on the path first
from studio.library.product import preset_schema  # noqa: E402


def main() -> None:
    """Write the schemas that the code gives now."""
    schemas = {"preset.schema.json": preset_schema(), "id/document.schema.json": document_schema()}
    for name, schema in schemas.items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        (REPOSITORY / "presets" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
