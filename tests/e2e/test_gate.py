"""surefoot-publish verify-release: everything a client would refuse, and what a maker can still mend, all at once."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from publish_kit import PUBLISH, lines_of, pytestmark  # noqa: F401  (the mark: not built for Windows)

PRODUCT = """<product xmlns="urn:surefoot:product:1" name="{name}" channel="stable">
  <install kind="archive" folder="/opt/orchard"/>
  <fetch><feed url="https://updates.example.org/feed.xml"/></fetch>
  <trust>
    <feed><minisign><key file="maker.pub"/></minisign></feed>
    <payload>{payload}</payload>
  </trust>
  <services><service name="orchard.service"/></services>
</product>
"""


def publish(*args: object, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(PUBLISH), *map(str, args)], cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
    return done


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key, a stranger's key, and a good release folder."""
    at = tmp_path_factory.mktemp("gate")
    publish("keygen", "--out", "maker", "--no-passphrase", cwd=at)
    publish("keygen", "--out", "stranger", "--no-passphrase", cwd=at)
    tree = at / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "orchard").write_bytes(b"#!/bin/sh\nexit 0\n")
    (tree / "bin" / "orchard").chmod(0o755)
    (tree / "share").mkdir()
    for i in range(20):
        (tree / "share" / f"page{i}.html").write_bytes(os.urandom(1000 + i))
    (at / "dist").mkdir()
    publish("release", "tree", "--product", "orchard", "--version", "1.0.0", "--dir", "dist", "--os", "linux", "--key", "maker.key", cwd=at)
    publish("feed", "dist", "--product", "orchard", "--channel", "stable", "--add", "1.0.0", "--key", "maker.key", cwd=at)
    return at


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(made, tmp_path / "x", symlinks=True)
    return tmp_path / "x"


def gate(at: Path, *more: object, trust: tuple[object, ...] = ("--key", "maker.pub")) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """The exit code, the findings, and the sum."""
    done = subprocess.run([str(PUBLISH), "verify-release", "--format", "json", *map(str, trust), *map(str, more), "dist"], cwd=at,
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120)
    lines = lines_of(done.stdout)
    assert lines and lines[-1]["schema"] == "surefoot.verify-release/1", (done.stdout, done.stderr)
    assert lines[-1]["findings"] == len(lines) - 1
    assert {"passed": 0, "refused": 3, "failed": 1}[lines[-1]["result"]] == done.returncode
    return done.returncode, lines[:-1], lines[-1]


def codes(findings: list[dict[str, Any]]) -> set[str]:
    return {f["code"] for f in findings if f["level"] in ("refused", "failed")}


def sign_feed(at: Path, key: str = "maker.key") -> None:
    """Signs feed.xml as it is now, under both names."""
    for old in (at / "dist").glob("feed.xml.*"):
        old.unlink()
    publish("sign", "--key", key, "dist/feed.xml", cwd=at)
    digest = hashlib.sha256((at / "dist" / "feed.xml").read_bytes()).hexdigest()
    shutil.copy(at / "dist" / "feed.xml.minisig", at / "dist" / f"feed.xml.{digest}.minisig")


def edit(path: Path, old: str, new: str, count: int = 1) -> None:
    text = path.read_text()
    assert old in text, (path, old)
    path.write_text(text.replace(old, new, count))


def name_document(at: Path) -> None:
    """Puts the release document's size and hash, as it is now, into the feed, and signs that."""
    document = (at / "dist" / "1.0.0" / "release.xml").read_bytes()
    feed = at / "dist" / "feed.xml"
    text = re.sub(r'size="\d+" sha256="[0-9a-f]+"', f'size="{len(document)}" sha256="{hashlib.sha256(document).hexdigest()}"', feed.read_text(), count=1)
    feed.write_text(text)
    sign_feed(at)


def the_payload(at: Path) -> Path:
    return next((at / "dist" / "1.0.0").glob("*.tar.zst"))


def test_a_good_folder_passes(made: Path) -> None:
    code, findings, total = gate(made)
    assert code == 0 and findings == []
    assert total["payloads"] == 1 and total["files"] == 21 and total["bytes"] == the_payload(made).stat().st_size
    done = publish("verify-release", "--key", "maker.pub", "dist", cwd=made)
    assert done.stdout.startswith("dist: passed") and done.stderr == ""
    before = {p: p.stat().st_mtime_ns for p in made.rglob("*")}
    gate(made)
    assert before == {p: p.stat().st_mtime_ns for p in made.rglob("*")}


