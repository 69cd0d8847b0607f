"""surefoot-publish release, feed and verify with real files: the maker's three commands, the same bytes on every machine, what never
changes once it is named, what is not built upon, and that nothing is left behind where something fails."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tarfile
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from conftest import ROOT
from msi_package import KEY, LONG, PROPERTY, Package, summary
from publish_kit import PUBLISH, SUREFOOT, line_of, lines_of, pytestmark  # noqa: F401  (the mark: not built for Windows)

from tests.kit import msi

CRASH = ("Sanitizer", "runtime error:", "Assertion", "Segmentation fault", "stack smashing", "double free")

FEED = "{urn:surefoot:feed:1}"
RELEASE = "{urn:surefoot:release:1}"
ARCHIVE = "orchard-2.1.0-linux-x86_64.tar.zst"


# -- running ---------------------------------------------------------------------------------------------------------------


def publish(*words: object, env: dict[str, str] | None = None, before: list[str] | None = None, **how: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*(before or []), str(PUBLISH), *(str(w) for w in words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, env={**os.environ, **(env or {})}, start_new_session=True, **how)
    assert done.returncode >= 0, f"ended by signal {-done.returncode}: {done.stderr}"
    assert not [word for word in CRASH if word in done.stderr], done.stderr
    return done


def must(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done


def refused(done: subprocess.CompletedProcess[str], code: int, *says: str) -> None:
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    for words in says:
        assert words in done.stderr + done.stdout, (words, done.stdout, done.stderr)


def look(folder: Path) -> dict[str, bytes]:
    """Every path below a folder, with its bytes or what it is."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b"<folder>"
    return found


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    before = look(folder)
    yield
    after = look(folder)
    assert after == before, {n for n in {*before, *after} if before.get(n) != after.get(n)}


# -- a maker's desk ----------------------------------------------------------------------------------------------------------


