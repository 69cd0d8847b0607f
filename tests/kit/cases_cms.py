"""Wrong CMS around right digests: content types, attributes, encodings, digests, nesting, and what lies unauthenticated in it."""

from __future__ import annotations

from typing import Any, Callable, Sequence

from . import cms, der, pe
from . import pki as pk
from .case import Built, Case, Codes, built

CASES: list[Case] = []


def bad(name: str, rule: str, make: Callable[[], bytes], reason: Codes, *more: str, windows: bool = False, **rest: Any) -> None:
    """A refusal in strict, and with windows=True in the windows profile as well."""
    trusting = {k: rest.pop(k) for k in ("anchors", "stamps", "publisher") if k in rest}
    for profile in ("strict", "windows") if windows else ("strict",):
        CASES.append(Case("cms_" + name + ("_windows" if profile == "windows" else ""), rule,
                          lambda folder: built(folder, "bad.exe", make(), *more, **trusting), "refused", reason, profile=profile, **rest))


def tolerated(name: str, rule: str, make: Callable[[], bytes], finding: Codes, *more: str, profile: str = "windows", **rest: Any) -> None:
    CASES.append(Case("cms_" + name + ("_windows" if profile == "windows" else ""), rule,
                      lambda folder: built(folder, "bad.exe", make(), *more), "accepted", finding, profile=profile, **rest))


def w() -> Any:
    return pk.pki()


def si(**wrong: Any) -> Callable[[], bytes]:
    return lambda: pe.signed(si=wrong)


def sd(**wrong: Any) -> Callable[[], bytes]:
    return lambda: pe.signed(sd=wrong)


