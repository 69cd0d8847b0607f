"""Upgrades on Windows, under wine, of a service product that comes as an archive: versions in folders of their own, and the junction `current`
that leads to one of them. The machine on which version 1.0.0 runs is made once; each test has a copy of it."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Iterator

import pytest
from windows_kit import (ABORTED, DONE, FAILED, HELPER, LIMIT_S, NOT_SUPPORTED, REFUSED, ROLLED_BACK, SERVICE, Machine, Maker, Prefix, made_by_a_maker,
                         until)

from tests.kit.servers import Nginx

FOLDER, KEY = r"C:\Program Files\Orchard", r"HKLM\Software\Orchard"
INSTALL = f'<install kind="archive" os="windows" folder="{FOLDER}"/>'
MORE = f"""<marker registry="{KEY}" value="UpgradeInProgress"/>
  <scheduler><setting registry="{KEY}" value="SyncCycleEnabled" on="1" off="0"/></scheduler>
  <checks><schedule/></checks>
  <files unlisted="carry"><configuration path="conf/orchard.ini" action="merge"/><data folder="data" protect="snapshot"/></files>"""
INI = "[server]\nport = 80\n\n[tree]\nkind = apple\n\n[made]\nby = {}\n"


# -- the maker -------------------------------------------------------------------------------------------------------------


def grow(folder: Path, version: str, **texts: str) -> Path:
    """What a release is made of: the service, a helper, configuration, a few files."""
    (folder / "conf").mkdir(parents=True)
    shutil.copy(SERVICE, folder / "orchard.exe")
    (folder / "helper.exe").write_bytes(HELPER.read_bytes() + version.encode())
    for name, text in {"version.txt": version, "conf/orchard.ini": INI.format(version), "lib/far/notes.txt": "Keep dry.\n" * 50, **texts}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def as_zip(tree: Path, to: Path) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as z:
        for path in sorted(tree.rglob("*")):
            if path.is_file():
                z.write(path, path.relative_to(tree).as_posix())
    return to


def as_tar(tree: Path, to: Path) -> Path:
    with tarfile.open(to, "w:gz") as t:
        for path in sorted(tree.iterdir()):
            t.add(path, path.name)
    return to


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Maker, Nginx]]:
    """Version 2.0.0 is a zip, 3.0.0, whose service ends before it runs, a tar.gz; the others are packed by surefoot-publish."""
    folder = tmp_path_factory.mktemp("archives")
    with made_by_a_maker(folder) as (maker, server):
        maker.offer(grow(folder / "1", "1.0.0", **{"old.txt": "old"}), "1.0.0")
        maker.offer(as_zip(grow(folder / "2", "2.0.0", **{"new.txt": "new"}), folder / "orchard-2.0.0.zip"), "2.0.0")
        maker.offer(grow(folder / "25", "2.5.0"), "2.5.0")
        maker.offer(as_tar(grow(folder / "3", "3.0.0", **{"told.txt": "fail"}), folder / "orchard-3.0.0.tar.gz"), "3.0.0")
        yield maker, server


# -- the machine -----------------------------------------------------------------------------------------------------------


class Orchard(Machine):
    @property
    def folder(self) -> Path:
        return self.drive / "Program Files/Orchard"

    @property
    def tree(self) -> Path:
        return self.folder / "current"

    def versions(self) -> list[str]:
        """The folders of versions, without the random part of their names."""
        return sorted(p.name.rsplit("-", 1)[0] for p in (self.folder / "versions").iterdir())

    def register(self) -> None:
        program = f'"{FOLDER}\\current\\orchard.exe" orchard told C:\\orchard\\told.txt "{FOLDER}\\current\\told.txt"'
        self.prefix.run("sc.exe", "create", "orchard", "binPath=", program, "start=", "demand")
        self.prefix.run("reg.exe", "add", KEY, "/v", "SyncCycleEnabled", "/t", "REG_DWORD", "/d", "1", "/f")

    def program(self) -> tuple[int, str]:
        """The service's process, and the version whose program file it has in memory; (0, "") where there is none."""
        for maps in Path("/proc").glob("[0-9]*/maps"):
            try:
                found = re.search(f"{re.escape(str(self.folder))}/versions/([^/]*)-[0-9a-f]+/orchard.exe", maps.read_text(encoding="utf-8"))
            except OSError:
                continue
            if found:
                return int(maps.parent.name), found[1]
        return 0, ""

    def registry(self, value: str) -> str:
        return self.prefix.run("reg.exe", "query", KEY, "/v", value, code=None).text

    def expect(self, version: str, parts: bool = False) -> None:
        """This version is whole, its service runs, the state says so, and nothing of an attempt is left; `parts`: but downloads."""
        assert (self.version(), self.program()[1], self.service()) == (version, version, "RUNNING")
        assert self.files() == FILES[version]
        status = self.status()
        assert (status["installed"], status["recovery_pending"]) == (version, False), status
        assert self.versions() == sorted([version, *(kept["version"] for kept in status["kept"])]), status
        left = [p.name for p in (self.folder / ".surefoot").glob("*") if not (parts and p.name.endswith(".part"))]
        left += [name for name in ("journal", "marker") if (self.etc / "state" / name).exists()]
        assert not left, left
        assert "0x1" in self.registry("SyncCycleEnabled"), "the product's scheduler is off"
        assert "UpgradeInProgress" not in self.registry("UpgradeInProgress"), "the marker is still there"


