"""Upgrades that are killed at any instant, while clients ask all the time: afterwards `recover` leaves the old version or the new one, whole
and running, and the state says which. A few kills by default; SUREFOOT_KILLS is how many a test has (./dev test-long: 50, 200 in all)."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest
from upgrade_kit import DONE, Asker, Machine, World, picture

N_KILLS = int(os.environ.get("SUREFOOT_KILLS", "5"))
VERSIONS = ("1.0.0", "2.0.0")
SETTINGS = '<configuration path="conf/orchard.ini" action="merge"/><data folder="../home/data" protect="snapshot"/>'


def duration(machine: Machine) -> float:
    begun = time.monotonic()
    machine.upgrade("--to", "2.0.0")
    return time.monotonic() - begun


def await_commit(machine: Machine, running: subprocess.Popen[bytes]) -> None:
    """What comes after the switch is over soon; few random instants are there."""
    while running.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            if b"committed" in (machine.state / "journal").read_bytes():
                return
        time.sleep(0.001)


def kill(machine: Machine, after_s: float, *command: object, committed: bool = False) -> bool:
    """Was there something to kill?"""
    running = machine.begin(*command)
    if committed:
        await_commit(machine, running)
    time.sleep(after_s)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=30)
    return running.returncode == -signal.SIGKILL


def settle(machine: Machine, chance: random.Random) -> str:
    """Recovers, also where that is killed in turn, and gives the version that is there then."""
    if chance.random() < 0.3:
        kill(machine, chance.uniform(0, 0.2), "recover")
    ran = machine.run("recover")
    assert ran.code == DONE, ran
    version = machine.runs()
    assert version in VERSIONS, (version, str(ran))
    machine.expect(version, result=None, parts=True)
    return version


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("switch", ["auto", "pointer"])
def test_killed_at_any_instant(world: World, switch: str, seed: int) -> None:
    machine = world.ready(*VERSIONS, switch=switch, files=SETTINGS)
    for _ in range(3):
        machine.get("/records", "POST")
    trees = {"1.0.0": picture(machine.tree.resolve())}
    whole = duration(machine)
    trees["2.0.0"] = picture(machine.tree.resolve())
    chance, ends = random.Random(seed), {version: 0 for version in VERSIONS}
    at = "2.0.0"
    with Asker(machine) as asker:
        while sum(ends.values()) < N_KILLS:
            if at == "1.0.0":
                late = chance.random() < 0.2
                was_killed = kill(machine, chance.uniform(0, 0.05 if late else whole), "upgrade", "--to", "2.0.0", committed=late)
                at = settle(machine, chance)
                ends[at] += was_killed
            elif chance.random() < 0.3:
                kill(machine, chance.uniform(0, whole), "rollback")
                at = settle(machine, chance)
            else:
                machine.run("rollback", code=DONE)
                at = "1.0.0"
            assert picture(machine.tree.resolve()) == trees[at]
            assert machine.get("/records") == "3"
    assert not [h for h in asker.heard if h.removeprefix("orchard ") not in VERSIONS], asker.heard
    assert N_KILLS < 50 or min(ends.values()) > 0, ends
    print(f"{N_KILLS} kills within {whole:.2f} s: {ends}, {asker.n_asked} questions")
    if at == "1.0.0":
        machine.upgrade("--to", "2.0.0")
    machine.expect("2.0.0", result=None, parts=True)