def spc(edit: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """The SPC content changed before it was signed."""
    return lambda: pe.signed(spc_edit=edit)


def after(edit: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """The CMS changed after it was signed: every byte that is signed is still the same."""
    return lambda: pe.signed(cms_edit=edit)


def at(path: Sequence[int], change: Any) -> Callable[[], bytes]:
    return after(lambda c: der.edit(c, path, change))


# where things lie in ContentInfo { type, [0] SignedData { version, algs, content, [0] certs, infos } }
SD = (1, 0)
VERSION, ALGS, CONTENT, CERTS, INFOS = (*SD, 0), (*SD, 1), (*SD, 2), (*SD, 3), (*SD, 4)
SPC = (*CONTENT, 1, 0)
INFO = (*INFOS, 0)
ATTRS = (*INFO, 3)
SIGNATURE = (*INFO, 5)


def with_digest(make_spc: Callable[[bytes], bytes], **sign: Any) -> bytes:
    """The right digest inside an SPC of our own making."""
    image = pe.Image()
    data = image.bytes()
    signature = cms.authenticode(make_spc(pe.digest(data, image)), **sign)
    return pe.embed(data, image, pe.win_certificate(signature))


# -- content types ---------------------------------------------------------------------------------------------------------
TYPE = "ContentTypeMismatch"
for word, which in (("data", cms.DATA), ("signed_data", cms.SIGNED_DATA), ("tst_info", cms.TST_INFO), ("catalog_list", cms.CTL), ("unknown", "1.3.6.1.4.1.99999.5")):
    bad("econtent_" + word, "cms.content_type", lambda which=which: pe.signed(content_type=which), TYPE, windows=True)
bad("outer_type_data", "cms.content_type", sd(outer_type=cms.DATA), (TYPE, "Malformed"), windows=True)
bad("outer_type_enveloped", "cms.content_type", sd(outer_type="1.2.840.113549.1.7.3"), (TYPE, "Malformed"))
bad("catalog_in_pe", "cms.content_type", lambda: catalog_list(), TYPE, windows=True)
bad("econtent_type_changed_after", "cms.content_type", at((*CONTENT, 0), der.oid(cms.DATA)), (TYPE, "Malformed"), windows=True)


def catalog_list() -> bytes:
    """A real catalog's content whose one member is this very file."""
    image = pe.Image()
    data = image.bytes()
    member = der.seq(der.octets(pe.digest(data, image)), der.set_of(cms.attr(cms.SPC_INDIRECT, pe.spc(data, image))))
    ctl = der.seq(der.seq(der.oid(cms.MS + ".12.1.1")), der.octets(b"\x05" * 16), der.utctime(cms.IN_2026), der.seq(der.oid(cms.MS + ".12.1.3"), der.null()),
                  der.seq(member))
    return pe.embed(data, image, pe.win_certificate(cms.authenticode(ctl, content_type=cms.CTL)))


EMPTY = (TYPE, "Malformed")
bad("content_absent", "cms.nothing_to_compare", at(CONTENT, der.seq(der.oid(cms.SPC_INDIRECT))), EMPTY, windows=True)
bad("content_signed_absent", "cms.nothing_to_compare", lambda: absent_content(), EMPTY, windows=True)
bad("content_empty_sequence", "cms.nothing_to_compare", spc(lambda s: der.seq()), EMPTY, windows=True)
bad("digest_info_absent", "cms.nothing_to_compare", spc(lambda s: der.seq(der.kids(s)[0])), EMPTY, windows=True)
NO_DIGEST = ("DigestMismatch", "Malformed")
bad("digest_empty", "cms.nothing_to_compare", spc(lambda s: der.edit(s, (1, 1), der.octets(b""))), NO_DIGEST, windows=True)
bad("digest_cut_short", "cms.nothing_to_compare", spc(lambda s: der.edit(s, (1, 1), lambda o: der.octets(der.body(o)[:16]))), NO_DIGEST, windows=True)
bad("digest_one_byte", "cms.nothing_to_compare", spc(lambda s: der.edit(s, (1, 1), lambda o: der.octets(der.body(o)[:1]))), NO_DIGEST, windows=True)
bad("digest_longer", "cms.nothing_to_compare", spc(lambda s: der.edit(s, (1, 1), lambda o: der.octets(der.body(o) + b"\0"))), NO_DIGEST, windows=True)
bad("digest_wrong", "cms.nothing_to_compare", spc(lambda s: der.edit(s, (1, 1), der.octets(b"\xAA" * 32))), "DigestMismatch", windows=True)
bad("digest_of_empty", "cms.nothing_to_compare", spc(lambda s: der.edit(s, (1, 1), der.octets(pk.digest("sha256", b"")))), "DigestMismatch", windows=True)
bad("digest_of_plain_file", "cms.nothing_to_compare", spc(lambda s: der.edit(s, (1, 1), der.octets(pk.digest("sha256", pe.Image().bytes())))), "DigestMismatch")
bad("digest_alg_unknown", "cms.nothing_to_compare", spc(lambda s: der.edit(s, (1, 0), der.seq(der.oid("1.3.6.1.4.1.99999.9"), der.null()))),
    ("Unsupported", "Malformed", "DigestMismatch", "WeakDigest"), windows=True)


def absent_content() -> bytes:
    """A detached SignedData, sound in itself, over an empty content."""
    image = pe.Image()
    info = cms.signer_info(w().leaf, b"", cms.SPC_INDIRECT)
    signature = cms.signed_data(cms.SPC_INDIRECT, None, [info], certs=w().leaf.bag)
    return pe.embed(image.bytes(), image, pe.win_certificate(signature))


# -- the kind of file ------------------------------------------------------------------------------------------------------
for word, data in (("cab", cms.cab_data()), ("msi", cms.sip_data(cms.SIP_MSI)), ("powershell", cms.sip_data(cms.SIP_POWERSHELL, 0x10000)),
                   ("msix", cms.sip_data(cms.SIP_MSIX, 0x1010000)), ("msix_bundle", cms.sip_data(cms.SIP_MSIX_BUNDLE, 0x1010000)),
                   ("unknown_guid", cms.sip_data(bytes(range(16)))), ("unknown_type", der.seq(der.oid("1.3.6.1.4.1.99999.4"), der.seq()))):
    bad("kind_" + word, "cms.moved" if word != "unknown_type" else "cms.spc_type", lambda data=data: with_digest(lambda d: cms.indirect(data, d)), TYPE, windows=True)
bad("kind_sip_value_under_pe_type", "cms.spc_type",
    lambda: with_digest(lambda d: cms.indirect(der.seq(der.oid(cms.SPC_PE), der.kids(cms.sip_data(cms.SIP_MSI))[1]), d)), (TYPE, "Malformed"))
bad("kind_changed_after_signing", "cms.spc_type", at((*SPC, 0, 0), der.oid(cms.SPC_CAB)), (TYPE, "SignatureInvalid"), windows=True)
bad("signature_of_another_pe", "cms.moved", lambda: moved(), "DigestMismatch", windows=True)
bad("signature_of_pe32_in_pe32plus", "cms.moved", lambda: moved(plus=False), "DigestMismatch")


def moved(plus: bool = True) -> bytes:
    """The signature of one program in another."""
    other = pe.Image(plus=plus, overlay=b"another program")
    signature = cms.authenticode(pe.spc(other.bytes(), other))
    image = pe.Image()
    return pe.embed(image.bytes(), image, pe.win_certificate(signature))


# -- signed attributes -----------------------------------------------------------------------------------------------------
bad("no_signed_attributes", "cms.signed_attrs", si(no_attrs=True), "Malformed", windows=True)
bad("empty_signed_attributes", "cms.signed_attrs", si(edit_attrs=lambda a: []), "Malformed", windows=True)
bad("signed_attributes_as_content", "cms.signed_attrs", lambda: attributes_as_content(), ("Malformed", TYPE), windows=True)
bad("signed_attributes_taken_out", "cms.signed_attrs", after(lambda c: der.edit(c, INFO, lambda i: der.seq(*(der.kids(i)[:3] + der.kids(i)[4:])))),
    "Malformed", windows=True)


def attributes_as_content() -> bytes:
    """A signature over attributes, shown as a signature without attributes over a content that is those attributes."""
    image = pe.Image()
    data = image.bytes()
    true = cms.signer_info(w().leaf, der.body(pe.spc(data, image)), cms.SPC_INDIRECT)
    attrs, signature = der.kids(true)[3], der.body(der.kids(true)[5])
    info = cms.signer_info(w().leaf, b"", cms.SPC_INDIRECT, no_attrs=True, signature=signature)
    made = cms.signed_data(cms.SPC_INDIRECT, der.tlv(0x31, der.body(attrs)), [info], certs=w().leaf.bag)
    return pe.embed(data, image, pe.win_certificate(made))


def is_attr(value: bytes, which: str) -> bool:
    return der.kids(value)[0] == der.oid(which)


def without(which: str) -> Callable[[list[bytes]], list[bytes]]:
    return lambda attrs: [a for a in attrs if not is_attr(a, which)]


def with_more(*more: bytes) -> Callable[[list[bytes]], list[bytes]]:
    return lambda attrs: [*attrs, *more]


def values(which: str, change: Callable[[list[bytes]], list[bytes]]) -> Callable[[list[bytes]], list[bytes]]:
    """The values of one attribute changed."""
    return lambda attrs: [der.seq(der.oid(which), der.set_of(*change(der.kids(der.kids(a)[1])))) if is_attr(a, which) else a for a in attrs]


SPC_TYPE_VALUE = der.oid(cms.SPC_INDIRECT)
OTHER_DIGEST = der.octets(b"\x42" * 32)
bad("no_content_type", "cms.once", si(edit_attrs=without(cms.CONTENT_TYPE)), "Malformed", windows=True)
bad("no_message_digest", "cms.once", si(edit_attrs=without(cms.MESSAGE_DIGEST)), "Malformed", windows=True)
bad("two_content_types", "cms.once", si(edit_attrs=with_more(cms.attr(cms.CONTENT_TYPE, SPC_TYPE_VALUE))), "Malformed")
bad("two_content_types_differ", "cms.once", si(edit_attrs=with_more(cms.attr(cms.CONTENT_TYPE, der.oid(cms.DATA)))), "Malformed", windows=True)
bad("two_message_digests_differ", "cms.once", si(edit_attrs=with_more(cms.attr(cms.MESSAGE_DIGEST, OTHER_DIGEST))), "Malformed", windows=True)
bad("two_message_digests_other_order", "cms.once", si(edit_attrs=lambda a: [cms.attr(cms.MESSAGE_DIGEST, OTHER_DIGEST), *a], sort=False), "Malformed", windows=True)
bad("content_type_two_values", "cms.once", si(edit_attrs=values(cms.CONTENT_TYPE, lambda v: [*v, der.oid(cms.DATA)])), "Malformed", windows=True)
bad("content_type_no_value", "cms.once", si(edit_attrs=values(cms.CONTENT_TYPE, lambda v: [])), "Malformed", windows=True)
bad("message_digest_two_values", "cms.once", si(edit_attrs=values(cms.MESSAGE_DIGEST, lambda v: [*v, OTHER_DIGEST])), "Malformed", windows=True)
bad("message_digest_no_value", "cms.once", si(edit_attrs=values(cms.MESSAGE_DIGEST, lambda v: [])), "Malformed", windows=True)
bad("message_digest_is_integer", "cms.once", si(edit_attrs=values(cms.MESSAGE_DIGEST, lambda v: [der.integer(7)])), ("Malformed", "SignatureInvalid"), windows=True)
bad("opus_info_twice", "cms.once", si(edit_attrs=with_more(cms.opus("Another name"))), "Malformed")
bad("content_type_attribute_data", "cms.type_equal", si(edit_attrs=values(cms.CONTENT_TYPE, lambda v: [der.oid(cms.DATA)])), TYPE, windows=True)
bad("content_type_attribute_catalog", "cms.type_equal", si(edit_attrs=values(cms.CONTENT_TYPE, lambda v: [der.oid(cms.CTL)])), TYPE, windows=True)

# -- the signature's own mathematics ---------------------------------------------------------------------------------------
BROKEN = "SignatureInvalid"
bad("message_digest_wrong", "cms.once", si(content_digest=b"\x42" * 32), BROKEN, windows=True)
bad("message_digest_empty", "cms.once", si(content_digest=b""), (BROKEN, "Malformed"), windows=True)
bad("message_digest_with_tag", "cms.once", si(edit_attrs=lambda a: digest_of_whole(a)), BROKEN)
bad("signature_flipped", "cms.signed_attrs", at(SIGNATURE, lambda s: s[:-1] + bytes([s[-1] ^ 1])), BROKEN, windows=True)
bad("signature_empty", "cms.signed_attrs", si(signature=b""), (BROKEN, "Malformed"), windows=True)
bad("signature_longer", "cms.signed_attrs", si(signature=lambda m: b"\0" + pk.sign(w().leaf.key, m)), (BROKEN, "Malformed"), windows=True)
bad("signature_zero", "cms.signed_attrs", si(signature=bytes(256)), BROKEN, windows=True)
bad("signature_by_other_key", "cms.signed_attrs", lambda: pe.signed(si={"private": pk.key("rsa2048", "thief")}), BROKEN, windows=True)
bad("signature_without_digest_info", "cms.signed_attrs", si(scheme="bare"), BROKEN, windows=True)
bad("signature_forged_exponent_3", "cms.signed_attrs", lambda: forged(), BROKEN, windows=True)
bad("signature_ecdsa_zero", "cms.signed_attrs", lambda: pe.signed(signer=w().p256, si={"signature": der.seq(der.integer(0), der.integer(0))}), BROKEN, windows=True)
bad("attributes_signed_as_context_tag", "cms.signed_attrs", si(signature=lambda m: pk.sign(w().leaf.key, b"\xA0" + m[1:])), BROKEN)
bad("attribute_changed_after", "cms.signed_attrs", si(attrs_on_wire=lambda a: a.replace("Orchard".encode("utf-16-be"), "Orcherd".encode("utf-16-be"))), BROKEN,
    windows=True)
bad("spc_changed_after", "cms.signed_attrs", at((*SPC, 0, 1, 0), der.bitstring(b"\x80", 7)), BROKEN, windows=True)


def digest_of_whole(attrs: list[bytes]) -> list[bytes]:
    """messageDigest over the content with its tag and length, as no Authenticode signature has it."""
    image = pe.Image()
    value = der.octets(pk.digest("sha256", pe.spc(image.bytes(), image)))
    return values(cms.MESSAGE_DIGEST, lambda v: [value])(attrs)


def forged() -> bytes:
    signer = pk.leaf(kind="rsa2048e3")
    return pe.signed(signer=signer, si={"signature": lambda m: pk.forge_e3(2048, "sha256", m)})


# -- encodings -------------------------------------------------------------------------------------------------------------
DER = "Malformed"
bad("long_length_outermost", "cms.der_exact", after(lambda c: der.long_form(c)), DER)
bad("long_length_signed_data", "cms.der_exact", at(SD, der.long_form), DER)
bad("long_length_content", "cms.der_exact", at(CONTENT, der.long_form), DER)
bad("long_length_spc", "cms.der_exact", at(SPC, der.long_form), DER)
bad("long_length_certificates", "cms.der_exact", at(CERTS, der.long_form), DER)
bad("long_length_one_certificate", "cms.der_exact", at((*CERTS, 0), der.long_form), (DER, "UncoveredData"))
bad("long_length_signer_info", "cms.der_exact", at(INFO, der.long_form), DER)
bad("long_length_attributes", "cms.der_exact", at(ATTRS, der.long_form), DER)
bad("long_length_one_attribute", "cms.der_exact", at((*ATTRS, 0), der.long_form), (DER, BROKEN))
bad("long_length_signature", "cms.der_exact", at(SIGNATURE, der.long_form), DER)
bad("long_length_short_value", "cms.der_exact", at(VERSION, der.long_form), DER)
bad("long_length_inside_signed_spc", "cms.der_exact", spc(lambda s: der.edit(s, (1,), der.long_form)), DER)
bad("long_length_inside_signed_attribute", "cms.der_exact", si(edit_attrs=lambda a: [der.edit(a[0], (1,), der.long_form), *a[1:]]), DER)
bad("open_length_outermost", "cms.der_exact", after(lambda c: der.tlv(0x30, der.body(c), der.INDEFINITE)), DER)
bad("open_length_signed_data", "cms.der_exact", after(lambda c: der.seq(der.oid(cms.SIGNED_DATA), der.ctx(0, der.tlv(0x30, der.body(der.at(c, SD)), der.INDEFINITE)))), DER)
bad("length_of_length_huge", "cms.der_exact", after(lambda c: b"\x30\x88" + b"\x7f" + b"\xff" * 7 + c[4:]), DER, windows=True)
bad("length_past_end", "cms.der_exact", after(lambda c: c[:2] + b"\xff\xff" + c[4:]), DER, windows=True)
bad("deep_nesting", "cms.der_exact", after(lambda c: deep(5000)), DER, windows=True)
bad("attributes_not_sorted", "cms.der_exact", si(attrs_on_wire=lambda a: der.ctx(0, b"".join(reversed(der.kids(a))))), DER)
bad("attributes_signed_not_sorted", "cms.der_exact", lambda: pe.signed(si={"sort": False, "edit_attrs": lambda a: sorted(a, reverse=True)}), DER)
bad("version_two_bytes", "cms.der_exact", at(VERSION, der.integer_raw(b"\0\1")), DER)
bad("version_empty", "cms.der_exact", at(VERSION, der.integer_raw(b"")), DER, windows=True)
bad("serial_padded", "cms.der_exact", at((*INFO, 1, 1), lambda s: der.integer_raw(b"\0" + der.body(s))), (DER, "ChainUntrusted"))
bad("oid_padded", "cms.der_exact", at((*INFO, 2, 0), lambda o: der.tlv(0x06, der.body(o)[:1] + b"\x80" + der.body(o)[1:])), (DER, "Unsupported"))
bad("signature_constructed", "cms.der_exact", at(SIGNATURE, lambda s: der.tlv(0x24, der.octets(der.body(s)[:100]) + der.octets(der.body(s)[100:]))), DER)
bad("bit_string_padding_not_zero", "cms.der_exact", spc(lambda s: der.edit(s, (0, 1, 0), der.bitstring(b"\x81", 4))), DER)
bad("signed_data_version_9", "cms.der_exact", at(VERSION, der.integer(9)), DER)
bad("signer_info_version_3", "cms.der_exact", at((*INFO, 0), der.integer(3)), DER)
bad("signer_info_version_9", "cms.der_exact", at((*INFO, 0), der.integer(9)), DER)
bad("ecdsa_signature_long_length", "cms.der_exact", lambda: pe.signed(signer=w().p256, cms_edit=lambda c: der.edit(
    c, SIGNATURE, lambda s: der.octets(der.long_form(der.body(s))))), (DER, BROKEN))


def deep(n: int) -> bytes:
    """Sequences within sequences."""
    value = der.null()
    for _ in range(n):
        value = der.seq(value)
    return value


bad("element_after_signer_infos", "traps.d2i", sd(more=der.octets(b"stowaway")), DER)
bad("element_after_signed_data", "traps.d2i", after(lambda c: der.seq(*der.kids(c)[:1], der.ctx(0, der.at(c, SD) + der.octets(b"stowaway")))), DER)
bad("element_after_content_info", "traps.d2i", after(lambda c: der.seq(*der.kids(c), der.octets(b"stowaway"))), DER)
bad("element_after_unsigned_attributes", "traps.d2i", si(more=der.octets(b"stowaway")), DER)
bad("element_after_spc", "traps.d2i", spc(lambda s: der.seq(*der.kids(s), der.octets(b"stowaway"))), DER)
bad("element_after_digest_info", "traps.d2i", spc(lambda s: der.edit(s, (1,), lambda d: der.seq(*der.kids(d), der.null()))), DER)
bad("element_after_econtent", "traps.d2i", at(CONTENT, lambda c: der.seq(*der.kids(c), der.octets(b"stowaway"))), DER)
bad("second_value_in_econtent", "traps.d2i", at((*CONTENT, 1), lambda c: der.ctx(0, der.body(c) + der.octets(b"stowaway"))), DER)
bad("bytes_after_der_in_dwlength", "cms.after_der", lambda: pe.signed(table={"pad": b"\0\0\0\0\0\0\0\1" + bytes(8)}), "CertificateTablePadding")
bad("second_signed_data_after_der", "cms.after_der", lambda: pe.signed(table={"pad": cms.authenticode(cms.indirect(cms.pe_data(), b"\0" * 32))}), "CertificateTablePadding")
tolerated("second_signed_data_after_der", "cms.after_der", lambda: pe.signed(table={"pad": cms.authenticode(cms.indirect(cms.pe_data(), b"\0" * 32))}),
          "CertificateTablePadding")
bad("no_der_at_all", "cms.der_exact", after(lambda c: b"\x55" * 512), DER, windows=True)
bad("zeroes_for_der", "cms.der_exact", after(lambda c: bytes(512)), DER, windows=True)
bad("signed_data_without_content_info", "cms.der_exact", after(lambda c: der.at(c, SD)), DER)
bad("pem_in_table", "cms.der_exact", after(lambda c: pk.pem("PKCS7", c).encode()), DER, windows=True)

# -- digests ---------------------------------------------------------------------------------------------------------------
DISAGREE = ("Malformed", "DigestMismatch")
bad("digest_algorithms_other", "cms.digests_agree", sd(algs=[pk.hash_alg("sha384")]), DISAGREE)
bad("digest_algorithms_empty", "cms.digests_agree", sd(algs=[]), DISAGREE)
bad("digest_algorithms_two", "cms.digests_agree", sd(algs=[pk.hash_alg("sha256"), pk.hash_alg("sha384")]), DISAGREE)
bad("digest_algorithms_with_junk", "cms.digests_agree", sd(algs=[pk.hash_alg("sha256", der.octets(b"stowaway"))]), ("Malformed", "UncoveredData"))
bad("signer_digest_parameters_junk", "cms.digests_agree", si(digest_alg=pk.hash_alg("sha256", der.octets(b"stowaway"))), ("Malformed", "UncoveredData"))
bad("signature_algorithm_parameters_junk", "cms.digests_agree", si(alg=der.seq(der.oid(pk.RSA_ENCRYPTION), der.octets(b"stowaway"))),
    ("Malformed", "UncoveredData", "Unsupported"))
bad("spc_sha384_signer_sha256", "cms.digests_agree", lambda: mixed("sha384", "sha256"), DISAGREE)
bad("spc_sha256_signer_sha384", "cms.digests_agree", lambda: mixed("sha256", "sha384"), DISAGREE)
bad("spc_sha1_signer_sha256", "cms.digests_agree", lambda: mixed("sha1", "sha256"), (*DISAGREE, "WeakDigest"))
bad("spc_says_sha384_holds_sha256", "cms.digests_agree", spc(lambda s: der.edit(s, (1, 0), pk.hash_alg("sha384"))), DISAGREE, windows=True)
bad("signature_algorithm_names_other_hash", "cms.digests_agree", lambda: pe.signed(si={"alg": pk.sig_alg(w().leaf.key, "sha512")}), ("Malformed", BROKEN))
bad("signature_algorithm_ecdsa_key_rsa", "cms.digests_agree", si(alg=der.seq(der.oid(pk.ECDSA_WITH["sha256"]))), ("Malformed", BROKEN))


def mixed(content: str, signer: str) -> bytes:
    """The file hashed with one algorithm, the signature made with another."""
    image = pe.Image()
    data = image.bytes()
    return pe.embed(data, image, pe.win_certificate(cms.authenticode(pe.spc(data, image, content), hash=signer)))


bad("md5", "cms.no_md5", lambda: pe.signed(hash="md5"), "WeakDigest", windows=True)
bad("md5_only_in_spc", "cms.no_md5", lambda: mixed("md5", "sha256"), ("WeakDigest", *DISAGREE), windows=True)
bad("md5_only_in_signer_info", "cms.no_md5", lambda: mixed("sha256", "md5"), ("WeakDigest", *DISAGREE), windows=True)
bad("md5_allowing_sha1", "cms.no_md5", lambda: pe.signed(hash="md5"), "WeakDigest", "--allow", "sha1")
bad("md5_certificate", "cms.no_md5", lambda: pe.signed(signer=pk.leaf(hash="md5")), "WeakDigest", windows=True)
bad("md5_intermediate", "cms.no_md5", lambda: pe.signed(signer=pk.leaf(pk.intermediate(hash="md5"))), "WeakDigest", windows=True)
bad("sha1", "cms.sha1_windows", lambda: pe.signed(hash="sha1"), "WeakDigest")
bad("sha1_stamped", "cms.sha1_windows", lambda: pe.signed(signer=w().expired, hash="sha1", unsigned=[cms.stamp()]), "WeakDigest")
bad("sha1_certificate", "cms.sha1_windows", lambda: pe.signed(signer=pk.leaf(hash="sha1")), "WeakDigest")
bad("sha1_intermediate", "cms.sha1_windows", lambda: pe.signed(signer=pk.leaf(pk.intermediate(hash="sha1"))), "WeakDigest")
tolerated("sha1_certificate", "cms.sha1_windows", lambda: pe.signed(signer=pk.leaf(hash="sha1")), "WeakDigest")
bad("sha1_token", "cms.sha1_windows", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(hash="sha1")]), "WeakDigest")
bad("sha1_imprint", "cms.sha1_windows", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(imprint_hash="sha1")]), "WeakDigest")
bad("sha1_countersignature", "cms.sha1_windows", lambda: countersigned(), "WeakDigest")
bad("md5_countersignature", "cms.md5_legacy", lambda: countersigned(hash="md5"), "WeakDigest")
bad("md5_token", "cms.md5_legacy", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(hash="md5")]), ("WeakDigest", "TimestampInvalid"), windows=True)
bad("rsa1024_countersignature", "cms.md5_legacy", lambda: countersigned(tsa=pk.tsa(kind="rsa1024"), hash="sha256"), "WeakKey")
bad("rsa1024_token", "cms.md5_legacy", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(tsa=pk.tsa(kind="rsa1024"))]), ("WeakKey", "TimestampUntrusted"),
    windows=True)


