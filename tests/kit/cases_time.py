"""Signing time: validity now and then, wrong timestamps of both kinds, lifetime signing."""

from __future__ import annotations

from typing import Any, Callable

from . import cms, der, pe
from . import pki as pk
from .case import Case, Codes, built

CASES: list[Case] = []
BAD = "TimestampInvalid"
BAD_DER = (BAD, "Malformed")
UNTRUSTED = "TimestampUntrusted"


def w() -> Any:
    return pk.pki()


def bad(name: str, rule: str, make: Callable[[], bytes], reason: Codes, *more: str, windows: bool = False, absent: tuple[str, ...] = (), **trusting: Any) -> None:
    for profile in ("strict", "windows") if windows else ("strict",):
        CASES.append(Case("time_" + name + ("_windows" if profile == "windows" else ""), rule,
                          lambda folder: built(folder, "bad.exe", make(), *more, **trusting), "refused", reason, profile=profile, absent=absent))


def old(**stamp: Any) -> Callable[[], bytes]:
    """An expired leaf that only a right timestamp of 2022 could save. Values that need keys are given as functions."""
    return lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(**{k: v() if k in LAZY else v for k, v in stamp.items()})])


LAZY = ("tsa", "ess", "certs", "more_certs", "imprint")


def alive(**stamp: Any) -> Callable[[], bytes]:
    """A leaf that is valid today, with a wrong timestamp: still a refusal."""
    return lambda: pe.signed(unsigned=[cms.stamp(**{"when": cms.IN_2026, **{k: v() if k in LAZY else v for k, v in stamp.items()}})])


# -- no timestamp ----------------------------------------------------------------------------------------------------------
bad("leaf_expired", "time.signing_time", lambda: pe.signed(signer=w().expired), "ChainExpired", windows=True)
bad("leaf_not_yet_valid", "time.signing_time", lambda: pe.signed(signer=pk.leaf(before="2026-06-02", after="2028-01-01")), "ChainExpired", windows=True)
bad("intermediate_expired", "time.signing_time", lambda: pe.signed(signer=pk.leaf(pk.intermediate(after="2026-01-01"))), "ChainExpired", windows=True)
bad("intermediate_not_yet_valid", "time.signing_time", lambda: pe.signed(signer=pk.leaf(pk.intermediate(before="2026-07-01"))), "ChainExpired")
bad("signing_time_attribute_is_no_stamp", "time.signing_time", lambda: pe.signed(
    signer=w().expired, si={"more_attrs": (cms.attr(cms.SIGNING_TIME, der.utctime(cms.IN_2022)), cms.opus())}), "ChainExpired", windows=True)
bad("unsigned_signing_time_is_no_stamp", "time.signing_time", lambda: pe.signed(
    signer=w().expired, unsigned=[cms.attr(cms.SIGNING_TIME, der.utctime(cms.IN_2022))]), "ChainExpired", windows=True)
bad("stamp_demanded_none_there", "time.refusal", pe.signed, "TimestampMissing", "--require-timestamp", windows=True)
bad("stamp_as_signed_attribute", "time.signing_time", lambda: pe.signed(
    signer=w().expired, si={"more_attrs": (cms.attr(cms.RFC3161, cms.token(b"anything")), cms.opus())}), "ChainExpired", windows=True)
bad("leaf_expired_before_stamp", "time.signing_time", old(when=pk.utc("2023-06-01")), "ChainExpired", windows=True)
bad("intermediate_expired_before_stamp", "time.signing_time", lambda: pe.signed(
    signer=pk.leaf(pk.intermediate(after="2022-02-01"), before="2022-01-01", after="2023-01-01"), unsigned=[cms.stamp()]), "ChainExpired")
CASES.append(Case("time_leaf_valid_at_other_now", "time.signing_time", lambda folder: built(folder, "good.exe", pe.signed(signer=w().expired)),
                  "accepted", at="2022-06-15T00:00:00Z"))
CASES.append(Case("time_leaf_expired_at_other_now", "time.signing_time", lambda folder: built(folder, "bad.exe", pe.signed()),
                  "refused", "ChainExpired", at="2027-01-01T00:00:01Z"))

