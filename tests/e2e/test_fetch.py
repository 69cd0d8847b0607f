"""Downloads (installer/core/fetch), by tests/tools/fetch_tool, from real servers and from one that lies: what is refused with which code and
words, that nothing is left behind, and that what may pass is tried again."""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import random
import re
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from conftest import CRASH, WRAPPER, built

if sys.platform == "win32" or not (shutil.which("nginx", path="/usr/sbin:/usr/bin") and shutil.which("tinyproxy", path="/usr/sbin:/usr/bin")):
    pytest.skip("nginx or tinyproxy is not here", allow_module_level=True)

from tests.kit import servers as kit
from tests.kit.servers import Conversation, Hostile, Request, answer, chunk, head, part_of

DOC = b"<feed/>\n" * 64
DATA = random.Random(7).randbytes(300_000)
LONG = random.Random(8).randbytes(3_000_000)
ONCE = ("--tries", "1")
FAST = ("--tries", "2", "--backoff", "10")
REAL = {"input/output", "absent", "access", "timeout", "limit", "refused", "malformed", "argument", "exists", "busy"}
number = itertools.count()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Fetched:
    code: int
    lines: list[list[str]]
    error: str
    text: str
    seconds: float


def program() -> str:
    if WRAPPER:
        pytest.skip("run as it is, on POSIX")
    return str(built("tools/fetch_tool", "no libcurl here"))


def fetch(*args: str | Path | int, env: dict[str, str] | None = None, before: Callable[[], None] | None = None) -> Fetched:
    start = time.monotonic()
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    done = subprocess.run([program(), *map(str, args)], capture_output=True, timeout=30, check=False, encoding="utf-8", env={**clean, **(env or {})}, preexec_fn=before)
    assert done.returncode in (0, 1), done
    for word in CRASH:
        assert word not in done.stderr, done.stderr
    error, text = "", ""
    if done.returncode == 1:
        assert done.stderr.count("\n") == 1 and done.stderr.startswith("error\t"), done.stderr
        _, error, text = done.stderr.rstrip("\n").split("\t")
        assert text.isprintable() and error in REAL, done.stderr
    return Fetched(done.returncode, [line.split("\t") for line in done.stdout.splitlines()], error, text, time.monotonic() - start)


@dataclass
class World:
    folder: Path
    ca: kit.Ca = field(init=False)
    nginx: kit.Nginx = field(init=False)
    proxy: kit.Proxy = field(init=False)
    plain: Hostile = field(init=False)
    tls: Hostile = field(init=False)

    def __post_init__(self) -> None:
        self.open: list[Any] = []
        try:
            self.ca = kit.Ca(self.folder)
            self.nginx = self.keep(kit.Nginx(self.folder / "nginx", self.ca))
            self.proxy = self.keep(kit.Proxy(self.folder / "proxy"))
            self.plain = self.keep(Hostile())
            self.tls = self.keep(Hostile(self.ca.context("localhost", "127.0.0.1")))
        except BaseException:
            self.close()
            raise
        (self.nginx.www / "doc.xml").write_bytes(DOC)
        os.utime(self.nginx.www / "doc.xml", (time.time() - 60, time.time() - 60))  # one of this very second is no condition
        (self.nginx.www / "data.bin").write_bytes(DATA)

    def keep(self, server: Any) -> Any:
        self.open.append(server)
        return server

    def close(self) -> None:
        for server in self.open:
            server.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("fetch"))
    yield made
    made.close()


def path_of(name: str) -> str:
    return f"/{next(number)}-" + re.sub(r"[^a-z0-9]+", "-", name)


# -- documents that are refused --------------------------------------------------------------------------------------------

def send(*parts: bytes | str) -> Callable[[Conversation, Request], None]:
    def handler(c: Conversation, r: Request) -> None:
        c.send(*parts)
    return handler


def forever(first: bytes, more: bytes, pause: float = 0) -> Callable[[Conversation, Request], None]:
    def handler(c: Conversation, r: Request) -> None:
        alive = c.send(first)
        while alive:
            alive = c.send(more)
            if pause:
                c.wait(pause)
    return handler


def reset(c: Conversation, r: Request) -> None:
    c.send(head(200, Content_Length=len(DOC)), DOC[:100])
    c.reset()


def silent(c: Conversation, r: Request) -> None:
    c.wait(8)


def half_then_silent(c: Conversation, r: Request) -> None:
    c.send(head(200, Content_Length=len(DOC)), DOC[:100])
    c.wait(8)


def to(location: str, status: int = 302) -> Callable[[Conversation, Request], None]:
    return send(answer(status, b"moved", Location=location))


def loop(c: Conversation, r: Request) -> bool:
    return c.send(answer(302, Location=r.path))


@dataclass
class Bad:
    name: str
    handler: Callable[[Conversation, Request], Any]
    error: str
    words: str
    args: tuple[str, ...] = ()
    asked: int | None = 1                                            # how often, where that is fixed
    tls: bool = False