class Maker:
    """A folder with keys, a built tree, and a release folder."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.folder, self.keys, self.dist, self.out = folder, keys, folder / "dist", folder / "out"
        self.key = ["--key", str(keys / "maker.key")]
        self.cert = ["--cert", str(keys / "cert.pem"), "--cert-key", str(keys / "cert.key")]
        self.pub = keys / "maker.pub"
        self.dist.mkdir()
        self.grow(self.out)

    @staticmethod
    def grow(out: Path) -> None:
        for name, data, mode in (("bin/orchard", b"#!/bin/sh\necho orchard\n", 0o755), ("lib/liborchard.so.2", b"library\n" * 500, 0o644),
                                 ("share/\u00e4pfel & birnen'.txt", "K\u00f6rbe\n".encode(), 0o644), ("share/leer", b"", 0o600)):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(data)
            (out / name).chmod(mode)
        (out / "lib" / "liborchard.so").symlink_to("liborchard.so.2")
        (out / "var" / "log").mkdir(parents=True)

    def place(self, version: str) -> Path:
        (self.dist / version).mkdir(exist_ok=True)
        return self.dist / version

    def release(self, *more: object, version: str = "2.1.0", source: object = None, system: bool = True, **how: Any) -> subprocess.CompletedProcess[str]:
        words = ["release", source or self.out, "--product", "orchard", "--version", version, "--dir", self.dist]
        words += ["--os", "linux", "--arch", "x86_64"] if system else []
        return publish(*words, *more, **how)

    def feed(self, *more: object, **how: Any) -> subprocess.CompletedProcess[str]:
        words = [*more] if "--key" in more or "--cert" in more or "--pkcs12" in more else [*more, *self.key]
        return publish("feed", self.dist, *words, **how)

    def first(self) -> None:
        """A release and a feed that names it."""
        must(self.release(*self.key))
        must(self.feed("--product", "orchard", "--channel", "stable", "--add", "2.1.0"))

    @property
    def feed_file(self) -> Path:
        return self.dist / "feed.xml"

    @property
    def tree(self) -> ET.Element:
        return ET.parse(self.feed_file).getroot()

    def verify(self, *files: object, **how: Any) -> subprocess.CompletedProcess[str]:
        return publish("verify", "--key", self.pub, *(files or [self.feed_file]), **how)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("maker", "other"):
        must(publish("keygen", "--out", folder / name, "--no-passphrase"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                    "/O=Orchard Works/CN=Orchard Works", "-addext", "extendedKeyUsage=codeSigning", "-addext", "keyUsage=critical,digitalSignature",
                    "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / "cert.key", "-out", folder / "cert.pem"],
                   check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture
def maker(tmp_path: Path, keys: Path) -> Maker:
    return Maker(tmp_path, keys)


@pytest.fixture
def named(maker: Maker) -> Maker:
    """A maker whose feed names release 2.1.0."""
    maker.first()
    return maker


def minisign_accepts(pub: Path, file: Path, signature: Path | None = None) -> bool:
    words = ["minisign", "-V", "-q", "-p", str(pub), "-m", str(file), *(["-x", str(signature)] if signature else [])]
    return subprocess.run(words, capture_output=True, timeout=60).returncode == 0


def valid(document: Path, schema: str) -> None:
    done = subprocess.run(["xmllint", "--noout", "--relaxng", str(ROOT / "manifest" / f"{schema}.rng"), str(document)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


# -- the story ---------------------------------------------------------------------------------------------------------------


def test_keygen_release_feed_verify(maker: Maker, tmp_path: Path) -> None:
    must(publish("keygen", "--out", tmp_path / "mine", "--no-passphrase"))
    key = ["--key", tmp_path / "mine.key"]
    done = must(maker.release(*key))
    assert ARCHIVE in done.stdout and "feed" in done.stdout and done.stderr == ""
    done = must(publish("feed", maker.dist, "--product", "orchard", "--channel", "stable", "--add", "2.1.0", *key))
    told = done.stdout.split("upload in this order:\n")[1].split()
    sha256 = hashlib.sha256(maker.feed_file.read_bytes()).hexdigest()
    assert told == [f"feed.xml.{sha256}.minisig", "feed.xml.minisig", "feed.xml"]
    assert sorted(look(maker.dist)) == sorted(["2.1.0", f"2.1.0/{ARCHIVE}", f"2.1.0/{ARCHIVE}.minisig", "2.1.0/release.xml", *told])
    assert (maker.dist / told[0]).read_bytes() == (maker.dist / told[1]).read_bytes()
    pub = tmp_path / "mine.pub"
    assert minisign_accepts(pub, maker.feed_file) and minisign_accepts(pub, maker.dist / "2.1.0" / ARCHIVE)
    done = must(publish("verify", "--key", pub, maker.feed_file, maker.dist / "2.1.0" / ARCHIVE))
    for words in ("feed of orchard, channel stable, serial 1", "2.1.0: auto, low", "expires"):
        assert words in done.stdout, done.stdout
    valid(maker.feed_file, "feed")
    valid(maker.dist / "2.1.0" / "release.xml", "release")
    assert subprocess.run([SUREFOOT, "verify", "--key", pub, maker.feed_file, maker.dist / "2.1.0" / ARCHIVE], capture_output=True).returncode == 0


def test_release_lists_exactly_the_tree(named: Maker) -> None:
    [payload] = ET.parse(named.dist / "2.1.0" / "release.xml").getroot()
    archive = named.dist / "2.1.0" / ARCHIVE
    assert payload.get("size") == str(archive.stat().st_size) and payload.get("sha256") == hashlib.sha256(archive.read_bytes()).hexdigest()
    files = {f.get("path"): f for f in payload.iter(f"{RELEASE}file")}
    assert sorted(files) == sorted(p.relative_to(named.out).as_posix() for p in named.out.rglob("*") if p.is_file() and not p.is_symlink())
    for path, f in files.items():
        data = (named.out / path).read_bytes()
        assert f.get("size") == str(len(data)) and f.get("sha256") == hashlib.sha256(data).hexdigest()
        assert f.get("mode") == ("755" if path == "bin/orchard" else "644")
    assert [(f.get("path"), f.get("mode")) for f in payload.iter(f"{RELEASE}folder")] == [("var/log", "755")]
    assert [(f.get("path"), f.get("to")) for f in payload.iter(f"{RELEASE}link")] == [("lib/liborchard.so", "liborchard.so.2")]
    assert [d.get("system") for d in payload.iter(f"{RELEASE}demand")] == ["minisign"]
    assert int(payload.get("unpacked-size") or 0) == sum(int(f.get("size") or 0) for f in files.values())


def test_json_says_the_same(maker: Maker) -> None:
    line = line_of(must(maker.release(*maker.key, "--format", "json", "--created", "2026-11-25T00:00:00Z")).stdout)
    archive = maker.dist / "2.1.0" / ARCHIVE
    assert line["schema"] == "surefoot.release/1" and line["path"] == str(archive) and line["size"] == archive.stat().st_size
    assert line["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest() and line["files"] == 4 and line["seconds"] >= 0
    document = maker.dist / "2.1.0" / "release.xml"
    assert line["document_sha256"] == hashlib.sha256(document.read_bytes()).hexdigest() and line["document_size"] == document.stat().st_size
    line = line_of(must(maker.feed("--product", "orchard", "--channel", "stable", "--add", "2.1.0", "--format", "json")).stdout)
    assert line["serial"] == 1 and line["releases"] == 1 and line["sha256"] == hashlib.sha256(maker.feed_file.read_bytes()).hexdigest()
    lines = lines_of(must(maker.verify(maker.feed_file, document, archive, "--format", "json")).stdout)
    assert [(x["type"], x.get("verdict")) for x in lines] == [("feed", "accepted"), ("feed-release", None), ("release", "accepted"), ("other", "accepted")]
    assert lines[1]["version"] == "2.1.0" and lines[1]["status"] == "auto"


def test_a_release_document_is_proven_by_a_feed_alone(named: Maker) -> None:
    document, product = named.dist / "2.1.0" / "release.xml", ROOT / "docs" / "examples" / "orchard.xml"
    done = named.verify(document)
    assert done.returncode == 1 and "not proven" in done.stdout and "names it by its size" in done.stdout, done
    done = named.verify(document, "--quiet", "--format", "json")
    assert done.returncode == 1 and [x["verdict"] for x in lines_of(done.stdout)] == ["unproven"]
    assert named.verify(document, named.feed_file).returncode == 1, "the feed comes first"
    must(named.verify(named.feed_file, document, product))
    document.chmod(0o644)
    document.write_bytes(document.read_bytes().replace(b"?>\n", b"?>\n\n", 1))
    done = named.verify(named.feed_file, document, "--format", "json")
    assert done.returncode == 1 and lines_of(done.stdout)[-1]["verdict"] == "unproven"
    must(named.verify(product))


def test_every_word_of_a_verdict_has_its_line(named: Maker) -> None:
    product, cut = ROOT / "docs" / "examples" / "orchard.xml", named.folder / "cut.xml"
    cut.write_bytes(named.feed_file.read_bytes()[:-9])
    done = named.verify(product, cut, named.folder / "nothing", named.out / "bin" / "orchard", "--format", "json")
    assert [(x["type"], x["verdict"]) for x in lines_of(done.stdout)] == [("product", "wellformed"), ("feed", "refused"), ("other", "error"), ("other", "refused")]
    must(named.feed("--set", "2.1.0", "--rollout-percent", "10", "--install-by", "2030-01-01T00:00:00Z", "--severity", "critical"))
    line = lines_of(must(named.verify(named.feed_file, "--format", "json")).stdout)[1]
    assert (line["rollout_percent"], line["install_by"], line["severity"]) == (10, "2030-01-01T00:00:00Z", "critical")


def test_the_highest_serials_are_said_whole(maker: Maker) -> None:
    words = ["--format", "json"]
    line = line_of(must(maker.feed(*words, "--product", "orchard", "--channel", "stable", "--serial", str(2**63 - 1))).stdout)
    assert line["serial"] == 2**63 - 1 == lines_of(must(maker.verify(maker.feed_file, *words)).stdout)[0]["serial"]
    line = line_of(must(maker.feed(*words)).stdout)
    assert line["serial"] == str(2**63) == lines_of(must(maker.verify(maker.feed_file, *words)).stdout)[0]["serial"]


def test_the_same_bytes_on_another_machine(maker: Maker, tmp_path: Path, keys: Path) -> None:
    must(maker.release(*maker.key, env={"SOURCE_DATE_EPOCH": "1764028800"}))
    other = tmp_path / "elsewhere"
    other.mkdir()
    old = os.umask(0o077)
    try:
        second = Maker(other, keys)
        for path in sorted(second.out.rglob("*"), reverse=True):
            if not path.is_symlink():
                os.utime(path, (1_000_000_000, 1_000_000_000))
        must(second.release(*second.key, env={"SOURCE_DATE_EPOCH": "1764028800", "TZ": "Asia/Tokyo", "LC_ALL": "de_DE.UTF-8", "LANG": "C"}))
    finally:
        os.umask(old)
    for name in (ARCHIVE, "release.xml"):
        assert (maker.dist / "2.1.0" / name).read_bytes() == (second.dist / "2.1.0" / name).read_bytes(), name
    assert 'created="2025-11-25T00:00:00Z"' in (maker.dist / "2.1.0" / "release.xml").read_text()


def test_created_comes_before_the_environment(maker: Maker) -> None:
    must(maker.release(*maker.key, "--created", "2026-01-02T03:04:05Z", env={"SOURCE_DATE_EPOCH": "1764028800"}))
    assert 'created="2026-01-02T03:04:05Z"' in (maker.dist / "2.1.0" / "release.xml").read_text()
    refused(maker.release(*maker.key, version="2.2.0", env={"SOURCE_DATE_EPOCH": "yesterday"}), 2, "SOURCE_DATE_EPOCH")


def test_three_thousand_files_with_names_of_many_tongues(maker: Maker) -> None:
    for i in range(3000):
        folder = maker.out / "data" / f"\u0444{i % 30}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"\u5b57-\u00e9-{i}.dat").write_bytes(b"%d" % i * (i % 50))
    line = line_of(must(maker.release(*maker.key, "--format", "json")).stdout)
    assert line["files"] == 3004
    must(maker.feed("--product", "orchard", "--add", "2.1.0"))      # the channel is stable where nothing is said
    assert 'channel="stable"' in (maker.dist / "feed.xml").read_text()
    valid(maker.dist / "2.1.0" / "release.xml", "release")
    if shutil.which("zstd"):
        raw = subprocess.run(["zstd", "-dcq", maker.dist / "2.1.0" / ARCHIVE], capture_output=True, check=True, timeout=60).stdout
        (maker.folder / "plain.tar").write_bytes(raw)
        with tarfile.open(maker.folder / "plain.tar") as tar:
            assert len([m for m in tar if m.isfile()]) == 3004


# -- releases: other sources --------------------------------------------------------------------------------------------------


def make_tar(path: Path, *, hard_link: bool = False) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data, mode in (("app", None, 0o750), ("app/run", b"run\n", 0o755), ("app/data", b"data\n", 0o640)):
            info = tarfile.TarInfo(name)
            info.mode, info.type, info.size = mode, tarfile.DIRTYPE if data is None else tarfile.REGTYPE, len(data or b"")
            tar.addfile(info, None if data is None else __import__("io").BytesIO(data))
        if hard_link:
            info = tarfile.TarInfo("app/again")
            info.type, info.linkname, info.mode = tarfile.LNKTYPE, "app/run", 0o755
            tar.addfile(info)
    return path


def test_an_archive_is_taken_as_it_is(maker: Maker) -> None:
    given = make_tar(maker.folder / "app.tar.gz", hard_link=True)
    must(maker.release(*maker.key, source=given))
    assert (maker.dist / "2.1.0" / "app.tar.gz").read_bytes() == given.read_bytes()
    [payload] = ET.parse(maker.dist / "2.1.0" / "release.xml").getroot()
    files = [(f.get("path"), f.get("size"), f.get("mode"), f.get("sha256")) for f in payload.iter(f"{RELEASE}file")]
    run, data = hashlib.sha256(b"run\n").hexdigest(), hashlib.sha256(b"data\n").hexdigest()
    assert files == [("app/again", "4", "755", run), ("app/data", "5", "640", data), ("app/run", "4", "755", run)]
    assert [(f.get("path"), f.get("mode")) for f in payload.iter(f"{RELEASE}folder")] == [("app", "750")]
    assert payload.get("unpacked-size") == "13"


def test_an_archive_in_its_place_is_used_there(maker: Maker) -> None:
    given = make_tar(maker.place("2.1.0") / "app.tar.gz")
    before = given.stat()
    done = must(maker.release(*maker.key, source=given))
    assert "was there" in done.stdout and (given.stat().st_ino, given.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_that_is_no_archive_is_refused(maker: Maker) -> None:
    (maker.folder / "notes.txt").write_text("not an archive\n")
    with unchanged(maker.dist):
        refused(maker.release(*maker.key, source=maker.folder / "notes.txt"), 1, "notes.txt")
        refused(maker.release(*maker.key, source=maker.folder / "nothing"), 1, "nothing")


UPGRADE, PRODUCT = "{01234567-89AB-CDEF-0123-456789ABCDEF}", "{A1234567-89AB-CDEF-0123-456789ABCDEF}"


def package(template: str = "x64;1033", version: str = "2.1.0", product: str = PRODUCT, sizes: tuple[int, ...] = (100, 23)) -> Package:
    p = Package({"Property": (PROPERTY, [["UpgradeCode", UPGRADE], ["ProductCode", product], ["ProductVersion", version], ["ProductName", "Orchard"]]),
                 "File": ([("File", KEY), ("FileSize", LONG)], [[f"f{i}", size] for i, size in enumerate(sizes)])})
    p.beside["\x05SummaryInformation"] = summary((7, template), (9, PRODUCT))
    return p


def test_an_installer_package_says_its_codes(maker: Maker) -> None:
    (maker.folder / "orchard.msi").write_bytes(msi.signed(package(product=PRODUCT.lower()).tree()))
    must(maker.release("--publisher", "Orchard Works", "--require-timestamp", source=maker.folder / "orchard.msi", system=False))
    [payload] = ET.parse(maker.dist / "2.1.0" / "release.xml").getroot()
    assert {k: payload.get(k) for k in ("kind", "os", "arch", "path", "unpacked-size", "upgrade-code", "product-code", "product-version")} == {
        "kind": "msi", "os": "windows", "arch": "x86_64", "path": "orchard.msi", "unpacked-size": "123", "upgrade-code": UPGRADE, "product-code": PRODUCT,
        "product-version": "2.1.0"}
    assert [d.attrib for d in payload] == [{"system": "authenticode", "publisher": "Orchard Works", "timestamp": "true"}]
    valid(maker.dist / "2.1.0" / "release.xml", "release")


def test_an_installer_package_and_the_command_line_must_agree(maker: Maker) -> None:
    file = maker.folder / "orchard.msi"
    file.write_bytes(msi.signed(package().tree()))
    with unchanged(maker.dist):
        refused(maker.release("--os", "linux", source=file, system=False), 2, "--os linux")
        refused(maker.release("--arch", "aarch64", source=file, system=False), 2, "--arch aarch64", "x86_64")
    done = must(maker.release(source=file, version="2.2.0", system=False))
    assert "warning" in done.stderr and "2.1.0" in done.stderr


def test_an_installer_package_whose_demand_cannot_be_met_is_refused(maker: Maker) -> None:
    file = maker.folder / "orchard.msi"
    with unchanged(maker.dist):
        file.write_bytes(package().bytes())
        refused(maker.release(source=file, system=False), 3, "no Authenticode signature")
        altered = bytearray(msi.signed(package().tree()))
        at = bytes(altered).index(b"Orchard")
        altered[at] ^= 1
        file.write_bytes(bytes(altered))
        refused(maker.release(source=file, system=False), 3, "altered")
        file.write_bytes(msi.signed(package(product="not a code").tree()))
        refused(maker.release(source=file, system=False), 1, "ProductCode")
        file.write_bytes(msi.signed(Package({"Property": (PROPERTY, [["ProductCode", PRODUCT]])}).tree()))
        refused(maker.release(source=file, system=False), 1, "UpgradeCode")
        for clsid, word in ((msi.MSP_CLSID, "patch (.msp)"), (msi.MST_CLSID, "transform (.mst)")):
            other = package()
            other.clsid = clsid
            file.write_bytes(msi.signed(other.tree()))
            refused(maker.release(source=file, system=False), 1, word, "release the whole package (.msi)")
    file.write_bytes(package().bytes())
    must(maker.release("--demand", "minisign", *maker.key, source=file, system=False))


# -- releases: demands, additions, immutability --------------------------------------------------------------------------------


def test_two_signers_two_systems(maker: Maker) -> None:
    must(maker.release(*maker.key, *maker.cert, "--publisher", "Orchard Works", "--mirror", "https://a.example.org/x", "--mirror", "https://b.example.org/x"))
    [payload] = ET.parse(maker.dist / "2.1.0" / "release.xml").getroot()
    assert [d.attrib for d in payload.iter(f"{RELEASE}demand")] == [{"system": "cms", "publisher": "Orchard Works"}, {"system": "minisign"}]
    assert [m.text for m in payload.iter(f"{RELEASE}mirror")] == ["https://a.example.org/x", "https://b.example.org/x"]
    must(maker.feed("--product", "orchard", "--channel", "stable", "--add", "2.1.0", *maker.key, *maker.cert))
    archive, sha256 = maker.dist / "2.1.0" / ARCHIVE, hashlib.sha256(maker.feed_file.read_bytes()).hexdigest()
    for suffix in ("minisig", "p7s"):
        assert (maker.dist / f"feed.xml.{sha256}.{suffix}").read_bytes() == (maker.dist / f"feed.xml.{suffix}").read_bytes()
        assert Path(f"{archive}.{suffix}").exists()
    anchors = ["--anchors", maker.keys / "cert.pem"]
    for file in (maker.feed_file, archive):
        must(publish("verify", "--key", maker.pub, *anchors, file))
        refused(publish("verify", "--key", maker.pub, file), 3, "refused")                 # each signature must hold
        must(subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-CAfile", maker.keys / "cert.pem", "-in", f"{file}.p7s",
                             "-content", file, "-out", "/dev/null"], capture_output=True, text=True))
    refused(maker.feed(*maker.key), 3, "--trusted-key")                                    # the certificate's signature is not known to this run
    refused(publish("feed", maker.dist, *maker.key, *anchors), 1, "feed.xml.p7s is there")  # proven, and would go stale


@pytest.mark.parametrize(("more", "says"), [
    ([], "no demand"),
    (["--demand", "authenticode"], "archive"),
    (["--demand", "pgp"], "--demand is one of authenticode, cms, minisign"),
    (["--demand", "minisign", "--publisher", "Orchard"], "--publisher"),
    (["--demand", "minisign", "--require-timestamp"], "--require-timestamp"),
    (["--demand", "cms", "--mirror", "ftp://x/y"], "--mirror"),
    (["--demand", "cms", "--level", "20"], "--level"),
    (["--demand", "cms", "--created", "today"], "--created"),
    (["--demand", "cms", "--passphrase-file", "x"], "no key"),
    (["--demand", "cms", "--os", "windows"], "--os may stand once"),
    (["--demand", "cms", "another"], "2 sources"),
    (["--demand", "cms", "--add"], "--add"),
])
def test_release_options_that_make_no_sense(maker: Maker, more: list[str], says: str) -> None:
    with unchanged(maker.dist):
        refused(maker.release(*more), 2, says)


@pytest.mark.parametrize(("words", "says"), [
    (["--product", "Orchard", "--version", "1", "--dir", "."], "--product"),
    (["--product", "orchard", "--version", "v1", "--dir", "."], "--version"),
    (["--version", "1", "--dir", "."], "--product NAME"),
    (["--product", "orchard", "--dir", "."], "--version V"),
    (["--product", "orchard", "--version", "1"], "--dir DIR"),
])
def test_release_wants_its_words(maker: Maker, words: list[str], says: str) -> None:
    refused(publish("release", maker.out, *words, *maker.key), 2, says)


def test_a_timestamp_that_nobody_makes_is_not_demanded(maker: Maker) -> None:
    with unchanged(maker.dist):
        refused(maker.release(*maker.cert, "--require-timestamp"), 2, "CMS signatures that are made here have none")


def test_a_demand_of_others_may_be_signed_later(maker: Maker) -> None:
    must(maker.release("--demand", "minisign"))
    with unchanged(maker.dist):
        refused(maker.feed("--product", "orchard", "--channel", "stable", "--add", "2.1.0"), 1, "minisig", "is not there")
    must(publish("sign", *maker.key, maker.dist / "2.1.0" / ARCHIVE))
    must(maker.feed("--product", "orchard", "--channel", "stable", "--add", "2.1.0"))


def test_a_second_system_is_added(maker: Maker) -> None:
    must(maker.release(*maker.key))
    created = ET.parse(maker.dist / "2.1.0" / "release.xml").getroot().get("created")
    words = ["release", maker.out, "--product", "orchard", "--version", "2.1.0", "--dir", maker.dist, "--os", "linux", "--arch", "aarch64", *maker.key]
    with unchanged(maker.dist):
        refused(publish(*words), 1, "--add adds to them")
    must(publish(*words, "--add", "--created", "2001-01-01T00:00:00Z"))
    root = ET.parse(maker.dist / "2.1.0" / "release.xml").getroot()
    assert [(p.get("arch"), p.get("path")) for p in root] == [("aarch64", "orchard-2.1.0-linux-aarch64.tar.zst"), ("x86_64", ARCHIVE)]
    assert root.get("created") == created
    with unchanged(maker.dist):
        refused(publish(*words, "--add"), 1, "has a payload for this system")
        refused(publish(*["pear" if w == "orchard" else w for w in words], "--add"), 1, "is of product orchard")
    valid(maker.dist / "2.1.0" / "release.xml", "release")


def test_a_release_that_the_feed_names_never_changes(named: Maker) -> None:
    (named.out / "bin" / "orchard").write_bytes(b"a better one\n")
    words = ["--product", "orchard", "--dir", named.dist, *named.key]
    with unchanged(named.dist):
        refused(named.release(*named.key), 1, "never changes", "make a new version")
        refused(publish("release", named.out, *words, "--version", "2.1.0", "--add", "--arch", "aarch64"), 1, "never changes")
        (named.dist / "2.1").mkdir()
        refused(publish("release", named.out, *words, "--version", "2.1"), 1, "never changes")     # the same version, spelt otherwise
        (named.dist / "2.1").rmdir()
    must(named.release(*named.key, version="2.1.1"))


def test_an_archive_that_is_there_is_not_replaced(maker: Maker) -> None:
    must(maker.release(*maker.key, "--created", "2026-01-01T00:00:00Z"))
    again = must(maker.release(*maker.key, "--created", "2026-01-01T00:00:00Z"))            # the same bytes: nothing to replace
    assert "was there" in again.stdout
    (maker.out / "bin" / "orchard").write_bytes(b"another\n")
    with unchanged(maker.dist):
        refused(maker.release(*maker.key, "--created", "2026-01-01T00:00:00Z"), 1, "other bytes")


def test_the_folder_of_a_version_is_made_unless_something_else_has_its_name(maker: Maker) -> None:
    words = ["release", maker.out, "--product", "orchard", "--version", "9"]
    (maker.dist / "9").write_text("a file\n")
    with unchanged(maker.dist):
        refused(publish(*words, "--dir", maker.dist, *maker.key), 1, "is no folder")
    (maker.dist / "9").unlink()
    must(publish(*words, "--dir", maker.dist, *maker.key))
    assert (maker.dist / "9" / "orchard-9.tar.zst").exists()


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_release_folder_that_is_not_there_is_made(maker: Maker, ending: str) -> None:
    new = maker.folder / "new"
    words = ["release", maker.out, "--product", "orchard", "--version", "9", "--dir", f"{new}{ending}"]
    must(publish(*words, *maker.key))
    assert sorted(look(new)) == ["9", "9/orchard-9.tar.zst", "9/orchard-9.tar.zst.minisig", "9/release.xml"]
    must(publish("feed", new, "--product", "orchard", "--channel", "stable", "--add", "9", *maker.key))
    other = maker.folder / "other"
    must(publish("feed", f"{other}{ending}", "--product", "orchard", "--channel", "stable", *maker.key))
    must(publish("verify", "--key", maker.pub, new / "feed.xml", other / "feed.xml"))


def test_a_release_folder_that_was_made_in_vain_is_taken_away(maker: Maker) -> None:
    new = maker.folder / "new"
    words = ["--product", "orchard", "--version", "9", "--dir", new]

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    with unchanged(maker.folder):
        refused(publish("release", maker.out, *words), 2, "no demand")
        refused(publish("release", maker.folder / "nothing", *words, *maker.key), 1, "nothing")
        refused(publish("release", maker.out, *words, *maker.key, preexec_fn=full), 1, "cannot write")
        refused(publish("feed", new, *maker.key), 2, "--product NAME")
        names = ["--product", "orchard", "--channel", "stable", *maker.key]
        refused(publish("feed", new, *names, "--add", "9"), 1, "release.xml")
        refused(publish("feed", new, *names, "--set", "9"), 2, "no release 9")
        refused(publish("feed", new, *names, preexec_fn=full), 1, "cannot write")


def test_a_release_folder_has_its_place_in_one_that_is_there(maker: Maker) -> None:
    (maker.folder / "file").write_text("a file\n")
    (maker.folder / "link").symlink_to("nowhere")
    with unchanged(maker.folder):
        for place, code, says in (("no/new", 2, "no/new: the folder that it is to be made in is not there"), ("file", 2, "file: is there and is no folder"),
                                  ("link", 1, "link: cannot make the folder")):
            done = publish("release", maker.out, "--product", "orchard", "--version", "9", "--dir", maker.folder / place, *maker.key)
            refused(done, code, says)
            done = publish("feed", maker.folder / place, "--product", "orchard", "--channel", "stable", *maker.key)
            refused(done, code, says)


# -- where the help is ------------------------------------------------------------------------------------------------------------


def test_a_line_that_makes_no_sense_is_told_where_the_help_is(maker: Maker) -> None:
    release = ["release", maker.out, "--product", "orchard", "--version", "9", "--dir", maker.dist]
    for words in (["feed", maker.dist], ["feed", "a", "b", *maker.key], ["feed", maker.dist, *maker.key, "--publisher", "x"], ["feed", maker.dist, *maker.key, *maker.key],
                  ["release", maker.out], [*release, "--level", "20"], [*release, "--passphrase-file", "x"], [*release, "--cert", "x"], ["verify", "--key", "x"],
                  ["verify", "--publisher", "x", "y"], ["verify", "--at", "noon", "x"], ["verify-release", "x"], ["verify-release", "--key", "x", "a", "b"],
                  ["verify-release", "--key", "x", "--only", "y", "z"], ["sign", "x"], ["sign", *maker.key, "--comment", "a\nb", "x"], ["keygen"], ["keygen", "--in", "x"]):
        done = publish(*words)
        assert done.returncode == 2 and done.stdout == "", done
        assert done.stderr.endswith(f"\nSee: surefoot-publish {words[0]} --help\n") and done.stderr.count("\n") == 2, done.stderr


def test_of_a_broken_file_the_help_says_nothing(maker: Maker) -> None:
    folder = maker.folder
    for name, text in (("key.pub", "no key\n"), ("x.pem", "no certificate\n"), ("p.xml", "<product/>\n")):
        (folder / name).write_text(text)
    release = ["release", maker.out, "--product", "orchard", "--version", "9", "--dir", maker.dist]
    feed = ["feed", maker.dist, "--product", "orchard", "--channel", "stable"]
    for words, says in ((["verify", "--key", folder / "no", "x"], "--key "), (["verify", "--key", folder / "key.pub", "x"], "--key "),
                        (["verify", "--anchors", folder / "x.pem", "x"], "--anchors "), (["verify", "--anchors", maker.dist, "x"], "has no certificate"),
                        (["verify", "--timestamp-anchors", folder / "x.pem", maker.pub], "--timestamp-anchors "),
                        (["verify-release", "--key", folder / "no", maker.dist], "--key "), (["verify-release", "--product-file", folder / "p.xml", "x"], "p.xml: "),
                        ([*feed, *maker.key, "--trusted-key", folder / "key.pub"], "--trusted-key "), ([*feed, "--key", folder / "no"], "--key "),
                        ([*release, "--key", folder / "key.pub"], "--key "), ([*release, *maker.key, "--dir", maker.pub], "maker.pub: is there and is no folder"),
                        ([*release, "--cert", folder / "x.pem", "--cert-key", maker.keys / "cert.key"], "--cert "),
                        (["sign", "--pkcs12", folder / "x.pem", "x"], "--pkcs12 "), (["sign", *maker.key, maker.out], "is a folder"),
                        (["sign", *maker.key, "--out", maker.out, maker.pub], "is a folder"), (["keygen", "--out", folder / "k", "--passphrase-file", folder / "no"], "no: ")):
        done = publish(*words)
        assert done.returncode == 2 and done.stdout == "" and says in done.stderr, done
        assert "See:" not in done.stderr and done.stderr.count("\n") == 1, done.stderr


# -- releases: trees that no client would take -----------------------------------------------------------------------------------


def fifo(out: Path) -> None:
    os.mkfifo(out / "pipe")


def listening(out: Path) -> None:
    cwd = os.getcwd()
    os.chdir(out)
    try:
        socket.socket(socket.AF_UNIX).bind("listen")
    finally:
        os.chdir(cwd)


def setuid(out: Path) -> None:
    (out / "bin" / "orchard").chmod(0o4755)


def case_clash(out: Path) -> None:
    (out / "bin" / "Orchard").write_bytes(b"x")


def norm_clash(out: Path) -> None:
    (out / "a\u0308").write_bytes(b"x")


def absolute_link(out: Path) -> None:
    (out / "passwd").symlink_to("/etc/passwd")


def leaving_link(out: Path) -> None:
    (out / "lib" / "up").symlink_to("../../secret")


def reserved(out: Path) -> None:
    (out / "CON.txt").write_bytes(b"x")


def backslash(out: Path) -> None:
    (out / "a\\b").write_bytes(b"x")


def not_utf8(out: Path) -> None:
    Path(os.fsdecode(os.fsencode(out) + b"/\xff\xfe")).write_bytes(b"x")


def trailing_dot(out: Path) -> None:
    (out / "name.").write_bytes(b"x")


def newline(out: Path) -> None:
    (out / "a\nb").write_bytes(b"x")


def deep(out: Path) -> None:
    (out / "/".join("d" * 33)).mkdir(parents=True)


def bomb(out: Path) -> None:
    (out / "zeros").write_bytes(bytes(100_000_000))


@pytest.mark.parametrize("spoil", [fifo, listening, setuid, case_clash, norm_clash, absolute_link, leaving_link, reserved, backslash, not_utf8, trailing_dot,
                                   newline, deep, bomb], ids=lambda f: f.__name__)
def test_a_tree_that_no_client_would_take_is_refused(maker: Maker, spoil: Callable[[Path], None]) -> None:
    spoil(maker.out)
    with unchanged(maker.dist):
        done = maker.release(*maker.key)
        refused(done, 3, "surefoot-publish release: ")
        assert len(done.stderr) > 60 and done.stderr.count("\n") == 1


def test_hostile_archives_are_refused(maker: Maker) -> None:
    for name, kind in (("../up", tarfile.REGTYPE), ("/abs", tarfile.REGTYPE), ("dev", tarfile.CHRTYPE)):
        with tarfile.open(maker.folder / "bad.tar", "w") as tar:
            info = tarfile.TarInfo(name)
            info.type = kind
            tar.addfile(info)
        with unchanged(maker.dist):
            refused(maker.release(*maker.key, source=maker.folder / "bad.tar"), 3, "bad.tar")
    whole = make_tar(maker.folder / "cut.tar.gz").read_bytes()
    (maker.folder / "cut.tar.gz").write_bytes(whole[:-30])
    with unchanged(maker.dist):
        refused(maker.release(*maker.key, source=maker.folder / "cut.tar.gz"), 3, "cut.tar.gz")


def test_a_source_without_files_is_refused(maker: Maker) -> None:
    shutil.rmtree(maker.out)
    (maker.out / "empty").mkdir(parents=True)
    with tarfile.open(maker.folder / "none.tar", "w") as tar:
        tar.add(maker.out / "empty", "empty")
    with unchanged(maker.dist):
        refused(maker.release(*maker.key), 2, "out: has no files")
        (maker.out / "link").symlink_to("empty")
        refused(maker.release(*maker.key), 2, "out: has no files")
        refused(maker.release(*maker.key, source=maker.folder / "none.tar"), 2, "none.tar: has no files")


# -- releases: what is not to be published -----------------------------------------------------------------------------------------


def secret_files(maker: Maker) -> dict[str, Path]:
    """Copies of each file that a signer's options may name, by the option."""
    shelf = maker.folder / "shelf"
    shelf.mkdir()
    word = shelf / "word"
    word.write_text("seven words that nobody would ever guess\n")
    word.chmod(0o600)
    made = {"key": shelf / "my.key", "cert": shelf / "my.pem", "cert-key": shelf / "their.key", "pkcs12": shelf / "my.p12", "passphrase-file": word}
    shutil.copy(maker.keys / "maker.key", made["key"])
    shutil.copy(maker.keys / "cert.pem", made["cert"])
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", maker.keys / "cert.key", "-out", made["cert-key"], "-passout", f"file:{word}"], check=True, capture_output=True)
    subprocess.run(["openssl", "pkcs12", "-export", "-in", made["cert"], "-inkey", maker.keys / "cert.key", "-out", made["pkcs12"], "-passout", f"file:{word}"],
                   check=True, capture_output=True)
    return made


