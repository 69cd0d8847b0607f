"""Surefoot that is installed by its own package, and keeps itself up to date: under wine, from the installed program, by a feed over
HTTPS. The versions are one build, in which the version's digits are changed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import struct
import subprocess
import time
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path
from typing import Iterator

import pytest
from conftest import ROOT
from test_windows_signed import signed
from windows_kit import BUILD, DONE, FAILED, LIMIT_S, PROGRAM, REFUSED, ROLLED_BACK, Done, Maker, Prefix, Ran, made_by_a_maker, windows

from tests.kit import pki as pk
from tests.kit.servers import Nginx

TOOL = ROOT / "packaging/win32/package"
BUILT = "0.1.0"  # its digits are as many as those of the versions here
EXE = r"C:\Program Files\Surefoot\surefoot.exe"
KEPT = r"C:\ProgramData\Surefoot\state\surefoot\own\surefoot.exe"
RUN, RECOVER = r"\Surefoot\surefoot", r"\Surefoot\surefoot recover"
TASK_SCHEMA = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
OLD, NEW, NEWEST_DOES_NOT_START = "0.2.0", "0.3.0", "0.4.0"


def fixed_version(version: str) -> bytes:
    a, b, c = map(int, version.split("."))
    return struct.pack("<IIII", 0xFEEF04BD, 0x10000, a << 16 | b, c << 16)


def program(folder: Path, version: str) -> Path:
    """The program that wine runs, as of another version; the newest does not start."""
    file = folder / f"surefoot-{version}.exe"
    subprocess.run(["x86_64-w64-mingw32-strip", "-o", file, PROGRAM], check=True, timeout=LIMIT_S)
    data = file.read_bytes()
    for was, now in ((BUILT.encode(), version.encode()), (BUILT.encode("utf-16-le"), version.encode("utf-16-le")),
                     (fixed_version(BUILT), fixed_version(version))):
        assert was in data, was
        data = data.replace(was, now)
    if version == NEWEST_DOES_NOT_START:
        at = struct.unpack_from("<I", data, 0x3C)[0] + 4            # the header's machine: it is for another processor
        assert data[at:at + 2] == struct.pack("<H", 0x8664)
        data = data[:at] + struct.pack("<H", 0xAA64) + data[at + 2:]
    file.write_bytes(data)
    signed(file, *maker_s_chain())
    return file


def maker_s_chain() -> tuple[pk.Cert, pk.Cert]:
    """A test's own key and certificate, and what it hangs on."""
    return pk.leaf(before="2021-01-01", after="2038-01-01"), pk.pki().inter


def package(maker: Maker, version: str) -> Path:
    return maker.folder / f"packages/surefoot-{version}-windows-x64.msi"


def packed(maker: Maker, version: str) -> bytes:
    """The program in the zip."""
    with zipfile.ZipFile(package(maker, version).with_suffix(".zip")) as archive:
        return archive.read(f"surefoot-{version}-windows-x64/surefoot.exe")


def without_file_versions(package: Path) -> None:
    """Wine leaves a newer program where Windows Installer is told to force the older one (REINSTALLMODE=a): what a cut-off upgrade wrote
    can't be undone there by a package that says which version its file has."""
    subprocess.run(["msibuild", package, "-q", "UPDATE `File` SET `Version` = '' WHERE `File` = 'Program'"], check=True, capture_output=True,
                   timeout=LIMIT_S)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the three versions, as they are made."""
    folder = tmp_path_factory.mktemp("packages")
    for version in (OLD, NEW, NEWEST_DOES_NOT_START):
        subprocess.run([TOOL, BUILD, folder / "packages", "--program", program(folder, version), "--version", version,
                        "--older-libraries"], check=True, capture_output=True, timeout=LIMIT_S)  # a mirror may lag behind
    return folder / "packages"


@contextlib.contextmanager
def offering(folder: Path, packages: Path, has_file_versions: bool) -> Iterator[tuple[Maker, Nginx]]:
    """A maker's site with the three versions."""
    with made_by_a_maker(folder, "surefoot") as (maker, nginx):
        shutil.copytree(packages, folder / "packages")
        for version in (OLD, NEW, NEWEST_DOES_NOT_START):
            if not has_file_versions:
                without_file_versions(package(maker, version))
            signed(package(maker, version), *maker_s_chain())
            maker.offer(package(maker, version), version, "--demand", "authenticode", "--publisher", pk.PUBLISHER)
        yield maker, nginx