# -- the imprint -----------------------------------------------------------------------------------------------------------
bad("imprint_of_other_signature", "time.imprint", old(imprint=lambda: pk.digest("sha256", b"another signature")), BAD, windows=True)
bad("imprint_of_content", "time.imprint", old(imprint=lambda: pk.digest("sha256", pe.Image().bytes())), BAD)
bad("stamp_of_other_file", "time.imprint", lambda: borrowed(), BAD, windows=True)
bad("imprint_flipped", "time.imprint", lambda: pe.signed(signer=w().expired, unsigned=[flipped_imprint]), BAD, windows=True)
bad("imprint_cut_short", "time.imprint", lambda: pe.signed(signer=w().expired, unsigned=[short_imprint(16)]), BAD, windows=True)
bad("imprint_one_byte", "time.imprint", lambda: pe.signed(signer=w().expired, unsigned=[short_imprint(1)]), BAD, windows=True)
bad("imprint_called_sha384", "time.imprint", old(tst={"imprint_alg": pk.hash_alg("sha384")}), BAD, windows=True)
bad("imprint_algorithm_unknown", "time.imprint", old(tst={"imprint_alg": der.seq(der.oid("1.3.6.1.4.1.99999.9"))}), (BAD, "Unsupported"), windows=True)
bad("imprint_empty", "time.imprint_empty", old(imprint=lambda: b""), BAD, windows=True)
bad("imprint_empty_alive", "time.imprint_empty", alive(imprint=lambda: b""), BAD, windows=True)
bad("imprint_empty_demanded", "time.imprint_empty", alive(imprint=lambda: b""), BAD, "--require-timestamp")


def borrowed() -> bytes:
    """A right timestamp of another signature by the same signer."""
    kept: list[bytes] = []

    def keep(signature: bytes) -> bytes:
        kept.append(cms.stamp()(signature))
        return kept[0]
    pe.signed(pe.Image(overlay=b"the other file"), w().expired, unsigned=[keep])
    return pe.signed(signer=w().expired, unsigned=kept)


def flipped_imprint(signature: bytes) -> bytes:
    value = pk.digest("sha256", signature)
    return cms.stamp(imprint=value[:-1] + bytes([value[-1] ^ 1]))(signature)


def short_imprint(n: int) -> Callable[[bytes], bytes]:
    return lambda signature: cms.stamp(imprint=pk.digest("sha256", signature)[:n])(signature)


# -- the authority's certificate -------------------------------------------------------------------------------------------
DIGITAL = pk.usage(pk.DIGITAL_SIGNATURE)


def clock(*exts: bytes, **wrong: Any) -> Callable[[], pk.Cert]:
    return lambda: pk.tsa(exts=(DIGITAL, *exts), **wrong)


bad("tsa_without_eku", "time.tsa_eku", old(tsa=clock()), BAD)
bad("tsa_eku_not_critical", "time.tsa_eku", old(tsa=clock(pk.eku(pk.TIME_STAMPING))), BAD)
bad("tsa_eku_not_alone", "time.tsa_eku", old(tsa=clock(pk.eku(pk.TIME_STAMPING, pk.CODE_SIGNING, critical=True))), BAD)
bad("tsa_eku_with_any", "time.tsa_eku", old(tsa=clock(pk.eku(pk.TIME_STAMPING, pk.ANY_EKU, critical=True))), BAD)
bad("tsa_eku_code_signing", "time.tsa_eku", old(tsa=clock(pk.eku(pk.CODE_SIGNING, critical=True))), BAD, windows=True)
bad("tsa_eku_server_auth", "time.tsa_eku", old(tsa=clock(pk.eku(pk.SERVER_AUTH, critical=True))), BAD, windows=True)
bad("tsa_eku_any", "time.tsa_eku", old(tsa=clock(pk.eku(pk.ANY_EKU, critical=True))), BAD)
bad("tsa_eku_twice", "time.tsa_eku", old(tsa=clock(pk.eku(pk.TIME_STAMPING, critical=True), pk.eku(pk.CODE_SIGNING, critical=True))), (BAD, UNTRUSTED, "Malformed"))
bad("tsa_is_the_signer", "time.tsa_eku", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(tsa=w().expired)]), (BAD, UNTRUSTED), windows=True)
bad("tsa_is_another_signer", "time.tsa_eku", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(tsa=w().leaf)]), (BAD, UNTRUSTED), windows=True)
bad("tsa_key_usage_encipherment", "time.tsa_eku", old(tsa=lambda: pk.tsa(exts=(pk.usage(pk.KEY_ENCIPHERMENT), pk.TSA_EXTS[1]))), (BAD, UNTRUSTED))
bad("tsa_authority_excludes_it", "time.untrusted", old(tsa=lambda: pk.tsa(time_ca(exts=(*pk.CA_EXTS, pk.eku(pk.CODE_SIGNING))))), (BAD, UNTRUSTED))
bad("countersigner_without_eku", "time.tsa_eku", lambda: counter(tsa=pk.tsa(exts=(DIGITAL,)), hash="sha256"), BAD)
bad("countersigner_code_signing", "time.tsa_eku", lambda: counter(tsa=pk.tsa(exts=(DIGITAL, pk.eku(pk.CODE_SIGNING))), hash="sha256"), BAD, windows=True)


