"""Files made by other people's programs are accepted in strict, and refused after one byte of content is flipped.

Also: our own hash rules (tests/kit) hold for the real signed files of the corpus, so that both sides are not wrong alike."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Callable, Iterator

import pytest
from conftest import PROGRAM, ROOT, run_wrapped

from tests.kit import cab, cat, cfb, cms, der, msi, pe, script
from tests.kit import pki as pk

CORPUS = ROOT.parent / "shared" / "corpus"
AT = "2026-06-01T00:00:00Z"


def run(*words: object, at: Path | None = None) -> None:
    subprocess.run([str(w) for w in words], check=True, cwd=at, capture_output=True, timeout=60)


def tool(name: str) -> None:
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")


def verify(file: Path, *args: object) -> tuple[int, dict]:
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    done = run_wrapped(PROGRAM, "verify", "--format", "json", "--at", AT, *args, file, timeout=60)
    return done.returncode, json.loads(done.stdout.splitlines()[0]) if done.stdout else {}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our key and certificates in files, as signing programs want them."""
    folder = tmp_path_factory.mktemp("makers")
    from cryptography.hazmat.primitives import serialization
    w = pk.pki()
    (folder / "key.pem").write_bytes(w.leaf.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    pk.write_pem(folder / "leaf.pem", w.leaf)
    pk.write_pem(folder / "inter.pem", w.inter)
    pk.write_pem(folder / "chain.pem", w.leaf, w.inter)
    pk.write_pem(folder / "root.pem", w.root)
    return folder


@lru_cache(maxsize=None)
def version_of_osslsigncode() -> tuple[int, ...]:
    tool("osslsigncode")
    said = subprocess.run(["osslsigncode", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"osslsigncode ([0-9]+)\.([0-9]+)", said)
    assert found, said
    return tuple(int(n) for n in found.groups())


def sign_with_osslsigncode(desk: Path, source: Path, out: Path, *more: str) -> Path:
    tool("osslsigncode")
    run("osslsigncode", "sign", "-certs", desk / "chain.pem", "-key", desk / "key.pem", "-h", "sha256", *more, "-in", source, "-out", out)
    return out


def accepted_then_not(file: Path, content: bytes, *args: object, kind: str) -> None:
    """content is a string of the file that every rule must cover; its first byte is flipped."""
    code, line = verify(file, *args)
    assert (code, line["verdict"], line["type"]) == (0, "accepted", kind), line
    raw = bytearray(file.read_bytes())
    raw[raw.index(content)] ^= 1
    file.write_bytes(bytes(raw))
    code, line = verify(file, *args)
    assert (code, line["verdict"]) == (3, "refused"), line


def trusting(desk: Path) -> list[str]:
    return ["--anchors", str(desk / "root.pem"), "--publisher", pk.PUBLISHER]


# -- osslsigncode ----------------------------------------------------------------------------------------------------------

PE_SHAPES = {"plain": [], "page_hashes": ["-ph"], "described": ["-n", "Orchard Tool", "-i", "https://orchard.example/"], "commercial": ["-comm"]}


@pytest.mark.parametrize("shape", PE_SHAPES)
def test_pe_signed_by_osslsigncode(desk: Path, tmp_path: Path, shape: str) -> None:
    source = tmp_path / "plain.exe"
    source.write_bytes(pe.Image().bytes())
    accepted_then_not(sign_with_osslsigncode(desk, source, tmp_path / "signed.exe", *PE_SHAPES[shape]), b"orchard data", *trusting(desk), kind="pe")


def test_pe_signed_twice_by_osslsigncode(desk: Path, tmp_path: Path) -> None:
    source = tmp_path / "plain.exe"
    source.write_bytes(pe.Image().bytes())
    once = sign_with_osslsigncode(desk, source, tmp_path / "once.exe")
    twice = sign_with_osslsigncode(desk, once, tmp_path / "twice.exe", "-nest", "-h", "sha384")
    assert len(verify(twice, *trusting(desk))[1]["signatures"]) == 2
    accepted_then_not(twice, b"orchard data", *trusting(desk), "--all-signatures", kind="pe")


WXS = """<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
 <Product Id="{12345678-1234-1234-1234-123456789012}" UpgradeCode="{22345678-1234-1234-1234-123456789012}" Name="OrchardKit" Version="1.0.0"
   Manufacturer="Orchard Works" Language="1033">
  <Package InstallerVersion="200" Compressed="yes" InstallScope="perMachine"/><Media Id="1" Cabinet="a.cab" EmbedCab="yes"/>
  <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFilesFolder"><Directory Id="INSTALLDIR" Name="Kit">
   <Component Id="c1" Guid="{32345678-1234-1234-1234-123456789012}"><File Id="f1" Source="a.txt" KeyPath="yes"/></Component>
  </Directory></Directory></Directory><Feature Id="F" Level="1"><ComponentRef Id="c1"/></Feature>
 </Product>
</Wix>
"""


@pytest.fixture
def wixl_msi(tmp_path: Path) -> Path:
    tool("wixl")
    (tmp_path / "a.wxs").write_text(WXS)
    (tmp_path / "a.txt").write_bytes(hashlib.sha256(b"a").digest() * 300)
    run("wixl", "-o", "a.msi", "a.wxs", at=tmp_path)
    assert (tmp_path / "a.msi").stat().st_size % 512 == 0
    return tmp_path / "a.msi"


def test_msi_of_wixl_signed_with_ex(desk: Path, tmp_path: Path, wixl_msi: Path) -> None:
    accepted_then_not(sign_with_osslsigncode(desk, wixl_msi, tmp_path / "s.msi", "-add-msi-dse"), b"OrchardKit", *trusting(desk), kind="msi")


def test_msi_of_wixl_signed_without_ex(desk: Path, tmp_path: Path, wixl_msi: Path) -> None:
    signed = sign_with_osslsigncode(desk, wixl_msi, tmp_path / "s.msi")
    code, line = verify(signed, *trusting(desk))
    assert (code, line["verdict"]) == (3, "refused")
    assert {r["code"] for r in line["reasons"] + [r for s in line["signatures"] for r in s["reasons"]]} == {"UnsignedMetadata"}
    accepted_then_not(signed, b"OrchardKit", *trusting(desk), "--allow", "UnsignedMetadata", kind="msi")


@pytest.mark.parametrize("version", (3, 4))
@pytest.mark.parametrize("tree", (msi.tree, msi.patch_tree))
def test_our_compound_file_signed_with_ex_by_osslsigncode(desk: Path, tmp_path: Path, version: int, tree: Callable[[], cfb.Entry]) -> None:
    """Nested storages, both sector sizes: osslsigncode's Ex is ours."""
    source, root = tmp_path / "a.msi", tree()
    source.write_bytes(cfb.Compound(root, version).pack())
    try:
        signed = sign_with_osslsigncode(desk, source, tmp_path / "s.msi", "-add-msi-dse")
    except subprocess.CalledProcessError:
        pytest.skip("osslsigncode cannot sign this shape")
    made = cfb.parse(signed.read_bytes())
    assert made.find(msi.EX).data == msi.ex_of(root)
    assert spc_digest(made.find(msi.SIGNATURE).data)[1] == msi.digest(root, msi.ex_of(root))


@pytest.mark.parametrize("zipped", (False, True))
def test_cab_of_gcab_signed_by_osslsigncode(desk: Path, tmp_path: Path, zipped: bool) -> None:
    tool("gcab")
    (tmp_path / "hello.txt").write_bytes(b"hello orchard\n" * 30)
    run("gcab", "-c", *(["-z"] if zipped else []), "a.cab", "hello.txt", at=tmp_path)
    accepted_then_not(sign_with_osslsigncode(desk, tmp_path / "a.cab", tmp_path / "s.cab"), b"hello.txt", *trusting(desk), kind="cab")


@pytest.mark.parametrize("bom", (b"", b"\xef\xbb\xbf", b"\xff\xfe"))
@pytest.mark.parametrize("name", [n for n, k in script.KINDS.items() if not k.wsh])
def test_script_signed_by_osslsigncode(desk: Path, tmp_path: Path, name: str, bom: bytes) -> None:
    if version_of_osslsigncode() < (2, 8):
        pytest.skip("this osslsigncode signs no scripts: 2.8 does")
    text = script.TEXTS[name].encode("utf-16-le" if bom == b"\xff\xfe" else "utf-8")
    source = tmp_path / f"a.{name}"
    source.write_bytes(bom + text)
    accepted_then_not(sign_with_osslsigncode(desk, source, tmp_path / f"s.{name}"), text[:6], *trusting(desk), kind="script-powershell")


def test_catalog_signed_by_osslsigncode(desk: Path, tmp_path: Path) -> None:
    content = b"listed\n" * 20
    (tmp_path / "u.cat").write_bytes(cat.unsigned([cat.flat(content)]))
    (tmp_path / "file.bin").write_bytes(content)
    signed = sign_with_osslsigncode(desk, tmp_path / "u.cat", tmp_path / "s.cat")
    code, line = verify(tmp_path / "file.bin", *trusting(desk), "--catalog", signed)
    assert (code, line["verdict"]) == (0, "accepted"), line
    accepted_then_not(signed, hashlib.sha256(content).digest(), *trusting(desk), kind="cat")
    assert verify(tmp_path / "file.bin", *trusting(desk), "--catalog", signed)[0] == 3


# -- openssl and minisign --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ("DER", "PEM"))
@pytest.mark.parametrize("command", ("cms", "smime"))
def test_detached_signature_of_openssl(desk: Path, tmp_path: Path, command: str, form: str) -> None:
    tool("openssl")
    file = tmp_path / "file.bin"
    file.write_bytes(b"line\nline\r\n\0" * 50)
    run("openssl", command, "-sign", "-binary", "-md", "sha256", "-in", file, "-signer", desk / "leaf.pem", "-inkey", desk / "key.pem", "-certfile", desk / "inter.pem",
        "-outform", form, "-out", tmp_path / "file.bin.p7s")
    accepted_then_not(file, b"line", *trusting(desk), kind="other")


def test_detached_signature_of_openssl_without_attributes(desk: Path, tmp_path: Path) -> None:
    tool("openssl")
    file = tmp_path / "file.bin"
    file.write_bytes(b"content")
    run("openssl", "cms", "-sign", "-binary", "-noattr", "-in", file, "-signer", desk / "leaf.pem", "-inkey", desk / "key.pem", "-certfile", desk / "inter.pem", "-outform", "DER",
        "-out", tmp_path / "file.bin.p7s")
    assert verify(file, *trusting(desk))[0] == 3


@pytest.mark.parametrize("legacy", (False, True))
def test_minisign_signature(tmp_path: Path, legacy: bool) -> None:
    tool("minisign")
    file = tmp_path / "file.bin"
    file.write_bytes(b"content of the file" * 9)
    run("minisign", "-G", "-W", "-p", tmp_path / "k.pub", "-s", tmp_path / "k.key")
    run("minisign", "-S", *(["-l"] if legacy else []), "-s", tmp_path / "k.key", "-m", file, "-t", "a trusted comment")
    accepted_then_not(file, b"content", "--key", tmp_path / "k.pub", kind="other")


# -- the hash rules and the real world -------------------------------------------------------------------------------------


def spc_digest(signature: bytes) -> tuple[str, bytes]:
    """(algorithm, digest) of a signature's SpcIndirectDataContent."""
    info = der.kids(der.at(signature, (1, 0, 2, 1, 0)))[1]
    names = {der.oid(v): k for k, v in pk.HASH_OID.items()}
    return names[der.at(info, (0, 0))], der.body(der.at(info, (1,)))


def rows(kind: str) -> Iterator[tuple[str, Path]]:
    index = CORPUS / "INDEX.tsv"
    if index.exists():
        for row in csv.DictReader(index.open(encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["type"] == kind and row["expected"] in ("valid", "untrusted-chain"):
                yield row["id"], CORPUS / row["path"]


def of_corpus(kind: str) -> pytest.MarkDecorator:
    found = list(rows(kind)) or [("none", None)]
    return pytest.mark.parametrize("path", [p for _, p in found], ids=[i for i, _ in found])


def there(path: Path | None) -> bytes:
    if path is None:
        pytest.skip("the corpus is not there")
    return path.read_bytes()


@of_corpus("msi")
def test_msi_hash_rule(path: Path) -> None:
    root = cfb.parse(there(path))
    algorithm, value = spc_digest(root.find(msi.SIGNATURE).data)
    ex = root.find(msi.EX)
    assert ex is None or ex.data == msi.ex_of(root, algorithm)
    assert msi.digest(root, ex.data if ex else None, algorithm) == value


@of_corpus("cab")
def test_cab_hash_rule(path: Path) -> None:
    raw = there(path)
    body, signature = cab.split(raw)
    algorithm, value = spc_digest(signature)
    assert cab.digest(raw, len(body), algorithm) == value


@of_corpus("script")
def test_script_hash_rule(path: Path) -> None:
    raw = there(path)
    kind = script.kind_of(raw)
    algorithm, value = spc_digest(script.signature(kind, raw))
    assert script.digest(kind, raw, algorithm) == value


@of_corpus("cat")
def test_cat_hash_rule(path: Path) -> None:
    raw = there(path)
    info = der.at(raw, (1, 0))
    one = der.at(der.kids(info)[-1], (0,))
    attrs = {der.body(der.kids(a)[0]): der.kids(a)[1] for a in der.kids(der.tlv(0x31, der.body(der.kids(one)[3])))}
    value = der.body(der.at(attrs[der.body(der.oid(cms.MESSAGE_DIGEST))], (0,)))
    algorithm = {der.oid(v): k for k, v in pk.HASH_OID.items()}[der.at(der.kids(one)[2], (0,))]
    assert cat.list_digest(raw, algorithm) == value
    assert cat.digests(raw)
