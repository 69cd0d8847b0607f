"""Writes every case to a folder, to be tried by hand:  /usr/bin/python3 -m tests.kit.make OUTDIR [WORD]

index.tsv: name, rule, verdict, exit code, reason, and the whole command line. WORD picks the cases whose names hold it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from .all_cases import all_cases


def main(out: Path, word: str = "") -> None:
    out.mkdir(parents=True, exist_ok=True)
    rows = ["name\trule\tverdict\texit\treason\tcommand"]
    for case in all_cases():
        if word not in case.name:
            continue
        folder = out / case.name
        folder.mkdir(exist_ok=True)
        built = case.build(folder)
        command = " ".join(map(shlex.quote, ["surefoot", *case.command(built)]))
        rows.append("\t".join([case.name, case.rule, "|".join(case.verdicts), "|".join(str(case.exit_for(v)) for v in case.verdicts),
                               "|".join(case.reasons) or "-", command]))
    (out / "index.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(rows) - 1} cases in {out}, listed in {out / 'index.tsv'}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve(), *sys.argv[2:])
