"""A signal may interrupt a system call, which then has done nothing (EINTR) and must be taken again: the upgrade goes on as if nothing had been.
strace interrupts every so many calls of a kind."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from publish_kit import SUREFOOT
from upgrade_kit import LIMIT_S, World

# Not write: strace can't leave out standard output, where a write that fails is an error that ends with 1, whatever failed it.
EVERY = {"read,pread64": 5, "fsync,fdatasync,syncfs": 2, "openat": 7, "poll,ppoll": 3, "recvfrom,recvmsg": 2,
         "sendto,sendmsg": 2, "wait4,waitid": 2, "flock": 2}

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here")


def of_the_loader(calls: str, log: Path) -> int:
    """How many calls come before main, which the loader does not take again."""
    subprocess.run(["strace", "-qq", "-o", log, "-e", f"trace={calls}", "-e", "signal=none", SUREFOOT, "--version"], check=True,
                   stdout=subprocess.DEVNULL, timeout=LIMIT_S)
    return log.read_text(encoding="utf-8", errors="replace").count("\n")


@pytest.mark.parametrize("calls", EVERY)
def test_interrupted_calls_are_taken_again(world: World, calls: str) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    log = machine.folder / "interrupted"
    when = f"{of_the_loader(calls, log) + 1}+{EVERY[calls]}"
    machine.upgrade(before=["strace", "-qq", "-o", log, "-e", f"trace={calls}", "-e", "signal=none", "-e", f"inject={calls}:error=EINTR:when={when}"])
    assert log.read_text(encoding="utf-8", errors="replace").count("(INJECTED)") >= 1
    machine.expect("2.0.0")