@pytest.mark.parametrize("how", ["moved", "linked", "by-a-link"])
@pytest.mark.parametrize("option", ["key", "cert", "cert-key", "pkcs12", "passphrase-file"])
def test_a_file_that_the_line_names_is_not_published(maker: Maker, option: str, how: str) -> None:
    """Under whatever name: it is the same file."""
    made = secret_files(maker)
    inside = maker.out / "share" / "notes"
    if how == "linked":
        os.link(made[option], inside)
    else:
        made[option].rename(inside)
        made[option] = inside
    if how == "by-a-link":
        for name, target in (("first", "second"), ("second", inside)):
            (maker.folder / name).symlink_to(target)
        made[option] = maker.folder / "first"
    words = ["--key", made["key"]]
    if option in ("cert", "cert-key"):
        words = ["--cert", made["cert"], "--cert-key", made["cert-key"], "--passphrase-file", made["passphrase-file"]]
    elif option != "key":
        words = ["--pkcs12", made["pkcs12"], "--passphrase-file", made["passphrase-file"]]
    with unchanged(maker.dist):
        for more in ([], ["--allow-keys"]):
            refused(maker.release(*words, *more), 2, f'"share/notes": is the file that --{option} names')
    inside.unlink() if how == "linked" else inside.rename(maker.folder / "outside")
    if how != "linked":
        words = [maker.folder / "outside" if word == made[option] else word for word in words]
    must(maker.release(*words))


