"""Cabinets: what is accepted, and each way to be refused."""

from __future__ import annotations

import struct
from typing import Any, Callable

from . import cab, cms, der
from . import pki as pk
from .cab import Cabinet
from .case import Case, Codes, built

CASES: list[Case] = []
_TAIL: Codes = ("TrailingData", "Malformed")


def add(name: str, rule: str, make: Callable[[], bytes], verdict: str | tuple[str, ...] = "refused", reason: Codes = None, *more: str,
        profile: str = "strict", expect: Any = None, file: str = "kit.cab", **trusting: Any) -> None:
    CASES.append(Case("cab_" + name, "cab." + rule, lambda folder: built(folder, file, make(), *more, **trusting), verdict, reason,
                      profile=profile, expect={"type": "cab", **(expect or {})} if verdict == "accepted" else expect or {}))


def good(name: str, make: Callable[[], bytes], *more: str, reason: Codes = None, **how: Any) -> None:
    add("good_" + name, "good", make, "accepted", reason, *more, **how)


def bad(name: str, rule: str, reason: Codes, make: Callable[[], bytes], *more: str, **how: Any) -> None:
    add(name, rule, make, "refused", reason, *more, **how)


def with_fields(split: bool = False, **fields: Any) -> Callable[[], bytes]:
    """Signed as a whole with these fields: only the fields are wrong, never the digest."""
    def make() -> bytes:
        cabinet = Cabinet(cab.FILES, split)
        cabinet.__dict__.update(fields)
        return cab.signed(cabinet)
    return make


def patched(at: int, value: bytes, data: Callable[[], bytes] = cab.signed) -> Callable[[], bytes]:
    """Bytes changed after signing."""
    def make() -> bytes:
        raw = data()
        assert raw[at:at + len(value)] != value
        return raw[:at] + value + raw[at + len(value):]
    return make


def flipped(where: Callable[[bytes], int]) -> Callable[[], bytes]:
    def make() -> bytes:
        raw = bytearray(cab.signed())
        raw[where(bytes(raw))] ^= 1
        return bytes(raw)
    return make


def u32(n: int) -> bytes:
    return struct.pack("<I", n)


def sig_at(raw: bytes) -> int:
    return struct.unpack_from("<I", raw, 44)[0]


# -- accepted --------------------------------------------------------------------------------------------------------------

good("one_folder", cab.signed, expect={"signatures.0.kind": "authenticode", "signatures.0.digest": "sha256"})
good("two_folders", lambda: cab.signed(Cabinet(cab.FILES, split=True)))
good("windows", cab.signed, profile="windows")
good("name_says_msi", cab.signed, file="kit.msi")
good("several_blocks", lambda: cab.signed(Cabinet([("big.bin", bytes(range(256)) * 300)])))
good("stamped", lambda: cab.signed(unsigned=[cms.stamp(cms.IN_2026)]), "--require-timestamp")
good("sha384", lambda: cab.signed(hash="sha384"))
good("sha1_windows", lambda: cab.signed(hash="sha1"), profile="windows", reason="WeakDigest")
good("set_id", with_fields(set_id=0x1234))
good("ecdsa", lambda: cab.signed(signer=pk.pki().p256))
for _n in range(8):                                                 # the DER grows by one octet; every padding length is met
    good(f"padding_{_n}", lambda n=_n: cab.signed(program="Orchard" + "s" * n))

# -- content ---------------------------------------------------------------------------------------------------------------

add("unsigned", "content", lambda: Cabinet(cab.FILES, reserve=False).unsigned(), "unsigned", "Unsigned")
add("unsigned_with_empty_reserve", "content", lambda: _empty_reserve(), ("unsigned", "refused"), ("Unsigned", "Malformed"))
bad("data_byte", "content", "DigestMismatch", flipped(lambda r: sig_at(r) - 1))
bad("data_byte_windows", "content", "DigestMismatch", flipped(lambda r: sig_at(r) - 1), profile="windows")
bad("file_name_byte", "content", "DigestMismatch", flipped(lambda r: r.index(b"hello.txt")))
bad("folder_table_byte", "content", ("DigestMismatch", "Malformed"), flipped(lambda r: 60))
bad("set_id_byte", "content", "DigestMismatch", patched(32, b"\x77\x77"))
bad("version_byte", "content", ("DigestMismatch", "Malformed"), patched(24, b"\x04"))
bad("reserved2_byte", "content", ("DigestMismatch", "Malformed"), patched(12, b"\1"))
bad("signature_bit", "content", "SignatureInvalid", lambda: _signature_bit())
bad("untrusted", "content", "ChainUntrusted", lambda: cab.signed(signer=pk.pki().stranger))
bad("sha1_strict", "content", "WeakDigest", lambda: cab.signed(hash="sha1"))


def _empty_reserve() -> bytes:
    cabinet = Cabinet(cab.FILES)
    cabinet.sig_at = cabinet.sig_size = 0
    return cabinet.unsigned()


def _signature_bit() -> bytes:
    raw = bytearray(cab.signed(pad=lambda d: d if len(d) % 8 == 0 else d + bytes(-len(d) % 8)))
    _, signature = cab.split(bytes(raw))
    raw[sig_at(raw) + der.total_len(signature) - 1] ^= 1
    return bytes(raw)


# -- sets ------------------------------------------------------------------------------------------------------------------

