"""What breaks on the way: versions that do not come up, services that do not stop, full and read-only disks, files and databases that are
gone. Each ends with its own result; the old version runs as before, or the new one does; nothing is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

import pytest
from upgrade_kit import ABORTED, DONE, FAILED, NOT_SUPPORTED, REFUSED, ROLLBACK_FAILED, ROLLED_BACK, Asker, Machine, World, picture

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


def harvest(machine: Machine, n: int) -> None:
    for _ in range(n):
        machine.get("/records", "POST")


# -- the new version does not come up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("switch, word, value, says", [
    ("auto", "no-start", "", "told not to start"), ("auto", "unhealthy", "hail", "health"), ("auto", "leave-at-once", "", "does not run"),
    ("auto", "slow", "60", "not done after"), ("pointer", "unhealthy", "hail", "health")],
    ids=["does not start", "is not well", "goes at once", "hangs while it starts", "is not well, with a pointer"])
def test_a_version_that_does_not_come_up_is_taken_back(world: World, switch: str, word: str, value: str, says: str) -> None:
    machine = world.ready("1.0.0", switch=switch)
    harvest(machine, 3)
    machine.site.offer(world.maker.release("2.0.0", behave={word: value}))
    before = picture(machine.tree.resolve())
    with Asker(machine) as asker:
        ran = machine.upgrade(code=ROLLED_BACK)
    assert ran.result.startswith("UpgradeFailedRollbackSuccess-") and says in ran.text, ran
    machine.expect("1.0.0", result=ran.result)
    assert picture(machine.tree.resolve()) == before
    assert {*asker.heard} <= {"orchard 1.0.0", "orchard 2.0.0"} and asker.heard[-1] == "orchard 1.0.0", asker.heard
    assert machine.history()[-1]["downtime_ms"] == ran.outcome["downtime_ms"] > 0
    status = machine.status()
    assert (status["state"], [h["version"] if isinstance(h, dict) else h for h in status["holds"]]) == ("Enabled", ["2.0.0"]), status


def test_data_that_a_bad_version_migrated_is_put_back(world: World) -> None:
    machine = world.ready("1.0.0")
    machine.write(files='<configuration path="conf/orchard.ini" action="keep"/><data folder="../home/data" protect="snapshot"/>')
    harvest(machine, 5)
    machine.site.offer(world.maker.release("2.0.0", schema=2, behave={"unhealthy": "hail"}))
    machine.upgrade(code=ROLLED_BACK)
    machine.expect("1.0.0", result=None)
    assert machine.get("/records") == "5"
    db = sqlite3.connect(machine.home / "data" / "orchard.db")
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()


def test_neither_comes_up_and_recover_brings_the_old_one_back(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    before = picture(machine.tree)
    machine.write(checks="")
    stop_then_break(machine)
    ran = machine.upgrade(code=ROLLBACK_FAILED)
    assert ran.result.startswith("UpgradeFailedRollbackFailed"), ran
    assert machine.runs() is None and picture(machine.tree) == before
    status = machine.status()
    assert status["installed"] == "1.0.0", status
    machine.told("no-start", None)
    machine.run("recover", code=None)
    if machine.runs() is None:
        assert machine.ctl("start") == 0
    assert machine.runs() == "1.0.0"
    machine.write()
    assert machine.upgrade("--to", "2.0.0").result == "Success"
    machine.expect("2.0.0")


def stop_then_break(machine: Machine) -> None:
    """From the next stop on nothing starts on this machine."""
    control = machine.tree / "bin" / "orchardctl"
    assert control.exists()
    wrapper = machine.folder / "control"
    wrapper.write_text(f'#!/bin/sh\n[ "$1" != stop ] || {{ mkdir -p {machine.home}/behave; : >{machine.home}/behave/no-start; }}\nexec {control} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    stop = f'<stop timeout="PT5S"><arg>{wrapper}</arg><arg>stop</arg><arg>{machine.home}</arg></stop>'
    service = machine.file.read_text(encoding="utf-8")
    start = service.index('<stop timeout="PT5S">')
    end = service.index("</stop>") + len("</stop>")
    machine.file.write_text(service[:start] + stop + service[end:], encoding="utf-8")


# -- the old version does not stop ----------------------------------------------------------------------------------------------


def test_a_service_that_does_not_stop_runs_on(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.told("no-stop")
    with machine.untouched():
        ran = machine.upgrade(code=ABORTED)
    assert ran.result == "UpgradeAbortedServiceCanNotBeStopped", ran
    assert machine.runs() == "1.0.0"
    machine.told("no-stop", None)
    machine.upgrade()
    machine.expect("2.0.0")


def test_a_client_hears_one_version_at_a_time(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", "3.0.0")
    with Asker(machine, pause_s=0) as asker:
        for version in ("2.0.0", "3.0.0"):
            machine.upgrade("--to", version)
        machine.run("rollback", code=DONE)
    assert asker.heard == ["orchard 1.0.0", "orchard 2.0.0", "orchard 3.0.0", "orchard 2.0.0"], asker.heard
    assert asker.n_asked > 100


# -- disks ----------------------------------------------------------------------------------------------------------------------


@contextmanager
def disk(place: Path, size: str = "64m") -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "orchard-test", place], capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        for _ in range(50):
            if subprocess.run(["umount", place], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        subprocess.run(["umount", "-l", place], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Takes all room but so many bytes."""
    st = os.statvfs(folder)
    path = folder / "ballast"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(st.f_bavail * st.f_frsize - leave, 1))
    return path


