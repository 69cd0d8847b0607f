"""Files built to cost time or memory: each as large, as deep or as many as its format and our limits allow.

An evil is a folder with one file to verify. Most are refused; what counts is what it takes to say so."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Sequence

from cryptography.hazmat.primitives.asymmetric import ec

from . import big, cab, cat, cfb, cms, der, detached, minisign, msi, pe, script
from . import pki as pk
from .case import Built, trust

MIB = 1 << 20
SIGNATURE_MAX = 16 * MIB                    # what a signature in a file may take
EVILS: list["Evil"] = []


@dataclass
class Evil:
    name: str
    build: Callable[[Path], Built]


def evil(name: str, file: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Names a function that makes the file's bytes, or a dictionary of files by name of which the first is verified."""
    def add(make: Callable[[], Any]) -> Callable[[], Any]:
        def build(folder: Path) -> Built:
            made = make()
            files = made if isinstance(made, dict) else {file: made}
            for name, data in files.items():
                (folder / name).write_bytes(data)
            words = ["--key", str(folder / "kit.pub")] if "kit.pub" in files else trust(folder)
            if "list.cat" in files:
                words += ["--catalog", str(folder / "list.cat")]
            return Built(folder / next(iter(files)), words)
        EVILS.append(Evil(name, build))
        return make
    return add


def evil_path(name: str, file: str) -> Callable[[Callable[[Path], Any]], Callable[[Path], Any]]:
    """Names a function that writes the file itself."""
    def add(make: Callable[[Path], Any]) -> Callable[[Path], Any]:
        def build(folder: Path) -> Built:
            make(folder / file)
            return Built(folder / file, trust(folder))
        EVILS.append(Evil(name, build))
        return make
    return add


