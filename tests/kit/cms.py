"""SignedData, Authenticode's content, and both kinds of timestamp, with every field open to change.

`authenticode()` is the ordinary signature; its `si` and `sd` arguments are passed on to `signer_info` and `signed_data`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable, Sequence

from . import der
from .pki import Cert, digest, hash_alg, pki, sig_alg, sign, utc

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
COUNTERSIGNATURE = "1.2.840.113549.1.9.6"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
ESS_CERT_ID = "1.2.840.113549.1.9.16.2.12"
ESS_CERT_ID_V2 = "1.2.840.113549.1.9.16.2.47"
MS = "1.3.6.1.4.1.311"
SPC_INDIRECT = MS + ".2.1.4"
SPC_STATEMENT_TYPE = MS + ".2.1.11"
SPC_OPUS_INFO = MS + ".2.1.12"
SPC_PE = MS + ".2.1.15"
SPC_INDIVIDUAL = MS + ".2.1.21"
SPC_CAB = MS + ".2.1.25"
SPC_SIP = MS + ".2.1.30"
PAGE_HASH = {"sha1": MS + ".2.3.1", "sha256": MS + ".2.3.2"}
NESTED = MS + ".2.4.1"
RFC3161 = MS + ".3.3.1"
CTL = MS + ".10.1"
PAGE_HASH_CLASS = bytes.fromhex("a6b586d5b4a12466ae05a217da8e60d6")

# SIP GUIDs, as their sixteen bytes stand in the file
SIP_MSI = bytes.fromhex("f1100c0000000000c000000000000046")
SIP_POWERSHELL = bytes.fromhex("1fcc3b60594b084eb724d2c6297ef351")
SIP_MSIX = bytes.fromhex("4bdfc50a07cee24db76e23c839a09fd1")
SIP_MSIX_BUNDLE = bytes.fromhex("b3585f0fdeaa9a4ba43495742d92eceb")

# -- attributes ------------------------------------------------------------------------------------------------------------


def attr(which: str, *values: bytes) -> bytes:
    return der.seq(der.oid(which), der.set_of(*values))


def opus(program: str | None = None, url: str | None = None) -> bytes:
    """SpcSpOpusInfo as an attribute."""
    inner = (der.ctx(0, der.ctx(0, program.encode("utf-16-be"), constructed=False)) if program else b"")
    inner += (der.ctx(1, der.ctx(0, url.encode("ascii"), constructed=False)) if url else b"")
    return attr(SPC_OPUS_INFO, der.seq(inner))


def statement_type() -> bytes:
    return attr(SPC_STATEMENT_TYPE, der.seq(der.oid(SPC_INDIVIDUAL)))


# -- SpcIndirectDataContent ------------------------------------------------------------------------------------------------

_EMPTY_FILE = der.ctx(2, der.ctx(0, b"", constructed=False))                  # SpcLink: file "" (unicode)
_OBSOLETE = der.ctx(2, der.ctx(0, "<<<Obsolete>>>".encode("utf-16-be"), constructed=False))


def pe_data(page_hashes: bytes | None = None, hash: str = "sha256", class_id: bytes = PAGE_HASH_CLASS) -> bytes:
    """SpcPeImageData, with the page hashes as a serialized object where there are some."""
    link = _EMPTY_FILE
    if page_hashes is not None:
        table = der.set_of(der.seq(der.oid(PAGE_HASH[hash]), der.set_of(der.octets(page_hashes))))
        link = der.ctx(1, der.octets(class_id) + der.octets(table))
    return der.seq(der.oid(SPC_PE), der.seq(der.bitstring(b""), der.ctx(0, link)))


def cab_data() -> bytes:
    return der.seq(der.oid(SPC_CAB), _OBSOLETE)


def sip_data(guid: bytes, version: int = 1) -> bytes:
    """SpcSipInfo. version: 1 for MSI, 0x10000 for scripts, 0x1010000 for MSIX."""
    return der.seq(der.oid(SPC_SIP), der.seq(der.integer(version), der.octets(guid), *[der.integer(0)] * 5))


def indirect(data: bytes, value: bytes, hash: str = "sha256", alg: bytes | None = None, more: bytes = b"") -> bytes:
    """SpcIndirectDataContent: what kind of file, and the digest of it."""
    return der.seq(data, der.seq(alg or hash_alg(hash), der.octets(value)), more)


# -- SignerInfo and SignedData ---------------------------------------------------------------------------------------------

Unsigned = bytes | Callable[[bytes], bytes]                        # an attribute, or a function from the signature to one


def signer_info(signer: Cert, content: bytes, content_type: str = SPC_INDIRECT, *, hash: str = "sha256", version: int = 1,
                sid: bytes | None = None, digest_alg: bytes | None = None, content_digest: bytes | None = None, more_attrs: Sequence[bytes] = (),
                edit_attrs: Callable[[list[bytes]], list[bytes]] | None = None, attrs_on_wire: Callable[[bytes], bytes] | None = None,
                no_attrs: bool = False, sort: bool = True, private: Any = None, scheme: str = "pkcs1", alg: bytes | None = None,
                signature: bytes | Callable[[bytes], bytes] | None = None, unsigned: Sequence[Unsigned] = (), more: bytes = b"") -> bytes:
    """One SignerInfo over `content`, which is what messageDigest is the digest of.

    edit_attrs changes the list before signing (what is signed is what is written); attrs_on_wire changes the finished [0] after
    signing. signature replaces the value, or is called with the bytes to be signed."""
    private = private or signer.key
    attrs = [attr(CONTENT_TYPE, der.oid(content_type)), *more_attrs,
             attr(MESSAGE_DIGEST, der.octets(digest(hash, content) if content_digest is None else content_digest))]
    if edit_attrs:
        attrs = edit_attrs(attrs)
    joined = b"".join(sorted(attrs) if sort else attrs)
    to_sign = content if no_attrs else der.tlv(0x31, joined)
    if callable(signature):
        value = signature(to_sign)
    else:
        value = sign(private, to_sign, hash, scheme) if signature is None else signature
    wire = b"" if no_attrs else der.ctx(0, joined)
    if attrs_on_wire:
        wire = attrs_on_wire(wire)
    extras = sorted(u(value) if callable(u) else u for u in unsigned)
    return der.seq(der.integer(version), signer.sid if sid is None else sid, digest_alg or hash_alg(hash), wire,
                   alg or sig_alg(private, hash, scheme, bare_rsa=True), der.octets(value), der.ctx(1, b"".join(extras)) if extras else b"", more)


def signed_data(content_type: str, content: bytes | None, infos: Sequence[bytes], *, version: int = 1, hash: str = "sha256",
                algs: Sequence[bytes] | None = None, certs: Sequence[bytes] = (), sort_certs: bool = True, crls: Sequence[bytes] = (),
                outer_type: str = SIGNED_DATA, more: bytes = b"") -> bytes:
    """ContentInfo. content is the whole TLV inside eContent's [0], or None for a detached signature."""
    bag = sorted(certs) if sort_certs else list(certs)
    inner = der.seq(der.integer(version), der.set_of(*([hash_alg(hash)] if algs is None else algs)),
                    der.seq(der.oid(content_type), der.ctx(0, content) if content is not None else b""),
                    der.ctx(0, b"".join(bag)) if bag else b"", der.ctx(1, b"".join(crls)) if crls else b"", der.set_of(*infos), more)
    return der.seq(der.oid(outer_type), der.ctx(0, inner))


