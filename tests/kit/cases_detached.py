"""Signatures beside the file (CMS, minisign), signatures moved between kinds, pins, and demands of several systems."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any, Callable

from . import cab, cat, cfb, cms, der, detached, minisign, msi, pe, script
from . import pki as pk
from .case import Built, Case, Codes, trust

CASES: list[Case] = []
CONTENT = b"orchard-1.2.3 release archive\0\1\2\xff" * 40
Bytes = Callable[[], bytes]


def case(name: str, rule: str, files: Callable[[], dict[str, bytes]], verdict: str | tuple[str, ...] = "refused", reason: Codes = None, *more: str,
         profile: str = "strict", expect: Any = None, exit_code: int | None = None, cms_trust: bool = True, **trusting: Any) -> None:
    """The first of `files` is verified; a word of `more` that begins with @ is a path in the folder."""
    def build(folder: Path) -> Built:
        made = files()
        for n, data in made.items():
            (folder / n).write_bytes(data)
        args = trust(folder, **trusting) if cms_trust else []
        args += [str(folder / a[1:]) if a.startswith("@") else a for a in more]
        return Built(folder / next(iter(made)), args)
    listed = ("UncoveredData",) if "--key" in more else ()  # minisign's untrusted comment: listed and exempt
    CASES.append(Case(name, rule, build, verdict, reason, exit_code, profile, expect or {}, may=listed))


# ==== detached CMS ========================================================================================================


def p7s(name: str, rule: str, signature: Bytes, verdict: str | tuple[str, ...] = "refused", reason: Codes = None, *more: str, content: bytes | Bytes = CONTENT,
        beside: str = "file.bin.p7s", **how: Any) -> None:
    case("cms_detached_" + name, "detached." + rule, lambda: {"file.bin": content() if callable(content) else content, beside: signature()}, verdict, reason, *more, **how)


def bad_p7s(name: str, rule: str, reason: Codes, signature: Bytes, *more: str, **how: Any) -> None:
    p7s(name, rule, signature, "refused", reason, *more, **how)


def signed(**how: Any) -> Bytes:
    return lambda: detached.sign(CONTENT, **how)


def flip(make: Bytes, at: int = -1) -> Bytes:
    def flipped() -> bytes:
        raw = bytearray(make())
        raw[at] ^= 1
        return bytes(raw)
    return flipped


p7s("good_der", "good", signed(), "accepted", expect={"type": "other", "signatures.0.kind": "cms"})
p7s("good_pem", "good", lambda: detached.as_pem(signed()()), "accepted")
p7s("good_pem_pkcs7", "good", lambda: detached.as_pem(signed()(), "PKCS7"), "accepted")
p7s("good_pem_crlf", "good", lambda: detached.as_pem(signed()(), eol="\r\n"), "accepted")
p7s("good_windows", "good", signed(), "accepted", profile="windows")
p7s("good_named", "good", signed(), "accepted", None, "--signature", "@elsewhere.sig", beside="elsewhere.sig")
p7s("good_sha512", "good", signed(hash="sha512"), "accepted")
p7s("good_ecdsa", "good", signed(signer=pk.pki().p256), "accepted")
p7s("good_empty_file", "good", lambda: detached.sign(b""), "accepted", content=b"")
p7s("good_signing_time", "good", signed(si={"more_attrs": (cms.attr(cms.SIGNING_TIME, der.utctime(cms.IN_2026)),)}), "accepted")
p7s("good_lines_lf_kept", "content", lambda: detached.sign(b"a\nb\n"), "accepted", content=b"a\nb\n")
p7s("good_eku_any", "signer", signed(signer=pk.pki().no_eku), "accepted", None, "--eku", "any")
p7s("good_eku_server_auth", "signer", signed(signer=pk.pki().server_auth), "accepted", None, "--eku", "serverAuth")
p7s("good_eku_by_oid", "signer", signed(signer=pk.pki().server_auth), "accepted", None, "--eku", pk.SERVER_AUTH)

bad_p7s("content_byte", "content", "DigestMismatch", signed(), content=CONTENT[:-1] + b"!")
bad_p7s("content_appended", "content", "DigestMismatch", signed(), content=CONTENT + b"\0")
bad_p7s("content_cut_short", "content", "DigestMismatch", signed(), content=CONTENT[:-1])
bad_p7s("content_byte_windows", "content", "DigestMismatch", signed(), content=CONTENT[:-1] + b"!", profile="windows")
bad_p7s("content_line_ends_as_mail", "content", "DigestMismatch", lambda: detached.sign(b"a\r\nb\r\n"), content=b"a\nb\n")
bad_p7s("signature_bit", "content", "SignatureInvalid", flip(signed()))
bad_p7s("message_digest_wrong", "content", "DigestMismatch", signed(si={"content_digest": bytes(32)}))
bad_p7s("message_digest_empty", "content", ("DigestMismatch", "Malformed"), signed(si={"content_digest": b""}))
bad_p7s("without_attributes", "attributes", "Malformed", signed(si={"no_attrs": True}))


def attributes_as_content() -> bytes:
    """What the signer signed for another file: its attributes as a SET."""
    info = der.at(detached.sign(CONTENT), (1, 0, 4, 0))
    return der.tlv(0x31, der.body(der.kids(info)[3]))


def attributes_taken_away() -> bytes:
    """The signature over those attributes, now without them: it is good mathematics over attributes_as_content()."""
    def strip(info: bytes) -> bytes:
        parts = der.kids(info)
        return der.seq(*parts[:3], *parts[4:])
    return der.edit(detached.sign(CONTENT), (1, 0, 4, 0), strip)


def drop_attr(which: str) -> Callable[[list[bytes]], list[bytes]]:
    return lambda attrs: [a for a in attrs if der.kids(a)[0] != der.oid(which)]


bad_p7s("content_is_attributes", "attributes", "Malformed", attributes_taken_away, content=attributes_as_content)
bad_p7s("no_content_type_attribute", "attributes", "Malformed", signed(si={"edit_attrs": drop_attr(cms.CONTENT_TYPE)}))
bad_p7s("no_message_digest_attribute", "attributes", "Malformed", signed(si={"edit_attrs": drop_attr(cms.MESSAGE_DIGEST)}))
bad_p7s("message_digest_twice", "attributes", "Malformed", signed(si={"edit_attrs": lambda a: [*a, cms.attr(cms.MESSAGE_DIGEST, der.octets(bytes(32)))]}))
bad_p7s("attributes_not_sorted", "attributes", ("Malformed", "SignatureInvalid"), signed(si={"sort": False, "edit_attrs": lambda a: sorted(a)[::-1]}))
bad_p7s("der_byte_after", "exact", ("TrailingData", "Malformed"), lambda: signed()() + b"\0")
bad_p7s("der_junk_after", "exact", ("TrailingData", "Malformed"), lambda: signed()() + b"junk")
bad_p7s("der_cut_short", "exact", "Malformed", lambda: signed()()[:-5])
bad_p7s("der_empty", "exact", ("Malformed", "Unsigned"), lambda: b"")
bad_p7s("der_length_not_minimal", "exact", "Malformed", lambda: der.long_form(signed()()))
bad_p7s("der_open_ended", "exact", "Malformed", lambda: der.tlv(0x30, der.body(signed()()), der.INDEFINITE))
bad_p7s("pem_not_base64", "exact", "Malformed", lambda: _in_pem(lambda s: s[:200] + "!" + s[201:]))
bad_p7s("pem_end_missing", "exact", "Malformed", lambda: detached.as_pem(signed()()).replace(b"-----END CMS-----\n", b""))
bad_p7s("pem_labels_differ", "exact", "Malformed", lambda: detached.as_pem(signed()()).replace(b"END CMS", b"END PKCS7"))
bad_p7s("pem_of_a_certificate", "exact", ("Malformed", "ContentTypeMismatch"), lambda: pk.pki().leaf.pem().encode())
bad_p7s("pem_label_certificate", "exact", "Malformed", lambda: detached.as_pem(signed()(), "CERTIFICATE"))
bad_p7s("pem_twice", "exact", ("Malformed", "TrailingData"), lambda: detached.as_pem(signed()()) * 2)
bad_p7s("pem_with_junk_in_der", "exact", ("Malformed", "TrailingData"), lambda: detached.as_pem(signed()() + b"junk"))
bad_p7s("has_the_content_inside", "exact", ("Malformed", "ContentTypeMismatch"), lambda: detached.attached(CONTENT))
bad_p7s("has_other_content_inside", "exact", ("Malformed", "ContentTypeMismatch", "DigestMismatch"), lambda: detached.attached(b"other"))
bad_p7s("no_signer", "exact", ("Malformed", "Unsigned"), lambda: cms.signed_data(cms.DATA, None, [], certs=pk.pki().leaf.bag))
bad_p7s("two_signers", "exact", "Malformed", lambda: cms.signed_data(cms.DATA, None, [
    cms.signer_info(s, CONTENT, cms.DATA) for s in (pk.pki().leaf, pk.pki().p256)], certs=[*pk.pki().leaf.bag, pk.pki().p256.der]))
bad_p7s("outer_type_data", "exact", ("Malformed", "ContentTypeMismatch"), signed(sd={"outer_type": cms.DATA}))
bad_p7s("untrusted", "signer", "ChainUntrusted", signed(signer=pk.pki().stranger))
bad_p7s("expired", "signer", "ChainExpired", signed(signer=pk.pki().expired))
bad_p7s("other_publisher", "signer", "PublisherMismatch", signed(signer=pk.pki().other_publisher))
bad_p7s("server_auth", "signer", "NotCodeSigning", signed(signer=pk.pki().server_auth))
bad_p7s("no_eku", "signer", "NotCodeSigning", signed(signer=pk.pki().no_eku))
bad_p7s("no_eku_but_named", "signer", "NotCodeSigning", signed(signer=pk.pki().no_eku), "--eku", "serverAuth")
bad_p7s("code_signing_not_server_auth", "signer", "NotCodeSigning", signed(), "--eku", "serverAuth")
bad_p7s("sha1", "signer", "WeakDigest", signed(hash="sha1"))
bad_p7s("certificate_missing", "signer", ("ChainUntrusted", "Malformed", "SignatureInvalid"), signed(sd={"certs": []}))
bad_p7s("pin_of_another", "signer", "PinMismatch", signed(), "--pin", "sha256:" + "00" * 32)
case("cms_detached_missing", "kind.unsupported", lambda: {"file.bin": CONTENT}, "unsupported")
case("cms_detached_named_but_missing", "kind.unsupported", lambda: {"file.bin": CONTENT}, ("error", "refused"), None, "--signature", "@nowhere.p7s")


def _in_pem(change: Callable[[str], str]) -> bytes:
    return change(detached.as_pem(signed()()).decode()).encode()


# ==== minisign ============================================================================================================

KEY, OTHER = minisign.Key(), minisign.Key()


def mini(name: str, rule: str, signature: Bytes, verdict: str | tuple[str, ...] = "refused", reason: Codes = None, *more: str, content: bytes = CONTENT,
         key: minisign.Key | None = None, key_file: bytes | None = None, beside: str = "file.bin.minisig", **how: Any) -> None:
    files = lambda: {"file.bin": content, beside: signature(), "kit.pub": key_file or (key or KEY).public_file()}   # noqa: E731
    case("minisign_" + name, "minisign." + rule, files, verdict, reason, "--key", "@kit.pub", *more, cms_trust=False, **how)


def bad_mini(name: str, rule: str, reason: Codes, signature: Bytes, *more: str, **how: Any) -> None:
    mini(name, rule, signature, "refused", reason, *more, **how)


def msig(content: bytes = CONTENT, **how: Any) -> Bytes:
    return lambda: minisign.sign(KEY, content, **how)


def remade(change: Callable[[bytes, bytes, str], tuple[bytes, bytes, str]], **how: Any) -> Bytes:
    return lambda: minisign.assemble(*change(*minisign.take_apart(msig(**how)())))


mini("good_prehashed", "good", msig(), "accepted", expect={"type": "other", "signatures.0.kind": "minisign"})
mini("good_legacy", "good", msig(algorithm=b"Ed"), "accepted")
mini("good_windows", "good", msig(), "accepted", profile="windows")
mini("good_crlf", "good", msig(eol="\r\n"), ("accepted", "refused"))
mini("good_empty_file", "good", msig(b""), "accepted", content=b"")
mini("good_named", "good", msig(), "accepted", None, "--signature", "@other.sig", beside="other.sig")
mini("good_untrusted_comment_changed", "comment", msig(untrusted="signed by nobody in particular"), "accepted")
mini("good_two_keys_given", "key", msig(), "accepted", None, "--key", "@kit.pub")
bad_mini("other_key", "key", "KeyMismatch", msig(), key=OTHER)
bad_mini("other_key_same_id", "key", "SignatureInvalid", msig(), key_file=minisign.Key(KEY.key_id).public_file())
bad_mini("key_id_changed", "key", "KeyMismatch", msig(key_id=b"01234567"))
bad_mini("content_byte", "signature", "SignatureInvalid", msig(), content=CONTENT[:-1] + b"!")
bad_mini("content_byte_legacy", "signature", "SignatureInvalid", msig(algorithm=b"Ed"), content=CONTENT[:-1] + b"!")
bad_mini("content_appended", "signature", "SignatureInvalid", msig(), content=CONTENT + b"\0")
bad_mini("content_byte_windows", "signature", "SignatureInvalid", msig(), content=CONTENT[:-1] + b"!", profile="windows")
bad_mini("label_ed_over_prehash", "signature", "SignatureInvalid", msig(label=b"Ed"))
bad_mini("label_prehash_over_content", "signature", "SignatureInvalid", msig(algorithm=b"Ed", label=b"ED"))
bad_mini("label_unknown", "signature", ("Malformed", "Unsupported", "SignatureInvalid"), msig(label=b"Xx"))
bad_mini("label_lower_case", "signature", ("Malformed", "Unsupported", "SignatureInvalid"), msig(label=b"ed"))
bad_mini("signature_bit", "signature", "SignatureInvalid", remade(lambda b, g, t: (b[:20] + bytes([b[20] ^ 1]) + b[21:], g, t)))
bad_mini("signature_zero", "signature", "SignatureInvalid", remade(lambda b, g, t: (b[:10] + bytes(64), g, t)))
bad_mini("signature_s_plus_order", "signature", "SignatureInvalid", remade(lambda b, g, t: (b[:42] + _plus_order(b[42:]), g, t)))
bad_mini("trusted_comment_changed", "comment", "SignatureInvalid", remade(lambda b, g, t: (b, g, t + "!")))
bad_mini("trusted_comment_emptied", "comment", "SignatureInvalid", remade(lambda b, g, t: (b, g, "")))
bad_mini("global_signature_bit", "comment", "SignatureInvalid", remade(lambda b, g, t: (b, bytes([g[0] ^ 1]) + g[1:], t)))
bad_mini("global_signature_of_comment_alone", "comment", "SignatureInvalid", msig(trusted="t", global_over=b"t"))
bad_mini("global_signature_of_another", "comment", "SignatureInvalid", remade(lambda b, g, t: (b, minisign.take_apart(msig(b"x")())[1], t)))
bad_mini("no_trusted_comment", "form", "Malformed", lambda: b"\n".join(msig()().splitlines()[:2]) + b"\n")
bad_mini("no_global_signature", "form", "Malformed", lambda: b"\n".join(msig()().splitlines()[:3]) + b"\n")
bad_mini("cut_in_signature", "form", "Malformed", lambda: msig()()[:80])
bad_mini("empty", "form", ("Malformed", "Unsigned"), lambda: b"")
bad_mini("no_untrusted_comment", "form", "Malformed", lambda: b"\n".join(msig()().splitlines()[1:]) + b"\n")
bad_mini("line_after", "form", ("Malformed", "TrailingData"), lambda: msig()() + b"more\n")
bad_mini("second_signature_after", "form", ("Malformed", "TrailingData"), lambda: msig()() + msig(b"x")())
bad_mini("body_short", "form", "Malformed", remade(lambda b, g, t: (b[:-1], g, t)))
bad_mini("body_long", "form", ("Malformed", "TrailingData"), remade(lambda b, g, t: (b + b"\0", g, t)))
bad_mini("global_long", "form", ("Malformed", "TrailingData"), remade(lambda b, g, t: (b, g + b"\0", t)))
bad_mini("not_base64", "form", "Malformed", lambda: msig()().replace(b"\nRU", b"\n!U"))
bad_mini("is_a_cms_signature", "form", ("Malformed", "ChainUntrusted", "KeyMismatch"), lambda: detached.sign(CONTENT))


def _plus_order(s: bytes) -> bytes:
    """The same S modulo the group's order: a signature that is not the one made."""
    order = (1 << 252) + 27742317777372353535851937790883648493
    return (int.from_bytes(s, "little") + order).to_bytes(32, "little")


