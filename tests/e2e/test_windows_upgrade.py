"""Upgrades on Windows, under wine: a service product that Windows Installer installs, from a feed over HTTPS, with the real program but
for two things that wine has not (tests/win32/*_wine.c say which). Each test has a machine of its own: a wine prefix."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

import pytest
from conftest import ROOT, WRAPPER

from tests.kit.servers import Ca, Nginx

if not WRAPPER or not os.environ.get("WINEPREFIX"):
    pytest.skip("Windows is tested under wine", allow_module_level=True)

BUILD = Path(os.environ["SUREFOOT"]).resolve().parent.parent
PROGRAM, PUBLISH, SERVICE = BUILD / "tests/surefoot_wine.exe", BUILD / "tests/surefoot-publish_wine.exe", BUILD / "tests/tools/win_service.exe"
HELPER = BUILD / "tests/tools/win_child.exe"
TEMPLATE = Path(os.environ["WINEPREFIX"]).resolve().parent / "template"
PREFIX_TOOL = ROOT / "packaging/win32/wine-prefix"
UPGRADE_CODE = "{7B3E64B1-5E2C-4D0A-9A41-0C7C5A1D2E00}"
DONE, FAILED, USAGE, REFUSED, ABORTED, NOT_SUPPORTED, ROLLED_BACK, ROLLBACK_FAILED, RESTART = 0, 1, 2, 3, 4, 5, 6, 7, 9
LIMIT_S = 120
SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"


def windows(path: Path) -> str:
    return "Z:" + str(path.resolve()).replace("/", "\\")


@dataclass
class Done:
    returncode: int
    stdout: bytes


def in_wine(prefix: Path, *words: object, code: int | None = 0, limit_s: float = LIMIT_S) -> Done:
    """Runs a program. What it says goes through a file: a service that it starts would keep a pipe open."""
    with tempfile.TemporaryFile() as said:
        done = subprocess.run([*WRAPPER, *map(str, words)], env={**os.environ, "WINEPREFIX": str(prefix)}, stdin=subprocess.DEVNULL,
                              stdout=said, stderr=subprocess.STDOUT, timeout=limit_s, check=False)
        said.seek(0)
        text = said.read()
    assert code is None or done.returncode == code, (words, done.returncode, text[-3000:])
    return Done(done.returncode, text)


class Prefix:
    """A machine. One without a program goes down: one of its programs waits for input until the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run([PREFIX_TOOL, TEMPLATE, folder], check=True, capture_output=True, timeout=LIMIT_S)
        self.start()

    def start(self) -> None:
        self.waiting = subprocess.Popen([*WRAPPER, "cmd.exe"], env={**os.environ, "WINEPREFIX": str(self.folder)}, stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self) -> None:
        assert self.waiting.stdin is not None
        self.waiting.stdin.close()
        subprocess.run([PREFIX_TOOL, "--end", self.folder], check=False, capture_output=True, timeout=LIMIT_S)
        self.waiting.wait(LIMIT_S)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the maker works."""
    folder = tmp_path_factory.mktemp("maker")
    prefix = Prefix(folder / "prefix")
    yield folder
    prefix.end()


# -- the maker -------------------------------------------------------------------------------------------------------------


def package(folder: Path, version: str, how: str = "run", files: dict[str, str] | None = None) -> Path:
    """An MSI with the service `orchard`, which does as `how` says, and files beside it."""
    work = folder / f"work-{version}"
    work.mkdir()
    shutil.copy(SERVICE, work / "orchard.exe")
    (work / "helper.exe").write_bytes(HELPER.read_bytes() + version.encode())
    texts = {"version.txt": version, **(files or {})}
    parts = ""
    for i, (name, text) in enumerate(texts.items()):
        (work / name).write_text(text)
        parts += (f'<Component Id="C{i}" Guid="{{7B3E64B1-5E2C-4D0A-9A41-0C7C5A1D2F{i:02d}}}" Win64="yes"><File Id="F{i}" Source="{name}" Name="{name}" '
                  'KeyPath="yes"/></Component>')
    numbers = "".join(f"{int(n):02d}" for n in version.split("."))
    (work / "p.wxs").write_text(f"""<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{{7B3E64B1-5E2C-4D0A-9A41-0C7C5A{numbers}}}" Name="Orchard" Language="1033" Version="{version}" Manufacturer="Orchard Works" UpgradeCode="{UPGRADE_CODE}">
    <Package InstallerVersion="200" Compressed="yes" InstallScope="perMachine"/>
    <MajorUpgrade DowngradeErrorMessage="A newer version is installed."/>
    <MediaTemplate EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFiles64Folder"><Directory Id="INSTALLDIR" Name="Orchard">
      <Component Id="Service" Guid="{{7B3E64B1-5E2C-4D0A-9A41-0C7C5A1D2E01}}" Win64="yes">
        <File Id="Program" Source="orchard.exe" Name="orchard.exe" KeyPath="yes"/>
        <ServiceInstall Id="Install" Name="orchard" DisplayName="Orchard" Type="ownProcess" Start="demand" ErrorControl="normal" Arguments="orchard {how}"/>
        <ServiceControl Id="Control" Name="orchard" Stop="both" Remove="uninstall" Wait="yes"/>
      </Component>
      <Component Id="Helper" Guid="{{7B3E64B1-5E2C-4D0A-9A41-0C7C5A1D2E02}}" Win64="yes"><File Id="Helper" Source="helper.exe" Name="helper.exe" KeyPath="yes"/></Component>
      {parts}
    </Directory></Directory></Directory>
    <Feature Id="All" Level="1"><ComponentRef Id="Service"/><ComponentRef Id="Helper"/>{"".join(f'<ComponentRef Id="C{i}"/>' for i in range(len(texts)))}</Feature>
  </Product>
