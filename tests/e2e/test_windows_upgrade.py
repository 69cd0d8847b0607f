"""Upgrades on Windows, under wine: a service product that Windows Installer installs, from a feed over HTTPS, with the real program but
for two things that wine has not (tests/win32/*_wine.c say which). Each test has a machine of its own: a wine prefix."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import time
import uuid
from pathlib import Path
from typing import Iterator

import pytest
from windows_kit import (ABORTED, DONE, FAILED, HELPER, LIMIT_S, PROGRAM, REFUSED, RESTART, ROLLED_BACK, SERVICE, Machine, Maker, Prefix,
                         made_by_a_maker, until, windows)

from tests.kit import pe, pki
from tests.kit.servers import Nginx

AT = "2026-06-01T00:00:00Z"                                          # when the kit's certificates are good
MINOR, INSTALLER_FAILS = "1.1.0", "2.9.0"                           # of 1.0.0's product code; Windows Installer itself fails
UPGRADE_CODE = "{7B3E64B1-5E2C-4D0A-9A41-0C7C5A1D2E00}"


# -- the maker -------------------------------------------------------------------------------------------------------------


FAILS = ["INSERT INTO `CustomAction` (`Action`, `Type`, `Target`) VALUES ('Fails', 19, 'The orchard is closed')",
         "INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Fails', 'NOT REMOVE', 6500)"]


def package(folder: Path, version: str, how: str = "run", files: dict[str, str] | None = None, product: str = "", queries: list[str] | None = None) -> Path:
    """An MSI with the service `orchard`, which does as `how` says, and files beside it. `product`: the version whose product code it has."""
    work = folder / f"work-{version}"
    work.mkdir()
    shutil.copy(SERVICE, work / "orchard.exe")
    (work / "helper.exe").write_bytes(HELPER.read_bytes() + version.encode())
    texts = {"version.txt": version, **(files or {})}
    parts = ""
    for i, (name, text) in enumerate(texts.items()):
        (work / name).write_text(text)
        code = str(uuid.uuid5(uuid.UUID(UPGRADE_CODE), name)).upper()  # a component has its file for ever
        parts += (f'<Component Id="C{i}" Guid="{{{code}}}" Win64="yes"><File Id="F{i}" Source="{name}" Name="{name}" '
                  'KeyPath="yes"/></Component>')
    numbers = "".join(f"{int(n):02d}" for n in (product or version).split("."))
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
    for query in queries or []:
        subprocess.run(["msibuild", file, "-q", query], check=True, capture_output=True, timeout=LIMIT_S)
    return file


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Maker, Nginx]]:
    folder = tmp_path_factory.mktemp("packages")
    with made_by_a_maker(folder) as (maker, server):
        maker.offer(package(folder, "1.0.0", files={"old.txt": "old"}), "1.0.0")
        maker.offer(package(folder, "2.0.0", files={"new.txt": "new"}), "2.0.0")
        maker.offer(package(folder, "3.0.0", "fail", files={"newest.txt": "newest"}), "3.0.0")
        maker.offer(package(folder, MINOR, files={"old.txt": "older", "more.txt": "more"}, product="1.0.0"), MINOR)
        maker.offer(package(folder, INSTALLER_FAILS, files={"newest.txt": "newest"}, queries=FAILS), INSTALLER_FAILS)
        yield maker, server


@pytest.fixture
def maker(made: tuple[Maker, Nginx]) -> Maker:
    return made[0]


@pytest.fixture
def machine(tmp_path: Path, made: tuple[Maker, Nginx]) -> Iterator[Machine]:
    prefix = Prefix(tmp_path / "prefix")
    m = Machine(prefix, *made)
    m.write_product(f'<install kind="msi" os="windows" upgrade-code="{UPGRADE_CODE}" folder="C:\\Program Files\\Orchard"/>')
    yield m
    prefix.end()


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


def test_a_package_that_was_changed_is_refused_and_nothing_is_installed(machine: Machine, maker: Maker, tmp_path: Path) -> None:
    site = maker.copy_site(tmp_path / "site")
    package_file = next(site.glob("2.0.0/*.msi"))
    machine.take_from(site)
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
    machine.prefix.run("msiexec.exe", "/qn", "/i", windows(file))
    machine.prefix.run("sc.exe", "start", "orchard")
    adopted = machine.run("install", code=DONE)
    assert (adopted.result, adopted.outcome["to"], machine.version()) == ("Success", "1.0.0", "1.0.0"), adopted.text
    failed = machine.run("upgrade", "--to", "3.0.0", code=ROLLED_BACK)
    assert failed.result == "UpgradeFailedRollbackSuccess-ServiceCanNotBeStarted"
    assert (machine.version(), machine.files(), machine.service()) == ("1.0.0", OLD, "RUNNING")


def test_a_package_that_fails_while_it_is_installed_leaves_the_old_version(machine: Machine) -> None:
    machine.run("install", "--to", "1.0.0", code=DONE)
    failed = machine.run("upgrade", "--to", INSTALLER_FAILS, code=ROLLED_BACK)
    assert failed.result == "UpgradeFailedRollbackSuccess-SwitchFailed" and "Windows Installer failed with" in failed.text, failed.text
    assert (machine.version(), machine.files(), machine.service()) == ("1.0.0", OLD, "RUNNING")
    assert machine.run("recover", code=DONE).result is None


def test_a_minor_upgrade_keeps_the_product_code_and_goes_back(machine: Machine) -> None:
    machine.run("install", "--to", "1.0.0", code=DONE)
    assert machine.run("upgrade", "--to", MINOR, code=DONE).result == "Success"
    assert (machine.version(), machine.service()) == (MINOR, "RUNNING") and machine.files() == sorted([*OLD, "more.txt"])
    assert (machine.tree / "old.txt").read_text() == "older"
    assert machine.run("rollback", code=DONE).result == "Success"
    assert (machine.version(), machine.files(), machine.service()) == ("1.0.0", OLD, "RUNNING")
    assert (machine.tree / "old.txt").read_text() == "old"


def test_it_waits_for_windows_installer_and_for_windows_own_restart(machine: Machine) -> None:
    """By what Windows has to tell it: the mutex of Windows Installer's service, and the keys that ask for a restart."""
    machine.run("install", "--to", "1.0.0", code=DONE)
    with machine.prefix.helped("mutex", r"Global\_MSIExecute"):
        assert machine.run("upgrade", "--to", "2.0.0", code=ABORTED).result == "UpgradeAbortedInstallerBusy"
    for key in (r"Component Based Servicing\RebootPending", r"WindowsUpdate\Auto Update\RebootRequired", r"Installer\InProgress"):
        key = rf"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\{key}"
        machine.prefix.run("reg.exe", "add", key, "/f")
        assert machine.run("upgrade", "--to", "2.0.0", code=ABORTED).result == "UpgradeAbortedRestartPending", key
        machine.prefix.run("reg.exe", "delete", key, "/f")
    assert (machine.version(), machine.service()) == ("1.0.0", "RUNNING")
    assert machine.run("check", code=DONE).result is None


