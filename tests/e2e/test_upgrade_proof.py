"""What the system sees of an upgrade: before the verdict nothing is written outside the folders that are for it, and nothing is unpacked; and
all of it as an ordinary user, in a home folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from publish_kit import SUREFOOT
from upgrade_kit import DONE, LIMIT_S, REFUSED, ROLLED_BACK, Machine, World, picture

CALLS = ("openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,truncate,ftruncate,"
         "chmod,fchmodat,chown,fchownat,lchown,setxattr,lsetxattr,mknod,mknodat,utimensat,execve,mount,connect,bind")
LINE = re.compile(r'^(?P<pid>\d+) +(?P<call>\w+)\((?P<args>.*)\) += +(?P<rc>-?\d+|\?)')
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_TMPFILE")


class Trace:
    """The system calls of one run, and what each names."""

    def __init__(self, text: str) -> None:
        self.lines = [m for m in map(LINE.match, self.joined(text)) if m]

    @staticmethod
    def joined(text: str) -> list[str]:
        """Calls that another thread interrupted, whole again."""
        begun: dict[str, str] = {}
        lines = []
        for line in text.splitlines():
            pid = line.split(" ", 1)[0]
            if line.endswith("<unfinished ...>"):
                begun[pid] = line.removesuffix("<unfinished ...>")
            elif " resumed>" in line and pid in begun:
                lines.append(begun.pop(pid) + line.partition(" resumed>")[2])
            else:
                lines.append(line)
        return lines

    @staticmethod
    def names(match: re.Match[str]) -> list[str]:
        """The paths that a call is about: of a descriptor strace tells where it leads (-yy)."""
        folders = re.findall(r'(?:AT_FDCWD|\d+)<([^>]*)>, "((?:[^"\\]|\\.)*)"', match["args"])
        plain = [] if folders else re.findall(r'"((?:[^"\\]|\\.)*)"', match["args"])[:2]
        return [os.path.normpath(os.path.join(folder, name)) for folder, name in folders] + [os.path.normpath(name) for name in plain]

    def written(self) -> list[tuple[int, str, str]]:
        """(place in the trace, call, path) of whatever changes something on a disk."""
        found = []
        for at, m in enumerate(self.lines):
            if m["rc"].startswith("-") or m["call"] in ("execve", "connect", "bind"):
                continue
            if m["call"] in ("open", "openat") and not WRITES.search(m["args"]):
                continue
            found += [(at, m["call"], name) for name in self.names(m)]
        return found


needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here")


def trace(machine: Machine, command: str, code: int, *words: object) -> Trace:
    """-D: the program is ours to wait for, and strace goes on beside it for as long as the service runs that it started."""
    log, said = machine.folder / "trace", machine.folder / "said"
    before = ["strace", "-f", "-D", "-qq", "-yy", "-s", "4096", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", log]
    with said.open("wb") as out:
        done = subprocess.run([*before, SUREFOOT, *machine.command(command, *words)], timeout=LIMIT_S, check=False, **machine.how() | {"stdout": out, "stderr": out})
    assert done.returncode == code, said.read_text(encoding="utf-8")
    time.sleep(0.3)                                                # strace writes what it has
    return Trace(log.read_text(encoding="utf-8", errors="replace"))


def ours(machine: Machine, *more: Path) -> tuple[str, ...]:
    """Where an upgrade may write: its own folders, and nothing of the product's. In its home the service itself writes."""
    return tuple(str(p) for p in (machine.state, machine.cache, machine.store, machine.home, *more))


HARMLESS = ("/dev/null", "/dev/tty", "/proc/", "pipe:")


def strangers(machine: Machine, found: list[tuple[int, str, str]], *more: Path) -> list[tuple[int, str, str]]:
    return [f for f in found if not f[2].startswith((*ours(machine, *more), *HARMLESS))]


