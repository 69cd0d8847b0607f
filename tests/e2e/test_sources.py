"""Which source a library is built from (packaging/debian-sources.sh): the newest that is served, and never in silence one that is older than
what the machine has. The distribution's tools are played by functions of the shell: what it serves can't be had at will."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

SHELL = """
set -euo pipefail
PREFIX=$1 SRC=$1 LOG=$1 WORK=$1 APT=() listed=$2 served=$3 has=$4
say() { echo "$*" >&2; }
apt-cache() { for version in $listed; do echo "Package: x"; echo "Version: $version"; done; }
apt-get() { case " $served " in *" ${*: -1} "*) ;; *) return 100 ;; esac; }
dpkg-source() { :; }
dpkg-query() { [ -n "$has" ] && printf %s "$has"; }
. "$5/packaging/debian-sources.sh"
sources_get x libx-dev
if sources_older; then echo older; else echo "as new"; fi
"""


def get(folder: Path, listed: str, served: str, installed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", SHELL, "test", folder, listed, served, installed, ROOT], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("listed", "served", "installed", "taken", "told"), [
    ("1.0-1 1.0-2", "x=1.0-1 x=1.0-2", "1.0-2", "1.0-2", "as new"),
    ("1.0-2 1.0-10", "x=1.0-2 x=1.0-10", "1.0-2", "1.0-10", "as new"),
    ("1.0-1 1.0-2", "x=1.0-1", "1.0-1", "1.0-1", "as new"),
    ("1.0-1 1.0-2", "x=1.0-1", "1.0-2", "1.0-1", "older"),
    ("1.0-1", "x=1.0-1", "1.0-1+deb12u1", "1.0-1", "older"),
    ("1.0~rc1-1", "x=1.0~rc1-1", "1.0-1", "1.0~rc1-1", "older"),
    ("1.0-1", "x=1.0-1", "", "1.0-1", "older"),
], ids=["newest", "by number", "newer is not served", "mended is not served", "mended is not listed", "before the release", "nobody knows"])
def test_which_source(tmp_path: Path, listed: str, served: str, installed: str, taken: str, told: str) -> None:
    done = get(tmp_path, listed, served, installed)
    assert done.returncode == 0 and done.stdout.split("\n")[-2] == told, done.stderr
    assert (tmp_path / "VERSIONS").read_text() == f"x {taken}\n"
    assert ("older than the machine's own: x" in done.stderr) == (told == "older")


def test_no_source_is_an_error(tmp_path: Path) -> None:
    done = get(tmp_path, "1.0-1", "", "1.0-1")
    assert done.returncode == 1 and "no source for x" in done.stderr