def countersigned(tsa: pk.Cert | None = None, **stamp: Any) -> bytes:
    tsa = tsa or w().tsa
    return pe.signed(signer=w().expired, more_certs=[tsa.der], unsigned=[cms.counter_stamp(tsa=tsa, **stamp)])


# -- signers ---------------------------------------------------------------------------------------------------------------


def infos(*makers: Callable[[bytes], bytes], **sd: Any) -> bytes:
    """Any number of SignerInfos over the same right content."""
    image = pe.Image()
    data = image.bytes()
    content = pe.spc(data, image)
    made = cms.signed_data(cms.SPC_INDIRECT, content, [m(der.body(content)) for m in makers],
                           **{"certs": [*w().leaf.bag, w().other_publisher.der], **sd})
    return pe.embed(data, image, pe.win_certificate(made))


def info_of(signer: str, **wrong: Any) -> Callable[[bytes], bytes]:
    return lambda content: cms.signer_info(getattr(w(), signer), content, **wrong)


bad("no_signer_info", "cms.one_signer", lambda: infos(certs=w().leaf.bag), "Malformed", windows=True)
bad("two_signer_infos", "cms.one_signer", lambda: infos(info_of("leaf"), info_of("other_publisher")), "Malformed")
bad("two_signer_infos_one_broken", "cms.one_signer", lambda: infos(info_of("leaf"), info_of("other_publisher", signature=bytes(256))), "Malformed", windows=True)
bad("same_signer_info_twice", "cms.one_signer", lambda: infos(info_of("leaf"), info_of("leaf")), "Malformed")
NO_SIGNER = ("ChainUntrusted", BROKEN, "Malformed")
bad("signer_not_in_bag", "cms.bag", lambda: pe.signed(certs=[w().inter.der]), NO_SIGNER, windows=True)
bad("no_certificates", "cms.bag", lambda: pe.signed(certs=[]), NO_SIGNER, windows=True)
bad("signer_id_names_other_certificate", "cms.one_signer", lambda: pe.signed(more_certs=[w().other_publisher.der], si={"sid": w().other_publisher.sid}), BROKEN,
    windows=True)