bad("number_one", "set", "Malformed", with_fields(icabinet=1))
bad("number_changed", "set", "Malformed", patched(34, b"\1"))
bad("number_changed_windows", "set", "Malformed", patched(34, b"\1"), profile="windows")
bad("has_previous", "set", "Malformed", with_fields(flags=cab.RESERVE | cab.PREVIOUS, strings=b"disk1.cab\0Disk 1\0"))
bad("has_next", "set", "Malformed", with_fields(flags=cab.RESERVE | cab.NEXT, strings=b"disk2.cab\0Disk 2\0"))
bad("has_both", "set", "Malformed", with_fields(flags=cab.RESERVE | 3, strings=b"disk1.cab\0Disk 1\0disk3.cab\0Disk 3\0"))
bad("unknown_flag", "set", "Malformed", with_fields(flags=cab.RESERVE | 8))

# -- reserve and header ----------------------------------------------------------------------------------------------------

bad("reserved1", "reserve", ("Malformed", "UncoveredData"), patched(4, b"\1"))
bad("marker", "reserve", "Malformed", patched(40, u32(0x00200000)))
bad("marker_signed", "reserve", "Malformed", with_fields(marker=0x00100001))
bad("header_reserve_24", "reserve", "Malformed", with_fields(cb_header=24, reserve_more=b"hide"))
bad("header_reserve_16", "reserve", "Malformed", with_fields(cb_header=16, reserve_tail=bytes(4)))
bad("header_reserve_size_changed", "reserve", "Malformed", patched(36, b"\x18"))
bad("folder_reserve_changed", "reserve", "Malformed", patched(38, b"\4"))
bad("data_reserve_changed", "reserve", "Malformed", patched(39, b"\4"))
bad("reserve_tail_first_half", "reserve", ("Malformed", "UncoveredData"), patched(52, b"\1"))
bad("reserve_tail_signed", "reserve", ("Malformed", "UncoveredData"), with_fields(reserve_tail=b"12345678"))
bad("cabinet_size_too_small", "reserve", "Malformed", with_fields(size=100))
bad("cabinet_size_of_whole_file", "reserve", "Malformed", lambda: _whole_size())
bad("cabinet_size_huge", "reserve", "Malformed", with_fields(size=0xFFFFFFFF))
bad("no_folders", "reserve", "Malformed", with_fields(folders=[]))
bad("files_offset_outside", "reserve", ("Malformed", "DigestMismatch"), patched(16, u32(0x7FFFFFFF)))
bad("cut_in_header", "reserve", ("Malformed", "Unsigned"), lambda: cab.signed()[:50])


def _whole_size() -> bytes:
    cabinet = Cabinet(cab.FILES)
    cabinet.size = len(cab.signed())
    return cab.signed(cabinet)


# -- where the signature lies ----------------------------------------------------------------------------------------------


def offset(change: Callable[[bytes], tuple[int, int]]) -> Callable[[], bytes]:
    """Changes the reserve's offset and size after signing: neither is hashed."""
    def make() -> bytes:
        raw = cab.signed()
        at, size = change(raw)
        return raw[:44] + struct.pack("<II", at, size) + raw[52:]
    return make


bad("appended_byte", "end", "TrailingData", lambda: cab.signed(after=b"\0"))
bad("appended_eight_zeroes", "end", "TrailingData", lambda: cab.signed(after=bytes(8)))
bad("appended_archive", "end", "TrailingData", lambda: cab.signed(after=b"PK\5\6" + bytes(18)))
bad("appended_archive_windows", "end", "TrailingData", lambda: cab.signed(after=b"PK\5\6" + bytes(18)), profile="windows")
bad("appended_second_signature", "end", "TrailingData", lambda: cab.signed() + cab.split(cab.signed())[1])
bad("padding_not_zero", "end", _TAIL, lambda: cab.signed(program="Orchardx", pad=lambda d: d + b"\1" * (-len(d) % 8 or 8)))
bad("padding_eight_too_many", "end", _TAIL, lambda: cab.signed(pad=lambda d: cab.pad8(d) + bytes(8)))
bad("padding_missing", "end", _TAIL, lambda: _unpadded())
bad("junk_after_der", "end", _TAIL, lambda: cab.signed(pad=lambda d: cab.pad8(d + b"hidden payload")))
bad("der_cut_short", "end", "Malformed", lambda: cab.signed(pad=lambda d: d[:-16]))
bad("offset_zero", "end", "Malformed", offset(lambda r: (0, len(r))))
bad("offset_into_data", "end", ("Malformed", "DigestMismatch"), offset(lambda r: (sig_at(r) - 8, len(r) - sig_at(r) + 8)))
bad("offset_past_end", "end", "Malformed", offset(lambda r: (len(r) + 64, 64)))
bad("offset_wraps", "end", "Malformed", offset(lambda r: (0xFFFFFFF0, 0x20)))
bad("size_too_large", "end", "Malformed", offset(lambda r: (sig_at(r), len(r))))
bad("size_too_small", "end", ("TrailingData", "Malformed"), offset(lambda r: (sig_at(r), len(r) - sig_at(r) - 8)))
add("size_zero", "end", offset(lambda r: (sig_at(r), 0)), ("refused", "unsigned"), ("Malformed", "Unsigned", "TrailingData"))
bad("gap_before_signature", "end", ("Malformed", "DigestMismatch", "UncoveredData"), lambda: _gap())
bad("der_length_not_minimal", "end", "Malformed", lambda: cab.signed(pad=lambda d: cab.pad8(der.long_form(d))))


def _unpadded() -> bytes:
    for n in range(8):                                              # a DER whose length is no multiple of 8
        raw = cab.signed(program="Orchard" + "s" * n, pad=lambda d: d)
        if len(cab.split(raw)[1]) % 8:
            return raw
    raise AssertionError("every length was a multiple of 8")


def _gap() -> bytes:
    """Bytes between the cabinet's end and the signature: the offset is not hashed."""
    cabinet, signature = cab.split(cab.signed())
    moved = cabinet[:44] + u32(len(cabinet) + 16) + cabinet[48:]
    return moved + b"sixteen byte gap" + signature
