"""Catalogs: files judged by their place in a signed list, and the list itself."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Callable

from . import cab, cat, cfb, cms, der, msi, pe, script
from . import pki as pk
from .case import Built, Case, Codes, trust

CASES: list[Case] = []
CONTENT = b"a file that carries no signature of its own\n" * 9
_WRONG: Codes = ("ContentTypeMismatch", "Malformed")


def add(name: str, rule: str, catalog: Callable[[], bytes] | None, content: Callable[[], bytes] | bytes = CONTENT, verdict: str | tuple[str, ...] = "refused",
        reason: Codes = None, *more: str, file: str = "file.bin", profile: str = "strict", expect: Any = None, exit_code: int | None = None, **trusting: Any) -> None:
    def build(folder: Path) -> Built:
        path = folder / file
        path.write_bytes(content() if callable(content) else content)
        args = [*trust(folder, **trusting), *more]
        if catalog:
            (folder / "list.cat").write_bytes(catalog())
        return Built(path, [*args, "--catalog", str(folder / "list.cat")])
    CASES.append(Case("cat_" + name, "cat." + rule, build, verdict, reason, exit_code, profile, expect or {}))


def alone(name: str, rule: str, catalog: Callable[[], bytes], verdict: str | tuple[str, ...], reason: Codes = None, profile: str = "strict", **trusting: Any) -> None:
    """The catalog itself is the file."""
    def build(folder: Path) -> Built:
        path = folder / "kit.cat"
        path.write_bytes(catalog())
        return Built(path, trust(folder, **trusting))
    CASES.append(Case("cat_" + name, "cat." + rule, build, verdict, reason, None, profile, {"type": "cat"} if verdict == "accepted" else {}))


def good(name: str, catalog: Callable[[], bytes], content: Callable[[], bytes] | bytes = CONTENT, *more: str, reason: Codes = None, **how: Any) -> None:
    add("good_" + name, "good", catalog, content, "accepted", reason, *more, **how)


def bad(name: str, rule: str, reason: Codes, catalog: Callable[[], bytes] | None, content: Callable[[], bytes] | bytes = CONTENT, *more: str, **how: Any) -> None:
    add(name, rule, catalog, content, "refused", reason, *more, **how)


def one(**how: Any) -> Callable[[], bytes]:
    """A catalog that lists CONTENT and two others."""
    return lambda: cat.signed([cat.flat(b"other"), cat.flat(CONTENT), cat.flat(b"third")], **how)


# -- files without a signature of their own, each with its Authenticode hash ------------------------------------------------


def pe_plain() -> bytes:
    return pe.Image().bytes()


def pe_member(**how: Any) -> bytes:
    image = pe.Image()
    return cat.member(pe.digest(image.bytes(), image), cms.pe_data(), **how)


def msi_plain() -> bytes:
    return cfb.Compound(msi.tree()).pack()


def msi_member() -> bytes:
    return cat.member(msi.digest(msi.tree()), cms.sip_data(msi.SIP_GUID))


def cab_plain(reserve: bool) -> bytes:
    return cab.Cabinet(cab.FILES, reserve=reserve).unsigned()


def ps1_plain() -> bytes:
    return script.TEXTS["ps1"].encode()


def ps1_member() -> bytes:
    kind = script.KINDS["ps1"]
    return cat.member(hashlib.sha256(script.hashed(kind, script.TEXTS["ps1"])).digest(), cms.sip_data(kind.guid, kind.version))


# -- accepted --------------------------------------------------------------------------------------------------------------

alone("good_itself", "good", one(), "accepted")
alone("good_itself_windows", "good", one(), "accepted", profile="windows")
alone("good_itself_v1", "good", lambda: cat.signed([cat.flat(CONTENT, v1=True)], v1=True), "accepted")
alone("good_itself_stamped", "good", one(unsigned=[cms.stamp(cms.IN_2026)]), "accepted")
good("whole_file_v2", one())
good("whole_file_v1", lambda: cat.signed([cat.flat(CONTENT, v1=True)], v1=True))
good("whole_file_windows", one(), profile="windows")
good("tag_is_a_name", lambda: cat.signed([cat.flat(CONTENT, v1=True, tag="file.bin\0".encode("utf-16-le"))], v1=True))
good("tag_alone", lambda: cat.signed([cat.flat(CONTENT, with_spc=False)]))
good("pe_by_authenticode_hash", lambda: cat.signed([pe_member()]), pe_plain, file="kit.exe")
good("pe_by_whole_file", lambda: cat.signed([cat.flat(pe_plain())]), pe_plain, file="kit.exe")
good("msi_by_whole_file", lambda: cat.signed([cat.flat(msi_plain())]), msi_plain, file="kit.msi")
good("cab_by_whole_file", lambda: cat.signed([cat.flat(cab_plain(False))]), lambda: cab_plain(False), file="kit.cab")
good("ps1_by_whole_file", lambda: cat.signed([cat.flat(ps1_plain())]), ps1_plain, file="kit.ps1")
add("msi_by_authenticode_hash", "good", lambda: cat.signed([msi_member()]), msi_plain, ("accepted", "refused"), ("UnsignedMetadata", "NotInCatalog"), "--allow", "UnsignedMetadata", file="kit.msi")
add("ps1_by_authenticode_hash", "good", lambda: cat.signed([ps1_member()]), ps1_plain, ("accepted", "refused"), file="kit.ps1")
good("sha384", lambda: cat.signed([cat.flat(CONTENT, "sha384")], hash="sha384"))
good("three_hundred_members", lambda: cat.signed([cat.flat(b"%d" % i) for i in range(300)] + [cat.flat(CONTENT)]))
good("sha1_member_windows", lambda: cat.signed([cat.flat(CONTENT, "sha1", v1=True)], v1=True), profile="windows", reason="WeakDigest")

# -- not a member ----------------------------------------------------------------------------------------------------------

bad("not_listed", "member", "NotInCatalog", lambda: cat.signed([cat.flat(b"other")]))
bad("not_listed_windows", "member", "NotInCatalog", lambda: cat.signed([cat.flat(b"other")]), profile="windows")
bad("file_byte_changed", "member", "NotInCatalog", one(), CONTENT[:-1] + b"!")
bad("file_byte_appended", "member", "NotInCatalog", one(), CONTENT + b"\0")
bad("file_empty", "member", "NotInCatalog", one(), b"")
bad("empty_list", "member", ("NotInCatalog", "Malformed"), lambda: cat.signed([]))
bad("pe_byte_changed", "member", "NotInCatalog", lambda: cat.signed([pe_member()]), lambda: pe_plain()[:-1] + b"!", file="kit.exe")
bad("pe_appended", "member", ("NotInCatalog", "TrailingData"), lambda: cat.signed([pe_member()]), lambda: pe_plain() + b"appended", file="kit.exe")
bad("file_name_alone_matches", "member", "NotInCatalog", lambda: cat.signed([cat.flat(b"other", name="file.bin")]))
bad("tag_matches_digest_does_not", "member", ("NotInCatalog", "Malformed"), lambda: cat.signed([cat.flat(b"other", tag=hashlib.sha256(CONTENT).digest())]))
bad("digest_of_another_algorithm", "member", ("NotInCatalog", "Malformed"), lambda: cat.signed([cat.member(hashlib.sha384(CONTENT).digest()[:32])]))
bad("digest_cut_short", "member", ("NotInCatalog", "Malformed"), lambda: cat.signed([cat.member(hashlib.sha256(CONTENT).digest()[:8])]))
bad("digest_empty", "member", ("NotInCatalog", "Malformed"), lambda: cat.signed([cat.member(b"")]))
bad("sha1_member_strict", "member", ("WeakDigest", "NotInCatalog"), lambda: cat.signed([cat.flat(CONTENT, "sha1", v1=True)], v1=True))
bad("md5_member_windows", "member", ("WeakDigest", "NotInCatalog", "Malformed"), lambda: cat.signed([cat.flat(CONTENT, "md5", v1=True)], v1=True), profile="windows")

# -- the catalog's own signature -------------------------------------------------------------------------------------------


def changed_member(raw: bytes) -> bytes:
    """A member's hash replaced after signing, in tag and digest alike."""
    old, new = hashlib.sha256(b"other").digest(), hashlib.sha256(b"payload").digest()
    assert raw.count(old) == 2
    return raw.replace(old, new)