bad("signer_id_names_ca", "cms.one_signer", lambda: pe.signed(si={"sid": w().inter.sid}), BROKEN, windows=True)
bad("signer_id_names_nobody", "cms.one_signer", lambda: pe.signed(si={"sid": der.seq(w().inter.subject, der.integer(1))}), NO_SIGNER, windows=True)
bad("signer_id_serial_of_other_issuer", "cms.one_signer", lambda: pe.signed(si={"sid": der.seq(w().root.subject, der.integer(w().leaf.serial))}), NO_SIGNER)

# -- nested signatures -----------------------------------------------------------------------------------------------------


def nest(inner: Callable[[bytes, pe.Image], bytes], *more: bytes, **outer: Any) -> bytes:
    """A right primary signature with `inner` nested in it."""
    image = pe.Image()
    data = image.bytes()
    return pe.signed(image, **{"unsigned": [cms.nested(inner(data, image), *more)], **outer})


def right(signer: pk.Cert | None = None, hash: str = "sha384", **wrong: Any) -> Callable[[bytes, pe.Image], bytes]:
    return lambda data, image: cms.authenticode(pe.spc(data, image, hash), signer, hash=hash, **wrong)


def wrong_digest(data: bytes, image: pe.Image) -> bytes:
    return cms.authenticode(cms.indirect(cms.pe_data(), b"\x42" * 32))


