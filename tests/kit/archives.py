"""Archives, good and hostile, made byte by byte where Python's own writers would not make them so: tar (ustar, pax, GNU), its
compressions, zip, 7z (its files stored) and cabinets. An ARCHIVE of HOSTILE is refused with the words that stand with it; one of
GOOD is read as exactly the lines that stand with it (see tests/tools/unpack_list.c)."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Callable, Sequence

from . import cab

BLOCK = 512
END = bytes(2 * BLOCK)

# --- tar


def octal(value: int, room: int) -> bytes:
    return b"%0*o\0" % (room - 1, value)


def header(name: bytes, body: bytes = b"", kind: bytes = b"0", mode: int = 0o644, target: bytes = b"", size: int | bytes | None = None,
           magic: bytes = b"ustar\x0000", prefix: bytes = b"", checksum: int | None = None, tail: bytes = b"") -> bytes:
    """One header block. `tail` overwrites from byte 345 on; `size` is a number or the field's own bytes."""
    room = len(body) if size is None else size
    field_size = room if isinstance(room, bytes) else octal(room, 12)
    block = bytearray(name[:100].ljust(100, b"\0") + octal(mode, 8) + octal(0, 8) * 2 + field_size.ljust(12, b"\0") + octal(0, 12) + b" " * 8 + kind +
                      target[:100].ljust(100, b"\0") + magic + bytes(64) + octal(0, 8) * 2 + prefix.ljust(155, b"\0")).ljust(BLOCK, b"\0")
    block[345:345 + len(tail)] = tail
    total = sum(block) if checksum is None else checksum
    block[148:156] = b"%06o\0 " % total
    return bytes(block)


def padded(body: bytes) -> bytes:
    return body + bytes(-len(body) % BLOCK)


def entry(name: bytes, body: bytes = b"", **fields: object) -> bytes:
    return header(name, body, **fields) + padded(body)  # type: ignore[arg-type]


def record(key: bytes, value: bytes) -> bytes:
    rest = len(key) + len(value) + 3
    size = rest + 1
    while rest + len(str(size)) != size:
        size = rest + len(str(size))
    return b"%d %s=%s\n" % (size, key, value)


def pax(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    return entry(b"PaxHeader", b"".join(record(k, v) for k, v in records), kind=kind)


def gnu(kind: bytes, text: bytes) -> bytes:
    """A GNU long name (L) or target (K)."""
    return entry(b"././@LongLink", text + b"\0", kind=kind, magic=b"ustar  \0")


def tar(*parts: bytes) -> bytes:
    return b"".join(parts) + END


def file(path: str, body: bytes = b"x", **fields: object) -> bytes:
    return entry(path.encode(), body, **fields)


def link(path: str, target: str) -> bytes:
    return entry(path.encode(), kind=b"2", target=target.encode(), mode=0o777)


def hard(path: str, target: str, **fields: object) -> bytes:
    return entry(path.encode(), kind=b"1", target=target.encode(), **fields)


def folder(path: str, **fields: object) -> bytes:
    return entry(path.encode(), kind=b"5", **{"mode": 0o755, **fields})


def sparse_pax(body: bytes, real: int, pieces: Sequence[tuple[int, int]], **more: bytes) -> bytes:
    """A sparse file as GNU's pax version 1.0 has it."""
    numbers = b"".join(b"%d\n" % n for n in [len(pieces), *[n for piece in pieces for n in piece]])
    return pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"hole"), (b"GNU.sparse.realsize", b"%d" % real),
               *more.items()) + entry(b"GNUSparseFile.0/hole", padded(numbers) + body)  # type: ignore[arg-type]


def sparse_gnu(body: bytes, real: int, pieces: Sequence[tuple[int, int]]) -> bytes:
    """The same as GNU's old form has it, up to four pieces."""
    tail = bytes(41) + b"".join(octal(at, 12) + octal(size, 12) for at, size in pieces).ljust(96, b"\0") + b"\0" + octal(real, 12)
    return entry(b"hole", body, kind=b"S", magic=b"ustar  \0", tail=tail)


def zstd_frame(content: bytes, window_log: int = 20, flags: int = 0x00, dictionary: bytes = b"") -> bytes:
    """A frame of raw blocks: no compressor is needed."""
    out = struct.pack("<IB", 0xFD2FB528, flags) + bytes([(window_log - 10) << 3]) + dictionary
    step = 100000
    blocks = [content[i:i + step] for i in range(0, len(content), step)] or [b""]
    for i, block in enumerate(blocks):
        out += (len(block) << 3 | (i == len(blocks) - 1)).to_bytes(3, "little") + block
    return out


def zstd_run(byte: bytes, times: int) -> bytes:
    """A frame of blocks that each repeat one byte 128 KiB times."""
    out = struct.pack("<IBB", 0xFD2FB528, 0, 10 << 3)
    for i in range(times):
        out += (131072 << 3 | 1 << 1 | (i == times - 1)).to_bytes(3, "little") + byte
    return out


def xz(content: bytes, dictionary: int = 1 << 20, filters: Sequence[dict[str, int]] | None = None) -> bytes:
    return lzma.compress(content, format=lzma.FORMAT_XZ, filters=filters or [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": dictionary}])


def vli(value: int) -> bytes:
    """xz's numbers: 7 bits a byte, the low ones first."""
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def stored(content: bytes, first: int = 1) -> bytes:
    """Chunks of LZMA2 that hold the bytes as they are; 1: the first one empties the dictionary, 2: it does not."""
    pieces = [content[i:i + 65536] for i in range(0, len(content), 65536)]
    return b"".join(bytes([2 if i else first]) + struct.pack(">H", len(piece) - 1) + piece for i, piece in enumerate(pieces))


def zero_chunks(mib: int) -> bytes:
    """Chunks of 1 MiB of zeros each, which leave the dictionary as it is and so fill it."""
    one = lzma.compress(bytes(1 << 20), format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}])
    return (bytes([one[0] & 0xDF]) + one[1:-1]) * mib


