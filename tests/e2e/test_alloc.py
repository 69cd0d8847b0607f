"""Each allocation of a judgement fails in turn, libcrypto's too (tests/tools/alloc_fail.c): a good file of each kind is then accepted or
"could not find out", never refused for want of memory; a changed one is never accepted; nothing crashes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import PROGRAM, ROOT
from tests.kit.all_cases import all_cases
from tests.kit.case import Case

# a case of the kit for each kind, and where its signature lies: in the file, or beside it
KINDS = {
    "good_pe32": "", "good_expired_leaf_stamped": "", "good_nested_sha256_sha384": "", "good_page_hashes_sha256": "", "good_ecdsa_p256": "",
    "msi_good_no_big_stream": "", "msi_good_big_stream_of_4096": "", "cab_good_one_folder": "", "cat_good_itself": "",
    "script_good_ps1_accents": "", "script_good_js_utf8": "", "cat_good_pe_by_authenticode_hash": "list.cat",
    "cms_detached_good_der": "file.bin.p7s", "cms_detached_good_pem": "file.bin.p7s", "minisign_good_prehashed": "file.bin.minisig",
    "minisign_good_legacy": "file.bin.minisig",
}


def tool() -> Path:
    program = PROGRAM if PROGRAM.is_absolute() else ROOT / PROGRAM
    folder = os.environ.get("SUREFOOT_TOOLS") or program.resolve().parent.parent / "tests" / "tools"
    path = Path(folder) / "alloc_fail"
    if not path.exists():
        pytest.skip("alloc_fail is built on POSIX, without sanitizers")
    return path


def case_of(name: str) -> Case:
    return next(c for c in all_cases() if c.name == name)


def arguments(folder: Path, file: Path, companion: str) -> list[str]:
    pems = [p.read_bytes() for p in sorted(folder.glob("*root*.pem"))]
    anchors, key = folder / "all.pem", folder / "kit.pub"
    if pems:
        anchors.write_bytes(b"".join(pems))
    given = {
        "signature": folder / companion if companion.endswith((".p7s", ".minisig")) else None,
        "anchors": anchors if pems else None,
        "key": key if key.exists() else None,
        "catalog": folder / companion if companion.endswith(".cat") else None,
    }
    return [str(file), *[str(p) if p else "-" for p in given.values()]]


def run_tool(kind: str, args: list[str]) -> str:
    done = subprocess.run([str(tool()), kind, *args], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.parametrize("name", KINDS)
def test_no_allocation_that_fails_changes_a_verdict(name: str, tmp_path: Path) -> None:
    tool()
    built = case_of(name).build(tmp_path)
    args = arguments(tmp_path, Path(built.file), KINDS[name])
    said = run_tool("good", args)
    assert int(said.split()[0]) > (10 if name.startswith("minisign") else 100), "too few: libcrypto's are not counted"
    data = bytearray(Path(built.file).read_bytes())
    data[len(data) // 3] ^= 1
    Path(built.file).write_bytes(bytes(data))
    run_tool("bad", args)