def wrong_kind(data: bytes, image: pe.Image) -> bytes:
    return cms.authenticode(cms.indirect(cms.cab_data(), pe.digest(data, image)))


bad("nested_digest_wrong", "cms.nested", lambda: nest(wrong_digest), "DigestMismatch", windows=True)
bad("nested_kind_wrong", "cms.nested", lambda: nest(wrong_kind), TYPE)
bad("nested_signature_broken", "cms.nested", lambda: nest(right(si={"signature": bytes(256)})), BROKEN, windows=True)
bad("nested_message_digest_wrong", "cms.nested", lambda: nest(right(si={"content_digest": bytes(48)})), BROKEN)
bad("nested_is_junk", "cms.nested", lambda: nest(lambda d, i: der.seq(der.utf8("junk"))), "Malformed")
bad("nested_no_value", "cms.nested", lambda: pe.signed(unsigned=[cms.nested()]), "Malformed")
bad("nested_no_attributes", "cms.nested", lambda: nest(right(si={"no_attrs": True})), "Malformed")
bad("nested_content_type_data", "cms.nested", lambda: nest(right(content_type=cms.DATA)), TYPE)
bad("nested_long_length", "cms.nested", lambda: nest(lambda d, i: der.long_form(right()(d, i))), "Malformed")
bad("nested_right_primary_digest_wrong", "cms.nested", lambda: nest(right(), spc_edit=lambda s: der.edit(s, (1, 1), der.octets(bytes(32)))), "DigestMismatch", windows=True)
bad("nested_right_primary_broken", "cms.nested", lambda: nest(right(), si={"signature": bytes(256)}), BROKEN, windows=True)
bad("nested_second_of_two_broken", "cms.nested", lambda: two_nested(), "DigestMismatch")
bad("nested_both_weak", "cms.nested", lambda: nest(right(hash="sha1"), hash="sha1"), "WeakDigest")
bad("nested_all_signatures_demanded", "cms.nested", lambda: nest(right(), hash="sha1"), "WeakDigest", "--all-signatures")
bad("nested_all_signatures_untrusted", "cms.nested", lambda: nest(right(w().stranger)), "ChainUntrusted", "--all-signatures")
# what another than the demanded signer has made may hold anything: cases_review.py has more of it
bad("nested_untrusted_sibling", "cms.nested", lambda: nest(right(w().stranger, more_certs=[w().other_root.der])), "UncoveredData")
tolerated("nested_untrusted_sibling", "cms.nested", lambda: nest(right(w().stranger, more_certs=[w().other_root.der])), "UncoveredData",
          expect={"signatures.0.verdict": "accepted", "signatures.1.verdict": "refused"})