def time_ca(**wrong: Any) -> pk.Cert:
    return pk.issue(pk.name(("O", "Kit Time"), ("CN", "Kit Time Intermediate")), w().tsa_root, pk.key("rsa2048", "tsa_inter"), **{"exts": pk.CA_EXTS, **wrong})


# -- times -----------------------------------------------------------------------------------------------------------------
bad("stamp_before_tsa", "time.gen_tsa", old(tsa=lambda: pk.tsa(before="2022-07-01")), (BAD, UNTRUSTED), windows=True)
bad("stamp_after_tsa", "time.gen_tsa", old(tsa=lambda: pk.tsa(after="2022-06-01")), (BAD, UNTRUSTED), windows=True)
bad("stamp_after_tsa_alive", "time.gen_tsa", alive(tsa=lambda: pk.tsa(after="2025-06-01")), (BAD, UNTRUSTED), windows=True)
bad("stamp_after_tsa_intermediate", "time.gen_tsa", old(tsa=lambda: pk.tsa(time_ca(after="2022-03-01"))), (BAD, UNTRUSTED))
bad("stamp_before_signer", "time.gen_signer", old(when=pk.utc("2021-12-31")), BAD, windows=True)
bad("stamp_before_signer_alive", "time.gen_signer", alive(when=pk.utc("2024-12-31")), BAD, windows=True)
for word, text in (("no_zone", "20220615120000"), ("offset", "20220615120000+0000"), ("month_13", "20221315120000Z"), ("day_0", "20220600120000Z"),
                   ("30_february", "20220230120000Z"), ("hour_24", "20220615240000Z"), ("words", "yesterday"), ("empty", ""), ("comma", "20220615120000,5Z"),
                   ("dot_without_digits", "20220615120000.Z"), ("no_seconds", "202206151200Z"), ("nul", "20220615120000Z\0")):
    bad("gen_time_" + word, "time.gen_tsa", old(when=text), BAD_DER, windows=word in ("month_13", "words", "empty", "nul"))

# -- the token's shape -----------------------------------------------------------------------------------------------------
for word, which in (("data", cms.DATA), ("spc", cms.SPC_INDIRECT), ("unknown", "1.3.6.1.4.1.99999.5")):
    bad("token_content_" + word, "time.content_type", old(content_type=which), BAD, windows=True)
bad("token_content_type_attribute_differs", "time.content_type", old(si={"edit_attrs": lambda a: [cms.attr(cms.CONTENT_TYPE, der.oid(cms.DATA)), *a[1:]]}), BAD)
bad("token_outer_type_data", "time.content_type", old(sd={"outer_type": cms.DATA}), BAD_DER, windows=True)
bad("token_is_file_signature", "time.content_type", lambda: pe.signed(signer=w().expired, unsigned=[cms.attr(cms.RFC3161, cms.authenticode(pe.spc(pe.Image().bytes(), pe.Image())))]),
    BAD, windows=True)
bad("token_is_whole_response", "time.content_type", old(edit=lambda t: der.seq(der.seq(der.integer(0)), t)), BAD_DER)
bad("token_is_junk", "time.refusal", old(edit=lambda t: der.octets(b"not a token")), BAD_DER, windows=True)
bad("token_is_junk_alive", "time.refusal", alive(edit=lambda t: der.octets(b"not a token")), BAD_DER, windows=True, absent=("TimestampMissing",))
bad("token_absent", "time.refusal", lambda: pe.signed(unsigned=[cms.attr(cms.RFC3161)]), BAD_DER)
bad("token_long_length", "time.refusal", old(edit=lambda t: der.long_form(t)), BAD_DER)
bad("token_element_after", "traps.d2i", old(edit=lambda t: der.seq(*der.kids(t), der.octets(b"stowaway"))), BAD_DER)
bad("token_two_values", "traps.d2i", lambda: pe.signed(signer=w().expired, unsigned=[two_values]), BAD_DER)
bad("tst_element_after", "traps.d2i", old(tst={"more": der.octets(b"stowaway")}), BAD_DER)
bad("tst_bytes_after", "traps.d2i", old(tst_edit=lambda t: t + b"stowaway"), BAD_DER)
bad("tst_version_2", "time.content_type", old(tst={"version": 2}), BAD_DER)
bad("tst_unknown_critical_extension", "time.content_type", old(tst={"extensions": pk.unknown_ext()}), BAD)
bad("token_no_content", "time.imprint", old(edit=lambda t: der.edit(t, (1, 0, 2), lambda c: der.seq(der.kids(c)[0]))), BAD_DER, windows=True)
bad("token_no_attributes", "time.refusal", old(si={"no_attrs": True}), BAD_DER)
bad("token_message_digest_wrong", "time.refusal", old(si={"content_digest": b"\x42" * 32}), BAD, windows=True)
bad("token_time_changed_after", "time.refusal", old(when="20200615000000Z", edit=lambda t: t.replace(b"20200615000000Z", b"20220615000000Z")), BAD, windows=True)
bad("token_signature_broken", "time.refusal", old(si={"signature": bytes(256)}), BAD, windows=True, absent=("TimestampMissing",))
bad("token_signature_broken_alive", "time.refusal", alive(si={"signature": bytes(256)}), BAD, windows=True, absent=("TimestampMissing",))
bad("token_signature_broken_demanded", "time.refusal", alive(si={"signature": bytes(256)}), BAD, "--require-timestamp", absent=("TimestampMissing",))
bad("token_by_other_key", "time.refusal", old(si={"signature": lambda m: pk.sign(pk.key("rsa2048", "thief"), m)}),
    BAD, windows=True)
