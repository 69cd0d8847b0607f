"""What the tests of upgrades share, and the real parts that a user has: a Maker who makes releases of the sample product (tests/sample)
with surefoot-publish; a Site, a release folder that nginx serves over TLS; a Machine, a temporary root with an install folder, state,
cache and a product file, on which surefoot runs and the service with it; a Faker, the server that lies."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence
from xml.sax.saxutils import quoteattr

import pytest
from conftest import CRASH, ROOT, SHAPES_SEEN, WRAPPER, schema_of
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from publish_kit import PUBLISH, SUREFOOT

from tests.kit import minisign
from tests.kit.servers import Ca, Hostile, Nginx, answer, free_port

if sys.platform == "win32" or WRAPPER or not shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin"):
    pytest.skip("upgrades are tested on POSIX, and need nginx", allow_module_level=True)

SAMPLE = ROOT / "tests" / "sample"
PARTS = "abcdef"
INI = "[server]\nport = 0\nname = orchard\n\n[records]\nfolder = data\n"
LIMIT_S = 60
DONE, FAILED, USAGE, REFUSED, ABORTED, NOT_SUPPORTED, ROLLED_BACK, ROLLBACK_FAILED, NEWER = 0, 1, 2, 3, 4, 5, 6, 7, 10


def knows(command: str) -> bool:
    """Is this command built into the program?"""
    done = subprocess.run([SUREFOOT, command, "--help"], capture_output=True, check=False, timeout=30)
    return done.returncode == 0


if not knows("upgrade"):
    pytest.skip("this program is built without upgrades", allow_module_level=True)


# -- the maker -------------------------------------------------------------------------------------------------------------


def publish(*words: object, code: int = 0) -> str:
    done = subprocess.run([PUBLISH, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done.stdout


def grow(folder: Path, version: str, schema: int = 1, behave: dict[str, str] | None = None, ini: str = INI,
         extra: dict[str, bytes | str] | None = None, without: Sequence[str] = ()) -> Path:
    """Writes a tree of the sample product. `behave` is how it misbehaves; `extra` more files, of which those in bin/ are programs."""
    files: dict[str, bytes | str] = {"bin/orchard": (SAMPLE / "orchard.py").read_bytes(), "bin/orchardctl": (SAMPLE / "orchardctl.sh").read_bytes(),
                                     "conf/orchard.ini": ini, "lib/version": f"{version}\n", "lib/schema": f"{schema}\n", "share/notes.txt": "Keep dry.\n" * 50,
                                     "share/far/down/below/notes.txt": "In folders that hold nothing else.\n"}
    files |= {f"lib/part-{p}": f"{version}\n{p * 400}\n" for p in PARTS}
    files |= {f"behave/{word}": f"{value}\n" for word, value in (behave or {}).items()}
    files |= extra or {}
    for name, data in files.items():
        if name not in without:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.encode() if isinstance(data, str) else data)
            path.chmod(0o755 if name.startswith("bin/") else 0o644)
    return folder


class KeyPair(minisign.Key):
    """A key that surefoot-publish made, with which the tests sign what it would not."""

    def __init__(self, name: Path) -> None:
        publish("keygen", "--out", name, "--no-passphrase", "--quiet")
        self.key, self.pub = name.with_suffix(".key"), name.with_suffix(".pub")
        raw = base64.b64decode(self.key.read_text(encoding="ascii").splitlines()[1])
        self.key_id, self.private = raw[54:62], Ed25519PrivateKey.from_private_bytes(raw[62:94])

    def sign(self, content: bytes) -> bytes:
        return minisign.sign(self, content, trusted="timestamp:1767225600\tfile:feed.xml\thashed")


@dataclass
class Release:
    version: str
    folder: Path                                                    # what is uploaded
    tree: Path                                                      # what it was made of

    @property
    def document(self) -> Path:
        return self.folder / "release.xml"

    @property
    def payload(self) -> Path:
        return next(f for f in self.folder.iterdir() if f.name.endswith(".tar.zst"))


class Maker:
    """The keys of a maker, and releases that are made once a session."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, dict[str, Release]()
        self.key, self.other = KeyPair(folder / "maker"), KeyPair(folder / "other")

    def release(self, version: str, options: Sequence[object] = (), **tree: Any) -> Release:
        """A release of the sample product, see `grow`."""
        name = f"{version}-{hashlib.sha256(repr((options, sorted(tree.items()))).encode()).hexdigest()[:12]}"
        if name not in self.made:
            source = grow(self.folder / "trees" / name, version, **tree)
            self.made[name] = self.release_of(source, version, options, self.folder / "made" / name)
        return self.made[name]

    def release_of(self, source: Path, version: str, options: Sequence[object], store: Path) -> Release:
        """A release of any folder, in a store of its own."""
        store.mkdir(parents=True)
        publish("release", source, "--product", "orchard", "--version", version, "--dir", store, "--key", self.key.key, "--quiet", *options)
        return Release(version, store / version, source)