OK = "HTTP/1.1 200 OK\r\n"
BAD = [
    Bad("nothing at all", send(), "input/output", "closed without an answer", FAST, None),
    Bad("reset in the body", reset, "input/output", "the connection broke", FAST, 2),
    Bad("half of the body", send(head(200, Content_Length=len(DOC)), DOC[:100]), "input/output", "cut off", FAST, 2),
    Bad("chunks without an end", send(head(200, Transfer_Encoding="chunked"), chunk(DOC)), "input/output", "cut off", FAST, 2),
    Bad("a chunk of no length", send(head(200, Transfer_Encoding="chunked"), "zz\r\nabc\r\n0\r\n\r\n"), "input/output", "broke", FAST, 2),
    Bad("a head without an end", send(OK, "ETag: \"a\"\r\n"), "input/output", "cut off in its head", FAST, 2),
    Bad("no length", send("HTTP/1.0 200 OK\r\n\r\n", DOC), "malformed", "a cut would not show"),
    Bad("an endless body", forever(head(200), b"x" * 65536), "malformed", "a cut would not show"),
    Bad("endless chunks", forever(head(200, Transfer_Encoding="chunked"), chunk(b"x" * 4096)), "refused", "sends more than 4096 bytes", ("--cap", "4096")),
    Bad("a length above the limit", forever(head(200, Content_Length=4097), b"x" * 100), "refused", "has 4097 bytes, limit 4096", ("--cap", "4096")),
    Bad("a length above all", send(head(200, Content_Length=2**63 - 1)), "refused", "has 9223372036854775807 bytes"),
    Bad("a length past 64 bits", send(head(200, Content_Length=2**64 + 8), DOC), "malformed", "", asked=1),
    Bad("a negative length", send(head(200, Content_Length="-1"), DOC), "malformed", ""),
    Bad("two lengths", send(OK, "Content-Length: 10\r\nContent-Length: 11\r\n\r\n", DOC), "malformed", "two different values of Content-Length"),
    Bad("two lengths in one", send(OK, "Content-Length: 10, 10\r\n\r\n", DOC), "malformed", "Content-Length"),
    Bad("length and chunks", send(head(200, Content_Length=5, Transfer_Encoding="chunked"), "0\r\n\r\n"), "malformed", "chunks as well"),
    Bad("compressed", send(answer(200, DOC, Content_Encoding="gzip")), "malformed", "Content-Encoding"),
    Bad("compressed on the way", send(head(200, Transfer_Encoding="gzip"), DOC), "malformed", "Transfer-Encoding"),
    Bad("HTTP/0.9", send(DOC), "malformed", "no HTTP/1"),
    Bad("another protocol", send("SSH-2.0-OpenSSH_9.2\r\n"), "malformed", "no HTTP/1"),
    Bad("HTTP/2 in words", send("HTTP/2 200\r\nContent-Length: 0\r\n\r\n"), "malformed", ""),
    Bad("a status of two digits", send("HTTP/1.1 20\r\nContent-Length: 0\r\n\r\n"), "malformed", ""),
    Bad("a status of 999", send("HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n"), "malformed", ""),
    Bad("an endless line in the head", forever(OK.encode() + b"X: ", b"x" * 65536), "limit", "head"),
    Bad("endless headers", forever(OK.encode(), b"X: y\r\n" * 50), "limit", "more than 300 lines"),
    Bad("large headers", forever(OK.encode(), b"X: " + b"y" * 8000 + b"\r\n"), "limit", "more than 65536 bytes"),
    Bad("endless interim answers", forever(b"", b"HTTP/1.1 103 Early\r\nX: y\r\n\r\n"), "limit", "more than 300 lines"),
    Bad("a header in two lines", send(OK, "ETag: \"a\"\r\n \"b\"\r\nContent-Length: 0\r\n\r\n"), "malformed", "second line"),
    Bad("a header without a colon", send(OK, "Content-Length\r\n\r\n"), "malformed", ""),
    Bad("a space before the colon", send(OK, "Content-Length : 3\r\n\r\nabc"), "malformed", "space before its colon"),
    Bad("a NUL in the head", send(OK, "X: a\0b\r\nContent-Length: 0\r\n\r\n"), "malformed", ""),
    Bad("an escape in the head", send(OK, "X: \x1b[2J\r\nContent-Length: 0\r\n\r\n"), "malformed", "byte 0x1b"),
    Bad("an escape as the status's words", send("HTTP/1.1 404 \x1b[2J\r\nContent-Length: 0\r\n\r\n"), "malformed", "byte 0x1b"),
    Bad("a part that nobody asked for", send(answer(206, DOC, Content_Range=f"bytes 0-{len(DOC) - 1}/{len(DOC)}")), "malformed", "a part where all was asked"),
    Bad("not modified without a condition", send(head(304)), "malformed", "has no condition"),
    Bad("not modified, and another ETag", send(head(304, ETag='"b"')), "malformed", "other than the one", ("--etag", '"a"')),
    Bad("no content", send(head(204)), "malformed", "status 204"),
    Bad("many choices", send(answer(300, DOC, Location="/x")), "malformed", "status 300"),
    Bad("use a proxy", send(answer(305, Location="http://127.0.0.1:1/")), "malformed", "status 305"),
    Bad("redirect to nowhere", send(answer(302)), "malformed", "without saying where"),
    Bad("redirect in a circle", loop, "limit", "redirects more than 5 times", asked=6),
    Bad("redirect to a file", to("file:///etc/hostname"), "malformed", "to a file"),
    Bad("redirect to ftp", to("ftp://127.0.0.1/x"), "malformed", "neither https:// nor http://"),
    Bad("redirect to data", to("data:text/xml,feed"), "malformed", "neither https:// nor http://"),
    Bad("redirect with a login", to("http://a:b@127.0.0.1/"), "malformed", "a login"),
    Bad("redirect to http elsewhere", to("http://updates.example/x"), "malformed", "http://updates.example, and http is not allowed"),
    Bad("redirect to a number", to("http://2130706433/"), "malformed", "is a number"),
    Bad("redirect with a backslash", to("/\\updates.example/"), "malformed", "byte 0x5c"),
    Bad("redirect to two places", send("HTTP/1.1 302 X\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"), "malformed", "two different values of Location"),
    Bad("redirect to a long place", to("/" + "x" * 5000), "limit", "Location"),
    Bad("redirect from https to http", to("http://127.0.0.1:1/x"), "malformed", "from https to http://127.0.0.1:1, which is weaker", tls=True),
    Bad("not there, and an endless page about it", forever(head(404), b"x" * 65536), "absent", "status 404"),
    Bad("gone", send(answer(410)), "absent", "status 410"),
    Bad("login wanted", send(answer(401, WWW_Authenticate="Basic realm=x")), "access", "wants a login"),
    Bad("forbidden", send(answer(403, b"no", Content_Encoding="gzip")), "access", "status 403"),
    Bad("bad request", send(answer(400)), "malformed", "status 400"),
    Bad("server error", send(answer(500)), "input/output", "cannot answer now (status 500)", FAST, 2),
    Bad("busy", send(answer(503)), "input/output", "status 503", ("--tries", "3", "--backoff", "10"), 3),
    Bad("too many", send(answer(429)), "input/output", "status 429", FAST, 2),
    Bad("asked to come much later", send(answer(503, Retry_After="7200")), "input/output", "left alone for 7200 s"),
    Bad("asked to come on another day", send(answer(503, Retry_After=formatdate(time.time() + 90000, usegmt=True))), "input/output", "left alone for 8"),
    Bad("no time for another try", send(answer(503, Retry_After="9")), "input/output", "no time is left", ("--deadline", "3")),
    Bad("silence", silent, "timeout", "no byte came for 1 s", (*ONCE, "--stall", "1")),
    Bad("silence in the body", half_then_silent, "timeout", "no byte came for 1 s", (*ONCE, "--stall", "1")),
    Bad("a byte now and then in the head", forever(b"H", b"", 0.2), "timeout", "", (*ONCE, "--stall", "1")),
    Bad("a header now and then", forever(OK.encode(), b"X: y\r\n", 0.3), "timeout", "not done after 2 s", ("--deadline", "2")),
    Bad("a byte now and then", forever(head(200, Content_Length=1000), b"x", 0.3), "timeout", "not done after 2 s", ("--deadline", "2")),
    Bad("no length, by https", send(head(200), DOC[:100]), "malformed", "a cut would not show", tls=True),
    Bad("cut off by https", send(head(200, Transfer_Encoding="chunked"), chunk(DOC)), "input/output", "cut off", FAST, 2, True),
    Bad("cut off by https in the head", send("HTTP/1.1 200 OK\r\nContent-Le"), "input/output", "cut off in its head", FAST, 2, True),
]