NULL = der.null()
NULLS = NULL * (SIGNATURE_MAX // 2 - 8192)


def deep(levels: int, inner: bytes = b"") -> bytes:
    for _ in range(levels):
        inner = der.seq(inner)
    return inner


# ==== DER and SignedData ==================================================================================================


@evil("nulls_in_content", "a.exe")
def _nulls_in_content() -> bytes:
    """Eight million empty values in the SpcIndirectDataContent."""
    return pe.signed(spc_edit=lambda spc: der.seq(der.body(spc) + der.seq(NULLS)))


@evil("nulls_in_page_hashes", "a.exe")
def _nulls_in_page_hashes() -> bytes:
    image = pe.Image()
    link = der.ctx(1, der.octets(cms.PAGE_HASH_CLASS) + der.octets(der.set_raw(NULLS)))
    data = der.seq(der.oid(cms.SPC_PE), der.seq(der.bitstring(b""), der.ctx(0, link)))
    return pe.signed(image, spc_edit=lambda _: cms.indirect(data, pe.digest(image.bytes(), image)))


@evil("nulls_in_signed_attribute", "a.exe")
def _nulls_in_signed_attribute() -> bytes:
    return pe.signed(si={"more_attrs": (der.seq(der.oid("1.2.3.4"), der.set_raw(NULLS)),), "sort": False})


@evil("nulls_in_unsigned_attribute", "a.exe")
def _nulls_in_unsigned_attribute() -> bytes:
    return pe.signed(unsigned=[der.seq(der.oid("1.2.3.4"), der.set_raw(NULLS))])


@evil("nulls_in_timestamp", "a.exe")
def _nulls_in_timestamp() -> bytes:
    return pe.signed(unsigned=[der.seq(der.oid(cms.RFC3161), der.set_raw(NULLS))])


@evil("nulls_in_tst_info", "a.exe")
def _nulls_in_tst_info() -> bytes:
    return pe.signed(unsigned=[cms.stamp(cms.IN_2026, tst={"extensions": NULLS})])


@evil("nulls_in_bag", "a.exe")
def _nulls_in_bag() -> bytes:
    return pe.signed(more_certs=[der.ctx(3, NULLS)], sd={"sort_certs": False})


@evil("sequences_63_deep", "a.exe")
def _deep_many() -> bytes:
    one = deep(55)
    return pe.signed(spc_edit=lambda spc: der.seq(der.body(spc) + der.seq(one * ((SIGNATURE_MAX - MIB) // len(one)))))


@evil("sequences_a_million_deep", "a.exe")
def _deep_far() -> bytes:
    inner = bytearray()
    length = 0
    for _ in range(1_000_000):                                  # from the inside out, reversed
        head = der.tlv(0x30) if length == 0 else b"\x30" + der.length(length)
        inner += head[::-1]
        length += len(head)
    return pe.signed(spc_edit=lambda spc: der.seq(der.body(spc) + bytes(reversed(inner))))


@evil("attributes_by_the_million", "a.exe")
def _attributes() -> bytes:
    one = cms.attr("1.2.3.4", NULL)
    return pe.signed(unsigned=[one * (10 * MIB // len(one))])


@evil("nested_by_the_thousand", "a.exe")
def _nested_many() -> bytes:
    return pe.signed(unsigned=[der.seq(der.oid(cms.NESTED), der.set_raw(deep(3) * MIB))])


@evil("nested_in_nested", "a.exe")
def _nested_chain() -> bytes:
    image = pe.Image()
    spc, inner = pe.spc(image.bytes(), image), None
    for _ in range(200):
        inner = cms.authenticode(spc, unsigned=[cms.nested(inner)] if inner else [])
    return pe.signed(image, unsigned=[cms.nested(inner)])


@evil("oid_of_16_mib", "a.exe")
def _long_oid() -> bytes:
    return pe.signed(unsigned=[der.seq(der.tlv(0x06, b"\x81" * (15 * MIB) + b"\1"), der.set_raw(NULL))])


@evil("program_name_of_15_mib", "a.exe")
def _long_name() -> bytes:
    return pe.signed(program="\u202e" * (7 * MIB))


@evil("serial_of_15_mib", "a.exe")
def _long_serial() -> bytes:
    return pe.signed(si={"sid": der.seq(pk.pki().leaf.issuer, der.integer_raw(b"\1" * (15 * MIB)))})


@evil("signature_of_15_mib", "a.exe")
def _long_signature() -> bytes:
    return pe.signed(si={"signature": b"\1" * (15 * MIB)})


@evil("ecdsa_signature_of_15_mib", "a.exe")
def _long_ecdsa() -> bytes:
    return pe.signed(signer=pk.pki().p256, si={"signature": der.seq(der.integer_raw(b"\1" * (7 * MIB)), der.integer_raw(b"\1" * (7 * MIB)))})


@evil("time_with_15_mib_of_fraction", "a.exe")
def _long_fraction() -> bytes:
    return pe.signed(unsigned=[cms.stamp(cms.IN_2026, tst_edit=lambda info: der.edit(info, (4,), der.tlv(0x18, b"20260203000000." + b"1" * (15 * MIB) + b"Z")))])


@evil("detached_of_nulls", "a.bin")
def _detached_nulls() -> dict[str, bytes]:
    info = detached.sign(b"x", si={"more_attrs": (der.seq(der.oid("1.2.3.4"), der.set_raw(NULL * 500_000)),), "sort": False})
    return {"a.bin": b"x", "a.bin.p7s": info[:MIB]}


@evil("pem_begins_by_the_thousand", "a.bin")
def _pem_begins() -> dict[str, bytes]:
    return {"a.bin": b"x", "a.bin.p7s": (b"-----BEGIN CMS-----\n" * 60_000)[:MIB]}


@evil("pem_blocks_by_the_thousand", "a.bin")
def _pem_blocks() -> dict[str, bytes]:
    return {"a.bin": b"x", "a.bin.p7s": (b"-----BEGIN CMS-----\nMAAA\n-----END CMS-----\n" * 60_000)[:MIB]}


@evil("pem_of_line_ends", "a.bin")
def _pem_line_ends() -> dict[str, bytes]:
    return {"a.bin": b"x", "a.bin.p7s": b"\n" * (MIB - 100) + b"-----BEGIN CMS-----\n"}


@evil("minisign_comment_of_a_megabyte", "a.bin")
def _comment() -> dict[str, bytes]:
    key = minisign.Key()
    return {"a.bin": b"x", "a.bin.minisig": minisign.sign(key, b"x", untrusted="y" * (MIB - 1000)), "kit.pub": key.public_file()}


@evil("minisign_trusted_comment_of_controls", "a.bin")
def _trusted_comment() -> dict[str, bytes]:
    key = minisign.Key()
    return {"a.bin": b"x", "a.bin.minisig": minisign.sign(key, b"x", trusted="\u202e" * 5000), "kit.pub": key.public_file()}


@evil("minisign_legacy_of_16_mib", "a.bin")
def _legacy() -> dict[str, bytes]:
    key, content = minisign.Key(), bytes(16 * MIB)
    return {"a.bin": content, "a.bin.minisig": minisign.sign(key, content, b"Ed"), "kit.pub": key.public_file()}


# ==== certificates ========================================================================================================


def in_token(bag: Sequence[bytes]) -> cms.Unsigned:
    return cms.stamp(cms.IN_2026, more_certs=bag)


def everywhere(bag_of: Callable[[int], Sequence[bytes]]) -> bytes:
    """A bag in the signature, one in its timestamp, and the same in each of as many nested ones as there may be."""
    image = pe.Image()
    spc = pe.spc(image.bytes(), image)
    nested = [cms.authenticode(spc, more_certs=bag_of(2 * n + 2), unsigned=[in_token(bag_of(2 * n + 3))]) for n in range(4)]
    return pe.signed(image, more_certs=bag_of(0), unsigned=[in_token(bag_of(1)), cms.nested(*nested)])


@lru_cache(maxsize=None)
def curve_key(name: str) -> Any:
    return ec.generate_private_key(getattr(ec, name)())


def namesakes(private: Any, n: int, seed: int = 0, **how: Any) -> list[bytes]:
    """Certificates of one name, each of which may have issued each."""
    name = pk.name(("CN", f"Kit Namesake {seed}"))
    return [pk.issue(name, None, private, pk.CA_EXTS, hash="sha256", ids=False, **how).der for _ in range(n)]


for _curve in ("SECT571R1", "BrainpoolP512R1", "SECP521R1", "SECP384R1"):
    @evil("bag_of_namesakes_" + _curve.lower(), "a.exe")
    def _namesakes(curve: str = _curve) -> bytes:
        return pe.signed(more_certs=namesakes(curve_key(curve), 60))

    @evil("bags_everywhere_" + _curve.lower(), "a.exe")
    def _namesakes_everywhere(curve: str = _curve) -> bytes:
        return everywhere(lambda n: namesakes(curve_key(curve), 16, n))


def rsa_spki(bits: int, exponent: int) -> bytes:
    """A public key that nobody has the other half of."""
    modulus = random.Random(bits).getrandbits(bits) | 1 | 1 << (bits - 1)
    return der.seq(der.seq(der.oid(pk.RSA_ENCRYPTION), der.null()), der.bitstring(der.seq(der.integer(modulus), der.integer(exponent))))


def with_signature(cert: bytes, bits: int) -> bytes:
    """The certificate with a signature as long as such a key makes."""
    return der.edit(cert, (2,), der.bitstring(b"\0" + bytes(range(1, 256)) * (bits // 2040) + bytes(bits // 8 - 1 - bits // 2040 * 255)))


def rsa_bag(bits: int, exponent: int, n: int, seed: int = 0) -> list[bytes]:
    return [with_signature(c, bits) for c in namesakes(pk.key(), n, seed, spki=rsa_spki(bits, exponent))]


for _bits, _exponent in ((8192, (1 << 33) - 1), (16384, 65537), (16384, (1 << 16383) + 1), (2_000_000, 3)):
    @evil(f"bag_of_rsa_{_bits}_e{_exponent.bit_length()}", "a.exe")
    def _rsa(bits: int = _bits, exponent: int = _exponent) -> bytes:
        return pe.signed(more_certs=rsa_bag(bits, exponent, min(60, 8 * MIB // (bits // 8 * 2))))


@evil("bag_of_rsa_1000000", "a.exe")
def _rsa_huge() -> bytes:
    """Keys as long as a certificate may be, whose owners sign themselves with something short."""
    return pe.signed(more_certs=namesakes(pk.key(), 3, spki=rsa_spki(1_000_000, 65537)))


@evil("bags_everywhere_rsa_8192", "a.exe")
def _rsa_everywhere() -> bytes:
    return everywhere(lambda n: rsa_bag(8192, (1 << 33) - 1, 16, n))


@evil("bags_everywhere_rsa_4096", "a.exe")
def _rsa_4096_everywhere() -> bytes:
    return everywhere(lambda n: rsa_bag(4096, 65537, 16, n))


@evil("bags_everywhere_explicit_curves", "a.exe")
def _explicit() -> bytes:
    private = pk.key("p256", "explicit")
    return everywhere(lambda n: namesakes(private, 60, n, spki=pk.explicit_p256_spki(private)))


@evil("bags_everywhere_of_many_keys", "a.exe")
def _many_keys() -> bytes:
    """Certificates with nothing wrong, as many as fit."""
    def bag(n: int) -> list[bytes]:
        return [pk.issue(pk.name(("CN", f"Kit Many {n} {i}")), None, pk.key(), pk.CA_EXTS, ids=False).der for i in range(60)]
    return everywhere(bag)


@evil("bags_everywhere_of_long_names", "a.exe")
def _long_names() -> bytes:
    """As many parts of names as the whole signature can hold."""
    parts = der.set_of(der.seq(der.oid("2.5.4.11"), der.utf8("x"))) * 800
    return everywhere(lambda n: [pk.issue(der.seq(parts, der.set_of(der.seq(der.oid("2.5.4.3"), der.utf8(str(n * 60 + i))))), None, pk.key(),
                                          pk.CA_EXTS, ids=False).der for i in range(30)])


@evil("bag_of_long_names", "a.exe")
def _longest_names() -> bytes:
    parts = der.set_of(der.seq(der.oid("2.5.4.11"), der.utf8("x"))) * 8_000
    return pe.signed(more_certs=[pk.issue(der.seq(parts, der.set_of(der.seq(der.oid("2.5.4.3"), der.utf8(str(i))))), None, pk.key(),
                                          pk.CA_EXTS, ids=False).der for i in range(60)])


@evil("bag_of_one_wide_name", "a.exe")
def _wide_names() -> bytes:
    """A set of values that must be sorted."""
    parts = der.set_raw(*(der.seq(der.oid("2.5.4.11"), der.utf8(f"{i:05}")) for i in range(8_000)))
    return pe.signed(more_certs=[pk.issue(der.seq(parts, der.set_of(der.seq(der.oid("2.5.4.3"), der.utf8(str(i))))), None, pk.key(),
                                          pk.CA_EXTS, ids=False).der for i in range(60)])


@evil("signer_of_a_long_name", "a.exe")
def _signer_long_name() -> bytes:
    parts = der.set_of(der.seq(der.oid("2.5.4.11"), der.utf8("x" * 20))) * 7_000
    return pe.signed(signer=pk.leaf(subject=der.seq(parts)))


def san(n: int, seed: int = 0) -> bytes:
    return pk.ext("2.5.29.17", der.seq(*(der.tlv(0x82, f"a{seed}-{i}.example".encode()) for i in range(n))))


def constraints(n: int) -> bytes:
    return pk.ext("2.5.29.30", der.seq(der.ctx(0, b"".join(der.seq(der.tlv(0x82, f"b{i}.example".encode())) for i in range(n)))), True)


@evil("names_against_constraints", "a.exe")
def _constraints() -> bytes:
    """An authority under our own root that constrains, and a leaf that names."""
    ca = pk.intermediate(exts=(*pk.CA_EXTS, constraints(8_000)))
    return pe.signed(signer=pk.leaf(ca, exts=(*pk.SIGNER_EXTS, san(8_000))))


@evil("names_against_constraints_just_below_openssl_s_own_limit", "a.exe")
def _constraints_below() -> bytes:
    chain = pk.pki().root
    for i in range(8):
        chain = pk.intermediate(chain, cn=f"Kit Constrained {i}", exts=(*pk.CA_EXTS, constraints(900), san(900, i)))
    return pe.signed(signer=pk.leaf(chain, exts=(*pk.SIGNER_EXTS, san(1_000))))


def policies(n: int, mapped: bool) -> tuple[bytes, ...]:
    oids = [der.oid(f"1.3.6.1.4.1.99999.{i}") for i in range(n)]
    out = [pk.ext("2.5.29.32", der.seq(*(der.seq(o) for o in oids)))]
    if mapped:
        out.append(pk.ext("2.5.29.33", der.seq(*(der.seq(a, b) for a in oids for b in oids))))
    return tuple(out)


@evil("policies_that_map_to_each_other", "a.exe")
def _policies() -> bytes:
    chain = pk.pki().root
    for i in range(8):
        chain = pk.intermediate(chain, cn=f"Kit Mapping {i}", exts=(*pk.CA_EXTS, *policies(12, True)))
    return pe.signed(signer=pk.leaf(chain, exts=(*pk.SIGNER_EXTS, *policies(12, False))))


def mesh(n: int, kind: str, seed: int = 0) -> tuple[pk.Cert, list[bytes]]:
    """Authorities that all have one name and one key, the first of them signed by our root: each may have issued each."""
    private = curve_key(kind) if kind.startswith(("SEC", "Brain")) else pk.key(kind, "mesh")
    name = pk.name(("O", "Kit Trust"), ("CN", f"Kit Mesh {seed}"))
    first = pk.issue(name, pk.pki().root, private, pk.CA_EXTS, ids=False)
    rest = [pk.issue(name, first, private, pk.CA_EXTS, ids=False) for _ in range(n - 1)]
    leaf = pk.leaf(first, exts=pk.SIGNER_EXTS, ids=False, before="2030-01-01", after="2031-01-01")     # no way is the right one
    return leaf, [first.der, *(c.der for c in rest)]


for _kind in ("rsa4096", "SECP384R1"):
    @evil("mesh_of_authorities_" + _kind.lower(), "a.exe")
    def _mesh(kind: str = _kind) -> bytes:
        leaf, bag = mesh(15, kind)
        return pe.signed(signer=leaf, sd={"certs": [leaf.der, *bag]})

    @evil("mesh_of_authorities_everywhere_" + _kind.lower(), "a.exe")
    def _mesh_everywhere(kind: str = _kind) -> bytes:
        image = pe.Image()
        spc = pe.spc(image.bytes(), image)
        made = [mesh(15, kind, n) for n in range(5)]
        signatures = [cms.authenticode(spc, leaf, sd={"certs": [leaf.der, *bag]}) for leaf, bag in made[1:]]
        leaf, bag = made[0]
        return pe.signed(image, leaf, sd={"certs": [leaf.der, *bag]}, unsigned=[cms.nested(*signatures)])


@evil("small_meshes_everywhere", "a.exe")
def _small_meshes() -> bytes:
    """As many meshes as a file may have signatures, each as large as the pairs of names allow."""
    image = pe.Image()
    spc = pe.spc(image.bytes(), image)
    made = [mesh(6, "SECP384R1", n) for n in range(5)]
    signatures = [cms.authenticode(spc, leaf, sd={"certs": [leaf.der, *bag]}) for leaf, bag in made[1:]]
    leaf, bag = made[0]
    return pe.signed(image, leaf, sd={"certs": [leaf.der, *bag]}, unsigned=[cms.nested(*signatures)])


@evil("meshes_of_signers_and_clocks", "a.exe")
def _clock_meshes() -> bytes:
    image = pe.Image()
    spc = pe.spc(image.bytes(), image)

    def one(n: int, **how: Any) -> bytes:
        leaf, bag = mesh(5, "SECP384R1", n)
        return cms.authenticode(spc, leaf, **{"sd": {"certs": [leaf.der, *bag]}, "unsigned": [clock(n)], **how})

    def clock(n: int) -> Any:
        private = curve_key("SECP384R1")
        name = pk.name(("O", "Kit Time"), ("CN", f"Kit Clocks {n}"))
        first = pk.issue(name, pk.pki().tsa_root, private, pk.CA_EXTS, ids=False)
        rest = [pk.issue(name, first, private, pk.CA_EXTS, ids=False).der for _ in range(4)]
        tsa = pk.tsa(first, ids=False, before="2030-01-01", after="2031-01-01")
        return cms.stamp(cms.IN_2026, tsa=tsa, certs=[tsa.der, first.der, *rest])
    nested = cms.nested(*(one(n) for n in range(1, 5)))
    return pe.embed(image.bytes(), image, pe.win_certificate(one(0, unsigned=[clock(0), nested])))


@evil("mesh_that_nobody_signed", "a.exe")
def _mesh_unsigned() -> bytes:
    """Sixty certificates with the names of our authorities and no signature of theirs."""
    w = pk.pki()
    bag = [pk.issue(w.inter.subject, w.root, pk.key("p256", "fake"), pk.CA_EXTS, ids=False, sign_with=pk.key("rsa2048", "fake")).der for _ in range(60)]
    leaf = pk.leaf(w.inter, ids=False, sign_with=pk.key("p256", "fake"))
    return pe.signed(signer=leaf, sd={"certs": [leaf.der, *bag]})


@evil("chain_of_sixty", "a.exe")
def _chain() -> bytes:
    chain = pk.pki().root
    for i in range(60):
        chain = pk.intermediate(chain, cn=f"Kit Step {i}")
    leaf = pk.leaf(chain)
    return pe.signed(signer=leaf, sd={"certs": leaf.bag})


# ==== PE ==================================================================================================================


@evil("pe_of_65535_sections", "a.exe")
def _sections() -> bytes:
    return pe.Image(n_sections=65535).bytes() + bytes(40 * 65535)


@evil("pe_of_1024_sections_in_no_order", "a.exe")
def _sections_reversed() -> bytes:
    headers = 0x400 + 40 * 1024
    sections = [pe.Section(b"s", 0x1000, headers + 512 * (1023 - i), bytes(512)) for i in range(1024)]
    return pe.signed(pe.Image(sections=sections, headers_size=headers))


@evil("page_hashes_of_16_mib", "a.exe")
def _page_hashes() -> bytes:
    return pe.signed(pages="sha256", pages_edit=lambda table: (table * (15 * MIB // len(table))))


def many_page_hashes(path: Path) -> None:
    """A program of 24 MiB under five signatures, each with page hashes of both kinds in turn and an algorithm of its own."""
    image = pe.Image(sections=[pe.Section(b".text", 0x1000, 0x200, b"".join(big.noise(24 * MIB)))])
    data = image.bytes()
    tables = {hash: pe.page_hashes(data, image, hash) for hash in ("sha1", "sha256")}

    def one(n: int, **how: Any) -> bytes:
        hash, pages = ("sha256", "sha384", "sha512", "sha1")[n % 4], ("sha1", "sha256")[n % 2]
        spc = cms.indirect(cms.pe_data(tables[pages], pages), pe.digest(data, image, hash), hash)
        return cms.authenticode(spc, hash=hash, **how)
    outer = one(0, unsigned=[cms.nested(*(one(n + 1) for n in range(4)))])
    path.write_bytes(pe.embed(data, image, pe.win_certificate(outer)))


evil_path("five_signatures_with_page_hashes", "a.exe")(many_page_hashes)


# ==== MSI =================================================================================================================


def crowd(n: int, size: int = 0) -> cfb.Entry:
    root = msi.tree(100)
    root.children += [cfb.Entry(f"{i:05}" + "k" * 26, bytes(size)) for i in range(n)]
    return root


@evil("msi_of_65000_streams", "a.msi")
def _crowd() -> bytes:
    return msi.signed(crowd(65_000))


@evil("msi_of_65000_storages", "a.msi")
def _storages() -> bytes:
    root = msi.tree(100)
    root.children += [cfb.storage(f"{i:05}" + "k" * 26, []) for i in range(65_000)]
    return msi.signed(root)


def in_a_line(image: cfb.Image) -> None:
    """Hangs the root's children one under the other."""
    kids = sorted((d for d in image.dirents[1:] if d.kind), key=lambda d: cfb.tree_key(d.entry))
    order = {id(d): n for n, d in enumerate(image.dirents)}
    image.dirents[0].child = order[id(kids[0])]
    for d, after in zip(kids, [*kids[1:], None]):
        d.left, d.right = cfb.NONE, cfb.NONE if after is None else order[id(after)]


@evil("msi_of_65000_streams_in_a_line", "a.msi")
def _line() -> bytes:
    return msi.signed(crowd(65_000), edit=in_a_line)


@evil("msi_of_mini_sectors_backwards", "a.msi")
def _minis() -> bytes:
    """Half a million mini sectors, none beside the next of its stream: zeroes but for one byte in each stream."""
    root = msi.tree(100)
    root.children += [cfb.Entry(f"{i:05}", b"x" + bytes(4031)) for i in range(8_000)]

    def backwards(image: cfb.Image) -> None:
        n = len(image.minifat)
        content = b"".join(bytes(image.sectors[at]) for at in image.chain["mini"])[:n * 64].ljust(n * 64, b"\0")
        turned = b"".join(content[i * 64:i * 64 + 64] for i in reversed(range(n)))
        image.minifat = [cfb.END if image.minifat[n - 1 - i] == cfb.END else n - 1 - image.minifat[n - 1 - i] for i in range(n)]
        for d in image.dirents:
            if d.kind == cfb.STREAM and 0 < d.size < cfb.CUTOFF:
                d.start = n - 1 - d.start
        for i, at in enumerate(image.chain["mini"]):
            image.sectors[at] = turned[i * image.sector:(i + 1) * image.sector].ljust(image.sector, b"\0")
        image.dirents[0].size = n * 64
    return msi.signed(root, edit=backwards)


@evil("msi_of_sectors_backwards", "a.msi")
def _backwards() -> bytes:
    return msi.signed(msi.tree(32 * MIB), layout={"order": "reversed"})


@evil("msi_of_tables", "a.msi")
def _tables() -> bytes:
    """The longest FAT, mini FAT, directory and signature that the limits allow, in a file of some 45 MiB."""
    root = msi.tree(100)
    root.children += [cfb.Entry(f"{i:05}", b"") for i in range(65_000)]
    maker = msi.maker()
    msi.sign(root, lambda value: maker(value) + bytes(SIGNATURE_MAX - 16384))
    image = cfb.Compound(root, 3).layout()
    per, zero = 128, struct.pack("<128I", *[cfb.FREE] * 128)
    wanted, wanted_mini = (4 << 20) // per, (1 << 20) // per
    mini = [image.add_sector(zero) for _ in range(wanted_mini - image.n_minifat)]
    image.fat[image.chain["minifat"][-1]] = mini[0]
    for at, after in zip(mini, [*mini[1:], cfb.END]):
        image.fat[at] = after
    image.minifat += [cfb.FREE] * (wanted_mini * per - len(image.minifat))
    image.chain["minifat"] += mini
    image.n_minifat = wanted_mini
    fat = [image.add_sector(zero, cfb.FATSECT) for _ in range(wanted - image.n_fat)]
    image.chain["fat"] += fat
    n_difat = -(-(wanted - 109) // (per - 1))
    difat = [image.add_sector(b"", cfb.DIFSECT) for _ in range(n_difat - image.n_difat)]
    image.chain.setdefault("difat", []).extend(difat)
    image.n_fat, image.n_difat, image.difat_start = wanted, n_difat, image.chain["difat"][0]
    image.difat, image.difat_rest = image.chain["fat"][:109], image.chain["fat"][109:]
    return image.pack()


@evil("msi_of_ranges_that_nothing_covers", "a.msi")
def _ranges() -> bytes:
    """Every second sector is free and not zero."""
    def holes(image: cfb.Image) -> None:
        free = image.add_sector(b"x" * image.sector)
        for n in range(60_000):
            image.add_sector(b"x" * image.sector, cfb.FREE if n % 2 else cfb.END)
        image.fat[free] = cfb.FREE
        per = image.sector // 4
        while len(image.chain["fat"]) * per < len(image.fat):
            at = image.add_sector(b"", cfb.FATSECT)
            image.chain["fat"].append(at)
        last = image.add_sector(b"", cfb.FATSECT)
        image.chain["fat"].append(last)
        rest = len(image.chain["fat"]) - 109
        image.chain["difat"] = [image.add_sector(b"", cfb.DIFSECT) for _ in range(-(-rest // (per - 1)))]
        image.n_fat, image.n_difat, image.difat_start = len(image.chain["fat"]), len(image.chain["difat"]), image.chain["difat"][0]
        image.difat, image.difat_rest = image.chain["fat"][:109], image.chain["fat"][109:]
    return msi.signed(edit=holes)


@evil("msi_of_a_circle", "a.msi")
def _circle() -> bytes:
    def circle(image: cfb.Image) -> None:
        chain = image.chain[msi.encode_name("kit.cab")]
        image.fat[chain[-1]] = chain[0]
    return msi.signed(msi.tree(16 * MIB), edit=circle)


# ==== CAB =================================================================================================================


def cabinet(folders: bytes, blocks: bytes) -> bytes:
    """A signed cabinet of any folders and blocks."""
    n = len(folders) // 8
    entry = struct.pack("<IIHHHH", 1, 0, 0, 0x5D79, 0x1C11, 0x20) + b"a\0"
    size = 60 + len(folders) + len(entry) + len(blocks)

    def whole(sig_size: int) -> bytes:
        return b"MSCF" + struct.pack("<IIIIIHHHHHH", 0, size, 0, 60 + len(folders), 0, 0x0103, n, 1, cab.RESERVE, 0, 0) + \
            struct.pack("<HBBIII", 20, 0, 0, 0x00100000, size, sig_size) + bytes(8) + folders + entry + blocks
    plain = whole(0)
    raw = cab.pad8(cab.maker()(cab.digest(plain, size)))
    return whole(len(raw)) + raw


@evil("cab_of_half_a_million_empty_blocks", "a.cab")
def _blocks() -> bytes:
    n_folders = 8
    at = 60 + 8 * n_folders + 18
    folders = b"".join(struct.pack("<IHH", at + i * 65535 * 8, 65535, 0) for i in range(n_folders))
    return cabinet(folders, bytes(8 * 65535 * n_folders))


@evil("cab_of_65535_folders_with_the_same_blocks", "a.cab")
def _folders() -> bytes:
    n_folders = 65535
    at = 60 + 8 * n_folders + 18
    return cabinet(struct.pack("<IHH", at, 65535, 0) * n_folders, bytes(8 * 65535))


# ==== scripts =============================================================================================================

TEXT_MAX = 16 * MIB
BEGIN = script.KINDS["ps1"].begin.encode()


def filled(line: bytes, size: int = TEXT_MAX) -> bytes:
    return line * (size // len(line))


def text_evil(name: str, line: bytes, file: str = "a.ps1") -> None:
    evil("script_of_" + name, file)(lambda: filled(line))


text_evil("begin_lines", BEGIN + b"\r\n")
text_evil("begin_lines_in_capitals", BEGIN.upper() + b"\n")
text_evil("lines_that_almost_begin", BEGIN[:-1] + b"\n")
text_evil("xml_lines_that_almost_begin", b"<!-- SIG # Begin signature block --\n", "a.ps1xml")
text_evil("line_ends", b"\n")
text_evil("carriage_returns", b"\r")
text_evil("comment_marks", b"#\n")
text_evil("slashes", b"/\n", "a.js")
text_evil("signature_elements", b"<signature>\r\n** SIG ** AAAA\r\n", "a.wsf")
text_evil("signature_elements_and_air", b"<signature>" + b"\n" * 4000, "a.wsf")
text_evil("param", b"param(\n")
text_evil("utf16_line_ends", b"\n\0")
text_evil("open_comments", b"<#\n")


@evil("script_of_a_block_of_12_mib", "a.ps1")
def _long_block() -> bytes:
    kind = script.KINDS["ps1"]
    inner = der.seq(NULL * (5 * MIB))
    return b"param()\r\n" + script.block(kind, inner).encode()


@evil("script_of_utf16_block", "a.ps1")
def _long_block_16() -> bytes:
    kind = script.KINDS["ps1"]
    return b"\xff\xfe" + ("param()\r\n" + script.block(kind, der.seq(NULL * (5 * MIB // 2)))).encode("utf-16-le")


@evil("script_of_bytes_that_are_no_utf8", "a.ps1")
def _no_utf8() -> bytes:
    signed = script.signed("ps1")
    return b"#" + b"\xff" * (TEXT_MAX - len(signed) - 16) + b"\r\n" + signed


@evil("script_of_letters", "a.ps1")
def _signed_letters() -> bytes:
    return script.signed("ps1", text="# \u20ac\r\n" * (TEXT_MAX // 8))


# ==== catalogs ============================================================================================================


@evil("catalog_of_empty_members", "a.cat")
def _members() -> bytes:
    return cat.signed([], list=_list(der.seq(der.octets(b"")) * 200_000))


@evil("catalog_of_too_many_members", "a.cat")
def _too_many_members() -> bytes:
    return cat.signed([], list=_list(der.seq(der.octets(b"")) * 2_000_000))


@evil("catalog_of_one_member_with_a_million_attributes", "a.cat")
def _member_attributes() -> bytes:
    one = der.seq(der.oid("1.2.3"), der.set_raw(NULL))
    return cat.signed([], list=_list(der.seq(der.octets(bytes(32)), der.set_raw(one * 1_200_000))))


@evil("catalog_of_a_member_of_nulls", "a.cat")
def _member_nulls() -> bytes:
    one = der.seq(der.oid("1.2.3"), der.set_raw(NULLS))
    return cat.signed([], list=_list(der.seq(der.octets(bytes(32)), der.set_raw(one))))


def _list(members: bytes) -> bytes:
    plain = cat.ctl([cat.flat(b"x")])
    parts = der.kids(plain)
    return der.seq(*parts[:4], der.seq(members), *parts[5:])


def short_member(value: bytes) -> bytes:
    return der.seq(der.octets(value), der.set_of(cms.attr(cat.MEMBER_INFO_V2, der.ctx(2, b"", constructed=False))))


@evil("listed_nowhere_in_200000_members", "a.exe")
def _long_list() -> dict[str, bytes]:
    rng = random.Random(3)
    members = b"".join(short_member(rng.randbytes(32)) for _ in range(200_000))
    return {"a.exe": pe.signed(), "list.cat": cat.signed([], list=_list(members))}


@evil("listed_behind_200000_of_the_same_hash", "a.exe")
def _same_list() -> dict[str, bytes]:
    image = pe.Image()
    return {"a.exe": pe.signed(image), "list.cat": cat.signed([], list=_list(short_member(pe.digest(image.bytes(), image)) * 200_000))}
