"""Portable executables of a kilobyte or two that are valid, or wrong in one named way; their hashes; their certificate table."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from typing import Any, Callable, Sequence

from . import cms, der
from .pki import Cert

DIR_SECURITY = 4


@dataclass
class Section:
    name: bytes
    address: int                            # virtual
    at: int                                 # in the file
    data: bytes
    flags: int = 0x60000020
    size: int | None = None                 # SizeOfRawData, if it is to differ from the data


def default_sections() -> list[Section]:
    code = b"\x31\xc0\xc3" + b"\xcc" * 61 + bytes(range(256)) + b"kit" * 64
    return [Section(b".text", 0x1000, 0x200, code.ljust(0x200, b"\0")),
            Section(b".data", 0x2000, 0x400, b"orchard data".ljust(0x200, b"\x11"), 0xC0000040)]


@dataclass
class Image:
    """What goes into the file; `bytes()` writes it without a signature and without a checksum."""
    plus: bool = True                       # PE32+ or PE32
    lfanew: int = 0x80
    n_dirs: int = 16                        # NumberOfRvaAndSizes, as the field says
    dirs_room: int = 16                     # how many are really there
    opt_size: int | None = None
    magic: int | None = None
    headers_size: int = 0x200
    n_sections: int | None = None
    sections: list[Section] = field(default_factory=default_sections)
    overlay: bytes = b""
    pad_to: int = 8                         # the certificate table must be 8-aligned
    signature: bytes = b"PE\0\0"

    def bytes(self) -> bytes:
        sections = self.sections
        dirs = b"\0" * (8 * self.dirs_room)
        magic = self.magic if self.magic is not None else (0x20B if self.plus else 0x10B)
        image_size = max((s.address + 0x1000 for s in sections), default=0x1000)
        opt = struct.pack("<HBBIIIII", magic, 14, 0, 0x200, 0x200, 0, 0x1000, 0x1000)
        opt += struct.pack("<Q", 0x140000000) if self.plus else struct.pack("<II", 0x2000, 0x400000)
        opt += struct.pack("<IIHHHHHHIIIIHH", 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0, image_size, self.headers_size, 0, 3, 0x8160)
        opt += struct.pack("<QQQQ" if self.plus else "<IIII", 0x100000, 0x1000, 0x100000, 0x1000)
        opt += struct.pack("<II", 0, self.n_dirs) + dirs
        opt_size = len(opt) if self.opt_size is None else self.opt_size
        count = len(sections) if self.n_sections is None else self.n_sections
        coff = struct.pack("<HHIIIHH", 0x8664 if self.plus else 0x14C, count, 0x60000000, 0, 0, opt_size, 0x22 if self.plus else 0x102)
        table = b"".join(struct.pack("<8sIIIIIIHHI", s.name, max(len(s.data), 1), s.address, len(s.data) if s.size is None else s.size,
                                     s.at, 0, 0, 0, 0, s.flags) for s in sections)
        dos = b"MZ" + bytes(58) + struct.pack("<I", self.lfanew)
        head = bytearray(dos.ljust(self.lfanew, b"\0") if self.lfanew >= 64 else dos)
        new = self.signature + coff + opt + table
        if self.lfanew < 64:                                     # the new headers lie over the old one
            head[self.lfanew:] = new
            head[0x3C:0x40] = struct.pack("<I", self.lfanew)
        else:
            head += new
        out = bytearray(head.ljust(0x200, b"\0"))
        for s in sections:
            if s.data:
                out.extend(bytes(max(0, s.at + len(s.data) - len(out))))
                out[s.at:s.at + len(s.data)] = s.data
        out += self.overlay
        out += bytes(-len(out) % self.pad_to)
        return bytes(out)

    # where the fields that no hash covers lie
    @property
    def opt_at(self) -> int:
        return self.lfanew + 24

    @property
    def checksum_at(self) -> int:
        return self.opt_at + 64

    @property
    def security_at(self) -> int:
        return self.opt_at + (112 if self.plus else 96) + 8 * DIR_SECURITY


def digest(data: bytes, image: Image, hash: str = "sha256", end: int | None = None) -> bytes:
    """The Authenticode hash: everything up to the certificate table but the checksum and the table's directory entry."""
    h = hashlib.new(hash, usedforsecurity=False)
    h.update(data[:image.checksum_at])
    h.update(data[image.checksum_at + 4:image.security_at])
    h.update(data[image.security_at + 8:len(data) if end is None else end])
    return h.digest()