COMMON = ["conf/orchard.ini", "helper.exe", "lib/far/notes.txt", "orchard.exe", "version.txt"]
FILES = {"1.0.0": sorted([*COMMON, "old.txt"]), "2.0.0": sorted([*COMMON, "new.txt"]), "2.5.0": COMMON}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, made: tuple[Maker, Nginx]) -> Prefix:
    """A machine on which version 1.0.0 was installed by us, as it is when it has been shut down."""
    prefix = Prefix(tmp_path_factory.mktemp("installed") / "prefix")
    try:
        m = Orchard(prefix, *made)
        m.write_product(INSTALL, MORE, "PT0S")
        (m.etc / "data").mkdir()
        (m.etc / "data/records").write_text("3\n", encoding="utf-8")
        m.register()
        assert m.run("install", "--to", "1.0.0", code=DONE).result == "Success"
        m.expect("1.0.0")
    finally:
        prefix.end()
    return prefix


@pytest.fixture
def machine(tmp_path: Path, made: tuple[Maker, Nginx], installed: Prefix) -> Iterator[Orchard]:
    prefix = Prefix(tmp_path / "prefix", installed)
    m = Orchard(prefix, *made)
    prefix.run("sc.exe", "start", "orchard")
    yield m
    prefix.end()


@pytest.fixture
def maker(made: tuple[Maker, Nginx]) -> Maker:
    return made[0]


# -- the way there and back ------------------------------------------------------------------------------------------------


def test_a_service_is_upgraded_and_comes_back_when_the_newest_does_not_start(machine: Orchard) -> None:
    old_process = machine.program()[0]
    upgraded = machine.run("upgrade", "--to", "2.0.0", code=DONE)
    assert upgraded.result == "Success" and upgraded.outcome["downtime_ms"] > 0
    machine.expect("2.0.0")
    assert machine.program()[0] != old_process
    older = machine.run("upgrade", "--to", "1.0.0", code=FAILED)
    assert older.outcome["decision"] == "downgrade"
    failed = machine.run("upgrade", code=ROLLED_BACK)
    assert failed.result == "UpgradeFailedRollbackSuccess-ServiceCanNotBeStarted"
    machine.expect("2.0.0")
    assert machine.run("run", code=DONE).result is None, "what was rolled back is on hold"
    assert machine.run("rollback", code=DONE).result == "Success"
    machine.expect("1.0.0")
    assert machine.run("recover", code=DONE).result is None


