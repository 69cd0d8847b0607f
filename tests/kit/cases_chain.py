"""Wrong certificates around right signatures, publishers and pins, and revocation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Sequence

from . import cms, der, pe
from . import pki as pk
from .case import Built, Case, Codes, built

CASES: list[Case] = []
Maker = Callable[[], pk.Cert]


def bad(name: str, rule: str, signer: Maker, reason: Codes, *more: str, windows: bool = False, sign: Callable[[], dict[str, Any]] = dict, **trusting: Any) -> None:
    """A right file signed by a wrong signer."""
    for profile in ("strict", "windows") if windows else ("strict",):
        CASES.append(Case("chain_" + name + ("_windows" if profile == "windows" else ""), rule,
                          lambda folder: built(folder, "bad.exe", pe.signed(signer=signer(), **sign()), *more, **trusting),
                          "refused", reason, profile=profile))


def w() -> Any:
    return pk.pki()


# -- purposes --------------------------------------------------------------------------------------------------------------
DIGITAL = pk.usage(pk.DIGITAL_SIGNATURE)
NOT = "NotCodeSigning"
bad("leaf_without_eku", "traps.eku_absent", lambda: w().no_eku, NOT)
bad("leaf_without_any_extension", "traps.eku_absent", lambda: pk.leaf(exts=(), ids=False), NOT)
bad("leaf_version_1", "traps.eku_absent", lambda: pk.leaf(exts=(), version=0, ids=False), NOT)
bad("leaf_server_auth", "chain.eku_leaf", lambda: w().server_auth, NOT, windows=True)
bad("leaf_client_and_email", "chain.eku_leaf", lambda: pk.leaf(exts=(DIGITAL, pk.eku(pk.CLIENT_AUTH, pk.EMAIL))), NOT, windows=True)
bad("leaf_time_stamping", "chain.eku_leaf", lambda: pk.leaf(exts=pk.TSA_EXTS), NOT, windows=True)
bad("leaf_server_auth_asked_for", "chain.eku_leaf", lambda: w().server_auth, NOT, "--eku", "serverAuth")
bad("leaf_without_eku_any_asked_for", "traps.eku_absent", lambda: w().no_eku, NOT, "--eku", "any")
bad("leaf_any_eku", "traps.purpose_any", lambda: pk.leaf(exts=(DIGITAL, pk.eku(pk.ANY_EKU))), NOT)
bad("leaf_lifetime_eku_alone", "chain.eku_leaf", lambda: pk.leaf(exts=(DIGITAL, pk.eku(pk.LIFETIME_SIGNING))), NOT)
bad("leaf_eku_twice", "chain.eku_leaf", lambda: pk.leaf(exts=(DIGITAL, pk.eku(pk.SERVER_AUTH), pk.eku(pk.CODE_SIGNING))), (NOT, "ChainUntrusted", "Malformed", "UncoveredData"))
bad("leaf_eku_empty", "chain.eku_leaf", lambda: pk.leaf(exts=(DIGITAL, pk.eku())), (NOT, "ChainUntrusted", "Malformed"))
bad("leaf_eku_not_der", "chain.eku_leaf", lambda: pk.leaf(exts=(DIGITAL, pk.ext("2.5.29.37", b"\x30\x0a\x06\x08"))), (NOT, "ChainUntrusted", "Malformed"))
bad("intermediate_server_auth", "chain.eku_ca", lambda: pk.leaf(pk.intermediate(exts=(*pk.CA_EXTS, pk.eku(pk.SERVER_AUTH)))), NOT, windows=True)
bad("intermediate_time_stamping", "chain.eku_ca", lambda: pk.leaf(pk.intermediate(exts=(*pk.CA_EXTS, pk.eku(pk.TIME_STAMPING)))), NOT)
bad("upper_intermediate_server_auth", "chain.eku_ca", lambda: pk.leaf(pk.intermediate(
    pk.intermediate(exts=(*pk.CA_EXTS, pk.eku(pk.SERVER_AUTH)), label="inter3"), cn="Kit Lower", exts=(*pk.CA_EXTS, pk.eku(pk.CODE_SIGNING)))), NOT)
for usage in ((pk.KEY_ENCIPHERMENT,), (pk.NON_REPUDIATION,), (pk.KEY_CERT_SIGN,)):
    bad(f"leaf_key_usage_{usage[0]}", "chain.key_usage", lambda usage=usage: pk.leaf(exts=(pk.usage(*usage), pk.eku(pk.CODE_SIGNING))), NOT)
bad("leaf_key_usage_not_critical", "chain.key_usage", lambda: pk.leaf(exts=(pk.usage(pk.KEY_ENCIPHERMENT, critical=False), pk.eku(pk.CODE_SIGNING))), NOT)

# -- authority -------------------------------------------------------------------------------------------------------------
UNTRUSTED = "ChainUntrusted"
bad("leaf_issues_leaf", "chain.basic", lambda: pk.leaf(pk.leaf(subject=pk.name(("CN", "A Leaf")), label="evil")), UNTRUSTED, windows=True)
bad("intermediate_ca_false", "chain.basic", lambda: pk.leaf(pk.intermediate(exts=(pk.basic(ca=False), pk.CA_EXTS[1]))), UNTRUSTED, windows=True)
bad("intermediate_without_basic", "chain.basic", lambda: pk.leaf(pk.intermediate(exts=(pk.CA_EXTS[1],))), UNTRUSTED, windows=True)
bad("intermediate_version_1", "chain.basic", lambda: pk.leaf(pk.intermediate(exts=(), version=0, ids=False)), UNTRUSTED)
bad("intermediate_no_cert_sign", "chain.basic", lambda: pk.leaf(pk.intermediate(exts=(pk.basic(), pk.usage(pk.DIGITAL_SIGNATURE)))), UNTRUSTED)
bad("pathlen_0_with_another", "chain.pathlen", lambda: pk.leaf(pk.intermediate(pk.intermediate(exts=(pk.basic(path=0), pk.CA_EXTS[1]), label="inter3"), cn="Kit Lower")),
    UNTRUSTED, windows=True)
bad("pathlen_negative", "chain.pathlen", lambda: pk.leaf(pk.intermediate(exts=(pk.basic(path=-1), pk.CA_EXTS[1]))), (UNTRUSTED, "Malformed"))
OTHERS = pk.name(("O", "Somebody Else"))
MINE = pk.name(("O", pk.PUBLISHER))
bad("name_not_permitted", "chain.name_constraints", lambda: pk.leaf(pk.intermediate(exts=(*pk.CA_EXTS, pk.name_constraints([OTHERS])))), UNTRUSTED, windows=True)
bad("name_excluded", "chain.name_constraints", lambda: pk.leaf(pk.intermediate(exts=(*pk.CA_EXTS, pk.name_constraints(excluded=[MINE])))), UNTRUSTED, windows=True)
bad("name_permitted_and_excluded", "chain.name_constraints", lambda: pk.leaf(pk.intermediate(exts=(*pk.CA_EXTS, pk.name_constraints([MINE], [MINE])))), UNTRUSTED)
bad("name_not_permitted_far_above", "chain.name_constraints", lambda: pk.leaf(pk.intermediate(pk.intermediate(
    exts=(*pk.CA_EXTS, pk.name_constraints([pk.name(("O", "Kit Trust")), OTHERS])), label="inter3"), cn="Kit Lower")), UNTRUSTED)
bad("unknown_critical_in_leaf", "chain.critical", lambda: pk.leaf(exts=(*pk.SIGNER_EXTS, pk.unknown_ext())), UNTRUSTED, windows=True)
bad("unknown_critical_in_intermediate", "chain.critical", lambda: pk.leaf(pk.intermediate(exts=(*pk.CA_EXTS, pk.unknown_ext()))), UNTRUSTED, windows=True)
bad("explicit_curve_in_leaf", "chain.ec_params", lambda: pk.leaf(kind="p256", spki=pk.explicit_p256_spki(pk.key("p256", "leaf"))), UNTRUSTED, windows=True)
bad("explicit_curve_in_intermediate", "chain.ec_params",
    lambda: pk.leaf(pk.intermediate(kind="p256", spki=pk.explicit_p256_spki(pk.key("p256", "inter2")))), UNTRUSTED, windows=True)
bad("rsa1024_leaf", "chain.rsa", lambda: pk.leaf(kind="rsa1024"), "WeakKey", windows=True)
bad("rsa2040_leaf", "chain.rsa", lambda: pk.leaf(kind="rsa2040"), "WeakKey")
bad("rsa1024_intermediate", "chain.rsa", lambda: pk.leaf(pk.intermediate(kind="rsa1024")), "WeakKey", windows=True)
bad("rsa1024_stamped", "traps.level", lambda: pk.leaf(kind="rsa1024", before="2022-01-01", after="2023-01-01"), "WeakKey", sign=lambda: {"unsigned": [cms.stamp()]})
bad("p192_leaf", "traps.level", lambda: pk.leaf(kind="p192"), ("WeakKey", UNTRUSTED, "Unsupported"), windows=True)
CASES.append(Case("chain_rsa1024_leaf_allowed", "chain.rsa", lambda folder: built(folder, "bad.exe", pe.signed(signer=pk.leaf(kind="rsa1024")), "--allow", "rsa1024"),
                  "accepted", "WeakKey"))


def under_root(name: str, rule: str, reason: Codes, verdict: str = "refused", kind: str = "rsa2048",
               exts: Sequence[bytes] = pk.CA_EXTS, below: Callable[[pk.Cert], pk.Cert] = lambda root: pk.leaf(root)) -> None:
    """A leaf directly under an anchor that is itself out of order."""
    def build(folder: Path) -> Built:
        top = pk.issue(pk.name(("CN", "Kit Strange Root " + name)), None, pk.key(kind, "strange_root"), exts)
        return built(folder, "bad.exe", pe.signed(signer=below(top)), anchors=[top])
    CASES.append(Case("chain_" + name, rule, build, verdict, reason))


under_root("root_rsa1024", "chain.rsa", "WeakKey", kind="rsa1024")
under_root("root_server_auth", "chain.eku_ca", NOT, exts=(*pk.CA_EXTS, pk.eku(pk.SERVER_AUTH)))
under_root("root_pathlen_0_with_intermediate", "chain.pathlen", UNTRUSTED, below=lambda root: pk.leaf(pk.intermediate(root)), exts=(pk.basic(path=0), pk.CA_EXTS[1]))
under_root("root_ca_false", "chain.basic", UNTRUSTED, exts=(pk.basic(ca=False), pk.CA_EXTS[1]))

# -- whose chain -----------------------------------------------------------------------------------------------------------
bad("of_strangers", "traps.partial", lambda: w().stranger, UNTRUSTED, windows=True)
bad("of_strangers_with_root_in_bag", "traps.partial", lambda: w().stranger, UNTRUSTED, windows=True, sign=lambda: {"more_certs": [w().other_root.der]})
bad("intermediate_missing", "traps.partial", lambda: w().leaf, UNTRUSTED, windows=True, sign=lambda: {"certs": [w().leaf.der]})
bad("self_signed_leaf", "traps.partial", lambda: pk.issue(pk.ORCHARD, None, pk.key("rsa2048", "alone"), pk.SIGNER_EXTS, before="2025-01-01", after="2027-01-01"), UNTRUSTED,
    windows=True)
bad("issuer_name_right_key_wrong", "traps.partial", lambda: pk.leaf(sign_with=pk.key("rsa2048", "thief")), (UNTRUSTED, "UncoveredData"), windows=True)
bad("root_name_right_key_wrong", "traps.partial", lambda: pk.leaf(false_root()), UNTRUSTED, windows=True)
bad("anchors_of_others", "traps.partial", lambda: w().leaf, UNTRUSTED, anchors=lambda: [w().other_root])
bad("only_time_anchors_reach_it", "traps.partial", lambda: pk.leaf(w().tsa_root), UNTRUSTED)
bad("anchor_is_leaf_of_same_name", "traps.partial", lambda: w().leaf, UNTRUSTED, anchors=lambda: [pk.leaf(label="namesake")])


def false_root() -> pk.Cert:
    """Says it is our root, and is not."""
    root = pk.issue(w().root.subject, None, pk.key("rsa2048", "thief"), pk.CA_EXTS)
    root.issuer = b"not its own, so that it goes into the bag"
    return root


def chain_loop() -> pk.Cert:
    """Two authorities that sign each other; a walk upwards must end."""
    names = pk.name(("CN", "Loop A")), pk.name(("CN", "Loop B"))
    keys = pk.key("rsa2048", "loop_a"), pk.key("rsa2048", "loop_b")
    a = pk.issue(names[0], None, keys[0], pk.CA_EXTS, issuer_name=names[1], sign_with=keys[1], ids=False)
    b = pk.issue(names[1], None, keys[1], pk.CA_EXTS, issuer_name=names[0], sign_with=keys[0], ids=False)
    made = pk.leaf(a)
    made.chain = [a, b]
    return made


def long_chain() -> pk.Cert:
    issuer = w().inter
    for n in range(40):
        issuer = pk.intermediate(issuer, cn=f"Kit Step {n}", kind="p256", label="step")
    return pk.leaf(issuer)


bad("loop", "traps.partial", chain_loop, UNTRUSTED, windows=True)
bad("forty_intermediates", "chain.pathlen", long_chain, (UNTRUSTED, "Unsupported", "Malformed"))


# -- publishers ------------------------------------------------------------------------------------------------------------
MISMATCH = "PublisherMismatch"


def subject(*parts: tuple[str, str | bytes]) -> Maker:
    return lambda: pk.leaf(subject=pk.name(*parts))


bad("publisher_other", "cms.nested_facts", lambda: w().other_publisher, MISMATCH, windows=True)
bad("publisher_longer", "cms.nested_facts", subject(("O", pk.PUBLISHER + " Ltd"), ("CN", "x")), MISMATCH)
bad("publisher_shorter", "cms.nested_facts", subject(("O", "Orchard"), ("CN", "Orchard")), MISMATCH)
bad("publisher_other_case", "cms.nested_facts", subject(("O", pk.PUBLISHER.upper()), ("CN", "x")), MISMATCH)
bad("publisher_in_unit", "cms.nested_facts", subject(("O", "Pear Yard"), ("OU", pk.PUBLISHER), ("CN", "Pear Yard")), MISMATCH)
bad("publisher_with_nul", "cms.nested_facts", subject(("O", pk.PUBLISHER + "\0.example"), ("CN", "x")), (MISMATCH, "Malformed", UNTRUSTED))
bad("publisher_as_text_of_other_field", "cms.nested_facts", subject(("O", "Pear Yard, O=" + pk.PUBLISHER), ("CN", "x")), MISMATCH)
bad("publisher_look_alike", "cms.nested_facts", subject(("O", "Orch\u0430rd Works"), ("CN", "x")), MISMATCH)
bad("publisher_with_space", "cms.nested_facts", subject(("O", pk.PUBLISHER + " "), ("CN", " " + pk.PUBLISHER)), MISMATCH)
bad("publisher_bmp_read_as_bytes", "cms.nested_facts", subject(("O", der.tlv(0x1E, pk.PUBLISHER.encode() + b" ")), ("CN", "x")), (MISMATCH, "Malformed", UNTRUSTED))
bad("publisher_of_issuer", "cms.nested_facts", lambda: pk.leaf(pk.intermediate(), subject=pk.name(("O", "Pear Yard"))), MISMATCH, publisher="Kit Trust")


# -- pins ------------------------------------------------------------------------------------------------------------------


def pinned(name: str, signer: Maker, pin: Callable[[], str], reason: Codes, profile: str = "strict", sign: Callable[[], dict[str, Any]] = dict, **trusting: Any) -> None:
    def build(folder: Path) -> Built:
        return built(folder, "bad.exe", pe.signed(signer=signer(), **sign()), "--pin", pin(), **trusting)
    CASES.append(Case("chain_pin_" + name, "traps.partial", build, "refused", reason, profile=profile))


PIN = "PinMismatch"
ALONE = {"anchors": [], "stamps": [], "publisher": None}
pinned("of_nobody", lambda: w().leaf, lambda: "sha256:" + "00" * 32, PIN)
pinned("of_nobody_without_anchors", lambda: w().leaf, lambda: "sha256:" + "00" * 32, (PIN, UNTRUSTED), **ALONE)
pinned("of_certificate_beside_chain", lambda: w().leaf, lambda: "sha256:" + w().other_publisher.sha256, PIN, sign=lambda: {"more_certs": [w().other_publisher.der]})
pinned("of_other_key", lambda: w().leaf, lambda: "spki-sha256:" + w().other_publisher.spki_sha256, PIN)
pinned("key_hash_as_thumbprint", lambda: w().leaf, lambda: "sha256:" + w().leaf.spki_sha256, PIN)
pinned("thumbprint_as_key_hash", lambda: w().leaf, lambda: "spki-sha256:" + w().leaf.sha256, PIN)
pinned("of_time_authority", lambda: w().leaf, lambda: "sha256:" + w().tsa.sha256, PIN, sign=lambda: {"unsigned": [cms.stamp(cms.IN_2026)]})
pinned("right_anchors_wrong", lambda: w().stranger, lambda: "sha256:" + w().stranger.sha256, UNTRUSTED)
pinned("right_leaf_expired", lambda: w().expired, lambda: "sha256:" + w().expired.sha256, "ChainExpired", **ALONE)
pinned("right_leaf_server_auth", lambda: w().server_auth, lambda: "sha256:" + w().server_auth.sha256, NOT, **ALONE)
pinned("right_publisher_wrong", lambda: w().other_publisher, lambda: "sha256:" + w().other_publisher.sha256, MISMATCH, anchors=[], stamps=[])
pinned("same_names_other_key", lambda: pk.leaf(label="namesake", serial=w().leaf.serial), lambda: "sha256:" + w().leaf.sha256, (PIN, "SignatureInvalid", "Malformed"),
       sign=lambda: {"more_certs": [w().leaf.der]})

# -- revocation ------------------------------------------------------------------------------------------------------------
Lists = Callable[[], Sequence[bytes]]


def revocation(name: str, rule: str, lists: Lists, reason: Codes, verdict: str = "refused", make: Callable[[], bytes] = pe.signed, mode: str = "crl",
               profile: str = "strict", **trusting: Any) -> None:
    def build(folder: Path) -> Built:
        args = ["--revocation", mode]
        for n, made in enumerate(lists()):
            (folder / f"{n}.crl").write_bytes(made if n % 2 else pk.pem("X509 CRL", made).encode("ascii"))
            args += ["--crl", str(folder / f"{n}.crl")]
        return built(folder, "bad.exe", make(), *args, **trusting)
    CASES.append(Case("revocation_" + name, rule, build, verdict, reason, profile=profile))


def lists(inter: Sequence[bytes] = (), root: Sequence[bytes] = (), time: Sequence[bytes] = (), **wrong: Any) -> list[bytes]:
    """One list of each authority; wrong goes to the intermediate's."""
    return [pk.crl(w().inter, inter, **wrong), pk.crl(w().root, root), pk.crl(w().tsa_root, time)]


