"""What `surefoot inspect` shows: of packages whole, broken and hostile, of catalogs, of other kinds; and its exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, read_line
from msi_package import BINARY, KEY, LONG, PROPERTY, TEXT_NULL, Package, summary
from shelf import Shelf, run

from tests.kit import cat, cfb, msi
from tests.kit import pki as pk

CORPUS = ROOT.parent / "shared" / "corpus"
PUTTY = CORPUS / "msi" / "lessmsi" / "putty-0.68-installer.msi"
PRODUCT, UPGRADE, CODE = ("{%d2345678-1234-1234-1234-123456789012}" % i for i in (1, 2, 3))
MEDIA = [("DiskId", 0x2502), ("LastSequence", LONG), ("Cabinet", TEXT_NULL)]
FILE = [("File", KEY), ("FileName", TEXT_NULL)]
SAID = {"ProductName": "Orchard Kit \u00fc", "ProductVersion": "3.2.1", "Manufacturer": "Orchard Works", "ProductCode": PRODUCT, "UpgradeCode": UPGRADE}


def package(said: dict[str, str] | None = None, cabinets: list[str | None] | None = None, template: str = "x64;1033,1031", **more: Any) -> Package:
    cabinets = ["#kit.cab", "data1.cab", None] if cabinets is None else cabinets
    made = Package({"Property": (PROPERTY, [[k, v] for k, v in (SAID if said is None else said).items()]),
                    "Media": (MEDIA, [[i + 1, i, c] for i, c in enumerate(cabinets)]), "File": (FILE, [["a", "a.txt"], ["b", "b.txt"]])}, **more)
    made.streams["kit.cab"] = b"MSCF" * 30
    made.beside["\5SummaryInformation"] = summary((2, "Installation Database"), (7, template), (9, CODE), (15, 2))
    return made


def inspect(*files: Path, code: int = 0) -> list[dict[str, Any]]:
    done = run("inspect", "--format", "json", *files)
    assert done.returncode == code, done.stderr
    return [read_line(line) for line in done.stdout.decode().splitlines()]


def text_of(*words: Any, code: int = 0) -> str:
    done = run("inspect", *words)
    assert done.returncode == code, done.stderr
    return done.stdout.decode()


def rows_of(text: str) -> dict[str, str]:
    """The indented rows; one without a label goes on where the last one was."""
    rows: dict[str, str] = {}
    label = ""
    for line in text.splitlines():
        if line.startswith("    "):
            label = line[4:16].strip() or label
            rows[label] = f"{rows[label]}; {line[18:]}" if label in rows else line[18:]
    return rows


# -- packages --------------------------------------------------------------------------------------------------------------


def test_a_package_says_what_it_installs(tmp_path: Path) -> None:
    line = inspect(package().write(tmp_path))[0]
    assert line["proven"] is False and line["type"] == "msi" and line["signatures"] == [] and line["cat"] is None
    assert line["msi"] == {
        "kind": "package", "product_name": "Orchard Kit \u00fc", "product_version": "3.2.1", "manufacturer": "Orchard Works", "product_code": PRODUCT,
        "upgrade_code": UPGRADE, "package_code": CODE, "title": "Installation Database", "platform": "x64", "languages": ["1033", "1031"], "targets": None,
        "files": 2, "n_cabinets": 2,
        "cabinets": [{"name": "kit.cab", "embedded": True, "size": 120}, {"name": "data1.cab", "embedded": False, "size": None}]}
    assert [f["code"] for f in line["findings"]] == ["Unsigned"]


def test_a_package_as_text(tmp_path: Path) -> None:
    text = text_of(package().write(tmp_path))
    assert "Nothing below is proven" in text.splitlines()[0] and text.splitlines()[1] == "  installer package"
    assert rows_of(text) == {
        "product": "Orchard Kit \u00fc", "version": "3.2.1", "manufacturer": "Orchard Works", "product code": PRODUCT, "upgrade code": UPGRADE,
        "package code": CODE, "platform": "x64", "languages": "1033,1031", "files": "2",
        "cabinets": "kit.cab, embedded, 120 bytes; data1.cab, beside the package"}


def test_a_signed_package_shows_both(tmp_path: Path) -> None:
    file = tmp_path / "s.msi"
    file.write_bytes(msi.signed(package().tree()))
    line = inspect(file)[0]
    assert line["msi"]["product_version"] == "3.2.1" and line["msi"]["cabinets"][0]["size"] == 120
    assert [s["intact"] for s in line["signatures"]] == [True] and pk.PUBLISHER in line["signatures"][0]["signer"]["subject"]
    altered = file.read_bytes().replace(b"3.2.1", b"9.2.1")
    file.write_bytes(altered)
    line = inspect(file)[0]
    assert line["msi"]["product_version"] == "9.2.1" and [s["intact"] for s in line["signatures"]] == [False]


def test_what_a_package_does_not_say_is_null(tmp_path: Path) -> None:
    made = package(said={}, cabinets=[], template=";1033")
    made.tables.pop("File")
    line = inspect(made.write(tmp_path))[0]["msi"]
    assert {k for k, v in line.items() if v is None} == {"product_name", "product_version", "manufacturer", "product_code", "upgrade_code", "platform",
                                                         "targets", "files"}
    assert line["languages"] == ["1033"] and line["cabinets"] == [] and line["n_cabinets"] == 0
    made.beside.clear()
    line = inspect(made.write(tmp_path))[0]["msi"]
    assert line["package_code"] is None and line["languages"] == []
    text = text_of(made.write(tmp_path))
    assert rows_of(text)["version"] == "-"
    assert "version" not in text_of("--quiet", made.write(tmp_path))


def test_a_patch_says_what_it_is_for(tmp_path: Path) -> None:
    made = Package({"MsiPatchSequence": (PROPERTY, [])})
    made.clsid = msi.MSP_CLSID
    made.beside["\5SummaryInformation"] = summary((2, "Repair \u20ac"), (7, f"{PRODUCT};{UPGRADE}"), (9, CODE))
    line = inspect(made.write(tmp_path))[0]["msi"]
    assert (line["kind"], line["title"], line["targets"], line["package_code"]) == ("patch", "Repair \u20ac", f"{PRODUCT};{UPGRADE}", CODE)
    assert line["platform"] is None and line["languages"] == [] and line["files"] is None
    assert rows_of(text_of(made.write(tmp_path))) == {"title": "Repair \u20ac", "patch code": CODE, "for products": f"{PRODUCT};{UPGRADE}"}


def test_an_embedded_cabinet_that_is_not_there(tmp_path: Path) -> None:
    made = package()
    made.streams.clear()
    file = made.write(tmp_path)
    assert inspect(file)[0]["msi"]["cabinets"][0] == {"name": "kit.cab", "embedded": True, "size": None}
    assert "kit.cab, embedded, but not there" in text_of(file)


def test_more_cabinets_than_are_shown(tmp_path: Path) -> None:
    file = package(cabinets=[f"c{i}.cab" for i in range(70)]).write(tmp_path)
    line = inspect(file)[0]["msi"]
    assert line["n_cabinets"] == 70 and len(line["cabinets"]) == 64
    assert "and 6 more" in text_of(file)


HOSTILE = "a\x1b[31m\nb\u202ec\u0085"


def test_foreign_text_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    made = package(said={k: HOSTILE for k in SAID}, cabinets=["#" + HOSTILE, HOSTILE], template="", page=65001)
    made.beside["\5SummaryInformation"] = summary((2, HOSTILE), (7, f"{HOSTILE};{HOSTILE}"), (9, HOSTILE), page=65001)
    file = made.write(tmp_path)
    text = text_of(file)
    assert not [c for c in HOSTILE if c in text.replace("\n", "") and not c.isalnum() and c not in "[\n"]
    assert text.count("\n") == len(text_of(package().write(tmp_path)).splitlines())
    inspect(made.write(tmp_path))                            # the schema allows no such character


@pytest.mark.parametrize("edit, says", [
    (lambda m: m.tables["Property"][1].append(["ProductVersion", "9.9"]), "property ProductVersion is there twice"),
    (lambda m: m.tables["Property"][1].__setitem__(1, ["ProductVersion", b"3.2.1\x004"]), "a NUL in property ProductVersion"),
    (lambda m: m.parts.update(Property=b"12345"), "are no rows"),
    (lambda m: m.parts.update(_Tables=b"\1\0\1\0"), "is there twice"),
    (lambda m: m.beside.update({"\5SummaryInformation": b"\xfe\xff"}), "the summary ends"),
    (lambda m: setattr(m, "edit_data", lambda d: d[:-1]), "past the end"),
])
def test_a_broken_database_is_said_to_be_so(tmp_path: Path, edit: Any, says: str) -> None:
    made = package()
    edit(made)
    line = inspect(made.write(tmp_path))[0]
    found = [f for f in line["findings"] if f["code"] == "Malformed"]
    assert len(found) == 1 and says in found[0]["detail"]
    assert line["msi"] is None or line["msi"]["product_version"] is None
    assert says in text_of(made.write(tmp_path))


def test_a_compound_file_that_is_no_package(tmp_path: Path) -> None:
    file = tmp_path / "a.doc"
    file.write_bytes(cfb.Compound(cfb.root([cfb.Entry("WordDocument", b"1")])).pack())
    line = inspect(file)[0]
    assert line["type"] == "msi" and line["msi"] is None and [f["code"] for f in line["findings"]] == ["Unsigned"]


def test_a_broken_compound_file(tmp_path: Path) -> None:
    file = tmp_path / "a.msi"
    file.write_bytes(package().bytes()[:1000])
    line = inspect(file)[0]
    assert line["msi"] is None and line["findings"]
    assert "installer" not in text_of(file)


def test_a_real_package() -> None:
    if not PUTTY.exists():
        pytest.skip("the corpus is not there")
    line = inspect(PUTTY)[0]
    said = line["msi"]
    assert (said["product_name"], said["product_version"], said["manufacturer"]) == ("PuTTY release 0.68", "0.68.0.0", "Simon Tatham")
    assert said["product_code"] == "{55717628-7AE6-4BCF-A046-FA2768945E76}" and said["upgrade_code"] == "{DCE70C63-8808-4646-B16B-A677BD298385}"
    assert said["package_code"] == "{6BA452A6-7DBE-4456-A933-A2528F25AB0C}" and (said["platform"], said["languages"]) == ("Intel", ["1033"])
    assert said["files"] == 10 and said["cabinets"] == [{"name": "putty.cab", "embedded": True, "size": 1901866}]
    assert [s["nested"] for s in line["signatures"]] == [False, True]


REAL = sorted(p for kind in ("msi", "cfbf", "cat") for p in (CORPUS / kind).rglob("*") if p.is_file())


def test_every_file_of_the_corpus_is_shown() -> None:
    if not REAL:
        pytest.skip("the corpus is not there")
    done = run("inspect", "--format", "json", *REAL, limit_s=120)
    assert done.returncode in (0, 8), done.stderr
    assert len([read_line(line) for line in done.stdout.decode().splitlines()]) == len(REAL)
    assert run("inspect", *REAL, limit_s=120).returncode == done.returncode


# -- other kinds, exit codes -----------------------------------------------------------------------------------------------


def test_a_catalog_says_how_many_it_lists(shelf: Shelf, tmp_path: Path) -> None:
    assert inspect(shelf.catalog)[0]["cat"] == {"members": 1} and "  catalog of 1 file\n" in text_of(shelf.catalog)
    file = tmp_path / "three.cat"
    file.write_bytes(cat.signed([cat.flat(bytes([i])) for i in range(3)]))
    line = inspect(file)[0]
    assert line["cat"] == {"members": 3} and line["msi"] is None and "  catalog of 3 files\n" in text_of(file)


def test_other_kinds_have_neither(shelf: Shelf) -> None:
    for line in inspect(shelf.good, shelf.flipped, shelf.unsigned):
        assert line["type"] == "pe" and line["msi"] is None and line["cat"] is None


def test_exit_codes(shelf: Shelf, tmp_path: Path) -> None:
    whole = package().write(tmp_path)
    cut = tmp_path / "cut.msi"
    cut.write_bytes(whole.read_bytes()[:-1])
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    for files, code in (([whole], 0), ([cut], 0), ([shelf.unsigned], 0), ([empty], 8), ([shelf.plain, whole], 8), ([shelf.missing, shelf.plain], 1), ([tmp_path], 1)):
        done = run("inspect", *files)
        assert done.returncode == code, files
        assert (b"surefoot inspect: " in done.stderr) == (code == 1)
    for words in ([], ["--format", "xml", whole], ["--anchors", whole, whole], ["--format"]):
        done = run("inspect", *words)
        assert done.returncode == 2 and done.stdout == b"" and b"See: surefoot inspect --help" in done.stderr


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    package().write(tmp_path)
    run("inspect", tmp_path / "p.msi")
    assert [p.name for p in tmp_path.iterdir()] == ["p.msi"]