def test_what_is_the_machines_own_comes_along(machine: Orchard) -> None:
    """Configuration is merged, what no release lists is carried; data is as it was after a version that did not start."""
    ini = machine.tree / "conf/orchard.ini"
    ini.write_text(ini.read_text(encoding="utf-8").replace("port = 80", "port = 8080"), encoding="utf-8")
    (machine.tree / "plugins/deep").mkdir(parents=True)
    (machine.tree / "plugins/deep/mine.txt").write_text("mine", encoding="utf-8")
    machine.run("upgrade", "--to", "2.0.0", code=DONE)
    assert (machine.tree / "conf/orchard.ini").read_text(encoding="utf-8") == INI.format("2.0.0").replace("port = 80", "port = 8080")
    assert (machine.tree / "plugins/deep/mine.txt").read_text(encoding="utf-8") == "mine"
    machine.run("upgrade", code=ROLLED_BACK)
    assert (machine.etc / "data/records").read_text(encoding="utf-8") == "3\n"
    assert machine.files() == sorted([*FILES["2.0.0"], "plugins/deep/mine.txt"])


# -- what is refused -------------------------------------------------------------------------------------------------------


def test_an_archive_that_was_changed_is_refused_and_nothing_is_unpacked(machine: Orchard, maker: Maker, tmp_path: Path) -> None:
    site, process = maker.copy_site(tmp_path / "site"), machine.program()
    machine.take_from(site)
    archive = next(site.glob("2.0.0/*.zip"))
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(bytes(data))
    refused = machine.run("upgrade", "--to", "2.0.0", code=REFUSED)
    assert refused.result == "PreUpgradeFailure-DigestMismatch" and "stage" not in refused.steps
    machine.expect("1.0.0")
    assert machine.program() == process, "the service was stopped"
    assert machine.versions() == ["1.0.0"] and not list(machine.drive.rglob("*.zip")) and not list(machine.drive.rglob("*.part"))
    feed = site / "feed.xml"
    feed.write_bytes(feed.read_bytes().replace(b"3.0.0", b"3.0.1"))
    assert machine.run("upgrade", code=REFUSED).result == "PreUpgradeFailure-SignatureInvalid"
    assert machine.program() == process


def test_two_at_once(machine: Orchard) -> None:
    first = machine.start("upgrade", "--to", "2.0.0")
    until(lambda: (machine.etc / "state/journal").exists() or first.poll() is not None, "the first run does not begin")
    second = machine.run("upgrade", "--to", "2.0.0")
    assert first.wait(LIMIT_S) == DONE
    assert (second.code, second.result) == (ABORTED, "UpgradeAbortedAlreadyRunning"), second.text
    machine.expect("2.0.0")


# -- a tree that is there already --------------------------------------------------------------------------------------------


def test_a_tree_that_is_a_release_is_adopted_and_runs_on(machine: Orchard) -> None:
    shutil.rmtree(machine.etc / "state")
    process = machine.program()
    adopted = machine.run("install", code=DONE)
    assert (adopted.result, adopted.outcome["to"]) == ("Success", "1.0.0"), adopted.text
    machine.expect("1.0.0")
    assert machine.program() == process, "the service was stopped"
    machine.run("upgrade", "--to", "2.0.0", code=DONE)
    machine.expect("2.0.0")
    assert machine.run("rollback", code=DONE).result == "Success"
    machine.expect("1.0.0")


def test_a_tree_that_stands_where_current_should_be_is_left_alone(machine: Orchard, maker: Maker) -> None:
    machine.prefix.run("net.exe", "stop", "orchard")
    shutil.rmtree(machine.etc / "state")
    shutil.rmtree(machine.folder)
    shutil.copytree(maker.folder / "1", machine.folder)
    refused = machine.run("install", "--to", "2.0.0", code=NOT_SUPPORTED)
    assert refused.result == "UpgradeNotSupportedSwitchMode" and "current" in refused.text, refused.text
    assert sorted(p.name for p in machine.folder.iterdir()) == sorted(p.name for p in (maker.folder / "1").iterdir())


