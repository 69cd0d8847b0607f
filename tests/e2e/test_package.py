"""Surefoot's own packages for Windows as packaging/win32/package makes them: what is in them, and the tables of the MSI. The program in
them is none that starts: test_windows_package.py installs real ones."""

from __future__ import annotations

import os
import struct
import subprocess
import zipfile
from pathlib import Path
from typing import Iterator

import pytest
from conftest import ROOT

TOOL = ROOT / "packaging/win32/package"
BUILD = Path(os.environ["SUREFOOT"]).resolve().parent.parent
LIMIT_S = 120


def program(folder: Path, version: str) -> Path:
    """No more of a program than is looked at: the first two bytes, and the fixed part of the version's resource."""
    a, b, c = map(int, version.split("."))
    file = folder / f"program-{version}.exe"
    file.write_bytes(b"MZ" + version.encode() * 1000 + struct.pack("<IIII", 0xFEEF04BD, 0x10000, a << 16 | b, c << 16) + bytes(40))
    return file


def build(folder: Path) -> Path:
    """What is looked at of a build for Windows, which this system's need not be: its version, and what libraries are in it."""
    made = folder / "build"
    if not made.exists():
        made.mkdir()
        (made / "meson-info").symlink_to(BUILD / "meson-info")
        (made / "libraries.txt").write_text("openssl 3.0.1-1\n")
    return made


def pack(folder: Path, version: str, out: str = "out") -> Path:
    subprocess.run([TOOL, build(folder), folder / out, "--program", program(folder, version), "--version", version], check=True,
                   timeout=LIMIT_S, capture_output=True)
    return folder / out / f"surefoot-{version}-windows-x64.msi"


@pytest.fixture(scope="module")
def msi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield pack(tmp_path_factory.mktemp("package"), "1.2.3")


def table(msi: Path, name: str) -> list[dict[str, str]]:
    lines = subprocess.run(["msiinfo", "export", msi, name], check=True, capture_output=True, timeout=LIMIT_S).stdout.decode().splitlines()
    columns = lines[0].split("\t")
    return [dict(zip(columns, line.split("\t"))) for line in lines[3:]]


def properties(msi: Path) -> dict[str, str]:
    return {row["Property"]: row["Value"] for row in table(msi, "Property")}


