"""Tables of installer packages as verify/msi_db reads them (tests/tools/msi_dump prints them) against msiinfo of msitools: every table of
every package of the corpus, and of packages that wixl and msibuild make. And packages that the kit breaks."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any, Iterable

import pytest
from conftest import CRASH, ROOT, WRAPPER, built, run_wrapped
from msi_package import BINARY, KEY, LONG, PROPERTY, TEXT_NULL, Package

from tests.kit import cfb, msi

CORPUS = ROOT.parent / "shared" / "corpus" / "msi"
PACKAGES = sorted(p for p in CORPUS.glob("*/*.ms[ip]") if not p.read_bytes()[:40].startswith(b"version https://git-lfs"))
PACKAGES = PACKAGES[::3] if WRAPPER else PACKAGES                    # the reader is the same on every system, and files are what differs
NEEDED = ("Property", "Upgrade", "InstallExecuteSequence", "Media", "File")


def dump(file: Path, *words: str) -> tuple[int, str, str]:
    done = run_wrapped(built("tools/msi_dump"), file, *words, timeout=30)
    told = done.stderr.decode("utf-8", "replace")
    assert done.returncode in (0, 1) and not [w for w in CRASH if w in told], told
    return done.returncode, done.stdout.decode("utf-8").replace("\r\n", "\n"), told


def read(file: Path, *words: str) -> list[str]:
    code, out, told = dump(file, *words)
    assert code == 0, told
    return out.removesuffix("\n").split("\n") if out else []


def read_all(file: Path) -> dict[str, list[str]]:
    code, out, told = dump(file, "--all")
    assert code == 0 and out[:1] in ("", "\f"), told
    return {(lines := table.removesuffix("\n").split("\n"))[0]: lines[1:] for table in out.split("\f")[1:]}


def refuses(file: Path, *words: str) -> str:
    code, _, told = dump(file, *words)
    assert code == 1 and told.count("\n") == 1, told
    return told


def msiinfo(folder: Path, *words: Any) -> bytes:
    if not shutil.which("msiinfo"):
        pytest.skip("msiinfo is not installed")
    return subprocess.run(["msiinfo", *(str(w) for w in words)], cwd=folder, capture_output=True, timeout=60, check=True).stdout


ESCAPED = str.maketrans({"\x10": "\t", "\x19": "\n", "\x11": "\r"})


def exported(folder: Path, file: Path, table: str, page: str) -> tuple[list[str], str]:
    """The first two lines of the export, and what comes after the third. For a binary value, its size: streams are written to the folder."""
    *head, _, rest = msiinfo(folder, "export", file, table).decode(page).split("\r\n", 3)
    binary = [i for i, t in enumerate(head[1].split("\t")) if t in ("v0", "V0")]
    if binary:
        rows = [row.split("\t") for row in rest.split("\r\n")[:-1]]
        for row in rows:
            for i in binary:
                row[i] = str((folder / table / row[i]).stat().st_size) if row[i] else ""
        rest = "".join("\t".join(row) + "\r\n" for row in rows)
    return head, rest


def page_of(file: Path) -> str:
    pool = cfb.parse(file.read_bytes()).find(msi.encode_name("_StringPool", True)).data
    return {65001: "utf-8", 0: "ascii"}.get(struct.unpack("<I", pool[:4])[0] & 0x7FFFFFFF, "cp1252")


def expect_same(folder: Path, file: Path) -> Iterable[str]:
    page, tables = page_of(file), read_all(file)
    listed = [t for t in msiinfo(folder, "tables", file).decode().split() if t not in ("_SummaryInformation", "_ForceCodepage")]
    assert sorted(tables) == sorted(listed)
    assert list(tables) == read(file)
    for table in tables:
        ours, (head, rest) = tables[table], exported(folder, file, table, page)
        assert ours[:2] == head, table
        assert "".join(row.translate(ESCAPED) + "\r\n" for row in ours[2:]) == rest, table
    return tables


@pytest.mark.parametrize("file", PACKAGES or [None], ids=lambda p: f"{p.parent.name}/{p.name}" if p else "none")
def test_tables_of_real_packages(tmp_path: Path, file: Path | None) -> None:
    if file is None:
        pytest.skip("the corpus is not there")
    if file.suffix == ".msp":                                # msiinfo exports nothing of a patch
        assert set(read(file)) <= {"MsiPatchMetadata", "MsiPatchSequence"}
        return
    assert set(NEEDED) - {"Upgrade", "File", "Media"} <= set(expect_same(tmp_path, file))


SUMMARY = {"Title": "2", "Subject": "3", "Author": "4", "Keywords": "5", "Comments": "6", "Template": "7", "Last author": "8", "Revision number (UUID)": "9",
           "Version": "14", "Source": "15", "Application": "18", "Security": "19"}


@pytest.mark.parametrize("file", PACKAGES or [None], ids=lambda p: f"{p.parent.name}/{p.name}" if p else "none")
def test_summaries_of_real_packages(tmp_path: Path, file: Path | None) -> None:
    if file is None:
        pytest.skip("the corpus is not there")
    ours = dict(line.split("\t", 1) for line in read(file, "--summary"))
    for line in msiinfo(tmp_path, "suminfo", file).decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(": ")
        if name in SUMMARY:
            value = value.split(" (")[0] if name in ("Version", "Source", "Security") else value
            assert ours[SUMMARY[name]] == value, line


# -- packages made here ----------------------------------------------------------------------------------------------------

WXS = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
 <Product Id="{12345678-1234-1234-1234-123456789012}" UpgradeCode="{22345678-1234-1234-1234-123456789012}" Name="Orchard Kit" Version="3.2.1"
   Manufacturer="Orchard Works" Language="1033">
  <Package InstallerVersion="200" Compressed="yes" InstallScope="perMachine"/><MajorUpgrade DowngradeErrorMessage="no"/>
  <Media Id="1" Cabinet="a.cab" EmbedCab="EMBED"/>
  <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFilesFolder"><Directory Id="INSTALLDIR" Name="Kit">
   FILES
  </Directory></Directory></Directory><Feature Id="F" Level="1">REFS</Feature>
 </Product>
</Wix>
"""
COMPONENT = '<Component Id="c{0}" Guid="{{32345678-1234-1234-1234-{0:012}}}"><File Id="f{0}" Name="f{0}.txt" Source="a.txt" KeyPath="yes"/></Component>'