@pytest.mark.parametrize("bad", BAD, ids=[b.name for b in BAD])
def test_document_is_refused(world: World, bad: Bad) -> None:
    server = world.tls if bad.tls else world.plain
    url = server.on(path_of(bad.name), bad.handler)
    got = fetch("--ca", world.ca.file, *bad.args, "bytes", url)
    assert (got.code, got.error) == (1, bad.error), got
    assert bad.words in got.text, got.text
    assert f"127.0.0.1:{server.port}: " in got.text, got.text
    assert got.lines == []
    if bad.asked is not None:
        assert len(server.asked(url[url.index("/", 9):])) == bad.asked


def test_interrupted_answers_are_tried_again(world: World) -> None:
    answers = [answer(500), head(200, Content_Length=len(DOC)) + DOC[:9], b"", answer(200, DOC, ETag='"v1"')]
    left = iter(answers)
    got = fetch("--backoff", "10", "bytes", world.plain.on(path_of("again"), lambda c, r: c.send(next(left)) and False))
    assert got.code == 0 and got.lines[0][:4] == ["new", str(len(DOC)), sha(DOC), '"v1"'], got


def test_retry_after_is_kept_to(world: World) -> None:
    left = iter([answer(429, Retry_After="1"), answer(200, DOC)])
    got = fetch("--backoff", "1", "bytes", world.plain.on(path_of("later"), lambda c, r: c.send(next(left)) and False))
    assert got.code == 0 and 1 <= got.seconds < 5, got


def test_waits_grow_and_vary(world: World) -> None:
    times: dict[str, list[float]] = {}
    for seed in ("1", "2"):
        path = path_of("waits" + seed)
        url = world.plain.on(path, lambda c, r: times.setdefault(seed, []).append(time.monotonic()) or c.send(answer(503)))
        assert fetch("--tries", "4", "--backoff", "100", "--seed", seed, "bytes", url).error == "input/output"
    waits = {seed: [b - a for a, b in zip(t, t[1:])] for seed, t in times.items()}
    for three in waits.values():
        assert len(three) == 3
        for wait, least in zip(three, (0.05, 0.1, 0.2)):
            assert least <= wait < 4 * least + 0.3, waits
    assert max(abs(a - b) for a, b in zip(*waits.values())) > 0.002, waits


# -- documents that come ---------------------------------------------------------------------------------------------------

GOOD: dict[str, Callable[[Conversation, Request], Any]] = {
    "length": send(answer(200, DOC)),
    "chunks": send(head(200, Transfer_Encoding="chunked"), chunk(DOC[:100]), chunk(DOC[100:]), "0\r\n\r\n"),
    "chunks and a trailer": send(head(200, Transfer_Encoding="chunked"), chunk(DOC), "0\r\nETag: \"late\"\r\n\r\n"),
    "of HTTP/1.0": send(f"HTTP/1.0 200 OK\r\nContent-Length: {len(DOC)}\r\n\r\n", DOC),
    "bare line feeds": send(f"HTTP/1.1 200 OK\nContent-Length: {len(DOC)}\n\n", DOC),
    "after an interim answer": send("HTTP/1.1 103 Early\r\nETag: \"no\"\r\n\r\n", answer(200, DOC)),
    "of the same length twice": send(OK, f"Content-Length: {len(DOC)}\r\nContent-Length: {len(DOC)}\r\n\r\n", DOC),
    "in the encoding identity": send(answer(200, DOC, Content_Encoding="identity")),
    "with an odd ETag": send(answer(200, DOC, ETag="odd")),
}


@pytest.mark.parametrize("name", GOOD)
def test_document_comes(world: World, name: str) -> None:
    got = fetch("bytes", world.plain.on(path_of(name), GOOD[name]))
    assert got.code == 0 and got.lines[0][:4] == ["new", str(len(DOC)), sha(DOC), ""], got


def test_what_is_asked(world: World) -> None:
    path = path_of("asked")
    got = fetch("--etag", 'W/"x"', "--date", "Sun, 06 Nov 1994 08:49:37 GMT", "--past-caches", "bytes", world.plain.on(path, send(answer(200, DOC))))
    assert got.code == 0
    asked = world.plain.asked(path)[0]
    assert asked.line == f"GET {path} HTTP/1.1"
    assert asked.headers == {"host": f"127.0.0.1:{world.plain.port}", "user-agent": "surefoot-test/1", "accept": "*/*", "accept-encoding": "identity",
                             "cache-control": "no-cache", "if-none-match": 'W/"x"', "if-modified-since": "Sun, 06 Nov 1994 08:49:37 GMT"}