# ==== a signature moved from one kind to another, or naming another kind =====================================================


def in_msi(signature: Callable[[bytes], bytes]) -> Bytes:
    """An MSI whose signature is what `signature` makes of the right digest."""
    return lambda: cfb.Compound(msi.sign(msi.tree(), signature)).pack()


def in_cab(signature: Callable[[bytes], bytes]) -> Bytes:
    def make() -> bytes:
        cabinet = cab.Cabinet(cab.FILES)
        plain = cabinet.unsigned()
        raw = cab.pad8(signature(cab.digest(plain, len(plain))))
        return cabinet.unsigned(len(raw)) + raw
    return make


def in_script(name: str, signature: Callable[[bytes], bytes]) -> Bytes:
    return lambda: script.sign(script.KINDS[name], script.TEXTS[name], signature)


def in_pe(data: bytes) -> Bytes:
    def make() -> bytes:
        image = pe.Image()
        plain = image.bytes()
        return pe.embed(plain, image, pe.win_certificate(cms.authenticode(cms.indirect(data, pe.digest(plain, image)))))
    return make


def spc(data: bytes, **how: Any) -> Callable[[bytes], bytes]:
    return lambda value: cms.authenticode(cms.indirect(data, value), **how)


DATA_OF = {"pe": cms.pe_data(), "cab": cms.cab_data(), "msi": cms.sip_data(msi.SIP_GUID),
           **{n: cms.sip_data(script.KINDS[n].guid, script.KINDS[n].version) for n in ("ps1", "js", "vbs", "wsf")},
           "msix": cms.sip_data(cms.SIP_MSIX, 0x1010000), "unknown_guid": cms.sip_data(bytes(range(16))), "flat": cat.flat_data()}