@dataclass
class XzBlock:
    """A block of an xz stream without checksums. `says`: what its header says of its packed and unpacked size; `fill`: the byte in its
    header's padding and behind its chunks."""
    chunks: bytes
    unpacked: int
    dictionary: int = 8                                             # 64 KiB
    says: tuple[int | None, int | None] = (None, None)
    header_fill: bytes = b"\0"
    fill: bytes = b"\0"

    def header(self) -> bytes:
        packed, unpacked = self.says
        body = bytes([(packed is not None) << 6 | (unpacked is not None) << 7]) + b"".join(vli(n) for n in self.says if n is not None)
        body += b"\x21\x01" + bytes([self.dictionary])
        body += self.header_fill * (-(len(body) + 1) % 4)
        body = bytes([(len(body) + 1) // 4]) + body
        return body + struct.pack("<I", zlib.crc32(body))

    def record(self) -> tuple[int, int]:
        return len(self.header()) + len(self.chunks), self.unpacked

    def built(self) -> bytes:
        body = self.header() + self.chunks
        return body + self.fill * (-len(body) % 4)


def xz_of(*blocks: XzBlock, records: Sequence[tuple[int, int]] | None = None, check: int = 0, footer_check: int | None = None,
          index_tail: bytes = b"", between: bytes = b"") -> bytes:
    """A stream of these blocks, with an index of them or of other `records`."""
    told = [block.record() for block in blocks] if records is None else records
    index = b"\0" + vli(len(told)) + b"".join(vli(size) + vli(unpacked) for size, unpacked in told)
    index += bytes(-len(index) % 4) + index_tail
    index += struct.pack("<I", zlib.crc32(index))
    head, foot = bytes([0, check]), struct.pack("<I", len(index) // 4 - 1) + bytes([0, check if footer_check is None else footer_check])
    return (b"\xfd7zXZ\0" + head + struct.pack("<I", zlib.crc32(head)) + b"".join(block.built() for block in blocks) + between + index +
            struct.pack("<I", zlib.crc32(foot)) + foot + b"YZ")


def xz_block(content: bytes, **fields: object) -> XzBlock:
    return XzBlock(stored(content) + b"\0", len(content), **fields)  # type: ignore[arg-type]


def xz_large(dictionary: int, is_one_record: bool, mib: int = 300) -> bytes:
    """Two blocks, the second of which fills its dictionary with `mib` MiB; the index may have both as one. The first is large enough
    that the ratio of packed to unpacked is not the reason of a refusal."""
    first, behind = file("a", bytes(mib << 13)), bytes(2 * BLOCK)
    start = header(b"b", size=mib << 20)
    second = stored(start) + zero_chunks(mib) + stored(behind, 2) + b"\0"
    blocks = [xz_block(first, dictionary=28), XzBlock(second, len(start) + (mib << 20) + len(behind), dictionary)]
    (len1, n1), (len2, n2) = (block.record() for block in blocks)
    return xz_of(*blocks, records=[(len1 + -len1 % 4 + len2, n1 + n2)] if is_one_record else None)


def gz(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


# --- zip


@dataclass
class Member:
    """One entry; what stands in the local header alone is given in `local`, and in the directory alone in `central`."""
    name: bytes
    body: bytes = b"x"
    method: int = 8
    flags: int = 0
    mode: int = 0o100644
    made_by: int = 3
    extra: bytes = b""
    descriptor: bytes | None = None                                 # after the bytes; b"" makes the right one
    gap: bytes = b""                                                # before the local header
    attributes: int | None = None
    local: dict[str, int | bytes] = field(default_factory=dict)
    central: dict[str, int | bytes] = field(default_factory=dict)

    def packed(self) -> bytes:
        if self.method != 8:
            return self.body
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflate.compress(self.body) + deflate.flush()


def zip_of(*members: Member, before: bytes = b"", after: bytes = b"", between: bytes = b"", comment: bytes = b"", disk: int = 0, n: int | None = None,
           at_more: int = 0, end64: dict[str, int] | None = None) -> bytes:
    out, directory = before, b""
    for m in members:
        packed = m.packed()
        crc, flags = zlib.crc32(m.body), m.flags | (8 if m.descriptor is not None else 0)
        later = m.descriptor is not None
        v: dict[str, int | bytes] = {"name": m.name, "flags": flags, "method": m.method, "crc": crc, "packed": len(packed), "size": len(m.body),
                                     "extra": m.extra}
        low: dict[str, int | bytes] = {**v, **({"crc": 0, "packed": 0, "size": 0} if later else {}), **m.local}
        out += m.gap
        at = len(out)
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, low["flags"], low["method"], 0, 0x21, low["crc"], low["packed"], low["size"],
                           len(low["name"]), len(low["extra"])) + low["name"] + low["extra"] + packed  # type: ignore[arg-type, operator]
        if later:
            out += m.descriptor or struct.pack("<IIII", 0x08074B50, crc, len(packed), len(m.body))
        high: dict[str, int | bytes] = {**v, "at": at, **m.central}
        directory += struct.pack("<IBBHHHHHIIIHHHHHII", 0x02014B50, 20, m.made_by, 20, high["flags"], high["method"], 0, 0x21, high["crc"], high["packed"],
                                 high["size"], len(high["name"]), len(high["extra"]), 0, 0, 0,  # type: ignore[arg-type]
                                 m.mode << 16 if m.attributes is None else m.attributes, high["at"]) + high["name"] + high["extra"]  # type: ignore[operator]
    at = len(out) + at_more
    count = len(members) if n is None else n
    if end64 is not None:                                           # fields of the second end record that are to be others
        v64 = {"n": count, "len": len(directory), "at": at, "place": at + len(directory), "disks": 1, "end_at": 0xFFFFFFFF, **end64}
        directory += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, v64["n"], v64["n"], v64["len"], v64["at"])
        directory += struct.pack("<IIQI", 0x07064B50, 0, v64["place"], v64["disks"])
        return out + directory + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, v64["end_at"], 0)
    return out + directory + between + struct.pack("<IHHHHIIH", 0x06054B50, disk, disk, count, count, len(directory), at, len(comment)) + comment + after


# --- 7z


def number(value: int) -> bytes:
    """7z's numbers: the first byte's ones say how many bytes follow."""
    for extra in range(9):
        if value < 1 << (7 * (extra + 1)) or extra == 8:
            mask = (0xFF << (8 - extra)) & 0xFF
            high = value >> (8 * extra) if extra < 8 else 0
            return bytes([mask | high]) + (value & ((1 << (8 * extra)) - 1)).to_bytes(extra, "little")
    raise ValueError(value)


def prop(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + number(len(body)) + body


def sevenzip(files: Sequence[tuple[str, bytes | None, int]], coder: bytes = b"\x01\x00", packed: bytes | None = None, after: bytes = b"") -> bytes:
    """files: name, bytes (None: a folder) and Unix mode; all bytes in one stream."""
    content = b"".join(body for _, body, _ in files if body)
    stream = content if packed is None else packed
    with_bytes = [body for _, body, _ in files if body]
    streams = b""
    if with_bytes:
        streams = b"\x04\x06" + number(0) + number(1) + b"\x09" + number(len(stream)) + b"\x00"
        streams += b"\x07\x0b" + number(1) + b"\x00" + number(1) + coder + b"\x0c" + number(len(content)) + b"\x00"
        streams += b"\x08\x0d" + number(len(with_bytes)) + (b"\x09" + b"".join(number(len(b)) for b in with_bytes[:-1]) if len(with_bytes) > 1 else b"")
        streams += b"\x0a\x01" + b"".join(struct.pack("<I", zlib.crc32(b)) for b in with_bytes) + b"\x00\x00"
    empty = [not body for _, body, _ in files]
    infos = number(len(files))
    if any(empty):
        infos += prop(0x0E, bits(empty)) + prop(0x0F, bits([body is not None for _, body, _ in files if not body]))
    infos += prop(0x11, b"\0" + b"".join(name.encode("utf-16-le") + b"\0\0" for name, _, _ in files))
    infos += prop(0x15, b"\1\0" + b"".join(struct.pack("<I", 0x8000 | mode << 16 | (0x10 if body is None else 0)) for _, body, mode in files))
    head = b"\x01" + streams + b"\x05" + infos + b"\x00\x00"
    start = struct.pack("<QQI", len(stream), len(head), zlib.crc32(head))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + stream + head + after


def bits(flags: Sequence[bool]) -> bytes:
    out = bytearray((len(flags) + 7) // 8)
    for i, flag in enumerate(flags):
        out[i // 8] |= flag << (7 - i % 8)
    return bytes(out)


def lzma2(content: bytes, dictionary_bits: int = 16) -> tuple[bytes, bytes]:
    """The coder's words and the packed bytes."""
    packed = lzma.compress(content, format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 20}])
    return b"\x21\x21\x01" + bytes([dictionary_bits]), packed


# --- the lists


@dataclass
class Archive:
    """words: what the refusal must say, all of them. code: the error's name. args: limits for the tool. lines: what a good one
    is read as."""
    name: str
    build: Callable[[], bytes]
    words: tuple[str, ...] = ()
    code: str = "malformed"
    args: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def line(kind: str, path: str, body: bytes = b"", mode: int = 0o644, target: str | None = None) -> str:
    digest = hashlib.sha256(body).hexdigest() if kind == "file" else "-"
    return "\t".join([kind, f"{mode:04o}", str(len(body)), digest, path, *([] if target is None else [target])])


def bad(name: str, build: Callable[[], bytes], *words: str, code: str = "malformed", args: tuple[str, ...] = ()) -> Archive:
    return Archive(name, build, words, code, args)


def named(kind: str, path: str, *words: str, code: str = "malformed") -> list[Archive]:
    """The same bad path in each format that can hold it."""
    made = {
        "tar": lambda: tar(file(path)),
        "zip": lambda: zip_of(Member(path.encode(), flags=0 if path.isascii() else 0x800)),
        "7z": lambda: sevenzip([(path, b"x", 0o100644)]),
        "cab": lambda: cab.Cabinet([(path.replace("/", "\\"), b"x")]).unsigned(),
    }
    return [bad(f"{fmt}-{kind}", build, "entry", *words, code=code) for fmt, build in made.items()]


PATHS = [
    *named("up", "../evil", "\"..\""),
    *named("up-inside", "a/../../evil", "\"..\""),
    *named("absolute", "/etc/evil", "absolute"),
    *named("drive", "C:/evil", "drive"),
    *named("stream", "a/b:evil", "another data stream"),
    *named("device", "a/NUL.txt", "device on Windows"),
    *named("dot-at-end", "a/b.", "ends in a dot"),
    *named("space-at-end", "a /b", "ends in a space"),
    *named("star", "a/*", "Windows forbids"),
    *named("control", "a/\x1b[2J", "control character"),
]

TAR = [
    bad("tar-backslash", lambda: tar(file("a\\..\\evil")), "entry", "backslash"),
    bad("tar-unc", lambda: tar(file("//server/share/evil")), "another machine"),
    bad("tar-empty-name", lambda: tar(file("")), "is empty"),
    bad("tar-twice-slash", lambda: tar(file("a//b")), "nothing between"),
    bad("tar-file-with-slash", lambda: tar(file("a/")), "two ways"),
    bad("tar-dot-inside", lambda: tar(file("a/./b")), "\".\""),
    bad("tar-no-utf8", lambda: tar(entry(b"a\xff\xfe", b"x")), "no UTF-8"),
    bad("tar-latin1-in-pax", lambda: tar(pax((b"path", b"caf\xe9")), file("cafe")), "no UTF-8"),
    bad("tar-nul-in-pax-path", lambda: tar(pax((b"path", b"good\0/../evil")), file("good")), "NUL"),
    bad("tar-hidden-behind-nul", lambda: tar(header(b"good\0evil", b"x") + padded(b"x")), "after the end of a name"),
    bad("tar-decomposed", lambda: tar(file("cafe\u0301")), "U+0301"),
    bad("tar-right-to-left", lambda: tar(file("a\u202eexe.txt")), "U+202E"),
    bad("tar-long-path", lambda: tar(pax((b"path", b"/".join([b"a" * 200] * 6))), file("a")), "1205 bytes", code="limit"),
    bad("tar-deep", lambda: tar(file("/".join("a" * 40))), "40 deep", code="limit"),
    bad("tar-depth-option", lambda: tar(file("a/b/c")), "3 deep, the limit is 2", code="limit", args=("--depth", "2")),
    bad("tar-twice", lambda: tar(file("a"), file("b"), file("a")), "\"a\"", "stands twice"),
    bad("tar-twice-folder", lambda: tar(folder("a/"), folder("a")), "stands twice"),
    bad("tar-other-case", lambda: tar(file("Readme"), file("README")), "same path", "Readme"),
    bad("tar-other-case-eszett", lambda: tar(file("stra\u00dfe"), file("STRASSE")), "same path"),
    bad("tar-folder-two-spellings", lambda: tar(file("Lib/a"), file("lib/b")), "spelt \"Lib\""),
    bad("tar-below-link", lambda: tar(link("a", "."), file("a/b")), "lies below \"a\"", "symbolic link"),
    bad("tar-below-file", lambda: tar(file("a"), file("a/b")), "lies below \"a\"", "a file"),
    bad("tar-link-onto-folder", lambda: tar(file("a/b"), link("a", "b")), "other entries lie below it"),
    bad("tar-file-onto-folder", lambda: tar(folder("a"), file("a")), "stands twice"),
    bad("tar-root-twice", lambda: tar(folder("./"), folder("./"), file("a")), "is empty"),
    bad("tar-link-up", lambda: tar(link("a", "../evil")), "link target \"../evil\"", "leaves the tree"),
    bad("tar-link-up-deep", lambda: tar(link("a/b", "../../evil")), "leaves the tree"),
    bad("tar-link-absolute", lambda: tar(link("a", "/etc/passwd")), "absolute"),
    bad("tar-link-around", lambda: tar(link("a", "b/../../evil")), "link target"),
    bad("tar-link-drive", lambda: tar(link("a", "C:\\evil")), "link target"),
    bad("tar-link-empty", lambda: tar(link("a", "")), "empty"),
    bad("tar-link-nul", lambda: tar(pax((b"linkpath", b"b\0evil")), link("a", "b")), "NUL"),
    bad("tar-hard-up", lambda: tar(hard("a", "../evil")), "hard link", "\"..\""),
    bad("tar-hard-absolute", lambda: tar(hard("a", "/etc/shadow")), "hard link", "absolute"),
    bad("tar-hard-unseen", lambda: tar(hard("a", "b"), file("b")), "hard link", "not in the archive before it"),
    bad("tar-hard-to-link", lambda: tar(link("l", "x"), hard("a", "l")), "hard link", "which is a symbolic link"),
    bad("tar-hard-to-folder", lambda: tar(folder("d"), hard("a", "d")), "hard link", "which is a folder"),
    bad("tar-hard-to-itself", lambda: tar(hard("a", "a")), "not in the archive before it"),
    bad("tar-hard-other-case", lambda: tar(file("b"), hard("a", "B")), "not in the archive before it"),
    bad("tar-hard-with-bytes", lambda: tar(file("b"), pax((b"size", b"5")), entry(b"a", b"hello", kind=b"1", target=b"b")), "\"a\""),
    bad("tar-char-device", lambda: tar(entry(b"a", kind=b"3")), "is a device"),
    bad("tar-block-device", lambda: tar(entry(b"a", kind=b"4")), "is a device"),
    bad("tar-fifo", lambda: tar(entry(b"a", kind=b"6")), "named pipe"),
    bad("tar-setuid", lambda: tar(file("a", mode=0o4755)), "setuid"),
    bad("tar-setgid", lambda: tar(file("a", mode=0o2755)), "setgid"),
    bad("tar-sticky-folder", lambda: tar(folder("a", mode=0o1777)), "sticky"),
    bad("tar-setuid-hard-link", lambda: tar(file("b"), hard("a", "b", mode=0o4755)), "setuid"),
    bad("tar-folder-with-bytes", lambda: tar(entry(b"a", b"hello", kind=b"5")), "\"a\""),
    bad("tar-link-with-bytes", lambda: tar(entry(b"a", b"hello", kind=b"2", target=b"b")), "\"a\""),
    bad("tar-file-with-target", lambda: tar(file("a", target=b"b")), "target in an entry that is no link"),
    bad("tar-unknown-type", lambda: tar(entry(b"a", b"x", kind=b"Z")), "type 0x5a"),
    bad("tar-contiguous", lambda: tar(entry(b"a", b"x", kind=b"7")), "type 0x37"),
    bad("tar-volume", lambda: tar(entry(b"label", kind=b"V", magic=b"ustar  \0"), file("a")), "type 0x56"),
    bad("tar-other-volume", lambda: tar(entry(b"a", b"x", kind=b"M", magic=b"ustar  \0")), "type 0x4d"),
    bad("tar-solaris-acl", lambda: tar(entry(b"a", b"1000000\0u::rwx\0", kind=b"A"), file("a")), "type 0x41"),
    bad("tar-v7", lambda: gz(tar(file("a", magic=bytes(8)))), "inside is no tar"),
    bad("tar-v7-later", lambda: tar(file("a"), file("b", magic=bytes(8))), "neither ustar's nor GNU's"),
    bad("tar-checksum", lambda: tar(file("b"), header(b"a", b"x", checksum=1) + padded(b"x")), "Damaged"),
    bad("tar-size-no-number", lambda: tar(file("b"), file("a", size=b"00000z00001")), "no number"),
    bad("tar-size-huge", lambda: tar(file("a", size=b"\x80" + b"\x00\x00\x00\x00\x7f" + b"\xff" * 6)), "\"a\"", code="limit"),
    bad("tar-pax-xattr", lambda: tar(pax((b"SCHILY.xattr.security.capability", b"\1\2")), file("a")), "SCHILY.xattr.security.capability"),
    bad("tar-pax-acl", lambda: tar(pax((b"SCHILY.acl.access", b"user::rwx")), file("a")), "SCHILY.acl.access"),
    bad("tar-pax-flags", lambda: tar(pax((b"SCHILY.fflags", b"schg")), file("a")), "SCHILY.fflags"),
    bad("tar-pax-unknown", lambda: tar(pax((b"EVIL.key", b"1")), file("a")), "EVIL.key"),
    bad("tar-pax-twice", lambda: tar(pax((b"path", b"good"), (b"path", b"other")), file("a")), "\"path\" stands twice"),
    bad("tar-pax-two-headers", lambda: tar(pax((b"path", b"good")), pax((b"path", b"other")), file("a")), "two pax headers"),
    bad("tar-pax-empty-path", lambda: tar(pax((b"path", b"")), file("a")), "empty name"),
    bad("tar-pax-damaged", lambda: tar(entry(b"x", b"11 path=bad", kind=b"x"), file("a")), "pax record that is none"),
    bad("tar-pax-lying-length", lambda: tar(entry(b"x", b"99 path=bad\n", kind=b"x"), file("a")), "pax record that is none"),
    bad("tar-pax-up", lambda: tar(pax((b"path", b"../evil")), file("good")), "\"..\""),
    bad("tar-pax-realsize", lambda: tar(pax((b"SCHILY.realsize", b"100000")), file("a")), "SCHILY.realsize"),
    bad("tar-pax-charset", lambda: tar(pax((b"hdrcharset", b"KOI8-R")), file("a")), "hdrcharset"),
    bad("tar-pax-global-path", lambda: tar(pax((b"path", b"evil"), kind=b"g"), file("a")), "global pax header"),
    bad("tar-gnu-long-up", lambda: tar(gnu(b"L", b"../evil"), file("good", magic=b"ustar  \0")), "\"..\""),
    bad("tar-gnu-long-twice", lambda: tar(gnu(b"L", b"good"), gnu(b"L", b"evil"), file("a", magic=b"ustar  \0")), "two long names"),
    bad("tar-gnu-and-pax", lambda: tar(gnu(b"L", b"good"), pax((b"path", b"evil")), file("a")), "two ways"),
    bad("tar-gnu-long-hidden", lambda: tar(gnu(b"L", b"good\0evil"), file("a", magic=b"ustar  \0")), "after the end of a name"),
    bad("tar-gnu-long-link-on-file", lambda: tar(gnu(b"K", b"evil"), file("a", magic=b"ustar  \0")), "no link"),
    bad("tar-gnu-many-extensions", lambda: tar(*[pax((b"comment", b"a"), kind=b"g")] * 8, file("a")), "extensions"),
    bad("tar-gnu-realsize-on-file", lambda: tar(file("a", magic=b"ustar  \0", tail=bytes(138) + octal(99, 12))), "sparse file"),
    bad("tar-sparse-old-map-in-ustar", lambda: tar(entry(b"a", b"x", kind=b"S")), "sparse"),
    bad("tar-sparse-overlap", lambda: tar(sparse_gnu(b"ab" * 512, 4096, [(1024, 512), (512, 512)])), "overlap"),
    bad("tar-sparse-past-end", lambda: tar(sparse_gnu(b"a" * 512, 512, [(4096, 512)])), "hole"),
    bad("tar-sparse-lying-map", lambda: tar(sparse_pax(b"a" * 1024, 512, [(0, 1024)])), "hole"),
    bad("tar-sparse-bomb", lambda: tar(sparse_gnu(b"", 1 << 32, [(1 << 32, 0)])), "to one", code="limit"),
    bad("tar-sparse-map-bomb", lambda: gz(tar(pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"a"),
                                                  (b"GNU.sparse.realsize", b"9")), file("x", b"4000000\n" + b"0\n0\n" * 4000000))), "bytes of headers", code="limit"),
    bad("tar-sparse-half", lambda: tar(pax((b"GNU.sparse.realsize", b"9")), file("a")), "without all of its records"),
    bad("tar-sparse-0.1", lambda: tar(pax((b"GNU.sparse.map", b"0,1"), (b"GNU.sparse.size", b"9")), file("a")), "GNU.sparse"),
    bad("tar-no-end", lambda: file("a"), "end mark", code="truncated"),
    bad("tar-half-end", lambda: file("a") + bytes(BLOCK), "end mark", code="truncated"),
    bad("tar-cut-in-file", lambda: tar(file("a", b"y" * 2000))[:1200], "\"a\"", "Truncated"),
    bad("tar-cut-in-header", lambda: (file("a") + file("b"))[:1200], "Truncated"),
    bad("tar-second-archive", lambda: tar(file("a")) + tar(file("b")), "follows the end mark"),
    bad("tar-entry-after-one-zero-block", lambda: file("a") + bytes(BLOCK) + tar(file("b")), "follows the end mark"),
    bad("tar-bytes-after-end", lambda: tar(file("a")) + bytes(8000) + b"evil", "follows the end mark"),
    bad("tar-much-zero-after-end", lambda: tar(file("a")) + bytes(2 << 20), "zeros at the end", code="limit"),
    bad("tar-headers-then-end", lambda: tar(file("a"), pax((b"path", b"b"))), "tar"),
    bad("tar-many", lambda: tar(*[file(f"f{i}") for i in range(11)]), "more than 10 entries", code="limit", args=("--entries", "10")),
    bad("tar-large", lambda: tar(file("a", b"x" * 101)), "101 bytes, the limit is 100", code="limit", args=("--entry-bytes", "100")),
    bad("tar-large-in-all", lambda: tar(file("a", b"x" * 60), file("b", b"x" * 60)), "\"b\"", "in all", code="limit", args=("--total-bytes", "100")),
]