@pytest.fixture(scope="module")
def offered(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[tuple[Maker, Nginx]]:
    with offering(tmp_path_factory.mktemp("maker"), packages, True) as made:
        yield made


@pytest.fixture(scope="module")
def offered_loosely(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[tuple[Maker, Nginx]]:
    """By packages that can be undone when they were cut off, see without_file_versions."""
    with offering(tmp_path_factory.mktemp("maker"), packages, False) as made:
        yield made


class Machine:
    """One on which the old version was installed by hand."""

    def __init__(self, folder: Path, maker: Maker, server: Nginx) -> None:
        self.maker, self.server, self.prefix = maker, server, Prefix(folder / "prefix")
        self.installed = self.prefix.drive / "Program Files/Surefoot"
        self.etc = self.prefix.drive / "ProgramData/Surefoot"
        self.prefix.run("msiexec.exe", "/qn", "/i", windows(package(maker, OLD)))

    def configure(self) -> None:
        """As the example says: the product file to products.d, the key to keys."""
        text = (ROOT / "docs/examples/surefoot.xml").read_text()
        text, n = re.subn(r'<fetch>\s*<feed url="[^"]*"/>\s*<proxy use="system"/>',
                          rf'<fetch ca="..\\keys\\web.pem"><feed url="https://localhost:{self.server.tls}/feed.xml"/><proxy use="none"/>', text)
        text, n_health = re.subn('<health within="PT1M"', '<health within="PT5S"', text)
        text, n_payload = re.subn(r"(<payload>\s*<minisign>.*?</minisign>)",
                                  rf"\1<authenticode><anchors>..\\keys\\root.pem</anchors><publisher>{pk.PUBLISHER}</publisher></authenticode>", text)
        assert (n, n_health, n_payload) == (1, 1, 1)
        pk.write_pem(self.etc / "keys/root.pem", pk.pki().root)
        (self.etc / "products.d/surefoot.xml").write_text(text)
        shutil.copy(self.maker.folder / "maker.pub", self.etc / "keys/surefoot.pub")
        shutil.copy(self.maker.folder / "ca-kit.pem", self.etc / "keys/web.pem")

    def adopt(self) -> None:
        """What was installed by hand is looked after from now on."""
        self.configure()
        adopted = self.run("install", code=DONE)
        assert (adopted.result, adopted.outcome["to"], self.aside()) == ("Success", OLD, []), adopted.text

    def say(self, *words: object, program: str = EXE, code: int | None = None) -> Done:
        return self.prefix.run(program, *words, code=code)

    def version(self) -> str:
        return self.say("--version", code=DONE).stdout.decode().strip().removeprefix("surefoot ")

    def run(self, command: str, *words: str, program: str = EXE, code: int | None = None) -> Ran:
        done = self.say(command, "--format", "json", *words, "surefoot", program=program)
        lines = [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]
        ran = Ran(done.returncode, lines, done.text)
        assert code is None or ran.code == code, (command, words, ran.code, ran.text)
        return ran

    def aside(self) -> list[Path]:
        """Programs that went out of Windows Installer's way."""
        return sorted(file for file in self.etc.glob("state/surefoot/own/*") if file.name != "surefoot.exe")

    @property
    def kept(self) -> Path:
        """The copy for recovery."""
        return self.etc / "state/surefoot/own/surefoot.exe"

    def tasks(self) -> dict[str, str]:
        """What was said of the tasks that the machine has. Wine itself keeps not what a task runs."""
        shown = [json.loads(line) for line in self.say("schedule", "show", "--format", "json", "surefoot", code=DONE).stdout.splitlines()]
        return {line["path"]: line["text"] for line in shown if line["installed"]}

    def doctor(self) -> list[tuple[str, str, str]]:
        """What it says of tasks."""
        lines = [json.loads(line) for line in self.say("doctor", "--format", "json", "surefoot").stdout.splitlines()]
        return [(line["verdict"], line["text"], line["mend"]) for line in lines if line["check"] == "task"]

    def run_task(self, text: str) -> Done:
        """What the Task Scheduler does with such a description: the command, and the arguments as they are written."""
        command, arguments = (ElementTree.fromstring(text).findtext(f".//{TASK_SCHEMA}Exec/{TASK_SCHEMA}{name}") for name in ("Command", "Arguments"))
        (self.prefix.drive / "task.bat").write_bytes(f'@"{command}" {arguments}\r\n@exit %errorlevel%\r\n'.encode())
        return self.prefix.run("cmd.exe", "/c", r"C:\task.bat", code=None)

    def left(self) -> list[str]:
        return sorted(str(f.relative_to(self.installed)) for f in self.installed.rglob("*") if f.is_file())


def for_a_test(folder: Path, offered: tuple[Maker, Nginx]) -> Iterator[Machine]:
    m = Machine(folder, *offered)
    yield m
    m.prefix.end()


@pytest.fixture
def machine(tmp_path: Path, offered: tuple[Maker, Nginx]) -> Iterator[Machine]:
    yield from for_a_test(tmp_path, offered)


@pytest.fixture
def loose(tmp_path: Path, offered_loosely: tuple[Maker, Nginx]) -> Iterator[Machine]:
    yield from for_a_test(tmp_path, offered_loosely)


FILES = sorted(["surefoot.exe", "LICENSE.txt", "LIBRARIES.txt", "CHANGELOG.md", "examples/surefoot.xml", "examples/entra-connect.xml",
                *(f"manual/{page}.txt" for page in ("surefoot.1", "surefoot-inspect.1", "surefoot-product.5", "surefoot-upgrade.1", "surefoot-verify.1"))])
FOLDERS = ["", "products.d", "anchors.d", "keys"]


def test_the_package_installs_the_program_and_folders_that_others_cannot_change(machine: Machine) -> None:
    assert machine.left() == FILES and machine.version() == OLD
    assert (machine.installed / "surefoot.exe").read_bytes() == packed(machine.maker, OLD)
    for name in FOLDERS:  # wine has access lists as the host's permission bits
        assert (machine.etc / name).stat().st_mode & 0o7777 == 0o755, name
    source = machine.prefix.run("reg.exe", "query", r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\Surefoot Upgrade").stdout
    assert EXE.encode() in source and b"0x7" in source
    again = machine.say("prepare", code=DONE).stdout.decode().split()
    assert again.count("fine") == len(FOLDERS) and again.count("made") == 0
    (machine.etc / "anchors.d").rmdir()
    (machine.etc / "keys").chmod(0o777)
    refused = machine.say("prepare", code=FAILED).stdout.decode()
    assert "keys: " in refused and "only an administrator" in refused
    machine.prefix.run("msiexec.exe", "/qn", "/x", windows(package(machine.maker, OLD)))
    assert machine.left() == [] and (machine.etc / "products.d").is_dir(), "what an administrator put there stays"


def test_what_is_packed_says_its_libraries(offered: tuple[Maker, Nginx]) -> None:
    with zipfile.ZipFile(package(offered[0], OLD).with_suffix(".zip")) as archive:
        said = archive.read(f"surefoot-{OLD}-windows-x64/LIBRARIES.txt").decode().split("\n")
    assert {line.split()[0] for line in said if line} >= {"openssl", "curl", "libxml2", "libarchive", "zlib", "xz-utils", "libzstd", "jansson"}


def test_a_product_file_without_its_key_is_refused(machine: Machine) -> None:
    machine.configure()
    (machine.etc / "keys/surefoot.pub").unlink()
    assert machine.say("upgrade", "surefoot").returncode == 2 and machine.version() == OLD


def test_surefoot_upgrades_itself_and_goes_back(machine: Machine) -> None:
    machine.adopt()
    done = machine.run("upgrade", "--to", NEW, code=DONE)
    assert done.result == "Success" and "restart_needed" not in done.outcome, done.text
    found, downloading, verified, switched, healthy, success = 302, 305, 306, 309, 311, 312
    assert [line.get("event") for line in done.lines[:-1]] == [found, downloading, verified, switched, healthy, success], done.text
    assert machine.version() == NEW and machine.left() == FILES
    assert (machine.installed / "surefoot.exe").read_bytes() == packed(machine.maker, NEW)
    assert [f.read_bytes() == packed(machine.maker, OLD) for f in machine.aside()] == [True], "what ran is what was installed"
    assert machine.kept.read_bytes() == packed(machine.maker, NEW), "the copy for recovery is no old program"
    assert machine.run("recover", code=DONE).result is None and machine.aside() == []
    back = machine.run("rollback", code=DONE)
    assert back.result == "Success" and machine.version() == OLD and machine.left() == FILES
    assert (machine.installed / "surefoot.exe").read_bytes() == packed(machine.maker, OLD)


def test_a_version_that_does_not_start_goes_back_to_the_old_one(machine: Machine) -> None:
    machine.adopt()
    failed = machine.run("upgrade", code=ROLLED_BACK)
    assert failed.result == "UpgradeFailedRollbackSuccess-HealthCheckFailed" and failed.outcome["to"] == NEWEST_DOES_NOT_START
    assert machine.version() == OLD and machine.left() == FILES
    assert (machine.installed / "surefoot.exe").read_bytes() == packed(machine.maker, OLD)


def test_a_package_that_was_changed_is_refused(machine: Machine, tmp_path: Path) -> None:
    machine.adopt()
    site = tmp_path / "site"
    machine.maker.copy_site(site)
    file = next(site.glob(f"{NEW}/*.msi"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    product = machine.etc / "products.d/surefoot.xml"
    product.write_text(product.read_text().replace(f"https://localhost:{machine.server.tls}/", "file:///" + windows(site).replace("\\", "/") + "/"))
    refused = machine.run("upgrade", "--to", NEW, code=REFUSED)
    assert refused.result == "PreUpgradeFailure-DigestMismatch"
    assert machine.version() == OLD and machine.left() == FILES and machine.aside() == []


def test_killed_at_any_instant_one_of_the_two_comes_back(loose: Machine) -> None:
    """By the installed program; where that does not start, by the copy that is kept."""
    loose.adopt()
    kill_and_recover(loose)


def kill_and_recover(machine: Machine) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for i in range(int(os.environ.get("SUREFOOT_KILLS", "5"))):
        words = ["upgrade", "--to", NEW] if machine.version() == OLD else ["rollback"]
        process = machine.prefix.begin(EXE, *words, "surefoot")
        time.sleep(dice.random() * 3)
        machine.prefix.run("taskkill.exe", "/f", "/im", "surefoot.exe", code=None)
        process.wait(LIMIT_S)
        recovered, by = machine.run("recover"), "it"
        if not recovered.lines:  # it did not start: it is not there, or not yet whole
            there = machine.installed / "surefoot.exe"
            assert not there.exists() or there.read_bytes() not in (packed(machine.maker, OLD), packed(machine.maker, NEW)), recovered.text
            by = KEPT
            recovered = machine.run("recover", program=by)
        print(i, words[0], by, recovered.result)
        assert recovered.code == DONE, (i, recovered.text)
        version = machine.version()
        said = machine.run("status", code=DONE).lines[-1]
        assert said["installed"] == version, (i, version, said, recovered.text)
        assert version in (OLD, NEW) and machine.left() == FILES, (i, recovered.text)
        assert (machine.installed / "surefoot.exe").read_bytes() == packed(machine.maker, version), (i, recovered.text)


# -- no program at its place -----------------------------------------------------------------------------------------------


def cut_off_without_a_program(machine: Machine) -> None:
    """Killed between the old program and the new one."""
    there = machine.installed / "surefoot.exe"
    for _ in range(20):
        process = machine.prefix.begin(EXE, "upgrade", "--to", NEW, "surefoot")
        while process.poll() is None and not machine.aside():
            time.sleep(0.002)
        while process.poll() is None and there.exists():
            time.sleep(0.001)
        process.kill()
        process.wait(LIMIT_S)
        if not there.exists():
            return
        machine.run("recover", program=KEPT)                        # too late
        if machine.version() == NEW:
            machine.run("rollback", code=DONE)
    raise AssertionError("there was a program each time")


def test_cut_off_without_a_program_the_task_brings_it_back(loose: Machine) -> None:
    machine = loose
    machine.adopt()
    machine.say("schedule", "install", "surefoot", code=DONE)
    assert machine.kept.read_bytes() == packed(machine.maker, OLD)
    tasks = machine.tasks()
    assert list(tasks) == [RUN, RECOVER]
    cut_off_without_a_program(machine)
    assert machine.run_task(tasks[RUN]).returncode != DONE and not (machine.installed / "surefoot.exe").exists(), "no run can begin"
    recovered = machine.run_task(tasks[RECOVER])
    assert recovered.returncode == DONE, recovered.text
    assert machine.left() == FILES and (machine.installed / "surefoot.exe").read_bytes() == packed(machine.maker, OLD), recovered.text
    status = machine.run("status", code=DONE).lines[-1]
    assert (machine.version(), status["installed"]) == (OLD, OLD), status
    assert machine.run("recover", code=DONE).result is None
    assert machine.aside() == [] and machine.kept.read_bytes() == packed(machine.maker, OLD), "nothing else is left"
    machine.run("upgrade", "--to", NEW, code=DONE)
    assert machine.version() == NEW and machine.kept.read_bytes() == packed(machine.maker, NEW)
    machine.say("schedule", "remove", "surefoot", code=DONE)
    assert machine.tasks() == {} and not machine.kept.exists()


def test_the_copy_installs_no_tasks(machine: Machine) -> None:
    machine.adopt()
    machine.say("schedule", "install", "surefoot", code=DONE)
    refused = machine.say("schedule", "install", "surefoot", program=KEPT)
    assert refused.returncode == 2 and "call the installed program" in refused.text, refused.text


def test_the_doctor_says_what_tasks_lack(machine: Machine) -> None:
    """What it says of programs that are not there, or that others can change, tests/sim/test_msi.c has: wine's tasks have no program at all."""
    machine.adopt()
    (word, text, mend), = machine.doctor()
    assert word == "warning" and "no task recovers Surefoot" in text and "schedule install" in mend
    machine.say("schedule", "install", "surefoot", code=DONE)
    assert [(word, text) for word, text, _ in machine.doctor()] == [("fault", f"{task}: the task names no program") for task in (RUN, RECOVER)]
    assert all("schedule install" in mend for _, _, mend in machine.doctor())


def test_a_run_brings_the_copy_back_that_a_task_wants(machine: Machine) -> None:
    machine.adopt()
    machine.say("disable", "surefoot", code=DONE)                   # no run upgrades meanwhile
    machine.run("run", code=DONE)
    assert not machine.kept.exists()
    machine.say("schedule", "install", "surefoot", code=DONE)
    for spoil in (machine.kept.unlink, lambda: machine.kept.write_bytes(b"half a program")):
        spoil()
        machine.run("run", code=DONE)
        assert machine.kept.read_bytes() == (machine.installed / "surefoot.exe").read_bytes()