def test_not_modified(world: World) -> None:
    url = f"https://localhost:{world.nginx.tls}/doc.xml"
    first = fetch("--ca", world.ca.file, "bytes", url)
    assert first.code == 0
    status, size, digest, etag, date, where = first.lines[0]
    assert (status, size, digest, where) == ("new", str(len(DOC)), sha(DOC), url) and etag and date
    assert fetch("--ca", world.ca.file, "--etag", etag, "bytes", url).lines == [["same", "0", "-", etag, date, url]]
    assert fetch("--ca", world.ca.file, "--date", date, "bytes", url).lines == [["same", "0", "-", etag, date, url]]
    assert fetch("--ca", world.ca.file, "--etag", '"other"', "bytes", url).lines[0][0] == "new"
    bare = world.plain.on(path_of("bare 304"), send(head(304)))
    assert fetch("--etag", '"mine"', "bytes", bare).lines == [["same", "0", "-", '"mine"', "", bare]]


def test_connection_is_used_again(world: World) -> None:
    url = f"https://127.0.0.1:{world.nginx.tls}/doc.xml"
    before = len(world.nginx.requests())
    assert len(fetch("--ca", world.ca.file, "bytes", url, url, url).lines) == 3
    asked = world.nginx.requests()[before:]
    assert len(asked) == 3 and len({connection for connection, *_ in asked}) == 1, asked


def test_connection_is_used_again_after_a_refusal(world: World) -> None:
    """The page about what is not there is read to its end."""
    path, ports = path_of("keep"), []

    def handler(c: Conversation, r: Request) -> bool:
        ports.append(c.raw.getpeername()[1])
        return c.send(answer(200 if len(ports) > 1 else 503, DOC))
    assert fetch("--backoff", "10", "bytes", world.plain.on(path, handler)).code == 0
    assert len(ports) == 2 and len(set(ports)) == 1


def test_ipv6(world: World) -> None:
    url = f"https://[::1]:{world.nginx.tls}/doc.xml"
    assert fetch("--ca", world.ca.file, "bytes", url).lines[0][2] == sha(DOC)


def test_redirects_are_followed(world: World) -> None:
    assert fetch("--ca", world.ca.file, "bytes", f"https://127.0.0.1:{world.nginx.tls}/away").lines[0][5] == f"https://localhost:{world.nginx.tls}/doc.xml"
    path = path_of("hops")
    for n, (status, location) in enumerate([(301, f"{path}1"), (302, f"//127.0.0.1:{world.plain.port}{path}2"), (303, f"{path[1:]}3"), (307, f"{path}4#x"), (308, f"{path}5?y=1")]):
        world.plain.on(f"{path}{n or ''}", to(location, status))
    world.plain.on(f"{path}5", send(answer(200, DOC)))
    assert fetch("bytes", world.plain.url(path)).lines[0][5] == world.plain.url(f"{path}5?y=1")
    secure = world.plain.on(path_of("to https"), to(f"https://localhost:{world.nginx.tls}/doc.xml"))
    assert fetch("--ca", world.ca.file, "bytes", secure).code == 0


def test_limit_is_exact(world: World) -> None:
    for handler in (send(answer(200, DOC)), send(head(200, Transfer_Encoding="chunked"), chunk(DOC), "0\r\n\r\n")):
        url = world.plain.on(path_of("exact"), handler)
        assert fetch("--cap", len(DOC), "bytes", url).code == 0
        assert fetch("--cap", len(DOC) - 1, "bytes", url).error == "refused"


def test_settings_that_make_no_sense(world: World) -> None:
    url = world.plain.on(path_of("settings"), send(answer(200, DOC)))
    junk = world.folder / "junk.pem"
    junk.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", encoding="ascii")
    for args, words in [(("--etag", '"a"\r\nX: y'), "ETag"), (("--etag", "a"), "ETag"), (("--date", "yesterday"), "date"), (("--agent", "a\r\nX: y"), "agent"),
                        (("--agent", ""), "agent"), (("--stall", "0"), "stall"), (("--deadline", "0"), "deadline"), (("--tries", "99"), "tries"),
                        (("--proxy", "file:///x"), "proxy"), (("--proxy", "http://a", "--login", "nobody"), "USER:PASSWORD"),
                        (("--proxy", "http://a", "--login", "a:b\n"), "control")]:
        got = fetch(*args, "bytes", url)
        assert got.error == "argument" and words in got.text, got
    assert fetch("bytes", "http://updates.example/x").error == "argument"
    assert fetch("bytes", "ftp://updates.example/x").error == "malformed"
    got = fetch("--ca", junk, "bytes", f"https://127.0.0.1:{world.nginx.tls}/doc.xml")
    assert got.error == "argument" and "certificates" in got.text, got
    assert not world.plain.asked(url[url.index("/", 9):])


# -- TLS -------------------------------------------------------------------------------------------------------------------

def old_tls(context: ssl.SSLContext) -> ssl.SSLContext:
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


TLS = {
    "self-signed": (lambda w: w.ca.context("127.0.0.1", self_signed=True), "access", "does not prove"),
    "another name": (lambda w: w.ca.context("updates.example"), "access", "does not prove"),
    "another address": (lambda w: w.ca.context("127.0.0.2", "localhost"), "access", "does not prove"),
    "expired": (lambda w: w.ca.context("127.0.0.1", before=20, after=-10), "access", "does not prove"),
    "not yet": (lambda w: w.ca.context("127.0.0.1", before=-10), "access", "does not prove"),
    "another CA": (lambda w: kit.Ca(w.folder, "other").context("127.0.0.1"), "access", "does not prove"),
    "for clients": (lambda w: w.ca.context("127.0.0.1", usage=kit.ExtendedKeyUsageOID.CLIENT_AUTH), "access", "does not prove"),
    "TLS 1.1": (lambda w: old_tls(w.ca.context("127.0.0.1")), "input/output", "no TLS connection"),
}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("name", TLS)
def test_server_must_prove_itself(world: World, name: str) -> None:
    make, error, words = TLS[name]
    server = Hostile(make(world))
    try:
        got = fetch("--ca", world.ca.file, *FAST, "bytes", server.on("/x", send(answer(200, DOC))))
    finally:
        server.close()
    assert (got.error, got.code) == (error, 1) and words in got.text, got
    assert server.seen == []