def authenticode(spc: bytes, signer: Cert | None = None, *, hash: str = "sha256", certs: Sequence[bytes] | None = None, more_certs: Sequence[bytes] = (),
                 unsigned: Sequence[Unsigned] = (), program: str | None = "Orchard Tool", content_type: str = SPC_INDIRECT,
                 si: dict[str, Any] | None = None, sd: dict[str, Any] | None = None) -> bytes:
    """The signature of a file whose SpcIndirectDataContent is `spc`."""
    signer = signer or pki().leaf
    si = {"more_attrs": (statement_type(), opus(program, "https://orchard.example/")), "unsigned": unsigned, "hash": hash, **(si or {})}
    info = signer_info(signer, der.body(spc), content_type, **si)
    certs = signer.bag if certs is None else certs
    return signed_data(content_type, spc, [info], **{"certs": [*certs, *more_certs], "hash": hash, **(sd or {})})


def detached(content: bytes, signer: Cert | None = None, *, hash: str = "sha256", si: dict[str, Any] | None = None, sd: dict[str, Any] | None = None) -> bytes:
    """A plain CMS signature over a file beside it."""
    signer = signer or pki().leaf
    info = signer_info(signer, content, DATA, **{"hash": hash, **(si or {})})
    return signed_data(DATA, None, [info], **{"certs": signer.bag, "hash": hash, **(sd or {})})


