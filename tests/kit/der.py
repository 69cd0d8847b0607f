"""DER written by hand, so that wrong DER can be written too.

Every function returns the bytes of one complete TLV. `extra` is the number of needless length octets: 0 writes DER, more writes
a non-minimal length. Reading (`kids`, `body`, `edit`) is for our own output only and trusts it."""

from __future__ import annotations

from datetime import datetime
from typing import Callable, Sequence

INDEFINITE = -1


def length(n: int, extra: int = 0) -> bytes:
    if extra == 0 and n < 0x80:
        return bytes([n])
    raw = n.to_bytes(max(1, (n.bit_length() + 7) // 8), "big")
    if extra and n < 0x80:
        extra -= 1                                  # the long form alone is one octet too many
    raw = bytes(extra) + raw
    return bytes([0x80 | len(raw)]) + raw


def tlv(tag: int | bytes, content: bytes = b"", extra: int = 0) -> bytes:
    """One value under any tag; extra=INDEFINITE writes BER's open-ended form."""
    head = tag if isinstance(tag, bytes) else bytes([tag])
    if extra == INDEFINITE:
        return head + b"\x80" + content + b"\0\0"
    return head + length(len(content), extra) + content


def seq(*parts: bytes, extra: int = 0) -> bytes:
    return tlv(0x30, b"".join(parts), extra)


def set_of(*parts: bytes) -> bytes:
    """A SET OF in DER's order."""
    return tlv(0x31, b"".join(sorted(parts)))


def set_raw(*parts: bytes, extra: int = 0) -> bytes:
    """A SET in the order given, right or wrong."""
    return tlv(0x31, b"".join(parts), extra)


def ctx(n: int, content: bytes = b"", constructed: bool = True, extra: int = 0) -> bytes:
    """A context-specific tag. `ctx(0, x)` around a TLV is EXPLICIT, around bare content IMPLICIT."""
    return tlv((0xA0 if constructed else 0x80) | n, content, extra)


def oid(dotted: str) -> bytes:
    a, b, *rest = (int(x) for x in dotted.split("."))
    out = b""
    for n in [a * 40 + b, *rest]:
        group = [n & 0x7F]
        while n := n >> 7:
            group.append(0x80 | (n & 0x7F))
        out += bytes(reversed(group))
    return tlv(0x06, out)


def integer(n: int) -> bytes:
    return tlv(0x02, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def integer_raw(content: bytes) -> bytes:
    return tlv(0x02, content)


def enumerated(n: int) -> bytes:
    return tlv(0x0A, bytes([n]))


def boolean(value: bool | int) -> bytes:
    """True is 0xFF; an int is written as it is, so that boolean(1) is BER only."""
    return tlv(0x01, bytes([value if type(value) is int else 0xFF * value]))


def octets(content: bytes, extra: int = 0) -> bytes:
    return tlv(0x04, content, extra)


def bitstring(content: bytes, unused: int = 0) -> bytes:
    return tlv(0x03, bytes([unused]) + content)


def named_bits(*numbers: int) -> bytes:
    """A BIT STRING of flags, as keyUsage has it, without trailing zero bits."""
    value = sum(1 << (7 - n) if n < 8 else 1 << (23 - n) for n in numbers)
    if any(n >= 8 for n in numbers):
        value = sum(1 << (15 - n) for n in numbers)
        raw = value.to_bytes(2, "big")
    else:
        raw = bytes([value])
    unused = (raw[-1] & -raw[-1]).bit_length() - 1
    return bitstring(raw, unused)


def null() -> bytes:
    return b"\x05\x00"


def utf8(text: str) -> bytes:
    return tlv(0x0C, text.encode("utf-8"))


def bmp(text: str) -> bytes:
    return tlv(0x1E, text.encode("utf-16-be"))


def printable(text: str) -> bytes:
    return tlv(0x13, text.encode("ascii"))


def ia5(text: str) -> bytes:
    return tlv(0x16, text.encode("ascii"))


def gentime(when: datetime | str) -> bytes:
    """A GeneralizedTime; a string is written as it is, right or wrong."""
    return tlv(0x18, (when if isinstance(when, str) else when.strftime("%Y%m%d%H%M%SZ")).encode("ascii"))


def utctime(when: datetime | str) -> bytes:
    return tlv(0x17, (when if isinstance(when, str) else when.strftime("%y%m%d%H%M%SZ")).encode("ascii"))


def x509_time(when: datetime) -> bytes:
    return utctime(when) if 1950 <= when.year < 2050 else gentime(when)


# -- reading and changing what was written ---------------------------------------------------------------------------------

def head_len(value: bytes) -> int:
    """How many bytes of tag and length stand before the content (tags of one byte)."""
    return 2 + (value[1] & 0x7F if value[1] & 0x80 else 0)


def total_len(value: bytes) -> int:
    head = head_len(value)
    return head + (int.from_bytes(value[2:head], "big") if value[1] & 0x80 else value[1])


def body(value: bytes) -> bytes:
    return value[head_len(value):total_len(value)]


def kids(value: bytes) -> list[bytes]:
    rest, out = body(value), []
    while rest:
        n = total_len(rest)
        out.append(rest[:n])
        rest = rest[n:]
    return out


def at(value: bytes, path: Sequence[int]) -> bytes:
    """The TLV reached by child numbers."""
    for n in path:
        value = kids(value)[n]
    return value


def edit(value: bytes, path: Sequence[int], change: Callable[[bytes], bytes] | bytes) -> bytes:
    """The same value with the TLV at `path` replaced; every length above it is written anew."""
    if not path:
        return change if isinstance(change, bytes) else change(value)
    parts = kids(value)
    parts[path[0]] = edit(parts[path[0]], path[1:], change)
    return tlv(value[0], b"".join(parts))


def long_form(value: bytes, extra: int = 1) -> bytes:
    """The same value with needless length octets: BER, not DER."""
    return tlv(value[0], body(value), extra)
