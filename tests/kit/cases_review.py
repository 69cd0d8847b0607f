"""What a hostile review got past the program, each way once: bytes that nobody asked for, demands that nobody looked at.
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable

from . import cab, cat, cms, der, detached, minisign, pe
from . import pki as pk
from .case import Built, Case, Codes, trust

CASES: list[Case] = []
Files = Callable[[], dict[str, bytes]]
PAYLOAD = b"<script>what a page, an archive or an interpreter finds in the middle of a file</script>" * 500


def case(name: str, rule: str, files: Files, verdict: str, reason: Codes = None, *more: str, profile: str = "strict", exit_code: int | None = None,
         may: tuple[str, ...] = (), expect: Any = None, at: str = "2026-06-01T00:00:00Z", **trusting: Any) -> None:
    """The first of the files is verified. "@name" in an option is the file of that name."""
    def build(folder: Path) -> Built:
        made = files()
        for file, data in made.items():
            (folder / file).write_bytes(data)
        words = [str(folder / word[1:]) if word.startswith("@") else word for word in more]
        return Built(folder / next(iter(made)), [*trust(folder, **trusting), *words])
    CASE = Case("review_" + name, "review." + rule, build, verdict, reason, exit_code, profile, expect or {}, may=may, at=at)
    CASES.append(CASE)


def w() -> Any:
    return pk.pki()


# -- strangers: signatures that anybody can make of the same file, with what he likes in them -------------------------------


@lru_cache(maxsize=None)
def nobody() -> pk.Cert:
    """Self-signed, with a payload in an extension."""
    return pk.issue(pk.name(("CN", "nobody")), None, pk.key("rsa2048", "nobody"), (*pk.SIGNER_EXTS, pk.ext("1.3.6.1.4.1.99999.8", der.octets(PAYLOAD))))


def by_nobody(spc: bytes, **how: Any) -> bytes:
    """A signature that is intact in itself, with a payload in a signed attribute as well."""
    return cms.authenticode(spc, nobody(), certs=[nobody().der], si={"more_attrs": (cms.attr("1.3.6.1.4.1.99999.9", der.octets(PAYLOAD)),)}, **how)


def pe_nested(make: Callable[[bytes], bytes]) -> bytes:
    image = pe.Image()
    return pe.signed(image, unsigned=[cms.nested(make(pe.spc(image.bytes(), image)))])


def pe_around() -> bytes:
    """The maker's signature nested in somebody's."""
    image = pe.Image()
    data = image.bytes()
    spc = pe.spc(data, image)
    return pe.embed(data, image, pe.win_certificate(by_nobody(spc, unsigned=[cms.nested(cms.authenticode(spc))])))


def cab_nested() -> bytes:
    cabinet = cab.Cabinet(cab.FILES)
    plain = cabinet.unsigned()
    spc = cms.indirect(cms.cab_data(), cab.digest(plain, len(plain)))
    raw = cab.pad8(cms.authenticode(spc, unsigned=[cms.nested(by_nobody(spc))]))
    return cabinet.unsigned(len(raw)) + raw


def cat_nested() -> bytes:
    content = cat.ctl([cat.flat(b"other")])
    return cat.signed([cat.flat(b"x")], unsigned=[cms.nested(by_nobody(content, content_type=cms.CTL))])


def pe_member() -> bytes:
    image = pe.Image()
    return cat.member(pe.digest(image.bytes(), image), cms.pe_data())


def listed(signer: Callable[[], pk.Cert | None] = lambda: None, **sign: Any) -> Files:
    """A program that a catalog lists by its Authenticode hash; `sign` is of the signature inside it."""
    def make() -> dict[str, bytes]:
        by = signer()
        return {"kit.exe": pe.signed(pe.Image(), **{k: v() for k, v in sign.items()}), "list.cat": cat.signed([pe_member()], by, **({"certs": by.bag} if by else {}))}
    return make


def one(make: Callable[[], bytes], file: str = "kit.exe") -> Files:
    return lambda: {file: make()}


STRANGER = "UncoveredData"
case("stranger_nested", "strangers", one(lambda: pe_nested(by_nobody)), "refused", STRANGER, expect={"signatures.0.verdict": "accepted"})
case("stranger_nested_windows", "strangers", one(lambda: pe_nested(by_nobody)), "accepted", STRANGER, profile="windows")
case("stranger_nested_allowed", "strangers", one(lambda: pe_nested(by_nobody)), "accepted", STRANGER, "--allow", "UncoveredData")
case("stranger_around", "strangers", one(pe_around), "refused", STRANGER, expect={"signatures.1.verdict": "accepted"})
case("stranger_nested_in_cabinet", "strangers", one(cab_nested, "kit.cab"), "refused", STRANGER)
case("stranger_nested_in_catalog", "strangers", one(cat_nested, "kit.cat"), "refused", STRANGER)
case("other_publisher_nested", "strangers", one(lambda: pe_nested(lambda spc: cms.authenticode(spc, w().other_publisher))), "accepted", "PublisherMismatch")
case("other_publisher_nested_none_demanded", "strangers", one(lambda: pe_nested(lambda spc: cms.authenticode(spc, w().other_publisher))), "accepted", publisher=None)
case("server_nested_none_demanded", "strangers", one(lambda: pe_nested(lambda spc: cms.authenticode(spc, pk.leaf(exts=(pk.usage(0), pk.eku(pk.SERVER_AUTH)))))),
     "accepted", "NotCodeSigning", publisher=None)
case("stranger_in_listed_file", "strangers", listed(signer=lambda: w().leaf, cms_edit=lambda: lambda _: by_nobody(pe.spc(pe.Image().bytes(), pe.Image()))),
     "refused", STRANGER, "--catalog", "@list.cat")
case("stranger_in_listed_catalog", "strangers", lambda: {"kit.bin": b"x", "list.cat": cat_nested()}, "refused", STRANGER, "--catalog", "@list.cat")
case("stranger_alone", "strangers", one(lambda: pe.signed(pe.Image(), nobody(), certs=[nobody().der])), "refused", "ChainUntrusted")

# -- the catalog that was named, and a file with a good signature of its own ------------------------------------------------

case("catalog_and_signed_file", "catalog", listed(), "accepted", None, "--catalog", "@list.cat")
case("catalog_of_stranger_signed_file", "catalog", listed(nobody), "refused", "ChainUntrusted", "--catalog", "@list.cat")
case("catalog_of_stranger_signed_file_windows", "catalog", listed(nobody), "refused", "ChainUntrusted", "--catalog", "@list.cat", profile="windows")
case("catalog_of_other_publisher_signed_file", "catalog", listed(lambda: w().other_publisher), "refused", "PublisherMismatch", "--catalog", "@list.cat")
case("catalog_expired_signed_file", "catalog", listed(lambda: w().expired), "refused", "ChainExpired", "--catalog", "@list.cat")
case("catalog_of_stranger_and_p7s", "catalog", lambda: {**listed(nobody)(), "kit.exe.p7s": detached.sign(pe.signed(pe.Image()))}, "refused", "ChainUntrusted",
     "--catalog", "@list.cat")

# -- cabinets without a signature of their own, listed by the hash that leaves fields of the header out ----------------------


def plain_cab(reserve: bool, change: Callable[[bytearray], None] | None = None) -> Files:
    def make() -> dict[str, bytes]:
        cabinet = cab.Cabinet(cab.FILES, reserve=reserve)
        cabinet.sig_at = cabinet.sig_size = 0
        raw = cabinet.unsigned()
        value = hashlib.sha256(raw[:4] + raw[8:34] + raw[56:] if reserve else raw[:4] + raw[8:]).digest()
        changed = bytearray(raw)
        if change:
            change(changed)
        return {"kit.cab": bytes(changed), "list.cat": cat.signed([cat.member(value, cms.cab_data())])}
    return make


def put(at: int, value: bytes) -> Callable[[bytearray], None]:
    def change(raw: bytearray) -> None:
        raw[at:at + len(value)] = value
    return change


for reserve in (False, True):
    word = "with_reserve" if reserve else "without_reserve"
    case("cab_listed_" + word, "cab", plain_cab(reserve), "accepted", None, "--catalog", "@list.cat")
    case("cab_listed_reserved1_" + word, "cab", plain_cab(reserve, put(4, b"EVIL")), "refused", "UncoveredData", "--catalog", "@list.cat")
    case("cab_listed_number_" + word, "cab", plain_cab(reserve, put(34, b"\1")), "refused", ("Malformed", "NotInCatalog"), "--catalog", "@list.cat")
for field, at, value in (("folder_reserve", 38, b"\4"), ("block_reserve", 39, b"\4")):
    for profile in ("strict", "windows"):
        case(f"cab_listed_{field}_{profile}", "cab", plain_cab(True, put(at, value)), "refused", "Malformed", "--catalog", "@list.cat", profile=profile)
for field, at in (("marker", 40), ("tail", 52)):
    case("cab_listed_" + field, "cab", plain_cab(True, put(at, b"EVIL")), "refused", "UncoveredData", "--catalog", "@list.cat")
    case(f"cab_listed_{field}_zero" if field == "marker" else f"cab_listed_{field}_one", "cab", plain_cab(True, put(at, struct.pack("<I", field == "tail"))), "refused",
         "UncoveredData", "--catalog", "@list.cat")

# -- signature files: the hash of what they sign says nothing of them --------------------------------------------------------


def loaded_p7s() -> dict[str, bytes]:
    return {"a.bin": b"hello", "a.bin.p7s": detached.sign(b"hello", si={"unsigned": [cms.attr("1.3.6.1.4.1.99999.1", der.octets(PAYLOAD))]})}


HELLO = hashlib.sha256(b"hello").hexdigest()
case("p7s_with_payload", "beside", loaded_p7s, "refused", "UncoveredData")
case("p7s_with_payload_file_pinned", "beside", loaded_p7s, "refused", "UncoveredData", "--sha256", HELLO)
case("p7s_with_payload_allowed", "beside", loaded_p7s, "accepted", "UncoveredData", "--allow", "UncoveredData")

# -- demands that nobody would have looked at --------------------------------------------------------------------------------

KEY = minisign.Key()


def pe_and_minisig() -> dict[str, bytes]:
    data = pe.signed()
    return {"kit.exe": data, "kit.exe.minisig": minisign.sign(KEY, data), "kit.pub": KEY.public_file()}


case("publisher_that_require_leaves_out", "demands", pe_and_minisig, "error", None, "--key", "@kit.pub", "--require", "minisign", publisher="Somebody Else", exit_code=2)
case("publisher_without_anchors_that_require_leaves_out", "demands", pe_and_minisig, "error", None, "--key", "@kit.pub", "--require", "minisign", anchors=[], stamps=[],
     exit_code=2)
case("pin_that_require_leaves_out", "demands", pe_and_minisig, "error", None, "--key", "@kit.pub", "--require", "minisign", "--pin", "sha256:" + "00" * 32, publisher=None,
     exit_code=2)
case("key_that_require_leaves_out", "demands", pe_and_minisig, "error", None, "--key", "@kit.pub", "--require", "authenticode", exit_code=2)
case("key_beside_anchors_decides_nothing", "demands", lambda: {"kit.exe": pe.signed(), "kit.pub": KEY.public_file()}, "accepted", "NoPublisherDemanded", "--key", "@kit.pub",
     publisher=None)

# -- minisign: the algorithm's letters are not signed ------------------------------------------------------------------------


def digest_as_file() -> dict[str, bytes]:
    """The signature of a file, relabelled as one without hashing, beside that file's digest."""
    body, over_comment, comment = minisign.take_apart(minisign.sign(KEY, b"the file that was signed"))
    return {"a.bin": hashlib.blake2b(b"the file that was signed").digest(), "a.bin.minisig": minisign.assemble(b"Ed" + body[2:], over_comment, comment),
            "kit.pub": KEY.public_file()}


