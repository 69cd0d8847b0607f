"""Feeds, release documents, payloads and servers that mean no good, against a machine on which 1.0.0 runs. Each is refused, or ends as a
download that failed, with its own reason; the service is never stopped, the tree never touched, and nothing of it is left. The documents
are signed by the maker's own key where the signature is not the point: a stolen or careless maker gets no further."""

from __future__ import annotations

import fnmatch
import hashlib
import io
import re
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from conftest import ROOT
from upgrade_kit import ABORTED, FAILED, REFUSED, Faker, Machine, Site, World, entry, feed_text, picture, stamp

from tests.kit.servers import Ca, Hostile, answer, chunk, head

MAX_DOCUMENT = 1024 * 1024


@dataclass
class Scene:
    """A site that offers 2.0.0, in a folder that a case may do anything with, and the server in front of it."""
    world: World
    site: Site
    faker: Faker
    machine: Machine

    @property
    def document(self) -> Path:
        return self.site.folder / "2.0.0" / "release.xml"

    @property
    def payload(self) -> Path:
        return self.site.folder / "2.0.0" / "orchard-2.0.0.tar.zst"

    @property
    def signature(self) -> Path:
        return self.site.folder / "feed.xml.minisig"

    def feed(self, *more: str, **how: Any) -> None:
        """A feed of our own that offers 2.0.0 as it is."""
        self.site.write_feed(feed_text(*(more or [entry("2.0.0", self.document.read_bytes())]), **how))

    def edit_feed(self, old: str, new: str) -> None:
        """A feed that is as the maker's, but for this; signed."""
        text = feed_text(entry("2.0.0", self.document.read_bytes()))
        assert old in text, text
        self.site.write_feed(text.replace(old, new, 1))

    def edit_release(self, old: str, new: str, n: int = 1) -> None:
        """Likewise the release document."""
        text = self.document.read_text(encoding="utf-8")
        assert re.search(old, text), text
        self.site.write_release("2.0.0", re.sub(old, lambda m: new, text, count=n).encode())

    def set_payload(self, data: bytes) -> None:
        """Another archive, signed, and a document that names it."""
        self.payload.write_bytes(data)
        self.payload.with_name(self.payload.name + ".minisig").write_bytes(self.world.maker.key.sign(data))
        self.edit_release(r'size="[0-9]+" sha256="[0-9a-f]+" unpacked', f'size="{len(data)}" sha256="{hashlib.sha256(data).hexdigest()}" unpacked')

    def archive(self, change: Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]], more: list[tuple[tarfile.TarInfo, bytes]] | None = None) -> None:
        """The archive of 2.0.0 with other entries: `change` is asked for each file."""
        out = io.BytesIO()
        tree = self.world.maker.release("2.0.0").tree
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for path in sorted(p for p in tree.rglob("*") if p.is_file()):
                info = tarfile.TarInfo(path.relative_to(tree).as_posix())
                info.size, info.mode = path.stat().st_size, path.stat().st_mode & 0o777
                for i, data in change(info, path.read_bytes()):
                    tar.addfile(i, io.BytesIO(data) if i.isreg() else None)
            for i, data in more or []:
                tar.addfile(i, io.BytesIO(data) if i.isreg() else None)
        self.set_payload(out.getvalue())

    def on(self, path: str, handler: Callable[..., Any]) -> None:
        self.late.append((path, handler))

    def __post_init__(self) -> None:
        self.late: list[tuple[str, Callable[..., Any]]] = []


@dataclass
class Case:
    name: str
    make: Callable[[Scene], Any]
    reasons: set[str]                                              # any of these words; "" is a download that failed
    days: float = 0                                                # what the clock says, from now
    fetch: str = ""
    says: str = ""


CASES: list[Case] = []


