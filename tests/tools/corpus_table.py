#!/usr/bin/python3
"""Writes docs/corpus.md: what strict makes of each row of the corpus that is valid in the windows profile, and which --allow it takes.

usage: /usr/bin/python3 tests/tools/corpus_table.py [PROGRAM] > docs/corpus.md"""

import csv
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
CORPUS = ROOT.parent / "shared" / "corpus"
AT = "2026-11-01T00:00:00Z"
# reason -> the word of --allow that can excuse it
WORDS = {"WeakDigest": "sha1", "WeakKey": "rsa1024", "UnsignedMetadata": "UnsignedMetadata",
         "UncoveredData": "UncoveredData", "CertificateTablePadding": "CertificateTablePadding",
         "ChecksumMismatch": "ChecksumMismatch"}


def verify(program, path, *more):
    done = subprocess.run([program, "verify", "--format", "json", "--at", AT, "--anchors",
                           str(CORPUS / "roots" / "all-known-roots.pem"), *more, str(path)],
                          capture_output=True, check=False)
    return json.loads(done.stdout)


def codes(line):
    found = [r["code"] for r in line["reasons"]]
    return sorted(set(found), key=found.index)


def row_of(program, row):
    path = CORPUS / row["path"]
    strict = verify(program, path)
    if strict["verdict"] == "accepted":
        return "accepted", "", ""
    why = codes(strict)
    words, seen = [], set()
    while True:  # an excuse can bring the next reason to light
        line = verify(program, path, *[w for word in words for w in ("--allow", word)])
        if line["verdict"] == "accepted":
            return "refused", ", ".join(why), " ".join(words)
        more = [WORDS[c] for c in codes(line) if c in WORDS and WORDS[c] not in seen]
        if not more:
            rest = [c for c in codes(line) if c not in WORDS] or codes(line)
            return "refused", ", ".join(why), "none: " + ", ".join(rest)
        seen |= set(more)
        words += more


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build" / "surefoot")
    with open(CORPUS / "INDEX.tsv", encoding="utf-8", newline="") as f:
        rows = [r for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
                if r["expected"] == "valid" and r["type"] in ("pe", "msi", "cab", "cat", "script")]
    print("# What strict makes of real files\n")
    print("Made by `tests/tools/corpus_table.py` over the rows of the corpus that the windows profile accepts, judged as of")
    print(f"{AT} under all its roots. *Takes* names the exceptions (`--allow`) with which strict accepts the file as well; \"none\"")
    print("means that no exception excuses what is left. `--sha256` of the whole file excuses all coverage reasons at once.\n")
    print("| row | file | strict | reasons | takes |\n|---|---|---|---|---|")
    n = {"accepted": 0, "refused": 0}
    for row in rows:
        verdict, why, takes = row_of(program, row)
        n[verdict] += 1
        print(f"| {row['id']} | {Path(row['path']).name} | {verdict} | {why} | {takes} |")
    print(f"\n{len(rows)} files: {n['accepted']} accepted as they are, {n['refused']} refused.")


if __name__ == "__main__":
    main()