# -- where releases are had ------------------------------------------------------------------------------------------------


class Site:
    """A release folder. With nginx, it is served over TLS under a name of its own."""

    def __init__(self, maker: Maker, folder: Path, base: str) -> None:
        self.maker, self.folder, self.base = maker, folder, base
        folder.mkdir(parents=True)

    @property
    def url(self) -> str:
        return f"{self.base}/feed.xml"

    @property
    def feed(self) -> Path:
        return self.folder / "feed.xml"

    def put(self, *releases: Release) -> None:
        """Uploads releases, without offering them."""
        for release in releases:
            shutil.copytree(release.folder, self.folder / release.version, copy_function=os.link, dirs_exist_ok=True)

    def offer(self, release: Release, *options: object) -> None:
        self.put(release)
        self.change("--add", release.version, *options)

    def change(self, *changes: object) -> None:
        first = [] if self.feed.exists() else ["--product", "orchard"]
        publish("feed", self.folder, *first, *changes, "--key", self.maker.key.key, "--quiet")

    def write_feed(self, text: str | bytes, key: KeyPair | None = None) -> bytes:
        """Puts down a feed that surefoot-publish would not make, signed by the maker all the same."""
        data = text.encode() if isinstance(text, str) else text
        self.feed.write_bytes(data)
        signature = (key or self.maker.key).sign(data)
        (self.folder / "feed.xml.minisig").write_bytes(signature)
        (self.folder / f"feed.xml.{hashlib.sha256(data).hexdigest()}.minisig").write_bytes(signature)
        return data

    def write_release(self, version: str, document: bytes) -> None:
        """Puts another release document down, and a feed that names it."""
        (self.folder / version).mkdir(exist_ok=True)
        path = self.folder / version / "release.xml"
        path.unlink(missing_ok=True)
        path.write_bytes(document)
        self.write_feed(feed_text(entry(version, document), serial=99))


def stamp(days: float = 0) -> str:
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def entry(version: str, document: bytes, status: str = "auto", path: str | None = None, more: str = "", size: int | None = None, sha256: str = "") -> str:
    """A <release> of a feed."""
    return (f'  <release version={quoteattr(version)} status="{status}">\n'
            f'    <document path={quoteattr(path or version + "/release.xml")} size="{len(document) if size is None else size}" '
            f'sha256="{sha256 or hashlib.sha256(document).hexdigest()}"/>\n{more}  </release>\n')


def feed_text(*entries: str, product: str = "orchard", channel: str = "stable", serial: object = 50, issued: str = "", expires: str = "",
              root: str = "feed", ns: str = "urn:surefoot:feed:1", before: str = "", attributes: str = "") -> str:
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n{before}<{root} xmlns="{ns}" product={quoteattr(product)} channel={quoteattr(channel)} '
            f'serial="{serial}" issued="{issued or stamp(-0.01)}" expires="{expires or stamp(20)}"{attributes}>\n{"".join(entries)}</{root}>\n')