def test_given_certificates_and_the_system_are_apart(world: World) -> None:
    """Without --ca the system's count, which ours are not among; no variable of the environment adds any."""
    url = f"https://127.0.0.1:{world.nginx.tls}/doc.xml"
    ca = str(world.ca.file)
    got = fetch("bytes", url, env={"SSL_CERT_FILE": ca, "SSL_CERT_DIR": str(world.folder), "CURL_CA_BUNDLE": ca, "CURL_HOME": str(world.folder)})
    assert got.error == "access" and "does not prove" in got.text, got


def test_plain_and_tls_at_the_wrong_door(world: World) -> None:
    got = fetch("--ca", world.ca.file, *ONCE, "bytes", f"https://127.0.0.1:{world.nginx.plain}/x")
    assert got.error == "input/output" and "TLS" in got.text, got
    got = fetch(*ONCE, "bytes", f"http://127.0.0.1:{world.nginx.tls}/x")
    assert (got.error, got.text.partition(": ")[2]) == ("malformed", "answers with status 400, where a document was asked"), got


def test_environment_configures_nothing(world: World) -> None:
    conf = world.folder / "openssl.cnf"
    conf.write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = TLSv1.3\nMaxProtocol = TLSv1\nOptions = nonsense\n", encoding="ascii")
    (world.folder / ".curlrc").write_text('proxy = "http://127.0.0.1:1"\n', encoding="ascii")
    (world.folder / ".netrc").write_text("machine 127.0.0.1 login a password b\n", encoding="ascii")
    dead = "http://127.0.0.1:1"
    path = path_of("environment")
    got = fetch("bytes", world.plain.on(path, send(answer(200, DOC))), env={"HOME": str(world.folder), "http_proxy": dead, "ALL_PROXY": dead, "all_proxy": dead})
    assert got.code == 0 and "authorization" not in world.plain.asked(path)[0].headers, got
    got = fetch("--ca", world.ca.file, "bytes", f"https://127.0.0.1:{world.nginx.tls}/doc.xml", env={"OPENSSL_CONF": str(conf), "HTTPS_PROXY": dead, "https_proxy": dead})
    assert got.code == 0, got


@pytest.mark.skipif(os.geteuid() != 0, reason="only where we are elevated")
def test_keys_are_not_written_down(world: World) -> None:
    keys = world.folder / "keys.log"
    got = fetch("--ca", world.ca.file, "bytes", f"https://127.0.0.1:{world.nginx.tls}/doc.xml", env={"SSLKEYLOGFILE": str(keys)})
    assert got.code == 0 and not keys.exists(), got


def test_no_connection() -> None:
    got = fetch(*FAST, "bytes", f"http://127.0.0.1:{kit.free_port()}/x")
    assert got.error == "input/output" and "no connection" in got.text, got


# -- proxies ---------------------------------------------------------------------------------------------------------------

def test_proxy_with_login(world: World) -> None:
    path = path_of("proxied")
    url = world.tls.on(path, send(answer(200, DOC)))
    got = fetch("--ca", world.ca.file, "--proxy", world.proxy.url, "--login", kit.LOGIN, "bytes", url)
    assert got.code == 0 and got.lines[0][2] == sha(DOC), got
    assert "CONNECT" in world.proxy.log.read_text(encoding="utf-8")
    assert not [name for name in world.tls.asked(path)[0].headers if "auth" in name]


def test_proxy_for_http_that_is_allowed(world: World) -> None:
    before = world.proxy.log.read_text(encoding="utf-8").count("Request")
    got = fetch("--allow-http", "--proxy", world.proxy.url, "--login", kit.LOGIN, "bytes", f"http://127.0.0.1:{world.nginx.plain}/doc.xml")
    assert got.code == 0 and got.lines[0][2] == sha(DOC), got
    assert world.proxy.log.read_text(encoding="utf-8").count("Request") > before


def test_proxy_of_the_system(world: World) -> None:
    url = world.tls.on(path_of("system proxy"), send(answer(200, DOC)))
    through = {"https_proxy": f"http://127.0.0.1:{world.proxy.port}"}
    got = fetch("--ca", world.ca.file, *ONCE, "--proxy", "system", "bytes", url, env=through)
    assert got.error == "access" and "407" in got.text, got
    assert fetch("--ca", world.ca.file, "--proxy", "system", "bytes", url, env={**through, "no_proxy": "127.0.0.1"}).code == 0
    assert fetch("--ca", world.ca.file, "--proxy", "none", "bytes", url, env=through).code == 0
    assert fetch("--ca", world.ca.file, *ONCE, "--proxy", world.proxy.url, "bytes", url, env={"no_proxy": "*"}).error == "access"


def test_http_of_this_machine_goes_past_the_proxy(world: World) -> None:
    url = world.plain.on(path_of("direct"), to(f"https://127.0.0.1:{world.nginx.tls}/doc.xml"))
    near = world.plain.on(path_of("near"), send(answer(200, DOC)))
    dead = f"http://127.0.0.1:{kit.free_port()}"
    assert fetch("--proxy", dead, "bytes", near).code == 0
    assert fetch("--proxy", "system", "bytes", near, env={"http_proxy": dead}).code == 0
    got = fetch("--ca", world.ca.file, *ONCE, "--proxy", dead, "bytes", url)
    assert got.error == "input/output" and "no connection" in got.text, got


@pytest.mark.parametrize("login", [(), ("--login", "porter:wrong"), ("--login", "porter:s3cret2")])
def test_proxy_refuses_the_login(world: World, login: tuple[str, ...]) -> None:
    url = world.tls.on(path_of("no login"), send(answer(200, DOC)))
    got = fetch("--ca", world.ca.file, "--proxy", world.proxy.url, *login, "bytes", url)
    assert got.error == "access" and "the proxy wants another login" in got.text and "porter" not in got.text, got
    got = fetch("--allow-http", "--proxy", world.proxy.url, *login, "bytes", f"http://127.0.0.1:{world.nginx.plain}/doc.xml")
    assert got.error == "access" and "login" in got.text and "porter" not in got.text, got


