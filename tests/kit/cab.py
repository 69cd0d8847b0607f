"""Cabinets (MS-CAB): a writer for uncompressed ones, and the place of an Authenticode signature in them.

A signed cabinet has a header reserve of 20 bytes: 0x00100000, where the signature begins, its size, 8 zero bytes. The
digest covers the file up to the signature but for reserved1 (4..7), iCabinet (34..35) and the reserve's beginning (36..55).
"""
import hashlib
import struct

from . import cms

RESERVE, PREVIOUS, NEXT = 4, 1, 2


def checksum(data):
    """CFDATA's checksum of bytes."""
    total, whole = 0, len(data) // 4 * 4
    for word, in struct.iter_unpack("<I", data[:whole]):
        total ^= word
    rest, word = data[whole:], 0
    for byte in rest:
        word = word << 8 | byte
    return total ^ word


def block(data):
    """One CFDATA, stored."""
    head = struct.pack("<HH", len(data), len(data))
    return struct.pack("<I", checksum(data) ^ checksum(head)) + head + data


class Cabinet:
    """files: [(name, content)], one folder each when split is true, else one folder for all. Every header field is an
    attribute and can be altered before `unsigned` is called."""

    def __init__(self, files, split=False, reserve=True):
        self.files = files
        self.folders = [[f] for f in files] if split else [files]
        self.flags, self.icabinet, self.set_id, self.reserved1, self.reserved2, self.reserved3 = RESERVE * reserve, 0, 0, 0, 0, 0
        self.version, self.strings = 0x0103, b""
        self.cb_header, self.cb_folder, self.cb_data = 20, 0, 0
        self.marker, self.reserve_tail, self.reserve_more = 0x00100000, bytes(8), b""
        self.sig_at = self.sig_size = None
        self.size = None
        self.gap = b""

    def _reserve(self, sig_at, sig_size):
        if not self.flags & RESERVE:
            return b""
        return struct.pack("<HBBIII", self.cb_header, self.cb_folder, self.cb_data, self.marker, sig_at, sig_size) + \
            self.reserve_tail + self.reserve_more

    def unsigned(self, sig_size=0):
        """The cabinet's bytes without the signature, whose size is already named."""
        head = 36 + len(self._reserve(0, 0)) + len(self.strings)
        entries = blocks = b""
        tables = b""
        files_at = head + 8 * len(self.folders)
        n_entries = sum(16 + len(n) + 1 for n, _ in self.files)
        data_at = files_at + n_entries
        for i, folder in enumerate(self.folders):
            content, offset = b"".join(c for _, c in folder), 0
            for name, c in folder:
                entries += struct.pack("<IIHHHH", len(c), offset, i, 0x5D79, 0x1C11, 0x20) + name.encode() + b"\0"
                offset += len(c)
            parts = [content[j:j + 32768] for j in range(0, len(content), 32768)]
            tables += struct.pack("<IHH", data_at + len(blocks), len(parts), 0)
            blocks += b"".join(block(p) for p in parts)
        size = data_at + len(blocks) + len(self.gap)
        sig_at = size if self.sig_at is None else self.sig_at
        sig_size = sig_size if self.sig_size is None else self.sig_size
        header = b"MSCF" + struct.pack("<IIIIIHHHHHH", self.reserved1, size if self.size is None else self.size, self.reserved2,
                                       files_at, self.reserved3, self.version, len(self.folders), len(self.files),
                                       self.flags, self.set_id, self.icabinet)
        return header + self._reserve(sig_at, sig_size) + self.strings + tables + entries + blocks + self.gap


def digest(data, sig_at, algorithm="sha256"):
    """The Authenticode digest of a signed cabinet's bytes."""
    return hashlib.new(algorithm, data[:4] + data[8:34] + data[56:sig_at]).digest()


def pad8(der):
    return der + bytes(-len(der) % 8)


def split(data):
    """(cabinet, signature) of a signed file."""
    at, size = struct.unpack_from("<II", data, 44)
    return data[:at], data[at:at + size]


def maker(signer=None, hash="sha256", data=None, **how):
    """A function from digest to signature. `how` goes to cms.authenticode."""
    data = cms.cab_data() if data is None else data
    return lambda value: cms.authenticode(cms.indirect(data, value, hash), signer, hash=hash, **how)


FILES = [("hello.txt", b"hello\r\n"), ("data.bin", hashlib.sha256(b"kit").digest() * 40)]


def signed(cabinet=None, pad=pad8, after=b"", hash="sha256", **how):
    """A signed cabinet's bytes."""
    cabinet, make = cabinet or Cabinet(FILES), maker(hash=hash, **how)
    plain = cabinet.unsigned()
    raw = pad(make(digest(plain, len(plain), hash)))
    return cabinet.unsigned(len(raw)) + raw + after