HOSTS: dict[str, tuple[str, Callable[[bytes], Bytes]]] = {
    "msi": ("kit.msi", lambda d: in_msi(spc(d))), "cab": ("kit.cab", lambda d: in_cab(spc(d))), "ps1": ("kit.ps1", lambda d: in_script("ps1", spc(d))),
    "js": ("kit.js", lambda d: in_script("js", spc(d))), "pe": ("kit.exe", in_pe)}
for _host, (_file, _make) in HOSTS.items():
    for _kind, _data in DATA_OF.items():
        if _kind == _host or (_host, _kind) == ("cab", "flat"):       # a cabinet's own type, with an empty link
            continue
        for _profile in ("strict", "windows") if _kind in ("pe", "msi") else ("strict",):
            case(f"kind_{_host}_says_{_kind}" + ("_windows" if _profile == "windows" else ""), "kind.type", lambda f=_file, m=_make, d=_data: {f: m(d)()},
                 "refused", "ContentTypeMismatch", profile=_profile)

SIGNATURE_OF: dict[str, Bytes] = {
    "msi": lambda: msi.signed_tree().find(msi.SIGNATURE).data, "cab": lambda: cab.split(cab.signed())[1], "ps1": lambda: script.signature(script.KINDS["ps1"], script.signed()),
    "cat": lambda: cat.signed([cat.flat(CONTENT)]), "detached": lambda: detached.sign(CONTENT), "token": lambda: cms.token(b"x", cms.IN_2026)}