def legacy(size: int) -> Files:
    return lambda: {"a.bin": b"x" * size, "a.bin.minisig": minisign.sign(KEY, b"x" * size, b"Ed"), "kit.pub": KEY.public_file()}


WITH_KEY: dict[str, Any] = {"anchors": [], "stamps": [], "publisher": None, "may": ("UncoveredData",)}
case("minisign_digest_as_file", "algorithm", digest_as_file, "refused", "Unsupported", "--key", "@kit.pub", **WITH_KEY)
case("minisign_legacy_of_63_bytes", "algorithm", legacy(63), "accepted", None, "--key", "@kit.pub", **WITH_KEY)
case("minisign_legacy_of_65_bytes", "algorithm", legacy(65), "accepted", None, "--key", "@kit.pub", **WITH_KEY)

# -- confirmed, not mended yet -----------------------------------------------------------------------------------------------


def under_a_leaf() -> bytes:
    """A certificate with a payload that the key of a server's certificate signed: that one is no authority."""
    server = pk.leaf(exts=(pk.usage(0), pk.eku(pk.SERVER_AUTH)))
    below = pk.issue(pk.name(("CN", "below")), server, pk.key("rsa2048", "below"), (pk.ext("1.3.6.1.4.1.99999.8", der.octets(PAYLOAD)),))
    return pe.signed(more_certs=[server.der, below.der])


case("certificate_signed_by_no_authority", "strangers", one(under_a_leaf), "refused", "UncoveredData")                     # cms_certs.c find_edges
case("signed_after_the_time_of_judging", "demands", one(lambda: pe.signed(signer=pk.leaf(before="2027-01-01", after="2028-01-01"), unsigned=[
    cms.stamp(pk.utc("2027-06-01"))])), "refused", ("TimestampInvalid", "ChainExpired"))                                  # stamp.c check_time_bound