def test_login_is_sent_as_it_is(world: World) -> None:
    """Nothing in it is decoded; what follows the first colon is the password."""
    login, seen = "por%74er:s3%41:x @/\u00fc", []
    proxy = Hostile()
    url = f"https://127.0.0.1:{kit.free_port()}/x"

    def ask(c: Conversation, r: Request) -> bool:
        seen.append(r.headers.get("proxy-authorization"))
        return c.send(answer(407, Proxy_Authenticate='Basic realm="x"') if len(seen) == 1 else answer(403))
    proxy.handlers = {url[8:-2]: ask}
    got = fetch("--ca", world.ca.file, "--proxy", f"http://127.0.0.1:{proxy.port}", "--login", login, "bytes", url)
    proxy.close()
    assert got.error == "access" and seen == [None, "Basic " + base64.b64encode(login.encode()).decode()], (got, seen)


def test_proxy_fails(world: World) -> None:
    url = f"https://127.0.0.1:{kit.free_port()}/x"
    got = fetch("--ca", world.ca.file, *ONCE, "--proxy", world.proxy.url, "--login", kit.LOGIN, "bytes", url)
    assert got.error == "input/output" and "the proxy" in got.text, got
    for said, error in [(answer(403), "access"), (answer(502), "input/output"), (b"junk\r\n\r\n", "input/output"), (b"", "input/output"),
                        (b"HTTP/1.1 200 OK\r\n\r\n", "input/output"), (answer(302, Location="https://127.0.0.1/"), "input/output")]:
        liar = Hostile()
        liar.handlers = {url[8:-2]: send(said)}
        got = fetch("--ca", world.ca.file, *FAST, "--proxy", f"http://127.0.0.1:{liar.port}", "--login", kit.LOGIN, "bytes", url)
        liar.close()
        assert (got.code, got.error) == (1, error), (said, got)


# -- local media -----------------------------------------------------------------------------------------------------------