A = tar(file("a"))                                                  # in xz_block: a header of 12 bytes, 2048 in a chunk with 3 more, a zero
HALVES = [xz_block(A[:1024]), xz_block(A[1024:])]                   # 1040 bytes each
XZ = [
    bad("xz-hidden-dictionary", lambda: xz_large(37, True), "fewer than", "the index says"),
    bad("xz-second-dictionary", lambda: xz_large(37, False), "dictionary", code="limit"),
    bad("xz-dictionary-one-more", lambda: xz_of(xz_block(A, dictionary=29)), "dictionary", code="limit"),
    bad("xz-dictionary-of-an-empty-block", lambda: xz_of(xz_block(A), XzBlock(b"\0", 0, dictionary=40)), "dictionary", code="limit"),
    bad("xz-one-record-for-two", lambda: xz_of(*HALVES, records=[(2080, 2048)]), "at 24", "1024 bytes fewer", "the index says"),
    bad("xz-one-record-for-one-and-an-empty", lambda: xz_of(xz_block(A), XzBlock(b"\0", 0), records=[(2064 + 16, 2048)]), "has 2064 bytes", "says 2080"),
    bad("xz-two-records-for-one", lambda: xz_of(xz_block(A), records=[(1032, 1024), (1032, 1024)]), "unpack to more"),
    bad("xz-two-records-for-one-and-nothing", lambda: xz_of(xz_block(A), records=[(2048, 2048), (16, 0)]), "has 2064 bytes", "says 2048"),
    bad("xz-record-missing", lambda: xz_of(*HALVES, records=[HALVES[0].record()]), "1040 bytes are no part"),
    bad("xz-record-of-nothing", lambda: xz_of(*HALVES, records=[(1040, 1024)] * 3), "does not fit its file"),
    bad("xz-record-huge", lambda: xz_of(xz_block(A), records=[((1 << 63) - 1, 2048)]), "does not fit its file"),
    bad("xz-record-long-number", lambda: xz_of(xz_block(A), records=[(2064, 1 << 63)]), "index that ends early"),
    bad("xz-no-records", lambda: xz_of(xz_block(A), records=[]), "2064 bytes are no part"),
    bad("xz-record-without-length", lambda: xz_of(xz_block(A), records=[(0, 0), (2064, 2048)]), "unpack to more"),
    bad("xz-record-unpacked-more", lambda: xz_of(xz_block(A), records=[(2064, 2049)]), "1 bytes fewer"),
    bad("xz-record-unpacked-fewer", lambda: xz_of(xz_block(A), records=[(2064, 2047)]), "unpack to more than the 2047"),
    bad("xz-records-other-way-round", lambda: xz_of(xz_block(A[:1000]), xz_block(A[1000:]), records=[(1064, 1048), (1016, 1000)]), "48 bytes fewer"),
    bad("xz-zeros-for-a-block", lambda: xz_of(*HALVES, between=bytes(16), records=[(1040, 1024)] * 2 + [(16, 0)]), "no block at 2092"),
    bad("xz-index-longer", lambda: xz_of(xz_block(A), index_tail=bytes(4)), "index of another length"),
    bad("xz-index-cut", lambda: xz_of(xz_block(A), records=[(2064, 2048)] * 3), "does not fit"),
    bad("xz-header-packed", lambda: xz_of(xz_block(A, says=(2051, None))), "has 2052 packed bytes, its header says 2051"),
    bad("xz-header-unpacked", lambda: xz_of(xz_block(A, says=(2052, 2049))), "unpacks to 2048 bytes, its header says 2049"),
    bad("xz-header-fill", lambda: xz_of(xz_block(A, says=(2052, None), header_fill=b"\1")), "header holds more"),
    bad("xz-block-fill", lambda: xz_of(xz_block(A + b"\0", fill=b"\1")), "between a block and its checksum"),
    bad("xz-chunk-kind", lambda: xz_of(XzBlock(stored(A) + b"\3\0\0\0\0", 2048)), "no known kind, 3,"),
    bad("xz-chunk-kind-highest", lambda: xz_of(XzBlock(b"\x7f" + stored(A)[1:] + b"\0", 2048)), "no known kind, 127,"),
    bad("xz-chunk-past-index", lambda: xz_of(XzBlock(b"\1\xff\xff" + A, 65536)), "runs into the index"),
    bad("xz-chunk-packed-past-index", lambda: xz_of(XzBlock(b"\xe0\0\0\xff\xff\x5d" + A, 1)), "runs into the index"),
    bad("xz-chunk-header-past-index", lambda: xz_of(XzBlock(stored(A[:2045]) + b"\xe0\0\0\0", 2046)), "runs into the index"),
    bad("xz-chunks-without-end", lambda: xz_of(XzBlock(stored(A + b"\0"), 2049)), "runs into the index"),
    bad("xz-chunks-end-in-fill", lambda: xz_of(XzBlock(stored(A), 2048)), "has 2064 bytes", "says 2063"),
    bad("xz-check-unknown", lambda: xz_of(xz_block(A), check=2), "checksum of unknown kind 2", code="unsupported"),
    bad("xz-check-two-kinds", lambda: xz_of(xz_block(A), footer_check=1), "two kinds of checksum"),
    bad("xz-check-where-none-is", lambda: xz_of(*HALVES, check=1), "has 1044 bytes", "says 1040"),
]