tolerated("nested_expired_sibling", "cms.nested", lambda: nest(right(w().expired)), "ChainExpired", profile="strict")
bad("primary_untrusted_nested_right", "cms.nested", lambda: nest(right(), signer=w().stranger, more_certs=[w().other_root.der]), "UncoveredData")
tolerated("primary_untrusted_nested_right", "cms.nested", lambda: nest(right(), signer=w().stranger, more_certs=[w().other_root.der]), "UncoveredData",
          expect={"signatures.0.verdict": "refused", "signatures.1.verdict": "accepted"})


def two_nested() -> bytes:
    image = pe.Image()
    return nest(right(), wrong_digest(image.bytes(), image))


bad("publisher_of_one_chain_of_other", "cms.nested_facts", lambda: nest(right(w().stranger), signer=w().other_publisher), ("PublisherMismatch", "ChainUntrusted"))
bad("publisher_of_one_digest_of_other", "cms.nested_facts", lambda: nest(right(hash="sha1"), signer=w().other_publisher), ("PublisherMismatch", "WeakDigest"))
bad("stamp_of_one_publisher_of_other", "cms.nested_facts", lambda: nest(right(w().other_publisher, unsigned=[cms.stamp(cms.IN_2026)])),
    ("TimestampMissing", "PublisherMismatch"), "--require-timestamp")