def wixl(folder: Path, n_files: int, embed: str = "yes") -> Path:
    if not shutil.which("wixl"):
        pytest.skip("wixl is not installed")
    files, refs = "".join(COMPONENT.format(i) for i in range(n_files)), "".join(f'<ComponentRef Id="c{i}"/>' for i in range(n_files))
    (folder / "a.wxs").write_text(WXS.replace("FILES", files).replace("REFS", refs).replace("EMBED", embed))
    (folder / "a.txt").write_bytes(b"orchard\n")
    subprocess.run(["wixl", "-o", "a.msi", "a.wxs"], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder / "a.msi"


def test_tables_of_a_package_of_wixl(tmp_path: Path) -> None:
    file = wixl(tmp_path, 3)
    assert set(NEEDED) <= set(expect_same(tmp_path, file))
    assert "ProductVersion\t3.2.1" in read(file, "Property")
    assert len(read(file, "File")) == 5


@pytest.mark.parametrize("page, text", [(1252, "Stra\u00dfe \u20ac \u0178"), (65001, "\u6e05\u6f54 Stra\u00dfe \U0001f600")])
def test_text_in_its_code_page_beside_nulls(tmp_path: Path, page: int, text: str) -> None:
    file = Package({"Property": (PROPERTY, [["A", text], ["B", None], ["C", "x\ty\r\nz"]])}, page=page).write(tmp_path)
    assert read(file, "Property")[2:] == [f"A\t{text}", "B\t", "C\tx\x10y\x11\x19z"]


# -- databases byte by byte ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wide", (False, True))
def test_every_type_of_column(tmp_path: Path, wide: bool) -> None:
    columns = [("Key", KEY), ("Short", 0x3502), ("Long", LONG), ("Text", TEXT_NULL), ("Data", BINARY)]
    rows = [["a", 1, -2147483647, "text", b"12345"], ["b", -32767, 2147483647, None, None], ["c", 32767, None, "text", b""]]
    file = Package({"All": (columns, rows), "Property": (PROPERTY, [["P", "v"]])}, wide=wide).write(tmp_path)
    assert read(file, "All") == ["Key\tShort\tLong\tText\tData", "s72\tI2\tI4\tS255\tV0", "a\t1\t-2147483647\ttext\t5", "b\t-32767\t2147483647\t\t", "c\t32767\t\ttext\t0"]
    assert read(file, "Property")[2:] == ["P\tv"]


def test_long_strings_and_many_strings(tmp_path: Path) -> None:
    long = "orchard " * 12000
    rows = [[f"P{i}", f"value {i}"] for i in range(3000)]
    rows[1500][1] = long
    file = Package({"Property": (PROPERTY, rows)}, wide=True).write(tmp_path)
    assert read(file, "Property")[2:] == ["\t".join(r) for r in rows]


def test_a_table_without_a_stream_has_no_rows(tmp_path: Path) -> None:
    package = Package({"Property": (PROPERTY, [])})
    assert read(package.write(tmp_path), "Property") == ["Property\tValue", "s72\tS255"]


def broken(folder: Path, says: str, table: str = "Property", **parts: bytes) -> None:
    package = Package({"Property": (PROPERTY, [["A", "1"], ["B", "2"]])})
    package.bytes()                                          # numbers the strings
    package.parts.update(parts)
    assert says in refuses(package.write(folder), table)


def test_broken_tables_are_refused(tmp_path: Path) -> None:
    columns = struct.pack("<8H", 5, 5, 0x8001, 0x8002, 5, 6, 0x8000 + KEY, 0x8000 + TEXT_NULL)
    broken(tmp_path, "no rows of 4", Property=bytes(7))
    broken(tmp_path, "a reference to string 99", Property=struct.pack("<2H", 99, 1))
    broken(tmp_path, "no table Property", _Tables=b"", _Columns=b"")
    broken(tmp_path, "is of no table", _Tables=b"")
    broken(tmp_path, "is there twice", _Tables=struct.pack("<2H", 5, 5))
    broken(tmp_path, "without a name", _Tables=struct.pack("<H", 0))
    broken(tmp_path, "two columns 1", _Columns=columns[:6] + struct.pack("<H", 0x8001) + columns[8:])
    broken(tmp_path, "a column 3 of 2", _Columns=columns[:6] + struct.pack("<H", 0x8003) + columns[8:])
    broken(tmp_path, "a column 0 of 2", _Columns=columns[:6] + struct.pack("<H", 0x8000) + columns[8:])
    broken(tmp_path, "a null in row 1", _Columns=columns[:6] + struct.pack("<H", 0) + columns[8:])
    broken(tmp_path, "of numbers of 3 bytes", _Columns=columns[:-2] + struct.pack("<H", 0x8503))
    broken(tmp_path, "a column of type", _Columns=columns[:-2] + struct.pack("<H", 0x8000 + 0x4D48))
    broken(tmp_path, "which are no rows", _Columns=columns[:-1])
    broken(tmp_path, "has no columns", _Columns=b"")


@pytest.mark.parametrize("says, pool, data", [
    ("ends in an entry", lambda p: p[:-1], lambda d: d),
    ("has 3 bytes", lambda p: p[:3], lambda d: d),
    ("ends in the length", lambda p: p + struct.pack("<HH", 0, 1), lambda d: d),
    ("past the end", lambda p: p + struct.pack("<HHI", 0, 1, 0xFFFFFFFF), lambda d: d),
    ("past the end", lambda p: p, lambda d: d[:-1]),
    ("belong to no string", lambda p: p, lambda d: d + b"x"),
    ("which is not in use", lambda p: p[:6] + b"\0\0" + p[8:], lambda d: d),
])
def test_broken_strings_are_refused(tmp_path: Path, says: str, pool: Any, data: Any) -> None:
    package = Package({"Property": (PROPERTY, [["A", "1"]])})
    package.edit_pool, package.edit_data = pool, data
    assert says in refuses(package.write(tmp_path), "Property")


def test_a_binary_value_without_its_stream_is_refused(tmp_path: Path) -> None:
    package = Package({"Binary": ([("Name", KEY), ("Data", 0x0900)], [["a", b"1"]])})
    package.bytes()
    package.streams.clear()
    package.tables["Binary"] = (package.tables["Binary"][0], [])
    assert "that no stream has" in refuses(package.write(tmp_path), "Binary")


def test_no_package(tmp_path: Path) -> None:
    file = tmp_path / "p.msi"
    file.write_bytes(cfb.Compound(cfb.root([cfb.Entry("text", b"1")])).pack())
    assert "no _StringPool" in refuses(file) and "no summary" in refuses(file, "--summary")