def test_local_media(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b/\u00fc.xml").write_bytes(DOC)
    os.mkfifo(tmp_path / "fifo")
    there = tmp_path.as_uri() + "/a%20b/%C3%BC.xml"
    assert fetch("bytes", there).lines == [["new", str(len(DOC)), sha(DOC), "", "", there]]
    assert fetch("--etag", '"a"', "bytes", there).lines[0][0] == "new"
    for url, error, args in [(there, "refused", ("--cap", "10")), (tmp_path.as_uri() + "/none", "absent", ()), (tmp_path.as_uri() + "/a%20b", "argument", ()),
                             (tmp_path.as_uri() + "/fifo", "argument", ()), ("file:///dev/zero", "argument", ()), (tmp_path.as_uri() + "/a%00", "malformed", ()),
                             (there + "?x", "malformed", ()), ("file://localhost/etc/hostname", "malformed", ())]:
        got = fetch(*args, "bytes", url)
        assert got.error == error and got.seconds < 3, got


def test_file_from_local_media_goes_on(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(DATA)
    out = tmp_path / "out"
    out.mkdir()
    (out / "x.part").write_bytes(DATA[:1000])
    assert get(out, (tmp_path / "data").as_uri()).lines == [["done", "0", "1000", str(len(DATA) - 1000), "1"]]
    assert whole(out)


# -- files -----------------------------------------------------------------------------------------------------------------

def get(out: Path, *urls: str, args: tuple[str | Path, ...] = FAST, data: bytes = DATA, before: Callable[[], None] | None = None) -> Fetched:
    return fetch(*args, "file", out / "x", len(data), sha(data), *urls, before=before)


def whole(out: Path, data: bytes = DATA) -> bool:
    """The file is there, private, and alone."""
    assert [f.name for f in out.iterdir()] == ["x"]
    assert (out / "x").stat().st_mode & 0o777 == 0o600
    return (out / "x").read_bytes() == data


def left(out: Path) -> list[str]:
    return sorted(f.name for f in out.iterdir())


def server_of(data: bytes = DATA, cut: int | None = None, **headers: str | int) -> Callable[[Conversation, Request], Any]:
    """Serves parts as it should; with `cut` it breaks off after so many bytes of body, each time."""
    def handler(c: Conversation, r: Request) -> None:
        said = part_of(data, r.start(), **headers)
        c.send(said if cut is None else said[:said.index(b"\r\n\r\n") + 4 + cut])
    return handler


def test_file_from_nginx(world: World, tmp_path: Path) -> None:
    got = get(tmp_path, f"https://localhost:{world.nginx.tls}/data.bin", args=("--ca", world.ca.file))
    assert got.code == 0 and got.lines == [["done", "0", "0", str(len(DATA)), "1"]], got
    assert whole(tmp_path)


def test_file_goes_on_where_it_was_cut_off(world: World, tmp_path: Path) -> None:
    path = path_of("cut")
    got = get(tmp_path, world.plain.on(path, server_of(cut=110_000, ETag='"v1"')), args=("--tries", "5", "--backoff", "5"))
    assert got.code == 0 and got.lines == [["done", "0", "0", str(len(DATA)), "3"]], got
    assert whole(tmp_path)
    asked = [(r.headers.get("range"), r.headers.get("if-range")) for r in world.plain.asked(path)]
    assert asked == [(None, None), ("bytes=110000-", '"v1"'), ("bytes=220000-", '"v1"')]


def test_file_that_moves_on_is_not_given_up(world: World, tmp_path: Path) -> None:
    """A megabyte and more each time: no try of the two was in vain."""
    path = path_of("slowly on")
    got = get(tmp_path, world.plain.on(path, server_of(LONG, cut=1_100_000)), data=LONG)
    assert got.code == 0 and len(world.plain.asked(path)) == 3, got
    assert whole(tmp_path, LONG)


def test_weak_etag_is_no_validator(world: World, tmp_path: Path) -> None:
    path = path_of("weak")
    assert get(tmp_path, world.plain.on(path, server_of(cut=200_000, ETag='W/"v1"'))).code == 0
    assert [r.headers.get("if-range") for r in world.plain.asked(path)] == [None, None]


def test_later_call_goes_on(world: World, tmp_path: Path) -> None:
    url = f"https://localhost:{world.nginx.tls}/data.bin"
    first = world.plain.on(path_of("first call"), server_of(cut=123_456))
    got = get(tmp_path, first, args=ONCE)
    assert got.error == "input/output" and "cut off" in got.text, got
    assert left(tmp_path) == ["x.part"] and (tmp_path / "x.part").read_bytes() == DATA[:123_456]
    assert (tmp_path / "x.part").stat().st_mode & 0o777 == 0o600
    before = len(world.nginx.requests())
    got = get(tmp_path, url, args=("--ca", world.ca.file))
    assert got.lines == [["done", "0", "123456", str(len(DATA) - 123_456), "1"]], got
    assert whole(tmp_path)
    assert world.nginx.requests()[before][2:4] == ["206", "bytes=123456-"]


def test_stopped_by_the_caller(world: World, tmp_path: Path) -> None:
    url = world.plain.on(path_of("stopped"), server_of())
    got = get(tmp_path, url, args=("--rate", "100000", "--stop-after", "60000"))
    assert (got.error, got.text) == ("busy", "stopped by hand") and left(tmp_path) == ["x.part"], got
    assert get(tmp_path, url).code == 0 and whole(tmp_path)


def test_rate_limit(world: World, tmp_path: Path) -> None:
    got = get(tmp_path, f"https://localhost:{world.nginx.tls}/data.bin", args=("--ca", world.ca.file, "--rate", "150000", "--stall", "1"))
    assert got.code == 0 and 1.2 <= got.seconds <= 6, got.seconds
    assert whole(tmp_path)


def test_mirrors_in_their_order(world: World, tmp_path: Path) -> None:
    names = ("gone", "wrong", "long", "short", "busy", "good")
    handlers = (send(answer(410)), send(answer(200, DATA[::-1])), send(answer(200, DATA + b"x")), send(answer(200, DATA[:-1])), send(answer(503)), server_of())
    urls = [world.plain.on(path_of(name), handler) for name, handler in zip(names, handlers)]
    got = get(tmp_path, f"http://127.0.0.1:{kit.free_port()}/none", *urls)
    assert got.code == 0 and got.lines[0][1] == "6", got
    assert whole(tmp_path)
    assert [r.path.partition("-")[2] for r in world.plain.seen[-6:]] == list(names)


def test_next_mirror_goes_on(world: World, tmp_path: Path) -> None:
    path = path_of("second")
    got = get(tmp_path, world.plain.on(path_of("first"), server_of(cut=100_000, ETag='"a"')), world.plain.on(path, server_of(ETag='"b"')))
    assert got.lines == [["done", "1", "0", str(len(DATA)), "2"]], got
    assert world.plain.asked(path)[0].headers["range"] == "bytes=100000-" and "if-range" not in world.plain.asked(path)[0].headers
    assert whole(tmp_path)


def test_all_mirrors_fail(world: World, tmp_path: Path) -> None:
    gone, wrong, busy = (world.plain.on(path_of(n), h) for n, h in [("gone", send(answer(404))), ("wrong", send(answer(200, DATA[::-1]))), ("busy", send(answer(503)))])
    assert get(tmp_path, gone, wrong).error == "absent"
    assert get(tmp_path, wrong, gone).error == "refused"
    assert get(tmp_path, gone, busy, wrong).error == "input/output"
    assert left(tmp_path) == []


def wrong_part(**wrong: int) -> Callable[[Conversation, Request], None]:
    """Answers to parts with a Content-Range that is off, and to the whole well."""
    def handler(c: Conversation, r: Request) -> None:
        start = r.start()
        first, last, total = start + wrong.get("first", 0), len(DATA) - 1 + wrong.get("last", 0), len(DATA) + wrong.get("total", 0)
        c.send(part_of(DATA, start, **({"Content_Range": f"bytes {first}-{last}/{total}"} if start else {})))
    return handler


def raw_part(content_range: str | None, body: bytes) -> Callable[[Conversation, Request], None]:
    def handler(c: Conversation, r: Request) -> None:
        headers = {} if content_range is None else {"Content_Range": content_range}
        c.send(answer(206, body, **headers) if r.start() else answer(200, DATA))
    return handler


def other_version(c: Conversation, r: Request) -> None:
    """The file changed between the parts, and If-Range is not heeded."""
    c.send(part_of(DATA, r.start(), ETag='"v2"') if r.start() else head(200, Content_Length=len(DATA), ETag='"v1"') + b"old" * 20_000)


PARTS: dict[str, Callable[[Conversation, Request], Any]] = {
    "starts before": wrong_part(first=-1),
    "starts after": wrong_part(first=1),
    "ends before": wrong_part(last=-1),
    "of a longer file": wrong_part(total=1),
    "of a shorter file": wrong_part(last=-1, total=-1),
    "from the beginning": raw_part(f"bytes 0-{len(DATA) - 1}/{len(DATA)}", DATA),
    "of unknown length": raw_part(f"bytes 50000-{len(DATA) - 1}/*", DATA[50_000:]),
    "that says nothing": raw_part(None, DATA[50_000:]),
    "in several pieces": raw_part(None, b"--x\r\nContent-Range: bytes 50000-50001/300000\r\n\r\nab\r\n--x--"),
    "none of it": lambda c, r: c.send(answer(416, Content_Range=f"bytes */{len(DATA)}") if r.start() else answer(200, DATA)) and False,
    "all of it again": send(answer(200, DATA)),
    "of other bytes": raw_part(f"bytes 50000-{len(DATA) - 1}/{len(DATA)}", DATA[:250_000]),
    "of more bytes": raw_part(f"bytes 50000-{len(DATA) - 1}/{len(DATA)}", DATA[50_000:] + b"x"),
}


@pytest.mark.parametrize("name", PARTS)
def test_part_that_was_not_asked_for(world: World, tmp_path: Path, name: str) -> None:
    """It is not joined to what is here: all of it is asked for, once; or, where the server sends too much, the next mirror is."""
    (tmp_path / "x.part").write_bytes(DATA[:50_000])
    path = path_of("part " + name)
    got = get(tmp_path, world.plain.on(path, PARTS[name]), world.plain.on(path_of("spare"), send(answer(200, DATA))), args=ONCE)
    assert got.code == 0, got
    assert got.lines[0][1] == ("1" if name == "of more bytes" else "0"), got
    assert whole(tmp_path)
    asked = [r.headers.get("range") for r in world.plain.asked(path)]
    assert asked == (["bytes=50000-"] if name in ("all of it again", "of more bytes") else ["bytes=50000-", None])


def test_other_version_is_not_joined(world: World, tmp_path: Path) -> None:
    path = path_of("versions")
    got = get(tmp_path, world.plain.on(path, other_version), args=("--tries", "3", "--backoff", "5"))
    assert got.code == 1 and got.error == "input/output" and "cut off" in got.text, got
    assert [r.headers.get("range") for r in world.plain.asked(path)] == [None, "bytes=60000-", None, None]
    assert got.lines[0][3] == str(3 * 60_000), "not a byte of the other version was taken"


def test_left_over_part_is_not_believed(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    out = tmp_path / "out"
    for make in (lambda p: p.write_bytes(b"junk" * 1000), lambda p: p.write_bytes(DATA + b"more"), lambda p: p.write_bytes(DATA), lambda p: p.write_bytes(b"")):
        out.mkdir()
        make(out / "x.part")
        assert get(out, world.plain.on(path_of("left over"), server_of())).code == 0 and whole(out)
        shutil.rmtree(out)
    out.mkdir()
    (out / "x.part").symlink_to(outside)
    got = get(out, world.plain.on(path_of("left link"), server_of()))
    assert got.error == "argument" and outside.read_bytes() == b"mine", got
    shutil.rmtree(out)


BAD_FILES = [
    Bad("more than promised", forever(head(200), b"x" * 65536), "refused", f"more than the {len(DATA)} bytes"),
    Bad("one byte more", send(head(200), DATA, b"x"), "refused", "more than the"),
    Bad("one byte more, and it says so", send(answer(200, DATA + b"x")), "refused", "where it must be 300000"),
    Bad("one byte less, and it says so", send(answer(200, DATA[:-1])), "refused", "where it must be 300000"),
    Bad("another file of that size", send(answer(200, DATA[::-1])), "refused", "sends another file: its SHA-256"),
    Bad("compressed", send(answer(200, DATA, Content_Encoding="zstd")), "malformed", "Content-Encoding"),
    Bad("a part at once", send(answer(206, DATA, Content_Range=f"bytes 0-{len(DATA) - 1}/{len(DATA)}")), "malformed", "a part where all was asked"),
    Bad("a page instead", send(answer(200, b"<html>please log in</html>")), "refused", "has 26 bytes to send"),
    Bad("not there", send(answer(404)), "absent", "status 404"),
    Bad("not modified", send(head(304)), "malformed", "has no condition"),
    Bad("forbidden", send(answer(403)), "access", "status 403"),
    Bad("redirect to a file", to("file:///etc/hostname"), "malformed", "to a file"),
    Bad("redirect to http", to("http://127.0.0.1:1/"), "malformed", "weaker", tls=True),
    Bad("never a range", send(answer(416)), "malformed", "status 416"),
    Bad("nothing", send(), "input/output", "closed without", FAST, None),
    Bad("silence", silent, "timeout", "no byte came", (*ONCE, "--stall", "1")),
]


@pytest.mark.parametrize("bad", BAD_FILES, ids=[b.name for b in BAD_FILES])
def test_file_is_refused(world: World, tmp_path: Path, bad: Bad) -> None:
    server = world.tls if bad.tls else world.plain
    url = server.on(path_of("file " + bad.name), bad.handler)
    got = get(tmp_path, url, args=("--ca", world.ca.file, *bad.args))
    assert (got.code, got.error) == (1, bad.error) and bad.words in got.text, got
    assert f"127.0.0.1:{server.port}: " in got.text, got.text
    assert left(tmp_path) == []
    if bad.asked is not None:
        assert len(server.asked(url[url.index("/", 9):])) == bad.asked


@pytest.mark.parametrize("cut", [0, 1, 65_536, len(DATA) - 1])
def test_file_that_never_ends_is_kept_for_later(world: World, tmp_path: Path, cut: int) -> None:
    """Cut off at the same place each time, whatever is asked for."""
    url = world.plain.on(path_of("stuck"), send(head(200, Content_Length=len(DATA)), DATA[:cut]))
    got = get(tmp_path, url)
    assert got.error == "input/output" and "cut off" in got.text, got
    assert left(tmp_path) == (["x.part"] if cut else [])


def test_refusal_takes_the_part_away(world: World, tmp_path: Path) -> None:
    (tmp_path / "x.part").write_bytes(DATA[:1000])
    assert get(tmp_path, world.plain.on(path_of("gone now"), send(answer(404)))).error == "absent"
    assert left(tmp_path) == []


def test_place_is_taken_or_missing(world: World, tmp_path: Path) -> None:
    path = path_of("taken")
    url = world.plain.on(path, server_of())
    (tmp_path / "x").write_bytes(b"mine")
    (tmp_path / "x.part").write_bytes(b"part")
    assert get(tmp_path, url).error == "exists"
    assert left(tmp_path) == ["x", "x.part"] and (tmp_path / "x").read_bytes() == b"mine"
    assert get(tmp_path / "none", url).error == "absent"
    assert not world.plain.asked(path)
    assert fetch("file", tmp_path / "y", 0, sha(b""), url).error == "argument"


def test_disk_that_takes_no_more(world: World, tmp_path: Path) -> None:
    """A limit on the size of files stands for it: nothing is kept, and no other place is asked."""
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    path = path_of("spare of the disk")
    got = get(tmp_path, world.plain.on(path_of("disk"), server_of()), world.plain.on(path, server_of()), before=limit)
    assert got.error == "limit" and got.text.startswith("the download: cannot write"), got
    assert left(tmp_path) == [] and not world.plain.asked(path)


def test_no_file_is_open_to_others_meanwhile(world: World, tmp_path: Path) -> None:
    seen: list[tuple[int, list[int]]] = []

    def handler(c: Conversation, r: Request) -> None:
        c.send(head(200, Content_Length=len(DATA)), DATA[:200_000])
        c.wait(0.3)
        seen.append((len(left(tmp_path)), [f.stat().st_mode & 0o777 for f in tmp_path.iterdir()]))
        c.send(DATA[200_000:])
    assert get(tmp_path, world.plain.on(path_of("watched"), handler)).code == 0
    # A file without a name, where the file system can do that, is open to nobody at all.
    assert seen in ([(1, [0o600])], [(0, [])]) and whole(tmp_path)