def nested(*signatures: bytes) -> bytes:
    return attr(NESTED, *signatures)


# -- timestamps ------------------------------------------------------------------------------------------------------------

IN_2022 = utc("2022-06-15")                                        # within the expired leaf's life
IN_2026 = utc("2026-02-03")                                        # within the ordinary leaf's life


def tst_info(imprint: bytes, when: datetime | str, *, hash: str = "sha256", imprint_alg: bytes | None = None, version: int = 1,
             policy: str = "1.3.6.1.4.1.99999.1", extensions: bytes = b"", nonce: int | None = 0x1122334455, more: bytes = b"") -> bytes:
    return der.seq(der.integer(version), der.oid(policy), der.seq(imprint_alg or hash_alg(hash), der.octets(imprint)), der.integer(77),
                   der.gentime(when), der.seq(der.integer(1)), der.integer(nonce) if nonce is not None else b"",
                   der.ctx(1, extensions) if extensions else b"", more)


def ess_cert_id_v2(cert: Cert, hash: str = "sha256") -> bytes:
    parts = (hash_alg(hash) if hash != "sha256" else b"") + der.octets(digest(hash, cert.der))
    return attr(ESS_CERT_ID_V2, der.seq(der.seq(der.seq(parts))))


def ess_cert_id_v1(cert: Cert) -> bytes:
    return attr(ESS_CERT_ID, der.seq(der.seq(der.seq(der.octets(digest("sha1", cert.der))))))


def token(signature: bytes, when: datetime | str = IN_2022, *, tsa: Cert | None = None, hash: str = "sha256", imprint: bytes | None = None,
          imprint_hash: str | None = None, content_type: str = TST_INFO, ess: Sequence[bytes] | None = None, certs: Sequence[bytes] | None = None,
          more_certs: Sequence[bytes] = (), tst: dict[str, Any] | None = None, tst_edit: Callable[[bytes], bytes] | None = None,
          si: dict[str, Any] | None = None, sd: dict[str, Any] | None = None) -> bytes:
    """An RFC 3161 token over `signature`, the signature value of the SignerInfo that will carry it."""
    tsa = tsa or pki().tsa
    imprint_hash = imprint_hash or hash
    info = tst_info(digest(imprint_hash, signature) if imprint is None else imprint, when, **{"hash": imprint_hash, **(tst or {})})
    if tst_edit:
        info = tst_edit(info)
    more = [ess_cert_id_v2(tsa)] if ess is None else list(ess)
    one = signer_info(tsa, info, content_type, **{"hash": hash, "more_attrs": more, **(si or {})})
    certs = tsa.bag if certs is None else certs
    return signed_data(content_type, der.octets(info), [one], **{"version": 3, "hash": hash, "certs": [*certs, *more_certs], **(sd or {})})


def stamp(when: datetime | str = IN_2022, *, edit: Callable[[bytes], bytes] | None = None, **changes: Any) -> Callable[[bytes], bytes]:
    """For `unsigned=[stamp(...)]`: the attribute that holds a token. edit changes the finished token."""
    def make(signature: bytes) -> bytes:
        made = token(signature, when, **changes)
        return attr(RFC3161, edit(made) if edit else made)
    return make


def counter_stamp(when: datetime | None = IN_2022, *, tsa: Cert | None = None, hash: str = "sha1", over: bytes | None = None,
                  content_type: str = DATA, **si: Any) -> Callable[[bytes], bytes]:
    """For `unsigned=`: a PKCS#9 countersignature. Its certificates belong in the outer bag. scheme="bare" is the oldest style,
    which signs the SHA-1 without a DigestInfo around it."""
    def make(signature: bytes) -> bytes:
        more = [attr(SIGNING_TIME, der.utctime(when))] if when else []
        target = signature if over is None else over
        return attr(COUNTERSIGNATURE, signer_info(tsa or pki().tsa, target, content_type, **{"hash": hash, "more_attrs": more, **si}))
    return make
