"""Signed scripts: PowerShell's family and Windows Script Host's.

A Kind says how the block's lines look and what is hashed; `sign` appends a block to a text, `digest` recomputes what was
hashed from a signed file's bytes, `signature` gives the DER in it.
"""
import base64
import hashlib
import re
import struct

from . import cms

BOM = "\ufeff"
POWERSHELL = bytes.fromhex("1fcc3b60594b084eb724d2c6297ef351")


class Kind:
    def __init__(self, name, start, begin, end, close="", version=0x10000, guid=POWERSHELL, width=64, wsh=False):
        self.name, self.start, self.close, self.version, self.guid, self.width, self.wsh = \
            name, start, close, version, guid, width, wsh
        self.begin, self.end = start + begin + close, start + end + close

    def ansi(self):
        """Is a text without BOM read in the ANSI code page?"""
        return self.wsh or self.name in ("ps1xml", "psc1", "cdxml")


def _powershell(name, start, close=""):
    return Kind(name, start, "SIG # Begin signature block", "SIG # End signature block", close)


def _wsh(name, start, guid, begin="Begin signature block", end="End signature block"):
    return Kind(name, start, begin, end, "", 1, bytes.fromhex(guid), 44, True)


KINDS = {k.name: k for k in [_powershell(n, "# ") for n in ("ps1", "psm1", "psd1")] +
         [_powershell(n, "<!-- ", " -->") for n in ("ps1xml", "psc1", "cdxml")] + [_powershell("mof", "/* ", " */")] +
         [_wsh("js", "// SIG // ", "10e0c906ce38d411a2a300104bd35090"),
          _wsh("vbs", "'' SIG '' ", "4ef029169927b54d8fe5ace10f17ebab"),
          _wsh("wsf", "** SIG ** ", "7005611ace38d411a2a300104bd35090")]}
KINDS["wsf"].begin, KINDS["wsf"].end = "<signature>", "</signature>"


def lines(kind, der, width=None):
    """The base64 lines of a block, each with its comment marks, without line ends."""
    text, width = base64.b64encode(der).decode(), width or kind.width
    return [kind.start + text[i:i + width] + kind.close for i in range(0, len(text), width)]


def block(kind, der, eol="\r\n", width=None):
    return eol + eol.join([kind.begin] + lines(kind, der, width) + [kind.end]) + eol


def position(kind, text):
    """Where in a text without BOM the block goes, in characters."""
    return text.rindex("</job>") if kind.name == "wsf" else len(text)


def hashed(kind, text, at=None):
    """The bytes that are hashed for a text (with its BOM, if any, as U+FEFF); `at` the block's place in the bare text."""
    if not kind.wsh:
        return text.encode("utf-16-le")
    text = text.removeprefix(BOM)
    at = position(kind, text) if at is None else at
    units = len(text[:at].encode("utf-16-le")) // 2
    return text.encode("utf-16-le") + struct.pack("<I", units)


def encode(text, encoding):
    """encoding: utf8, utf8-bom, utf16, utf16-bom, cp1252."""
    base = {"utf8": "utf-8", "utf16": "utf-16-le"}.get(encoding.removesuffix("-bom"), encoding)
    return ((BOM if encoding.endswith("-bom") else "") + text).encode(base)


def as_read(kind, text, encoding):
    """The text as the hashing side reads it."""
    if encoding.endswith("-bom"):
        return BOM + text
    if encoding == "utf8" and kind.ansi():
        return ansi(text.encode())
    return text


def ansi(raw):
    """Windows-1252 with its five undefined bytes kept."""
    return "".join(bytes([b]).decode("cp1252") if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(b) for b in raw)


def sign(kind, text, make, encoding="utf8", algorithm="sha256", make_block=block):
    """A signed script's bytes. `make(digest)` gives the signature's DER."""
    der = make(hashlib.new(algorithm, hashed(kind, as_read(kind, text, encoding))).digest())
    at = position(kind, text)
    return encode(text[:at] + make_block(kind, der) + text[at:], encoding)


def decode(raw):
    if raw[:2] == b"\xff\xfe":
        return raw.decode("utf-16-le")
    return raw.decode("utf-8")


def _cut(kind, text):
    begin = text.rindex("\r\n" + kind.begin + "\r\n")
    stop = text.index(kind.end + "\r\n", begin) + len(kind.end) + 2
    return begin, text[begin + 2:stop], stop


def signature(kind, raw):
    """The DER in a signed script."""
    _, body, _ = _cut(kind, decode(raw))
    inner = [line for line in body.split("\r\n")[1:-2]]
    return base64.b64decode("".join(line[len(kind.start):len(line) - len(kind.close)] for line in inner))


def digest(kind, raw, algorithm="sha256"):
    """The Authenticode digest of a signed script."""
    text = decode(raw)
    if kind.ansi() and raw[:2] != b"\xff\xfe" and raw[:3] != b"\xef\xbb\xbf":
        text = ansi(raw)
    begin, _, stop = _cut(kind, text)
    bom = len(text) - len(text.removeprefix(BOM))
    return hashlib.new(algorithm, hashed(kind, text[:begin] + text[stop:], begin - bom)).digest()


def kind_of(raw):
    """The Kind whose block a signed script carries, or None."""
    text = ansi(raw) if raw[:2] != b"\xff\xfe" else decode(raw)
    for name in ("ps1", "ps1xml", "mof", "js", "vbs", "wsf"):
        if re.search("\r\n" + re.escape(KINDS[name].begin) + "\r\n", text):
            return KINDS[name]
    return None


def maker(kind, signer=None, hash="sha256", guid=None, data=None, **how):
    """A function from digest to signature. `how` goes to cms.authenticode."""
    data = cms.sip_data(guid or kind.guid, kind.version) if data is None else data
    return lambda value: cms.authenticode(cms.indirect(data, value, hash), signer, hash=hash, **how)


TEXTS = {"ps1": "param([string]$Name)\r\nWrite-Output \"hello $Name\"\r\n", "psm1": "function Get-Kit { 1 }\r\n",
         "psd1": "@{ ModuleVersion = '1.0' }\r\n", "ps1xml": "<Types>\r\n</Types>\r\n", "psc1": "<PSConsoleFile/>\r\n",
         "cdxml": "<PowerShellMetadata/>\r\n", "mof": "class Kit {};\r\n", "js": "WScript.Echo(1);\r\n",
         "vbs": "WScript.Echo 1\r\n", "wsf": "<job>\r\n<script language=\"JScript\">WScript.Echo(1);</script>\r\n</job>\r\n"}


def signed(name="ps1", text=None, encoding="utf8", make_block=block, hash="sha256", **how):
    """A signed script's bytes."""
    kind = KINDS[name]
    return sign(kind, TEXTS[name] if text is None else text, maker(kind, hash=hash, **how), encoding, hash, make_block)