_MOVED: Codes = ("ContentTypeMismatch", "DigestMismatch", "Malformed")
for _kind, _sig in SIGNATURE_OF.items():
    if _kind != "msi":
        case(f"kind_moved_{_kind}_to_msi", "kind.moved", lambda s=_sig: {"kit.msi": in_msi(lambda _: s())()}, "refused", _MOVED)
    if _kind != "cab":
        case(f"kind_moved_{_kind}_to_cab", "kind.moved", lambda s=_sig: {"kit.cab": in_cab(lambda _: s())()}, "refused", _MOVED)
    if _kind != "ps1":
        case(f"kind_moved_{_kind}_to_ps1", "kind.moved", lambda s=_sig: {"kit.ps1": in_script("ps1", lambda _: s())()}, "refused", _MOVED)
    if _kind != "detached":
        case(f"kind_moved_{_kind}_to_p7s", "kind.moved", lambda s=_sig: {"file.bin": CONTENT, "file.bin.p7s": s()}, "refused", _MOVED)
case("kind_moved_spc_as_p7s_content", "kind.moved", lambda: {"file.bin": der.body(cms.indirect(cms.pe_data(), bytes(32))), "file.bin.p7s": cms.authenticode(
    cms.indirect(cms.pe_data(), bytes(32)))}, "refused", _MOVED)