bad("token_no_signer", "time.refusal", old(edit=lambda t: der.edit(t, (1, 0, 4), der.set_of())), BAD_DER, windows=True)
bad("token_two_signers", "time.refusal", old(edit=lambda t: der.edit(t, (1, 0, 4), lambda s: der.set_raw(*der.kids(s) * 2))), BAD_DER)
bad("token_names_other_certificate", "time.refusal", old(ess=lambda: [cms.ess_cert_id_v2(w().other_tsa)]), BAD)
bad("token_names_no_certificate", "time.refusal", old(ess=lambda: []), BAD)
bad("two_tokens_one_broken", "time.refusal", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(), cms.stamp(si={"signature": bytes(256)})]), BAD)
bad("two_tokens_one_of_other_signature", "time.imprint", lambda: pe.signed(signer=w().expired, unsigned=[cms.stamp(), cms.stamp(imprint=bytes(32))]), BAD)
bad("token_right_countersignature_broken", "time.refusal", lambda: pe.signed(
    signer=w().expired, more_certs=[w().tsa.der], unsigned=[cms.stamp(), cms.counter_stamp(hash="sha256", signature=bytes(256))]), BAD)


def two_values(signature: bytes) -> bytes:
    """Two tokens under one attribute."""
    return cms.attr(cms.RFC3161, cms.token(signature), cms.token(signature, when=pk.utc("2022-07-01")))


# -- whom to believe -------------------------------------------------------------------------------------------------------
bad("tsa_of_strangers", "time.untrusted", old(tsa=lambda: w().other_tsa), UNTRUSTED, windows=True)
bad("tsa_of_strangers_alive", "time.untrusted", alive(tsa=lambda: w().other_tsa), UNTRUSTED, windows=True, absent=("TimestampMissing",))
bad("tsa_of_strangers_with_root", "time.untrusted", old(tsa=lambda: w().other_tsa, more_certs=lambda: [w().other_root.der]), UNTRUSTED, windows=True)
bad("tsa_under_code_anchors_only", "time.untrusted", old(tsa=lambda: pk.tsa(w().root)), UNTRUSTED)
bad("tsa_anchors_absent", "time.untrusted", old(), UNTRUSTED, stamps=[])
bad("tsa_self_signed", "time.untrusted", old(tsa=lambda: pk.issue(pk.name(("CN", "My own clock")), None, pk.key("rsa2048", "own_clock"), pk.TSA_EXTS)), UNTRUSTED, windows=True)
bad("tsa_certificate_missing", "time.untrusted", old(certs=lambda: []), (UNTRUSTED, BAD), windows=True)
bad("tsa_intermediate_missing", "time.untrusted", old(tsa=lambda: pk.tsa(time_ca()), certs=lambda: [pk.tsa(time_ca()).der]), (UNTRUSTED, BAD))
bad("tsa_intermediate_no_authority", "time.untrusted", old(tsa=lambda: pk.tsa(time_ca(exts=(DIGITAL,)))), UNTRUSTED, windows=True)
bad("tsa_unknown_critical_extension", "time.untrusted", old(tsa=clock(pk.TSA_EXTS[1], pk.unknown_ext())), (UNTRUSTED, BAD), windows=True)
bad("tsa_explicit_curve", "time.untrusted", old(tsa=lambda: pk.tsa(kind="p256", spki=pk.explicit_p256_spki(pk.key("p256", "tsa")))), (UNTRUSTED, BAD))
bad("tsa_signed_with_md5", "time.untrusted", old(tsa=lambda: pk.tsa(hash="md5")), ("WeakDigest", UNTRUSTED), windows=True)
bad("tsa_signed_with_sha1", "cms.sha1_windows", old(tsa=lambda: pk.tsa(hash="sha1")), "WeakDigest")
bad("pin_does_not_make_tsa", "time.untrusted", old(), UNTRUSTED, "--pin", "sha256:" + "00" * 32, stamps=[])