def page_hashes(data: bytes, image: Image, hash: str = "sha256", page: int = 0x1000) -> bytes:
    """(offset, hash) of the headers and of each page of each section, then the end and zeroes."""
    def entry(at: int, content: bytes) -> bytes:
        return struct.pack("<I", at) + hashlib.new(hash, content, usedforsecurity=False).digest()
    head = data[:image.checksum_at] + data[image.checksum_at + 4:image.security_at] + data[image.security_at + 8:image.headers_size]
    out = entry(0, head + bytes(page - image.headers_size))
    end = image.headers_size
    for s in image.sections:
        for n in range(0, len(s.data), page):
            out += entry(s.at + n, data[s.at + n:s.at + min(n + page, len(s.data))].ljust(page, b"\0"))
        end = max(end, s.at + len(s.data))
    return out + struct.pack("<I", end) + bytes(hashlib.new(hash, usedforsecurity=False).digest_size)


def checksum(data: bytes, at: int) -> int:
    clean = data[:at] + bytes(4) + data[at + 4:]
    clean += bytes(len(clean) % 2)
    total = sum(struct.unpack(f"<{len(clean) // 2}H", clean))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (total + len(data)) & 0xFFFFFFFF


def win_certificate(cms_der: bytes, *, pad: bytes | None = None, length: int | None = None, revision: int = 0x0200, kind: int = 2,
                    tail: bytes | None = None) -> bytes:
    """One entry. pad lies inside dwLength, tail after it; both are zeroes up to 8-alignment unless told."""
    inside = cms_der + (bytes(-len(cms_der) % 8) if pad is None else pad)
    length = 8 + len(inside) if length is None else length
    tail = bytes(-(8 + len(inside)) % 8) if tail is None else tail
    return struct.pack("<IHH", length & 0xFFFFFFFF, revision, kind) + inside + tail


def embed(data: bytes, image: Image, table: bytes, *, at: int | None = None, size: int | None = None, after: bytes = b"",
          set_checksum: int | Callable[[int], int] | None = None) -> bytes:
    """data + certificate table, with the directory entry and then the checksum written."""
    out = bytearray(data + table + after)
    struct.pack_into("<II", out, image.security_at, (len(data) if at is None else at) & 0xFFFFFFFF, len(table) if size is None else size)
    right = checksum(bytes(out), image.checksum_at)
    value = right if set_checksum is None else set_checksum(right) if callable(set_checksum) else set_checksum
    struct.pack_into("<I", out, image.checksum_at, value)
    return bytes(out)


def spc(data: bytes, image: Image, hash: str = "sha256", pages: str | None = None, pages_edit: Callable[[bytes], bytes] | None = None, **changes: Any) -> bytes:
    """SpcIndirectDataContent for this image; pages names the hash of the page hashes, if there are to be some."""
    table = None
    if pages:
        table = page_hashes(data, image, pages)
        table = pages_edit(table) if pages_edit else table
    return cms.indirect(cms.pe_data(table, pages or hash), digest(data, image, hash), hash, **changes)


def signed(image: Image | None = None, signer: Cert | None = None, *, hash: str = "sha256", pages: str | None = None,
           pages_edit: Callable[[bytes], bytes] | None = None, spc_edit: Callable[[bytes], bytes] | None = None,
           cms_edit: Callable[[bytes], bytes] | None = None, table: dict[str, Any] | None = None, dir: dict[str, Any] | None = None,
           data_edit: Callable[[bytes], bytes] | None = None, file_edit: Callable[[bytes], bytes] | None = None, **sign: Any) -> bytes:
    """A signed PE. Each *_edit changes one stage: data before it is hashed, the SPC before it is signed, the finished CMS, the
    finished file. table goes to win_certificate, dir to embed, everything else to cms.authenticode."""
    image = image or Image()
    data = image.bytes()
    if data_edit:
        data = data_edit(data)
    content = spc(data, image, hash, pages, pages_edit)
    if spc_edit:
        content = spc_edit(content)
    signature = cms.authenticode(content, signer, hash=hash, **sign)
    if cms_edit:
        signature = cms_edit(signature)
    out = embed(data, image, win_certificate(signature, **(table or {})), **(dir or {}))
    return file_edit(out) if file_edit else out
