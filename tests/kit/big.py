"""Signed files of gigabytes, written and hashed piece by piece, never held in memory.

Content is either `noise` (no two pieces alike) or a hole with a byte here and there, so that a file of 4 GiB takes no room on a disk that
knows holes. Each builder writes one file that is accepted under the ordinary trust and tells which bytes are the last covered ones."""

from __future__ import annotations

import hashlib
import os
import random
import struct
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator

from . import cab, cat, cfb, cms, minisign, msi, pe
from .pki import Cert

PIECE = 1 << 20
ZEROES = bytes(PIECE)
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def noise(size: int, seed: int = 1) -> Iterator[bytes]:
    """Bytes that look random; each piece differs from all others."""
    block = random.Random(seed).randbytes(PIECE)
    for number in range(-(-size // PIECE)):
        piece = number.to_bytes(8, "little") + block[8:]
        yield piece[:min(PIECE, size - number * PIECE)]


def hole(size: int) -> Iterator[bytes]:
    """Zeroes, which `write` leaves out."""
    while size > 0:
        yield ZEROES[:min(size, PIECE)]
        size -= PIECE


def is_zero(piece: bytes) -> bool:
    return piece == (ZEROES if len(piece) == PIECE else ZEROES[:len(piece)])


Fill = Callable[[int], Iterator[bytes]]


def write(file: BinaryIO, pieces: Iterator[bytes], *hashes: Any) -> None:
    """Writes at the file's position and feeds the hashes. A piece of zeroes becomes a hole."""
    for piece in pieces:
        for h in hashes:
            h.update(piece)
        if is_zero(piece):
            file.seek(len(piece), os.SEEK_CUR)
        else:
            file.write(piece)


def flip(path: Path, at: int) -> None:
    """Changes one byte; doing it again undoes it."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0x40]))


def copy_sparse(path: Path, to: Path) -> Path:
    """A copy of which the holes stay holes."""
    with open(path, "rb") as source, open(to, "wb") as target:
        size = os.fstat(source.fileno()).st_size
        at = 0
        while at < size:
            try:
                at = os.lseek(source.fileno(), at, os.SEEK_DATA)
            except OSError:                                     # nothing but a hole follows
                break
            end = os.lseek(source.fileno(), at, os.SEEK_HOLE)
            source.seek(at)
            target.seek(at)
            target.write(source.read(end - at))
            at = end
        target.truncate(size)
    return to


def takes_room(path: Path) -> bool:
    """Is a file of holes as big on the disk as it looks?"""
    there = path.stat()
    return there.st_blocks * 512 > there.st_size // 4


# -- PE --------------------------------------------------------------------------------------------------------------------


class _Sum:
    """The checksum's ones' complement sum, fed like a hash. Pieces are of an even length."""

    def __init__(self) -> None:
        self.total = 0

    def update(self, piece: bytes) -> None:
        if is_zero(piece):
            return
        # 2^16 is 1 modulo 2^16 - 1, so that the remainder of one big number is the sum of its words
        self.total += int.from_bytes(piece, "little") % 0xFFFF or 0xFFFF

    def value(self) -> int:
        return 0 if self.total == 0 else self.total % 0xFFFF or 0xFFFF


class _Pages:
    """The table of page hashes of a section that begins at `at`, fed like a hash. Pieces but the last are of whole pages."""

    def __init__(self, at: int, hash: str) -> None:
        self.at, self.hash, self.table = at, hash, bytearray()
        self.of_zeroes = self.digest(ZEROES[:4096])

    def digest(self, page: bytes) -> bytes:
        return hashlib.new(self.hash, page.ljust(4096, b"\0"), usedforsecurity=False).digest()

    def update(self, piece: bytes) -> None:
        known = self.of_zeroes if is_zero(piece) else None
        for n in range(0, len(piece), 4096):
            page = piece[n:n + 4096]
            self.table += struct.pack("<I", self.at) + (known or self.digest(page))
            self.at += len(page)


def pe_file(path: Path, content_end: int, *, fill: Fill = noise, pages: str | None = None, overlay: bool = False, checksum: bool = True,
            **sign: Any) -> int:
    """A PE whose certificate table begins at content_end (a multiple of 8); returns the offset of the last covered byte. The bytes
    before it are one section's, or an overlay's (which reaches further than a section can)."""
    assert content_end % 8 == 0
    headers = 0x200
    section = pe.Section(b".text", 0x1000, headers, b"", size=0x200 if overlay else content_end - headers)
    image = pe.Image(sections=[section])
    head = image.bytes()
    digest, total, table = hashlib.sha256(), _Sum(), _Pages(headers, pages or "sha256")
    digest.update(head[:image.checksum_at] + head[image.checksum_at + 4:image.security_at] + head[image.security_at + 8:])
    feeds = [digest] + [total] * checksum + [table] * (pages is not None)
    with open(path, "wb") as file:
        file.write(head)
        write(file, fill(content_end - headers), *feeds)
        page_table = None
        if pages:
            first = pe.page_hashes(head, pe.Image(sections=[]), pages)
            entry = 4 + hashlib.new(pages).digest_size
            page_table = first[:entry] + bytes(table.table) + struct.pack("<I", content_end) + bytes(entry - 4)
        content = cms.indirect(cms.pe_data(page_table, pages or "sha256"), digest.digest())
        certificates = pe.win_certificate(cms.authenticode(content, **sign))
        file.seek(content_end)
        file.write(certificates)
        size = content_end + len(certificates)
        head = bytearray(head)
        struct.pack_into("<II", head, image.security_at, content_end, len(certificates))
        if checksum:
            for piece in (bytes(head), certificates):
                total.update(piece)
            struct.pack_into("<I", head, image.checksum_at, (total.value() + size) & 0xFFFFFFFF)
        file.seek(0)
        file.write(head)
    return content_end - 1


# -- CAB -------------------------------------------------------------------------------------------------------------------


def cab_file(path: Path, size: int, *, fill: Fill = noise, **sign: Any) -> int:
    """A cabinet of `size` bytes before its signature, of stored blocks of 32 KiB in as few folders as can hold them (checksums of
    blocks 0: not computed); returns the offset of the last covered byte."""
    block, per_folder = 32768, 65535
    n_folders = 1
    name = b"big.bin\0"
    while True:
        head = 60 + 8 * n_folders + (16 + len(name)) * n_folders
        n_blocks = -(-(size - head) // (block + 8))
        if n_blocks <= per_folder * n_folders:
            break
        n_folders = -(-n_blocks // per_folder)
    lengths = [block] * n_blocks
    lengths[-1] = size - head - 8 * n_blocks - block * (n_blocks - 1)
    folders = [lengths[i * per_folder:(i + 1) * per_folder] for i in range(n_folders)]
    tables = entries = b""
    at = head
    for i, mine in enumerate(folders):
        tables += struct.pack("<IHH", at, len(mine), 0)
        entries += struct.pack("<IIHHHH", min(sum(mine), 0x7FFF8000), 0, i, 0x5D79, 0x1C11, 0x20) + name
        at += sum(mine) + 8 * len(mine)

    def header(sig_size: int) -> bytes:
        return b"MSCF" + struct.pack("<IIIIIHHHHHH", 0, size, 0, 60 + len(tables), 0, 0x0103, n_folders, n_folders, cab.RESERVE, 0, 0) + \
            struct.pack("<HBBIII", 20, 0, 0, 0x00100000, size, sig_size) + bytes(8) + tables + entries

    digest = hashlib.sha256()
    with open(path, "wb") as file:
        start = header(0)
        digest.update(start[:4] + start[8:34] + start[56:])
        file.write(start)
        write(file, _blocks(lengths, fill), digest)
        signature = cab.pad8(cab.maker(**sign)(digest.digest()))
        file.seek(size)
        file.write(signature)
        file.seek(0)
        file.write(header(len(signature)))
    return size - 1


def _blocks(lengths: list[int], fill: Fill) -> Iterator[bytes]:
    pieces, rest, at = fill(sum(lengths)), b"", 0
    for length in lengths:
        yield struct.pack("<IHH", 0, length, length)
        if len(rest) - at < length:
            rest, at = rest[at:] + next(pieces, b""), 0
        yield rest[at:at + length]
        at += length


# -- MSI -------------------------------------------------------------------------------------------------------------------


class Stream(cfb.Zeroes):
    """A stream's content that is made again each time it is needed. In the layout it stands as zeroes; `msi_file` writes it."""

    def __init__(self, size: int, fill: Fill = noise) -> None:
        super().__init__(size)
        self.fill = fill

    def chunks(self, size: int = PIECE) -> Iterator[bytes]:
        return self.fill(self.size)


def msi_file(path: Path, stream_size: int, *, version: int = 4, fill: Fill = noise, ex: bool = True, **sign: Any) -> int:
    """An MSI with one stream of that size in consecutive sectors, and a few small ones; returns the offset of the stream's last byte."""
    root = msi.tree(100)
    root.children.append(cfb.Entry("huge", Stream(stream_size, fill)))
    image = cfb.Compound(msi.signed_tree(root, ex=ex, **sign), version).layout()
    image.write(path)
    chain = image.chain["huge"]
    assert chain[-1] - chain[0] == len(chain) - 1
    at = image.offset(chain[0])
    with open(path, "r+b") as file:
        file.seek(at)
        write(file, fill(stream_size))
    return at + stream_size - 1


# -- signatures beside any file --------------------------------------------------------------------------------------------


class Plain:
    """A file of no kind, and every signature that can lie beside it, all from one reading."""

    def __init__(self, path: Path, size: int, fill: Fill = noise, hashes: tuple[str, ...] = ("sha256", "blake2b")) -> None:
        self.path, self.size = path, size
        running = {name: hashlib.new(name) for name in hashes}
        with open(path, "wb") as file:
            write(file, fill(size), *running.values())
            file.truncate(size)
        self.digests = {name: h.digest() for name, h in running.items()}

    def cms(self, signer: Cert | None = None) -> bytes:
        return cms.detached(b"", signer, si={"content_digest": self.digests["sha256"]})

    def minisign(self, key: minisign.Key) -> bytes:
        trusted = "timestamp:1767225600\tfile:big.bin\thashed"
        signature = key.private.sign(self.digests["blake2b"])
        return minisign.assemble(b"ED" + key.key_id + signature, key.private.sign(signature + trusted.encode()), trusted)

    def catalog(self) -> bytes:
        return cat.signed([cat.member(self.digests["sha256"])])