bad("stamp_of_one_for_expired_other", "cms.nested_facts", lambda: nest(right(w().other_publisher, unsigned=[cms.stamp(cms.IN_2022)]), signer=w().expired),
    ("ChainExpired", "PublisherMismatch", "TimestampInvalid"))
bad("certificates_only_in_nested_bag", "cms.nested_facts", lambda: nest(right(w().other_publisher), certs=[w().leaf.der]), ("ChainUntrusted", "PublisherMismatch", "UncoveredData"))

# -- what nothing signs ----------------------------------------------------------------------------------------------------
UNKNOWN = cms.attr("1.3.6.1.4.1.99999.2", der.octets(b"anything at all, put in later"))
bad("unknown_unsigned_attribute", "cms.unauthenticated", lambda: pe.signed(unsigned=[UNKNOWN]), "UncoveredData")
bad("unknown_unsigned_attribute_by_stamp", "cms.unauthenticated", lambda: pe.signed(unsigned=[UNKNOWN, cms.stamp(cms.IN_2026)]), "UncoveredData")
bad("unsigned_signing_time", "cms.unauthenticated", lambda: pe.signed(unsigned=[cms.attr(cms.SIGNING_TIME, der.utctime(cms.IN_2026))]), "UncoveredData")
bad("unsigned_opus_info", "cms.unauthenticated", lambda: pe.signed(unsigned=[cms.opus("Other name")]), "UncoveredData")
bad("unsigned_attributes_empty", "cms.unauthenticated", at(INFO, lambda i: der.seq(*der.kids(i), der.ctx(1, b""))), ("Malformed", "UncoveredData"))
bad("unknown_unsigned_attribute_in_token", "cms.unauthenticated", lambda: pe.signed(unsigned=[cms.stamp(cms.IN_2026, si={"unsigned": [UNKNOWN]})]),
    ("UncoveredData", "TimestampInvalid"))
bad("unknown_unsigned_attribute_in_nested", "cms.unauthenticated", lambda: nest(right(unsigned=[UNKNOWN])), "UncoveredData")
bad("crls_field", "cms.unauthenticated", lambda: pe.signed(sd={"crls": [der.seq(der.octets(b"stowaway"))]}), ("UncoveredData", "Malformed"))
tolerated("unknown_unsigned_attribute", "cms.unauthenticated", lambda: pe.signed(unsigned=[UNKNOWN]), "UncoveredData")
tolerated("unsigned_opus_info", "cms.unauthenticated", lambda: pe.signed(unsigned=[cms.opus("Other name")]), "UncoveredData", expect={"signatures.0.program.name": "Orchard Tool"})
CASES.append(Case("cms_unknown_unsigned_attribute_allowed", "cms.unauthenticated",
                  lambda folder: built(folder, "bad.exe", pe.signed(unsigned=[UNKNOWN]), "--allow", "UncoveredData"), "accepted", "UncoveredData"))

