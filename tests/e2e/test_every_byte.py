"""Byte accounting, tried out: each byte of a small signed program is changed, each tail cut off, and none may be accepted.

The PE checksum is set right again after each change (but where it is itself the change), so that it hides nothing."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from tests.kit import cms, pe
from tests.kit import pki as pk
from tests.kit.case import codes, trust

BATCH = 200
IMAGE = pe.Image(sections=[pe.Section(b".text", 0x1000, 0x200, b"\xc3" * 0x40)])     # as small as an image may be


class World:
    """A chain of P-256 keys, so that certificates and signatures are short."""

    def __init__(self) -> None:
        self.root = pk.issue(pk.name(("CN", "Kit Small Root")), None, pk.key("p256", "small_root"), pk.CA_EXTS)
        self.leaf = pk.leaf(self.root, kind="p256", label="small_leaf")
        self.tsa = pk.tsa(self.root, kind="p256", label="small_tsa")


def plain(w: World) -> bytes:
    return pe.signed(IMAGE, w.leaf)


def stamped_with_pages(w: World) -> bytes:
    return pe.signed(IMAGE, w.leaf, pages="sha256", unsigned=[cms.stamp(cms.IN_2026, tsa=w.tsa)])


def nested_and_countersigned(w: World) -> bytes:
    data = IMAGE.bytes()
    inner = cms.authenticode(pe.spc(data, IMAGE, "sha384"), w.leaf, hash="sha384")
    return pe.signed(IMAGE, w.leaf, more_certs=[w.tsa.der], unsigned=[cms.nested(inner), cms.counter_stamp(cms.IN_2026, tsa=w.tsa, hash="sha256")])


def recheck(data: bytes) -> bytes:
    at = IMAGE.checksum_at
    return data[:at] + struct.pack("<I", pe.checksum(data, at)) + data[at + 4:]


def flips(data: bytes, mask: Callable[[int], int]) -> Iterator[tuple[str, bytes]]:
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ mask(at)]) + data[at + 1:]
        in_checksum = 0 <= at - IMAGE.checksum_at < 4
        yield f"byte {at:#x} ^ {mask(at):#04x}", changed if in_checksum else recheck(changed)


def cuts(data: bytes) -> Iterator[tuple[str, bytes]]:
    for n in range(0, len(data), 7):
        cut = data[:n]
        yield f"cut at {n:#x}", recheck(cut) if n > IMAGE.checksum_at + 4 else cut


def judged(surefoot: Callable[..., Any], folder: Path, w: World, profile: str, made: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the program says of each file, many files a run."""
    args = ["verify", "--format", "json", "--at", "2026-06-01T00:00:00Z", "--profile", profile, *trust(folder, anchors=[w.root], stamps=[w.root])]
    everything = list(made)
    for start in range(0, len(everything), BATCH):
        batch = everything[start:start + BATCH]
        paths = [folder / f"{n:03}.exe" for n in range(len(batch))]
        for path, (_, data) in zip(paths, batch):
            path.write_bytes(data)
        lines = surefoot(*args, *map(str, paths), limit_s=60.0).lines
        assert len(lines) == len(batch), "one line for each file"
        for (what, _), path, line in zip(batch, paths, lines):
            assert line["file"].endswith(path.name), "the output keeps the order of the files"
            yield what, line


@pytest.fixture(scope="module")
def world() -> World:
    return World()


SHAPES = pytest.mark.parametrize("make", [plain, stamped_with_pages, nested_and_countersigned], ids=lambda f: f.__name__)


@SHAPES
def test_the_file_itself_is_accepted(make: Callable[[World], bytes], world: World, surefoot: Callable[..., Any], tmp_path: Path) -> None:
    for profile in ("strict", "windows"):
        for _, line in judged(surefoot, tmp_path, world, profile, iter([("as it is", make(world))])):
            assert line["verdict"] == "accepted" and not codes(line, "findings"), line


@SHAPES
@pytest.mark.parametrize("mask", [lambda at: 1 << at % 8, lambda at: 0xFF, lambda at: 0x20], ids=["one_bit", "all_bits", "case_bit"])
def test_no_changed_byte_is_accepted_in_strict(make: Callable[[World], bytes], mask: Callable[[int], int], world: World,
                                               surefoot: Callable[..., Any], tmp_path: Path) -> None:
    accepted = [what for what, line in judged(surefoot, tmp_path, world, "strict", flips(make(world), mask)) if line["verdict"] == "accepted"]
    assert accepted == []


@SHAPES
def test_a_changed_byte_is_at_least_noticed_in_windows(make: Callable[[World], bytes], world: World, surefoot: Callable[..., Any], tmp_path: Path) -> None:
    silent = [what for what, line in judged(surefoot, tmp_path, world, "windows", flips(make(world), lambda at: 1 << at % 8))
              if line["verdict"] == "accepted" and not codes(line, "findings")]
    assert silent == []


@SHAPES
def test_no_cut_file_is_accepted(make: Callable[[World], bytes], world: World, surefoot: Callable[..., Any], tmp_path: Path) -> None:
    for profile in ("strict", "windows"):
        accepted = [what for what, line in judged(surefoot, tmp_path, world, profile, cuts(make(world))) if line["verdict"] == "accepted"]
        assert accepted == []
