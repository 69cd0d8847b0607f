"""Keys, certificates and CRLs made at run time. Nothing here is ever written to the repository.

Certificates are our own DER, so any field can be wrong; `cryptography` only makes keys and signs. `pki()` is the ordinary
world that the cases start from and change one thing in."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Sequence

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from . import der

PUBLISHER = "Orchard Works"

HASH_OID = {"md5": "1.2.840.113549.2.5", "sha1": "1.3.14.3.2.26", "sha224": "2.16.840.1.101.3.4.2.4", "sha256": "2.16.840.1.101.3.4.2.1",
            "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
RSA_WITH = {"md5": "1.2.840.113549.1.1.4", "sha1": "1.2.840.113549.1.1.5", "sha224": "1.2.840.113549.1.1.14",
            "sha256": "1.2.840.113549.1.1.11", "sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13"}
ECDSA_WITH = {"sha1": "1.2.840.10045.4.1", "sha224": "1.2.840.10045.4.3.1", "sha256": "1.2.840.10045.4.3.2",
              "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
RSA_PSS = "1.2.840.113549.1.1.10"
MGF1 = "1.2.840.113549.1.1.8"
ED25519 = "1.3.101.112"

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
EMAIL = "1.3.6.1.5.5.7.3.4"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
ANY_EKU = "2.5.29.37.0"
LIFETIME_SIGNING = "1.3.6.1.4.1.311.10.3.13"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


AT = utc("2026-06-01")              # when every case is judged

# -- keys -----------------------------------------------------------------------------------------------------------------

_CURVES = {"p192": ec.SECP192R1, "p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}


KEYS = Path(__file__).resolve().parents[2] / "build" / "test-keys"   # of this machine, for tests alone


def make_rsa(kind: str) -> Any:
    bits, _, exponent = kind[3:].partition("e")
    return rsa.generate_private_key(int(exponent or 65537), int(bits))


def keep_key(private: Any, file: Path) -> None:
    """Where there is a folder for builds; whole or not at all, since others read it meanwhile."""
    if not KEYS.parent.is_dir():
        return
    KEYS.mkdir(mode=0o700, exist_ok=True)
    fd, name = tempfile.mkstemp(dir=KEYS)
    with open(fd, "wb") as to:
        to.write(private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    os.replace(name, file)


def kept_rsa(kind: str, label: str) -> Any:
    """To make one takes a third of a second and more: each process of each run would make thirty."""
    file = KEYS / hashlib.sha256(f"{kind} {label}".encode()).hexdigest()[:32]
    try:
        return serialization.load_der_private_key(file.read_bytes(), None)
    except (OSError, ValueError):
        private = make_rsa(kind)
    try:
        keep_key(private, file)
    except OSError:                                                 # a folder of somebody else's: then it is made each time
        pass
    return private


@lru_cache(maxsize=None)
def key(kind: str = "rsa2048", label: str = "") -> Any:
    """A private key, the same one for the same words in this process. Kinds: rsaN, rsaNe3, p256, p384, ed25519, ..."""
    if kind.startswith("rsa"):
        return kept_rsa(kind, label)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(_CURVES[kind]())


def spki_of(private: Any) -> bytes:
    return private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def explicit_p256_spki(private: Any) -> bytes:
    """A P-256 key whose curve is spelt out instead of named."""
    p = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    g = bytes.fromhex("046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
                      "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5")
    field_id = der.seq(der.oid("1.2.840.10045.1.1"), der.integer(p))
    curve = der.seq(der.octets((p - 3).to_bytes(32, "big")), der.octets(b.to_bytes(32, "big")))
    params = der.seq(der.integer(1), field_id, curve, der.octets(g), der.integer(n), der.integer(1))
    return der.edit(spki_of(private), (0, 1), params)


def digest(name: str, data: bytes) -> bytes:
    return hashlib.new(name, data, usedforsecurity=False).digest()


def _hash(name: str) -> hashes.HashAlgorithm:
    return getattr(hashes, name.upper())()


def hash_alg(name: str, params: bytes = b"\x05\x00") -> bytes:
    return der.seq(der.oid(HASH_OID[name]), params)


def _pss_params(name: str) -> bytes:
    return der.seq(der.ctx(0, hash_alg(name)), der.ctx(1, der.seq(der.oid(MGF1), hash_alg(name))),
                   der.ctx(2, der.integer(_hash(name).digest_size)))


def sig_alg(private: Any, name: str = "sha256", scheme: str = "pkcs1", bare_rsa: bool = False) -> bytes:
    """AlgorithmIdentifier of a signature. bare_rsa: rsaEncryption, as a SignerInfo of Authenticode mostly says."""
    if isinstance(private, rsa.RSAPrivateKey):
        if scheme == "pss":
            return der.seq(der.oid(RSA_PSS), _pss_params(name))
        return der.seq(der.oid(RSA_ENCRYPTION if bare_rsa else RSA_WITH[name]), der.null())
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return der.seq(der.oid(ED25519))
    return der.seq(der.oid(ECDSA_WITH[name]))


def sign(private: Any, data: bytes, name: str = "sha256", scheme: str = "pkcs1") -> bytes:
    """Schemes of RSA: pkcs1, pss, and bare (the digest alone under PKCS#1 padding, no DigestInfo)."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(data)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(data, ec.ECDSA(_hash(name)))
    if scheme == "pss":
        return private.sign(data, padding.PSS(padding.MGF1(_hash(name)), _hash(name).digest_size), _hash(name))
    if scheme == "bare":
        return raw_rsa(private, digest(name, data))
    if scheme == "pkcs1":
        return private.sign(data, padding.PKCS1v15(), _hash(name))
    raise ValueError(scheme)


def raw_rsa(private: rsa.RSAPrivateKey, payload: bytes) -> bytes:
    """payload under PKCS#1 type 1 padding, whatever it is."""
    numbers = private.private_numbers()
    size = (private.key_size + 7) // 8
    block = b"\0\1" + b"\xff" * (size - 3 - len(payload)) + b"\0" + payload
    return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")


def digest_info(name: str, value: bytes) -> bytes:
    return der.seq(hash_alg(name), der.octets(value))


def forge_e3(bits: int, name: str, data: bytes) -> bytes:
    """A "signature" for any key with exponent 3, made without the key: garbage after a DigestInfo under short padding."""
    size = bits // 8
    start = b"\0\1" + b"\xff" * 8 + b"\0" + digest_info(name, digest(name, data))
    goal = int.from_bytes(start + b"\xff" * (size - len(start)), "big")
    low, high = 0, 1 << (bits // 3 + 1)
    while low < high:                                            # the greatest cube not above the goal
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle ** 3 <= goal else (low, middle - 1)
    assert (low ** 3).to_bytes(size, "big").startswith(start)
    return low.to_bytes(size, "big")


# -- names and extensions --------------------------------------------------------------------------------------------------

_NAME_OID = {"CN": "2.5.4.3", "O": "2.5.4.10", "OU": "2.5.4.11", "C": "2.5.4.6", "L": "2.5.4.7"}


def name(*parts: tuple[str, str | bytes]) -> bytes:
    """name(("O", "x"), ("CN", "y")); a bytes value is a whole TLV of any string type."""
    return der.seq(*(der.set_of(der.seq(der.oid(_NAME_OID[k]), v if isinstance(v, bytes) else der.utf8(v))) for k, v in parts))


def ext(which: str, value: bytes, critical: bool = False) -> bytes:
    return der.seq(der.oid(which), der.boolean(True) if critical else b"", der.octets(value))


def basic(ca: bool = True, path: int | None = None, critical: bool = True) -> bytes:
    inner = (der.boolean(True) if ca else b"") + (der.integer(path) if path is not None else b"")
    return ext("2.5.29.19", der.seq(inner), critical)


DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_ENCIPHERMENT, KEY_CERT_SIGN, CRL_SIGN = 0, 1, 2, 5, 6


def usage(*bits: int, critical: bool = True) -> bytes:
    return ext("2.5.29.15", der.named_bits(*bits), critical)


def eku(*purposes: str, critical: bool = False) -> bytes:
    return ext("2.5.29.37", der.seq(*map(der.oid, purposes)), critical)


def name_constraints(permitted: Sequence[bytes] = (), excluded: Sequence[bytes] = ()) -> bytes:
    """Directory names only."""
    def tree(n: int, names: Sequence[bytes]) -> bytes:
        return der.ctx(n, b"".join(der.seq(der.ctx(4, x)) for x in names)) if names else b""
    return ext("2.5.29.30", der.seq(tree(0, permitted), tree(1, excluded)), True)


def unknown_ext(critical: bool = True) -> bytes:
    return ext("1.3.6.1.4.1.99999.7", der.utf8("nobody knows"), critical)


CA_EXTS = (basic(), usage(KEY_CERT_SIGN, CRL_SIGN))
SIGNER_EXTS = (usage(DIGITAL_SIGNATURE), eku(CODE_SIGNING))
TSA_EXTS = (usage(DIGITAL_SIGNATURE), eku(TIME_STAMPING, critical=True))

# -- certificates ----------------------------------------------------------------------------------------------------------


@dataclass
class Cert:
    der: bytes
    key: Any
    subject: bytes
    issuer: bytes
    serial: int
    chain: list["Cert"] = field(default_factory=list)            # the issuers above, without the root

    @property
    def spki(self) -> bytes:
        about = der.kids(der.kids(self.der)[0])
        return about[6 if about[0][0] == 0xA0 else 5]            # version 1 has no version field

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()

    @property
    def spki_sha256(self) -> str:
        return hashlib.sha256(self.spki).hexdigest()

    @property
    def sid(self) -> bytes:
        """IssuerAndSerialNumber."""
        return der.seq(self.issuer, der.integer(self.serial))

    @property
    def bag(self) -> list[bytes]:
        """This certificate and the intermediates above it, as a signature carries them."""
        return [self.der, *(c.der for c in self.chain)]

    def pem(self) -> str:
        return pem("CERTIFICATE", self.der)


_serial = 0x4F00000000000000


def issue(subject: bytes, issuer: Cert | None, private: Any, exts: Sequence[bytes], *, before: str = "2020-01-01", after: str = "2040-01-01",
          hash: str = "sha256", scheme: str = "pkcs1", version: int = 2, serial: int | None = None, spki: bytes | None = None,
          issuer_name: bytes | None = None, sign_with: Any = None, inner_alg: bytes | None = None, outer_alg: bytes | None = None,
          ids: bool = True, tbs_edit: Callable[[bytes], bytes] | None = None, break_signature: bool = False) -> Cert:
    """A certificate; issuer None makes it self-signed. Every later argument makes it wrong in one way."""
    global _serial
    _serial += 1
    serial = _serial if serial is None else serial
    signer_key = sign_with or (issuer.key if issuer else private)
    spki = spki or spki_of(private)
    above = issuer_name or (issuer.subject if issuer else subject)
    alg = sig_alg(signer_key, hash, scheme)
    all_exts = list(exts)
    if ids:
        own = hashlib.sha1(spki, usedforsecurity=False).digest()
        issuer_id = hashlib.sha1(issuer.spki, usedforsecurity=False).digest() if issuer else own
        all_exts += [ext("2.5.29.14", der.octets(own)), ext("2.5.29.35", der.seq(der.ctx(0, issuer_id, constructed=False)))]
    tbs = der.seq(der.ctx(0, der.integer(version)) if version else b"", der.integer(serial), inner_alg or alg, above,
                  der.seq(der.x509_time(utc(before)), der.x509_time(utc(after))), subject, spki,
                  der.ctx(3, der.seq(*all_exts)) if all_exts and version == 2 else b"")
    if tbs_edit:
        tbs = tbs_edit(tbs)
    signature = sign(signer_key, tbs, hash, scheme)
    if break_signature:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    whole = der.seq(tbs, outer_alg or alg, der.bitstring(signature))
    chain = [] if issuer is None or issuer.issuer == issuer.subject else [issuer, *issuer.chain]
    return Cert(whole, private, subject, above, serial, chain)


def pem(label: str, data: bytes) -> str:
    text = base64.encodebytes(data).decode("ascii").replace("\n", "")
    lines = [text[n:n + 64] for n in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def write_pem(path: Path, *certs: Cert) -> Path:
    path.write_text("".join(c.pem() for c in certs), encoding="ascii")
    return path


# -- revocation ------------------------------------------------------------------------------------------------------------

def revoked(cert: Cert | int, when: str, reason: int | None = None, invalid_since: str | None = None) -> bytes:
    """One entry. Reasons: 1 keyCompromise, 2 cACompromise, 4 superseded, 5 cessationOfOperation, ..."""
    exts = b""
    if reason is not None:
        exts += ext("2.5.29.21", der.enumerated(reason))
    if invalid_since:
        exts += ext("2.5.29.24", der.gentime(utc(invalid_since)))
    serial = cert if isinstance(cert, int) else cert.serial
    return der.seq(der.integer(serial), der.x509_time(utc(when)), der.seq(exts) if exts else b"")


def crl(issuer: Cert, entries: Sequence[bytes] = (), *, this: str = "2026-05-25", next: str | None = "2026-07-01", hash: str = "sha256",
        exts: Sequence[bytes] = (), sign_with: Any = None, break_signature: bool = False) -> bytes:
    signer_key = sign_with or issuer.key
    alg = sig_alg(signer_key, hash)
    number = ext("2.5.29.20", der.integer(7))
    key_id = ext("2.5.29.35", der.seq(der.ctx(0, hashlib.sha1(issuer.spki, usedforsecurity=False).digest(), constructed=False)))
    tbs = der.seq(der.integer(1), alg, issuer.subject, der.x509_time(utc(this)), der.x509_time(utc(next)) if next else b"",
                  der.seq(*entries) if entries else b"", der.ctx(0, der.seq(key_id, number, *exts)))
    signature = sign(signer_key, tbs, hash)
    if break_signature:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    return der.seq(tbs, alg, der.bitstring(signature))


def crl_points(*urls: str, more: Sequence[bytes] = ()) -> bytes:
    """An extension with one distribution point that has these addresses; `more` are whole DistributionPoints after it."""
    names = [der.ctx(6, url.encode("latin-1"), constructed=False) for url in urls]
    points = [der.seq(der.ctx(0, der.ctx(0, b"".join(names))))] if urls else []
    return ext("2.5.29.31", der.seq(*points, *more))


# -- the ordinary world ----------------------------------------------------------------------------------------------------

ORCHARD = name(("O", PUBLISHER), ("CN", PUBLISHER))


def leaf(issuer: Cert | None = None, *, subject: bytes = ORCHARD, kind: str = "rsa2048", label: str = "leaf", exts: Sequence[bytes] = SIGNER_EXTS,
         before: str = "2025-01-01", after: str = "2027-01-01", **wrong: Any) -> Cert:
    """A code-signing certificate under the intermediate; any argument changes it."""
    return issue(subject, issuer or pki().inter, key(kind, label), exts, before=before, after=after, **wrong)


def intermediate(issuer: Cert | None = None, *, cn: str = "Kit Other Intermediate", kind: str = "rsa2048", label: str = "inter2",
                 exts: Sequence[bytes] = CA_EXTS, before: str = "2021-01-01", after: str = "2038-01-01", **wrong: Any) -> Cert:
    return issue(name(("O", "Kit Trust"), ("CN", cn)), issuer or pki().root, key(kind, label), exts, before=before, after=after, **wrong)


def tsa(issuer: Cert | None = None, *, cn: str = "Kit Clock", kind: str = "rsa2048", label: str = "tsa", exts: Sequence[bytes] = TSA_EXTS,
        before: str = "2021-01-01", after: str = "2035-01-01", **wrong: Any) -> Cert:
    return issue(name(("O", "Kit Time"), ("CN", cn)), issuer or pki().tsa_root, key(kind, label), exts, before=before, after=after, **wrong)


@lru_cache(maxsize=None)
def pki() -> SimpleNamespace:
    """root > inter > leaf and expired (2022), tsa_root > tsa; other_root > other_inter > stranger is a world nobody trusts.

    Leaves live 2025-2027 and everything is judged on 2026-06-01; timestamps on an expired leaf are of 2022-06-15."""
    w = SimpleNamespace()
    w.root = issue(name(("O", "Kit Trust"), ("CN", "Kit Root")), None, key("rsa2048", "root"), CA_EXTS)
    w.inter = issue(name(("O", "Kit Trust"), ("CN", "Kit Intermediate")), w.root, key("rsa2048", "inter"), CA_EXTS,
                    before="2021-01-01", after="2038-01-01")
    w.tsa_root = issue(name(("O", "Kit Time"), ("CN", "Kit Time Root")), None, key("rsa2048", "tsa_root"), CA_EXTS)
    w.leaf = leaf(w.inter)
    w.expired = leaf(w.inter, before="2022-01-01", after="2023-01-01")
    w.p256 = leaf(w.inter, kind="p256")
    w.p384 = leaf(w.inter, kind="p384")
    w.no_eku = leaf(w.inter, exts=(usage(DIGITAL_SIGNATURE),))
    w.server_auth = leaf(w.inter, exts=(usage(DIGITAL_SIGNATURE), eku(SERVER_AUTH)))
    w.other_publisher = leaf(w.inter, label="other", subject=name(("O", "Pear Yard"), ("CN", "Pear Yard")))
    w.tsa = tsa(w.tsa_root)
    w.other_root = issue(name(("O", "Stranger"), ("CN", "Stranger Root")), None, key("rsa2048", "other_root"), CA_EXTS)
    w.other_inter = issue(name(("O", "Stranger"), ("CN", "Stranger Intermediate")), w.other_root, key("rsa2048", "other_inter"), CA_EXTS)
    w.stranger = leaf(w.other_inter, label="stranger")
    w.other_tsa = tsa(w.other_root, label="other_tsa")
    return w
