"""What must be accepted: one control for each shape, so that refusing everything does not pass for safety."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Callable

from . import cms, der, pe
from . import pki as pk
from .case import Built, Case, built

CASES: list[Case] = []
_OLD = dict(hash="sha1")


def good(name: str, rule: str, make: Callable[[], bytes], *more: str, profile: str = "strict", reason: Any = None, expect: Any = None,
         may: tuple[str, ...] = (), file: str = "good.exe", **trusting: Any) -> None:
    CASES.append(Case("good_" + name, rule, lambda folder: built(folder, file, make(), *more, **trusting), "accepted", reason,
                      profile=profile, expect={"type": "pe", **(expect or {})}, may=may))


def w() -> Any:
    return pk.pki()


def nested(outer: str, inner: str, **sign: Any) -> bytes:
    """A signature of one digest with another nested in it."""
    image = pe.Image()
    data = image.bytes()
    inside = cms.authenticode(pe.spc(data, image, inner), hash=inner)
    return pe.signed(image, hash=outer, unsigned=[cms.nested(inside), *sign.pop("unsigned", ())], **sign)


good("pe32plus", "pe.both", lambda: pe.signed(), expect={"signatures.0.kind": "authenticode", "signatures.0.digest": "sha256", "signatures.0.verdict": "accepted"})
good("pe32", "pe.both", lambda: pe.signed(pe.Image(plus=False)))
good("pe32plus_windows", "pe.both", lambda: pe.signed(), profile="windows")
good("pe32_windows", "pe.both", lambda: pe.signed(pe.Image(plus=False)), profile="windows")
good("name_says_txt", "pe.both", lambda: pe.signed(), file="readme.txt")
good("no_publisher_demanded", "traps.partial", lambda: pe.signed(), publisher=None, reason="NoPublisherDemanded")
good("sha384", "cms.digests_agree", lambda: pe.signed(hash="sha384"))
good("sha512", "cms.digests_agree", lambda: pe.signed(hash="sha512"))
good("digest_alg_without_null", "cms.digests_agree", lambda: pe.signed(
    si={"digest_alg": pk.hash_alg("sha256", b"")}, sd={"algs": [pk.hash_alg("sha256", b"")]}))
good("rsa_oid_with_hash", "cms.digests_agree", lambda: pe.signed(si={"alg": pk.sig_alg(w().leaf.key)}))
good("rsa3072", "chain.rsa", lambda: pe.signed(signer=pk.leaf(kind="rsa3072")))
good("ecdsa_p256", "chain.ec_params", lambda: pe.signed(signer=w().p256))
good("ecdsa_p384", "chain.ec_params", lambda: pe.signed(signer=w().p384, hash="sha384"))
good("no_opus_no_statement", "cms.once", lambda: pe.signed(si={"more_attrs": ()}))
good("unknown_signed_attribute", "cms.once", lambda: pe.signed(si={"more_attrs": (cms.attr("1.3.6.1.4.1.99999.1", der.utf8("x")), cms.opus())}))
good("signing_time_attribute", "time.signing_time", lambda: pe.signed(si={"more_attrs": (cms.attr(cms.SIGNING_TIME, der.utctime(cms.IN_2026)), cms.opus())}))
good("stub_of_256", "pe.e_lfanew", lambda: pe.signed(pe.Image(lfanew=0x100, headers_size=0x400, sections=[
    pe.Section(b".text", 0x1000, 0x400, b"\xc3".ljust(0x200, b"\x90"))])))
good("six_directories", "pe.n_dirs", lambda: pe.signed(pe.Image(n_dirs=6, dirs_room=6)))
good("uninitialised_section", "pe.sections", lambda: pe.signed(pe.Image(sections=[*pe.default_sections(), pe.Section(b".bss", 0x3000, 0, b"", 0xC0000080)])))
good("overlay", "pe.after_sections", lambda: pe.signed(pe.Image(overlay=b"setup data behind the sections" * 9)))
good("padding_inside_dwlength", "pe.dwlength", lambda: pe.signed())
good("padding_behind_dwlength", "pe.dwlength", lambda: pe.signed(table={"pad": b""}))
good("checksum_not_set", "pe.checksum", lambda: pe.signed(dir={"set_checksum": 0}))
good("page_hashes_sha256", "pe.page_hashes", lambda: pe.signed(pages="sha256"))
good("page_hashes_sha256_pe32", "pe.page_hashes", lambda: pe.signed(pe.Image(plus=False), pages="sha256"))
good("page_hashes_long_section", "pe.page_hashes", lambda: pe.signed(pe.Image(sections=[
    pe.Section(b".text", 0x1000, 0x200, bytes(range(256)) * 34), pe.Section(b".data", 0x4000, 0x2400, b"d" * 0x200)]), pages="sha256"))
good("page_hashes_sha1_windows", "pe.page_hashes", lambda: pe.signed(pages="sha1", hash="sha1"), profile="windows", reason="WeakDigest")
good("sha1_windows", "cms.sha1_windows", lambda: pe.signed(hash="sha1"), profile="windows", reason="WeakDigest")
good("sha1_allowed_by_name", "cms.sha1_windows", lambda: pe.signed(hash="sha1"), "--allow", "sha1", reason="WeakDigest")
good("nested_sha1_sha256", "cms.nested", lambda: nested("sha1", "sha256"), reason="WeakDigest",
     expect={"signatures.0.digest": "sha1", "signatures.0.verdict": "refused", "signatures.1.digest": "sha256", "signatures.1.verdict": "accepted"})
good("nested_sha256_sha384", "cms.nested", lambda: nested("sha256", "sha384"), expect={"signatures.1.verdict": "accepted"})
good("nested_sha256_sha384_all", "cms.nested", lambda: nested("sha256", "sha384"), "--all-signatures")
good("nested_both_stamped", "cms.nested", lambda: nested("sha256", "sha384", unsigned=[cms.stamp(cms.IN_2026)]))


# the bag
good("duplicate_certificates", "cms.shapes.duplicates", lambda: pe.signed(more_certs=[w().inter.der, w().leaf.der]), may=("UncoveredData",))
good("certificates_not_sorted", "cms.bag", lambda: pe.signed(sd={"sort_certs": False, "certs": sorted(w().leaf.bag, reverse=True)}))
good("root_in_bag", "cms.bag", lambda: pe.signed(more_certs=[w().root.der]))
good("intermediate_in_bag", "cms.bag", lambda: pe.signed(signer=pk.leaf(pk.intermediate())))
good("two_intermediates", "cms.bag", lambda: pe.signed(signer=pk.leaf(pk.intermediate(w().inter))))
good("tsa_root_in_token", "cms.bag", lambda: pe.signed(unsigned=[cms.stamp(cms.IN_2026, more_certs=[w().tsa_root.der])]))


def attribute_certificate() -> bytes:
    """A version 2 attribute certificate, as old time authorities put beside their own."""
    when = der.seq(der.gentime(pk.utc("2021-01-01")), der.gentime(pk.utc("2035-01-01")))
    holder = der.seq(der.ctx(0, b"".join(der.kids(der.seq(der.seq(der.ctx(4, w().tsa.issuer)), der.integer(w().tsa.serial))))))
    about = der.seq(der.integer(1), holder, der.ctx(0, der.seq(der.seq(der.ctx(4, w().tsa_root.subject)))), pk.sig_alg(w().tsa_root.key), der.integer(5), when,
                    der.seq(cms.attr("1.3.6.1.4.1.99999.3", der.utf8("clock"))))
    whole = der.seq(about, pk.sig_alg(w().tsa_root.key), der.bitstring(pk.sign(w().tsa_root.key, about)))
    return der.ctx(2, der.body(whole))


good("attribute_certificate_in_token", "cms.shapes.attribute_certs", lambda: pe.signed(
    signer=w().expired, unsigned=[cms.stamp(more_certs=[attribute_certificate()], sd={"version": 4})]), profile="windows",
     may=("UncoveredData",))
good("octet_string_windows", "cms.shapes.octet_string", lambda: octet_string(), profile="windows", may=("ContentTypeMismatch", "Malformed", "UncoveredData"))


def octet_string() -> bytes:
    """CMS as RFC 5652 has it: the content inside an OCTET STRING, and so hashed with its own tag and length."""
    image = pe.Image()
    data = image.bytes()
    content = pe.spc(data, image)
    info = cms.signer_info(w().leaf, content, cms.SPC_INDIRECT, more_attrs=(cms.opus(),))
    signature = cms.signed_data(cms.SPC_INDIRECT, der.octets(content), [info], version=3, certs=w().leaf.bag)
    return pe.embed(data, image, pe.win_certificate(signature))


# time
STAMPED = {"signatures.0.timestamp.kind": "rfc3161", "signatures.0.timestamp.time": "2022-06-15T00:00:00Z", "signatures.0.signed_at": "2022-06-15T00:00:00Z"}
good("expired_leaf_stamped", "time.signing_time", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp()]), expect=STAMPED)
good("expired_leaf_stamped_windows", "time.signing_time", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp()]), profile="windows", expect=STAMPED)
good("expired_leaf_stamped_required", "time.signing_time", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp()]), "--require-timestamp")
good("stamped_sha512_token", "time.signing_time", lambda: pe.signed(unsigned=[cms.stamp(cms.IN_2026, hash="sha512")]), "--require-timestamp")
good("stamped_ecdsa_tsa", "time.signing_time", lambda: pe.signed(unsigned=[cms.stamp(cms.IN_2026, tsa=pk.tsa(kind="p256"))]), "--require-timestamp")
good("stamped_under_anchors_alone", "time.untrusted", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp()]),
     anchors=lambda: [w().root, w().tsa_root], stamps=[])
good("fractional_seconds", "cms.shapes.fraction", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp("20220615120000.125Z")]))
good("tsa_with_intermediate", "time.untrusted", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(tsa=tsa_below())]))
good("tsa_expired_since", "time.gen_tsa", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(tsa=pk.tsa(before="2022-01-01", after="2024-01-01"))]))
good("lifetime_signing_alive", "time.lifetime", lambda: pe.signed(signer=lifetime("2025-01-01", "2027-01-01"), unsigned=[cms.stamp(cms.IN_2026)]))
good("countersignature_sha256", "cms.unauthenticated", lambda: pe.signed(
    signer=w().expired, more_certs=[w().tsa.der], unsigned=[cms.counter_stamp(hash="sha256")]), expect={"signatures.0.signed_at": "2022-06-15T00:00:00Z"})
good("countersignature_sha1_windows", "time.legacy", lambda: pe.signed(
    signer=w().expired, more_certs=[w().tsa.der], unsigned=[cms.counter_stamp()], **_OLD), profile="windows", reason="WeakDigest")
good("countersignature_bare_sha1_windows", "time.legacy", lambda: pe.signed(
    signer=w().expired, more_certs=[w().tsa.der], unsigned=[cms.counter_stamp(scheme="bare")], **_OLD), profile="windows", reason="WeakDigest")
good("countersignature_md5_windows", "cms.md5_legacy", lambda: pe.signed(
    signer=w().expired, more_certs=[w().tsa.der], unsigned=[cms.counter_stamp(hash="md5")], **_OLD), profile="windows", reason="WeakDigest")
good("countersignature_rsa1024_windows", "cms.md5_legacy", lambda: small_clock(), profile="windows", reason="WeakKey")
good("token_sha1_windows", "cms.sha1_windows", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(hash="sha1")]), profile="windows", reason="WeakDigest")
good("ess_cert_id_v1_windows", "time.signing_time", lambda: pe.signed(
    signer=w().expired, unsigned=[cms.stamp(ess=[cms.ess_cert_id_v1(w().tsa)])]), profile="windows", may=("WeakDigest",))


def lifetime(before: str, after: str) -> pk.Cert:
    return pk.leaf(before=before, after=after, exts=(pk.usage(0), pk.eku(pk.CODE_SIGNING, pk.LIFETIME_SIGNING)))


def tsa_below() -> pk.Cert:
    """A time authority under an intermediate of its own, which the token carries."""
    above = pk.issue(pk.name(("O", "Kit Time"), ("CN", "Kit Time Intermediate")), w().tsa_root, pk.key("rsa2048", "tsa_inter"), pk.CA_EXTS)
    return pk.tsa(above)


def small_clock() -> bytes:
    clock = pk.tsa(kind="rsa1024")
    return pe.signed(signer=w().expired, more_certs=[clock.der], unsigned=[cms.counter_stamp(tsa=clock)], hash="sha1")


# chain
good("ca_allows_code_signing", "chain.eku_ca", lambda: pe.signed(signer=pk.leaf(pk.intermediate(exts=(*pk.CA_EXTS, pk.eku(pk.CODE_SIGNING))))))
good("eku_also_client_auth", "chain.eku_leaf", lambda: pe.signed(signer=pk.leaf(exts=(pk.usage(0), pk.eku(pk.CODE_SIGNING, pk.CLIENT_AUTH)))))
good("path_length_enough", "chain.pathlen", lambda: pe.signed(signer=pk.leaf(pk.intermediate(exts=(pk.basic(path=0), pk.CA_EXTS[1])))))
good("name_constraints_hold", "chain.name_constraints", lambda: pe.signed(signer=pk.leaf(pk.intermediate(
    exts=(*pk.CA_EXTS, pk.name_constraints([pk.name(("O", pk.PUBLISHER))]))))))
good("unknown_extension_not_critical", "chain.critical", lambda: pe.signed(signer=pk.leaf(exts=(*pk.SIGNER_EXTS, pk.unknown_ext(False)))))
good("intermediate_as_anchor", "traps.partial", lambda: pe.signed(), anchors=lambda: [w().inter])
good("root_signed_with_sha1", "cms.sha1_windows", lambda: pe.signed(signer=pk.leaf(old_root())), anchors=lambda: [old_root()])
good("publisher_by_organisation", "traps.partial", lambda: pe.signed(signer=pk.leaf(subject=pk.name(("O", pk.PUBLISHER), ("CN", "Release key 7")))))
good("publisher_by_common_name", "traps.partial", lambda: pe.signed(signer=pk.leaf(subject=pk.name(("O", "Holding"), ("CN", pk.PUBLISHER)))))
good("publisher_printable_string", "traps.partial", lambda: pe.signed(signer=pk.leaf(subject=pk.name(("O", der.printable(pk.PUBLISHER)), ("CN", "x")))))
good("publisher_bmp_string", "traps.partial", lambda: pe.signed(signer=pk.leaf(subject=pk.name(("O", der.bmp(pk.PUBLISHER)), ("CN", "x")))))


@lru_cache(maxsize=None)
def old_root() -> pk.Cert:
    return pk.issue(pk.name(("CN", "Kit Old Root")), None, pk.key("rsa2048", "old_root"), pk.CA_EXTS, hash="sha1")


def pinned(name: str, pin: Callable[[], str], make: Callable[[], bytes] = pe.signed, **trusting: Any) -> None:
    def build(folder: Path) -> Built:
        return built(folder, "good.exe", make(), "--pin", pin(), **trusting)
    CASES.append(Case("good_" + name, "traps.partial", build, "accepted"))


NO_ANCHORS: dict[str, Any] = {"anchors": [], "stamps": [], "publisher": None}
pinned("pinned_leaf_without_anchors", lambda: "sha256:" + w().leaf.sha256, lambda: pe.signed(more_certs=[w().root.der]), **NO_ANCHORS)
pinned("pinned_leaf_alone_in_bag", lambda: "sha256:" + w().leaf.sha256, lambda: pe.signed(certs=[w().leaf.der]), **NO_ANCHORS)
pinned("pinned_intermediate_without_anchors", lambda: "sha256:" + w().inter.sha256, lambda: pe.signed(more_certs=[w().root.der]), **NO_ANCHORS)
pinned("pinned_leaf_with_anchors", lambda: "sha256:" + w().leaf.sha256)
pinned("pinned_root_with_anchors", lambda: "sha256:" + w().root.sha256)
pinned("pinned_leaf_key", lambda: "spki-sha256:" + w().leaf.spki_sha256)
pinned("pinned_intermediate_key", lambda: "spki-sha256:" + w().inter.spki_sha256)
