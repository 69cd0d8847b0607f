"""Services of systemd (platform/service.h; tests/tools/service_ask prints what it says), with a stand-in for systemd on a bus of its own
(tests/kit/systemd): every way in which a unit or the manager may behave ends in time and with its own code; and whole upgrades of the sample
product, whose service the stand-in starts and stops for real."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from conftest import CRASH, SLACK, built
from upgrade_kit import ABORTED, DONE, FAILED, ROLLBACK_FAILED, ROLLED_BACK, Machine, World

from tests.kit import systemd as kit
from tests.kit.systemd import Systemd, Turn, Unit

HINT = "give the service start, stop and status commands in the product file"
DENIED = "org.freedesktop.DBus.Error.AccessDenied"
STOPPING = ("deactivating", "stop-sigterm")
BACK, STUCK = "UpgradeFailedRollbackSuccess", "UpgradeFailedRollbackFailed"
CRASHED = ("failed", "failed")

if not kit.is_there():
    pytest.skip("dbus-daemon or python3-jeepney is not installed", allow_module_level=True)


@lru_cache(maxsize=None)
def tool() -> Path:
    found = built("tools/service_ask")
    done = subprocess.run([str(found), "status", "x"], env={"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"}, capture_output=True, text=True, timeout=20, check=False)
    if "this build knows no service manager" in done.stdout:
        pytest.skip("this build is without systemd")
    return found


def ask(env: dict[str, str], *words: object, within_s: float = 1.0) -> str:
    """What service_ask says; it must have said it by then."""
    begun = time.monotonic()
    done = subprocess.run([str(tool()), *map(str, words)], env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", timeout=30, check=False)
    took_s = time.monotonic() - begun
    assert done.returncode == (0 if done.stdout.startswith("ok") else 1), (done.returncode, done.stdout)
    assert not any(word in done.stdout for word in CRASH), done.stdout
    assert took_s < within_s * SLACK, f"{took_s:.2f} s: {done.stdout}"
    return done.stdout.rstrip("\n")


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 15
    while not what() and time.monotonic() < until:
        time.sleep(0.01)
    assert what()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    tool()
    with Systemd(tmp_path / "systemd") as made:
        yield made


def running(**how: Any) -> Unit:
    return Unit(active="active", sub="running", **how)


# -- what is asked, one by one ---------------------------------------------------------------------------------------------


@dataclass
class Case:
    name: str
    unit: Unit | None
    question: str                                                   # a verb, and for start and stop how many ms it may take
    says: str                                                       # a pattern for all of it
    jobs: str = ""                                                  # what became of which jobs
    manager: dict[str, dict[str, Any]] = field(default_factory=dict)  # oddities of the manager itself


CASES = [
    Case("runs", running(n_restarts=3), "status", r"ok running 4711 3 active \(running\)"),
    Case("is-stopped", Unit(), "status", r"ok stopped 0 0 inactive \(dead\)"),
    Case("is-absent", None, "status", r"ok absent 0 0 not found"),
    Case("is-refused-as-absent", Unit(refuse={"LoadUnit": ("org.freedesktop.systemd1.NoSuchUnit", "No.")}), "status", r"ok absent 0 0 not found"),
    Case("is-masked", Unit(load="masked"), "status", r"ok stopped 0 0 inactive \(dead\)"),
    Case("has-failed-and-why", Unit(active="failed", sub="failed", result="oom-kill"), "status", r"ok failed 0 0 failed \(oom-kill\)"),
    Case("has-failed-and-says-not-why", Unit(active="failed", sub="failed", garbage={"Result": ("u", 7)}), "status", r"ok failed 0 0 failed \(failed\)"),
    Case("starts", Unit(active="activating", sub="start-pre"), "status", r"ok starting 0 0 activating \(start-pre\)"),
    Case("is-between-restarts", Unit(active="activating", sub="auto-restart", n_restarts=9), "status", r"ok starting 0 9 activating \(auto-restart\)"),
    Case("stops", Unit(active="deactivating", sub="stop-sigterm"), "status", r"ok stopping 0 0 deactivating \(stop-sigterm\)"),
    Case("reloads", Unit(active="reloading", sub="reload"), "status", r"ok running 0 0 reloading \(reload\)"),
    Case("refreshes", Unit(active="refreshing", sub="refresh"), "status", r"ok running 0 0 refreshing \(refresh\)"),
    Case("is-of-a-new-kind", Unit(active="pondering", sub="x" * 99), "status", r"ok unknown 0 0 pondering \(x+\.\.\.\)"),
    Case("says-odd-bytes", Unit(active="active", sub="run\n\x1b[31mning"), "status", r"ok running 4711 0 active \([^\n\x1b]*\)"),
    Case("status-late", running(late={"LoadUnit": 0.05, "SubState": 0.05, "MainPID": 0.05}), "status", r"ok running 4711 0 active \(running\)"),
    Case("status-not-allowed", Unit(refuse={"ActiveState": (DENIED, "Not for you.")}), "status", r"access: .*Not for you\."),
    Case("status-garbage-path", Unit(garbage={"LoadUnit": ("u", (7,))}), "status", r"input/output: .*not understood"),
    Case("status-garbage-state", Unit(garbage={"ActiveState": ("as", ["active"])}), "status", r"input/output: ActiveState: .*not understood"),
    Case("status-garbage-numbers", running(garbage={"MainPID": ("s", "many"), "NRestarts": ("t", 7)}), "status", r"ok running 0 0 active \(running\)"),

    Case("start", Unit(), "start 2000", "ok", "start done"),
    Case("start-of-one-that-runs", running(), "start 2000", "ok"),
    Case("start-of-one-that-is-to-be-stopped", running(stop=Turn(is_queued=True)), "stop 200, start 2000", "timeout: .*, ok", "stop canceled, start done"),
    Case("start-of-one-that-still-stops", running(stop=Turn(after_s=0.6)), "stop 200, start 5000", "timeout: .*, ok", "stop canceled, start done"),
    Case("start-of-one-that-failed", Unit(active="failed", sub="failed"), "start 2000", "ok", "start done"),
    Case("start-over-before-its-answer", Unit(start=Turn(is_early=True)), "start 2000", "ok", "start done"),
    Case("start-failed-before-its-answer", Unit(start=Turn(is_early=True, result="failed")), "start 2000", r"input/output: .*\(exit-code\)", "start failed"),
    Case("start-slow", Unit(start=Turn(after_s=0.15)), "start 2000", "ok", "start done"),
    Case("start-that-hangs", Unit(start=Turn(result=None)), "start 150", "timeout: .*"),
    Case("start-that-is-stopped-instead", Unit(start=Turn(is_queued=True)), "start 200, stop 2000", "timeout: .*, ok", "start canceled, stop done"),
    Case("start-on-its-way-after-its-job", Unit(start=Turn(state=("activating", "start-post"), then=(0.05, ("active", "running")))), "start 2000", "ok", "start done"),
    Case("start-that-ends-in-auto-restart", Unit(start=Turn(state=("activating", "auto-restart"))), "start 400", r"timeout: .*activating \(auto-restart\)", "start done"),
    Case("start-that-dies-at-once", Unit(start=Turn(state=CRASHED)), "start 2000", r"input/output: it is failed \(exit-code\)", "start done"),
    Case("start-that-dies-on-its-way", Unit(start=Turn(state=("activating", "start"), then=(0.05, CRASHED))), "start 2000", r"input/output: it is failed .*", "start done"),
    Case("start-that-does-nothing", Unit(start=Turn(state=("inactive", "dead"))), "start 2000", r"input/output: it is inactive \(dead\)", "start done"),
    *(Case(f"start-{result}", Unit(start=Turn(result=result, reason="signal")), "start 2000", says, f"start {result}") for result, says in (
        ("failed", r'input/output: .*"failed".*failed \(signal\)'), ("timeout", "timeout: .*gave up.*"), ("canceled", r'input/output: .*"canceled".*'), ("dependency", r'input/output: .*"dependency".*'),
        ("skipped", r'input/output: .*"skipped".*'), ("a-new-word", r'input/output: .*"a-new-word".*'))),
    Case("start-of-what-is-absent", None, "start 2000", "absent: .*"),
    Case("start-of-what-vanished", Unit(refuse={"StartUnit": ("org.freedesktop.systemd1.NoSuchUnit", "Unit orchard.service not found.")}), "start 2000", "absent: .*"),
    Case("start-of-what-is-masked", Unit(load="masked"), "start 2000", "input/output: .*masked.*"),
    *(Case(f"start-{error.rpartition('.')[2]}", Unit(refuse={"StartUnit": (error, "No.")}), "start 2000", f"{code}: StartUnit: .*") for error, code in (
        (DENIED, "access"), ("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "access"), ("org.freedesktop.PolicyKit1.Error.NotAuthorized", "access"),
        ("org.freedesktop.systemd1.LoadFailed", "absent"), ("org.freedesktop.systemd1.TransactionIsDestructive", "input/output"), ("org.freedesktop.DBus.Error.NoReply", "timeout"),
        ("org.freedesktop.DBus.Error.Timeout", "timeout"), ("org.freedesktop.DBus.Error.LimitsExceeded", "input/output"), ("org.example.Weeds", "input/output"))),
    Case("start-with-no-ear", Unit(), "start 2000", "access: listening: .*", manager={"refuse": {"Subscribe": (DENIED, "No.")}}),
    Case("start-answered-late", Unit(late={"StartUnit": 0.1}), "start 2000", "ok", "start done"),
    *(Case(f"start-{name}-is-not-answered", Unit(late={name: 60}), "start 150", "timeout: .*") for name in ("LoadUnit", "ActiveState", "StartUnit")),
    Case("start-of-which-all-is-late", Unit(late={name: 0.1 for name in ("LoadUnit", "LoadState", "ActiveState", "SubState", "MainPID", "NRestarts", "StartUnit")}),
         "start 300", "timeout: .*"),
    Case("start-Subscribe-is-not-answered", Unit(), "start 150", "timeout: .*", manager={"late": {"Subscribe": 60}}),
    Case("start-garbage-job", Unit(garbage={"StartUnit": ("s", ("weeds",))}), "start 2000", "input/output: StartUnit: .*not understood", "start done"),
    Case("start-garbage-nothing", Unit(garbage={"StartUnit": ("", ())}), "start 2000", "input/output: StartUnit: .*not understood", "start done"),
    Case("start-garbage-signal", Unit(garbage={"JobRemoved": ("ss", ("weeds", "done"))}), "start 400", "timeout: .*", "start done"),
    Case("start-garbage-job-of-running", running(garbage={"Job": ("s", "weeds")}), "start 2000", "ok"),
    Case("start-manager-leaves", Unit(start=Turn(leaves="manager")), "start 150", "timeout: .*"),
    Case("start-bus-leaves", Unit(start=Turn(leaves="bus")), "start 2000", "input/output: the bus was lost.*"),

    Case("stop", running(), "stop 2000", "ok", "stop done"),
    Case("stop-of-one-that-is-stopped", Unit(), "stop 2000", "ok"),
    Case("stop-of-one-that-failed", Unit(active="failed", sub="failed"), "stop 2000", "ok"),
    Case("stop-of-one-between-restarts", Unit(active="activating", sub="auto-restart"), "stop 2000", "ok", "stop done"),
    Case("stop-over-before-its-answer", running(stop=Turn(is_early=True)), "stop 2000", "ok", "stop done"),
    Case("stop-slow", running(stop=Turn(after_s=0.15)), "stop 2000", "ok", "stop done"),
    Case("stop-that-hangs", running(stop=Turn(result=None)), "stop 150", "timeout: .*"),
    Case("stop-on-its-way-after-its-job", running(stop=Turn(state=STOPPING, then=(0.05, ("inactive", "dead")))), "stop 2000", "ok", "stop done"),
    Case("stop-never-over-after-its-job", running(stop=Turn(state=STOPPING)), "stop 400", r"timeout: .*still deactivating \(stop-sigterm\)", "stop done"),
    Case("stop-that-is-killed", running(stop=Turn(state=CRASHED, reason="timeout")), "stop 2000", "ok", "stop done"),
    Case("stop-failed", running(stop=Turn(result="failed", reason="timeout")), "stop 2000", r'input/output: .*"failed".*failed \(timeout\)', "stop failed"),
    Case("stop-of-what-is-absent", None, "stop 2000", "absent: .*"),
    Case("stop-not-allowed", running(refuse={"StopUnit": (DENIED, "No.")}), "stop 2000", "access: StopUnit: .*"),
    Case("stop-garbage-job", running(garbage={"StopUnit": ("ao", (["/a"],))}), "stop 2000", "input/output: StopUnit: .*not understood", "stop done"),
    Case("stop-manager-leaves", running(stop=Turn(leaves="manager")), "stop 150", "timeout: .*"),
    Case("stop-bus-leaves", running(stop=Turn(leaves="bus")), "stop 2000", "input/output: the bus was lost.*"),
]


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_what_a_unit_does(case: Case, systemd: Systemd) -> None:
    if case.unit:
        systemd.add("orchard.service", case.unit)
    for oddity, by_name in case.manager.items():
        getattr(systemd, oddity).update(by_name)
    said = []
    for question in case.question.split(", "):
        verb, *ms = question.split()
        said.append(ask(systemd.env, verb, "orchard", *ms, within_s=int(ms[0]) / 1000 + 0.5 if ms else 1.0))
    assert re.fullmatch(case.says, ", ".join(said)), said
    if "garbage" in case.name:
        wait_for(lambda: len(systemd.jobs) == bool(case.jobs))      # which it asked for and could not wait for
    assert ", ".join(f"{verb} {result}" for verb, _, result in systemd.jobs) == case.jobs


def test_a_manager_that_comes_back_finds_its_caller_waiting(systemd: Systemd) -> None:
    """As with systemctl daemon-reexec."""
    systemd.add("orchard.service", Unit(start=Turn(leaves="manager")))
    with subprocess.Popen([str(tool()), "start", "orchard", "5000"], env={**os.environ, **systemd.env}, stdout=subprocess.PIPE, encoding="utf-8") as asking:
        assert systemd.ended.wait(5)
        time.sleep(0.05)
        systemd.leave()
        systemd.come()
        assert asking.communicate(timeout=10)[0] == "ok\n"


@pytest.mark.parametrize("name, unit", [("orchard", "orchard.service"), ("orchard.service", "orchard.service"), ("orchard.socket", "orchard.socket"),
                                        ("org.example.orchard", "org.example.orchard.service"), ("orchard@1.2", "orchard@1.2.service"),
                                        ("orchard@a.service", "orchard@a.service"), ("a-b_c", "a-b_c.service"), ("orchard.services", "orchard.services.service")])
def test_names(name: str, unit: str, systemd: Systemd) -> None:
    systemd.add(unit, Unit())
    assert ask(systemd.env, "start", name, 2000) == "ok"
    assert ask(systemd.env, "status", name).startswith("ok running")
    assert ask(systemd.env, "stop", name, 2000) == "ok"
    assert systemd.jobs == [("start", unit, "done"), ("stop", unit, "done")]


@pytest.mark.parametrize("name", ["", "a b", "../orchard", "orchard/x", "ä", "x" * 300, ".service", "%n\n"])
def test_names_that_are_none(name: str, systemd: Systemd) -> None:
    for words in (("status", name), ("start", name, 150), ("stop", name, 150)):
        said = ask(systemd.env, *words)
        assert re.fullmatch(r"input/output: asking for the unit: systemd: Unit name .*|ok absent 0 0 not found|absent: .*", said), said
    assert not systemd.jobs


# -- the bus ---------------------------------------------------------------------------------------------------------------

QUESTIONS = [("status", "orchard"), ("start", "orchard", 150), ("stop", "orchard", 150)]


@pytest.mark.parametrize("question", QUESTIONS, ids=[q[0] for q in QUESTIONS])
def test_no_bus(question: tuple[object, ...], tmp_path: Path) -> None:
    env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none", "DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/none"}
    said = ask(env, *question)
    assert said.startswith("unsupported: systemd can't be asked (") and HINT in said


def test_an_address_that_is_none() -> None:
    for address in ("weeds", "unix:", "tcp:host=localhost", "unix:path=" + "x" * 500):
        said = ask({"DBUS_SYSTEM_BUS_ADDRESS": address, "DBUS_SESSION_BUS_ADDRESS": address}, "status", "orchard")
        assert said.startswith("unsupported: ") and HINT in said


@pytest.mark.parametrize("question", QUESTIONS, ids=[q[0] for q in QUESTIONS])
def test_a_bus_without_systemd(question: tuple[object, ...], systemd: Systemd) -> None:
    systemd.leave()
    said = ask(systemd.env, *question)
    assert said.startswith("unsupported: ") and "no systemd answers on the bus" in said and HINT in said


@pytest.mark.parametrize("first, says", [(b"", "timeout: .*"), (b"REJECTED EXTERNAL\r\n" * 3, "access: .*"), (b"weeds\r\n" * 100, "access: .*"),
                                         (b"OK " + b"0" * 32 + b"\r\n", "timeout: .*"), (None, "unsupported: .*")],
                         ids=["mute", "rejects", "weeds", "mute-later", "hangs-up"])
def test_a_bus_that_is_none(first: bytes | None, says: str, tmp_path: Path) -> None:
    held = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "bus"))
        listener.listen()
        env = {name: f"unix:path={tmp_path}/bus" for name in ("DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS")}
        with subprocess.Popen([str(tool()), "start", "orchard", "150"], env={**os.environ, **env}, stdout=subprocess.PIPE, encoding="utf-8") as asking:
            begun = time.monotonic()
            held.append(listener.accept()[0])
            if first is None:
                held[0].close()
            else:
                held[0].sendall(first)
            said = asking.communicate(timeout=20)[0]
        assert time.monotonic() - begun < 1 * SLACK and re.fullmatch(says, said.rstrip("\n")), said
        held[0].close()


# -- whole upgrades --------------------------------------------------------------------------------------------------------

SERVICE = '<service name="orchard" stop-timeout="PT9S" start-timeout="PT9S"/>'
HEALTH = '<health within="PT9S" stays-up="PT0S"/>'


class Grove:
    """A machine whose service systemd runs: 1.0.0 is there, and 2.0.0 is offered."""

    def __init__(self, world: World, systemd: Systemd, **new: Any) -> None:
        self.systemd = systemd
        releases = [world.maker.release("1.0.0"), world.maker.release("2.0.0", **new)]
        self.machine: Machine = world.machine(world.site(releases[0]), services=SERVICE, health=HEALTH)
        self.machine.env |= systemd.env
        control = self.machine.tree / "bin" / "orchardctl"
        self.unit = systemd.add("orchard.service", Unit(pid_file=self.machine.home / "run" / "pid", start=Turn(command=(control, "start", self.machine.home)),
                                                        stop=Turn(command=(control, "stop", self.machine.home))))
        self.machine.install()
        self.machine.expect("1.0.0")
        self.machine.site.offer(releases[1])
        systemd.seen.clear()
        systemd.jobs.clear()

    def close(self) -> None:
        """Ends the service; as its number is gone, nobody waits until its end was seen to."""
        pid = self.machine.pid()
        if pid:
            os.kill(pid, signal.SIGKILL)
        (self.machine.home / "run" / "pid").unlink(missing_ok=True)

    @property
    def turns(self) -> list[str]:
        """What was asked for, but looking."""
        return [verb.removesuffix("Unit").lower() for verb, name in self.systemd.seen if verb in ("StartUnit", "StopUnit") and name == "orchard.service"]

    @property
    def jobs(self) -> list[str]:
        return [f"{verb} {result}" for verb, name, result in self.systemd.jobs]


@pytest.fixture
def make_grove(world: World, systemd: Systemd) -> Iterator[Callable[..., Grove]]:
    made: list[Grove] = []

    def make(**new: Any) -> Grove:
        made.append(Grove(world, systemd, **new))
        return made[-1]

    yield make
    for grove in made:
        grove.close()


def test_upgrade_and_back(make_grove: Callable[..., Grove], systemd: Systemd) -> None:
    grove = make_grove()
    old = grove.machine.pid()
    ran = grove.machine.upgrade()
    assert ran.result == "Success" and grove.machine.pid() not in (None, old)
    grove.machine.expect("2.0.0")
    assert grove.jobs == ["stop done", "start done"] and ("Subscribe", "") in systemd.seen
    assert {line["check"]: line["verdict"] for line in grove.machine.run("doctor", code=DONE).lines}["service"] == "well"
    systemd.jobs.clear()
    systemd.add("press.service", running())
    systemd.add("org.example.cider.service", running())
    grove.machine.write(services=f'<service name="press"/>{SERVICE}<service name="org.example.cider"/>')
    grove.machine.run("rollback", code=DONE)
    grove.machine.expect("1.0.0")
    assert [(verb, name.removesuffix(".service")) for verb, name, _ in systemd.jobs] == [
        ("stop", "org.example.cider"), ("stop", "orchard"), ("stop", "press"), ("start", "press"), ("start", "orchard"), ("start", "org.example.cider")]


def test_a_new_version_that_does_not_start_is_rolled_back(make_grove: Callable[..., Grove]) -> None:
    grove = make_grove(behave={"no-start": "1"})
    ran = grove.machine.upgrade(code=ROLLED_BACK)
    assert ran.result == f"{BACK}-ServiceCanNotBeStarted" and "failed (exit-code)" in ran.text, ran
    grove.machine.expect("1.0.0", result=ran.result)
    assert grove.jobs == ["stop done", "start failed", "start done"]


def test_a_new_version_that_dies_is_rolled_back(make_grove: Callable[..., Grove]) -> None:
    """Also one that systemd starts again and again."""
    grove = make_grove(behave={"leave-at-once": "1"})
    grove.machine.write(health='<health within="PT1S" stays-up="PT1S"/>', services=SERVICE.replace('start-timeout="PT9S"', 'start-timeout="PT2S"'))
    for grove.unit.restarts, says in ((False, r"failed \(exit-code\)"), (True, r"activating \(auto-restart\)|went down and was started again|failed \(exit-code\)")):
        ran = grove.machine.upgrade("--to", "2.0.0", code=ROLLED_BACK)
        assert ran.result in (f"{BACK}-HealthCheckFailed", f"{BACK}-ServiceCanNotBeStarted") and re.search(says, ran.text), ran
        grove.machine.expect("1.0.0", result=ran.result)
    assert grove.unit.n_restarts > 0


def test_a_new_version_that_hangs_is_rolled_back(make_grove: Callable[..., Grove]) -> None:
    grove = make_grove()
    grove.machine.write(services=SERVICE.replace('start-timeout="PT9S"', 'start-timeout="PT1S"'))
    grove.unit.start.after_s = 60
    ran = grove.machine.begin("upgrade")
    wait_for(lambda: grove.unit.active == "activating")
    grove.unit.start = Turn(command=grove.unit.start.command)
    assert ran.wait(20) == ROLLED_BACK
    grove.machine.expect("1.0.0", result=f"{BACK}-ServiceCanNotBeStarted")
    assert grove.jobs == ["stop done", "start canceled", "stop done", "start done"]


def test_a_service_that_is_not_stopped_goes_on_or_is_started_again(make_grove: Callable[..., Grove]) -> None:
    grove = make_grove()
    grove.machine.write(services=SERVICE.replace('stop-timeout="PT9S"', 'stop-timeout="PT1S"'))
    stop = grove.unit.stop
    for turn, refuse in ((Turn(is_queued=True), {}), (stop, {"StopUnit": (DENIED, "Not for you.")}), (Turn(after_s=1.3, command=stop.command), {})):
        grove.unit.stop, grove.unit.refuse, pid = turn, refuse, grove.machine.pid()
        ran = grove.machine.upgrade("--to", "2.0.0", code=ABORTED)
        assert ran.result == "UpgradeAbortedServiceCanNotBeStopped" and "switch" not in ran.steps, ran
        assert not refuse or "Not for you." in ran.text
        grove.machine.expect("1.0.0", result=ran.result)
        assert (grove.machine.pid() == pid) == (turn.after_s == 0), "it was stopped, or was not started again"
        assert grove.unit.job is None, "it is still to be stopped"


def test_what_is_refused_before_anything_stops(make_grove: Callable[..., Grove], systemd: Systemd) -> None:
    grove = make_grove()
    grove.machine.write(services='<service name="orchid"/>')
    with grove.machine.untouched():
        ran = grove.machine.upgrade(code=ABORTED)
    assert ran.result == "UpgradeAbortedServiceIsNotRunning" and "orchid" in ran.text and "not found" in ran.text, ran
    ill = [line for line in grove.machine.run("doctor").lines if line["check"] == "service"]
    assert ill[0]["verdict"] == "fault" and "orchid" in str(ill[0]), ill
    grove.machine.write(services=SERVICE)
    systemd.leave()
    for address in (systemd.bus.address, "unix:path=/nowhere"):
        grove.machine.env |= {name: address for name in systemd.env}
        with grove.machine.untouched():
            ran = grove.machine.upgrade(code=FAILED)
        assert ran.result == "PreUpgradeFailure" and HINT in ran.text, ran
    assert not grove.turns


def test_systemd_goes_away_in_the_middle(make_grove: Callable[..., Grove], systemd: Systemd) -> None:
    """The service was stopped or started and nobody says so: the way back waits until there is a systemd to ask."""
    grove = make_grove()
    grove.machine.write(services=SERVICE.replace('start-timeout="PT9S"', 'start-timeout="PT1S"'))
    # Before the switch there is nothing to roll back: what is wrong is that the old version's service can't be started.
    for turn, who, code, result in ((grove.unit.stop, "bus", ABORTED, "UpgradeAbortedServiceCanNotBeStarted"),
                                    (grove.unit.start, "manager", ROLLBACK_FAILED, f"{STUCK}-")):
        turn.leaves = who
        ran = grove.machine.upgrade("--to", "2.0.0", code=code)
        assert ran.result and ran.result.startswith(result), ran
        assert grove.machine.status()["recovery_pending"]
        assert grove.machine.run("recover", code=code).result.startswith(result)
        turn.leaves = ""
        systemd.leave()
        systemd.come()
        ran = grove.machine.run("recover", code=DONE)
        grove.machine.expect("1.0.0", result=ran.result)
        assert (grove.unit.active, grove.unit.job) == ("active", None)


def test_systemd_is_executed_again_in_the_middle(make_grove: Callable[..., Grove], systemd: Systemd) -> None:
    grove = make_grove()
    grove.unit.stop.leaves = "manager"
    upgrade = grove.machine.begin("upgrade")
    assert systemd.ended.wait(10)
    time.sleep(0.05)
    systemd.leave()
    systemd.come()
    assert upgrade.wait(20) == DONE
    grove.machine.expect("2.0.0")
