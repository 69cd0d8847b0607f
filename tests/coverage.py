"""Line coverage of the folders that count:  coverage.py GCOVR-SUMMARY.json RESULTS

Prints a line for each folder and for the files that are covered least; RESULTS gets "passed FOLDER" or "failed FOLDER" (tests/tally.py). What
was run by programs that were killed, or that ended without a word, is not counted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

FOLDERS = ("installer/core", "verify")
AT_LEAST = 90.0                                                 # percent of lines


def main(summary: Path, results: Path) -> None:
    files = json.loads(summary.read_text(encoding="utf-8"))["files"]
    verdicts = []
    for folder in FOLDERS:
        rows = [f for f in files if f["filename"].startswith(folder + "/")]
        covered, total = (sum(f[k] for f in rows) for k in ("line_covered", "line_total"))
        percent = 100 * covered / total if total else 0.0
        verdicts.append(f"{'passed' if percent >= AT_LEAST else 'failed'} {folder}")
        print(f"{folder}: {percent:.1f} % of {total} lines in {len(rows)} files (at least {AT_LEAST:.0f} %)")
        for f in sorted(rows, key=lambda f: f["line_covered"] - f["line_total"])[:8]:
            print(f"    {f['filename']}: {100 * f['line_covered'] / max(1, f['line_total']):.1f} %, {f['line_total'] - f['line_covered']} lines are not reached")
    results.write_text("".join(v + "\n" for v in verdicts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