@pytest.mark.parametrize(("place", "size"), [("conf/test.key", 0), ("zz", 0), ("data/large.txt", 3 << 20)])
@pytest.mark.parametrize("kind", ["minisign", "pem", "encrypted"])
def test_secret_keys_are_published_only_where_that_is_said(maker: Maker, kind: str, place: str, size: int) -> None:
    made = secret_files(maker)
    key = {"minisign": made["key"], "pem": maker.keys / "cert.key", "encrypted": made["cert-key"]}[kind]
    file = maker.out / place
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(key.read_bytes() + b"\n" * size)
    what = "is a minisign secret key" if kind == "minisign" else "is a private key in PEM"
    tar = maker.folder / "given.tar"
    with tarfile.open(tar, "w") as packed:
        packed.add(maker.out, "app")
    with unchanged(maker.dist):
        refused(maker.release(*maker.key), 3, f'"{place}": {what}', "--allow-keys")
        refused(maker.release(*maker.key, source=tar), 3, f'given.tar: "app/{place}": {what}', "--allow-keys")
    must(maker.release(*maker.key, "--allow-keys"))
    must(maker.release(*maker.key, "--allow-keys", source=tar, version="2.2.0"))
    assert f'path="{place}"' in (maker.dist / "2.1.0" / "release.xml").read_text()