case("kind_ps1_text_with_js_block", "kind.type", lambda: {"kit.ps1": script.sign(script.KINDS["js"], script.TEXTS["ps1"], script.maker(script.KINDS["ps1"]))}, "refused",
     ("ContentTypeMismatch", "DigestMismatch"))

# ==== files that can carry no signature ===================================================================================


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for n in names:
            z.writestr(zipfile.ZipInfo(n, (2026, 1, 1, 0, 0, 0)), b"data of " + n.encode())
    return out.getvalue()


for _name, _data in {"text.txt": b"only words\n", "empty.bin": b"", "plain.zip": zipped("a.txt"), "random.bin": msi.fill(999), "image.png": b"\x89PNG\r\n\x1a\n" + bytes(30),
                     "page.xml": b"<?xml version='1.0'?><a/>\n", "elf.so": b"\x7fELF" + bytes(60),
                     "app.msix": zipped("AppxManifest.xml", "AppxBlockMap.xml", "[Content_Types].xml", "AppxSignature.p7x"),
                     "app.appxbundle": zipped("AppxMetadata/AppxBundleManifest.xml", "AppxBlockMap.xml", "[Content_Types].xml", "AppxSignature.p7x"),
                     "named.msi": b"not a compound file", "named.exe": b"not a program", "named.ps1": b"Write-Output 1\r\n"}.items():
    _verdict: Any = ("unsupported", "unsigned") if _name == "named.ps1" else "unsupported"
    case("kind_unsupported_" + _name.replace(".", "_"), "kind.unsupported", lambda n=_name, d=_data: {n: d}, _verdict)
    if _name not in ("named.ps1",):
        case("kind_unsupported_" + _name.replace(".", "_") + "_windows", "kind.unsupported", lambda n=_name, d=_data: {n: d}, _verdict, profile="windows")