# -- what others hold --------------------------------------------------------------------------------------------------------


def test_a_program_of_the_old_version_runs_on_and_its_version_goes_when_it_has_ended(machine: Orchard) -> None:
    """The pointer is turned whatever runs; a version that is kept no more can't be taken away while a program of it runs."""
    with machine.prefix.helped("deaf", program=FOLDER + r"\current\helper.exe"):
        machine.run("upgrade", "--to", "2.0.0", code=DONE)
        machine.expect("2.0.0")
        assert machine.versions() == ["1.0.0", "2.0.0"]
        next_one = machine.run("upgrade", "--to", "2.5.0", code=DONE)
        assert next_one.result == "Success" and "can't be taken away" in next_one.text, next_one.text
        assert machine.program()[1] == "2.5.0" and machine.versions() == ["1.0.0", "2.0.0", "2.5.0"]
    machine.run("recover", code=DONE)
    machine.expect("2.5.0")
    assert machine.versions() == ["2.0.0", "2.5.0"]


def test_a_file_that_cannot_be_read_stops_the_upgrade_before_anything_is_stopped(machine: Orchard) -> None:
    process = machine.program()
    with machine.prefix.helped("hold", FOLDER + r"\current\conf\orchard.ini"):
        refused = machine.run("upgrade", "--to", "2.0.0", code=FAILED)
        assert refused.result == "PreUpgradeFailure" and "orchard.ini" in refused.text, refused.text
        machine.expect("1.0.0", parts=True)
        assert machine.program() == process, "the service was stopped"
    machine.run("upgrade", "--to", "2.0.0", code=DONE)
    machine.expect("2.0.0")


# -- killed ------------------------------------------------------------------------------------------------------------------


def kill(process: subprocess.Popen[bytes], after_s: float) -> bool:
    """Kills it after so long; false where it had done all before."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(after_s) != DONE
    process.kill()                                                  # a program under wine is a process of the host
    process.wait(LIMIT_S)
    return True


def test_killed_at_any_instant_it_is_old_or_new(machine: Orchard) -> None:
    """A run is killed at 20 instants, to and fro, half of them after it has begun to change anything; each time recover leaves one version, whole,
    with its service, and the state says which."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    begun = time.monotonic()
    machine.run("upgrade", "--to", "2.0.0", code=DONE)
    whole_s = time.monotonic() - begun
    journal, n_pending, ends = machine.etc / "state/journal", 0, list[str]()
    for i in range(int(os.environ.get("SUREFOOT_KILLS", "20"))):
        process = machine.start("upgrade", "--to", "2.0.0") if machine.version() == "1.0.0" else machine.start("rollback")
        if dice.random() < 0.5:
            until(lambda: journal.exists() or process.poll() is not None, "the run does not begin")
        if not kill(process, dice.random() * whole_s):
            whole_s = max(whole_s * 0.8, 0.2)                       # the first run was a slow one, perhaps
        n_pending += journal.exists()
        if dice.random() < 0.2:
            process = machine.start("recover")
            kill(process, dice.random() * whole_s / 2)
        recovered = machine.run("recover")
        assert recovered.code == DONE, (i, recovered.text)
        version = machine.version()
        assert version in FILES and machine.files() == FILES[version], (i, recovered.text)
        assert machine.program()[1] == version, (i, recovered.text)
        assert machine.status()["installed"] == version, (i, recovered.text)
        ends.append(version)
    print(f"within {whole_s:.2f} s: {ends}, {n_pending} were pending")
    assert n_pending > 0
    machine.expect(machine.version(), parts=True)
    assert "0x1" in machine.registry("SyncCycleEnabled")