def test_what_is_no_secret_is_published(maker: Maker) -> None:
    must(maker.release(*maker.key, version="1.0.0"))
    for file in (maker.pub, maker.keys / "cert.pem", maker.dist / "1.0.0" / "orchard-1.0.0-linux-x86_64.tar.zst.minisig", PUBLISH):
        shutil.copy(file, maker.out / "share")
    must(maker.release(*maker.key))


@pytest.mark.parametrize("given", ["out", "out/new", "out/bin", "out/share/dist/1", "link"])
def test_a_source_that_holds_the_release_folder_is_refused(maker: Maker, given: str) -> None:
    (maker.out / "share" / "dist" / "1").mkdir(parents=True)
    (maker.out / "share" / "dist" / "1" / "old.tar").write_bytes(b"old")
    (maker.folder / "link").symlink_to("out/share")
    with unchanged(maker.folder):
        done = publish("release", maker.out, "--product", "orchard", "--version", "9", "--dir", maker.folder / given, *maker.key)
        refused(done, 2, "is where the release goes (--dir)", "name a folder outside")


def test_the_folder_of_the_version_is_no_source(maker: Maker) -> None:
    place = maker.place("2.1.0")
    (place / "file").write_text("x")
    with unchanged(maker.dist):
        refused(maker.release(*maker.key, source=place), 2, "is where the release goes (--dir)")
    os.symlink(place, maker.folder / "link")
    with unchanged(maker.dist):
        refused(maker.release(*maker.key, source=maker.folder / "link"), 2, "is where the release goes (--dir)")


