"""The manual pages say what the program does: the same options, codes and exit codes, in pages that are free of mistakes; and the library
for other programs exports what its header has and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT, WRAPPER
from shelf import Shelf, on_posix, run
from test_story import PACKAGES, STORIES

from tests.kit import pe
from tests.kit import pki as pk

MAN = ROOT / "docs" / "man"
PAGES = sorted(MAN.glob("*.1"))
VERIFY = (MAN / "surefoot-verify.1").read_text(encoding="utf-8")


def section(page: str, name: str) -> str:
    return page.split(f"\n.Sh {name}\n")[1].split("\n.Sh ")[0]


def options_in_help(command: str) -> set[str]:
    return set(re.findall(r"^  --([a-z0-9-]+)", run(command, "--help").stdout.decode(), re.M))


def test_the_page_of_the_simulator_says_where_each_story_is_told() -> None:
    """Under wine those of test_story.py, on POSIX all that have not Windows' file rules (./dev sim)."""
    page = (ROOT / "docs/simulator.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    said = {name: (posix == "yes", wine != "no") for names, posix, wine, _ in rows for name in re.findall("`(.*?)`", names)}
    there = {file.stem: 'system="windows"' in file.read_text(encoding="utf-8") for file in (ROOT / "tests/sim/scenarios").glob("*.xml")}
    told = {name: (not is_windows, name in STORIES or name in PACKAGES) for name, is_windows in there.items() if not name.startswith("windows-")}
    assert said == told
    assert {name for name in there if name.startswith("windows-")} == {f"windows-{name}" for name in STORIES}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
@pytest.mark.parametrize("tool", ["mandoc -T lint -W warning", "groff -mdoc -Tutf8 -ww -z"])
def test_a_page_is_free_of_mistakes(page: Path, tool: str) -> None:
    if not shutil.which(tool.split()[0]):
        pytest.skip(f"{tool.split()[0]} is not installed")
    done = subprocess.run([*tool.split(), str(page)], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_a_page_is_installed_and_is_plain_ascii(page: Path) -> None:
    assert f"'man/{page.name}'" in (ROOT / "docs" / "meson.build").read_text()
    assert page.read_bytes().isascii() and page.read_text().endswith("\n")


@pytest.mark.parametrize("command", ["verify", "inspect"])
def test_page_and_help_have_the_same_options(command: str) -> None:
    page = (MAN / f"surefoot-{command}.1").read_text()
    assert set(re.findall(r"^\.It Fl -([a-z0-9-]+)", page, re.M)) == options_in_help(command)


def test_the_page_names_exactly_the_codes_of_the_program() -> None:
    header = (ROOT / "verify" / "verdict.h").read_text()
    words = re.findall(r'^ +X\([A-Z0-9_]+, "([A-Za-z]+)"', header, re.M)
    assert len(words) >= 30 and re.findall(r"^\.It Sy ([A-Za-z]+)", section(VERIFY, "REASONS"), re.M) == words


def test_each_code_says_when_it_is_tolerated() -> None:
    for entry in section(VERIFY, "REASONS").split(".It Sy ")[1:]:
        assert re.search(r"(Never|Always) tolerated|[Tt]olerated by|tolerates|tolerated with", entry), entry


def test_what_allow_excuses_is_in_the_page() -> None:
    words = re.findall(r'^ +\{ "([A-Za-z0-9]+)", ALLOW_', (ROOT / "verify" / "policy.c").read_text(), re.M)
    for word in set(words) - {"checksum"}:                          # an older spelling of ChecksumMismatch
        assert re.search(rf"^\.Fl -allow Ar {word}\b", VERIFY, re.M), word


def test_exit_codes_are_those_of_the_program() -> None:
    table = {code: text for code, text in re.findall(r"^ ?([0-9]+)  (.+)$", run("help", "exit-codes").stdout.decode(), re.M)}
    page = section((MAN / "surefoot.1").read_text(), "EXIT STATUS")
    assert dict(re.findall(r"^\.It ([0-9]+)\n(.+(?:\n[^.].*)*)", page, re.M)) == table
    for name in ("verify", "inspect"):
        own = re.findall(r"^\.It ([0-9]+)$", section((MAN / f"surefoot-{name}.1").read_text(), "EXIT STATUS"), re.M)
        assert own and set(own) <= set(table)


def test_every_element_of_a_policy_document_is_an_option_of_the_page() -> None:
    elements = re.findall(r'^    \{ "([a-z0-9-]+)", (?:true|false)', (ROOT / "manifest" / "policy_doc.c").read_text(), re.M)
    assert elements and set(elements) <= set(re.findall(r"^\.It Fl -([a-z0-9-]+)", VERIFY, re.M))


def test_the_document_in_the_page_is_one(shelf: Shelf) -> None:
    text = VERIFY.split(".Bd -literal")[1].split("\n", 1)[1].split("\n.Ed")[0]
    text = text.replace("roots.pem", "root.pem").replace("Example Corporation", pk.PUBLISHER)
    both = shelf.folder / "both-roots.pem"
    pk.write_pem(both, pk.pki().root, pk.pki().tsa_root)
    policy = shelf.put("page.xml", text.replace("root.pem", both.name).encode())
    assert run("verify", "--policy", policy, "--at", "2026-06-01T00:00:00Z", shelf.good).returncode == 0


# -- the library -----------------------------------------------------------------------------------------------------------


def build_folder() -> Path:
    """Where the program under test was built; the library lies in the same tree."""
    return PROGRAM.resolve().parent.parent


@on_posix
def test_the_library_exports_its_header_and_nothing_else() -> None:
    library = build_folder() / "verify" / "libsurefoot.so.0"
    if not library.exists() or not shutil.which("nm"):
        pytest.skip("no shared library was built, or there is no nm")
    listed = subprocess.run(["nm", "-D", "--defined-only", str(library)], capture_output=True, text=True, check=True, timeout=60).stdout
    exported = {line.split()[2].split("@")[0] for line in listed.splitlines() if line.split()[1] != "A"}
    declared = set(re.findall(r"\bSF_API [^;(]*?\b(sf_[a-z0-9_]+)\(", (ROOT / "verify" / "surefoot.h").read_text()))
    assert exported == declared and len(declared) >= 30


@pytest.fixture(scope="module")
def lasting(shelf: Shelf) -> dict[str, Path]:
    """A good and a flipped file that do not depend on the clock, which the example reads: valid from 2021 to 2038."""
    good = shelf.put("lasting.exe", pe.signed(signer=pk.leaf(before="2021-01-01", after="2038-01-01")))
    flipped = shelf.put("lasting-flipped.exe", good.read_bytes().replace(b"orchard data", b"orchard Data"))
    return {"good": good, "flipped": flipped}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The example program of docs/examples, as meson built it."""
    program = build_folder() / "docs" / ("verify_file.exe" if WRAPPER else "verify_file")
    if not program.exists():
        pytest.skip("the example was not built")
    return [*WRAPPER, str(program)]


def test_the_example_accepts_a_good_file_and_refuses_a_flipped_one(shelf: Shelf, lasting: dict[str, Path], example: list[str]) -> None:
    for file, publisher, code, says in ((lasting["good"], pk.PUBLISHER, 0, "accepted"), (lasting["flipped"], pk.PUBLISHER, 3, "DigestMismatch"),
                                        (lasting["good"], "Pear Yard", 3, "PublisherMismatch"), (shelf.unsigned, pk.PUBLISHER, 3, "Unsigned"),
                                        (shelf.missing, pk.PUBLISHER, 1, "ReadError")):
        done = subprocess.run([*example, str(shelf.root), publisher, str(file)], capture_output=True, text=True, timeout=60)
        assert done.returncode == code and says in done.stdout, done.stdout + done.stderr
    assert subprocess.run(example, capture_output=True, timeout=60).returncode == 2
    assert subprocess.run([*example, str(shelf.plain), "x", str(shelf.good)], capture_output=True, timeout=60).returncode == 2


@on_posix
def test_the_example_builds_against_the_installed_library(shelf: Shelf, lasting: dict[str, Path], tmp_path: Path) -> None:
    if not all(map(shutil.which, ("meson", "pkg-config", "cc"))) or not (build_folder() / "build.ninja").exists():
        pytest.skip("meson, pkg-config or cc is not installed")
    done = subprocess.run(["meson", "install", "-C", str(build_folder()), "--no-rebuild", "--destdir", str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    [config] = tmp_path.rglob("surefoot.pc")
    required = [line for line in config.read_text(encoding="utf-8").splitlines() if line.startswith("Requires")]
    assert required == ["Requires.private: libcrypto >= 3.0"], "pkg-config asks whoever uses the library for all of these"
    env = {**os.environ, "PKG_CONFIG_PATH": str(config.parent), "PKG_CONFIG_SYSROOT_DIR": str(tmp_path)}
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "surefoot"], capture_output=True, text=True, check=True, env=env, timeout=60).stdout.split()
    subprocess.run(["cc", "-Wall", "-Werror", str(ROOT / "docs" / "examples" / "verify_file.c"), "-o", str(tmp_path / "verify_file"), *flags], check=True, timeout=60)
    done = subprocess.run([str(tmp_path / "verify_file"), str(shelf.root), pk.PUBLISHER, str(lasting["good"])], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LD_LIBRARY_PATH": str(config.parent.parent)})
    assert done.returncode == 0 and "accepted" in done.stdout, done.stdout + done.stderr
    assert {p.name for p in tmp_path.rglob("*.1")} == {p.name for p in PAGES}