case("kind_zip_with_p7s", "detached.good", lambda: {"a.zip": zipped("a.txt"), "a.zip.p7s": detached.sign(zipped("a.txt"))}, "accepted")
case("kind_msix_with_p7s", "detached.good", lambda: {"a.msix": zipped("AppxManifest.xml"), "a.msix.p7s": detached.sign(zipped("AppxManifest.xml"))}, "accepted")

# ==== --sha256 ============================================================================================================


def pinned(name: str, file: str, data: Bytes, verdict: str, reason: Codes = None, *more: str, value: Callable[[bytes], str] = lambda d: hashlib.sha256(d).hexdigest(), **how: Any) -> None:
    """--sha256 with the hash of what `data` makes, which must be the same each time."""
    def build(folder: Path) -> Built:
        raw = data()
        (folder / file).write_bytes(raw)
        return Built(folder / file, [*trust(folder), "--sha256", value(raw), *more])
    CASES.append(Case("pin_" + name, "policy.pin", build, verdict, reason, profile=how.get("profile", "strict")))


def other(_: bytes) -> str:
    return hashlib.sha256(b"another file").hexdigest()


pinned("good", "kit.msi", msi.signed, "accepted")
pinned("upper_case", "kit.msi", msi.signed, "accepted", value=lambda d: hashlib.sha256(d).hexdigest().upper())
pinned("excuses_missing_ex", "kit.msi", lambda: msi.signed(ex=False), "accepted", "UnsignedMetadata")
pinned("excuses_slack", "kit.msi", lambda: msi.signed(layout={"slack": 0x42}), "accepted", "UncoveredData")
pinned("excuses_free_sector", "kit.msi", lambda: msi.signed(layout={"free": 2, "free_fill": 0x41}), "accepted", "UncoveredData")
pinned("other_file", "kit.msi", msi.signed, "refused", "DigestMismatch", value=other)
pinned("other_file_windows", "kit.msi", msi.signed, "refused", "DigestMismatch", value=other, profile="windows")
pinned("other_cab", "kit.cab", cab.signed, "refused", "DigestMismatch", value=other)
pinned("other_script", "kit.ps1", script.signed, "refused", "DigestMismatch", value=other)
pinned("no_excuse_for_content", "kit.msi", lambda: _changed_msi(), "refused", "DigestMismatch")
pinned("no_excuse_for_trust", "kit.msi", lambda: msi.signed(signer=pk.pki().stranger), "refused", "ChainUntrusted")
pinned("no_excuse_for_appended", "kit.msi", lambda: msi.signed() + b"tail", "refused", "TrailingData")
pinned("no_excuse_for_sha1", "kit.msi", lambda: msi.signed(hash="sha1"), "refused", "WeakDigest")
pinned("no_excuse_for_unsigned", "kit.msi", lambda: cfb.Compound(msi.tree()).pack(), "unsigned", "Unsigned")
for _name, _value in {"too_short": "abcd", "not_hex": "zz" * 32, "empty": ""}.items():
    case("pin_" + _name, "policy.pin", lambda: {"kit.msi": msi.signed()}, "error", None, "--sha256", _value, exit_code=2)


