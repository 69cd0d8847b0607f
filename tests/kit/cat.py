"""Catalogs: a signed list (CTL) of files by their hashes."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Sequence

from . import cms, der
from .pki import Cert

LIST = cms.MS + ".12.1.1"
MEMBER_V1, MEMBER_V2 = cms.MS + ".12.1.2", cms.MS + ".12.1.3"
NAME_VALUE, MEMBER_INFO, MEMBER_INFO_V2 = cms.MS + ".12.2.1", cms.MS + ".12.2.2", cms.MS + ".12.2.3"
SIP_FLAT, SIP_PE = "{DE351A42-8E59-11D0-8C47-00C04FC295EE}", "{C689AAB8-8E78-11D0-8C47-00C04FC295EE}"


def flat_data() -> bytes:
    """The SPC type of a file that is hashed whole."""
    return der.seq(der.oid(cms.SPC_CAB), der.ctx(2, der.ctx(0, b"", constructed=False)))


def name_value(label: str, value: str, flags: int = 0x10010001) -> bytes:
    return der.seq(der.bmp(label), der.integer(flags), der.octets((value + "\0").encode("utf-16-le")))


def member(value: bytes, data: bytes | None = None, *, hash: str = "sha256", tag: bytes | None = None, v1: bool = False, name: str = "file.bin",
           spc: bytes | None = None, with_spc: bool = True) -> bytes:
    """One member. Its tag is the hash itself (v2) or the hash's hex digits (v1) unless told. CatalogMemberInfo2 is [0] for a PE
    and [2] for a file hashed whole."""
    data = flat_data() if data is None else data
    spc = cms.indirect(data, value, hash) if spc is None else spc
    if tag is None:
        tag = (value.hex().upper() + "\0").encode("utf-16-le") if v1 else value
    attrs = [cms.attr(cms.SPC_INDIRECT, spc)] if with_spc else []
    attrs.append(cms.attr(NAME_VALUE, name_value("File", name)))
    if v1:
        attrs.append(cms.attr(MEMBER_INFO, der.seq(der.bmp(SIP_FLAT), der.integer(0x200))))
    else:
        attrs.append(cms.attr(MEMBER_INFO_V2, der.ctx(0 if der.kids(data)[0] == der.oid(cms.SPC_PE) else 2, b"", constructed=False)))
    return der.seq(der.octets(tag), der.set_of(*attrs))


def flat(content: bytes, hash: str = "sha256", **how: Any) -> bytes:
    """A member for a file that is hashed whole."""
    return member(hashlib.new(hash, content, usedforsecurity=False).digest(), hash=hash, **how)


def ctl(members: Sequence[bytes], *, v1: bool = False, list_id: bytes = bytes(range(16)), when: datetime | None = None, extensions: bool = True) -> bytes:
    attribute = der.seq(der.oid(NAME_VALUE), der.octets(name_value("HWID1", "kit")))
    return der.seq(der.seq(der.oid(LIST)), der.octets(list_id), der.utctime(when or cms.IN_2026),
                   der.seq(der.oid(MEMBER_V1 if v1 else MEMBER_V2), der.null()), der.seq(*members) if members else b"",
                   der.ctx(0, der.seq(attribute)) if extensions else b"")


def signed(members: Sequence[bytes], signer: Cert | None = None, *, v1: bool = False, hash: str = "sha256", list: bytes | None = None, **how: Any) -> bytes:
    """A signed catalog. `how` goes to cms.authenticode."""
    content = ctl(members, v1=v1) if list is None else list
    return cms.authenticode(content, signer, hash=hash, content_type=how.pop("content_type", cms.CTL), **how)


def unsigned(members: Sequence[bytes]) -> bytes:
    inner = der.seq(der.integer(1), der.set_of(), der.seq(der.oid(cms.CTL), der.ctx(0, ctl(members))), der.set_of())
    return der.seq(der.oid(cms.SIGNED_DATA), der.ctx(0, inner))


def digests(raw: bytes) -> list[tuple[bytes, bytes | None]]:
    """(tag, digest in the SpcIndirectData or None) of each member of a catalog."""
    content = der.at(raw, (1, 0, 2, 1, 0))
    lists = [k for k in der.kids(content) if k[0] == 0x30]
    out = []
    for one in der.kids(lists[2]):
        tag, attrs = der.kids(one)
        spc = [der.kids(a)[1] for a in der.kids(attrs) if der.kids(a)[0] == der.oid(cms.SPC_INDIRECT)]
        out.append((der.body(tag), der.body(der.at(spc[0], (0, 1, 1))) if spc else None))
    return out


def list_digest(raw: bytes, hash: str) -> bytes:
    """What messageDigest must be: the list's content without its own tag and length."""
    return hashlib.new(hash, der.body(der.at(raw, (1, 0, 2, 1, 0))), usedforsecurity=False).digest()
