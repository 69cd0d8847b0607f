"""7z archives made piece by piece, so that each piece can lie: HOSTILE ones are refused with the words that stand with them, GOOD ones are
read. The checksums of the headers are right unless they are what lies."""

from __future__ import annotations

import lzma
import struct
import zlib
from dataclasses import dataclass, replace
from typing import Sequence

from .archives import BIG, Archive, bad, bits, good, line, number, prop

COPY, DEFLATE, BCJ = b"\x01\x00", b"\x03\x04\x01\x08", b"\x04\x03\x03\x01\x03"
MIB = 1 << 20


def lzma_coder(dictionary: int, parameters: int = 0x5D) -> bytes:
    return b"\x23\x03\x01\x01\x05" + bytes([parameters]) + struct.pack("<I", dictionary)


def lzma2_coder(bits_of_dictionary: int) -> bytes:
    return b"\x21\x21\x01" + bytes([bits_of_dictionary])


def ppmd_coder(memory: int) -> bytes:
    return b"\x23\x03\x04\x01\x05\x06" + struct.pack("<I", memory)


def delta_coder(distance: int) -> bytes:
    return b"\x21\x03\x01" + bytes([distance - 1])


def folder(*coders: bytes, n: int | None = None, bonds: bytes | None = None) -> bytes:
    """Coders, each of which is bound to the one before it."""
    bound = b"".join(number(i) + number(i - 1) for i in range(1, len(coders))) if bonds is None else bonds
    return number(len(coders) if n is None else n) + b"".join(coders) + bound


BCJ2 = b"\x04" + lzma_coder(65536) * 2 + lzma2_coder(16) + b"\x14\x03\x03\x01\x1b\x04\x01" + bytes([5, 0, 4, 1, 3, 2, 2, 6, 1, 0])


def packed_raw(content: bytes, filters: Sequence[dict[str, int]]) -> bytes:
    return lzma.compress(content, format=lzma.FORMAT_RAW, filters=list(filters))


def lzma1(content: bytes, dictionary: int = 1 << 16) -> bytes:
    return packed_raw(content, [{"id": lzma.FILTER_LZMA1, "preset": 0, "lc": 3, "lp": 0, "pb": 2, "dict_size": dictionary}])


