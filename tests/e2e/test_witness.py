"""The system's own word on a program: it can refuse what we accept, and never the other way. On POSIX a witness that says what the test
wants (tests/tools/witness_fake.c); under wine the real WinVerifyTrust."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import PROGRAM, WRAPPER, read_line, run_wrapped
from shelf import AT, SIGNER

from tests.kit import cat, minisign, msi, pe
from tests.kit.case import codes, trust

BUILD = PROGRAM.resolve().parent.parent
on_posix = pytest.mark.skipif(bool(WRAPPER), reason="the fake witness is built on POSIX")
under_wine = pytest.mark.skipif(not WRAPPER, reason="WinVerifyTrust is of Windows")


@pytest.fixture
def world(tmp_path: Path) -> Path:
    (tmp_path / "good.exe").write_bytes(pe.signed())
    return tmp_path


def told(witness: str, folder: Path, *words: str, file: str = "good.exe", usual: bool = True) -> tuple[int, dict[str, Any], int]:
    """Exit code, report, and how often the witness was asked."""
    program, asked = BUILD / "tests/tools/surefoot_witness", folder / "asked"
    if not program.exists():
        pytest.skip("surefoot_witness is not beside the program")
    asked.unlink(missing_ok=True)
    done = subprocess.run([str(program), "verify", "--format", "json", "--at", AT, *(trust(folder) if usual else []), *words, str(folder / file)],
                          env={**os.environ, "SUREFOOT_TEST_WITNESS": witness, "SUREFOOT_TEST_WITNESS_ASKED": str(asked)}, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    return done.returncode, read_line(done.stdout.decode()), len(asked.read_text().splitlines()) if asked.exists() else 0


# -- the word and what it counts for ----------------------------------------------------------------------------------------


@on_posix
@pytest.mark.parametrize("witness", ["unavailable", "intact"])
def test_a_witness_with_nothing_to_say_changes_nothing(world: Path, witness: str) -> None:
    code, line, n_asked = told(witness, world)
    assert (code, line["verdict"], line["reasons"], line["findings"], n_asked) == (0, "accepted", [], [], 1)


@on_posix
def test_of_a_chain_that_it_does_not_trust_there_is_a_finding(world: Path) -> None:
    code, line, n_asked = told("chain", world)
    assert (code, line["verdict"], codes(line, "findings"), line["reasons"], n_asked) == (0, "accepted", ["WitnessChain"], [], 1)
    assert "as told (chain)" in line["findings"][0]["detail"]


@on_posix
@pytest.mark.parametrize("more", [(), ("--profile", "windows"), ("--allow", "UncoveredData"), ("--all-signatures",)])
@pytest.mark.parametrize(("witness", "words"), [("broken", "altered or unsigned"), ("banned", "told to distrust a certificate"),
                                                ("unknown", "not understood")])
def test_what_it_refuses_is_refused(world: Path, witness: str, words: str, more: tuple[str, ...]) -> None:
    code, line, n_asked = told(witness, world, *more)
    assert (code, line["verdict"], codes(line, "reasons"), n_asked) == (3, "refused", ["WitnessRefuses"], 1)
    assert f"as told ({witness})" in line["reasons"][0]["detail"] and words in line["reasons"][0]["detail"]


@on_posix
def test_a_pinned_hash_does_not_excuse_it(world: Path) -> None:
    import hashlib
    pinned = hashlib.sha256((world / "good.exe").read_bytes()).hexdigest()
    assert told("intact", world, "--sha256", pinned)[0] == 0
    code, line, _ = told("broken", world, "--sha256", pinned)
    assert (code, codes(line, "reasons")) == (3, ["WitnessRefuses"])


@on_posix
@pytest.mark.parametrize("witness", ["intact", "chain", "broken", "banned", "unknown"])
def test_it_is_not_asked_of_what_we_refuse_and_never_turns_that_around(world: Path, witness: str) -> None:
    data = bytearray((world / "good.exe").read_bytes())
    data[0x210] ^= 1
    (world / "bad.exe").write_bytes(data)
    (world / "unsigned.exe").write_bytes(pe.Image().bytes())
    for file, verdict in (("bad.exe", "refused"), ("unsigned.exe", "unsigned")):
        code, line, n_asked = told(witness, world, file=file)
        assert (code, line["verdict"], n_asked) == (3, verdict, 0)
        assert not {"WitnessChain", "WitnessRefuses"} & {*codes(line, "reasons"), *codes(line, "findings")}
    code, line, n_asked = told(witness, world, *trust(world, publisher="Somebody Else"), usual=False)
    assert (code, line["verdict"], n_asked) == (3, "refused", 0)


@on_posix
def test_it_is_asked_of_programs_with_a_signature_inside_alone(world: Path) -> None:
    """Windows Installer packages, members of catalogs, and files with a signature beside them are ours alone to judge."""
    plain = pe.Image().bytes()
    for name, data in (("plain.exe", plain), ("plain.exe.minisig", minisign.sign(SIGNER, plain)), ("maker.pub", SIGNER.public_file()),
                       ("good.msi", msi.signed()), ("good.cat", cat.signed([cat.flat(plain)])), ("listed.exe", plain)):
        (world / name).write_bytes(data)
    for kind, file, words, usual in (("pe", "plain.exe", ["--key", str(world / "maker.pub")], False), ("msi", "good.msi", [], True),
                                     ("pe", "listed.exe", ["--catalog", str(world / "good.cat")], True), ("cat", "good.cat", [], True)):
        code, line, n_asked = told("broken", world, *words, file=file, usual=usual)
        assert (code, line["verdict"], line["type"], n_asked) == (0, "accepted", kind, 0), file


# -- WinVerifyTrust ---------------------------------------------------------------------------------------------------------


def asked_windows(*files: Path) -> list[tuple[str, str]]:
    done = run_wrapped(BUILD / "tests/tools/witness_ask.exe", *files, stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == 0, done.stderr
    return [(line.split("\t")[0], line.split("\t")[1]) for line in done.stdout.decode().splitlines()]


@under_wine
@pytest.mark.parametrize("hash", ["sha256", "sha384"])
def test_windows_finds_a_good_program_intact_and_does_not_know_its_root(tmp_path: Path, hash: str, surefoot: Any) -> None:
    good = tmp_path / "good.exe"
    good.write_bytes(pe.signed(hash=hash))
    [(word, text)] = asked_windows(good)
    assert word == "chain", text
    ran = surefoot("verify", "--format", "json", "--at", AT, *trust(tmp_path), str(good))
    assert (ran.code, codes(ran.lines[0], "findings"), ran.lines[0]["reasons"]) == (0, ["WitnessChain"], []), ran.out


@under_wine
def test_windows_refuses_what_we_refuse(tmp_path: Path, surefoot: Any) -> None:
    """Each by its own means: ours is asked by the program, Windows' by itself."""
    whole = pe.signed()
    files = {"unsigned": pe.Image().bytes(), "cut": whole[:-40], "text": b"no program at all\n"}
    for name, at in (("headers", 0x40), ("code", 0x210), ("data", 0x410)):
        data = bytearray(whole)
        data[at] ^= 1
        files[name] = bytes(data)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    said = dict(zip(files, asked_windows(*(tmp_path / name for name in files))))
    for name in files:
        ran = surefoot("verify", "--format", "json", "--at", AT, *trust(tmp_path), str(tmp_path / name))
        assert ran.code in (3, 8) and ran.lines[0]["verdict"] != "accepted", (name, ran.out)
        assert not {"WitnessChain", "WitnessRefuses"} & {*codes(ran.lines[0], "reasons"), *codes(ran.lines[0], "findings")}, ran.out
    assert {name: word for name, (word, _) in said.items()} == {**dict.fromkeys(files, "broken"), "cut": "unknown"}, said  # wine's word there is no HRESULT
    assert all(said[name][1].startswith("TRUST_E_BAD_DIGEST") for name in ("headers", "code", "data")), said


@under_wine
def test_windows_is_not_asked_of_installer_packages(tmp_path: Path, surefoot: Any) -> None:
    (tmp_path / "good.msi").write_bytes(msi.signed())
    ran = surefoot("verify", "--format", "json", "--at", AT, *trust(tmp_path), str(tmp_path / "good.msi"))
    assert (ran.code, codes(ran.lines[0], "findings")) == (0, []), ran.out