def stamped_2026() -> bytes:
    return pe.signed(unsigned=[cms.stamp(cms.IN_2026)])


UNKNOWN = "RevocationUnknown"
COMPROMISE, SUPERSEDED = 1, 4
LATER, EARLIER = "2026-04-01", "2026-01-01"                            # than the stamp of 2026-02-03
revocation("all_good", "rev.per_certificate", lambda: lists(), None, "accepted")
revocation("all_good_windows", "rev.per_certificate", lambda: lists(), None, "accepted", profile="windows")
revocation("other_serial_revoked", "rev.per_certificate", lambda: lists([pk.revoked(12345, EARLIER)]), None, "accepted")
revocation("leaf_revoked", "rev.per_certificate", lambda: lists([pk.revoked(w().leaf, EARLIER)]), "Revoked")
revocation("leaf_revoked_windows", "rev.per_certificate", lambda: lists([pk.revoked(w().leaf, EARLIER)]), "Revoked", profile="windows")
revocation("leaf_revoked_superseded", "rev.per_certificate", lambda: lists([pk.revoked(w().leaf, EARLIER, SUPERSEDED)]), "Revoked")
revocation("leaf_on_hold", "rev.per_certificate", lambda: lists([pk.revoked(w().leaf, EARLIER, 6)]), "Revoked")
revocation("leaf_revoked_among_many", "rev.per_certificate", lambda: lists([*(pk.revoked(n, EARLIER) for n in range(1000, 1400)), pk.revoked(w().leaf, EARLIER)]), "Revoked")
revocation("leaf_revoked_pinned_anchor", "rev.per_certificate", lambda: lists([pk.revoked(w().leaf, EARLIER)])[:1], "Revoked", anchors=lambda: [w().inter])
revocation("leaf_revoked_before_stamp", "rev.after_signing", lambda: lists([pk.revoked(w().leaf, EARLIER)]), "Revoked", make=stamped_2026)
revocation("leaf_revoked_after_stamp", "rev.after_signing", lambda: lists([pk.revoked(w().leaf, LATER, SUPERSEDED)]), None, "accepted", make=stamped_2026)
revocation("leaf_revoked_after_stamp_no_reason", "rev.after_signing", lambda: lists([pk.revoked(w().leaf, LATER)]), None, "accepted", make=stamped_2026)
revocation("leaf_revoked_later_without_stamp", "rev.after_signing", lambda: lists([pk.revoked(w().leaf, LATER, SUPERSEDED)]), "Revoked")
revocation("leaf_revoked_after_signing_time_attribute", "rev.after_signing", lambda: lists([pk.revoked(w().leaf, LATER, SUPERSEDED)]), "Revoked",
           make=lambda: pe.signed(si={"more_attrs": (cms.attr(cms.SIGNING_TIME, der.utctime(cms.IN_2026)),)}))