def case(name: str, *reasons: str, **how: Any) -> Callable[[Callable[[Scene], Any]], Callable[[Scene], Any]]:
    def keep(make: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
        CASES.append(Case(name, make, {*reasons}, **how))
        return make
    return keep


def simple(name: str, reason: str, make: Callable[[Scene], Any], **how: Any) -> None:
    CASES.append(Case(name, make, {reason}, **how))


# -- the feed's signature --------------------------------------------------------------------------------------------------

simple("feed: no signature", "Unsigned", lambda s: [p.unlink() for p in s.site.folder.glob("feed.xml*.minisig")])
simple("feed: signed by another key", "KeyMismatch", lambda s: s.site.write_feed(s.site.feed.read_bytes(), s.world.maker.other))
simple("feed: signed by another key that says it is the maker's", "SignatureInvalid", lambda s: [p.write_bytes(
    forged(s)) for p in s.site.folder.glob("feed.xml*.minisig")])
simple("feed: one byte of it changed", "SignatureInvalid", lambda s: s.site.feed.write_bytes(s.site.feed.read_bytes().replace(b'"low"', b'"lox"', 1)))
simple("feed: a space after its end", "SignatureInvalid", lambda s: s.site.feed.write_bytes(s.site.feed.read_bytes() + b" "))
simple("feed: empty", "SignatureInvalid", lambda s: s.site.feed.write_bytes(b""))


def forged(s: Scene) -> bytes:
    from tests.kit import minisign
    return minisign.sign(s.world.maker.other, s.site.feed.read_bytes(), key_id=s.world.maker.key.key_id)


def signatures(s: Scene, change: Callable[[bytes], bytes]) -> None:
    for path in s.site.folder.glob("feed.xml*.minisig"):
        path.write_bytes(change(path.read_bytes()))


simple("feed: signature cut off", "Malformed", lambda s: signatures(s, lambda d: d[:90]))
simple("feed: signature empty", "Malformed", lambda s: signatures(s, lambda d: b""))
simple("feed: signature is a web page", "Malformed", lambda s: signatures(s, lambda d: b"<html>please log in</html>\n" * 5))
simple("feed: trusted comment of the signature changed", "SignatureInvalid", lambda s: signatures(s, lambda d: d.replace(b"trusted comment: ", b"trusted comment: x", 2)))
simple("feed: a feed of before with the signature of now", "SignatureInvalid", lambda s: s.site.feed.write_bytes(s.site.feed.read_bytes().replace(b"serial=\"2\"", b"serial=\"3\"")))

# -- its time and place ----------------------------------------------------------------------------------------------------

simple("feed: expired", "Expired", lambda s: s.feed(issued=stamp(-20), expires=stamp(-1)))
simple("feed: issued two days from now", "IssuedAhead", lambda s: s.feed(issued=stamp(2), expires=stamp(20)))
simple("feed: older than the one seen", "OlderThanSeen", lambda s: s.feed(serial=1))
simple("feed: a serial two million ahead", "SerialJump", lambda s: s.feed(serial=2_000_000))
simple("clock: two days behind what was signed", "ClockBehind", lambda s: s.feed(issued=stamp(-3), expires=stamp(20)), days=-2)
simple("clock: the feed has expired by it", "Expired", lambda s: s.feed(), days=25)
simple("feed: of another product", "WrongProduct", lambda s: s.feed(product="elm"))
simple("feed: of another channel", "WrongProduct", lambda s: s.feed(channel="nightly"))

# -- its form --------------------------------------------------------------------------------------------------------------

simple("feed: DOCTYPE", "Malformed", lambda s: s.feed(before="<!DOCTYPE feed>\n"))
simple("feed: entities within entities", "Malformed", lambda s: s.feed(before='<!DOCTYPE feed [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n'))
simple("feed: an external entity", "Malformed", lambda s: s.feed(before='<!DOCTYPE feed [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n'))
simple("feed: XInclude", "Malformed", lambda s: s.edit_feed("</feed>", '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/></feed>'))
simple("feed: a processing instruction", "Malformed", lambda s: s.feed(before='<?xml-stylesheet href="a.xsl"?>\n'))
simple("feed: an element that is not known", "Malformed", lambda s: s.edit_feed("</feed>", "<command>/bin/true</command></feed>"))
simple("feed: an attribute that is not known", "Malformed", lambda s: s.feed(attributes=' run="/bin/true"'))
simple("feed: an attribute twice", "Malformed", lambda s: s.feed(attributes=' product="orchard"'))
simple("feed: an element twice", "Malformed", lambda s: s.edit_feed("<document", '<document path="a" size="1" sha256="' + "0" * 64 + '"/><document'))
simple("feed: a release twice", "Malformed", lambda s: s.feed(entry("2.0.0", b"a"), entry("2.0.0", b"b")))
simple("feed: another root", "Malformed", lambda s: s.feed(root="release"))
simple("feed: another namespace", "Malformed", lambda s: s.feed(ns="urn:surefoot:feed:2"))
simple("feed: something after its end", "Malformed", lambda s: s.edit_feed("</feed>\n", "</feed>\n<feed/>\n"))
simple("feed: cut off", "Malformed", lambda s: s.edit_feed("</feed>\n", ""))
simple("feed: UTF-16", "Malformed", lambda s: s.site.write_feed(feed_text(entry("2.0.0", b"a")).replace("UTF-8", "UTF-16").encode("utf-16")))
simple("feed: bytes that are no UTF-8", "Malformed", lambda s: s.site.write_feed(feed_text(entry("2.0.0", b"a")).replace('"stable"', '"\udcff"').encode("utf-8", "surrogateescape")))
simple("feed: a NUL", "Malformed", lambda s: s.edit_feed("</feed>", "\0</feed>"))
simple("feed: a web page", "Malformed", lambda s: s.site.write_feed("<html><body>please log in<br></body></html>"))
simple("feed: no XML at all", "Malformed", lambda s: s.site.write_feed(b"\x7fELF" + bytes(500)))
simple("feed: nested too deep", "Malformed", lambda s: s.edit_feed("</feed>", '<y xmlns="urn:y">' * 300 + "</y>" * 300 + "</feed>"))
simple("feed: expires before it is issued", "Malformed", lambda s: s.feed(issued=stamp(-1), expires=stamp(-2)))
for _serial in ("0", "-1", "+5", "05", "1e3", "18446744073709551616", ""):
    simple(f"feed: serial {_serial or 'empty'}", "Malformed", lambda s, v=_serial: s.feed(serial=v))
for _version in ("two", "1.2.3.4.5", "2.0.0/../x", "4294967296.0", "2..0", ""):
    simple(f"feed: version {_version or 'empty'}", "Malformed", lambda s, v=_version: s.feed(entry(v, s.document.read_bytes(), path="2.0.0/release.xml")))
for _path in ("../other/release.xml", "/etc/passwd", "2.0.0\\release.xml", "https://elm.example/release.xml", "2.0.0//release.xml", "2.0.0/./release.xml", "con"):
    simple(f"feed: path of a document {_path}", "Malformed", lambda s, v=_path: s.feed(entry("2.0.0", s.document.read_bytes(), path=v)))
simple("feed: hash of a document too short", "Malformed", lambda s: s.feed(entry("2.0.0", b"a", sha256="ab" * 31)))
simple("feed: a document of no bytes", "Malformed", lambda s: s.feed(entry("2.0.0", b"")))
simple("feed: a status that is not known", "Malformed", lambda s: s.feed(entry("2.0.0", b"a", status="forced")))
simple("feed: a rollout of 101 percent", "Malformed", lambda s: s.feed(entry("2.0.0", b"a", more=f'<rollout start="{stamp()}" percent="101"/>')))

# -- the release document --------------------------------------------------------------------------------------------------

simple("release: other bytes than the feed names", "WrongDocument", lambda s: s.document.write_bytes(s.document.read_bytes().replace(b'mode="644"', b'mode="444"', 1)))
simple("release: longer than the feed names", "WrongDocument", lambda s: s.document.write_bytes(s.document.read_bytes() + b" "))
simple("release: shorter than the feed names", "WrongDocument", lambda s: s.document.write_bytes(s.document.read_bytes()[:-1]))
simple("release: another product's", "WrongProduct", lambda s: s.edit_release('product="orchard"', 'product="elm"'))
simple("release: another version's", "WrongDocument", lambda s: s.edit_release('version="2.0.0"', 'version="2.0.1"'))
simple("release: demands less than the product file", "DemandsTooLittle", lambda s: s.edit_release('system="minisign"', 'system="cms"'))
simple("release: demands nothing", "Malformed", lambda s: s.edit_release('<demand system="minisign"/>', ""))
simple("release: for another system", "NoPayload", lambda s: s.edit_release('kind="archive"', 'kind="archive" os="windows"'))
simple("release: for another processor", "NoPayload", lambda s: s.edit_release('kind="archive"', 'kind="archive" arch="s390x"'))
simple("release: DOCTYPE", "Malformed", lambda s: s.edit_release("<release", "<!DOCTYPE release>\n<release"))
simple("release: a command in it", "Malformed", lambda s: s.edit_release("</payload>", "<command>/bin/true</command></payload>"))
for _path in ("../../etc/cron.d/x", "/etc/passwd", "lib/../../x", "lib\\part-a", "lib/con", "lib/nul.txt", "lib/part-a ", "lib/part-a.", "lib/a:b", "LIB/PART-B",
              "lib/part-b", "lib/part-b/x"):
    simple(f"release: a file {_path}", "Malformed", lambda s, v=_path: s.edit_release('path="lib/part-a"', f'path="{v}"'))
for _mode in ("4755", "777", "666", "888", "-644"):
    simple(f"release: mode {_mode}", "Malformed", lambda s, v=_mode: s.edit_release('mode="644"', f'mode="{v}"'))
for _to in ("../../../etc/passwd", "/etc/passwd", "nowhere/../../../x"):
    simple(f"release: a link to {_to}", "Malformed", lambda s, v=_to: s.edit_release("</payload>", f'<link path="lib/out" to="{v}"/></payload>'))
simple("release: a file below a link", "Malformed", lambda s: s.edit_release("</payload>", '<link path="lib/part-a/x" to="version"/></payload>'))
simple("release: a size that wraps", "Malformed", lambda s: s.edit_release('unpacked-size="[0-9]+"', 'unpacked-size="18446744073709551615"'))
simple("release: path of the payload", "Malformed", lambda s: s.edit_release('path="orchard-2.0.0.tar.zst"', 'path="../../orchard.tar.zst"'))

# -- the payload -----------------------------------------------------------------------------------------------------------


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def gz(name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", mode: int = 0o644, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode, info.linkname = kind, len(data), mode, link
    return info, data


def same(info: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [(info, data)]


def instead(name: str, *entries: tuple[tarfile.TarInfo, bytes]) -> Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]]:
    return lambda info, data: [*entries] if info.name == name else [(info, data)]


simple("payload: one bit changed", "DigestMismatch", lambda s: flip(s.payload, 40))
simple("payload: one byte less", "DigestMismatch", lambda s: s.payload.write_bytes(s.payload.read_bytes()[:-1]))
simple("payload: one byte more", "DigestMismatch", lambda s: s.payload.write_bytes(s.payload.read_bytes() + b"\0"))
simple("payload: empty", "DigestMismatch", lambda s: s.payload.write_bytes(b""))
simple("payload: another release's", "DigestMismatch", lambda s: shutil.copy(s.site.folder / "1.0.0" / "orchard-1.0.0.tar.zst", s.payload))
simple("payload: no signature", "Unsigned", lambda s: Path(f"{s.payload}.minisig").unlink())
simple("payload: signed by another key", "KeyMismatch", lambda s: Path(f"{s.payload}.minisig").write_bytes(s.world.maker.other.sign(s.payload.read_bytes())))
simple("payload: signature of other bytes", "SignatureInvalid", lambda s: Path(f"{s.payload}.minisig").write_bytes(s.world.maker.key.sign(b"other")))
simple("payload: signature cut off", "Malformed", lambda s: Path(f"{s.payload}.minisig").write_bytes(Path(f"{s.payload}.minisig").read_bytes()[:100]))
simple("payload: a file that the document lists elsewhere", "Malformed", lambda s: s.edit_release('path="lib/part-a"', 'path="lib/part-a/x"'))
simple("payload: no archive", "Unsupported", lambda s: s.set_payload(b"\x7fELF" + bytes(5000)))
simple("payload: an archive that is cut off", "Malformed", lambda s: s.set_payload(s.payload.read_bytes()[:-300]))
simple("payload: a script", "Unsupported", lambda s: s.set_payload(b"#!/bin/sh\ntouch /tmp/owned\n"))
simple("payload: an entry that the document does not list", "Malformed", lambda s: s.archive(same, [gz("lib/stray", data=b"weeds")]))
simple("payload: an entry is missing", "Malformed", lambda s: s.archive(instead("lib/part-c")))
simple("payload: an entry twice", "Malformed", lambda s: s.archive(same, [gz("lib/part-c", data=b"weeds")]))
simple("payload: an entry with other bytes", "Malformed", lambda s: s.archive(lambda i, d: [(i, d.replace(b"2.0.0", b"2.0.x")) if i.name == "lib/part-c" else (i, d)]))
simple("payload: an entry that is longer", "Malformed", lambda s: s.archive(instead("lib/part-c", gz("lib/part-c", data=b"2.0.0\n" * 100))))
simple("payload: an entry of 64 MiB of zeros", "Limit", lambda s: s.archive(instead("lib/part-c", gz("lib/part-c", data=bytes(64 << 20)))))
simple("payload: a link in the place of a file", "Malformed", lambda s: s.archive(instead("lib/part-c", gz("lib/part-c", tarfile.SYMTYPE, link="/etc/passwd"))))
simple("payload: a link out of the tree", "Malformed", lambda s: s.archive(same, [gz("lib/out", tarfile.SYMTYPE, link="../../../etc")]))
simple("payload: a file through a link", "Malformed", lambda s: s.archive(same, [gz("out", tarfile.SYMTYPE, link="/tmp"), gz("out/owned", data=b"weeds")]))
simple("payload: a hard link to a file outside", "Malformed", lambda s: s.archive(same, [gz("lib/hard", tarfile.LNKTYPE, link="/etc/passwd")]))
simple("payload: a hard link in the place of a file", "Malformed", lambda s: s.archive(instead("lib/part-c", gz("lib/part-c", tarfile.LNKTYPE, link="lib/part-b"))))
simple("payload: a device", "Malformed", lambda s: s.archive(same, [gz("lib/null", tarfile.CHRTYPE)]))
simple("payload: a pipe in the place of a file", "Malformed", lambda s: s.archive(instead("lib/part-c", gz("lib/part-c", tarfile.FIFOTYPE))))
for _path in ("../owned", "/tmp/owned", "lib/../../owned", "..", "lib\\..\\..\\owned"):
    simple(f"payload: an entry {_path}", "Malformed", lambda s, v=_path: s.archive(same, [gz(v, data=b"weeds")]))

# -- the server ------------------------------------------------------------------------------------------------------------


def send(*parts: bytes) -> Callable[..., Any]:
    return lambda c, r: c.send(*parts)


def forever(first: bytes, more: bytes) -> Callable[..., Any]:
    def handler(c: Any, r: Any) -> None:
        alive = c.send(first)
        while alive:
            alive = c.send(more)
    return handler


def at_once(c: Any, r: Any) -> None:
    c.reset()


def slow(c: Any, r: Any) -> None:
    c.send(head(200, Content_Length=3000))
    c.wait(30)


def server(name: str, handler: Callable[..., Any], reason: str = "", path: str = "/feed.xml", **how: Any) -> None:
    CASES.append(Case(f"server: {name}", lambda s: s.on(path, handler), {reason}, **how))


SHORT = {"fetch": 'deadline="PT1S"'}
PAYLOAD = "/2.0.0/orchard-2.0.0.tar.zst"
server("redirects to http", send(answer(302, Location="http://127.0.0.1:9/feed.xml")))
server("redirects to a file", send(answer(302, Location="file:///etc/passwd")))
server("redirects to another scheme", send(answer(302, Location="ftp://127.0.0.1/feed.xml")))
server("redirects to itself", send(answer(302, Location="/feed.xml")))
server("redirects nowhere", send(answer(302)))
server("knows no feed", send(answer(404)))
server("wants a login", send(answer(401)))
server("fails", send(answer(500)), **SHORT)
server("closes at once", at_once, **SHORT)
server("speaks no HTTP", send(b"SSH-2.0-elm\r\n" * 20), **SHORT)
server("half a feed", send(head(200, Content_Length=4000), b"<feed/>"), **SHORT)
server("a feed that never ends", forever(head(200, Transfer_Encoding="chunked"), chunk(b"<!-- -->" * 4096)), "Malformed", says="1048576")
server("a feed that says it is large", send(head(200, Content_Length=MAX_DOCUMENT + 1), b"x"), "Malformed")
server("a head that never ends", forever(b"HTTP/1.1 200 OK\r\n", b"X-Weeds: " + b"w" * 4000 + b"\r\n"), **SHORT)
server("waits", slow, **SHORT)
server("an answer to a range that nobody asked for", send(answer(206, b"<feed/>", Content_Range="bytes 0-6/7")))
server("signatures that never end", forever(head(200, Transfer_Encoding="chunked"), chunk(b"w" * 4096)), "Malformed", path="/feed.xml*.minisig")
server("a release document that never ends", forever(head(200, Transfer_Encoding="chunked"), chunk(b"<!-- -->" * 4096)), "WrongDocument", path="/2.0.0/release.xml")
server("no release document", send(answer(404)), path="/2.0.0/release.xml")
server("no payload", send(answer(404)), path=PAYLOAD)
server("a payload that never ends", forever(head(200, Transfer_Encoding="chunked"), chunk(b"w" * 4096)), "DigestMismatch", path=PAYLOAD)
server("redirects the payload to http", send(answer(302, Location="http://127.0.0.1:9/x")), path=PAYLOAD)
server("another length than the payload's", send(head(200, Content_Length=4000), b"w" * 100), "DigestMismatch", path=PAYLOAD)


# -- all of them -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def victim(upgrade_world: World) -> Iterator[Machine]:
    """One machine for all cases. What was seen (marks, history) is as at first for each; the rest is, since what is refused leaves nothing."""
    template = upgrade_world.site(upgrade_world.maker.release("1.0.0"))
    with upgrade_world.lasting(template) as machine:
        machine.install()
        template.offer(upgrade_world.maker.release("2.0.0"))
        machine.run("check")                                       # the feed of serial 2 has been seen
        shutil.copytree(machine.state, machine.folder / "kept-state")
        yield machine


@pytest.fixture
def scene(upgrade_world: World, victim: Machine, tmp_path: Path) -> Iterator[Scene]:
    folder = tmp_path / "site"
    shutil.copytree(victim.site.folder, folder)
    faker = upgrade_world.faker
    site = Site.__new__(Site)
    site.maker, site.folder, site.base = upgrade_world.maker, folder, faker.base
    for path in (victim.cache.rglob("*") if victim.cache.exists() else ()):
        if path.is_file():
            path.unlink()                                          # each case is asked of the server
    shutil.rmtree(victim.state)                                    # and no case has seen the serials of another
    shutil.copytree(victim.folder / "kept-state", victim.state)
    yield Scene(upgrade_world, site, faker, victim)


def attempt(scene: Scene, case: Case, command: str = "upgrade") -> Any:
    machine, faker = scene.machine, scene.faker
    case.make(scene)
    faker.serve(scene.site)
    for pattern, handler in scene.late:
        for path in fnmatch.filter([f"/{p.relative_to(scene.site.folder)}" for p in scene.site.folder.rglob("*")], pattern) or [pattern]:
            faker.on(path, handler)
    machine.write(feeds=[scene.site.url], fetch=case.fetch)
    with machine.untouched():
        return machine.at(case.days, command) if case.days else machine.run(command)


def left_in_state(machine: Machine) -> set[str]:
    return {name for name in picture(machine.state) if name not in ("history.xml", "state.xml", "lock", "run", "machine-id")}


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_refused_and_nothing_left(scene: Scene, case: Case) -> None:
    machine = scene.machine
    state = left_in_state(machine)
    ran = attempt(scene, case)
    wanted = {f"PreUpgradeFailure-{r}" if r else "UpgradeAbortedDownloadFailed" for r in case.reasons}
    assert ran.result in wanted, f"{wanted} was expected\n{ran}"
    assert ran.code == (ABORTED if ran.result == "UpgradeAbortedDownloadFailed" else REFUSED), ran
    assert case.says in ran.text and ran.outcome["text"], ran
    assert "\0" not in ran.out and "\x1b" not in ran.out
    assert machine.runs() == "1.0.0" and not machine.payloads(), machine.payloads()
    assert left_in_state(machine) == state
    assert not (machine.state / "marker").exists()
    feed_is_bad = case.name.startswith("feed") or not {"", *case.reasons} - {"Expired", "ClockBehind"}
    cached = [p.name for p in machine.cache.rglob("*") if p.is_file()] if machine.cache.exists() else []
    assert not feed_is_bad or not cached, cached
    assert "Malformed" not in case.reasons or not case.name.startswith("release") or not [n for n in cached if n.startswith("release")], cached
    status = machine.status()
    assert (status["installed"], status["state"]) == ("1.0.0", "Enabled")
    assert machine.history()[-1]["result"] == ran.result


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60 and len({c.name for c in CASES}) == len(CASES)


def test_after_all_that_the_real_one_is_taken(scene: Scene) -> None:
    ran = attempt_good(scene)
    assert ran.result == "Success"
    assert scene.machine.runs() == "2.0.0"
    scene.machine.run("rollback", code=0)


def attempt_good(scene: Scene) -> Any:
    scene.faker.serve(scene.site)
    scene.machine.write(feeds=[scene.site.url], fetch="")
    return scene.machine.run("upgrade", "--to", "2.0.0")


# -- machines and networks of their own ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["another authority's", "expired", "not yet valid", "self-signed", "another name's"])
def test_a_server_that_cannot_show_who_it_is(world: World, tmp_path: Path, wrong: str) -> None:
    ca = Ca(tmp_path, "other") if wrong.startswith("another auth") else world.ca
    how: dict[str, Any] = {"expired": {"before": 30, "after": -1}, "not yet valid": {"before": -1}, "self-signed": {"self_signed": True}}.get(wrong, {})
    names = ["elm.example"] if wrong == "another name's" else ["localhost", "127.0.0.1"]
    machine = world.ready("1.0.0")
    server_ = Hostile(ca.context(*names, **how))
    try:
        server_.on("/feed.xml", send(answer(200, machine.site.feed.read_bytes())))
        machine.write(feeds=[server_.url("/feed.xml", "localhost")], fetch='deadline="PT1S"')
        with machine.untouched():
            ran = machine.run("upgrade")
        assert (ran.result, ran.code) == ("UpgradeAbortedDownloadFailed", ABORTED) and not server_.seen, ran
        assert "certificate" in ran.text.lower() or "SSL" in ran.text
    finally:
        server_.close()


def test_caches_that_mix_are_asked_around_twice(world: World) -> None:
    """A feed and a signature of different times: fetched anew past caches, twice, then refused."""
    machine = world.ready("1.0.0", "2.0.0")
    scene = Scene(world, machine.site, world.faker, machine)
    world.faker.serve(machine.site)
    stale = machine.site.feed.read_bytes().replace(b'serial="2"', b'serial="1"')
    asked: list[str] = []

    def handler(c: Any, r: Any) -> Any:
        asked.append(r.headers.get("cache-control", ""))
        return c.send(answer(200, stale if len(asked) < 3 else machine.site.feed.read_bytes()))
    world.faker.on("/feed.xml", handler)
    machine.write(feeds=[f"{scene.faker.base}/feed.xml"])
    assert machine.upgrade().result == "Success" and len(asked) == 3 and "no-cache" in asked[1] and "no-cache" in asked[2]
    machine.expect("2.0.0")


def test_half_a_payload_is_gone_on_with(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    scene = Scene(world, machine.site, world.faker, machine)
    world.faker.serve(machine.site)
    data = scene.payload.read_bytes()
    ranges: list[str] = []

    def half(c: Any, r: Any) -> Any:
        if "range" not in r.headers:
            return c.send(head(200, Content_Length=len(data), ETag='"a"'), data[:1000])
        return c.reset()

    def rest(c: Any, r: Any) -> Any:
        ranges.append(r.headers.get("range", ""))
        return c.send(answer(206, data[1000:], Content_Range=f"bytes 1000-{len(data) - 1}/{len(data)}", ETag='"a"'))
    world.faker.on(PAYLOAD, half)
    machine.write(feeds=[scene.site.url.replace(machine.site.base, world.faker.base)], fetch='deadline="PT1S"')
    assert machine.run("upgrade", code=ABORTED).result == "UpgradeAbortedDownloadFailed"
    parts = [p for p in machine.store.iterdir() if p.name.endswith(".part")]
    assert [(p.stat().st_size, p.stat().st_mode & 0o777) for p in parts] == [(1000, 0o600)] and machine.store.stat().st_mode & 0o777 == 0o700
    assert machine.runs() == "1.0.0"
    world.faker.on(PAYLOAD, rest)
    assert machine.upgrade().result == "Success" and ranges == ["bytes=1000-"]
    machine.expect("2.0.0")


def test_the_next_feed_is_asked_where_one_does_not_hold(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    bad = world.site(world.maker.release("2.0.0"))
    bad.write_feed(bad.feed.read_bytes(), world.maker.other)
    machine.write(feeds=[bad.url, machine.site.url])
    ran = machine.upgrade()
    assert ran.result == "Success" and 333 in ran.ids, ran
    machine.expect("2.0.0")


def test_a_mirror_that_lies_is_passed_over(world: World, tmp_path: Path) -> None:
    """A mirror has other bytes; the payload is had from the feed's own server, or refused, never taken."""
    machine = world.ready("1.0.0")
    world.faker.server.handlers.clear()
    world.faker.on("/orchard-2.0.0.tar.zst", send(answer(200, b"weeds" * 1000)))
    release = world.maker.release_of(world.maker.release("2.0.0").tree, "2.0.0", ["--mirror", f"{world.faker.base}/orchard-2.0.0.tar.zst"], tmp_path / "store")
    machine.site.offer(release)
    ran = machine.run("upgrade")
    assert ran.code in (0, REFUSED), ran
    assert machine.runs() == ("2.0.0" if ran.code == 0 else "1.0.0")


DAMAGES: dict[str, Callable[[str], str]] = {
    "damaged": lambda text: text.replace("<", "(", 3),
    "cut off": lambda text: text[:-20],
    "of another product": lambda text: text.replace('product="orchard"', 'product="elm"'),
    "too large": lambda text: text + " " * (5 << 20),
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_state_that_was_damaged_is_not_acted_on(world: World, how: str) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    path = machine.state / "state.xml"
    path.write_text(DAMAGES[how](path.read_text(encoding="utf-8")), encoding="utf-8")
    with machine.untouched():
        ran = machine.run("upgrade")
    assert ran.code in (FAILED, REFUSED, 2) and "state.xml" in ran.text + ran.out, ran


@pytest.mark.parametrize("how", DAMAGES)
def test_a_history_that_was_damaged_is_kept_and_a_new_one_begins(world: World, how: str) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    path = machine.state / "history.xml"
    damaged = DAMAGES[how](path.read_text(encoding="utf-8"))
    path.write_text(damaged, encoding="utf-8")
    assert "history.xml" in machine.run("history", code=FAILED).err
    ran = machine.upgrade()
    assert ran.result == "Success" and "history.xml.damaged-" in ran.text, ran
    assert [p.read_text(encoding="utf-8") for p in machine.state.glob("history.xml.damaged-*")] == [damaged]
    assert [a["to"] for a in machine.history()[-1:]] == ["2.0.0"]
    machine.expect("2.0.0")


def test_a_journal_that_is_not_ours_is_never_acted_on(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    (machine.state / "journal").write_bytes(b"rm -rf /\n" * 40)
    with machine.untouched():
        for command in ("upgrade", "run", "rollback", "recover", "install"):
            ran = machine.run(command)
            assert ran.code == 7 and "ournal" in ran.text, ran
    assert machine.status()["recovery_pending"]


def test_no_file_of_the_corpus_was_written(world: World) -> None:
    """What hostile archives tried to write outside."""
    assert not Path("/tmp/owned").exists() and not Path("/owned").exists() and ROOT.exists()