# -- lifetime signing ------------------------------------------------------------------------------------------------------


def lifetime(before: str, after: str) -> pk.Cert:
    return pk.leaf(before=before, after=after, exts=(DIGITAL, pk.eku(pk.CODE_SIGNING, pk.LIFETIME_SIGNING)))


bad("lifetime_signing_expired", "time.lifetime", lambda: pe.signed(signer=lifetime("2022-01-01", "2023-01-01"), unsigned=[cms.stamp()]), "ChainExpired", windows=True)
bad("lifetime_signing_expired_countersigned", "time.lifetime", lambda: pe.signed(
    signer=lifetime("2022-01-01", "2023-01-01"), more_certs=[w().tsa.der], unsigned=[cms.counter_stamp(hash="sha256")]), "ChainExpired", windows=True)

# -- countersignatures -----------------------------------------------------------------------------------------------------


def counter(*, tsa: pk.Cert | None = None, certs: list[bytes] | None = None, file_hash: str = "sha256", **stamp: Any) -> bytes:
    """An expired leaf that only this PKCS#9 countersignature could save."""
    tsa = tsa or w().tsa
    return pe.signed(signer=w().expired, hash=file_hash, more_certs=tsa.bag if certs is None else certs, unsigned=[cms.counter_stamp(tsa=tsa, **stamp)])


bad("countersignature_bare_sha1", "time.legacy", lambda: counter(scheme="bare"), (BAD, "WeakDigest"))
bad("countersignature_bare_sha256", "time.legacy", lambda: counter(scheme="bare", hash="sha256"), BAD, windows=True)
bad("countersignature_bare_of_other", "time.legacy", lambda: counter(scheme="bare", over=b"another signature"), BAD, windows=True)
bad("countersignature_bare_broken", "time.legacy", lambda: counter(signature=lambda m: pk.raw_rsa(w().tsa.key, bytes(20))), BAD, windows=True)
bad("countersignature_bare_short", "time.legacy", lambda: counter(signature=lambda m: pk.raw_rsa(w().tsa.key, pk.digest("sha1", m)[:4])), BAD, windows=True)
bad("countersignature_of_other", "time.imprint", lambda: counter(hash="sha256", over=b"another signature"), BAD, windows=True)
bad("countersignature_broken", "time.refusal", lambda: counter(hash="sha256", signature=bytes(256)), BAD, windows=True, absent=("TimestampMissing",))
bad("countersignature_without_time", "time.refusal", lambda: counter(hash="sha256", when=None), BAD_DER, windows=True)
bad("countersignature_two_times", "time.refusal", lambda: counter(hash="sha256", edit_attrs=lambda a: [*a, cms.attr(cms.SIGNING_TIME, der.utctime(pk.utc("2022-03-01")))]), BAD_DER)
bad("countersignature_content_type_spc", "time.content_type", lambda: counter(hash="sha256", content_type=cms.SPC_INDIRECT), BAD)
bad("countersignature_without_attributes", "time.refusal", lambda: counter(hash="sha256", no_attrs=True), BAD_DER, windows=True)
bad("countersignature_message_digest_empty", "time.imprint_empty", lambda: counter(hash="sha256", content_digest=b""), BAD_DER, windows=True)
bad("countersignature_certificate_missing", "time.untrusted", lambda: counter(hash="sha256", certs=[]), (BAD, UNTRUSTED), windows=True)
bad("countersignature_of_strangers", "time.untrusted", lambda: counter(hash="sha256", tsa=w().other_tsa), UNTRUSTED, windows=True)
bad("countersignature_before_signer", "time.gen_signer", lambda: counter(hash="sha256", when=pk.utc("2021-12-31")), BAD, windows=True)
bad("countersignature_after_tsa", "time.gen_tsa", lambda: counter(hash="sha256", tsa=pk.tsa(after="2022-06-01")), (BAD, UNTRUSTED), windows=True)
bad("countersignature_is_junk", "time.refusal", lambda: pe.signed(unsigned=[cms.attr(cms.COUNTERSIGNATURE, der.seq(der.octets(b"junk")))]), BAD_DER, windows=True)