def test_with_a_product_file(folder: Path) -> None:
    (folder / "p.xml").write_text(PRODUCT.format(name="orchard", payload='<minisign><key file="maker.pub"/></minisign>'))
    assert gate(folder, trust=("--product-file", "p.xml"))[0] == 0
    (folder / "p.xml").write_text(PRODUCT.format(name="garden", payload='<minisign><key file="maker.pub"/></minisign>'))
    code, findings, _ = gate(folder, trust=("--product-file", "p.xml"))
    assert code == 3 and codes(findings) == {"WrongProduct"}
    (folder / "p.xml").write_text(PRODUCT.format(name="orchard", payload='<minisign><key file="stranger.pub"/></minisign>'))
    code, findings, _ = gate(folder, trust=("--product-file", "p.xml"))
    assert code == 3 and codes(findings) == {"KeyMismatch"}


def test_a_release_that_demands_less_than_the_product_file(folder: Path) -> None:
    both = '<minisign><key file="maker.pub"/></minisign><cms><anchors>root.pem</anchors><publisher>Orchard Works</publisher></cms>'
    (folder / "p.xml").write_text(PRODUCT.format(name="orchard", payload=both))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/O=Orchard Works"],
                   cwd=folder, check=True, capture_output=True)
    code, findings, _ = gate(folder, trust=("--product-file", "p.xml"))
    assert code == 3 and codes(findings) == {"DemandsTooLittle"}


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def spoil_nothing_signed(at: Path) -> None:
    for p in (at / "dist").glob("feed.xml.*"):
        p.unlink()


def spoil_twin(at: Path) -> None:
    next(p for p in (at / "dist").glob("feed.xml.*.minisig") if p.name != "feed.xml.minisig").unlink()


def spoil_stale_twin(at: Path) -> None:
    twin = next(p for p in (at / "dist").glob("feed.xml.*.minisig") if p.name != "feed.xml.minisig")
    twin.write_text(twin.read_text().replace("untrusted comment: ", "untrusted comment: x"))


def spoil_feed_byte(at: Path) -> None:
    edit(at / "dist" / "feed.xml", 'serial="1"', 'serial="2"')


def spoil_by_stranger(at: Path) -> None:
    sign_feed(at, "stranger.key")


def spoil_expired(at: Path) -> None:
    edit(at / "dist" / "feed.xml", 'issued="2', 'issued="1')
    text = re.sub(r'issued="[^"]*" expires="[^"]*"', 'issued="2020-01-01T00:00:00Z" expires="2020-02-01T00:00:00Z"', (at / "dist" / "feed.xml").read_text())
    (at / "dist" / "feed.xml").write_text(text)
    sign_feed(at)


def spoil_future(at: Path) -> None:
    text = re.sub(r'issued="[^"]*" expires="[^"]*"', 'issued="2999-01-01T00:00:00Z" expires="2999-02-01T00:00:00Z"', (at / "dist" / "feed.xml").read_text())
    (at / "dist" / "feed.xml").write_text(text)
    sign_feed(at)


def spoil_doctype(at: Path) -> None:
    edit(at / "dist" / "feed.xml", "<feed ", '<!DOCTYPE feed SYSTEM "x"><feed ')
    sign_feed(at)


def spoil_document(at: Path) -> None:
    flip(at / "dist" / "1.0.0" / "release.xml", 200)


def spoil_document_gone(at: Path) -> None:
    (at / "dist" / "1.0.0" / "release.xml").unlink()


def spoil_other_version(at: Path) -> None:
    edit(at / "dist" / "1.0.0" / "release.xml", 'version="1.0.0"', 'version="1.0.1"')
    name_document(at)


def spoil_other_product(at: Path) -> None:
    edit(at / "dist" / "1.0.0" / "release.xml", 'product="orchard"', 'product="garden"')
    name_document(at)