class Faker:
    """A site behind a server that is told, path by path, what to answer. What it was not told it serves from the site's folder."""

    def __init__(self, ca: Ca, site: Site | None = None) -> None:
        self.server = Hostile(ca.context("localhost", "127.0.0.1"))
        self.site = site

    @property
    def base(self) -> str:
        return self.server.url("", "localhost")

    def serve(self, site: Site) -> None:
        """Every file of the site; what is put there later needs another call."""
        self.site = site
        self.server.handlers.clear()
        self.server.seen.clear()
        for path in site.folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                self.server.on(f"/{path.relative_to(site.folder).as_posix()}", lambda c, r, d=data: c.send(answer(200, d)))

    def on(self, path: str, handler: Callable[..., Any]) -> str:
        return self.server.on(path, handler)

    def asked(self) -> list[str]:
        return [r.path for r in self.server.seen]

    def close(self) -> None:
        self.server.close()


# -- the machine -----------------------------------------------------------------------------------------------------------


def read_line(line: str) -> dict[str, Any]:
    """One line of JSON, held against its published schema; a shape that was seen is not looked at again."""
    value: dict[str, Any] = json.loads(line)
    word = value["schema"].removeprefix("surefoot.").removesuffix("/1")
    if not (ROOT / "docs" / "schema" / f"{word}.schema.json").exists():
        return value
    shape = f"{word} {sorted((k, type(v).__name__) for k, v in value.items())} {value.get('event')} {value.get('result')}"
    if shape not in SHAPES_SEEN:
        broken = [f"{error.json_path}: {error.message[:300]}" for error in schema_of(word).iter_errors(value)]
        assert not broken, "\n".join([f"a line is not as docs/schema/{word}.schema.json has it", *broken, line[:4000]])
        SHAPES_SEEN.add(shape)
    return value


@dataclass
class Ran:
    """How a command about a product ended."""
    words: list[str]
    code: int
    out: str
    err: str
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def outcome(self) -> dict[str, Any]:
        found = [line for line in self.lines if line["schema"] == "surefoot.outcome/1"]
        assert len(found) == 1, str(self)
        return found[0]

    @property
    def result(self) -> str | None:
        return self.outcome["result"]

    @property
    def decision(self) -> str | None:
        return self.outcome["decision"]

    @property
    def text(self) -> str:
        """All that was said to people: the outcome, its other reasons, and the events."""
        told = [self.outcome["text"] or "", *(f"{r['result']}: {r['text']}" for r in self.outcome["reasons"])] if self.lines else []
        return "\n".join([*told, *(e["text"] or "" for e in self.events), self.err])

    @property
    def events(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["schema"] == "surefoot.event/1"]

    @property
    def steps(self) -> list[str]:
        return [e["step"] for e in self.events]

    @property
    def ids(self) -> list[int]:
        return [e["event"] for e in self.events]

    def __str__(self) -> str:
        return f"surefoot {' '.join(self.words)}\nexit {self.code}\n{self.out}\n{self.err}"


def read_ran(words: list[str], code: int, out: str, err: str) -> Ran:
    ran = Ran(words, code, out, err)
    assert code >= 0, f"ended by signal {-code}\n{ran}"
    assert not [word for word in CRASH if word in err], str(ran)
    ran.lines = [read_line(line) for line in out.splitlines() if line.strip()] if "json" in words else []
    return ran


def picture(folder: Path) -> dict[str, tuple[Any, ...]]:
    """All below a folder: kind, mode, owner, and bytes or where a link leads."""
    found: dict[str, tuple[Any, ...]] = {}
    for at, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(at, name)
            st = path.lstat()
            what: Any = None
            if stat.S_ISLNK(st.st_mode):
                what = os.readlink(path)
            elif stat.S_ISREG(st.st_mode):
                what = hashlib.sha256(path.read_bytes()).hexdigest()
            found[path.relative_to(folder).as_posix()] = (stat.filemode(st.st_mode), st.st_uid, st.st_gid, what)
    return found


def argv(*words: object) -> str:
    return "".join(f"<arg>{word}</arg>" for word in words)