def content_of_zip(msi: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(msi.with_suffix(".zip")) as archive:
        return {name.removeprefix(f"{msi.stem}/"): archive.read(name) for name in archive.namelist()}


def test_the_zip_and_the_msi_have_the_same_files(msi: Path, tmp_path: Path) -> None:
    subprocess.run(["msiextract", "-C", tmp_path, msi], check=True, capture_output=True, timeout=LIMIT_S)
    top = next(tmp_path.rglob("surefoot.exe")).parent
    installed = {str(f.relative_to(top)): f.read_bytes() for f in top.rglob("*") if f.is_file()}
    assert installed == content_of_zip(msi)
    assert installed["surefoot.exe"].startswith(b"MZ1.2.3")
    assert installed["LICENSE.txt"] == (ROOT / "LICENSE").read_bytes()


def test_what_makes_releases_is_not_in_it_and_manuals_can_be_read(msi: Path) -> None:
    content = content_of_zip(msi)
    assert set(content) == {"surefoot.exe", "LICENSE.txt", "LIBRARIES.txt", "CHANGELOG.md", "examples/surefoot.xml", "examples/entra-connect.xml",
                            *(f"manual/{page}.txt" for page in ("surefoot.1", "surefoot-inspect.1", "surefoot-product.5", "surefoot-upgrade.1",
                                                                "surefoot-verify.1"))}
    for name, data in content.items():
        assert not name.startswith("manual/") or (b"NAME" in data and b"\x08" not in data and b"\x1b" not in data), name


def test_the_same_files_make_the_same_zip(msi: Path, tmp_path: Path) -> None:
    again = pack(tmp_path, "1.2.3")
    assert again.with_suffix(".zip").read_bytes() == msi.with_suffix(".zip").read_bytes()
    with zipfile.ZipFile(again.with_suffix(".zip")) as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_codes_are_of_the_product_and_of_its_version(msi: Path, tmp_path: Path) -> None:
    mine, again, newer = properties(msi), properties(pack(tmp_path, "1.2.3")), properties(pack(tmp_path, "1.2.4"))
    assert mine["ProductCode"] == again["ProductCode"] != newer["ProductCode"]
    assert mine["UpgradeCode"] == newer["UpgradeCode"]
    assert (mine["ProductVersion"], newer["ProductVersion"], mine["ALLUSERS"]) == ("1.2.3", "1.2.4", "1")
    assert f'upgrade-code="{mine["UpgradeCode"]}"' in (ROOT / "docs/examples/surefoot.xml").read_text()


def test_an_older_product_is_taken_away_where_windows_installer_allows_it(msi: Path) -> None:
    order = {row["Action"]: int(row["Sequence"]) for row in table(msi, "InstallExecuteSequence")}
    assert order["RemoveExistingProducts"] == order["InstallInitialize"] + 1
    between = [a for a, n in order.items() if order["InstallInitialize"] < n < order["RemoveExistingProducts"]]
    assert not between and order["RemoveExistingProducts"] < order["ProcessComponents"] < order["InstallFiles"] < order["PrepareFolders"]
    upgrade = {row["ActionProperty"]: row for row in table(msi, "Upgrade")}
    assert (upgrade["WIX_UPGRADE_DETECTED"]["VersionMax"], upgrade["WIX_DOWNGRADE_DETECTED"]["VersionMin"]) == ("1.2.3", "1.2.3")


def test_the_program_has_a_version_so_that_it_replaces_an_older_one(msi: Path) -> None:
    files = {row["FileName"].split("|")[-1]: row for row in table(msi, "File")}
    assert files["surefoot.exe"]["Version"] == "1.2.3.0"
    assert {row["Version"] for name, row in files.items() if name != "surefoot.exe"} == {""}


def test_nothing_comes_from_elsewhere_and_only_the_program_is_run(msi: Path) -> None:
    assert [row["Cabinet"] for row in table(msi, "Media")] == ["#cab1.cab"], "the files are in the package"
    assert all(int(row["Attributes"]) & 256 for row in table(msi, "Component")), "64-bit"
    action, = table(msi, "CustomAction")
    deferred, no_impersonation, ignore, installed_program = 1024, 2048, 64, 18
    assert (int(action["Type"]), action["Source"], action["Target"]) == (deferred + no_impersonation + ignore + installed_program, "Program",
                                                                         "prepare --quiet")
    text = "".join(str(row) for name in ("Property", "Registry", "CustomAction", "Directory") for row in table(msi, name))
    assert "://" not in text and "\\\\\\\\" not in text
    assert {(row["Key"].rsplit("\\", 1)[-1], row["Name"], row["Value"]) for row in table(msi, "Registry")} == {
        ("Surefoot Upgrade", "EventMessageFile", "[INSTALLDIR]surefoot.exe"), ("Surefoot Upgrade", "TypesSupported", "#7")}


def test_libraries_older_than_the_distribution_s_are_not_packed(tmp_path: Path) -> None:
    older = build(tmp_path) / "libraries-older.txt"
    older.write_text("openssl 3.0.1-1, where the machine has 3.0.2-1 of libssl-dev\n")
    words = [TOOL, build(tmp_path), tmp_path / "out", "--program", program(tmp_path, "1.2.3")]
    refused = subprocess.run(words, check=False, capture_output=True, text=True, timeout=LIMIT_S)
    assert refused.returncode == 1 and "openssl 3.0.1-1, where the machine has 3.0.2-1" in refused.stderr and not (tmp_path / "out").exists()
    subprocess.run([*words, "--older-libraries"], check=True, capture_output=True, timeout=LIMIT_S)
    assert {f.suffix for f in (tmp_path / "out").iterdir()} == {".msi", ".zip"}
    (build(tmp_path) / "libraries.txt").unlink()
    unknown = subprocess.run([*words, "--older-libraries"], check=False, capture_output=True, text=True, timeout=LIMIT_S)
    assert unknown.returncode == 1 and "libraries.txt: is not there" in unknown.stderr


@pytest.mark.parametrize("words, data, says", [
    (["--version", "1.2"], None, "versions of three numbers"),
    (["--version", "1.2.3-rc1"], None, "versions of three numbers"),
    ([], b"\x7fELF", "is no program for Windows"),
    ([], b"MZ without resources", "has no version among its resources"),
])
def test_what_cannot_be_packed_is_said(tmp_path: Path, words: list[str], data: bytes | None, says: str) -> None:
    file = program(tmp_path, "1.2.3")
    if data is not None:
        file.write_bytes(data)
    done = subprocess.run([TOOL, build(tmp_path), tmp_path / "out", "--program", file, *words], capture_output=True,
                          timeout=LIMIT_S, check=False)
    assert done.returncode == 1 and says in done.stderr.decode() and not list(tmp_path.glob("out/*.msi"))