def spoil_payload_byte(at: Path) -> None:
    flip(the_payload(at), the_payload(at).stat().st_size // 2)


def spoil_payload_longer(at: Path) -> None:
    with the_payload(at).open("ab") as f:
        f.write(b"x")


def spoil_payload_gone(at: Path) -> None:
    the_payload(at).unlink()


def spoil_payload_unsigned(at: Path) -> None:
    Path(f"{the_payload(at)}.minisig").unlink()


def spoil_payload_by_stranger(at: Path) -> None:
    publish("sign", "--key", "stranger.key", the_payload(at).relative_to(at), cwd=at)


def spoil_listed_hash(at: Path) -> None:
    document = at / "dist" / "1.0.0" / "release.xml"
    text = document.read_text()
    at_ = text.index('sha256="', text.index('path="share/page3.html"')) + len('sha256="')
    document.write_text(text[:at_] + ("0" if text[at_] != "0" else "1") + text[at_ + 1:])
    name_document(at)


def spoil_unlisted(at: Path) -> None:
    """A file less in the list than in the archive; the sum is mended, so that nothing else is wrong."""
    document = at / "dist" / "1.0.0" / "release.xml"
    text = document.read_text()
    line = re.search(r' *<file path="share/page7.html" size="(\d+)"[^>]*/>\n', text)
    assert line
    total = int(re.search(r'unpacked-size="(\d+)"', text)[1]) - int(line[1])
    text = re.sub(r'unpacked-size="\d+"', f'unpacked-size="{total}"', text.replace(line[0], ""))
    document.write_text(text)
    name_document(at)


def spoil_listed_too_much(at: Path) -> None:
    document = at / "dist" / "1.0.0" / "release.xml"
    text = document.read_text()
    total = int(re.search(r'unpacked-size="(\d+)"', text)[1]) + 3
    text = re.sub(r'unpacked-size="\d+"', f'unpacked-size="{total}"', text)
    extra = f'    <file path="share/zz" size="3" sha256="{hashlib.sha256(b"abc").hexdigest()}" mode="644"/>\n  </payload>'
    document.write_text(text.replace("  </payload>", extra))
    name_document(at)


SPOILT = {
    spoil_nothing_signed: {"Unsigned"}, spoil_twin: {"Missing"}, spoil_stale_twin: {"Changed"}, spoil_feed_byte: {"SignatureInvalid", "Missing"},
    spoil_by_stranger: {"KeyMismatch"}, spoil_expired: {"Expired"}, spoil_future: {"IssuedAhead"}, spoil_doctype: {"Malformed"},
    spoil_document: {"WrongDocument"}, spoil_document_gone: {"Missing"}, spoil_other_version: {"WrongDocument"}, spoil_other_product: {"WrongProduct"},
    spoil_payload_byte: {"DigestMismatch", "SignatureInvalid"}, spoil_payload_longer: {"DigestMismatch", "SignatureInvalid"},
    spoil_payload_gone: {"Missing"}, spoil_payload_unsigned: {"Unsigned"}, spoil_payload_by_stranger: {"KeyMismatch"},
    spoil_listed_hash: {"DigestMismatch"}, spoil_unlisted: {"UncoveredData"}, spoil_listed_too_much: {"Malformed"},
}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda f: f.__name__[6:])
def test_what_a_client_would_refuse_is_refused(folder: Path, spoil: Any) -> None:
    spoil(folder)
    code, findings, _ = gate(folder)
    assert code == 3 and codes(findings) == SPOILT[spoil], findings
    for finding in findings:
        assert finding["where"] and len(finding["detail"]) > 8 and finding["detail"].isprintable()


def test_all_findings_come_at_once(folder: Path) -> None:
    shutil.copytree(folder / "tree", folder / "tree2")
    (folder / "tree2" / "more").write_bytes(b"more")
    publish("release", "tree2", "--product", "orchard", "--version", "1.1.0", "--dir", "dist", "--key", "maker.key", cwd=folder)
    publish("feed", "dist", "--add", "1.1.0", "--key", "maker.key", cwd=folder)
    spoil_payload_byte(folder)
    Path(next((folder / "dist" / "1.1.0").glob("*.minisig"))).unlink()
    code, findings, total = gate(folder)
    assert code == 3 and {"DigestMismatch", "SignatureInvalid", "Unsigned"} <= codes(findings)
    assert {f["where"].split("/")[0] for f in findings} == {"1.0.0", "1.1.0"} and total["payloads"] == 2
    code, findings, total = gate(folder, "--only", "1.1.0")
    assert code == 3 and codes(findings) == {"Unsigned"} and total["payloads"] == 1
    code, findings, _ = gate(folder, "--only", "9.9")
    assert code == 3 and codes(findings) == {"Missing"}


def test_against_the_published_feed(folder: Path) -> None:
    shutil.copy(folder / "dist" / "feed.xml", folder / "live.xml")
    code, findings, _ = gate(folder, "--published", "live.xml")
    assert code == 3 and codes(findings) == {"SerialNotNewer"}
    publish("feed", "dist", "--key", "maker.key", cwd=folder)
    assert gate(folder, "--published", "live.xml")[0] == 0
    text = re.sub(r'sha256="[0-9a-f]{64}"', f'sha256="{"0" * 64}"', (folder / "live.xml").read_text())
    (folder / "live.xml").write_text(text)
    code, findings, _ = gate(folder, "--published", "live.xml")
    assert code == 3 and codes(findings) == {"Changed"}
    (folder / "live.xml").write_text("<feed/>")
    code, findings, _ = gate(folder, "--published", "live.xml")
    assert code == 1 and codes(findings) == {"ReadError"}
    code, findings, _ = gate(folder, "--published", "nowhere.xml")
    assert code == 1 and codes(findings) == {"ReadError"}


