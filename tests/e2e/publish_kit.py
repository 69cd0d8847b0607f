"""What the tests of surefoot-publish share: where the program is, and its JSON lines, each of which is held against
docs/schema/publish.schema.json. SUREFOOT_PUBLISH: the program's path; without it, the one of the build that SUREFOOT names."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from conftest import PROGRAM, ROOT, WRAPPER, schema_of

SUREFOOT = PROGRAM.resolve()
PUBLISH = (ROOT / os.environ.get("SUREFOOT_PUBLISH", SUREFOOT.parent.parent / "keys" / "surefoot-publish")).resolve()

pytestmark = pytest.mark.skipif(bool(WRAPPER), reason="surefoot-publish is not built for Windows")


def line_of(text: str | bytes) -> dict[str, Any]:
    """The one JSON line that was printed."""
    lines = lines_of(text)
    assert len(lines) == 1, text
    return lines[0]


def lines_of(text: str | bytes) -> list[dict[str, Any]]:
    """The JSON lines that were printed, each of which must be as the published schema says."""
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        broken = mistakes(line)
        assert not broken, "\n".join(["a line is not as docs/schema/publish.schema.json has it", *broken, json.dumps(line)[:4000]])
    return lines


def mistakes(line: dict[str, Any]) -> list[str]:
    """What the schema has to say against a line."""
    return [f"{error.json_path}: {error.message[:300]}" for error in schema_of("publish").iter_errors(line)]