COMPRESSED = [
    bad("gz-bomb", lambda: gz(tar(file("a", bytes(80 << 20)))), "to one", code="limit"),
    bad("xz-bomb", lambda: xz(tar(file("a", bytes(80 << 20)))), "to one", code="limit"),
    bad("zst-bomb-before-any-entry", lambda: zstd_run(b"\0", 1000), "zeros at the end", code="limit"),
    bad("zst-much-before-an-entry", lambda: zstd_frame(pax((b"comment", b"c" * 900000)) * 5 + file("a")), "bytes of headers", code="limit"),
    bad("xz-bomb-of-headers", lambda: xz(tar(*[pax((b"comment", bytes(900000))) + file(f"f{i}") for i in range(80)])), "to one", code="limit"),
    bad("zst-cut-in-headers", lambda: zstd_frame(pax((b"comment", b"c" * 900000))[:BLOCK]), "tar, zstd"),
    bad("gz-inside-gz", lambda: gz(gz(tar(file("a")) + bytes(1024))), "inside is gzip once more"),
    bad("gz-inside-zst", lambda: zstd_frame(gz(tar(file("a")))), "inside is gzip once more"),
    bad("zip-inside-gz", lambda: gz(zip_of(Member(b"a", b"x" * 600, method=0))), "inside is no tar"),
    bad("text-inside-gz", lambda: gz(b"no tar at all " * 100), "inside is no tar"),
    bad("nothing-inside-gz", lambda: gz(b""), "inside is no tar"),
    bad("gz-two-members", lambda: gz(file("a")) + gz(tar(file("b"))), "gzip", "several members"),
    bad("gz-after-end", lambda: gz(tar(file("a"))) + b"evil", "follow the end"),
    bad("gz-zeros-after-end", lambda: gz(tar(file("a"))) + bytes(100), "follow the end"),
    bad("gz-cut", lambda: gz(tar(file("a", bytes(range(256)) * 64)))[:-40], "truncated gzip"),
    bad("gz-checksum", lambda: flip(gz(tar(file("a"))), -5), "checksum"),
    bad("gz-length", lambda: flip(gz(tar(file("a"))), -1), "length"),
    bad("gz-reserved-flag", lambda: flip(gz(tar(file("a"))), 3, 0x80), "reserved flags"),
    bad("xz-two-streams", lambda: xz(file("a")) + xz(tar(file("b"))), "several streams"),
    bad("xz-padding", lambda: xz(tar(file("a"))) + bytes(4), "footer"),
    bad("xz-after-end", lambda: xz(tar(file("a"))) + b"evil", "footer"),
    bad("xz-cut", lambda: xz(tar(file("a")))[:-8], "footer"),
    bad("xz-dictionary", lambda: xz(tar(file("a")), dictionary=128 << 20), "dictionary", code="limit"),
    bad("xz-filter", lambda: xz(tar(file("a")), filters=[{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 0}]), "filter", code="unsupported"),
    bad("xz-damaged", lambda: flip(xz(tar(file("a", b"hello" * 100))), 40), "xz"),
    bad("xz-same-stream-twice", lambda: xz(tar(file("a"))) * 2, "several streams"),
    *XZ,
    bad("zst-two-frames", lambda: zstd_frame(file("a")) + zstd_frame(tar(file("b"))), "follow the end"),
    bad("zst-after-end", lambda: zstd_frame(tar(file("a"))) + b"evil", "follow the end"),
    bad("zst-skipped-frame", lambda: struct.pack("<II", 0x184D2A50, 4) + b"evil" + zstd_frame(tar(file("a"))), "skipped"),
    bad("zst-skipped-frame-at-end", lambda: zstd_frame(tar(file("a"))) + struct.pack("<II", 0x184D2A5F, 4) + b"evil", "follow the end"),
    bad("zst-window", lambda: zstd_frame(tar(file("a")), window_log=27), "window", code="limit"),
    bad("zst-dictionary", lambda: zstd_frame(tar(file("a")), flags=1, dictionary=b"\7"), "dictionary", code="unsupported"),
    bad("zst-cut", lambda: zstd_frame(tar(file("a")))[:-100], "zstd", code="truncated"),
    bad("zst-reserved-bit", lambda: zstd_frame(tar(file("a")), flags=8), "reserved bit"),
    bad("bz2", lambda: __import__("bz2").compress(tar(file("a"))), "no archive of a kind", code="unsupported"),
    bad("text", lambda: b"hello\n", "no archive of a kind", code="unsupported"),
    bad("empty", lambda: b"", "no archive of a kind", code="unsupported"),
    bad("cpio", lambda: b"070701" + b"0" * 104, "no archive of a kind", code="unsupported"),
]

