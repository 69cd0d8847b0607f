"""--policy: the trust options as one document. It means what the options mean, its paths are relative to it, its mistakes are named with
their line, and manifest/policy.rng accepts and refuses the same documents."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, WITNESS, read_line
from shelf import AT, SIGNER, Shelf, run

from tests.kit import minisign
from tests.kit import pki as pk

NS = "urn:surefoot:policy:1"


def document(*inside: str) -> str:
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f'<policy xmlns="{NS}">', *inside, "</policy>", ""])


def every_element(shelf: Shelf) -> list[tuple[str, str | None]]:
    """Each option but --catalog, with paths relative to the shelf; together they accept sealed.exe."""
    file = shelf.put("sealed.exe", shelf.good.read_bytes())
    shelf.put("sealed.exe.minisig", minisign.sign(SIGNER, file.read_bytes()))
    w = pk.pki()
    return [("profile", "strict"), ("anchors", "root.pem"), ("timestamp-anchors", "tsa-root.pem"), ("publisher", "Pear Yard"), ("publisher", pk.PUBLISHER),
            ("pin", "sha256:" + w.inter.sha256), ("pin", "spki-sha256:" + w.leaf.spki_sha256), ("sha256", hashlib.sha256(file.read_bytes()).hexdigest()),
            ("key", "maker.pub"), ("eku", "codeSigning"), *(("crl", crl.name) for crl in shelf.crls()), ("revocation", "crl"), ("require-timestamp", None),
            ("at", AT), ("allow", "sha1"), ("allow", "UnsignedMetadata"), ("require", "authenticode+minisign"), ("all-signatures", None)]


def as_xml(items: list[tuple[str, str | None]]) -> str:
    return document(*(f"  <{name}/>" if value is None else f"  <{name}>{value}</{name}>" for name, value in items))


def as_words(shelf: Shelf, items: list[tuple[str, str | None]]) -> list[str]:
    paths = {"anchors", "timestamp-anchors", "key", "crl", "catalog"}
    return [word for name, value in items for word in
            ([f"--{name}"] if value is None else [f"--{name}", str(shelf.folder / value) if name in paths else value])]


def test_a_document_of_every_element_says_what_the_options_say(shelf: Shelf, tmp_path: Path) -> None:
    items = every_element(shelf)
    policy = shelf.put("policy.xml", as_xml(items).encode())
    file = shelf.folder / "sealed.exe"
    by_options = run("verify", "--format", "json", *as_words(shelf, items), file)
    assert by_options.returncode == 0, by_options.stdout + by_options.stderr
    for cwd, name in ((tmp_path, policy), (shelf.folder, "policy.xml"), (shelf.folder.parent, f"{shelf.folder.name}/policy.xml")):
        by_document = run("verify", "--format", "json", "--policy", name, file, cwd=cwd)
        assert (by_document.returncode, by_document.stdout) == (0, by_options.stdout), by_document.stderr


def test_each_element_has_its_effect(shelf: Shelf) -> None:
    """Left out or changed, one at a time, the answer is another one."""
    items = every_element(shelf)
    other = {"profile": ("profile", "windows"), "at": ("at", "2028-01-01T00:00:00Z"), "sha256": ("sha256", "0" * 64), "key": ("publisher", "x"),
             "revocation": ("revocation", "off"), "require": ("require", "authenticode+cms"), "anchors": ("anchors", "tsa-root.pem"),
             "timestamp-anchors": ("timestamp-anchors", "root.pem"), "eku": ("eku", "codesigning")}
    file = shelf.folder / "sealed.exe"
    usual = run("verify", "--format", "json", *as_words(shelf, items), file).stdout
    for name, changed in other.items():
        policy = shelf.put("changed.xml", as_xml([changed if item[0] == name else item for item in items]).encode())
        assert run("verify", "--format", "json", "--policy", policy, file).stdout != usual, name
    without = [item for item in items if item[0] not in ("publisher", "pin")] + [("publisher", "Nobody")]
    assert run("verify", "--policy", shelf.put("changed.xml", as_xml(without).encode()), file).returncode == 3


def test_a_catalog_in_a_document(shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    for file in (shelf.catalog, shelf.root):
        shutil.copy(file, folder)
    (folder / "p.xml").write_text(as_xml([("anchors", "root.pem"), ("catalog", "listed.cat"), ("publisher", pk.PUBLISHER), ("at", AT)]))
    done = run("verify", "--format", "json", "--policy", folder / "p.xml", shelf.listed, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "p.xml").write_text(as_xml([("anchors", str(shelf.root)), ("catalog", str(shelf.catalog)), ("at", AT)]))
    assert run("verify", "--policy", folder / "p.xml", shelf.listed, cwd=tmp_path).returncode == 0, "absolute paths are as they are"


def test_a_document_and_options_add_up(shelf: Shelf) -> None:
    policy = shelf.put("some.xml", as_xml([("anchors", "root.pem"), ("timestamp-anchors", "tsa-root.pem")]).encode())
    assert run("verify", "--policy", policy, "--publisher", pk.PUBLISHER, "--at", AT, shelf.good).returncode == 0
    assert run("verify", "--policy", policy, "--publisher", "Pear Yard", "--at", AT, shelf.good).returncode == 3
    named = read_line(run("verify", "--format", "json", "--policy", policy, "--at", AT, shelf.good).stdout.decode())
    assert [f["code"] for f in named["findings"]] == ["NoPublisherDemanded", *WITNESS]


# -- mistakes --------------------------------------------------------------------------------------------------------------

MISTAKES = [
    ("unknown_element", ["<profile>strict</profile>", "<anchor>root.pem</anchor>"], 4, "unknown element <anchor>"),
    ("option_that_is_no_element", ["<format>json</format>"], 3, "unknown element <format>"),
    ("attribute", ['<anchors kind="pem">root.pem</anchors>'], 3, 'an attribute "kind"'),
    ("twice", ["<profile>strict</profile>", "<!-- -->", "<profile>strict</profile>"], 5, "<profile> stands twice"),
    ("empty_argument", ["<anchors/>"], 3, "<anchors> is empty"),
    ("blank_argument", ["<anchors> ", " </anchors>"], 3, "<anchors> is empty"),
    ("argument_of_a_flag", ["<require-timestamp>yes</require-timestamp>"], 3, "takes no text"),
    ("nested", ["<anchors><key>maker.pub</key></anchors>"], 3, "unknown element <key>"),
    ("text_between", ["strict"], None, "text"),
    ("other_namespace", ['<profile xmlns="urn:other">strict</profile>'], 3, "is not in the namespace"),
    ("bad_profile", ["", "<profile>lax</profile>"], 4, "--profile is strict or windows"),
    ("bad_hash", ["<sha256>abc</sha256>"], 3, "64 hex digits"),
    ("bad_revocation", ["<revocation>maybe</revocation>"], 3, "--revocation is off, crl or online"),
]
NOT_OF_THE_SCHEMA = [                                               # refused by the reader alone: a schema cannot say it, or it is a matter of values
    ("no_such_file", ["<profile>strict</profile>", "", "<anchors>absent.pem</anchors>"], 5, "absent.pem"),
    ("bad_time", ["<at>yesterday</at>"], 3, "--at wants a time"),
    ("bad_pin", ["<pin>md5:00</pin>"], 3, "a pin is sha256:HEX"),
    ("bad_allowance", ["<allow>everything</allow>"], 3, "--allow wants"),
    ("instruction", ["<?go there?>"], 3, "processing instruction"),
]


@pytest.mark.parametrize("name, inside, line, says", MISTAKES + NOT_OF_THE_SCHEMA, ids=lambda v: v if isinstance(v, str) and " " not in v and "<" not in v else "")
def test_a_mistake_is_named_with_its_line(shelf: Shelf, name: str, inside: list[str], line: int | None, says: str) -> None:
    policy = shelf.put("wrong.xml", document(*inside).encode())
    done = run("verify", "--policy", policy, *shelf.trust, shelf.good)
    text = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"") and says in text and "wrong.xml: " in text, text
    assert line is None or f"line {line}: " in text, text


@pytest.mark.parametrize("data", [
    b"", b"not xml", b"<policy>", f'<policy xmlns="{NS}">'.encode(), b"<policy/>", b'<policy xmlns="urn:surefoot:policy:2"/>', f'<other xmlns="{NS}"/>'.encode(),
    document().encode("utf-16"), document("<publisher>\xe9</publisher>").encode("latin-1"), document().replace("UTF-8", "ISO-8859-1").encode(),
    document("<publisher>&x;</publisher>").encode(), f'<!DOCTYPE policy><policy xmlns="{NS}"/>'.encode(), document().encode() + b"<policy/>",
    f'<!DOCTYPE policy [<!ENTITY x SYSTEM "file:///etc/hostname">]><policy xmlns="{NS}"><publisher>&x;</publisher></policy>'.encode(),
    document("<!--" + "x" * 300_000 + "-->").encode(), document(*["<publisher>x</publisher>"] * 300).encode(), document("<publisher>a\x01</publisher>").encode(),
    f'<policy xmlns="{NS}" xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="root.pem"/></policy>'.encode(),
], ids=lambda d: d[:24].decode("latin-1"))
def test_what_is_no_such_document(shelf: Shelf, data: bytes) -> None:
    done = run("verify", "--policy", shelf.put("broken.xml", data), *shelf.trust, shelf.good)
    assert (done.returncode, done.stdout) == (2, b"") and b"--policy " in done.stderr and done.stderr.count(b"\n") == 1


# -- the schema ------------------------------------------------------------------------------------------------------------

FITTING = {
    "empty": [],
    "comments_and_space": ["  <!-- a comment -->", "", "\t<profile>\n strict </profile>"],
    "any_order": ["<publisher>x</publisher>", "<profile>strict</profile>", "<publisher>y</publisher>", "<key>maker.pub</key>", "<require>authenticode+minisign</require>"],
    "references": ["<publisher>A &amp; B &#x41;</publisher>"],
    "cdata": ["<publisher><![CDATA[A & B]]></publisher>"],
    "flag_open_and_closed": ["<require-timestamp></require-timestamp>"],
    "flag_with_space": ["<all-signatures>\n</all-signatures>"],
    "upper_case_hash": ["<sha256>" + "AB" * 32 + "</sha256>"],
    "repeated": ["<anchors>root.pem</anchors>", "<anchors>tsa-root.pem</anchors>", "<allow>sha1</allow>", "<allow>rsa1024</allow>"],
    "prefixed": ['<p:profile xmlns:p="urn:surefoot:policy:1">windows</p:profile>'],
}


def fits_schema(policy: Path) -> bool:
    if not shutil.which("xmllint"):
        pytest.skip("xmllint is not installed")
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--relaxng", str(ROOT / "manifest" / "policy.rng"), str(policy)], capture_output=True, timeout=60)
    assert done.returncode in (0, 3), done.stderr
    return done.returncode == 0


def fits_reader(shelf: Shelf, policy: Path) -> bool:
    """Read without complaint; anchors are added so that an empty document is no wrong usage."""
    words = ["--anchors", str(shelf.root), "--policy", str(policy)]
    return run("verify", *words, shelf.good).returncode != 2


@pytest.mark.parametrize("name", FITTING)
def test_schema_and_reader_accept_the_same(shelf: Shelf, name: str) -> None:
    policy = shelf.put("fits.xml", document(*FITTING[name]).encode())
    assert fits_schema(policy) and fits_reader(shelf, policy)


@pytest.mark.parametrize("name, inside", [(name, inside) for name, inside, _, _ in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_schema_and_reader_refuse_the_same(shelf: Shelf, name: str, inside: list[str]) -> None:
    policy = shelf.put("unfit.xml", document(*inside).encode())
    assert not fits_schema(policy) and not fits_reader(shelf, policy)


def test_the_full_document_fits_the_schema(shelf: Shelf) -> None:
    assert fits_schema(shelf.put("full.xml", as_xml([*every_element(shelf), ("catalog", "listed.cat")]).encode()))


def test_schema_reader_and_help_name_the_same_options() -> None:
    schema = set(re.findall(r'element name="([a-z0-9-]+)"', (ROOT / "manifest" / "policy.rng").read_text())) - {"policy"}
    reader = set(re.findall(r'^    \{ "([a-z0-9-]+)", (?:true|false)', (ROOT / "manifest" / "policy_doc.c").read_text(), re.M))
    trust = run("verify", "--help").stdout.decode().split("\ntrust:\n")[1].split("\nreport:\n")[0]
    options = set(re.findall(r"^  --([a-z0-9-]+)", trust, re.M))
    assert schema == reader == options - {"policy", "signature", "file-digest"}