</Wix>
""")
    file = folder / f"orchard-{version}.msi"
    subprocess.run(["wixl", "-a", "x64", "-o", file, "p.wxs"], cwd=work, check=True, capture_output=True, timeout=LIMIT_S)
    shutil.rmtree(work)
    return file


@dataclass
class Maker:
    folder: Path
    prefix: Path
    versions: list[str] = field(default_factory=list)

    def publish(self, *words: object, code: int = 0) -> bytes:
        return in_wine(self.prefix, PUBLISH, *words, code=code).stdout

    @property
    def site(self) -> Path:
        return self.folder / "site"

    def key(self) -> str:
        return windows(self.folder / "maker.key")

    def offer(self, version: str, how: str = "run", **more: Any) -> None:
        file = package(self.folder, version, how, **more)
        self.publish("release", windows(file), "--product", "orchard", "--version", version, "--dir", windows(self.site), "--demand", "minisign",
                     "--key", self.key(), "--quiet")
        self.publish("feed", windows(self.site), "--product", "orchard", "--add", version, "--key", self.key(), "--quiet")
        self.versions.append(version)


@pytest.fixture(scope="session")
def maker(home: Path) -> Maker:
    m = Maker(home, home / "prefix")
    m.site.mkdir()
    m.publish("keygen", "--out", windows(home / "maker"), "--no-passphrase", "--quiet")
    m.offer("1.0.0", files={"old.txt": "old"})
    m.offer("2.0.0", files={"new.txt": "new"})
    m.offer("3.0.0", how="fail", files={"newest.txt": "newest"})
    return m


@pytest.fixture(scope="session")
def server(home: Path, maker: Maker) -> Iterator[Nginx]:
    (home / "nginx").mkdir()
    nginx = Nginx(home / "nginx", Ca(home))
    nginx.www.rmdir()
    nginx.www.symlink_to(maker.site)
    yield nginx
    nginx.close()


# -- the machine -----------------------------------------------------------------------------------------------------------


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


class Machine:
    def __init__(self, folder: Path, maker: Maker, server: Nginx) -> None:
        self.machine = Prefix(folder / "prefix")
        self.prefix = self.machine.folder
        self.drive = self.prefix / "drive_c"
        self.etc = self.drive / "orchard"
        self.etc.mkdir()
        shutil.copy(maker.folder / "maker.pub", self.etc)
        shutil.copy(maker.folder / "ca-kit.pem", self.etc / "ca.pem")
        self.write_product(server)

    def write_product(self, server: Nginx, more: str = "") -> None:
        (self.etc / "orchard.xml").write_text(f"""<?xml version="1.0" encoding="UTF-8"?>
