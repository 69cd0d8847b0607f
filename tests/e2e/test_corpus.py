"""The corpus of real signed and hostile files (../shared/corpus, see its README), judged row by row. Where the folder is absent the
rows are skipped, and say so. What we hold to be otherwise than the index says is in DISAGREE, each with the reason."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import WRAPPER, Ran, run_surefoot

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
ROOTS = CORPUS / "roots" / "all-known-roots.pem"
AT = "2026-11-01T00:00:00Z"
TYPES = {"pe", "msi", "cab", "cat", "script", "cms", "minisign", "cfbf", "p7"}
NOT_JUDGED = {"companion", "embedded", "needs-review", "parse-ok", "no-crash", "accept-lenient", "accept-outer",
              "structure-ok"}
REFUSED = {"untrusted-chain", "expired", "revoked", "bad-digest", "bad-signature"}
LIMIT_S = 1.0  # for one hostile file, by the README of the corpus

# id -> (what we say instead, why)
DISAGREE: dict[str, tuple[str, str]] = {
    "p7-0001": ("unsupported", "a bare SignedData with the content of a PE is no kind of file, and no file of its content is there "
                "to judge: it is not accepted, exit 8"),
}

FWUPD = "cms/fwupd+fwupd/src/tests/colorhug/"
RAUC = "cms/rauc+rauc/test/openssl-ca/"
MINISIGN = "minisign/aead+minisign/internal/testdata/"

# Detached rows: the content they sign, and what they are judged by (the index says it in words).
DETACHED: dict[str, tuple[str, list[str]]] = {
    "minisign-0002": (MINISIGN + "message.txt", ["--key", MINISIGN + "minisign.pub"]),
    # the authority of these is not in the corpus: the signer's own certificate is pinned
    "cms-0002": (FWUPD + "firmware.bin", ["--pin", "sha256:1ae8cbe206091736dec0c8a722575ff883dffb4c1c342175514c3fe5721b202f"]),
    "cms-0003": (FWUPD + "firmware.bin", ["--pin", "sha256:f11857faf0710106b9b6801df0d3ff860414c1c82ee8c15d035de03310ff125b", "--eku", "any"]),
    "cms-0005": (FWUPD + "firmware.bin.sha256", ["--pin", "sha256:f11857faf0710106b9b6801df0d3ff860414c1c82ee8c15d035de03310ff125b", "--eku", "any"]),
    "cms-0021": (RAUC + "manifest", ["--anchors", RAUC + "provisioning-ca.pem", "--crl", RAUC + "provisioning-ca.pem",
                                     "--eku", "any"]),
    "cms-0022": (RAUC + "manifest", ["--anchors", RAUC + "provisioning-ca.pem", "--crl", RAUC + "provisioning-ca.pem",
                                     "--eku", "any"]),
    "cms-0023": (RAUC + "manifest", ["--anchors", RAUC + "dev-ca.pem", "--eku", "emailProtection"]),
    "cms-0024": (RAUC + "manifest", ["--anchors", RAUC + "dev-ca.pem"]),
    "cms-0025": (RAUC + "manifest", ["--anchors", RAUC + "provisioning-ca.pem", "--crl", RAUC + "provisioning-ca.pem",
                                     "--eku", "any"]),
    "cms-0026": (RAUC + "manifest", ["--anchors", RAUC + "dev-ca.pem"]),
}


def rows() -> list[dict[str, str]]:
    if not (CORPUS / "INDEX.tsv").exists():
        return []
    with open(CORPUS / "INDEX.tsv", encoding="utf-8", newline="") as f:
        return [r for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE) if r["type"] in TYPES]


def is_pointer(row: dict[str, str]) -> bool:
    """A note that stands in for a large file."""
    return (CORPUS / row["path"]).read_bytes()[:40].startswith(b"version https://git-lfs")


def command_of(row: dict[str, str]) -> list[str]:
    """The last word is the file."""
    strict = row["expected"].startswith("policy")
    words = ["verify", "--format", "json", "--at", AT, "--profile", "strict" if strict else "windows"]
    if row["id"] in DETACHED:
        content, options = DETACHED[row["id"]]
        paths = [str(CORPUS / o) if "/" in o else o for o in options]
        return [*words, *paths, "--signature", str(CORPUS / row["path"]), str(CORPUS / content)]
    return [*words, "--anchors", str(ROOTS), "--revocation", "off", str(CORPUS / row["path"])]


def is_right(expected: str, verdict: str, type_: str) -> bool:
    if expected == "valid":
        return verdict == "accepted"
    if expected == "unsigned":
        return verdict == "unsigned"
    if expected in ("accept", "accept-as-set"):  # good archives, that nobody signed
        return verdict in ("unsigned", "refused")
    if expected == "malformed":
        return verdict in ("refused", "unsupported", "unsigned") if type_ in ("cab", "cfbf", "msi") else verdict in (
            "refused", "unsupported")
    return verdict == "refused"


ROWS = rows()


Judged = tuple[dict[str, Any], Ran]                                  # the line that the program says of a row, and the run that it is of


@pytest.fixture(scope="module")
def together() -> dict[str, Judged]:
    """By their ids, where a wrapper runs the program: those with the same options in one run, since to read five hundred roots for each takes a
    quarter of a second. Elsewhere none: each has a run of its own."""
    judged: dict[str, Judged] = {}
    alike = defaultdict(list)
    for row in ROWS if WRAPPER else []:
        if not is_pointer(row):
            alike[tuple(command_of(row)[:-1])].append(row)
    for words, rows_of in alike.items():
        ran = run_surefoot(*words, *(command_of(row)[-1] for row in rows_of), in_turn=True)
        for row, line in zip(rows_of, ran.lines, strict=True):
            assert line["file"] == command_of(row)[-1], "the order is not that of the files"
            judged[row["id"]] = (line, ran)
    return judged


def judge_alone(row: dict[str, str], surefoot: Callable[..., Ran]) -> Judged:
    ran = surefoot(*command_of(row))
    assert ran.seconds < LIMIT_S + 1.0, f"{row['path']}\n{ran.out}{ran.err}"  # the start of the program and a busy machine are in it
    return ran.lines[0], ran


@pytest.mark.skipif(not ROWS, reason="the corpus is not beside the project: ../shared/corpus")
@pytest.mark.parametrize("row", ROWS, ids=[r["id"] for r in ROWS])
def test_row(row: dict[str, str], together: dict[str, Judged], surefoot: Callable[..., Ran]) -> None:
    if is_pointer(row):
        pytest.skip("a note in place of a large file")
    line, ran = together[row["id"]] if WRAPPER else judge_alone(row, surefoot)
    told = f"\n{row['path']}: {row['expected']} ({row['why'][:160]})\n{line}\n{ran.err}"
    assert ran.code in (0, 3, 8), told
    if line["verdict"] == "refused":
        assert line["reasons"], "refused without a reason" + told
    expected = row["expected"]
    if expected in NOT_JUDGED:
        return
    if row["id"] in DISAGREE:
        assert line["verdict"] == DISAGREE[row["id"]][0], f"no longer as argued: {DISAGREE[row['id']][1]}" + told
        return
    assert is_right(expected, line["verdict"], row["type"]), told


def test_disagreements_are_rows():
    """A disagreement about a row that is not there would hide nothing, and say nothing."""
    if not ROWS:
        pytest.skip("the corpus is not beside the project")
    ids = {r["id"] for r in ROWS}
    assert set(DISAGREE) <= ids
    assert set(DETACHED) <= ids