def test_two_at_once(machine: Machine) -> None:
    machine.run("install", "--to", "1.0.0", code=DONE)
    first = machine.start("upgrade", "--to", "2.0.0")
    until(lambda: (machine.etc / "state/journal").exists() or first.poll() is not None, "the first run does not begin")
    second = machine.run("upgrade", "--to", "2.0.0")
    assert first.wait(LIMIT_S) == DONE
    assert (second.code, second.outcome["result"]) == (ABORTED, "UpgradeAbortedAlreadyRunning"), second.text
    assert machine.version() == "2.0.0"


def test_killed_at_any_instant_it_is_old_or_new(machine: Machine) -> None:
    """A run is killed at 20 instants; each time recover leaves one version, whole, with its service."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    machine.run("install", "--to", "1.0.0", code=DONE)
    n_kills, n_pending = int(os.environ.get("SUREFOOT_KILLS", "20")), 0
    for i in range(n_kills):
        target = "2.0.0" if machine.version() == "1.0.0" else None
        process = machine.start("upgrade", "--to", target) if target else machine.start("rollback")
        time.sleep(dice.random() * 3)
        machine.prefix.run("taskkill.exe", "/f", "/im", PROGRAM.name, code=None)
        process.wait(LIMIT_S)
        n_pending += machine.status()["recovery_pending"]
        recovered = machine.run("recover")
        assert recovered.code == DONE, (i, recovered.text)
        version = machine.version()
        assert (version, machine.files()) in (("1.0.0", OLD), ("2.0.0", NEW)), (i, recovered.text)
        assert (machine.tree / "helper.exe").read_bytes() == HELPER.read_bytes() + version.encode(), (i, recovered.text)
        assert machine.service() == "RUNNING" and machine.status()["installed"] == version, (i, recovered.text)
        assert machine.run("recover", code=DONE).result is None
    assert n_pending > 0, "none was killed amid its work"


def test_a_file_in_use_makes_a_restart_needed_and_the_run_goes_on_after_it(machine: Machine) -> None:
    machine.run("install", "--to", "1.0.0", code=DONE)
    with machine.prefix.helped("deaf", program=r"C:\Program Files\Orchard\helper.exe"):
        waits = machine.run("upgrade", "--to", "2.0.0", code=RESTART)
        assert waits.result is None and waits.outcome["restart_needed"] is True
        assert any("helper.exe" in line.get("text", "") and "open" in line["text"] for line in waits.lines), waits.text
        assert machine.service() == "STOPPED", "nothing is started in between"
        again = machine.run("upgrade", "--to", "2.0.0", code=RESTART)
        assert again.outcome["restart_needed"] is True
        machine.prefix.end()
    machine.prefix.start()
    machine.prefix.run("wineboot.exe", "--restart", code=None)
    done = machine.run("recover", code=DONE)
    assert done.result == "Success" and (machine.version(), machine.files(), machine.service()) == ("2.0.0", NEW, "RUNNING")


# -- whom Windows trusts ---------------------------------------------------------------------------------------------------


TRUSTING = 'mount -t tmpfs roots /etc/ssl/certs && cp "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"'


@contextlib.contextmanager
def trusting(machine: Machine, roots: Path) -> Iterator[None]:
    """The machine's ROOT store is what wine finds in files of the host: for one program they are others."""
    machine.prefix.read_roots()
    machine.prefix.before = ["unshare", "-m", "sh", "-c", TRUSTING, roots]
    try:
        yield
    finally:
        machine.prefix.before = []


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("there are no mount namespaces here")
    file = tmp_path / "roots.pem"
    file.write_bytes(b"")
    return file