class Machine:
    """A machine with the product file etc/orchard.xml. `product` is what `write` takes."""

    def __init__(self, folder: Path, site: Site, ca: Path, **product: Any) -> None:
        self.folder, self.site, self.ca = folder, site, ca
        self.install_folder, self.home = folder / "opt" / "orchard", folder / "home"
        self.state, self.cache, self.etc = folder / "var" / "state", folder / "var" / "cache", folder / "etc"
        for made in (folder / "opt", self.home, self.etc, folder / "var"):
            made.mkdir(parents=True)
        self.port, self.pointer, self.env = free_port(), False, dict[str, str]()
        self.user: int | None = None
        (self.home / "port").write_text(f"{self.port}\n", encoding="utf-8")
        shutil.copy(site.maker.key.pub, self.etc / "maker.pub")
        self.file = self.etc / "orchard.xml"
        self.words: dict[str, Any] = {}
        self.write(**product)

    @property
    def tree(self) -> Path:
        """The tree that runs, by the name that its users know."""
        return self.install_folder / "current" if self.pointer else self.install_folder

    @property
    def store(self) -> Path:
        """Where trees that are not in place lie."""
        return self.install_folder / ".surefoot" if self.pointer else self.install_folder.parent / ".surefoot-orchard"

    def control(self, command: str) -> str:
        return argv(self.tree / "bin" / "orchardctl", command, self.home)

    def write(self, **changes: Any) -> None:
        """Writes the product file. Changes are kept for the next time. Known words: feeds, fetch (attributes), fetch_more, trust_feed,
        trust_payload, switch, services, scheduler, checks, health, files, unlisted, policy (attributes), policy_more, folders, folder."""
        self.words |= changes
        w = self.words
        self.pointer = w.get("switch") == "pointer"
        feeds = "".join(f"<feed url={quoteattr(url)}/>" for url in w.get("feeds", [self.site.url]))
        key = '<minisign><key file="maker.pub"/></minisign>'
        service = (f'<service name="orchard" stop-timeout="PT2S" start-timeout="PT5S"><start timeout="PT5S">{self.control("start")}</start>'
                   f'<stop timeout="PT5S">{self.control("stop")}</stop><status timeout="PT5S">{self.control("status")}</status></service>')
        scheduler = "".join(f"<{tag}>{self.control(f'scheduler-{word}')}</{tag}>" for tag, word in
                            (("status", "status"), ("suspend", "off"), ("resume", "on")))
        health = w.get("health", f'<health within="PT2S" stays-up="PT0S"><http url="http://127.0.0.1:{self.port}/health" contains="ripe"/></health>')
        scheduler = f"<scheduler>{scheduler}</scheduler>" if w.get("scheduler") else ""
        files = f'<files unlisted="{w["unlisted"]}">' if "unlisted" in w else "<files>"
        folders = w.get("folders", '<folders state="../var/state" cache="../var/cache"/>')
        self.file.write_text(f"""<?xml version="1.0" encoding="UTF-8"?>
<product xmlns="urn:surefoot:product:1" name="orchard" title="Orchard">
  <install kind="archive" folder="{w.get("folder", "../opt/orchard")}" switch="{w.get("switch", "auto")}"/>
  <fetch ca="{self.ca}" {w.get("fetch", "")}>{feeds}{w.get("fetch_more", '<proxy use="none"/>')}</fetch>
  {folders}
  <trust><feed>{w.get("trust_feed", key)}</feed><payload>{w.get("trust_payload", key)}</payload></trust>
  <services>{w.get("services", service)}</services>
  {scheduler}
  <checks>{w.get("checks", "")}</checks>
  {health}
  {files}{w.get("files", '<configuration path="conf/orchard.ini" action="keep"/>')}</files>
  <policy {w.get("policy", "")}>{w.get("policy_more", "")}</policy>
</product>
""", encoding="utf-8")

    # -- running

    def give_to(self, user: int) -> None:
        """From now on all runs as this user, and the folders are his. (pytest's own are closed to others.)"""
        for path in (self.folder, *self.folder.rglob("*")):
            os.lchown(path, user, user)
        for parent in self.folder.parents:
            if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o005 != 0o005:
                parent.chmod(parent.stat().st_mode | 0o005)
        self.user, self.env = user, {"HOME": str(self.folder), "USER": "nobody"}

    def command(self, command: str, *words: object, text: bool = False) -> list[str]:
        return [command, *map(str, words), *([] if text else ["--format", "json"]), str(self.file)]

    def how(self, env: dict[str, str] | None = None) -> dict[str, Any]:
        user = {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}
        return {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": {**os.environ, **self.env, **(env or {})}, **user}

    def run(self, command: str, *words: object, code: int | None = None, env: dict[str, str] | None = None, before: Sequence[object] = (),
            text: bool = False) -> Ran:
        """Runs a command about the product; `code` is how it must end, `before` are words before the program."""
        line = self.command(command, *words, text=text)
        done = subprocess.run([*map(str, before), str(SUREFOOT), *line], timeout=LIMIT_S, check=False, encoding="utf-8", **self.how(env))
        ran = read_ran(line, done.returncode, done.stdout, done.stderr)
        assert code is None or ran.code == code, f"exit {code} was expected\n{ran}"
        return ran

    def begin(self, command: str, *words: object, **how: Any) -> subprocess.Popen[bytes]:
        """Starts a command, and leaves it alone."""
        return subprocess.Popen([str(SUREFOOT), *self.command(command, *words)], **{**self.how(), **how})

    def install(self, *words: object, code: int = DONE, **how: Any) -> Ran:
        return self.run("install", *words, code=code, **how)

    def upgrade(self, *words: object, code: int = DONE, **how: Any) -> Ran:
        return self.run("upgrade", *words, code=code, **how)

    def at(self, days: float, command: str, *words: object, **how: Any) -> Ran:
        """A command so many days from now."""
        return self.run(command, *words, before=["faketime", "-f", f"{days * 86400:+.0f}s"], **how)

    def status(self) -> dict[str, Any]:
        return self.run("status", code=DONE).lines[0]

    def history(self) -> list[dict[str, Any]]:
        return self.run("history", code=DONE).lines

    # -- looking

    def get(self, path: str = "/version", method: str = "GET") -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path)
            return connection.getresponse().read().decode().strip()
        finally:
            connection.close()

    def runs(self) -> str | None:
        """The version that answers; None where nobody does."""
        try:
            return self.get().removeprefix("orchard ")
        except ConnectionError:                                    # refused, or ended while it was asked
            return None

    def expect(self, version: str, result: str | None = "Success", parts: bool = False) -> None:
        """This version is installed, runs, and is what the state says; nothing of the attempt is left."""
        status = self.status()
        assert (status["installed"], self.runs()) == (version, version), status
        assert (self.tree / "lib" / "version").read_text(encoding="utf-8") == f"{version}\n"
        assert not status["recovery_pending"], status
        if result is not None:
            assert status["last"]["result"] == result, status
        self.expect_tidy(parts)

    def expect_tidy(self, parts: bool = False) -> None:
        """No journal, marker or half-made tree is left; `parts`: but for downloads that can be gone on with."""
        kept = self.status()["kept"]
        left = [p.name for p in self.store.iterdir() if not (parts and p.name.endswith(".part"))] if self.store.exists() else []
        trees = [p.name for p in (self.install_folder / "versions").iterdir()] if self.pointer and self.install_folder.exists() else left
        assert len(trees) == len(kept) + (1 if self.pointer else 0), (trees, kept)
        assert not self.pointer or not left, left
        left = [self.state / "journal", self.state / "marker", *(self.state / "run").glob("*")]
        assert not [path for path in left if path.exists()], [path.name for path in left if path.exists()]
        assert not [p for p in self.payloads()], self.payloads()

    def payloads(self) -> list[Path]:
        """What was downloaded, or partly, and lies about anywhere outside the store."""
        return [p for folder in (self.cache, self.state) for p in folder.rglob("*") if p.is_file() and (".tar" in p.name or "part" in p.name)]

    def told(self, word: str, value: str | None = "") -> None:
        """Makes the service, whatever its version, misbehave (value None: no more)."""
        path = self.home / "behave" / word
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        if value is not None:
            path.write_text(f"{value}\n", encoding="utf-8")

    def ctl(self, command: str) -> int:
        return subprocess.run([self.tree / "bin" / "orchardctl", command, self.home], capture_output=True, timeout=30, check=False).returncode

    @contextlib.contextmanager
    def untouched(self, *also: Path) -> Iterator[None]:
        """Whatever runs inside changes nothing of the product: the same tree, the same process, nothing beside it."""
        pid, before = self.pid(), [picture(folder) for folder in (self.folder / "opt", *also)]
        yield
        after = [picture(folder) for folder in (self.folder / "opt", *also)]
        for b, a in zip(before, after):
            assert a == b, sorted(n for n in {*a, *b} if a.get(n) != b.get(n))
        assert self.pid() == pid, "the service was stopped"

    def pid(self) -> int | None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int((self.home / "run" / "pid").read_text(encoding="utf-8"))
            if Path(f"/proc/{pid}/cmdline").read_bytes():          # one that has ended and was not waited for has none
                return pid
        return None

    def close(self) -> None:
        """Ends the service, also one that does not want to."""
        for _ in range(20):
            pid = self.pid()
            if pid is None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)