# -- releases: names, and the place of the signature ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["release.xml", "Release.XML", "a.tar.minisig", "a.tar.P7S", ".p7s", ".minisig", ".hidden.tar"])
def test_a_payload_does_not_have_the_name_of_something_else(maker: Maker, name: str) -> None:
    with unchanged(maker.dist):
        refused(maker.release(*maker.key, source=make_tar(maker.folder / name)), 2, f"{name}: a payload", "rename the file")


@pytest.mark.parametrize("what", ["text", "tar", "key", "huge"])
def test_only_a_signature_gives_way_to_a_signature(maker: Maker, what: str) -> None:
    """Found out before anything is packed."""
    given, place = make_tar(maker.folder / "x.tar"), maker.place("2.1.0") / "x.tar.minisig"
    place.write_bytes({"text": b"precious\n", "tar": given.read_bytes(), "key": (maker.keys / "other.key").read_bytes(), "huge": bytes(1 << 20)}[what])
    with unchanged(maker.dist):
        refused(maker.release(*maker.key, source=given), 1, "x.tar.minisig: is there and is no signature")
    place.unlink()
    must(maker.release(*maker.key, source=given))


def test_an_old_signature_gives_way_and_comes_back_on_failure(maker: Maker) -> None:
    for i in range(200):
        (maker.out / f"{i:03}").write_bytes(b"same\n")
    must(maker.release(*maker.key, *maker.cert, version="1.0.0"))
    old = maker.dist / "1.0.0" / "orchard-1.0.0-linux-x86_64.tar.zst"
    place = maker.place("2.1.0")
    for suffix in ("minisig", "p7s"):
        shutil.copy(f"{old}.{suffix}", place / f"{ARCHIVE}.{suffix}")
    with unchanged(maker.dist):
        refused(maker.release(*maker.key, *maker.cert, preexec_fn=small_files(20000)), 1, "release.xml")
    must(maker.release(*maker.key, *maker.cert))
    assert minisign_accepts(maker.pub, place / ARCHIVE)
    assert (place / f"{ARCHIVE}.p7s").read_bytes() != Path(f"{old}.p7s").read_bytes()


def test_a_link_in_the_place_of_a_signature_is_not_followed(maker: Maker) -> None:
    must(maker.release(*maker.key, version="1.0.0"))
    other = maker.dist / "1.0.0" / "orchard-1.0.0-linux-x86_64.tar.zst.minisig"
    (maker.place("2.1.0") / f"{ARCHIVE}.minisig").symlink_to(other)
    with unchanged(maker.dist):
        assert maker.release(*maker.key).returncode in (1, 2)


# -- all or nothing ----------------------------------------------------------------------------------------------------------------


def test_a_failure_after_the_payload_leaves_nothing(maker: Maker) -> None:
    (maker.place("2.1.0") / f"{ARCHIVE}.minisig").mkdir()                                    # a folder where the signature goes
    with unchanged(maker.dist):
        refused(maker.release(*maker.key), 1, f"{ARCHIVE}.minisig")


def small_files(limit: int) -> Callable[[], None]:
    def set_limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return set_limit


def test_a_document_that_cannot_be_written_leaves_nothing(maker: Maker) -> None:
    """The archive and its signature fit below the limit, the document does not."""
    for i in range(200):
        (maker.out / f"{i:03}").write_bytes(b"same\n")
    with unchanged(maker.dist):
        refused(maker.release(*maker.key, preexec_fn=small_files(20000)), 1, "release.xml")
    must(maker.release(*maker.key))
    assert (maker.dist / "2.1.0" / ARCHIVE).stat().st_size < 20000 < (maker.dist / "2.1.0" / "release.xml").stat().st_size