@needs_strace
@pytest.mark.parametrize("switch", ["auto", "pointer"])
def test_what_is_refused_writes_nothing_outside_its_folders(world: World, switch: str) -> None:
    machine = world.ready("1.0.0", "2.0.0", switch=switch)
    payload = machine.site.folder / "2.0.0" / "orchard-2.0.0.tar.zst"
    data = bytearray(payload.read_bytes())
    payload.unlink()
    data[len(data) // 2] ^= 1
    payload.write_bytes(data)
    seen = trace(machine, "upgrade", REFUSED)
    assert len(seen.written()) > 5, "the trace is empty"
    probes = (machine.store.parent,) if switch == "auto" else (machine.install_folder,)
    found = strangers(machine, seen.written(), *(p / ".surefoot-" for p in probes))
    assert not found, found
    assert not [n for _, _, n in seen.written() if "part-a" in n or "/tree" in n and "/lib" in n], "something was unpacked"
    assert machine.runs() == "1.0.0"


@needs_strace
def test_before_the_verdict_nothing_is_unpacked_or_run(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    seen = trace(machine, "upgrade", DONE)
    reads = [at for at, m in enumerate(seen.lines) if m["call"] == "openat" and "O_RDONLY" in m["args"] and re.search(r'"[^"]*payload-[0-9a-f]{24}"', m["args"])
             and not m["rc"].startswith("-")]
    assert len(reads) == 1, "the payload is opened once, and that handle is used to the end"
    written = seen.written()
    unpacked = [at for at, _, n in written if "/tree/" in n or n.endswith("/tree") or "/stage" in n]
    assert unpacked and min(unpacked) > reads[0], (reads, written)
    early = [f for f in written if f[0] < reads[0]]
    assert not strangers(machine, early, machine.store.parent / ".surefoot-"), early
    runs = [(at, m["args"][:120]) for at, m in enumerate(seen.lines) if m["call"] == "execve" and at > 0 and not m["rc"].startswith("-")]
    new = [r for r in runs if "bin/orchardctl" in r[1]]
    assert new, "no command of the product was seen"
    switched = [at for at, m in enumerate(seen.lines) if m["call"] == "renameat2" and "RENAME_EXCHANGE" in m["args"] and str(machine.install_folder) in " ".join(seen.names(m))]
    assert len(switched) == 1, "one switch"
    touched = [f for f in written if f[0] < switched[0] and f[2].startswith(f"{machine.install_folder}/")]
    assert not touched, touched


@needs_strace
def test_a_check_writes_to_state_and_cache_alone(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    before = picture(machine.folder / "opt")
    seen = trace(machine, "check", DONE)
    found = strangers(machine, seen.written(), machine.store.parent / ".surefoot-")
    assert not found, found
    assert picture(machine.folder / "opt") == before


# -- an ordinary user -----------------------------------------------------------------------------------------------------------

NOBODY = 65534


@pytest.fixture
def of_a_user(world: World) -> Machine:
    if os.geteuid() != 0:
        pytest.skip("all other tests are of an ordinary user then")
    machine = world.machine(world.site(world.maker.release("1.0.0")))
    machine.give_to(NOBODY)
    return machine


def test_an_ordinary_user_does_it_all(world: World, of_a_user: Machine) -> None:
    machine = of_a_user
    machine.install()
    machine.site.offer(world.maker.release("2.0.0"))
    machine.run("check", code=DONE)
    machine.upgrade()
    machine.expect("2.0.0")
    machine.site.offer(world.maker.release("3.0.0", behave={"unhealthy": "hail"}))
    machine.upgrade(code=ROLLED_BACK)
    machine.expect("2.0.0", result=None)
    machine.run("rollback", code=DONE)
    machine.expect("1.0.0")
    for command in ("status", "history", "doctor", "enable", "disable", "recover"):
        ran = machine.run(command)
        assert ran.code == DONE or (command == "doctor" and ran.code == 1), ran
    machine.run("enable", code=DONE)
    assert {(p.lstat().st_uid, p.lstat().st_gid) for p in (machine.folder / "opt").rglob("*")} == {(NOBODY, NOBODY)}


def test_an_ordinary_user_is_refused_what_is_not_his(world: World, of_a_user: Machine) -> None:
    machine = of_a_user
    machine.install()
    machine.site.offer(world.maker.release("2.0.0"))
    os.chown(machine.folder / "opt", 0, 0)
    with machine.untouched():
        ran = machine.run("upgrade")
    assert ran.code not in (DONE, ROLLED_BACK) and ran.outcome["text"], ran
    assert machine.runs() == "1.0.0"