UTF8 = 0x800
ZIP = [
    bad("zip-backslash", lambda: zip_of(Member(b"a\\..\\evil", made_by=0, attributes=0)), "backslash"),
    bad("zip-nul-in-name", lambda: zip_of(Member(b"good\0/../evil")), "NUL"),
    bad("zip-other-case", lambda: zip_of(Member(b"a"), Member(b"A")), "same path"),
    bad("zip-twice", lambda: zip_of(Member(b"a"), Member(b"a")), "stands twice"),
    bad("zip-cp437", lambda: zip_of(Member(b"caf\x82")), "not marked as UTF-8"),
    bad("zip-no-utf8", lambda: zip_of(Member(b"caf\xe9", flags=UTF8)), "no UTF-8"),
    bad("zip-unicode-path", lambda: zip_of(Member(b"good", extra=struct.pack("<HHBI", 0x7075, 9, 1, zlib.crc32(b"good")) + b"evil")), "second name"),
    bad("zip-two-names", lambda: zip_of(Member(b"good", local={"name": b"evil"})), "\"good\"", "names it \"evil\""),
    bad("zip-two-methods", lambda: zip_of(Member(b"a", local={"method": 0})), "two methods"),
    bad("zip-two-sizes", lambda: zip_of(Member(b"a", local={"size": 9})), "two sizes"),
    bad("zip-two-packed-sizes", lambda: zip_of(Member(b"a", local={"packed": 9})), "two packed sizes"),
    bad("zip-two-checksums", lambda: zip_of(Member(b"a", local={"crc": 9})), "two checksums"),
    bad("zip-two-flags", lambda: zip_of(Member(b"a", local={"flags": 2})), "two sets of flags"),
    bad("zip-checksum", lambda: zip_of(Member(b"a", local={"crc": 9}, central={"crc": 9})), "\"a\"", "CRC"),
    bad("zip-size-too-small", lambda: zip_of(Member(b"a", b"x" * 100, local={"size": 9}, central={"size": 9})), "\"a\""),
    bad("zip-size-too-large", lambda: zip_of(Member(b"a", b"x" * 100, local={"size": 200}, central={"size": 200})), "\"a\""),
    bad("zip-overlap", lambda: zip_of(Member(b"a", b"x" * 500, method=0), Member(b"b", central={"at": 40})), "where the one before it ends"),
    bad("zip-same-place", lambda: zip_of(Member(b"a"), Member(b"a", central={"at": 0})), "where the one before it ends"),
    bad("zip-hidden-entry", lambda: zip_of(Member(b"a"), Member(b"b", gap=zip_of(Member(b"evil"))[:36])), "where the one before it ends"),
    bad("zip-hidden-last", lambda: zip_of(Member(b"a"), Member(b"b"), n=1), "more in the directory"),
    bad("zip-fewer", lambda: zip_of(Member(b"a"), n=2), "no entry of the directory"),
    bad("zip-before", lambda: zip_of(Member(b"a"), before=b"MZ evil"), "no archive of a kind", code="unsupported"),
    bad("zip-before-pk", lambda: zip_of(Member(b"a"), before=b"PK\3\4evil"), "where the one before it ends"),
    bad("zip-after", lambda: zip_of(Member(b"a"), after=b"evil"), "no end record"),
    bad("zip-comment", lambda: zip_of(Member(b"a"), comment=b"hello"), "no end record"),
    bad("zip-between", lambda: zip_of(Member(b"a"), between=b"evil"), "does not end where"),
    bad("zip-directory-elsewhere", lambda: zip_of(Member(b"a"), at_more=1), "does not end where"),
    bad("zip-two-zips", lambda: zip_of(Member(b"a")) + zip_of(Member(b"b")), "zip"),
    bad("zip-disks", lambda: zip_of(Member(b"a"), disk=1), "several disks"),
    bad("zip-cut", lambda: zip_of(Member(b"a"))[:-10], "no end record"),
    bad("zip-encrypted", lambda: zip_of(Member(b"a", b"x" * 20, method=0, flags=1)), "is encrypted"),
    bad("zip-aes", lambda: zip_of(Member(b"a", b"x" * 40, method=99, flags=1, extra=struct.pack("<HHHHBH", 0x9901, 7, 2, 0x4541, 3, 8))), "is encrypted"),
    bad("zip-strong", lambda: zip_of(Member(b"a", b"x" * 20, method=0, flags=0x41)), "is encrypted"),
    bad("zip-method-bzip2", lambda: zip_of(Member(b"a", method=12)), "method 12", code="unsupported"),
    bad("zip-method-lzma", lambda: zip_of(Member(b"a", method=14)), "method 14", code="unsupported"),
    bad("zip-flags", lambda: zip_of(Member(b"a", flags=0x4000)), "flags that nobody knows"),
    bad("zip-link-up", lambda: zip_of(Member(b"a", b"../evil", method=0, mode=0o120777)), "link target \"../evil\""),
    bad("zip-link-absolute", lambda: zip_of(Member(b"a", b"/etc/evil", method=0, mode=0o120777)), "absolute"),
    bad("zip-link-packed", lambda: zip_of(Member(b"a", b"b", mode=0o120777)), "compressed", code="unsupported"),
    bad("zip-link-long", lambda: zip_of(Member(b"a", b"b" * 5000, method=0, mode=0o120777)), "5000 bytes", code="limit"),
    bad("zip-below-link", lambda: zip_of(Member(b"a", b"b", method=0, mode=0o120777), Member(b"a/x")), "lies below \"a\""),
    bad("zip-fifo", lambda: zip_of(Member(b"a", b"", method=0, mode=0o010644)), "named pipe"),
    bad("zip-socket", lambda: zip_of(Member(b"a", b"", method=0, mode=0o140644)), "a socket"),
    bad("zip-char-device", lambda: zip_of(Member(b"a", b"", method=0, mode=0o020644)), "a device"),
    bad("zip-setuid", lambda: zip_of(Member(b"a", mode=0o104755)), "setuid"),
    bad("zip-folder-with-bytes", lambda: zip_of(Member(b"a/", b"x", method=0, mode=0o040755)), "folder", "brings 1 bytes"),
    bad("zip-folder-without-slash", lambda: zip_of(Member(b"a", b"", method=0, mode=0o040755)), "a folder by its name or"),
    bad("zip-slash-without-folder", lambda: zip_of(Member(b"a/", b"", method=0, mode=0o100644)), "a folder by its name or"),
    bad("zip-descriptor-lies", lambda: zip_of(Member(b"a", descriptor=struct.pack("<IIII", 0x08074B50, 1, 2, 3))), "descriptor"),
    bad("zip-descriptor-missing", lambda: zip_of(Member(b"a", flags=8)), "descriptor"),
    bad("zip-extra-cut", lambda: zip_of(Member(b"a", extra=b"\1\0\x20")), "extra field"),
    bad("zip-many", lambda: zip_of(*[Member(b"f%d" % i) for i in range(11)]), "11 entries, the limit is 10", code="limit", args=("--entries", "10")),
    bad("zip-bomb", lambda: zip_of(*[Member(b"f%d" % i, bytes(10 << 20)) for i in range(9)]), "to one", code="limit"),
    bad("zip64-place", lambda: zip_of(Member(b"a"), end64={"place": 5}), "between its end records"),
    bad("zip64-disks", lambda: zip_of(Member(b"a"), end64={"disks": 2}), "several disks"),
    bad("zip64-disagrees", lambda: zip_of(Member(b"a"), end64={"end_at": 3}), "end records disagree"),
    bad("zip64-many", lambda: zip_of(Member(b"a"), end64={"n": 1 << 40}), "the limit is 1000000", code="limit"),
    bad("zip64-size", lambda: zip_of(Member(b"a", local={"size": 0xFFFFFFFF}, central={"size": 0xFFFFFFFF})), "zip64 field is spoken of"),
    bad("zip-stored-two-sizes", lambda: zip_of(Member(b"a", b"xx", method=0, local={"size": 1}, central={"size": 1})), "two sizes"),
]