# -- the bag ---------------------------------------------------------------------------------------------------------------


def bag(*more: Callable[[], bytes]) -> Callable[[], bytes]:
    return lambda: pe.signed(more_certs=[m() for m in more])


def with_inner(edit: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """The intermediate's certificate in a changed copy beside the true one."""
    return lambda: edit(w().inter.der)


bad("certificate_of_unknown_issuer", "cms.bag", bag(lambda: w().stranger.der), "UncoveredData")
bad("certificate_with_broken_signature", "cms.bag", bag(lambda: pk.leaf(label="broken", break_signature=True).der), "UncoveredData")
bad("certificate_with_payload", "cms.bag", bag(lambda: pk.leaf(exts=(pk.ext("1.3.6.1.4.1.99999.8", b"MZ" * 2000),), break_signature=True).der), "UncoveredData")
bad("certificate_algorithms_differ", "cms.bag", bag(with_inner(lambda c: der.edit(c, (1,), pk.sig_alg(w().root.key, "sha512")))), "UncoveredData")
bad("certificate_signature_algorithm_junk", "cms.bag", bag(with_inner(lambda c: der.edit(c, (1, 1), der.octets(b"stowaway")))), "UncoveredData")
bad("certificate_with_trailing_element", "cms.bag", bag(with_inner(lambda c: der.seq(*der.kids(c), der.octets(b"stowaway")))), ("UncoveredData", "Malformed"))
bad("certificate_not_minimal", "cms.bag", bag(with_inner(lambda c: der.edit(c, (2,), der.long_form))), ("UncoveredData", "Malformed"))
bad("certificate_bit_string_unused_bits", "cms.bag", bag(with_inner(lambda c: der.edit(c, (2,), lambda b: der.tlv(3, b"\1" + der.body(b)[1:])))), ("UncoveredData", "Malformed"))
bad("issuer_certificate_algorithm_junk", "cms.bag", lambda: pe.signed(certs=[w().leaf.der, der.edit(w().inter.der, (1, 1), der.octets(b"stowaway"))]),
    ("UncoveredData", "ChainUntrusted", "Malformed"))
bad("signer_certificate_algorithm_junk", "cms.bag", lambda: pe.signed(certs=[w().inter.der, der.edit(w().leaf.der, (1, 1), der.octets(b"stowaway"))]),
    ("UncoveredData", "ChainUntrusted", "Malformed"))
bad("junk_for_certificate", "cms.bag", bag(lambda: der.seq(der.octets(b"no certificate at all"))), ("UncoveredData", "Malformed"))
bad("other_certificate_format", "cms.bag", bag(lambda: der.ctx(3, der.oid("1.3.6.1.4.1.99999.6") + der.octets(b"stowaway"))), ("UncoveredData", "Malformed"))
bad("octets_for_certificate", "cms.bag", bag(lambda: der.octets(b"stowaway")), ("UncoveredData", "Malformed"))
bad("certificate_of_unknown_issuer_in_token", "cms.bag", lambda: pe.signed(unsigned=[cms.stamp(cms.IN_2026, more_certs=[w().stranger.der])]), "UncoveredData")
bad("signer_certificate_signature_broken", "cms.bag", lambda: pe.signed(signer=pk.leaf(break_signature=True)), ("ChainUntrusted", "UncoveredData"))
bad("bytes_between_certificates", "cms.bag", at(CERTS, lambda c: der.ctx(0, der.body(c) + b"\0")), "Malformed")
tolerated("certificate_of_unknown_issuer", "cms.bag", bag(lambda: w().stranger.der), "UncoveredData")
tolerated("certificate_with_broken_signature", "cms.bag", bag(lambda: pk.leaf(label="broken", break_signature=True).der), "UncoveredData")

# -- shapes that only the windows profile reads ----------------------------------------------------------------------------


def octet_string_wrong() -> bytes:
    image = pe.Image()
    data = image.bytes()
    content = cms.indirect(cms.pe_data(), b"\x42" * 32)
    info = cms.signer_info(w().leaf, content, more_attrs=(cms.opus(),))
    return pe.embed(data, image, pe.win_certificate(cms.signed_data(cms.SPC_INDIRECT, der.octets(content), [info], version=3, certs=w().leaf.bag)))


CASES.append(Case("cms_octet_string_digest_wrong_windows", "cms.shapes.octet_string", lambda folder: built(folder, "bad.exe", octet_string_wrong()),
                  "refused", "DigestMismatch", profile="windows"))
bad("octet_string_trailing_bytes", "cms.shapes.octet_string", lambda: octet_string_trailing(), ("Malformed", TYPE), windows=True)
bad("octet_string_empty", "cms.shapes.octet_string", lambda: octet_string_of(b""), ("Malformed", TYPE), windows=True)


def octet_string_of(content: bytes) -> bytes:
    image = pe.Image()
    info = cms.signer_info(w().leaf, content)
    made = cms.signed_data(cms.SPC_INDIRECT, der.octets(content), [info], version=3, certs=w().leaf.bag)
    return pe.embed(image.bytes(), image, pe.win_certificate(made))


def octet_string_trailing() -> bytes:
    image = pe.Image()
    return octet_string_of(pe.spc(image.bytes(), image) + der.octets(b"stowaway"))