def test_a_server_that_windows_trusts_needs_no_certificates_in_the_product_file(machine: Machine, roots: Path) -> None:
    """Neither for what is fetched, nor for the probes of health."""
    file = machine.etc / "orchard.xml"
    said = file.read_text(encoding="utf-8")
    assert '<fetch ca="ca.pem">' in said and '<health within="PT10S" stays-up="PT1S"/>' in said
    said = said.replace('<health within="PT10S" stays-up="PT1S"/>',
                        f'<health within="PT3S" stays-up="PT0S"><http url="https://localhost:{machine.server.tls}/feed.xml"/></health>')
    file.write_text(said, encoding="utf-8")
    with trusting(machine, roots):
        stranger = machine.run("install", "--to", "1.0.0")
        assert stranger.result == "UpgradeFailedRollbackSuccess-HealthCheckFailed" and "certificate" in stranger.text, stranger.text
    file.write_text(said.replace('<fetch ca="ca.pem">', "<fetch>"), encoding="utf-8")
    with trusting(machine, roots):
        stranger = machine.run("install", "--to", "1.0.0")
        assert stranger.result == "UpgradeAbortedDownloadFailed" and "certificate" in stranger.text, stranger.text
    shutil.copy(machine.etc / "ca.pem", roots)
    with trusting(machine, roots):
        assert machine.run("install", "--to", "1.0.0", code=DONE).result == "Success"
    assert machine.version() == "1.0.0"


def test_a_signer_that_windows_trusts_needs_no_anchors(machine: Machine, roots: Path) -> None:
    (machine.etc / "good.exe").write_bytes(pe.signed())

    def verify() -> int:
        with trusting(machine, roots):
            return machine.prefix.run(PROGRAM, "verify", "--at", AT, "--publisher", pki.PUBLISHER, r"C:\orchard\good.exe", code=None).returncode
    assert verify() == REFUSED
    pki.write_pem(roots, pki.pki().root)
    assert verify() == DONE
