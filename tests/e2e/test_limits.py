"""What hostile input may cost: a second of processor time and 64 MiB, whatever it is. These are bounds of the product, and the time is
the program's own, so that a busy machine does not matter; SUREFOOT_SLOWER stretches it for a slow one or an instrumented build."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conftest import CRASH, PROGRAM, ROOT, WRAPPER

from tests.kit.evil import EVILS, Evil
from tests.kit.measure import measure

SECONDS = 1.0 * float(os.environ.get("SUREFOOT_SLOWER", "1"))
MEGABYTES = 64.0

pytestmark = pytest.mark.skipif(os.name != "posix" or bool(WRAPPER), reason="time and memory are measured on POSIX, without a wrapper")


@pytest.mark.parametrize("case", EVILS, ids=lambda e: e.name)
def test_hostile_input_is_cheap(case: Evil, tmp_path: Path) -> None:
    built = case.build(tmp_path)
    for words in (["verify", "--at", "2026-06-01T00:00:00Z", *built.args, built.file], ["inspect", built.file]):
        took = measure([PROGRAM, *words, *(["--format", "json"] if words[0] == "verify" else [])], limit_s=60)
        told = f"{words[0]}: {took.cpu_s:.2f} s, {took.peak_mb:.1f} MiB, exit {took.code}\n{took.out[-1000:]!r}\n{took.err[-1000:]!r}"
        assert took.code >= 0 and not [word for word in CRASH if word.encode() in took.err], told
        assert took.code in (0, 3, 8) or words[0] == "inspect" or b"catalog" in took.err, told
        assert took.cpu_s < SECONDS, told
        assert took.peak_mb < MEGABYTES, told


def test_names_are_unique() -> None:
    assert len({e.name for e in EVILS}) == len(EVILS)