revocation("key_compromised_earlier", "rev.key_compromise", lambda: lists([pk.revoked(w().leaf, LATER, COMPROMISE, EARLIER)]), "Revoked", make=stamped_2026)
revocation("key_compromised_later", "rev.key_compromise", lambda: lists([pk.revoked(w().leaf, LATER, COMPROMISE, "2026-03-01")]), None, "accepted", make=stamped_2026)
revocation("superseded_invalid_earlier", "rev.key_compromise", lambda: lists([pk.revoked(w().leaf, LATER, SUPERSEDED, EARLIER)]), None, "accepted", make=stamped_2026)
revocation("intermediate_revoked", "rev.intermediate", lambda: lists(root=[pk.revoked(w().inter, EARLIER)]), "Revoked")
revocation("intermediate_revoked_before_stamp", "rev.intermediate", lambda: lists(root=[pk.revoked(w().inter, EARLIER)]), "Revoked", make=stamped_2026)
revocation("intermediate_revoked_after_stamp", "rev.intermediate", lambda: lists(root=[pk.revoked(w().inter, LATER, 5)]), None, "accepted", make=stamped_2026)
revocation("intermediate_compromised_earlier", "rev.intermediate", lambda: lists(root=[pk.revoked(w().inter, LATER, COMPROMISE, EARLIER)]), "Revoked", make=stamped_2026)
revocation("intermediate_list_missing", "traps.crl_all", lambda: lists()[:1], UNKNOWN)
revocation("leaf_list_missing", "rev.unknown", lambda: lists()[1:], UNKNOWN)
revocation("leaf_list_missing_windows", "rev.unknown", lambda: lists()[1:], UNKNOWN, profile="windows")
revocation("time_authority_list_missing", "traps.crl_all", lambda: lists()[:2], UNKNOWN, make=stamped_2026)
revocation("time_authority_revoked", "rev.per_certificate", lambda: lists(time=[pk.revoked(w().tsa, EARLIER)]), ("Revoked", "TimestampUntrusted"), make=stamped_2026)
revocation("no_lists", "rev.unknown", lambda: [], UNKNOWN)
revocation("off_with_revoked_list", "rev.unknown", lambda: lists([pk.revoked(w().leaf, EARLIER)]), None, "accepted", mode="off")
revocation("list_out_of_date", "rev.unknown", lambda: lists(this="2026-01-01", next="2026-02-01"), UNKNOWN)
revocation("list_of_the_future", "rev.unknown", lambda: lists(this="2026-08-01", next="2026-09-01"), UNKNOWN)
revocation("list_signature_broken", "rev.unknown", lambda: lists(break_signature=True), UNKNOWN)
revocation("list_signed_by_thief", "rev.unknown", lambda: lists(sign_with=pk.key("rsa2048", "thief")), UNKNOWN)
revocation("list_of_other_authority", "rev.unknown", lambda: [pk.crl(w().other_inter), pk.crl(w().root)], UNKNOWN)
revocation("list_md5", "rev.unknown", lambda: lists(hash="md5"), (UNKNOWN, "WeakDigest"))
revocation("list_unknown_critical_extension", "rev.unknown", lambda: lists(exts=[pk.unknown_ext()]), UNKNOWN)
revocation("list_for_authorities_only", "rev.unknown",
           lambda: lists(exts=[pk.ext("2.5.29.28", der.seq(der.ctx(2, b"\xff", constructed=False)), True)]), UNKNOWN)
revocation("list_is_a_delta", "rev.unknown", lambda: lists(exts=[pk.ext("2.5.29.27", der.integer(3), True)]), UNKNOWN)


def no_crl_sign() -> pk.Cert:
    return pk.intermediate(cn="Kit No CRL", exts=(pk.basic(), pk.usage(pk.KEY_CERT_SIGN)))


def _no_crl_sign(folder: Path) -> Built:
    ca = no_crl_sign()
    args = ["--revocation", "crl"]
    for n, made in enumerate((pk.crl(ca), pk.crl(w().root))):
        (folder / f"{n}.crl").write_bytes(made)
        args += ["--crl", str(folder / f"{n}.crl")]
    return built(folder, "bad.exe", pe.signed(signer=pk.leaf(ca)), *args)


CASES.append(Case("revocation_issuer_may_not_sign_lists", "rev.unknown", _no_crl_sign, "refused", UNKNOWN))