OTHERS = [
    bad("7z-after", lambda: sevenzip([("a", b"x", 0o100644)], after=b"evil"), "7z", "follow the end"),
    bad("7z-cut", lambda: sevenzip([("a", b"x", 0o100644)])[:-3], "7z", code="truncated"),
    bad("7z-twice", lambda: sevenzip([("a", b"x", 0o100644), ("a", b"y", 0o100644)]), "stands twice"),
    bad("7z-other-case", lambda: sevenzip([("a", b"x", 0o100644), ("A", b"y", 0o100644)]), "same path"),
    bad("7z-not-ascii", lambda: sevenzip([("caf\u00e9", b"x", 0o100644)]), "not ASCII"),
    bad("7z-link-up", lambda: sevenzip([("a", b"../evil", 0o120777)]), "link target \"../evil\""),
    bad("7z-setuid", lambda: sevenzip([("a", b"x", 0o104755)]), "setuid"),
    bad("7z-fifo", lambda: sevenzip([("a", b"", 0o010644)]), "named pipe"),
    bad("7z-encrypted", lambda: sevenzip([("a", b"x" * 16, 0o100644)], coder=b"\x24\x06\xf1\x07\x01\x02\x00\x00"), "encrypted"),
    bad("7z-damaged", lambda: sevenzip([("a", b"hello", 0o100644)], packed=b"hallo"), "\"a\"", "CRC"),
    bad("7z-header-damaged", lambda: flip(sevenzip([("a", b"hello", 0o100644)]), -4), "7z"),
    bad("7z-in-exe", lambda: b"MZ" + bytes(200) + sevenzip([("a", b"x", 0o100644)]), "no archive of a kind", code="unsupported"),
    bad("cab-after", lambda: cab.Cabinet([("a", b"x")], reserve=False).unsigned() + b"evil", "follow the end"),
    bad("cab-cut", lambda: cab.Cabinet([("a", b"x")], reserve=False).unsigned()[:-1], "CAB", code="truncated"),
    bad("cab-part-of-set", lambda: cab_with(icabinet=1), "set of cabinets"),
    bad("cab-twice", lambda: cab.Cabinet([("a", b"x"), ("A", b"y")]).unsigned(), "same path"),
    bad("cab-damaged", lambda: flip(cab.Cabinet([("a", b"hello")], reserve=False).unsigned(), -1), "\"a\"", "Checksum"),
    bad("cab-not-ascii", lambda: cab_with(files=[("cafXY", b"x")]).replace(b"cafXY", b"caf\xc3\xa9"), "not ASCII"),
]


