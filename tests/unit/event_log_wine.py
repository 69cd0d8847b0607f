#!/usr/bin/python3
"""Wine's event log keeps nothing, but prints what it is given: each record's text, by its level. Holds that against what was to be
written. usage: event_log_wine.py WRAPPER WIN_CHILD"""

import os
import re
import subprocess
import sys


def main():
    wrapper, program = sys.argv[1:]
    text = 'begin\nFORGED: line\t\x1b[31m "quoted" 50 % \u202eend'
    env = dict(os.environ, WINEDEBUG="-all,+eventlog")
    run = subprocess.run([wrapper, program, "log", "300", "surefoot-test", text], env=env, capture_output=True, timeout=60)
    assert run.returncode == 0, (run.returncode, run.stderr)
    records = re.findall(r':(\w+):eventlog:ReportEventW L"(.*)"', run.stderr.decode())
    # as wine shows a string: backslashes and quotation marks with a backslash before them
    shown = r'begin\\x0aFORGED: line\\x09\\x1b[31m \"quoted\" 50 % \\u{202e}end'
    assert [level for level, _ in records] == ["trace", "warn", "err"], records
    for _, record in records:
        assert record.lower() == shown.lower(), (record, shown)


main()
