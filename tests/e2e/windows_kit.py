"""What the tests of upgrades on Windows share, under wine: a Prefix, which is a machine; a Maker with its site, which Nginx serves over TLS; a
Machine with a product file, on which the real program runs but for two things that wine has not (tests/win32/*_wine.c say which)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

import pytest
from conftest import ROOT, SHAPES_SEEN, WRAPPER, schema_of, until_started

from tests.kit.servers import Ca, Nginx

if not WRAPPER or not os.environ.get("WINEPREFIX"):
    pytest.skip("Windows is tested under wine", allow_module_level=True)

BUILD = Path(os.environ["SUREFOOT"]).resolve().parent.parent
PROGRAM, PUBLISH, SERVICE = BUILD / "tests/surefoot_wine.exe", BUILD / "tests/surefoot-publish_wine.exe", BUILD / "tests/tools/win_service.exe"
HELPER = BUILD / "tests/tools/win_child.exe"
TEMPLATE = Path(os.environ["WINEPREFIX"]).resolve().parent / "template"
PREFIX_TOOL = ROOT / "packaging/win32/wine-prefix"
PRODUCT = r"C:\orchard\orchard.xml"
DONE, FAILED, USAGE, REFUSED, ABORTED, NOT_SUPPORTED, ROLLED_BACK, ROLLBACK_FAILED, RESTART = 0, 1, 2, 3, 4, 5, 6, 7, 9
LIMIT_S = 120


def windows(path: Path) -> str:
    return "Z:" + str(path.resolve()).replace("/", "\\")


def until(what: Any, says: str, limit_s: float = LIMIT_S) -> None:
    """Waits until it is true."""
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end, says
        time.sleep(0.02)


# -- the machine below -----------------------------------------------------------------------------------------------------


@dataclass
class Done:
    returncode: int
    stdout: bytes

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace")


class Prefix:
    """A machine. One without a program goes down: one of its programs waits for input until the end."""

    def __init__(self, folder: Path, like: Prefix | None = None) -> None:
        """`like`: with the registry, and so the services, of one that has ended, and the folders that a Machine has there."""
        self.folder, self.drive = folder, folder / "drive_c"
        self.before: list[object] = []                              # what runs each program
        self.env = {**os.environ, "WINEPREFIX": str(folder)}
        subprocess.run([PREFIX_TOOL, TEMPLATE, folder], check=True, capture_output=True, timeout=LIMIT_S)
        if like is not None:
            for file in like.folder.glob("*.reg"):
                shutil.copy(file, folder)
            for part in (like.drive / name for name in ("orchard", "Program Files/Orchard")):
                subprocess.run(["cp", "-a", part, self.drive / part.relative_to(like.drive)], check=True, timeout=LIMIT_S)
        self.start()

    def start(self) -> None:
        """Without certificates in ROOT: see read_roots."""
        self.waiting = subprocess.Popen([*WRAPPER, str(HELPER), "keep"], env=self.env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def read_roots(self) -> None:
        """From now on each program reads the host's certificates into ROOT when it opens that."""
        assert self.waiting.stdin is not None
        self.waiting.stdin.write(b"\n")
        self.waiting.stdin.flush()

    def end(self) -> None:
        assert self.waiting.stdin is not None
        self.waiting.stdin.close()
        subprocess.run([PREFIX_TOOL, "--end", self.folder], check=False, capture_output=True, timeout=LIMIT_S)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.waiting.wait(10)
        self.waiting.kill()                                         # seldom, one does not see that its server is gone
        self.waiting.wait(LIMIT_S)

    def path(self, program: object) -> str:
        """Where a program of Windows' own is, or one on drive C: what is not named by its path on the host wine finds by a program of its own,
        which takes longer than what is run."""
        name = str(program)
        if "\\" not in name and "/" not in name:
            name = f"C:\\windows\\system32\\{name}"
        return str(self.drive / name[3:].replace("\\", "/")) if name.startswith("C:\\") else name

    def run(self, *words: object, code: int | None = 0, limit_s: float = LIMIT_S, cwd: Path | None = None) -> Done:
        """Runs a program. None that is run here ends with 1 and says nothing; where wine does not start one it may say so."""
        done: Done = until_started(lambda: self.run_once(words, limit_s, cwd),
                                   lambda done: (done.returncode, done.stdout) != (1, b"") and b"ShellExecuteEx failed" not in done.stdout)
        assert code is None or done.returncode == code, (words, done.returncode, done.stdout[-3000:])
        return done

    def run_once(self, words: tuple[object, ...], limit_s: float, cwd: Path | None) -> Done:
        """What it says goes through a file: a service that it starts would keep a pipe open."""
        with tempfile.TemporaryFile() as said:
            program, *args = words
            done = subprocess.run([*map(str, self.before), *WRAPPER, self.path(program), *map(str, args)], env=self.env, stdin=subprocess.DEVNULL,
                                  stdout=said, stderr=subprocess.STDOUT, timeout=limit_s, check=False, cwd=cwd)
            said.seek(0)
            return Done(done.returncode, said.read())

    def begin(self, program: object, *args: object) -> subprocess.Popen[bytes]:
        """Starts a program, and leaves it alone; what it says is lost."""
        return subprocess.Popen([*WRAPPER, self.path(program), *map(str, args)], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    @contextlib.contextmanager
    def helped(self, *words: str, program: object = HELPER) -> Iterator[subprocess.Popen[bytes]]:
        """A helper (tests/tools/win_child.c) that has said that it is ready, for as long as this lasts; the last word is where it says so."""
        ready = self.drive / "ready"
        ready.unlink(missing_ok=True)
        helper = self.begin(program, *words, r"C:\ready")
        try:
            until(lambda: ready.exists() or helper.poll() is not None, f"{words} is not ready")
            assert helper.poll() is None, f"{words} ended with {helper.returncode}"
            yield helper
        finally:
            helper.kill()                                           # as far as Windows' programs are concerned it was ended
            helper.wait(LIMIT_S)

    def service(self, name: str = "orchard") -> str:
        """What the service manager says: RUNNING, STOPPED, or that there is none."""
        text = self.run("sc.exe", "query", name, code=None).text
        return next((word for word in ("RUNNING", "STOPPED", "STOP_PENDING", "START_PENDING") if word in text), "none: " + text)


# -- the maker -------------------------------------------------------------------------------------------------------------


@dataclass
class Maker:
    """Its key, and a site with a feed. Its own machine is a prefix as well."""
    folder: Path
    prefix: Prefix
    product: str = "orchard"
    versions: list[str] = field(default_factory=list)

    def publish(self, *words: object, code: int = 0) -> bytes:
        return self.prefix.run(PUBLISH, *words, code=code).stdout

    @property
    def site(self) -> Path:
        return self.folder / "site"

    def begin(self) -> None:
        self.site.mkdir(parents=True)
        self.publish("keygen", "--out", windows(self.folder / "maker"), "--no-passphrase", "--quiet")

    def offer(self, source: Path, version: str, *options: str) -> None:
        """Makes a release of a folder, an archive or a package, and has the feed offer it."""
        key = windows(self.folder / "maker.key")
        self.publish("release", windows(source), "--product", self.product, "--version", version, "--dir", windows(self.site), "--demand", "minisign",
                     "--key", key, "--quiet", *options)
        self.publish("feed", windows(self.site), "--product", self.product, "--add", version, "--key", key, "--quiet")
        self.versions.append(version)

    def copy_site(self, to: Path) -> Path:
        """A folder of its own with what is offered: a local medium that can be spoiled."""
        shutil.copytree(self.site, to)
        return to


@contextlib.contextmanager
def made_by_a_maker(folder: Path, product: str = "orchard") -> Iterator[tuple[Maker, Nginx]]:
    """A maker without releases, and the server of its site."""
    maker = Maker(folder, Prefix(folder / "prefix"), product)
    try:
        maker.begin()
        (folder / "nginx").mkdir()
        nginx = Nginx(folder / "nginx", Ca(folder))
        nginx.www.rmdir()
        nginx.www.symlink_to(maker.site)
        try:
            yield maker, nginx
        finally:
            nginx.close()
    finally:
        maker.prefix.end()


# -- the machine -----------------------------------------------------------------------------------------------------------


def read_line(line: str) -> dict[str, Any]:
    """One line of JSON, held against its published schema; a shape that was seen is not looked at again."""
    value: dict[str, Any] = json.loads(line)
    word = value["schema"].removeprefix("surefoot.").removesuffix("/1")
    shape = f"{word} {sorted((k, type(v).__name__) for k, v in value.items())} {value.get('event')} {value.get('result')}"
    if shape not in SHAPES_SEEN:
        broken = [f"{error.json_path}: {error.message[:300]}" for error in schema_of(word).iter_errors(value)]
        assert not broken, "\n".join([f"a line is not as docs/schema/{word}.schema.json has it", *broken, line[:4000]])
        SHAPES_SEEN.add(shape)
    return value


@dataclass
class Ran:
    code: int
    lines: list[dict[str, Any]]
    text: str

    @property
    def outcome(self) -> dict[str, Any]:
        assert self.lines and self.lines[-1]["schema"] == "surefoot.outcome/1", (self.code, self.text)
        return self.lines[-1]

    @property
    def result(self) -> Any:
        return self.outcome["result"]

    @property
    def reasons(self) -> list[str]:
        return [reason["result"] for reason in self.outcome["reasons"]]

    @property
    def steps(self) -> list[str]:
        return [line["step"] for line in self.lines if line["schema"] == "surefoot.event/1"]


class Machine:
    """A prefix with the maker's key and a product file; whoever tests a kind of product says what is in that."""

    def __init__(self, prefix: Prefix, maker: Maker, server: Nginx) -> None:
        self.prefix, self.drive, self.server = prefix, prefix.drive, server
        self.etc = self.drive / "orchard"
        self.etc.mkdir(exist_ok=True)
        shutil.copy(maker.folder / "maker.pub", self.etc)
        shutil.copy(maker.folder / "ca-kit.pem", self.etc / "ca.pem")

    @property
    def tree(self) -> Path:
        """What runs."""
        return self.drive / "Program Files/Orchard"

    def write_product(self, install: str, more: str = "", stays_up: str = "PT1S", feed: str = "", times: tuple[str, str] = ("PT10S", "PT10S"),
                      payload: str = "") -> None:
        """`install` is its element, `more` what is said beside it; `feed` where it is had, by default from the server; `times` of stop and
        start; `payload` what a payload must carry beside the maker's signature."""
        (self.etc / "orchard.xml").write_text(f"""<?xml version="1.0" encoding="UTF-8"?>
<product xmlns="urn:surefoot:product:1" name="orchard" event-source="Orchard Upgrade">
  {install}
  <fetch ca="ca.pem"><feed url="{feed or f"https://localhost:{self.server.tls}/feed.xml"}"/><proxy use="none"/></fetch>
  <folders state="state" cache="cache"/>
  <trust><feed><minisign><key file="maker.pub"/></minisign></feed><payload><minisign><key file="maker.pub"/></minisign>{payload}</payload></trust>
  <services><service name="orchard" stop-timeout="{times[0]}" start-timeout="{times[1]}"/></services>
  <health within="PT10S" stays-up="{stays_up}"/>
  {more}
</product>
""", encoding="utf-8")

    def take_from(self, site: Path) -> None:
        """From now on the product file names a local medium."""
        file = self.etc / "orchard.xml"
        text = file.read_text(encoding="utf-8")
        at = text.index('<feed url="') + len('<feed url="')
        file.write_text(text[:at] + "file:///" + windows(site / "feed.xml").replace("\\", "/") + text[text.index('"', at):], encoding="utf-8")

    def run(self, command: str, *words: str, code: int | None = None, cwd: Path | None = None) -> Ran:
        done = self.prefix.run(PROGRAM, command, "--format", "json", *words, PRODUCT, code=None, cwd=cwd)
        lines = [read_line(line) for line in done.text.splitlines() if line.startswith("{")]
        ran = Ran(done.returncode, lines, done.text)
        assert code is None or ran.code == code, (command, words, ran.code, ran.text)
        return ran

    def start(self, command: str, *words: str) -> subprocess.Popen[bytes]:
        return self.prefix.begin(PROGRAM, command, "--format", "json", *words, PRODUCT)

    def status(self) -> dict[str, Any]:
        return self.run("status", code=DONE).lines[0]

    def version(self) -> str:
        file = self.tree / "version.txt"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def files(self) -> list[str]:
        return sorted(p.relative_to(self.tree).as_posix() for p in self.tree.rglob("*") if p.is_file()) if self.tree.exists() else []

    def service(self) -> str:
        return self.prefix.service()
