"""Makes every other order name a preset that exists, so that orders are tried beyond "not found"."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    if isinstance(body, dict) and isinstance(body.get("preset"), str) and len(body["preset"]) % 2 == 0:
        return {**body, "preset": "studio-profile"}
    return body
