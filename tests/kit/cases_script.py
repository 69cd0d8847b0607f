"""Scripts: what is accepted, and each way to be refused."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Callable

from . import cms, der, script
from . import pki as pk
from .case import Case, Codes, built
from .script import KINDS, TEXTS, Kind

CASES: list[Case] = []
POWERSHELL = ("ps1", "psm1", "psd1", "ps1xml", "psc1", "cdxml", "mof")
WSH = ("js", "vbs", "wsf")


def type_of(name: str) -> str:
    return "script-wsh" if name in WSH else "script-powershell"


def add(name: str, rule: str, make: Callable[[], bytes], verdict: str | tuple[str, ...] = "refused", reason: Codes = None, *more: str,
        kind: str = "ps1", profile: str = "strict", expect: Any = None, file: str | None = None, **trusting: Any) -> None:
    expect = {"type": type_of(kind), **(expect or {})} if verdict == "accepted" else expect or {}
    CASES.append(Case("script_" + name, "script." + rule, lambda folder: built(folder, file or "kit." + kind, make(), *more, **trusting),
                      verdict, reason, profile=profile, expect=expect))


def good(name: str, make: Callable[[], bytes], *more: str, rule: str = "good", reason: Codes = None, **how: Any) -> None:
    add("good_" + name, rule, make, "accepted", reason, *more, **how)


def bad(name: str, rule: str, reason: Codes, make: Callable[[], bytes], *more: str, **how: Any) -> None:
    add(name, rule, make, "refused", reason, *more, **how)


def block(change: Callable[[Kind, list[str]], list[str]] | None = None, eol: str = "\r\n", der_edit: Callable[[bytes], bytes] = lambda d: d,
          width: int | None = None) -> Callable[[Kind, bytes], str]:
    """A maker of blocks, whose lines (begin, base64 lines, end) `change` may alter."""
    def make(kind: Kind, signature: bytes) -> str:
        lines = [kind.begin, *script.lines(kind, der_edit(signature), width), kind.end]
        return eol + eol.join(change(kind, lines) if change else lines) + eol
    return make


def lined(change: Callable[[Kind, list[str]], list[str]], name: str = "ps1", **how: Any) -> Callable[[], bytes]:
    return lambda: script.signed(name, make_block=block(change, **how))


def tail(more: bytes, name: str = "ps1") -> Callable[[], bytes]:
    return lambda: script.signed(name) + more


def replaced(old: bytes, new: bytes, name: str = "ps1", **how: Any) -> Callable[[], bytes]:
    """Bytes changed after signing, once."""
    def make() -> bytes:
        raw = script.signed(name, **how)
        assert old in raw and old != new
        return raw.replace(old, new, 1)
    return make


# -- accepted --------------------------------------------------------------------------------------------------------------

for _n in KINDS:
    for _e in ("utf8", "utf8-bom", "utf16-bom"):
        good(f"{_n}_{_e.replace('-', '_')}", lambda n=_n, e=_e: script.signed(n, encoding=e), kind=_n)
add("utf16_without_bom", "encoding", lambda: script.signed(encoding="utf16"), ("accepted", "refused", "unsigned", "unsupported"))
good("ps1_windows", script.signed, profile="windows")
good("ps1_name_says_txt", script.signed, file="readme.txt")
good("js_name_says_ps1", lambda: script.signed("js"), kind="js", file="kit.ps1")
good("ps1_accents", lambda: script.signed(text="# na\u00efve \u20ac\r\n'\u00e9'\r\n"), rule="encoding")
good("ps1_accents_bom", lambda: script.signed(text="# na\u00efve \u20ac\r\n'\u00e9'\r\n", encoding="utf8-bom"), rule="encoding")
good("ps1_astral_utf8", lambda: script.signed(text="'\U0001F34E'\r\n"), rule="encoding")
good("ps1_astral_utf16", lambda: script.signed(text="'\U0001F34E'\r\n", encoding="utf16-bom"), rule="encoding")
good("js_accents_utf8_without_bom", lambda: script.signed("js", text="// caf\u00e9 \u0144\r\n"), kind="js", rule="encoding")
good("js_accents_bom", lambda: script.signed("js", text="// caf\u00e9\r\n", encoding="utf8-bom"), kind="js", rule="encoding")
good("ps1_last_line_open", lambda: script.signed(text="exit 0"))
good("ps1_lines_end_with_lf", lambda: script.signed(text="exit 0\nexit 1\n"))
good("ps1_empty", lambda: script.signed(text=""))
good("ps1_stamped", lambda: script.signed(unsigned=[cms.stamp(cms.IN_2026)]), "--require-timestamp")
good("ps1_sha384", lambda: script.signed(hash="sha384"))
good("ps1_ecdsa", lambda: script.signed(signer=pk.pki().p256))
good("ps1_sha1_windows", lambda: script.signed(hash="sha1"), profile="windows", reason="WeakDigest")
good("ps1_words_of_a_block_in_a_string", lambda: script.signed(text="$x = 'SIG # Begin signature block'\r\n"))
for _n in range(3):                                                 # base64 without, with one and with two padding signs
    good(f"ps1_base64_padding_{_n}", lambda n=_n: script.signed(program="Orchard" + "s" * n))

# -- content ---------------------------------------------------------------------------------------------------------------

add("unsigned_ps1", "content", lambda: TEXTS["ps1"].encode(), ("unsupported", "unsigned"))
for _n in KINDS:
    bad(f"{_n}_first_byte", "content", "DigestMismatch", lambda n=_n: _first_byte(n), kind=_n)
bad("ps1_first_byte_utf16", "content", "DigestMismatch", lambda: _first_byte("ps1", "utf16-bom", 2))
bad("ps1_last_byte", "content", "DigestMismatch", replaced(b'$Name"\r\n\r\n', b'$Namf"\r\n\r\n'))
bad("ps1_line_end_changed", "content", "DigestMismatch", replaced(b")\r\nW", b")\nW"))
bad("ps1_line_added", "content", "DigestMismatch", lambda: b"iex $x\r\n" + script.signed())
bad("ps1_last_line_end_removed", "content", "DigestMismatch", replaced(b"\r\n\r\n# SIG", b"\r\n# SIG"))
bad("ps1_all_lf", "content", ("DigestMismatch", "Malformed", "Unsigned"), lambda: script.signed().replace(b"\r\n", b"\n"))
bad("ps1_block_lf", "only-base64", ("Malformed", "DigestMismatch", "Unsigned"), lambda: script.signed(make_block=block(eol="\n")))
bad("ps1_signature_bit", "content", "SignatureInvalid", lambda: script.signed(make_block=block(der_edit=lambda d: d[:-1] + bytes([d[-1] ^ 1]))))
bad("js_place_of_the_block", "content", "DigestMismatch", lambda: _wrong_place("js"), kind="js")
bad("wsf_place_of_the_block", "content", ("DigestMismatch", "Malformed"), lambda: _wrong_place("wsf"), kind="wsf")
bad("wsf_text_after_block", "content", "DigestMismatch", lambda: script.signed("wsf").replace(b"</job>\r\n", b"</job >\r\n"), kind="wsf")
bad("ps1_untrusted", "content", "ChainUntrusted", lambda: script.signed(signer=pk.pki().stranger))
bad("ps1_sha1_strict", "content", "WeakDigest", lambda: script.signed(hash="sha1"))
bad("ps1_windows_byte", "content", "DigestMismatch", lambda: _first_byte("ps1"), profile="windows")


def _first_byte(name: str, encoding: str = "utf8", at: int = 0) -> bytes:
    raw = bytearray(script.signed(name, encoding=encoding))
    raw[at] ^= 1
    return bytes(raw)


def _wrong_place(name: str) -> bytes:
    """The text is right, but the number at its end is another place."""
    kind, text = KINDS[name], TEXTS[name]
    at = script.position(kind, text)
    value = hashlib.sha256(script.hashed(kind, text, 3)).digest()
    return (text[:at] + script.block(kind, script.maker(kind)(value)) + text[at:]).encode()


# -- encoding --------------------------------------------------------------------------------------------------------------

bad("bom_added", "encoding", "DigestMismatch", lambda: b"\xef\xbb\xbf" + script.signed())
bad("bom_removed", "encoding", "DigestMismatch", lambda: script.signed(encoding="utf8-bom")[3:])
bad("bom_twice", "encoding", ("DigestMismatch", "Malformed"), lambda: b"\xef\xbb\xbf" + script.signed(encoding="utf8-bom"))
bad("utf16_bom_removed", "encoding", ("DigestMismatch", "Malformed", "Unsigned"), lambda: script.signed(encoding="utf16-bom")[2:])
bad("utf16_odd_length", "encoding", ("Malformed", "TrailingData"), lambda: script.signed(encoding="utf16-bom") + b"\r")
bad("utf16_unpaired_surrogate_replaced", "encoding", ("Malformed", "DigestMismatch"), lambda: _surrogate())
bad("utf8_broken_byte_replaced", "encoding", ("Malformed", "DigestMismatch"), lambda: _broken_utf8(b"\xff"))
bad("utf8_overlong_replaced", "encoding", ("Malformed", "DigestMismatch"), lambda: _broken_utf8(b"\xc0\xaf"))
bad("utf8_surrogate_replaced", "encoding", ("Malformed", "DigestMismatch"), lambda: _broken_utf8(b"\xed\xa0\x80"))
bad("block_in_other_encoding", "encoding", ("Malformed", "Unsigned", "DigestMismatch"), lambda: _mixed())
add("utf16_big_endian", "encoding", lambda: _big_endian(), ("refused", "unsigned", "unsupported"))


def _broken_utf8(raw: bytes) -> bytes:
    """Signed as a lax decoder reads it: every broken byte as U+FFFD. Many files share that digest."""
    text = (b"# " + raw + b"\r\n").decode("utf-8", "replace")
    signed = script.signed(text=text)
    assert text.encode() in signed
    return signed.replace(text.encode(), b"# " + raw + b"\r\n")


def _surrogate() -> bytes:
    signed = script.signed(text="# \ufffd\r\n", encoding="utf16-bom")
    return signed.replace("\ufffd".encode("utf-16-le"), b"\x00\xd8", 1)


def _mixed() -> bytes:
    """UTF-16 text and an ASCII block."""
    raw = script.signed(encoding="utf16-bom")
    at = raw.index("\r\n# SIG".encode("utf-16-le"))
    return raw[:at] + raw[at:].decode("utf-16-le").encode()


def _big_endian() -> bytes:
    raw = script.signed(encoding="utf16-bom")
    return b"\xfe\xff" + raw[2:].decode("utf-16-le").encode("utf-16-be")


# -- one block -------------------------------------------------------------------------------------------------------------


def _two_blocks() -> bytes:
    """The second block signs the text and the first block; both are good."""
    once = script.signed()
    return script.signed(text=once.decode())


def _second_of_other_text() -> bytes:
    once = script.signed()
    return once + script.signed(text="Write-Output 2\r\n")[len("Write-Output 2\r\n"):]


bad("two_blocks_each_good", "one-block", "Malformed", _two_blocks)
bad("same_block_twice", "one-block", ("Malformed", "DigestMismatch"), lambda: script.signed() + script.signed()[len(TEXTS["ps1"]):])
bad("second_block_of_other_text", "one-block", ("Malformed", "DigestMismatch"), _second_of_other_text)
bad("blocks_of_two_styles", "one-block", ("Malformed", "DigestMismatch"), lambda: script.signed(
    "ps1", text=TEXTS["ps1"] + script.block(KINDS["js"], script.maker(KINDS["js"])(bytes(32)))))
bad("begin_line_twice", "one-block", "Malformed", lined(lambda k, x: [x[0], *x]))
bad("end_line_twice", "one-block", ("Malformed", "TrailingData"), lined(lambda k, x: [*x, x[-1]]))
bad("end_line_missing", "one-block", ("Malformed", "Unsigned"), lined(lambda k, x: x[:-1]))
add("begin_line_missing", "one-block", lined(lambda k, x: x[1:]), ("refused", "unsigned", "unsupported"), None)
bad("lines_missing", "one-block", "Malformed", lined(lambda k, x: [x[0], x[-1]]))
bad("wsf_two_blocks", "one-block", ("Malformed", "DigestMismatch"), lambda: script.signed("wsf").replace(
    b"</job>", script.block(KINDS["wsf"], b"\x30\x00").encode() + b"</job>"), kind="wsf")

# -- at the end ------------------------------------------------------------------------------------------------------------

for _name, _more in {"code": b"iex $x\r\n", "comment": b"# harmless\r\n", "line_end": b"\r\n", "space": b" ", "nul": b"\0", "archive": b"PK\5\6" + bytes(18)}.items():
    bad("after_block_" + _name, "at-end", ("TrailingData", "Malformed"), tail(_more))
bad("after_block_code_windows", "at-end", ("TrailingData", "Malformed", "DigestMismatch"), tail(b"iex $x\r\n"), profile="windows")
for _n in ("ps1xml", "mof", "js", "vbs"):
    bad(f"{_n}_after_block_code", "at-end", ("TrailingData", "Malformed"), tail(b"x\r\n", _n), kind=_n)
bad("block_at_the_start", "at-end", ("TrailingData", "Malformed", "DigestMismatch"), lambda: _block_first())
add("last_line_end_missing", "at-end", lambda: script.signed()[:-2], ("accepted", "refused"))


def _block_first() -> bytes:
    raw = script.signed()
    return raw[len(TEXTS["ps1"]):] + raw[:len(TEXTS["ps1"])]


# -- only base64 lines -----------------------------------------------------------------------------------------------------


def _insert(line: str, at: int = 3) -> Callable[[Kind, list[str]], list[str]]:
    return lambda kind, lines: lines[:at] + [line] + lines[at:]


def _line(change: Callable[[str], str], at: int = 3) -> Callable[[Kind, list[str]], list[str]]:
    return lambda kind, lines: lines[:at] + [change(lines[at])] + lines[at + 1:]


for _name, _change in {"code_line": _insert("iex $x"), "empty_line": _insert(""), "empty_comment": _insert("# "), "other_comment": _insert("# not base64!"),
                       "text_after_last_line": _line(lambda s: s + "; iex $x"), "line_without_mark": _line(lambda s: s[2:]),
                       "tab_after_mark": _line(lambda s: "#\t" + s[2:]), "two_spaces": _line(lambda s: "#  " + s[2:]), "space_before_mark": _line(lambda s: " " + s),
                       "space_at_line_end": _line(lambda s: s + " "), "padding_in_the_middle": _line(lambda s: s[:-1] + "="),
                       "url_alphabet": _line(lambda s: s[:-1] + "_"), "nul_in_line": _line(lambda s: s[:20] + "\0" + s[21:]),
                       "lone_cr_and_code": _line(lambda s: s + "\riex $x"), "line_separator": _line(lambda s: s + "\u2028iex $x")}.items():
    bad(_name, "only-base64", "Malformed", lined(_change))
bad("cut_short_by_a_character", "only-base64", "Malformed", lined(lambda k, x: x[:-2] + [x[-2][:-1]] + x[-1:]))
bad("begin_line_in_capitals", "only-base64", ("Malformed", "Unsigned"), lined(lambda k, x: [x[0].upper(), *x[1:]]))
bad("end_line_with_words_after", "only-base64", ("Malformed", "TrailingData"), lined(lambda k, x: [*x[:-1], x[-1] + " iex $x"]))
bad("base64_unused_bits", "only-base64", "Malformed", lambda: _unused_bits())
bad("base64_padding_missing", "only-base64", "Malformed", lambda: _without_padding())
bad("zero_after_der", "only-base64", ("TrailingData", "Malformed"), lambda: script.signed(make_block=block(der_edit=lambda d: d + b"\0")))
bad("junk_after_der", "only-base64", ("TrailingData", "Malformed"), lambda: script.signed(make_block=block(der_edit=lambda d: d + b"hidden payload")))
bad("der_length_not_minimal", "only-base64", "Malformed", lambda: script.signed(make_block=block(der_edit=der.long_form)))
bad("der_cut_short", "only-base64", "Malformed", lambda: script.signed(make_block=block(der_edit=lambda d: d[:-3])))
bad("ps1xml_line_not_closed", "only-base64", "Malformed", lined(_line(lambda s: s.removesuffix(" -->")), "ps1xml"), kind="ps1xml")
bad("ps1xml_element_in_block", "only-base64", "Malformed", lined(_insert("<Evil/>"), "ps1xml"), kind="ps1xml")
bad("mof_code_after_comment", "only-base64", "Malformed", lined(_line(lambda s: s + " instance of X {};"), "mof"), kind="mof")
bad("js_code_line", "only-base64", "Malformed", lined(_insert("WScript.Echo(2);"), "js"), kind="js")
bad("wsf_element_in_block", "only-base64", "Malformed", lined(_insert("<script/>"), "wsf"), kind="wsf")


def _padded(n: int) -> tuple[str, bytes]:
    """A program name that gives n padding signs, and the signed script."""
    for i in range(3):
        raw = script.signed(program="Orchard" + "s" * i)
        if base64.b64encode(script.signature(KINDS["ps1"], raw)).endswith(b"=" * n):
            return "Orchard" + "s" * i, raw
    raise AssertionError(n)


def _unused_bits() -> bytes:
    _, raw = _padded(2)
    at = raw.index(b"==\r\n") - 1
    return raw[:at] + bytes([raw[at] + 1]) + raw[at + 1:]


def _without_padding() -> bytes:
    return _padded(2)[1].replace(b"==\r\n", b"\r\n")
