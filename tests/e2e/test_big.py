"""Files around 2 GiB and 4 GiB, where offsets stop fitting: accepted, and refused for one flipped byte at each boundary and at the
very end. They are holes, so that they take no room; reading and hashing them takes seconds each, so that most of them wait for
SUREFOOT_LONG=1."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from conftest import WRAPPER

from tests.kit import big, minisign
from tests.kit.case import codes, trust

G2, G4 = 1 << 31, 1 << 32
LIMIT_S = 300
CHECK = ["verify", "--format", "json", "--at", "2026-06-01T00:00:00Z"]

pytestmark = pytest.mark.skipif(bool(WRAPPER), reason="holes in files are made and measured without a wrapper")
long = pytest.mark.skipif(os.environ.get("SUREFOOT_LONG") != "1", reason="takes long: set SUREFOOT_LONG=1")

IN_MEMORY = Path("/dev/shm")                # where reading a hole fills no page cache: four times as fast


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    if not os.access(IN_MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="surefoot-big-", dir=IN_MEMORY) as name:
        yield Path(name)


Maker = Callable[[Path, int], tuple[Path, list[str], int]]


def plain(folder: Path, size: int, *hashes: str) -> big.Plain:
    return big.Plain(folder / "big.bin", size, big.hole, hashes)


def detached(folder: Path, size: int) -> tuple[Path, list[str], int]:
    made = plain(folder, size, "sha256")
    (folder / "big.bin.p7s").write_bytes(made.cms())
    return made.path, trust(folder), size - 1


def signed_by_key(folder: Path, size: int) -> tuple[Path, list[str], int]:
    made, key = plain(folder, size, "blake2b"), minisign.Key()
    (folder / "big.bin.minisig").write_bytes(made.minisign(key))
    (folder / "kit.pub").write_bytes(key.public_file())
    return made.path, ["--key", str(folder / "kit.pub")], size - 1


def listed(folder: Path, size: int) -> tuple[Path, list[str], int]:
    made = plain(folder, size, "sha256")
    (folder / "list.cat").write_bytes(made.catalog())
    return made.path, [*trust(folder), "--catalog", str(folder / "list.cat")], size - 1


def pe(folder: Path, size: int) -> tuple[Path, list[str], int]:
    """The certificate table begins at size, rounded to where it may."""
    file = folder / "big.exe"
    return file, trust(folder), big.pe_file(file, size // 8 * 8, fill=big.hole, overlay=size > G4 - 512)


def pe_with_pages(folder: Path, size: int) -> tuple[Path, list[str], int]:
    file = folder / "big.exe"
    return file, trust(folder), big.pe_file(file, size // 8 * 8, fill=big.hole, pages="sha256")


def cabinet(folder: Path, size: int) -> tuple[Path, list[str], int]:
    file = folder / "big.cab"
    return file, trust(folder), big.cab_file(file, size, fill=big.hole)


def msi(folder: Path, size: int) -> tuple[Path, list[str], int]:
    """Of the size of a stream over 4 GiB, Ex covers the lower half only, which strict does not excuse by itself."""
    file = folder / "big.msi"
    return file, [*trust(folder), *(["--allow", "UncoveredData"] if size >= G4 else [])], big.msi_file(file, size, fill=big.hole)


def boundaries(last: int) -> list[int]:
    return sorted({last, *(at for near in (G2, G4) for at in (near - 1, near) if at < last)})


def flipped(file: Path, at: int) -> Path:
    """A copy with one byte changed, and with copies of what lies beside the file."""
    copy = big.copy_sparse(file, file.with_name(f"byte-{at:#x}{file.suffix}"))
    big.flip(copy, at)
    for beside in file.parent.glob(file.name + ".*"):
        shutil.copy(beside, copy.with_name(copy.name + beside.suffix))
    return copy


def check(folder: Path, surefoot: Callable[..., Any], make: Maker, size: int, places: Callable[[list[int]], list[int]]) -> None:
    """The file and its changed copies in one call, side by side."""
    file, words, last = make(folder, size)
    if big.takes_room(file):
        pytest.skip("the file system knows no holes")
    changed = [flipped(file, at) for at in places(boundaries(last))]
    ran = surefoot(*CHECK, *words, str(file), *map(str, changed), limit_s=LIMIT_S)
    told = f"{ran.out}\n{ran.err}"
    assert len(ran.lines) == 1 + len(changed), told
    assert ran.lines[0]["verdict"] == "accepted" and not codes(ran.lines[0], "reasons"), told
    for copy, line in zip(changed, ran.lines[1:]):
        assert Path(line["file"]) == copy and line["verdict"] == "refused", told
        assert {"DigestMismatch", "SignatureInvalid", "NotInCatalog"} & set(codes(line, "reasons")), told


EVERYDAY = [(detached, G4 + 1, -2), (pe, G2 + 8, -2), (cabinet, G2 + 1, -1), (signed_by_key, G2 + 1, -1), (listed, G2 - 1, -1)]
LONG = [(make, size) for make in (detached, signed_by_key, listed, msi) for size in (G2 - 1, G2 + 1, G4 + 1)]
LONG += [(detached, G2), (detached, G4), (msi, G2), (msi, G4 - 1)]
LONG += [(pe, size) for size in (G2 - 8, G2, G2 + 8, G4 - 8)] + [(pe_with_pages, 3 * (G2 // 4))]
LONG += [(cabinet, size) for size in (G2 - 1, G2 + 1, G4 - (1 << 16))]


def name(value: Any) -> str:
    return value.__name__ if callable(value) else f"{value:#x}"


@pytest.mark.parametrize(("make", "size", "first"), EVERYDAY, ids=name)
def test_covered_to_the_last_byte(make: Maker, size: int, first: int, surefoot: Callable[..., Any], folder: Path) -> None:
    check(folder, surefoot, make, size, lambda places: places[first:])


@long
@pytest.mark.parametrize(("make", "size"), LONG, ids=name)
def test_covered_at_every_boundary(make: Maker, size: int, surefoot: Callable[..., Any], folder: Path) -> None:
    check(folder, surefoot, make, size, lambda places: places)


@long
def test_a_program_that_goes_on_after_4_gib_is_refused(surefoot: Callable[..., Any], folder: Path) -> None:
    """The place of its certificate table has 32 bits: what lies behind 4 GiB could not be covered."""
    file = folder / "big.exe"
    big.pe_file(file, 4096, fill=big.hole)
    os.truncate(file, G4 + 1)
    ran = surefoot(*CHECK, *trust(folder), str(file), limit_s=LIMIT_S)
    assert ran.code == 3 and "TrailingData" in codes(ran.lines[0], "reasons"), ran.out