class Asker(threading.Thread):
    """A client that asks the service for its version all the time, and keeps what it hears and when nobody answered."""

    def __init__(self, machine: Machine, pause_s: float = 0.001) -> None:
        super().__init__(daemon=True)
        self.port, self.pause_s = machine.port, pause_s
        self.heard: list[str] = []
        self.n_asked, self.n_silent, self.ended = 0, 0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(self.pause_s):
            self.n_asked += 1
            try:
                with socket.create_connection(("127.0.0.1", self.port), 2) as sock:
                    sock.sendall(b"GET /version HTTP/1.1\r\n\r\n")
                    said = b"".join(iter(lambda: sock.recv(4096), b"")).decode()
                body = said.partition("\r\n\r\n")[2].strip()
                if body and (not self.heard or self.heard[-1] != body):
                    self.heard.append(body)
                self.n_silent += not body
            except OSError:
                self.n_silent += 1

    def __enter__(self) -> Asker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.join()


# -- what tests ask for ----------------------------------------------------------------------------------------------------


class World:
    """What is made once a session: keys, a CA, nginx."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.folder, self.n = folder, 0
        (folder / "maker").mkdir()
        self.maker = Maker(folder / "maker")
        self.ca = Ca(folder)
        self.nginx = Nginx(folder / "nginx", self.ca)
        self.machines: list[Machine] = []
        self.faker = Faker(self.ca)

    def site(self, *releases: Release) -> Site:
        self.n += 1
        site = Site(self.maker, self.nginx.www / f"site-{self.n}", f"https://localhost:{self.nginx.tls}/site-{self.n}")
        for release in releases:
            site.offer(release)
        return site

    def machine(self, site: Site, **product: Any) -> Machine:
        self.n += 1
        machine = Machine(self.folder / f"machine-{self.n}", site, self.ca.file, **product)
        self.machines.append(machine)
        return machine

    def ready(self, *versions: str, **product: Any) -> Machine:
        """A machine on which the first of these versions runs, and whose site offers the others too (in plain releases)."""
        releases = [self.maker.release(v) for v in versions]
        machine = self.machine(self.site(releases[0]), **product)
        machine.install()
        for release in releases[1:]:
            machine.site.offer(release)
        return machine

    @contextlib.contextmanager
    def lasting(self, site: Site, **product: Any) -> Iterator[Machine]:
        """A machine that stays when a test has ended, for a fixture that several share."""
        machine = self.machine(site, **product)
        self.machines.remove(machine)
        try:
            yield machine
        finally:
            machine.close()
            shutil.rmtree(machine.folder)

    def clear(self) -> None:
        """After each test: no service is left, and no folder either."""
        for machine in self.machines:
            machine.close()
            shutil.rmtree(machine.folder, ignore_errors=True)
        self.machines.clear()

    def close(self) -> None:
        self.faker.close()
        self.nginx.close()