def _changed_msi() -> bytes:
    root = msi.signed_tree()
    root.find("\5SummaryInformation").data = msi.fill(92)
    return cfb.Compound(root).pack()


# ==== demands of several systems ==========================================================================================

BOTH = ("--key", "@kit.pub", "--require", "authenticode+minisign")


def both(name: str, verdict: str | tuple[str, ...], reason: Codes, data: Bytes, signature: Bytes | None, *more: str, file: str = "kit.msi", **how: Any) -> None:
    def files() -> dict[str, bytes]:
        made = {file: data(), "kit.pub": KEY.public_file()}
        return {**made, **({file + ".minisig": signature()} if signature else {})}
    case("require_" + name, "policy.require", files, verdict, reason, *(more or BOTH), **how)


def over(data: Bytes, key: minisign.Key = KEY) -> Bytes:
    return lambda: minisign.sign(key, data())


both("good", "accepted", None, msi.signed, over(msi.signed))
both("good_ps1", "accepted", None, script.signed, over(script.signed), file="kit.ps1")
both("minisign_missing", "refused", "RequiredSignatureMissing", msi.signed, None)
both("authenticode_missing", ("refused", "unsigned"), "RequiredSignatureMissing", lambda: cfb.Compound(msi.tree()).pack(), over(lambda: cfb.Compound(msi.tree()).pack()))
both("authenticode_impossible", "refused", "RequiredSignatureMissing", lambda: CONTENT, over(lambda: CONTENT), file="file.bin")
both("minisign_of_other_file", "refused", "SignatureInvalid", msi.signed, over(lambda: b"other"))
both("minisign_by_other_key", "refused", "KeyMismatch", msi.signed, over(msi.signed, OTHER))
both("authenticode_untrusted", "refused", "ChainUntrusted", lambda: msi.signed(signer=pk.pki().stranger), over(lambda: msi.signed(signer=pk.pki().stranger)))
both("authenticode_other_publisher", "refused", "PublisherMismatch", lambda: msi.signed(signer=pk.pki().other_publisher),
     over(lambda: msi.signed(signer=pk.pki().other_publisher)))
both("cms_missing", "refused", "RequiredSignatureMissing", msi.signed, None, "--require", "authenticode+cms")
case("require_cms_good", "policy.require", lambda: {"kit.msi": msi.signed(), "kit.msi.p7s": detached.sign(msi.signed())}, "accepted", None, "--require", "authenticode+cms")
case("require_cms_bad", "policy.require", lambda: {"kit.msi": msi.signed(), "kit.msi.p7s": detached.sign(b"other")}, "refused", "DigestMismatch", "--require", "authenticode+cms")
case("beside_bad_p7s", "policy.require", lambda: {"kit.msi": msi.signed(), "kit.msi.p7s": detached.sign(b"other")}, "refused", "DigestMismatch")
both("key_and_publisher_without_require", "error", None, msi.signed, over(msi.signed), "--key", "@kit.pub", exit_code=2)
both("unknown_system", "error", None, msi.signed, over(msi.signed), "--key", "@kit.pub", "--require", "authenticode+pgp", exit_code=2)
both("minisign_without_key", "error", None, msi.signed, over(msi.signed), "--require", "authenticode+minisign", exit_code=2)
case("no_trust_at_all", "policy.require", lambda: {"kit.msi": msi.signed()}, "error", None, cms_trust=False, exit_code=2)