def cab_with(files: list[tuple[str, bytes]] | None = None, **fields: int) -> bytes:
    made = cab.Cabinet(files or [("a", b"x")], reserve=False)
    for name, value in fields.items():
        setattr(made, name, value)
    return bytes(made.unsigned())


def flip(data: bytes, at: int, mask: int = 1) -> bytes:
    out = bytearray(data)
    out[at] ^= mask
    return bytes(out)


HOSTILE = [*PATHS, *TAR, *COMPRESSED, *ZIP, *OTHERS]

# --- good ones

BIG = bytes(i * 7 % 251 for i in range(300000))
LONG = "a" * 80 + "/" + "b" * 90 + "/" + "c" * 99
PARTS = [folder("bin"), file("bin/run", b"#!/bin/sh\n", mode=0o755), file("data/big", BIG), link("data/link", "../bin/run"), hard("data/same", "bin/run")]
PART_LINES = (line("folder", "bin", mode=0o755), line("file", "bin/run", b"#!/bin/sh\n", 0o755), line("file", "data/big", BIG),
              line("link", "data/link", mode=0o777, target="../bin/run"), line("hardlink", "data/same", target="bin/run"))


def good(name: str, build: Callable[[], bytes], fmt: str, *lines: str) -> Archive:
    return Archive(name, build, lines=(*lines, "end\t" + fmt))


