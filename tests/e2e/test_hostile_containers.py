"""Every case of the kit for MSI, CAB, scripts, catalogs and detached signatures, run against the built program."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.kit import cab, cases_cab, cases_cat, cases_detached, cases_msi, cases_review, cases_script, cat, cfb, detached, minisign, msi, script
from tests.kit.case import Case, trust
from tests.kit.rules_containers import RULES

CASES = [c for m in (cases_msi, cases_cab, cases_script, cases_cat, cases_detached, cases_review) for c in m.CASES]
JUDGED = [c for c in CASES if "error" not in c.verdicts]
FAILING = [c for c in CASES if "error" in c.verdicts]


@pytest.mark.parametrize("case", JUDGED, ids=lambda c: c.name)
def test_case(case: Case, check_case: Callable[[Any], None]) -> None:
    check_case(case)


@pytest.mark.parametrize("case", FAILING, ids=lambda c: c.name)
def test_wrong_usage_or_unreadable_companion(case: Case, surefoot: Callable[..., Any], tmp_path: Path) -> None:
    """A message, the right exit code, and nothing accepted."""
    built = case.build(tmp_path)
    ran = surefoot(*case.command(built))
    wanted = {case.exit_code} if case.exit_code is not None else {1, 2, *(case.exit_for(v) for v in case.verdicts)}
    if case.name == "no_trust_at_all" and os.environ.get("SUREFOOT_WRAPPER"):
        wanted = {2, 3}  # Windows has a ROOT store, which is trusted by default: then the file is judged, and refused
    assert ran.code in wanted, f"exit {ran.code}, not {wanted}\n{ran.out}\n{ran.err}"
    assert '"accepted"' not in ran.out
    assert ran.err.strip() or ran.out.strip(), "no message"


def test_names_are_unique() -> None:
    assert [name for name, n in Counter(c.name for c in CASES).items() if n > 1] == []


def test_every_case_names_a_rule() -> None:
    assert [c.name for c in CASES if c.rule not in RULES] == []


def test_every_rule_has_a_case() -> None:
    assert sorted(set(RULES) - {c.rule for c in CASES}) == []


def test_refusals_outnumber_acceptances() -> None:
    refusals = sum("accepted" not in c.verdicts for c in CASES)
    assert refusals >= 110 and refusals > sum(c.verdict == "accepted" for c in CASES)


@pytest.mark.parametrize("size", (2**31 - 1, 2**31, 2**31 + 1))
def test_stream_of_2_gib_is_hashed_whole(size: int, surefoot: Callable[..., Any], tmp_path: Path) -> None:
    """A sparse v4 file; then the last byte of the huge stream is changed."""
    root = msi.tree(100)
    root.children.append(cfb.Entry("huge", cfb.Zeroes(size, b"\1")))
    image = cfb.Compound(msi.signed_tree(root), 4).layout()
    file = tmp_path / "huge.msi"
    image.write(file)
    if file.stat().st_blocks * 512 > 2**28:
        pytest.skip("the file system knows no holes")
    words = ["verify", "--format", "json", "--at", "2026-06-01T00:00:00Z", *trust(tmp_path), str(file)]
    assert surefoot(*words, limit_s=120).code == 0
    with open(file, "r+b") as f:
        f.seek(image.offset(image.chain["huge"][-1]) + (size - 1) % image.sector)
        assert f.read(1) == b"\1"
        f.seek(-1, 1)
        f.write(b"\2")
    ran = surefoot(*words, limit_s=120)
    assert ran.code == 3 and "DigestMismatch" in ran.out


# -- byte accounting: no flipped byte is accepted ---------------------------------------------------------------------------

BATCH = 200                                                         # files in one command
CONTENT = b"orchard"
KEY = minisign.Key()
SCANNED: dict[str, Callable[[], bytes]] = {
    "kit.msi": lambda: msi.signed(msi.tree(4200)), "kit_v4.msi": lambda: msi.signed(msi.tree(100), version=4), "kit.msp": lambda: msi.signed(msi.patch_tree()),
    "kit.cab": cab.signed, "kit.cat": lambda: cat.signed([cat.flat(CONTENT)]), "kit.ps1": script.signed, "kit.js": lambda: script.signed("js"),
    "kit.wsf": lambda: script.signed("wsf"), "kit_bom.ps1": lambda: script.signed(encoding="utf16-bom"), "kit.mof": lambda: script.signed("mof"),
    "signature.p7s": lambda: detached.sign(CONTENT), "signature.minisig": lambda: minisign.sign(KEY, CONTENT)}


@pytest.mark.parametrize("name", SCANNED)
def test_no_flipped_byte_is_accepted(name: str, surefoot: Callable[..., Any], tmp_path: Path) -> None:
    """Every byte with SUREFOOT_SCAN=full, else some 400 spread over the file."""
    data = SCANNED[name]()
    beside, suffix = name.startswith("signature."), Path(name).suffix
    exempt = range(len("untrusted comment: "), data.index(b"\n")) if name.endswith("minisig") else ()
    step = 1 if os.environ.get("SUREFOOT_SCAN") == "full" else max(1, len(data) // 400)
    places = [at for at in range(0, len(data), step) if at not in exempt]
    words = trust(tmp_path) if not name.endswith("minisig") else ["--key", str(tmp_path / "kit.pub")]
    (tmp_path / "kit.pub").write_bytes(KEY.public_file())
    for n in range(0, len(places), BATCH):
        files = []
        for at in places[n:n + BATCH]:
            flipped = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1:]
            file = tmp_path / (f"{at}.bin" if beside else f"{at}{suffix}")
            (tmp_path / f"{at}.bin{suffix}" if beside else file).write_bytes(flipped)
            if beside:
                file.write_bytes(CONTENT)
            files.append(file)
        ran = surefoot("verify", "--format", "json", "--at", "2026-06-01T00:00:00Z", *words, *map(str, files), limit_s=60)
        assert len(ran.lines) == len(files), ran.err
        assert [Path(line["file"]).name for line in ran.lines if line["verdict"] not in ("refused", "unsigned", "unsupported")] == []
        for file in tmp_path.glob("[0-9]*.*"):
            file.unlink()