def test_what_cannot_be_judged_is_a_failure(folder: Path) -> None:
    edit(folder / "dist" / "1.0.0" / "release.xml", '<demand system="minisign"/>', '<demand system="cms" publisher="Orchard Works"/>')
    name_document(folder)
    code, findings, _ = gate(folder)
    assert code == 1 and codes(findings) == {"NothingToJudgeBy"}


# --- signatures of a second system, for which no trust is given


@pytest.fixture(scope="module")
def made_twice(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The good folder with a release 1.1.0 and a feed that a key and a certificate have signed."""
    at = tmp_path_factory.mktemp("twice") / "x"
    shutil.copytree(made, at, symlinks=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/O=Orchard Works",
                    "-addext", "extendedKeyUsage=codeSigning", "-addext", "keyUsage=critical,digitalSignature", "-addext",
                    "basicConstraints=critical,CA:FALSE", "-keyout", "cert.key", "-out", "cert.pem"], cwd=at, check=True, capture_output=True, timeout=60)
    both = ["--key", "maker.key", "--cert", "cert.pem", "--cert-key", "cert.key"]
    publish("release", "tree", "--product", "orchard", "--version", "1.1.0", "--dir", "dist", "--os", "linux", *both, cwd=at)
    publish("feed", "dist", "--add", "1.1.0", *both, cwd=at)
    return at


@pytest.fixture
def twice(made_twice: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(made_twice, tmp_path / "y", symlinks=True)
    return tmp_path / "y"


KEY, ANCHORS = ("--key", "maker.pub"), ("--anchors", "cert.pem")


def unjudged(findings: list[dict[str, Any]]) -> dict[str, str]:
    """Where there was nothing to judge by, and what is said of it; there must be no other finding."""
    assert codes(findings) == {"NothingToJudgeBy"} and all(f["level"] == "failed" for f in findings), findings
    return {f["where"]: f["detail"] for f in findings}


def test_two_systems_pass_under_the_trust_of_both(twice: Path) -> None:
    code, findings, total = gate(twice, trust=KEY + ANCHORS)
    assert code == 0 and findings == [] and total["payloads"] == 2


def test_a_signature_that_no_trust_was_given_for_is_a_failure_that_names_the_option(twice: Path) -> None:
    code, findings, total = gate(twice, trust=KEY)
    said = unjudged(findings)
    assert code == 1 and set(said) == {"feed.xml.p7s", "1.1.0/orchard-1.1.0-linux.tar.zst"} and total["payloads"] == 2
    assert all("--anchors" in text and "--key" not in text and "cms" in text for text in said.values()), said
    code, findings, _ = gate(twice, "--only", "1.1.0", trust=ANCHORS)
    said = unjudged(findings)
    assert code == 1 and set(said) == {"feed.xml.minisig", "1.1.0/orchard-1.1.0-linux.tar.zst"}
    assert all("--key" in text and "--anchors" not in text and "minisign" in text for text in said.values()), said


def test_a_signature_beside_a_payload_that_no_release_demands_needs_its_trust_as_well(twice: Path) -> None:
    payload = the_payload(twice).relative_to(twice)
    publish("sign", "--cert", "cert.pem", "--cert-key", "cert.key", payload, cwd=twice)
    publish("feed", "dist", "--remove", "1.1.0", "--key", "maker.key", "--cert", "cert.pem", "--cert-key", "cert.key", cwd=twice)
    code, findings, _ = gate(twice, trust=KEY)
    assert code == 1 and set(unjudged(findings)) == {"feed.xml.p7s", f"1.0.0/{payload.name}.p7s"}
    assert gate(twice, trust=KEY + ANCHORS)[:2] == (0, [])
    beside = twice / f"{payload}.p7s"
    good = beside.read_bytes()
    for spoilt, said in ((good[:-1] + bytes([good[-1] ^ 1]), "SignatureInvalid"), (b"no signature at all", "Malformed"), (good[:-1], "Malformed")):
        beside.write_bytes(spoilt)
        code, findings, _ = gate(twice, trust=KEY + ANCHORS)
        assert code == 3 and {(f["where"], f["code"]) for f in findings} == {(f"1.0.0/{beside.name}", said)}, findings


def test_a_feed_with_no_other_signature_is_not_called_unsigned(twice: Path) -> None:
    for path in (twice / "dist").glob("feed.xml*.minisig"):
        path.unlink()
    code, findings, total = gate(twice, trust=KEY)
    assert code == 1 and set(unjudged(findings)) == {"feed.xml.p7s"} and total["payloads"] == 0


def test_what_can_be_judged_is_judged_all_the_same(twice: Path) -> None:
    spoil_payload_byte(twice)
    (twice / "dist" / "feed.xml.p7s").write_bytes(b"no signature at all")
    code, findings, _ = gate(twice, trust=KEY)
    assert code == 3 and {"Malformed", "Changed"} <= codes(findings) and "NothingToJudgeBy" not in codes(findings), findings
    (twice / "dist" / "feed.xml.p7s").unlink()
    code, findings, _ = gate(twice, trust=KEY)
    assert {"DigestMismatch", "SignatureInvalid", "NothingToJudgeBy"} <= codes(findings) and code == 1


def test_a_signature_that_the_product_file_has_no_trust_for_is_refused_as_its_clients_do(twice: Path) -> None:
    (twice / "p.xml").write_text(PRODUCT.format(name="orchard", payload='<minisign><key file="maker.pub"/></minisign>'))
    code, findings, _ = gate(twice, trust=("--product-file", "p.xml"))
    assert code == 3 and codes(findings) == {"KeyMismatch"}, findings


def test_one_writer_at_a_time(folder: Path) -> None:
    """Of many that want to write at once each ends well or says who is at work; the folder is whole, and nothing is lost."""
    many = [subprocess.Popen([str(PUBLISH), "feed", "dist", "--support", f"{n}.*=2030-01-01T00:00:00Z", "--key", "maker.key", "--quiet"], cwd=folder,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for n in range(12)]
    ended = [(p.communicate(timeout=60)[1], p.returncode) for p in many]
    done = [n for n, (_, code) in enumerate(ended) if code == 0]
    assert done and all(code == 0 or (code == 1 and "is at work here" in told) for told, code in ended), ended
    text = (folder / "dist" / "feed.xml").read_text()
    assert f'serial="{1 + len(done)}"' in text and sorted(re.findall(r'<support version="(\d+)', text), key=int) == [str(n) for n in done]
    assert gate(folder)[0] == 0 and not [p.name for p in (folder / "dist").iterdir() if p.name.startswith(".")]


def test_usage(made: Path) -> None:
    for args, words in ((["dist"], "nothing to trust"), (["--key", "maker.pub"], "one folder"), (["--key", "maker.pub", "a", "b"], "one folder"),
                        (["--key", "nothing.pub", "dist"], "nothing.pub"), (["--product-file", "none.xml", "dist"], "none.xml"),
                        (["--product-file", "x.xml", "--key", "maker.pub", "dist"], "leave out"), (["--key", "maker.pub", "--only", "x", "dist"], "--only"),
                        (["--key", "maker.pub", "--at", "noon", "dist"], "--at"), (["--frobnicate", "dist"], "frobnicate")):
        assert words in publish("verify-release", *args, cwd=made, code=2).stderr
    assert gate(made, "--at", "2020-01-01T00:00:00Z")[0] == 3


# --- installer packages: the same folder with an MSI in it

WXS = """<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
 <Product Id="{{11111111-1111-1111-1111-111111111111}}" Name="Orchard" Language="1033" Version="{version}" Manufacturer="Orchard Works"
  UpgradeCode="{{22222222-2222-2222-2222-222222222222}}">
  <Package InstallerVersion="200" Compressed="yes" InstallScope="perMachine"/>
  <MajorUpgrade DowngradeErrorMessage="no"/>
  <Media Id="1" Cabinet="a.cab" EmbedCab="{embed}"/>
  <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFilesFolder"><Directory Id="D" Name="Orchard">
   <Component Id="C" Guid="{{33333333-3333-3333-3333-333333333333}}"><File Id="F" Source="a.txt" KeyPath="yes"/></Component></Directory></Directory></Directory>
  <Feature Id="Main" Level="1"><ComponentRef Id="C"/></Feature>
 </Product>
</Wix>
"""


def msi(at: Path, version: str = "2.1.0", embed: str = "yes", *queries: str) -> Path:
    (at / "a.txt").write_text("apples\n")
    (at / "a.wxs").write_text(WXS.format(version=version, embed=embed))
    subprocess.run(["wixl", "-o", "orchard.msi", "a.wxs"], cwd=at, check=True, capture_output=True)
    for query in ("UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = 'RemoveExistingProducts'", *queries):
        subprocess.run(["msibuild", "orchard.msi", "-q", query], cwd=at, check=True, capture_output=True)
    return at / "orchard.msi"


def release_msi(at: Path) -> None:
    publish("release", "orchard.msi", "--product", "orchard", "--version", "2.1.0", "--dir", "dist", "--demand", "minisign", "--key", "maker.key", cwd=at)
    publish("feed", "dist", "--add", "2.1.0", "--key", "maker.key", cwd=at)


def test_a_package_in_order_passes(folder: Path) -> None:
    msi(folder)
    release_msi(folder)
    code, findings, total = gate(folder, "--only", "2.1.0")
    assert code == 0 and findings == [] and total["payloads"] == 1


REP = "UPDATE `InstallExecuteSequence` SET `Sequence` = {} WHERE `Action` = 'RemoveExistingProducts'"
NO_ROW = "DELETE FROM `Upgrade` WHERE `VersionMax` = '2.1.0'"
ROW = ("INSERT INTO `Upgrade` (`UpgradeCode`, `VersionMin`, `VersionMax`, `Attributes`, `ActionProperty`) VALUES "
       "('{{22222222-2222-2222-2222-222222222222}}', '{}', '2.1.0', {}, 'OLDER')")
SPOILT_MSI = {
    "removed before the transaction": (("2.1.0", "yes", REP.format(1401)), "MsiNeitherVersion"),
    "removed before anything": (("2.1.0", "yes", REP.format(30)), "MsiNeitherVersion"),
    "never looked for": (("2.1.0", "yes", "DELETE FROM `InstallExecuteSequence` WHERE `Action` = 'FindRelatedProducts'"), "MsiSequence"),
    "looked for too late": (("2.1.0", "yes", "UPDATE `InstallExecuteSequence` SET `Sequence` = 1502 WHERE `Action` = 'FindRelatedProducts'"), "MsiSequence"),
    "removed on a condition": (("2.1.0", "yes", "UPDATE `InstallExecuteSequence` SET `Condition` = '0' WHERE `Action` = 'RemoveExistingProducts'"),
                               "MsiSequence"),
    "one feature removed": (("2.1.0", "yes", "UPDATE `Upgrade` SET `Remove` = 'Main' WHERE `VersionMax` = '2.1.0'"), "MsiUpgradeTable"),
    "failure to remove ignored": (("2.1.0", "yes", NO_ROW, ROW.format("", 5)), "MsiUpgradeTable"),
    "only from this version on": (("2.1.0", "yes", NO_ROW, ROW.format("2.1.0", 256)), "MsiUpgradeTable"),
    "a loose file": (("2.1.0", "yes", "UPDATE `File` SET `Attributes` = 8192"), "MsiExternalMedia"),
    "a cabinet that is not there": (("2.1.0", "yes", "UPDATE `Media` SET `Cabinet` = '#b.cab'"), "MsiExternalMedia"),
    "removed amid the script": (("2.1.0", "yes", REP.format(4500)), "MsiSequence"),
    "never removed": (("2.1.0", "yes", "DELETE FROM `InstallExecuteSequence` WHERE `Action` = 'RemoveExistingProducts'"), "MsiSequence"),
    "no upgrade rows": (("2.1.0", "yes", NO_ROW), "MsiUpgradeTable"),
    "cabinet beside it": (("2.1.0", "no"), "MsiExternalMedia"),
}


@pytest.mark.parametrize("what", SPOILT_MSI)
def test_a_package_that_could_leave_a_machine_broken_is_refused(folder: Path, what: str) -> None:
    how, code = SPOILT_MSI[what]
    msi(folder, *how)
    release_msi(folder)
    exit_code, findings, _ = gate(folder, "--only", "2.1.0")
    assert exit_code == 3 and codes(findings) == {code}, findings


def test_a_package_of_another_version_than_its_document(folder: Path) -> None:
    msi(folder)
    release_msi(folder)
    document = folder / "dist" / "2.1.0" / "release.xml"
    for what, new in (("product-version", "2.1.9"), ("product-code", "{99999999-9999-9999-9999-999999999999}"),
                      ("upgrade-code", "{99999999-9999-9999-9999-999999999999}")):
        old = document.read_text()
        document.write_text(re.sub(rf'{what}="[^"]*"', f'{what}="{new}"', old))
        data = document.read_bytes()
        feed = folder / "dist" / "feed.xml"
        text = feed.read_text()
        at = text.index("2.1.0/release.xml")
        feed.write_text(text[:at] + re.sub(r'size="\d+" sha256="[0-9a-f]+"', f'size="{len(data)}" sha256="{hashlib.sha256(data).hexdigest()}"', text[at:],
                                           count=1))
        sign_feed(folder)
        code, findings, _ = gate(folder, "--only", "2.1.0")
        assert code == 3 and codes(findings) == {"VersionMismatch"}, findings
        document.write_text(old)


# --- and one that carries an Authenticode signature


@pytest.fixture
def signed(folder: Path) -> Path:
    """The folder with an MSI in it that its maker has signed; root.pem is the certificate to trust. Returns the package in its place."""
    from cryptography.hazmat.primitives import serialization

    from tests.kit import pki as pk
    w, leaf = pk.pki(), pk.leaf(before="2021-01-01", after="2038-01-01")
    (folder / "leaf.key").write_bytes(leaf.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    pk.write_pem(folder / "chain.pem", leaf, w.inter)
    pk.write_pem(folder / "root.pem", w.root)
    msi(folder).rename(folder / "plain.msi")
    subprocess.run(["osslsigncode", "sign", "-certs", "chain.pem", "-key", "leaf.key", "-h", "sha256", "-add-msi-dse", "-in", "plain.msi", "-out", "orchard.msi"],
                   cwd=folder, check=True, capture_output=True)
    publish("release", "orchard.msi", "--product", "orchard", "--version", "2.1.0", "--dir", "dist", "--publisher", pk.PUBLISHER, cwd=folder)
    publish("feed", "dist", "--add", "2.1.0", "--key", "maker.key", cwd=folder)
    return folder / "dist" / "2.1.0" / "orchard.msi"


def judged_by(publisher: str) -> tuple[object, ...]:
    return ("--key", "maker.pub", "--anchors", "root.pem", "--publisher", publisher)


def test_an_authenticode_package_is_judged_by_its_own_signature(folder: Path, signed: Path) -> None:
    from tests.kit import pki as pk
    assert gate(folder, "--only", "2.1.0", trust=judged_by(pk.PUBLISHER))[0] == 0
    code, findings, _ = gate(folder, "--only", "2.1.0", trust=judged_by("Elm Street Software"))
    assert code == 3 and codes(findings) == {"DemandsTooLittle"}, findings
    code, findings, _ = gate(folder, "--only", "2.1.0")
    assert code == 1 and codes(findings) == {"NothingToJudgeBy"}, findings
    data = bytearray(signed.read_bytes())
    at = data.index("Orchard Works".encode())
    data[at] ^= 1
    signed.write_bytes(data)
    code, findings, _ = gate(folder, "--only", "2.1.0", trust=judged_by(pk.PUBLISHER))
    assert code == 3 and "DigestMismatch" in codes(findings), findings


def test_a_package_that_is_listed_and_not_signed_by_its_maker(folder: Path, signed: Path) -> None:
    """The right hash in the document, and another signer: the floor still holds."""
    from tests.kit import pki as pk
    shutil.copy(folder / "plain.msi", signed)
    document = folder / "dist" / "2.1.0" / "release.xml"
    data = signed.read_bytes()
    text = document.read_text()
    at = text.index("orchard.msi")
    document.write_text(text[:at] + re.sub(r'size="\d+" sha256="[0-9a-f]+"', f'size="{len(data)}" sha256="{hashlib.sha256(data).hexdigest()}"', text[at:], count=1))
    raw, feed = document.read_bytes(), folder / "dist" / "feed.xml"
    text = feed.read_text()
    at = text.index("2.1.0/release.xml")
    feed.write_text(text[:at] + re.sub(r'size="\d+" sha256="[0-9a-f]+"', f'size="{len(raw)}" sha256="{hashlib.sha256(raw).hexdigest()}"', text[at:], count=1))
    sign_feed(folder)
    code, findings, _ = gate(folder, "--only", "2.1.0", trust=judged_by(pk.PUBLISHER))
    assert code == 3 and codes(findings) == {"Unsigned"}, findings


# --- what clients would refuse is not made in the first place


def test_a_tree_that_no_client_would_unpack_is_not_packed(folder: Path) -> None:
    deep = folder / "deep"
    (deep / "/".join("d" * 40)).mkdir(parents=True)
    (deep / "/".join("d" * 40) / "file").write_bytes(b"x")
    bomb = folder / "bomb"
    bomb.mkdir()
    with (bomb / "zeros").open("wb") as f:
        f.truncate(200 << 20)
    for tree, words in (("deep", "deep"), ("bomb", "bytes")):
        before = sorted(p for p in (folder / "dist").rglob("*"))
        done = subprocess.run([str(PUBLISH), "release", tree, "--product", "orchard", "--version", "9.0", "--dir", "dist", "--key", "maker.key"], cwd=folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        assert done.returncode in (1, 2, 3) and "clients would refuse it" in done.stderr and words in done.stderr, done
        assert sorted(p for p in (folder / "dist").rglob("*")) == before


def test_a_release_for_two_systems(folder: Path, signed: Path) -> None:
    """An archive by key and a package by certificate in one release: each is held to its own demands, a product file to the kind it takes."""
    from tests.kit import pki as pk
    for version in ("2.1.0",):
        publish("feed", "dist", "--remove", version, "--key", "maker.key", cwd=folder)
        publish("release", "tree", "--product", "orchard", "--version", version, "--dir", "dist", "--os", "linux", "--add", "--key", "maker.key", cwd=folder)
        publish("feed", "dist", "--add", version, "--key", "maker.key", cwd=folder)
    code, findings, total = gate(folder, "--only", "2.1.0", trust=judged_by(pk.PUBLISHER))
    assert code == 0 and total["payloads"] == 2, findings
    code, findings, total = gate(folder, "--only", "2.1.0")
    assert code == 1 and codes(findings) == {"NothingToJudgeBy"}, findings
    (folder / "p.xml").write_text(PRODUCT.format(name="orchard", payload='<minisign><key file="maker.pub"/></minisign>'))
    code, findings, total = gate(folder, "--only", "2.1.0", trust=("--product-file", "p.xml"))
    assert code == 0 and total["payloads"] == 1 and [f["code"] for f in findings] == ["NotLookedAt"], findings


def test_a_killed_run_leaves_nothing_that_matters(folder: Path) -> None:
    """Killed at once, half-way and near the end: no temporary file is left where the file system can do without, and the next run ends well."""
    import signal
    import time
    big = folder / "big"
    big.mkdir()
    for n in range(8):
        (big / f"file{n}").write_bytes(os.urandom(6 << 20))
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR))
        nameless = True
    except OSError:
        nameless = False
    words = [str(PUBLISH), "release", "big", "--product", "orchard", "--version", "5.0", "--dir", "dist", "--key", "maker.key", "--quiet"]
    for wait in (0.0, 0.02, 0.05, 0.1, 0.2):
        run = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=60)
        left = [p.name for p in (folder / "dist").rglob(".surefoot-*") if p.name != ".surefoot-publish.lock"]
        assert not left or not nameless, left
    publish(*words[1:], cwd=folder)
    publish("feed", "dist", "--add", "5.0", "--key", "maker.key", cwd=folder)
    assert gate(folder)[0] == 0 and not (nameless and list((folder / "dist").rglob(".surefoot-*")))


def test_a_payload_is_not_offered_under_another_name(folder: Path) -> None:
    """Whoever has the feed's key and not the payload's can name any genuine payload: not under another version, not as another product's."""
    publish("keygen", "--out", "feedkey", "--no-passphrase", cwd=folder)
    for document in ({"version": "9.0.0"}, {"product": "garden"}):
        shutil.rmtree(folder / "bind", ignore_errors=True)
        shutil.copytree(folder / "dist", folder / "bind" / "dist")
        at = folder / "bind"
        for name in ("maker.pub", "maker.key", "feedkey.pub", "feedkey.key"):
            shutil.copy(folder / name, at / name)
        text = (at / "dist" / "1.0.0" / "release.xml").read_text()
        for what, new in document.items():
            text = re.sub(rf'(<release [^>]*{what})="[^"]*"', rf'\1="{new}"', text, count=1)
            feed = (at / "dist" / "feed.xml").read_text()
            (at / "dist" / "feed.xml").write_text(re.sub(rf'(<{"release" if what == "version" else "feed"} [^>]*{what})="[^"]*"', rf'\1="{new}"', feed, count=1))
        (at / "dist" / "1.0.0" / "release.xml").write_text(text)
        name_document(at)
        sign_feed(at, "feedkey.key")
        code, findings, _ = gate(at, trust=("--key", "maker.pub", "--key", "feedkey.pub"))
        assert code == 3 and codes(findings) == {"WrongDocument" if "version" in document else "WrongProduct"}, findings


def test_the_gate_says_what_clients_will(folder: Path) -> None:
    shutil.copy(folder / "dist" / "feed.xml", folder / "live.xml")
    edit(folder / "dist" / "feed.xml", 'serial="1"', 'serial="2000000"')
    sign_feed(folder)
    code, findings, _ = gate(folder, "--published", "live.xml")
    assert code == 3 and codes(findings) == {"SerialJump"}, findings
    done = subprocess.run([str(PUBLISH), "verify-release", "--key", "maker.pub", "nowhere"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "no such folder" in done.stdout
    document = folder / "dist" / "1.0.0" / "release.xml"
    edit(document, 'mode="755"', 'mode="777"')
    name_document(folder)
    code, findings, _ = gate(folder)
    assert code == 3 and codes(findings) == {"Malformed"} and "lets others" in findings[0]["detail"], findings