@pytest.fixture
def small_disk(maker: Maker) -> Iterator[Path]:
    """A file system of 64 KiB at the release folder."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", maker.dist], capture_output=True)
    if done.returncode != 0:
        pytest.skip("no small file system can be mounted here")
    yield maker.dist
    subprocess.run(["umount", maker.dist], check=True, capture_output=True)


def test_a_full_disk_leaves_nothing(maker: Maker, small_disk: Path) -> None:
    (maker.out / "noise").write_bytes(os.urandom(200_000))
    with unchanged(small_disk):
        refused(maker.release(*maker.key), 1, ARCHIVE)


def test_a_feed_that_cannot_be_written_leaves_the_old_one(named: Maker) -> None:
    for i in range(2, 7):
        must(named.release(*named.key, version=f"2.{i}.0"))
    changes = [word for i in range(2, 7) for word in ("--add", f"2.{i}.0")]
    with unchanged(named.dist):
        refused(named.feed(*changes, preexec_fn=small_files(1024)), 1, "feed.xml")
    must(named.verify())
    must(named.feed(*changes))
    assert named.feed_file.stat().st_size > 1024


def test_an_unwritable_standard_output_is_an_error(named: Maker) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([PUBLISH, "verify", "--key", named.pub, named.feed_file], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and "standard output" in done.stderr


# -- feeds -------------------------------------------------------------------------------------------------------------------------


def test_renewal_is_one_serial_above(named: Maker) -> None:
    before = named.tree
    must(named.feed("--expires-in", "P7D"))
    after = named.tree
    assert (before.get("serial"), after.get("serial")) == ("1", "2")
    assert ET.tostring(before[0]) == ET.tostring(after[0])
    named.verify()
    twins = sorted(name for name in look(named.dist) if re.fullmatch(r"feed\.xml\.[0-9a-f]{64}\.minisig", name))
    assert len(twins) == 2                                                                  # the old one stays, for caches


def test_the_serial_only_grows(named: Maker) -> None:
    must(named.feed("--serial", "100"))
    with unchanged(named.dist):
        for serial in ("1", "99", "100"):
            refused(named.feed("--serial", serial), 2, f"--serial {serial}", "100")
        refused(named.feed("--serial", "0"), 2, "--serial")
        refused(named.feed("--serial", "2000000"), 2, "million")
        refused(named.feed("--serial", "18446744073709551616"), 2, "--serial")
    must(named.feed())
    assert named.tree.get("serial") == "101"


def test_the_clock_does_not_go_back(named: Maker) -> None:
    must(publish("feed", named.dist, *named.key, before=["faketime", "-f", "+2h"]))
    with unchanged(named.dist):
        refused(named.feed(), 3, "clock")


@pytest.mark.parametrize("spoil", [
    lambda m: m.feed_file.write_bytes(m.feed_file.read_bytes().replace(b'status="auto"', b'status="withdrawn"')),
    lambda m: m.feed_file.write_bytes(m.feed_file.read_bytes() + b"\n"),
    lambda m: [p.unlink() for p in m.dist.glob("feed.xml.*")],
    lambda m: [p.write_bytes(p.read_bytes()[:-20]) for p in m.dist.glob("feed.xml.*")],
    lambda m: [shutil.copy(m.dist / "2.1.0" / f"{ARCHIVE}.minisig", p) for p in m.dist.glob("feed.xml.*")],
], ids=["altered", "longer", "unsigned", "cut", "of-another-file"])
def test_a_feed_that_does_not_prove_genuine_is_not_built_upon(named: Maker, spoil: Callable[[Maker], Any]) -> None:
    spoil(named)
    with unchanged(named.dist):
        refused(done := named.feed(), 3, "feed.xml", "not built upon")
    assert "--trusted-key" not in done.stderr, "another key would not make it whole"
    refused(named.verify(), 3, "refused")


def test_the_feed_of_another_key_is_built_upon_only_when_it_is_named(named: Maker) -> None:
    other = ["--key", str(named.keys / "other.key")]
    with unchanged(named.dist):
        refused(named.feed(*other), 3, "KeyMismatch", "--trusted-key")
        refused(named.feed(*other, "--trusted-key", named.keys / "other.pub"), 3, "KeyMismatch")
        refused(named.feed(*other, "--trusted-key", named.keys / "nothing.pub"), 2, "--trusted-key")
    must(named.feed(*other, "--trusted-key", named.pub))
    assert minisign_accepts(named.keys / "other.pub", named.feed_file) and not minisign_accepts(named.pub, named.feed_file)
    assert named.tree.get("serial") == "2"


def test_an_expired_feed_is_renewed(maker: Maker) -> None:
    must(maker.release(*maker.key))
    must(publish("feed", maker.dist, "--product", "orchard", "--channel", "stable", "--add", "2.1.0", "--expires-in", "PT1H", *maker.key,
                 before=["faketime", "-f", "-2d"]))
    refused(maker.verify(), 3, "Expired")
    must(maker.feed())
    must(maker.verify())


def test_a_writer_that_was_killed_is_recovered_from(named: Maker) -> None:
    """Killed before the last step: the new signature lies beside the old feed."""
    old = named.feed_file.read_bytes()
    must(named.feed())
    named.feed_file.write_bytes(old)
    refused(named.verify(), 3, "refused")
    twin = named.dist / f"feed.xml.{hashlib.sha256(old).hexdigest()}.minisig"
    assert minisign_accepts(named.pub, named.feed_file, twin)                               # what a client falls back upon
    must(named.feed())
    must(named.verify())
    assert named.tree.get("serial") == "2"


def test_a_feed_made_by_hand_gets_its_second_signature(named: Maker) -> None:
    for twin in named.dist.glob("feed.xml.*.minisig"):
        twin.unlink()
    old = hashlib.sha256(named.feed_file.read_bytes()).hexdigest()
    must(named.feed())
    assert (named.dist / f"feed.xml.{old}.minisig").exists()


def test_release_details_are_set_and_only_those(named: Maker) -> None:
    must(named.release(*named.key, version="2.2.0"))
    must(named.feed("--add", "2.2.0", "--status", "download", "--severity", "critical", "--rollout-percent", "10", "--rollout-start", "2026-01-01T00:00:00Z",
                    "--rollout-step", "PT24H", "--for-os", "linux", "--for-os", "windows", "--for-arch", "x86_64", "--from", "1.4..2.1", "--from", "..1.0",
                    "--skip", "1.9.3", "--skip", "1.8.*", "--install-by", "2027-01-01T00:00:00Z"))
    release = named.tree[0]
    assert (release.get("version"), release.get("status"), release.get("severity")) == ("2.2.0", "download", "critical")
    parts = [(child.tag.removeprefix(FEED), dict(child.attrib)) for child in release][1:]
    assert parts == [("rollout", {"start": "2026-01-01T00:00:00Z", "percent": "10", "step": "P1D"}), ("eligible", {"os": "linux windows", "arch": "x86_64"}),
                     ("from", {"lowest": "1.4", "below": "2.1"}), ("from", {"below": "1.0"}), ("skip", {"version": "1.9.3"}), ("skip", {"version": "1.8.*"}),
                     ("install-by", {"time": "2027-01-01T00:00:00Z"})]
    must(named.feed("--set", "2.2.0", "--rollout-percent", "50"))
    now = [(child.tag.removeprefix(FEED), dict(child.attrib)) for child in named.tree[0]][1:]
    assert now[0] == ("rollout", {"start": "2026-01-01T00:00:00Z", "percent": "50", "step": "P1D"}) and now[1:] == parts[1:]
    must(named.feed("--set", "2.2.0", "--rollout-percent", "none", "--for-os", "any", "--for-arch", "any", "--from", "none", "--skip", "none", "--install-by",
                    "none", "--status", "auto"))
    assert [child.tag for child in named.tree[0]] == [f"{FEED}document"] and named.tree[0].get("severity") == "critical"
    must(named.feed("--withdraw", "2.1.0"))
    assert [(r.get("version"), r.get("status")) for r in named.tree] == [("2.2.0", "auto"), ("2.1.0", "withdrawn")]
    assert "2.1.0: withdrawn" in must(named.verify()).stdout
    must(named.feed("--set", "2.1.0", "--status", "download", "--remove", "2.2.0"))
    assert [(r.get("version"), r.get("status")) for r in named.tree] == [("2.1.0", "download")]
    valid(named.feed_file, "feed")


def test_support_is_set_replaced_and_taken_away(named: Maker) -> None:
    must(named.feed("--support", "1.*=2027-01-01T00:00:00Z", "--support", "2.0=2028-01-01T00:00:00Z,P90D"))
    told = [dict(s.attrib) for s in named.tree.iter(f"{FEED}support")]
    assert told == [{"version": "1.*", "ends": "2027-01-01T00:00:00Z", "notice": "P30D"}, {"version": "2.0", "ends": "2028-01-01T00:00:00Z", "notice": "P90D"}]
    must(named.feed("--support", "1.*=2029-01-01T00:00:00Z", "--support", "2.0=none"))
    assert [dict(s.attrib) for s in named.tree.iter(f"{FEED}support")] == [{"version": "1.*", "ends": "2029-01-01T00:00:00Z", "notice": "P30D"}]
    with unchanged(named.dist):
        refused(named.feed("--support", "3.*=none"), 2, "says nothing of 3")


@pytest.mark.parametrize(("words", "says"), [
    (["--rollout-percent", "10"], "--add VERSION or --set VERSION must stand before it"),
    (["--set", "2.1.0", "--rollout-percent", "0"], "not 1 to 100"),
    (["--set", "2.1.0", "--rollout-percent", "101"], "not 1 to 100"),
    (["--set", "2.1.0", "--rollout-percent", "ten"], "--rollout-percent ten"),
    (["--set", "2.1.0", "--rollout-step", "PT24H"], "no rollout"),
    (["--set", "2.1.0", "--rollout-start", "2026-01-01T00:00:00Z"], "no rollout"),
    (["--set", "2.1.0", "--rollout-percent", "5", "--rollout-step", "PT1S"], "less than a minute"),
    (["--set", "2.1.0", "--rollout-percent", "5", "--rollout-step", "P1M"], "--rollout-step"),
    (["--set", "2.1.0", "--rollout-percent", "5", "--rollout-start", "2026-02-30T00:00:00Z"], "--rollout-start"),
    (["--set", "2.1.0", "--rollout-percent", "none", "--rollout-step", "PT1H"], "none"),
    (["--set", "2.1.0", "--status", "withdrawn"], "--withdraw"),
    (["--set", "2.1.0", "--status", "maybe"], "--status maybe"),
    (["--set", "2.1.0", "--severity", "huge"], "--severity huge"),
    (["--set", "2.1.0", "--for-os", "beos"], "--for-os beos"),
    (["--set", "2.1.0", "--for-arch", "z80"], "--for-arch z80"),
    (["--set", "2.1.0", "--from", "1.4"], "LOWEST..BELOW"),
    (["--set", "2.1.0", "--from", ".."], "neither end"),
    (["--set", "2.1.0", "--from", "2..1"], "no version in it"),
    (["--set", "2.1.0", "--from", "2...3"], "--from"),
    (["--set", "2.1.0", "--skip", "1.x"], "--skip"),
    (["--set", "2.1.0", "--install-by", "soon"], "--install-by"),
    (["--set", "9.9"], "no release 9.9"),
    (["--withdraw", "9.9"], "no release 9.9"),
    (["--remove", "9.9"], "no release 9.9"),
    (["--set", "v2"], "--set v2"),
    (["--add", "2.1.0"], "has it already"),
    (["--add", "2.1"], "has it already"),
    (["--support", "1.*"], "PATTERN=ENDS"),
    (["--support", "1.*=soon"], "--support"),
    (["--support", "1.*=2027-01-01T00:00:00Z,soon"], "--support"),
    (["--expires-in", "P367D"], "--expires-in"),
    (["--expires-in", "PT0S"], "--expires-in"),
    (["--expires-in", "month"], "--expires-in"),
    (["--product", "pear"], "--product pear"),
    (["--channel", "beta"], "--channel beta"),
    (["--withdraw", "2.1.0", "--status", "auto"], "must stand before it"),
    (["another"], "one DIR"),
])
def test_feed_options_that_make_no_sense(named: Maker, words: list[str], says: str) -> None:
    with unchanged(named.dist):
        refused(named.feed(*words), 2, says)


def test_the_first_feed_wants_its_names_and_a_key(maker: Maker) -> None:
    with unchanged(maker.dist):
        refused(maker.feed(), 2, "--product NAME")
        refused(publish("feed", maker.dist, "--product", "orchard", "--channel", "stable"), 2, "a feed is signed")
        refused(maker.feed("--product", "orchard", "--channel", "stable", "--publisher", "x"), 2, "--publisher")
    must(maker.feed("--product", "orchard", "--channel", "stable"))                          # a feed without a release
    valid(maker.feed_file, "feed")


def test_an_unknown_version_is_not_added(named: Maker) -> None:
    with unchanged(named.dist):
        refused(named.feed("--add", "3.0.0"), 1, "3.0.0/release.xml")


def test_a_release_of_another_product_or_version_is_not_added(named: Maker) -> None:
    text = (named.dist / "2.1.0" / "release.xml").read_text()
    folder = named.place("3.0.0")
    for name in (ARCHIVE, f"{ARCHIVE}.minisig"):
        shutil.copy(named.dist / "2.1.0" / name, folder / name)
    for made, says in ((text, "version 2.1.0"), (text.replace('version="2.1.0"', 'version="3.0.0"').replace('product="orchard"', 'product="pear"'), "product pear")):
        (folder / "release.xml").write_text(made)
        with unchanged(named.dist):
            refused(named.feed("--add", "3.0.0"), 3, says)
    (folder / "release.xml").write_text(text.replace('version="2.1.0"', 'version="3.0.0"'))
    must(named.feed("--add", "3.0.0"))


def test_a_release_whose_payload_is_missing_or_altered_is_not_added(maker: Maker) -> None:
    must(maker.release(*maker.key))
    words = ["--product", "orchard", "--channel", "stable", "--add", "2.1.0"]
    archive = maker.dist / "2.1.0" / ARCHIVE
    data, signature = archive.read_bytes(), Path(f"{archive}.minisig").read_bytes()
    archive.write_bytes(data + b"\0")
    with unchanged(maker.dist):
        refused(maker.feed(*words), 3, ARCHIVE, "bytes")
    archive.unlink()
    with unchanged(maker.dist):
        refused(maker.feed(*words), 1, ARCHIVE)
    archive.write_bytes(data)
    Path(f"{archive}.minisig").unlink()
    with unchanged(maker.dist):
        refused(maker.feed(*words), 1, "minisig", "is not there")
    Path(f"{archive}.minisig").write_bytes(signature)
    must(maker.feed(*words))


def test_a_document_that_changed_after_it_was_named_is_found_out(named: Maker) -> None:
    document = named.dist / "2.1.0" / "release.xml"
    kept = document.read_bytes()
    document.write_bytes(kept.replace(b'mode="644"', b'mode="666"'))
    with unchanged(named.dist):
        refused(named.feed(), 3, "not the document that the feed names")
    document.unlink()
    must(named.feed())                                                                      # old releases may be kept elsewhere


def test_a_passphrase_belongs_to_the_key_before_it(named: Maker) -> None:
    locked, word = named.folder / "locked.key", named.folder / "word"
    word.write_text("seven words that nobody would ever guess\n")
    word.chmod(0o600)
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", named.keys / "cert.key", "-out", locked, "-passout", f"file:{word}"], check=True, capture_output=True)
    cert = ["--cert", named.keys / "cert.pem", "--cert-key", locked, "--passphrase-file", word]
    must(named.feed(*named.key, *cert))
    must(named.feed(*cert, *named.key))
    assert (named.dist / "feed.xml.p7s").exists() and named.tree.get("serial") == "3"
    word.write_text("another\n")
    with unchanged(named.dist):
        refused(named.feed(*named.key, *cert), 1, "passphrase")


def test_three_signers_or_two_of_a_kind_are_too_many(named: Maker) -> None:
    with unchanged(named.dist):
        refused(named.feed(*named.key, "--key", named.keys / "other.key"), 2, "two signers of one system")
        refused(named.feed(*named.key, *named.cert, "--key", named.keys / "other.key"), 2, "third key")


# -- verify ------------------------------------------------------------------------------------------------------------------------


def test_verify_says_what_nobody_signs(named: Maker) -> None:
    assert "reads well" in (done := must(publish("verify", ROOT / "docs" / "examples" / "orchard.xml"))).stdout and "nobody signs it" in done.stdout


def test_verify_refuses(named: Maker, keys: Path) -> None:
    refused(publish("verify", "--key", keys / "other.pub", named.feed_file), 3, "KeyMismatch")
    refused(publish("verify", named.feed_file), 2, "--key or --anchors")
    refused(publish("verify", "--key", named.pub), 2, "no DOCUMENT")
    refused(publish("verify", "--key", named.dist / "nothing.pub", named.feed_file), 2, "--key")
    refused(publish("verify", "--key", named.pub, named.dist / "nothing.xml"), 1, "error")
    refused(publish("verify", "--key", named.pub, "--at", "2040-01-01T00:00:00Z", named.feed_file), 3, "Expired")
    refused(publish("verify", "--key", named.pub, "--at", "2001-01-01T00:00:00Z", named.feed_file), 3, "IssuedAhead")
    refused(publish("verify", "--key", named.pub, named.out / "bin" / "orchard"), 3, "Unsigned")
    archive = named.dist / "2.1.0" / ARCHIVE
    archive.write_bytes(archive.read_bytes() + b"\0")
    refused(publish("verify", "--key", named.pub, archive), 3, "SignatureInvalid")
    document = named.dist / "2.1.0" / "release.xml"
    document.write_bytes(document.read_bytes().replace(b"<payload ", b"<payload surprise='1' "))
    refused(publish("verify", document), 3, "surprise")


def test_verify_goes_on_after_a_refusal_and_says_the_worst(named: Maker, keys: Path) -> None:
    (named.folder / "plain.txt").write_text("unsigned\n")
    done = named.verify(named.folder / "plain.txt", named.feed_file, named.folder / "nothing")
    assert done.returncode == 1 and "accepted: feed of orchard" in done.stdout and "Unsigned" in done.stdout
    done = named.verify(named.folder / "plain.txt", named.feed_file, "--format", "json")
    assert done.returncode == 3
    assert [(x["type"], x.get("verdict")) for x in lines_of(done.stdout)] == [("other", "refused"), ("feed", "accepted"), ("feed-release", None)]


def test_verify_never_writes_control_characters(named: Maker) -> None:
    evil = named.folder / "a\x1b[31m\nb.txt"
    evil.write_text("x\n")
    done = named.verify(evil)
    assert "\x1b" not in done.stdout + done.stderr and done.returncode == 3


# -- a terminal ----------------------------------------------------------------------------------------------------------------------


def test_progress_is_for_terminals(maker: Maker) -> None:
    (maker.out / "big").write_bytes(os.urandom(3_000_000))
    if not shutil.which("script"):
        pytest.skip("script is not installed")
    words = " ".join(f"'{w}'" for w in [PUBLISH, "release", maker.out, "--product", "orchard", "--version", "2.1.0", "--dir", maker.dist, *maker.key])
    done = subprocess.run(["script", "-qec", words, "/dev/null"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "packing" in done.stdout and "100%" in done.stdout, done.stdout
    assert "packing" not in must(maker.release(*maker.key, version="2.2.0")).stderr
