"""Counts tests in what the runners leave behind, for ./dev:  tally.py meson TESTLOG.JSON | tally.py pytest JUNIT.XML | tally.py sim RESULTS

Prints "PASSED FAILED SKIPPED". A unit test program counts as the cmocka tests in it; one that dies or times out as one failure more.
What was skipped is not passed. Missing or unreadable results are one failure."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

Counts = tuple[int, int, int]


def said(word: str, text: str) -> int:
    """N of cmocka's "[  PASSED  ] N test(s)"."""
    found = re.search(rf"^\[  {word} *\] (\d+) test\(s\)", text, re.M)
    return int(found[1]) if found else 0


def of_program(run: dict) -> Counts:
    text = run.get("stdout", "") + "\n" + run.get("stderr", "")
    passed, failed, skipped = said("PASSED", text), said("FAILED", text), said("SKIPPED", text)
    if run["result"] == "SKIP":
        return 0, 0, max(1, skipped)
    if run["result"] not in ("OK", "EXPECTEDFAIL"):
        failed = max(1, failed)
    elif passed + failed + skipped == 0:
        passed = 1                                                  # a program that is one test
    return passed, failed, skipped


def of_meson(path: Path) -> Counts:
    each = [of_program(json.loads(line)) for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return tuple(map(sum, zip(*each))) if each else (0, 1, 0)       # type: ignore[return-value]


def of_sim(path: Path) -> Counts:
    words = [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines()]
    return (words.count("passed"), words.count("failed"), 0) if words else (0, 1, 0)


def of_pytest(path: Path) -> Counts:
    suites = list(ET.parse(path).getroot().iter("testsuite"))
    total, failures, errors, skipped = (sum(int(s.get(k, 0)) for s in suites) for k in ("tests", "failures", "errors", "skipped"))
    bad = min(total, failures + errors)
    return total - bad - skipped, failures + errors, skipped


if __name__ == "__main__":
    try:
        counts = {"meson": of_meson, "pytest": of_pytest, "sim": of_sim}[sys.argv[1]](Path(sys.argv[2]))
    except (OSError, ValueError, ET.ParseError) as e:
        print(e, file=sys.stderr)
        counts = (0, 1, 0)
    print(*counts)
