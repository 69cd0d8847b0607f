"""Every command that README.md and the guide show is run here, in a copy of the place they speak of, and what they say of the code is
held against it."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
from conftest import CRASH, ROOT
from shelf import CONTENT, SIGNER, command, on_posix

from tests.kit import cat, cms, detached, minisign, msi, pe
from tests.kit import pki as pk

README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "verify-guide.md").read_text(encoding="utf-8")


def commands_in(page: str) -> list[str]:
    """The lines of all ```sh blocks."""
    return [line for block in re.findall(r"^```sh\n(.*?)^```$", page, re.M | re.S) for line in block.splitlines() if line.strip()]


def fenced(page: str, word: str) -> str:
    [block] = re.findall(rf"^```{word}\n(.*?)^```$", page, re.M | re.S)
    return block


class Shell:
    """Runs lines one after another; `cd` is kept. `told` is what the last one printed."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.told, self.note = folder, "", programs / "pwd"
        self.env = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}

    def run(self, line: str) -> int:
        script = f"{line}\nrc=$?; pwd >{shlex.quote(str(self.note))}; exit $rc"
        done = subprocess.run(["bash", "-c", script], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
        self.folder = Path(self.note.read_text().strip())
        self.told = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert not [word for word in CRASH if word in self.told], self.told
        return done.returncode


def program_at(path: Path) -> None:
    """A program of that name that is the one under test."""
    path.parent.mkdir(parents=True, exist_ok=True)
    words = " ".join(shlex.quote(str(word)) for word in command())
    path.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Shell]:
    """The repository as README.md sees it, with build/surefoot and the system's python3."""
    (tmp_path / "clone").mkdir()
    for name in ("tests", "docs", "dev", ".ci"):
        (tmp_path / "clone" / name).symlink_to(ROOT / name)
    program_at(tmp_path / "clone" / "build" / "surefoot")
    (tmp_path / "clone" / "build" / "surefoot-publish").symlink_to(Path(os.environ.get("SUREFOOT_PUBLISH", ROOT / "build" / "surefoot-publish")))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    yield Shell(tmp_path / "clone", tmp_path / "bin")


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Shell]:
    """A release as the guide sees it. The certificates outlast the test's clock."""
    folder, w = tmp_path / "release", pk.pki()
    signer = pk.leaf(before="2021-01-01", after="2038-01-01")
    stamped: dict[str, Any] = {"signer": signer, "unsigned": [cms.stamp(cms.IN_2022)]}
    (folder / "dist").mkdir(parents=True)
    files = {"orchard.exe": pe.signed(**stamped), "orchard.msi": msi.signed(**stamped), "old.msi": msi.signed(ex=False, **stamped),
             "orchard.tar": CONTENT, "orchard.tar.p7s": detached.sign(CONTENT, signer), "orchard.tar.minisig": minisign.sign(SIGNER, CONTENT),
             "orchard.bin": CONTENT, "orchard.cat": cat.signed([cat.flat(CONTENT)], signer)}
    for name, data in files.items():
        (folder / "dist" / name).write_bytes(data)
    pk.write_pem(folder / "roots.pem", w.root, w.tsa_root)
    (folder / "maker.pub").write_bytes(SIGNER.public_file())
    (folder / "release.xml").write_text(fenced(GUIDE, "xml"))
    for name, authority in (("root", w.root), ("intermediate", w.inter), ("timestamp", w.tsa_root)):
        (folder / f"{name}.crl").write_bytes(pk.crl(authority, this="2021-01-01", next="2038-01-01"))
    program_at(tmp_path / "bin" / "surefoot")
    yield Shell(folder, tmp_path / "bin")


# -- README.md -------------------------------------------------------------------------------------------------------------

# Commands of ./dev are not run inside the tests that ./dev runs.
OF_DEV = ["./dev demo", "./dev build", "./dev test"]
OF_README = {
    "python3 -m tests.kit.make build/first good_pe32plus": 0,
    "cd build/first/good_pe32plus": 0,
    "../../surefoot inspect good.exe": 0,
    '../../surefoot verify --anchors root.pem --publisher "Orchard Works" --at 2026-06-01T00:00:00Z good.exe': 0,
    "mkdir -p build/maker": 0,
    "build/surefoot-publish keygen --out build/maker/orchard --no-passphrase": 0,
    "build/surefoot-publish release docs --product orchard --version 1.0.0 --dir build/maker/dist --key build/maker/orchard.key": 0,
    "build/surefoot-publish feed build/maker/dist --product orchard --channel stable --add 1.0.0 --key build/maker/orchard.key": 0,
    "build/surefoot-publish verify-release --key build/maker/orchard.pub build/maker/dist": 0,
    "build/surefoot help exit-codes": 0,
    "build/surefoot verify --help": 0,
}


def test_every_command_of_the_readme_is_in_the_table() -> None:
    assert sorted(set(commands_in(README))) == sorted([*OF_DEV, *OF_README])


@on_posix
def test_the_commands_of_the_readme_do_what_they_say(clone: Shell) -> None:
    top = clone.folder
    for line in (line for line in commands_in(README) if line in OF_README):
        if line.startswith(("build/", "mkdir ")):                   # another block: from the top again
            clone.folder = top
        assert clone.run(line) == OF_README[line], f"{line}\n{clone.told}"
        if " verify --anchors" in line:
            assert "accepted" in clone.told and "Orchard Works" in clone.told
            file = clone.folder / "good.exe"
            file.write_bytes(file.read_bytes().replace(b"orchard data", b"orchard Data"))
            assert clone.run(line) == 3 and "DigestMismatch" in clone.told


@on_posix
def test_the_commands_of_dev(clone: Shell) -> None:
    dev = (ROOT / "dev").read_text()
    assert re.search(r"^part [0-9]+ \./dev test$", (ROOT / ".ci" / "run").read_text(), re.M), "./dev test is what .ci/run calls"
    assert clone.run("./dev help") == 0
    for line in OF_DEV:
        assert re.search(rf"^  {line.split()[1]} ", clone.told, re.M) and f"\ncmd_{line.split()[1]}() {{" in dev, line
    assert "tests/demo.sh build/surefoot build/surefoot-publish" in dev, "./dev demo is this story, after a build"
    for story in ("tests/demo.sh", "tests/demo_proof.sh"):
        assert clone.run(f"{story} build/surefoot build/surefoot-publish") == 0, clone.told


def test_the_readme_names_nothing_that_is_not_there() -> None:
    for name in re.findall(r"`((?:platform|manifest|verify|installer|keys|tests|docs|packaging)/[a-z0-9_./-]*|[A-Z]+\.md|LICENSE|\.ci/run)`", README):
        assert (ROOT / name).exists() or name in ("keys/",), name
    row = README.split("| in `verify/` | does |")[1].split("\n\n")[0]
    for name in re.findall(r"`([a-z_0-9]+(?:\.[ch]|\*))`", row):
        assert list((ROOT / "verify").glob(name)), name


def test_the_table_of_layers_is_the_one_that_is_checked() -> None:
    spec = importlib.util.spec_from_file_location("layering", ROOT / "tests" / "layering.py")
    layering = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(layering)
    table = README.split("| folder | may include |")[1].split("\n\n")[0]
    told = {folder: re.findall(r"`([^`]+)`", rest) for folder, rest in re.findall(r"^\| `([a-z0-9/]+)` \| (.*) \|$", table, re.M)}
    assert told == {folder: allowed for folder, allowed in layering.OWN.items() if any((ROOT / folder).rglob("*.[ch]")) or folder == "docs"}
    for file in layering.FOREIGN["openssl/"]:
        if file.startswith("verify/"):
            assert re.search(r"/(digest|cert|chain|crl|trust|minisign)[a-z_]*\.[ch]$", file), f"README.md says where OpenSSL is included: {file}"


# -- the guide -------------------------------------------------------------------------------------------------------------


@on_posix
def test_every_command_of_the_guide_is_run(release: Shell) -> None:
    lines = commands_in(GUIDE)
    assert len(lines) >= 12 and all(line.startswith("surefoot ") for line in lines)
    for line in lines:
        assert release.run(line) == 0, f"{line}\n{release.told}"


def test_the_guide_has_the_exit_codes_of_the_manual_page() -> None:
    page = (ROOT / "docs" / "man" / "surefoot-verify.1").read_text().split("\n.Sh EXIT STATUS\n")[1].split("\n.Sh ")[0]
    assert re.findall(r"^\| ([0-9]+) \|", GUIDE, re.M) == re.findall(r"^\.It ([0-9]+)$", page, re.M)