def lzma2(content: bytes, *before: dict[str, int]) -> bytes:
    return packed_raw(content, [*before, {"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 16}])


def deflated(content: bytes) -> bytes:
    maker = zlib.compressobj(9, zlib.DEFLATED, -15)
    return maker.compress(content) + maker.flush()


def crcs(*bodies: bytes) -> bytes:
    return b"\x0a\x01" + b"".join(struct.pack("<I", zlib.crc32(body)) for body in bodies)


def names(*paths: str) -> bytes:
    return prop(0x11, b"\0" + b"".join(path.encode("utf-16-le") + b"\0\0" for path in paths))


def modes(*values: int) -> bytes:
    """Unix modes, with the bits that Windows has for them."""
    return attributes(*[0x8000 | mode << 16 | (0x10 if mode & 0o170000 == 0o040000 else 0x20) for mode in values])


def attributes(*values: int) -> bytes:
    return prop(0x15, b"\1\0" + b"".join(struct.pack("<I", value) for value in values))


def first(directory: bytes, at: int, size: int | None = None, crc: int | None = None, start_crc: int | None = None, version: int = 0) -> bytes:
    start = struct.pack("<QQI", at, len(directory) if size is None else size, zlib.crc32(directory) if crc is None else crc)
    return b"7z\xbc\xaf\x27\x1c" + bytes([version, 4]) + struct.pack("<I", zlib.crc32(start) if start_crc is None else start_crc) + start


@dataclass
class SevenZip:
    """As it stands: one file `a` of five bytes, stored. Each field is a piece, or a number that another value is told in place of."""
    streams: bytes = b"hello"
    packed_at: int = 0
    packed_sizes: Sequence[int] = (5,)
    n_packed: int | None = None
    packed_crc: bytes = b""
    folders: Sequence[bytes] = (folder(COPY),)
    n_folders: int | None = None
    external: bytes = b"\0"
    sizes: Sequence[int] = (5,)                                     # of each coder of each folder
    folder_crc: bytes = b""
    substreams: bytes = b"\x08" + crcs(b"hello") + b"\0"
    no_streams: bool = False
    before: bytes = b""                                             # of the directory's first part
    n: int = 1
    names: bytes = names("a")
    properties: bytes = modes(0o100644)
    after: bytes = b""                                              # of the directory's end

    def told_streams(self, substreams: bytes) -> bytes:
        packed = b"\x06" + number(self.packed_at) + number(len(self.packed_sizes) if self.n_packed is None else self.n_packed)
        packed += b"\x09" + b"".join(number(size) for size in self.packed_sizes) + self.packed_crc + b"\0"
        folders = b"\x07\x0b" + number(len(self.folders) if self.n_folders is None else self.n_folders) + self.external + b"".join(self.folders)
        return packed + folders + b"\x0c" + b"".join(number(size) for size in self.sizes) + self.folder_crc + b"\0" + substreams + b"\0"

    def directory(self) -> bytes:
        streams = b"" if self.no_streams else b"\x04" + self.told_streams(self.substreams)
        return b"\x01" + self.before + streams + b"\x05" + number(self.n) + self.names + self.properties + b"\0\0" + self.after

    def built(self, **lies: int) -> bytes:
        directory = self.directory()
        return first(directory, len(self.streams), **lies) + self.streams + directory

    def packed(self, coder: bytes | None = None, content: bytes | None = None, times: int = 1, **lies: object) -> bytes:
        """With its directory packed. `lies`: fields of what describes that."""
        directory, streams = self.directory(), self.streams
        for _ in range(times):
            stream = lzma1(directory) if content is None else content
            plain = SevenZip(packed_at=len(streams), packed_sizes=(len(stream),), folders=(folder(coder or lzma_coder(1 << 16)),),
                             sizes=(len(directory),), folder_crc=crcs(directory))
            streams += stream
            described = replace(plain, **lies)                      # type: ignore[arg-type]
            directory = b"\x17" + described.told_streams(b"") + described.after
        return first(directory, len(streams)) + streams + directory


def one(body: bytes, coder: bytes, stream: bytes, *filters: bytes) -> SevenZip:
    """One file, packed."""
    return SevenZip(streams=stream, packed_sizes=(len(stream),), folders=(folder(coder, *filters),), sizes=(len(body),) * (1 + len(filters)),
                    substreams=b"\x08" + crcs(body) + b"\0")


def two(**fields: object) -> SevenZip:
    """Two files, `a` and `b`, in one stream."""
    made = SevenZip(streams=b"helloyou", packed_sizes=(8,), sizes=(8,), substreams=b"\x08\x0d\x02\x09\x05" + crcs(b"hello", b"you") + b"\0",
                    n=2, names=names("a", "b"), properties=modes(0o100644, 0o100755))
    return replace(made, **fields)                                  # type: ignore[arg-type]


def empties(*paths: str, files: Sequence[bool], kinds: Sequence[int]) -> SevenZip:
    return SevenZip(streams=b"", no_streams=True, n=len(paths), names=prop(0x0E, bits([True] * len(paths))) + prop(0x0F, bits(files)) + names(*paths),
                    properties=modes(*kinds))


def many_folders(n: int) -> SevenZip:
    return SevenZip(streams=b"x" * n, packed_sizes=(1,) * n, folders=(folder(COPY),) * n, sizes=(1,) * n, substreams=b"\x08\0", n=n,
                    names=names(*[f"f{i}" for i in range(n)]), properties=b"")


def largest(is_packed: bool) -> bytes:
    """As many entries and folders as are allowed, with times and attributes; the checksums of the files are wrong."""
    n, n_folders = 1000000, 65536
    paths = prop(0x11, b"\0" + b"".join(f"{i:06x}".encode("utf-16-le") + b"\0\0" for i in range(n)))
    made = SevenZip(streams=b"x" * n_folders, packed_sizes=(1,) * n_folders, folders=(folder(COPY),) * n_folders, sizes=(1,) * n_folders,
                    substreams=b"\x08\x0a\x01" + bytes(4 * n_folders) + b"\0", n=n,
                    names=prop(0x0E, bits([i >= n_folders for i in range(n)])) + prop(0x0F, bits([True] * (n - n_folders))) + paths,
                    properties=prop(0x15, b"\1\0" + struct.pack("<I", 0x20) * n) + prop(0x14, b"\1\0" + bytes(8 * n)))
    return made.packed(lzma_coder(64 * MIB), lzma1(made.directory())) if is_packed else made.built()


def shown(name: str, made: SevenZip, *words: str, code: str = "malformed", args: tuple[str, ...] = ()) -> list[Archive]:
    """The same lie in a plain directory and in a packed one."""
    return [bad(f"7z-{name}", made.built, *words, code=code, args=args), bad(f"7z-{name}-packed", made.packed, *words, code=code, args=args)]


LINK = 0o120777
METHODS = [
    *shown("dictionary-4-gib", one(BIG, lzma_coder(0xFFFFFFFF), lzma1(BIG)), "LZMA", "dictionary", "67108864", "-m0=lzma2", code="limit"),
    *shown("dictionary-one-more", one(BIG, lzma_coder(64 * MIB + 1), lzma1(BIG)), "LZMA", "dictionary", code="limit"),
    *shown("dictionary-lzma2", one(BIG, lzma2_coder(29), lzma2(BIG)), "LZMA2", "dictionary", code="limit"),
    *shown("dictionary-lzma2-4-gib", one(BIG, lzma2_coder(40), lzma2(BIG)), "LZMA2", "dictionary", code="limit"),
    *shown("dictionary-lzma2-none", one(BIG, lzma2_coder(41), lzma2(BIG)), "dictionary that it cannot have, 0x29"),
    *shown("lzma-parameters", one(BIG, lzma_coder(1 << 16, 225), lzma1(BIG)), "parameters that it cannot have, 0xe1"),
    *shown("ppmd-4-gib", one(BIG, ppmd_coder(0xFFFFFFFF - 36), b"x" * 9), "PPMd", "-m0=lzma2", code="unsupported"),
    *shown("ppmd", one(BIG, ppmd_coder(1 << 20), b"x" * 9), "PPMd", code="unsupported"),
    *shown("bzip2", one(BIG, b"\x03\x04\x02\x02", b"BZh9xxxx"), "BZip2", "-m0=lzma2", code="unsupported"),
    *shown("deflate64", one(BIG, b"\x03\x04\x01\x09", deflated(BIG)), "Deflate64", code="unsupported"),
    *shown("bcj2", SevenZip(packed_sizes=(1, 1, 1, 2), folders=(BCJ2,), sizes=(5, 1 << 40, 1 << 40, 5)), "BCJ2", "-mf=off", code="unsupported"),
    *shown("unknown-method", one(BIG, b"\x04\x04\xf7\x11\x7f", b"x"), "0x4f7117f", code="unsupported"),
    *shown("method-long", one(BIG, b"\x0f" + bytes(14) + b"\x21", b"x"), "id of 15 bytes", code="unsupported"),
    *shown("method-with-zeros", one(BIG, b"\x22\x00\x21\x01\x10", lzma2(BIG)), "id of 2 bytes, 0x21", code="unsupported"),
    *shown("method-without-id", one(BIG, b"\x00", b"x"), "id of 0 bytes", code="unsupported"),
    *shown("aes", one(BIG, b"\x24\x06\xf1\x07\x01\x02\x00\x00", b"x" * 16), "is encrypted", "without a password"),
    *shown("aes-second", one(BIG, lzma2_coder(16), b"x" * 16, b"\x24\x06\xf1\x07\x01\x02\x00\x00"), "is encrypted"),
    *shown("zip-cipher", one(BIG, b"\x04\x06\xf1\x01\x01", b"x" * 16), "is encrypted"),
    *shown("coder-flag", one(BIG, b"\x81\x00", b"x"), "flags that nobody knows, 0x81", code="unsupported"),
    *shown("coder-reserved-flag", one(BIG, b"\x41\x00", b"x"), "flags that nobody knows, 0x41", code="unsupported"),
    *shown("coder-of-many-streams", SevenZip(folders=(folder(b"\x11\x00" + number(100000000) * 2),)), "Copy", "one input"),
    *shown("coder-properties", SevenZip(folders=(folder(b"\x21\x00\x01\x00"),)), "Copy with 1 bytes of properties, not 0"),
    *shown("coder-properties-missing", one(BIG, b"\x03\x03\x01\x01", lzma1(BIG)), "LZMA with 0 bytes of properties, not 5"),
    *shown("coder-properties-long", one(BIG, b"\x21\x21" + number(1 << 40), lzma2(BIG)), "directory ends early"),
    *shown("coders-none", SevenZip(folders=(folder(n=0),)), "folder of no coders"),
    *shown("coders-five", SevenZip(folders=(folder(*[COPY] * 5),)), "5 coders, the limit is 4"),
    *shown("coders-many", SevenZip(folders=(folder(COPY, n=1 << 60),)), "1152921504606846976 coders"),
    *shown("coders-three", SevenZip(folders=(folder(COPY, BCJ, BCJ),), sizes=(5, 5, 5)), "folder of 3 coders", code="unsupported"),
    *shown("packed-twice", SevenZip(folders=(folder(COPY, COPY),), sizes=(5, 5)), "packed twice, by Copy and Copy", code="unsupported"),
    *shown("filter-first", SevenZip(folders=(folder(BCJ, COPY),), sizes=(5, 5)), "first coder is BCJ"),
    *shown("filter-alone", SevenZip(folders=(folder(BCJ),)), "first coder is BCJ"),
    *shown("delta-of-copy", SevenZip(folders=(folder(COPY, delta_coder(1)),), sizes=(5, 5)), "Delta over Copy", code="unsupported"),
    *shown("bond-other-way", SevenZip(folders=(folder(COPY, BCJ, bonds=b"\0\1"),), sizes=(5, 5)), "input 0 bound to output 1"),
    *shown("bond-huge", SevenZip(folders=(folder(COPY, BCJ, bonds=number(1 << 50) + b"\0"),), sizes=(5, 5)), "input 1125899906842624 bound"),
    *shown("bond-missing", SevenZip(folders=(folder(COPY, BCJ, bonds=b""),), sizes=(5, 5)), "7z"),
]
STREAMS = [
    *shown("streams-none", SevenZip(n_packed=0, packed_sizes=()), "list of no streams"),
    *shown("streams-many", SevenZip(n_packed=100000000), "100000000 streams", "the limit is 65536", "-ms=on", code="limit"),
    *shown("streams-more-than-bytes", SevenZip(n_packed=60000), "60000 streams, more than the directory has bytes"),
    *shown("streams-65537", many_folders(65537), "65537 streams", code="limit"),
    *shown("stream-empty", SevenZip(packed_sizes=(0,)), "packed stream 0 has no bytes"),
    *shown("streams-overflow", two(packed_sizes=((1 << 64) - 1, 9), folders=(folder(COPY),) * 2), "more bytes than can be"),
    *shown("streams-gap", SevenZip(streams=b"?hello", packed_at=1), "its streams are 5 bytes at 1, and not the 6"),
    *shown("streams-gap-behind", SevenZip(streams=b"hello?"), "its streams are 5 bytes at 0, and not the 6"),
    *shown("streams-past-directory", SevenZip(packed_sizes=(6,), sizes=(6,)), "its streams are 6 bytes"),
    *shown("streams-overlap", two(packed_sizes=(8, 8), folders=(folder(COPY),) * 2, sizes=(8, 8), substreams=b"\x08\0"), "its streams are 16 bytes"),
    *shown("streams-far", SevenZip(packed_at=1 << 62), "its streams are"),
    *shown("streams-nobody-lists", replace(empties("a", files=[True], kinds=[0o100644]), streams=b"evil"), "its streams are 0 bytes"),
    *shown("packed-crc-cut", SevenZip(packed_crc=b"\x0a\x01\0"), "7z"),
    *shown("folders-fewer", two(folders=(folder(COPY),), packed_sizes=(5, 3)), "1 folders of 2 packed streams"),
    *shown("folders-more", SevenZip(folders=(folder(COPY),) * 2), "2 folders of 1 packed streams"),
    *shown("folders-huge", SevenZip(n_folders=100000000), "100000000 folders of 1 packed streams"),
    *shown("folders-none", SevenZip(n_folders=0, folders=()), "0 folders of 1"),
    *shown("folders-elsewhere", SevenZip(external=b"\1"), "folders in a stream of their own", code="unsupported"),
    *shown("folder-of-nothing", one(b"", DEFLATE, deflated(b"")), "unpacks to nothing"),
    *shown("stored-smaller", SevenZip(sizes=(4,)), "two sizes, 5 and 4"),
    *shown("stored-larger", SevenZip(sizes=(6,)), "two sizes, 5 and 6"),
    *shown("filter-grows", SevenZip(folders=(folder(COPY, BCJ),), sizes=(5, 6)), "makes 6 bytes of 5"),
    *shown("sizes-past-total", one(BIG, lzma2_coder(16), lzma2(BIG)), "more than 1000 bytes in all", code="limit", args=("--total-bytes", "1000")),
    *shown("sizes-exabytes", replace(one(BIG, lzma2_coder(16), lzma2(BIG)), sizes=((1 << 63) + 1,)), "bytes in all", code="limit"),
    *shown("sizes-overflow", two(packed_sizes=(4, 4), folders=(folder(lzma2_coder(8)),) * 2, sizes=((1 << 64) - 1, 2)), "bytes in all", code="limit"),
    *shown("folder-crc-cut", SevenZip(folder_crc=b"\x0a\x01\0"), "7z"),
    *shown("substreams-missing", SevenZip(substreams=b""), "what is in the folders"),
    *shown("substreams-none", SevenZip(substreams=b"\x08\x0d\x00\0"), "folder 0 holds no files"),
    *shown("substreams-many", SevenZip(substreams=b"\x08\x0d" + number(100000000) + b"\0"), "more than 1000000 files", code="limit"),
    *shown("substreams-huge", SevenZip(substreams=b"\x08\x0d" + number((1 << 64) - 1) + b"\0"), "more than 1000000 files", code="limit"),
    *shown("substreams-more-than-bytes", SevenZip(substreams=b"\x08\x0d" + number(900000) + b"\0"), "900000 files in folders"),
    *shown("substreams-past-entries", two(), "more than 1 files", code="limit", args=("--entries", "1")),
    *shown("substreams-without-sizes", two(substreams=b"\x08\x0d\x02\0"), "not their sizes"),
    *shown("substream-past-folder", two(substreams=b"\x08\x0d\x02\x09\x09\0"), "more bytes than the 8"),
    *shown("substream-fills-folder", two(substreams=b"\x08\x0d\x02\x09\x08\0"), "without bytes"),
    *shown("substream-empty", two(substreams=b"\x08\x0d\x02\x09\x00\0"), "without bytes"),
    *shown("substreams-crc-of-none", SevenZip(folder_crc=crcs(b"hello")), "have them already"),
    *shown("substreams-crc-bits", SevenZip(substreams=b"\x08\x0a\x00\xff" + bytes(4) + b"\0"), "more bits than things"),
    *shown("substreams-crc-of-all-or-some", SevenZip(substreams=b"\x08\x0a\x02" + bytes(4) + b"\0"), "neither all nor some, 2"),
]
FILES = [
    *shown("entries-none", SevenZip(n=0), "directory of no entries"),
    *shown("entries-many", SevenZip(n=100000000), "100000000 entries, the limit is 1000000", code="limit"),
    *shown("entries-more-than-named", SevenZip(n=900000), "900000 entries, more than the directory has room to name"),
    *shown("entries-past-limit", empties("a", "b", files=[True, True], kinds=[0o100644] * 2), "2 entries, the limit is 1", code="limit", args=("--entries", "1")),
    *shown("names-missing", SevenZip(names=b"\x19\x08" + bytes(8)), "without names"),
    *shown("names-fewer", two(names=names("ab")), "fewer names than its 2"),
    *shown("names-more", SevenZip(names=names("a", "b")), "more names than its 1"),
    *shown("name-without-end", SevenZip(names=prop(0x11, b"\0a\0b\0")), "fewer names"),
    *shown("name-odd", SevenZip(names=prop(0x11, b"\0a\0\0\0\0")), "more names"),
    *shown("name-empty", SevenZip(names=names("")), "name is empty"),
    *shown("name-not-ascii", SevenZip(names=names("caf\u00e9")), "not ASCII", "pack a tar"),
    *shown("name-surrogate", SevenZip(names=prop(0x11, b"\0\x00\xd8\0\0")), "not ASCII"),
    *shown("name-long", SevenZip(names=names("a" * 20000)), "more than 1024 letters", code="limit"),
    *shown("names-elsewhere", SevenZip(names=prop(0x11, b"\1\0")), "names in a stream of their own", code="unsupported"),
    *shown("names-twice", SevenZip(names=names("a") + names("evil")), "twice, 0x11"),
    *shown("times-twice", SevenZip(properties=prop(0x14, b"\1\0" + bytes(8)) * 2), "twice, 0x14"),
    *shown("times-elsewhere", SevenZip(properties=prop(0x14, b"\1\1\0")), "times in a stream of their own", code="unsupported"),
    *shown("times-cut", SevenZip(properties=prop(0x12, b"\1\0" + bytes(7))), "directory ends early"),
    *shown("times-longer", SevenZip(properties=prop(0x13, b"\1\0" + bytes(9))), "1 bytes too many", "0x13"),
    *shown("property-past-end", SevenZip(properties=b"\x14" + number(1 << 40)), "directory ends early"),
    *shown("property-overflow", SevenZip(properties=b"\x14" + number((1 << 64) - 1)), "directory ends early"),
    *shown("property-unknown", SevenZip(properties=prop(0x18, b"\1\0" + bytes(8))), "not read, 0x18", code="unsupported"),
    *shown("property-of-no-kind", SevenZip(properties=prop(0x7F, b"")), "not read, 0x7f", code="unsupported"),
    *shown("dummy-long", SevenZip(properties=prop(0x19, bytes(5000))), "5000 bytes that mean nothing", code="limit"),
    *shown("dummy-of-something", SevenZip(properties=prop(0x19, b"evil")), "zeros fill up"),
    *shown("anti", replace(empties("a", files=[True], kinds=[0o100644]), properties=prop(0x10, b"\x80")), "deletes a file"),
    *shown("empty-file-first", SevenZip(names=prop(0x0F, b"\x80") + names("a")), "before it says which are empty"),
    *shown("empty-bits", SevenZip(names=prop(0x0E, b"\x40") + names("a")), "more bits than things"),
    *shown("empty-bits-more", SevenZip(names=prop(0x0E, b"\x00\x00") + names("a")), "1 bytes too many", "0x0e"),
    *shown("empty-bits-fewer", SevenZip(names=prop(0x0E, b"") + names("a")), "directory ends early"),
    *shown("attributes-of-some", two(properties=prop(0x15, b"\0\x80\0" + bytes(4))), "attributes of some", code="unsupported"),
    *shown("attributes-elsewhere", SevenZip(properties=prop(0x15, b"\1\1\0")), "attributes in a stream of their own", code="unsupported"),
    *shown("attributes-fewer", two(properties=attributes(0x20)), "directory ends early"),
    *shown("attributes-more", SevenZip(properties=attributes(0x20, 0x20)), "4 bytes too many", "0x15"),
    *shown("mode-unmarked", SevenZip(properties=attributes(0o104755 << 16)), "mode that is not marked", "0x89ed0000"),
    *shown("link-of-windows", SevenZip(properties=attributes(0x400)), "link of Windows", code="unsupported"),
    *shown("file-with-folder-bit", SevenZip(properties=attributes(0x10)), "\"a\"", "folder by its attributes"),
    *shown("folder-with-bytes", SevenZip(properties=modes(0o040755)), "\"a\"", "folder by its attributes"),
    *shown("folder-mode-with-bytes", SevenZip(properties=attributes(0x8000 | 0o040755 << 16)), "\"a\"", "folder by its mode"),
    *shown("folder-without-bit", empties("a", files=[False], kinds=[0o100644]), "folder by its attributes"),
    *shown("empty-file-with-folder-mode", replace(empties("a", files=[True], kinds=[0]), properties=attributes(0x8000 | 0o040755 << 16)), "folder by its mode"),
    *shown("mode-of-no-kind", SevenZip(properties=modes(0o644)), "\"a\"", "of no known kind"),
    *shown("char-device", SevenZip(properties=modes(0o020644)), "a device"),
    *shown("socket", empties("a", files=[True], kinds=[0o140644]), "a socket"),
    *shown("link-empty", empties("a", files=[True], kinds=[LINK]), "without a target"),
    *shown("link-long", replace(one(b"x" * 3000, lzma2_coder(16), lzma2(b"x" * 3000)), properties=modes(LINK)), "target of 3000 bytes", code="limit"),
    *shown("link-gigabytes", replace(one(b"x", lzma2_coder(16), lzma2(b"x" * 99)), sizes=(4 << 30,), properties=modes(LINK)), "target of 4294967296", code="limit"),
    *shown("link-nul", replace(one(b"b\0evil", COPY, b"b\0evil"), properties=modes(LINK)), "\"a\"", "NUL"),
    *shown("files-more-than-streams", SevenZip(n=2, names=names("a", "b"), properties=b""), "more files with bytes than the 1"),
    *shown("files-fewer-than-streams", two(n=1, names=names("a"), properties=b""), "fewer files with bytes than the 2"),
    *shown("archive-properties", SevenZip(before=b"\x02\x19\x01\0\0"), "properties of the archive", code="unsupported"),
    *shown("more-streams", SevenZip(before=b"\x03\0"), "streams of the directory's own", code="unsupported"),
    *shown("after-directory", SevenZip(after=b"\0"), "1 bytes follow the end of the directory"),
    *shown("size-lies", one(b"hello there", lzma2_coder(16), lzma2(b"hello")), "\"a\""),
    *shown("bomb", one(bytes(80 * MIB), lzma2_coder(16), lzma2(bytes(80 * MIB))), "to one", code="limit"),
]
FIRST = [
    bad("7z-first-header-crc", lambda: SevenZip().built(start_crc=1), "checksum of its first header"),
    bad("7z-directory-crc", lambda: SevenZip().built(crc=1), "checksum of its directory"),
    bad("7z-version", lambda: SevenZip().built(version=1), "version 1.4", code="unsupported"),
    bad("7z-directory-overflow", lambda: first(b"", (1 << 64) - 1, size=2, crc=0), "ends before its directory", code="truncated"),
    bad("7z-directory-far", lambda: first(b"", 1 << 63, size=0, crc=0), "ends before its directory", code="truncated"),
    bad("7z-no-directory", lambda: first(b"", 4, size=0, crc=0) + b"evil", "streams without a directory"),
    bad("7z-first-header-cut", lambda: SevenZip().built()[:31], "first header", code="truncated"),
    bad("7z-directory-large", lambda: first(bytes(32 * MIB + 1), 0) + bytes(32 * MIB + 1), "directory of 33554433 bytes", code="limit"),
    bad("7z-directory-of-no-kind", lambda: first(b"\x05", 0) + b"\x05", "0x05 at byte 0 of the directory"),
]
ENCODED = [
    bad("7z-encoded-gigabytes", lambda: SevenZip().packed(sizes=(4 << 30,)), "directory of 4294967296 bytes", code="limit"),
    bad("7z-encoded-one-more", lambda: SevenZip().packed(sizes=(32 * MIB + 1,)), "directory of 33554433 bytes", code="limit"),
    bad("7z-encoded-dictionary", lambda: SevenZip().packed(lzma_coder(0xAE860000)), "dictionary", code="limit"),
    bad("7z-encoded-twice", lambda: SevenZip().packed(times=2), "packed twice"),
    bad("7z-encoded-bzip2", lambda: SevenZip().packed(b"\x03\x04\x02\x02"), "BZip2", code="unsupported"),
    bad("7z-encoded-ppmd", lambda: SevenZip().packed(ppmd_coder(1 << 30)), "PPMd", code="unsupported"),
    bad("7z-encoded-aes", lambda: SevenZip().packed(b"\x24\x06\xf1\x07\x01\x02\x00\x00"), "is encrypted"),
    bad("7z-encoded-two-streams", lambda: SevenZip().packed(packed_sizes=(9, 9), folders=(folder(COPY),) * 2, sizes=(9, 9), folder_crc=crcs(b"x", b"y")), "packed into 2 streams"),
    bad("7z-encoded-filter", lambda: SevenZip().packed(folders=(folder(lzma_coder(65536), BCJ),), sizes=(5, 5)), "behind a filter"),
    bad("7z-encoded-without-crc", lambda: SevenZip().packed(folder_crc=b""), "without its checksum"),
    bad("7z-encoded-crc", lambda: SevenZip().packed(folder_crc=crcs(b"x")), "checksum of its directory"),
    bad("7z-encoded-early", lambda: SevenZip().packed(packed_at=4), "does not end where"),
    bad("7z-encoded-late", lambda: SevenZip().packed(packed_at=6), "does not end where"),
    bad("7z-encoded-overflow", lambda: SevenZip().packed(packed_at=(1 << 64) - 1), "does not end where"),
    bad("7z-encoded-overlaps-streams", lambda: SevenZip(packed_sizes=(6,), sizes=(6,)).packed(), "its streams are 6 bytes"),
    bad("7z-encoded-stream-large", lambda: SevenZip().packed(content=bytes(32 * MIB + 1)), "packed directory of 33554433 bytes", code="limit"),
    bad("7z-encoded-damaged", lambda: SevenZip().packed(content=b"\xff" * 40), "packed directory"),
    bad("7z-encoded-cut", lambda: SevenZip().packed(content=lzma1(SevenZip().directory())[:20]), "packed directory"),
    bad("7z-encoded-longer-than-it-is", lambda: SevenZip().packed(sizes=(9999,)), "packed directory"),
    bad("7z-encoded-shorter-than-it-is", lambda: SevenZip().packed(sizes=(50,)), "packed directory"),
    bad("7z-encoded-more-behind", lambda: SevenZip().packed(after=b"\0"), "more behind"),
]
HOSTILE = [*METHODS, *STREAMS, *FILES, *FIRST, *ENCODED]

# --- good ones

CODE = (b"\x55\x48\x89\xe5\xe8\x00\x10\x00\x00\xe9\x44\x33\x00\x00\xc3\x90" * 3000)[:40000]
X86, DELTA4 = {"id": lzma.FILTER_X86}, {"id": lzma.FILTER_DELTA, "dist": 4}
A = line("file", "a", b"hello")
TREE = replace(SevenZip(), streams=b"hello" + lzma2(BIG), packed_sizes=(5, len(lzma2(BIG))), folders=(folder(COPY), folder(lzma2_coder(16))), sizes=(5, len(BIG)),
               substreams=b"\x08" + crcs(b"hello", BIG) + b"\0", n=5,
               names=prop(0x0E, bits([True, False, True, False, True])) + prop(0x0F, bits([False, True, False])) + prop(0x19, bytes(3)) +
               names("d", "d/a", "d/empty", "d/big", "d/e"),
               properties=prop(0x14, b"\1\0" + bytes(40)) + prop(0x12, b"\0\x40\0" + bytes(8)) + modes(0o040755, 0o100600, 0o100755, 0o100644, 0o040700))
TREE_LINES = (line("folder", "d", mode=0o755), line("file", "d/a", b"hello", 0o600), line("file", "d/empty", mode=0o755), line("file", "d/big", BIG),
              line("folder", "d/e", mode=0o700))


def both(name: str, made: SevenZip, *lines: str) -> list[Archive]:
    return [good(f"7z-good-{name}", made.built, "7z", *lines), good(f"7z-good-{name}-packed", made.packed, "7z", *lines)]


GOOD = [
    *both("one", SevenZip(), A),
    *both("two-in-one", two(), A, line("file", "b", b"you", 0o755)),
    *both("tree", TREE, *TREE_LINES),
    *both("lzma", one(BIG, lzma_coder(1 << 16), lzma1(BIG)), line("file", "a", BIG)),
    *both("lzma-64-mib", one(BIG, lzma_coder(64 * MIB), lzma1(BIG)), line("file", "a", BIG)),
    *both("lzma2", one(BIG, lzma2_coder(16), lzma2(BIG)), line("file", "a", BIG)),
    *both("lzma2-64-mib", one(BIG, lzma2_coder(28), lzma2(BIG)), line("file", "a", BIG)),
    *both("deflate", one(BIG, DEFLATE, deflated(BIG)), line("file", "a", BIG)),
    *both("bcj-lzma2", one(CODE, lzma2_coder(16), lzma2(CODE, X86), BCJ), line("file", "a", CODE)),
    *both("delta-lzma2", one(BIG, lzma2_coder(16), lzma2(BIG, DELTA4), delta_coder(4)), line("file", "a", BIG)),
    *both("folder-crc", SevenZip(folder_crc=crcs(b"hello"), substreams=b"\x08\0"), A),
    *both("no-crc", SevenZip(substreams=b"\x08\0"), A),
    *both("packed-crc", SevenZip(packed_crc=crcs(b"hello")), A),
    *both("no-attributes", SevenZip(properties=b""), A),
    *both("windows", two(properties=attributes(0x20, 0x21)), A, line("file", "b", b"you", 0o444)),
    *both("empty-only", empties("d", "e", files=[False, True], kinds=[0o040755, 0o100644]), line("folder", "d", mode=0o755), line("file", "e")),
    *both("link", replace(two(), properties=modes(0o100644, LINK)), A, line("link", "b", mode=0o755, target="you")),
    good("7z-good-encoded-copy", lambda: SevenZip().packed(COPY, SevenZip().directory()), "7z", A),
    good("7z-good-encoded-lzma2", lambda: SevenZip().packed(lzma2_coder(16), lzma2(SevenZip().directory())), "7z", A),
    good("7z-good-encoded-deflate", lambda: SevenZip().packed(DEFLATE, deflated(SevenZip().directory())), "7z", A),
    good("7z-good-nothing", lambda: first(b"", 0), "7z"),
]