@needs_root
def test_a_disk_without_room_is_seen_before_anything_is_fetched(world: World) -> None:
    release = world.maker.release("1.0.0")
    machine = world.machine(world.site(release))
    with disk(machine.folder / "opt"):
        machine.install()
        machine.site.offer(world.maker.release("2.0.0"))
        ballast = fill(machine.folder / "opt", 8192)
        with machine.untouched():
            ran = machine.upgrade(code=ABORTED)
        assert ran.result == "UpgradeAbortedInsufficientDiskSpace" and 306 not in ran.ids, ran
        ballast.unlink()
        machine.upgrade()
        machine.expect("2.0.0")
        machine.close()


@needs_root
@pytest.mark.parametrize("leave", [40_000, 80_000, 120_000, 160_000])
def test_a_disk_that_fills_up_meanwhile(world: World, leave: int) -> None:
    """Checks hold, and then somebody else takes the room while the payload is fetched."""
    first, second = world.maker.release("1.0.0"), world.maker.release("2.0.0", extra={f"share/large-{n}": os.urandom(60_000) for n in range(8)})
    machine = world.machine(world.site(first))
    with disk(machine.folder / "opt", "8m"):
        machine.install()
        machine.site.offer(second)
        data, taken = second.payload.read_bytes(), []

        def late(c: Any, r: Any) -> Any:
            taken.append(fill(machine.folder / "opt", leave))
            from tests.kit.servers import answer
            return c.send(answer(200, data))
        world.faker.serve(machine.site)
        world.faker.on(f"/2.0.0/{second.payload.name}", late)
        machine.write(feeds=[machine.site.url.replace(machine.site.base, world.faker.base)], fetch='deadline="PT5S"')
        ran = machine.upgrade(code=ABORTED)
        assert ran.result == "UpgradeAbortedInsufficientDiskSpace" and taken, ran
        machine.expect("1.0.0", result="UpgradeAbortedInsufficientDiskSpace")
        taken[0].unlink()
        world.faker.serve(machine.site)
        machine.upgrade()
        machine.expect("2.0.0")
        machine.close()


@needs_root
@pytest.mark.parametrize("what", ["opt", "var"])
def test_a_volume_that_became_read_only(world: World, what: str) -> None:
    machine = world.machine(world.site(world.maker.release("1.0.0")))
    place = machine.folder / what
    with disk(place):
        machine.install()
        machine.site.offer(world.maker.release("2.0.0"))
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        with machine.untouched(machine.folder / "var"):
            ran = machine.run("upgrade")
        assert ran.code in (FAILED, ABORTED) and "ead-only" in ran.text, ran
        assert machine.runs() == "1.0.0"
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
        machine.upgrade()
        machine.expect("2.0.0")
        machine.close()


# -- things that are gone -------------------------------------------------------------------------------------------------------


def test_an_installed_file_that_is_gone_comes_with_the_next_version(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    (machine.tree / "share" / "notes.txt").unlink()
    machine.upgrade()
    machine.expect("2.0.0")
    assert (machine.tree / "share" / "notes.txt").exists()


@pytest.mark.parametrize("what", ["state", "cache"])
def test_folders_that_are_gone(world: World, what: str) -> None:
    """Without its state a machine does not know what is installed, and takes nothing for granted; the cache is a convenience."""
    machine = world.ready("1.0.0", "2.0.0")
    shutil.rmtree(machine.folder / "var" / what)
    ran = machine.run("upgrade")
    if what == "cache":
        assert ran.result == "Success"
        machine.expect("2.0.0")
        return
    assert ran.code != DONE and "install" in ran.text and machine.runs() == "1.0.0", ran
    assert machine.install("--to", "1.0.0", code=None) is not None
    assert machine.runs() == "1.0.0"


def test_a_tree_that_is_gone_is_not_put_back_by_itself(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"')
    machine.ctl("stop")
    shutil.rmtree(machine.install_folder)
    for command in ("upgrade", "run", "check"):
        ran = machine.run(command, code=FAILED)
        assert (ran.result, machine.install_folder.exists()) == ("PreUpgradeFailure", False) and "surefoot install" in ran.text, ran
    machine.install("--to", "2.0.0")
    machine.expect("2.0.0")


def test_a_release_that_is_taken_away_meanwhile(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.run("check")
    shutil.rmtree(machine.site.folder / "2.0.0")
    with machine.untouched():
        assert machine.upgrade(code=ABORTED).result == "UpgradeAbortedDownloadFailed"


def test_a_signal_ends_a_download_and_the_next_run_goes_on(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    release = world.maker.release("2.0.0")
    begun = threading.Event()

    def hang(c: Any, r: Any) -> Any:
        begun.set()
        c.wait(20)
    world.faker.serve(machine.site)
    world.faker.on(f"/2.0.0/{release.payload.name}", hang)
    feed = machine.site.url
    machine.write(feeds=[feed.replace(machine.site.base, world.faker.base)])
    tree, pid = picture(machine.tree), machine.pid()
    running = machine.begin("upgrade")
    assert begun.wait(20)
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=10)
    assert running.returncode in (FAILED, ABORTED, -signal.SIGTERM), (running.returncode, out, err)
    assert (picture(machine.tree), machine.pid()) == (tree, pid)
    machine.write(feeds=[feed])
    machine.upgrade()
    machine.expect("2.0.0")
