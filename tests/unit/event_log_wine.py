#!/usr/bin/python3
"""Wine's event log keeps nothing, but prints what it is called with: the source, the kind and the number of each record, and its text by its
level. Holds that against what was to be written. usage: event_log_wine.py WRAPPER WIN_CHILD"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import NamedTuple

WINEDEBUG = "-all,fixme+advapi,+eventlog"
KINDS = {1: "error", 2: "warning", 4: "info"}                       # EVENTLOG_ERROR_TYPE and so on
LEVELS = {"err": "error", "warn": "warning", "trace": "info"}       # wine's own words for the same


class Record(NamedTuple):
    source: str
    id: int
    level: str
    text: str                                                       # as wine shows it: backslashes and quotation marks with a backslash before them


def records(said: str) -> list[Record]:
    """What a program wrote, of what wine said with WINEDEBUG."""
    opened = r'RegisterEventSourceW \(\(null\),L"(?P<source>.*)"\): stub\r?\n'
    written = r"(?:.*\n)??.*ReportEventW \(\w+,0x(?P<kind>\w{4}),0x\w{4},0x(?P<id>\w{8}),.*\r?\n"
    text = r'(?:.*\n)??.*:(?P<level>\w+):eventlog:ReportEventW L"(?P<text>.*)"'
    found = [m.groupdict() for m in re.finditer(opened + written + text, said)]
    assert len(found) == said.count("eventlog:ReportEventW"), said
    for record in found:
        assert KINDS[int(record["kind"], 16)] == LEVELS[record["level"]], record
    return [Record(r["source"], int(r["id"], 16), LEVELS[r["level"]], r["text"]) for r in found]


def main() -> None:
    wrapper, program = sys.argv[1:]
    source = "Surefoot Test " + "x" * (128 - len("Surefoot Test ") - 4) + r"a\bc"  # of the length that a product file may name
    text = 'begin\nFORGED: line\t\x1b[31m "quoted" 50 % \u202eend'
    env = dict(os.environ, WINEDEBUG=WINEDEBUG)
    run = subprocess.run([wrapper, program, "log", "300", source, text], env=env, capture_output=True, timeout=60)
    assert run.returncode == 0, (run.returncode, run.stderr)
    shown = r'begin\\x0aFORGED: line\\x09\\x1b[31m \"quoted\" 50 % \\u{202e}end'
    told = records(run.stderr.decode())
    assert [(r.id, r.level) for r in told] == [(300, "info"), (301, "warning"), (302, "error")], told
    for record in told:
        assert record.text.lower() == shown.lower(), (record, shown)
        assert record.source == source.replace("\\", "_"), (record, source)


if __name__ == "__main__":
    main()