def last_bit(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


alone("itself_member_changed", "signature", lambda: changed_member(one()()), "refused", ("DigestMismatch", "SignatureInvalid"))
alone("itself_signature_bit", "signature", lambda: last_bit(one()()), "refused", "SignatureInvalid")
alone("itself_untrusted", "signature", one(signer=pk.pki().stranger), "refused", "ChainUntrusted")
alone("itself_unsigned", "signature", lambda: cat.unsigned([cat.flat(CONTENT)]), ("unsigned", "refused"), ("Unsigned", "Malformed"))
alone("itself_appended", "signature", lambda: one()() + b"\0", "refused", ("TrailingData", "Malformed"))
alone("itself_sha1", "signature", one(hash="sha1"), "refused", "WeakDigest")
alone("itself_cut_short", "signature", lambda: one()()[:-7], ("refused", "unsupported"), None)
bad("member_changed", "signature", ("DigestMismatch", "SignatureInvalid"), lambda: changed_member(one()()), b"payload")
bad("member_changed_windows", "signature", ("DigestMismatch", "SignatureInvalid"), lambda: changed_member(one()()), b"payload", profile="windows")
bad("signature_bit", "signature", "SignatureInvalid", lambda: last_bit(one()()))
bad("untrusted", "signature", "ChainUntrusted", one(signer=pk.pki().stranger))
bad("expired", "signature", "ChainExpired", one(signer=pk.pki().expired))
bad("without_eku", "signature", "NotCodeSigning", one(signer=pk.pki().server_auth))
bad("other_publisher", "signature", "PublisherMismatch", one(signer=pk.pki().other_publisher))
bad("unsigned", "signature", ("Unsigned", "Malformed"), lambda: cat.unsigned([cat.flat(CONTENT)]))
bad("appended", "signature", ("TrailingData", "Malformed"), lambda: one()() + b"junk")
bad("content_type_spc", "signature", _WRONG, one(content_type=cms.SPC_INDIRECT))
bad("content_type_data", "signature", _WRONG, one(content_type=cms.DATA))
bad("is_a_file_signature", "signature", _WRONG, lambda: cms.authenticode(cms.indirect(cat.flat_data(), hashlib.sha256(CONTENT).digest())))
bad("is_a_detached_signature", "signature", _WRONG, lambda: cms.detached(CONTENT))
bad("member_twice_in_attributes", "signature", ("Malformed", "NotInCatalog"), lambda: cat.signed([_two_digests()]))
add("catalog_missing", "signature", None, CONTENT, ("error", "refused"), None)
add("is_text", "signature", lambda: b"this is no catalog\n", CONTENT, ("refused", "error"), None)


def _two_digests() -> bytes:
    """A member with two SpcIndirectData, one of them the file's."""
    spc = [cms.indirect(cat.flat_data(), hashlib.sha256(x).digest()) for x in (b"other", CONTENT)]
    return der.seq(der.octets(hashlib.sha256(b"other").digest()), der.set_of(*(cms.attr(cms.SPC_INDIRECT, s) for s in spc)))