def python_tar(fmt: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt) as archive:
        for path in [LONG, "gr\u00fc\u00dfe"]:
            info = tarfile.TarInfo(path)
            info.size = 5
            archive.addfile(info, io.BytesIO(b"hello"))
    return out.getvalue()


def python_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a/big", BIG, zipfile.ZIP_DEFLATED)
        archive.writestr("gr\u00fc\u00dfe", b"hello")
        with archive.open("streamed", "w", force_zip64=True) as member:
            member.write(b"y" * 1000)
    return out.getvalue()


def streamed_zip() -> bytes:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, b: bytes) -> int:  # type: ignore[override]
            self.data += bytes(b)
            return len(b)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("a", BIG)
        archive.writestr("b", b"")
    return pipe.data


def lzma_7z() -> bytes:
    coder, packed = lzma2(b"hello" + BIG)
    return sevenzip([("d", None, 0o040755), ("d/a", b"hello", 0o100755), ("empty", b"", 0o100644), ("big", BIG, 0o100644)], coder=coder, packed=packed)


HOLE = bytes(1024) + b"a" * 512 + bytes(2560)
GOOD = [
    good("tar", lambda: tar(*PARTS), "tar", *PART_LINES),
    good("tar.gz", lambda: gz(tar(*PARTS)), "tar, gzip", *PART_LINES),
    good("tar.xz", lambda: xz(tar(*PARTS)), "tar, xz", *PART_LINES),
    good("tar.xz-by-hand", lambda: xz_of(xz_block(tar(*PARTS))), "tar, xz", *PART_LINES),
    good("tar.xz-blocks", lambda: xz_of(*[xz_block(tar(*PARTS)[i:i + 700]) for i in range(0, len(tar(*PARTS)), 700)]), "tar, xz", *PART_LINES),
    good("tar.xz-sizes-in-header", lambda: xz_of(*[xz_block(half, says=(len(half) + 4, len(half))) for half in (A[:1000], A[1000:])]), "tar, xz",
         line("file", "a", b"x")),
    good("tar.xz-empty-blocks", lambda: xz_of(XzBlock(b"\0", 0), xz_block(A), XzBlock(b"\0", 0)), "tar, xz", line("file", "a", b"x")),
    *[good(f"tar.xz-check-{check}", lambda check=check: lzma.compress(tar(*PARTS), check=check), "tar, xz", *PART_LINES)  # type: ignore[misc]
      for check in (lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256)],
    good("tar.xz-64-MiB", lambda: xz(tar(*PARTS), dictionary=64 << 20), "tar, xz", *PART_LINES),
    good("tar.zst", lambda: zstd_frame(tar(*PARTS)), "tar, zstd", *PART_LINES),
    good("tar-padded-to-records", lambda: tar(*PARTS) + bytes(20 * BLOCK), "tar", *PART_LINES),
    good("tar-of-here", lambda: tar(folder("./"), file("./a"), folder("./b/"), hard("./c", "./a")), "tar", line("file", "a", b"x"),
         line("folder", "b", mode=0o755), line("hardlink", "c", target="a")),
    good("tar-pax", lambda: python_tar(tarfile.PAX_FORMAT), "tar", line("file", LONG, b"hello"), line("file", "gr\u00fc\u00dfe", b"hello")),
    good("tar-gnu", lambda: python_tar(tarfile.GNU_FORMAT), "tar", line("file", LONG, b"hello"), line("file", "gr\u00fc\u00dfe", b"hello")),
    good("tar-prefix", lambda: tar(file("name", prefix=b"some/folder")), "tar", line("file", "some/folder/name", b"x")),
    good("tar-comment", lambda: tar(pax((b"comment", b"abc"), kind=b"g"), file("a")), "tar", line("file", "a", b"x")),
    good("tar-times", lambda: tar(pax((b"mtime", b"1.5"), (b"atime", b"2.25"), (b"uid", b"0")), file("a")), "tar", line("file", "a", b"x")),
    good("tar-sparse-gnu", lambda: tar(sparse_gnu(b"a" * 512, 4096, [(1024, 512), (4096, 0)]), file("b")), "tar", line("file", "hole", HOLE), line("file", "b", b"x")),
    good("tar-sparse-pax", lambda: tar(sparse_pax(b"a" * 512, 4096, [(1024, 512), (4096, 0)]), file("b")), "tar", line("file", "hole", HOLE), line("file", "b", b"x")),
    good("tar-folder-after-its-file", lambda: tar(file("a/b"), folder("a")), "tar", line("file", "a/b", b"x"), line("folder", "a", mode=0o755)),
    good("tar-nothing.gz", lambda: gz(END), "tar, gzip"),
    good("tar-mac-name", lambda: tar(file("._a"), file("a")), "tar", line("file", "._a", b"x"), line("file", "a", b"x")),
    good("zip", python_zip, "zip", line("file", "a/big", BIG, 0o600), line("file", "gr\u00fc\u00dfe", b"hello", 0o600), line("file", "streamed", b"y" * 1000, 0o600)),
    good("zip-streamed", streamed_zip, "zip", line("file", "a", BIG, 0o600), line("file", "b", b"", 0o600)),
    good("zip-kinds", lambda: zip_of(Member(b"d/", b"", method=0, mode=0o040755), Member(b"d/l", b"../x", method=0, mode=0o120777), Member(b"x", mode=0o100755)),
         "zip", line("folder", "d", mode=0o755), line("link", "d/l", mode=0o777, target="../x"), line("file", "x", b"x", 0o755)),
    good("zip-of-windows", lambda: zip_of(Member(b"d/", b"", method=0, made_by=0, attributes=0x10), Member(b"d/x", made_by=0, attributes=0x20)), "zip",
         line("folder", "d", mode=0o755), line("file", "d/x", b"x")),
    good("zip-descriptor", lambda: zip_of(Member(b"a", BIG, descriptor=b""), Member(b"b", BIG, method=0, descriptor=b"")), "zip", line("file", "a", BIG), line("file", "b", BIG)),
    good("zip64", lambda: zip_of(Member(b"a", local={"size": 0xFFFFFFFF, "extra": struct.pack("<HHQ", 1, 8, 1)}), end64={}), "zip", line("file", "a", b"x")),
    good("zip-nothing", zip_of, "zip"),
    good("7z-stored", lambda: sevenzip([("a", b"hello", 0o100644), ("b/c", BIG, 0o100755)]), "7z", line("file", "a", b"hello"), line("file", "b/c", BIG, 0o755)),
    good("7z-lzma2", lzma_7z, "7z", line("folder", "d", mode=0o755), line("file", "d/a", b"hello", 0o755), line("file", "empty"), line("file", "big", BIG)),
    good("7z-link", lambda: sevenzip([("x", b"hello", 0o100644), ("l", b"x", 0o120777)]), "7z", line("file", "x", b"hello"), line("link", "l", mode=0o755, target="x")),
    good("cab", lambda: cab.Cabinet([("a", b"hello"), ("d\\b", BIG[:30000])]).unsigned(), "cab", line("file", "a", b"hello"), line("file", "d/b", BIG[:30000])),
]