<product xmlns="urn:surefoot:product:1" name="orchard" event-source="Orchard Upgrade">
  <install kind="msi" os="windows" upgrade-code="{UPGRADE_CODE}" folder="C:\\Program Files\\Orchard"/>
  <fetch ca="ca.pem"><feed url="https://localhost:{server.tls}/feed.xml"/><proxy use="none"/></fetch>
  <folders state="state" cache="cache"/>
  <trust><feed><minisign><key file="maker.pub"/></minisign></feed><payload><minisign><key file="maker.pub"/></minisign></payload></trust>
  <services><service name="orchard" stop-timeout="PT10S" start-timeout="PT10S"/></services>
  <health within="PT10S" stays-up="PT1S"/>
  {more}
</product>
""")

    def run(self, command: str, *words: str, code: int | None = None) -> Ran:
        done = in_wine(self.prefix, PROGRAM, command, "--format", "json", *words, r"C:\orchard\orchard.xml", code=None)
        lines = [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]
        ran = Ran(done.returncode, lines, done.stdout.decode(errors="replace"))
        assert code is None or ran.code == code, (command, words, ran.code, ran.text)
        return ran

    def start(self, command: str, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*WRAPPER, str(PROGRAM), command, "--format", "json", *words, r"C:\orchard\orchard.xml"],
                                env={**os.environ, "WINEPREFIX": str(self.prefix)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def tree(self) -> Path:
        return self.drive / "Program Files/Orchard"

    def version(self) -> str:
        file = self.tree / "version.txt"
        return file.read_text() if file.exists() else ""

    def files(self) -> list[str]:
        return sorted(p.name for p in self.tree.iterdir()) if self.tree.exists() else []

    def service(self) -> str:
        """What the service manager says: RUNNING, STOPPED, or that there is none."""
        text = in_wine(self.prefix, "sc.exe", "query", "orchard", code=None).stdout.decode(errors="replace")
        return next((word for word in ("RUNNING", "STOPPED", "STOP_PENDING", "START_PENDING") if word in text), "none: " + text)


@pytest.fixture
def machine(tmp_path: Path, maker: Maker, server: Nginx) -> Iterator[Machine]:
    m = Machine(tmp_path, maker, server)
    yield m
    m.machine.end()


OLD, NEW = ["helper.exe", "old.txt", "orchard.exe", "version.txt"], ["helper.exe", "new.txt", "orchard.exe", "version.txt"]


# -- the way there and back ------------------------------------------------------------------------------------------------


def test_a_service_is_upgraded_and_comes_back_when_the_newest_does_not_start(machine: Machine) -> None:
    assert machine.run("install", "--to", "1.0.0", code=DONE).result == "Success"
    assert (machine.version(), machine.files(), machine.service()) == ("1.0.0", OLD, "RUNNING")
    upgraded = machine.run("upgrade", "--to", "2.0.0", code=DONE)
    assert upgraded.result == "Success" and upgraded.outcome["downtime_ms"] > 0
    assert (machine.version(), machine.files(), machine.service()) == ("2.0.0", NEW, "RUNNING")
    failed = machine.run("upgrade", code=ROLLED_BACK)
    assert failed.result == "UpgradeFailedRollbackSuccess-ServiceCanNotBeStarted"
    assert (machine.version(), machine.files(), machine.service()) == ("2.0.0", NEW, "RUNNING")
    assert machine.run("run", code=DONE).result is None, "what was rolled back is on hold"
    back = machine.run("rollback", code=DONE)
    assert back.result == "Success" and (machine.version(), machine.files(), machine.service()) == ("1.0.0", OLD, "RUNNING")
    assert machine.run("recover", code=DONE).result is None


def offered(tmp_path: Path, maker: Maker) -> tuple[Path, Path]:
    """A folder of its own with what the maker offers, and its newest good package there: a local medium that can be spoiled."""
    site = tmp_path / "site"
    shutil.copytree(maker.site, site)
    return site, next(site.glob("2.0.0/*.msi"))


def take_from(machine: Machine, site: Path) -> None:
    file = machine.etc / "orchard.xml"
    text = file.read_text()
    at = text.index('<feed url="') + len('<feed url="')
    file.write_text(text[:at] + "file:///" + windows(site / "feed.xml").replace("\\", "/") + text[text.index('"', at):])


def test_a_package_that_was_changed_is_refused_and_nothing_is_installed(machine: Machine, maker: Maker, tmp_path: Path) -> None:
    site, package_file = offered(tmp_path, maker)
    take_from(machine, site)
    data = bytearray(package_file.read_bytes())
    data[len(data) // 2] ^= 1
    package_file.write_bytes(bytes(data))
    refused = machine.run("install", "--to", "2.0.0", code=REFUSED)
    assert refused.result == "PreUpgradeFailure-DigestMismatch"
    assert machine.files() == [] and machine.service().startswith("none")
    assert not list(machine.etc.glob("state/**/*.msi")), "what was refused is not kept"
    assert machine.run("install", "--to", "1.0.0", code=DONE).result == "Success" and machine.version() == "1.0.0"


def test_an_older_version_is_not_installed_over_a_newer_one(machine: Machine) -> None:
    machine.run("install", "--to", "2.0.0", code=DONE)
    older = machine.run("upgrade", "--to", "1.0.0")
    assert older.code == FAILED and older.outcome["decision"] == "downgrade"
    assert machine.version() == "2.0.0" and machine.service() == "RUNNING"


def test_a_version_that_somebody_else_installed_counts_and_can_be_come_back_to(machine: Machine, maker: Maker, tmp_path: Path) -> None:
    file = next(maker.site.glob("1.0.0/*.msi"))
    in_wine(machine.prefix, "msiexec.exe", "/qn", "/i", windows(file))
    in_wine(machine.prefix, "sc.exe", "start", "orchard")
    adopted = machine.run("install", code=DONE)
    assert (adopted.result, adopted.outcome["to"], machine.version()) == ("Success", "1.0.0", "1.0.0"), adopted.text
    failed = machine.run("upgrade", "--to", "3.0.0", code=ROLLED_BACK)
    assert failed.result == "UpgradeFailedRollbackSuccess-ServiceCanNotBeStarted"
    assert (machine.version(), machine.files(), machine.service()) == ("1.0.0", OLD, "RUNNING")


def test_two_at_once(machine: Machine) -> None:
    machine.run("install", "--to", "1.0.0", code=DONE)
    first = machine.start("upgrade", "--to", "2.0.0")
    time.sleep(1.5)
    second = machine.run("upgrade", "--to", "2.0.0")
    assert first.wait(LIMIT_S) == DONE
    assert (second.code, second.outcome["result"]) in ((ABORTED, "UpgradeAbortedAlreadyRunning"), (DONE, None)), second.text
    assert machine.version() == "2.0.0"


def test_killed_at_any_instant_it_is_old_or_new(machine: Machine) -> None:
    """A run is killed at 20 instants; each time recover leaves one version, whole, with its service."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    machine.run("install", "--to", "1.0.0", code=DONE)
    n_kills = int(os.environ.get("SUREFOOT_KILLS", "20"))
    for i in range(n_kills):
        target = "2.0.0" if machine.version() == "1.0.0" else None
        process = machine.start("upgrade", "--to", target) if target else machine.start("rollback")
        time.sleep(dice.random() * 4)
        in_wine(machine.prefix, "taskkill.exe", "/f", "/im", PROGRAM.name, code=None)
        process.wait(LIMIT_S)
        recovered = machine.run("recover")
        assert recovered.code == DONE, (i, recovered.text)
        assert (machine.version(), machine.files()) in (("1.0.0", OLD), ("2.0.0", NEW)), (i, recovered.text)
        assert machine.service() == "RUNNING", (i, recovered.text)
        assert machine.run("recover", code=DONE).result is None


def test_a_file_in_use_makes_a_restart_needed_and_the_run_goes_on_after_it(machine: Machine) -> None:
    machine.run("install", "--to", "1.0.0", code=DONE)
    ready = machine.drive / "ready"
    helper = subprocess.Popen([*WRAPPER, r"C:\Program Files\Orchard\helper.exe", "deaf", r"C:\ready"], stdin=subprocess.DEVNULL,
                              env={**os.environ, "WINEPREFIX": str(machine.prefix)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        if ready.exists():
            break
        time.sleep(0.1)
    assert ready.exists()
    waits = machine.run("upgrade", "--to", "2.0.0", code=RESTART)
    assert waits.result is None and waits.outcome["restart_needed"] is True
    assert machine.service() == "STOPPED", "nothing is started in between"
    again = machine.run("upgrade", "--to", "2.0.0", code=RESTART)
    assert again.outcome["restart_needed"] is True
    machine.machine.end()
    helper.wait(LIMIT_S)
    machine.machine.start()
    in_wine(machine.prefix, "wineboot.exe", "--restart", code=None)
    done = machine.run("recover", code=DONE)
    assert done.result == "Success" and (machine.version(), machine.files(), machine.service()) == ("2.0.0", NEW, "RUNNING")
