"""The same product, the same steps, on machines of three kinds: this system, and the machine in memory with the file rules of POSIX and of
Windows. All must tell the same: each event, each result with its exit code, each file at the end (tests/sim/tell.c). Under wine this system is
Windows."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from conftest import ROOT, WRAPPER, built, until_started

SCENARIOS = ROOT / "tests" / "sim" / "scenarios"
STORIES = ["pointer", "ill-pointer", "install-pointer"]             # windows-NAME.xml has the file rules of Windows
PACKAGES = ["msi-install", "msi", "msi-ill", "msi-rollback"]        # of Windows Installer, which Windows alone has
LIMIT_S = 240
FIRST_FILE = "tree/"



def publisher(folder: Path) -> Path:
    """surefoot-publish of the build, as one word."""
    program = built("surefoot-publish_wine") if WRAPPER else built("../keys/surefoot-publish")
    script = folder / "publish"
    script.write_text(f'#!/bin/sh\nexec {" ".join(WRAPPER)} {program} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("story")
    words = ["sh", ROOT / "tests" / "sim" / "releases.sh", publisher(folder), folder / "releases", "app"]
    subprocess.run([*words, built("tools/sim_ctl")], check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S)
    return folder / "releases"


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of a machine of our own: on Windows a drive is changed."""
    if not WRAPPER:
        yield dict(os.environ)
        return
    from windows_kit import Prefix
    prefix = Prefix(tmp_path_factory.mktemp("wine") / "prefix")
    yield {**os.environ, "WINEPREFIX": str(prefix.folder)}
    prefix.end()


def tell(machine: dict[str, str], where: str, releases: Path, scenario: str) -> list[str]:
    with open(releases.parent / "told", "w+b") as told:              # a file: what a program leaves running would keep a pipe open
        done = subprocess.run([*WRAPPER, built("sim/tell"), where, releases, SCENARIOS / f"{scenario}.xml"], env=machine, stdin=subprocess.DEVNULL,
                              stdout=told, stderr=subprocess.PIPE if not WRAPPER else subprocess.STDOUT, timeout=LIMIT_S, check=False)
        told.seek(0)
        text = told.read().decode("utf-8", "replace")
    assert done.returncode == 0, (text, done.stderr)
    return text.splitlines()


def every_command_started(told: list[str]) -> bool:
    """What wine does not start ends with 1 and says nothing. A step that did not end as wanted for such a command is told once more."""
    return not any(re.match(r"step .*, wanted .*: exit code 1$", line) for line in told)


def without_modes(told: list[str]) -> list[str]:
    """The one thing that may differ: Windows keeps no modes."""
    return [" ".join([*line.split(" ")[:2], *line.split(" ")[3:]]) if line.startswith((FIRST_FILE, "data/")) else line for line in told]


@pytest.mark.parametrize("name", STORIES)
def test_this_system_and_the_one_in_memory_tell_the_same(name: str, releases: Path, machine: dict[str, str], tmp_path: Path) -> None:
    in_memory = tell(machine, "mock", releases, f"windows-{name}")
    if WRAPPER:
        folders = iter(f"C:/story-{name}-{n}" for n in range(3))
        here = until_started(lambda: tell(machine, next(folders), releases, f"windows-{name}"), every_command_started)
        assert here == in_memory
    else:
        (tmp_path / "root").mkdir()
        here = tell(machine, str(tmp_path / "root"), releases / "plain", name)
        assert without_modes(here) == without_modes(in_memory)
    assert sum(line.startswith("step ") for line in here) >= 2 and any(line.startswith("tree/lib/version ") for line in here), here
    assert "step 1: Success (exit code 0)" in here, here


@pytest.mark.skipif(not WRAPPER, reason="Windows Installer is on Windows alone")
@pytest.mark.parametrize("name", PACKAGES)
def test_windows_installer_and_the_one_in_memory_tell_the_same(name: str, releases: Path, machine: dict[str, str]) -> None:
    """The packages install to Program Files, opt, app: there the root is."""
    in_memory = tell(machine, "mock", releases, name)
    here = tell(machine, "C:/Program Files", releases, name)
    assert here == in_memory
