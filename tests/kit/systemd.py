"""A stand-in for systemd: a message bus of its own in a temporary folder, and on it org.freedesktop.systemd1 with as much of its interface as
platform/posix/service.c asks for. How a unit behaves is data: see Unit and Turn. What a job does may be real, by a command; jobs replace each
other, wait for each other and are told to subscribers alone, as systemd does it."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import re
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Sequence

try:
    import jeepney
    from jeepney.io.blocking import DBusConnection, open_dbus_connection
except ImportError:
    jeepney = None

MANAGER = "org.freedesktop.systemd1"
FACE = f"{MANAGER}.Manager"
PATH = "/org/freedesktop/systemd1"
UNIT_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,240}\.(service|socket|target|timer|mount|path|slice)")

Answer = tuple[str, Any]                                            # a signature, and values of it (of a property: one value)
State = tuple[str, str]                                             # ActiveState, SubState


def is_there() -> bool:
    return jeepney is not None and shutil.which("dbus-daemon") is not None


class Bus:
    """A dbus-daemon."""

    CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>orchard</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
"""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.socket, self.config = folder / "bus", folder / "bus.conf"
        self.config.write_text(self.CONFIG.format(self.socket), encoding="utf-8")
        self.process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"unix:path={self.socket}"

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(["dbus-daemon", f"--config-file={self.config}", "--nofork", "--nopidfile", "--print-address"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
        assert self.process.stdout and self.process.stdout.readline().startswith("unix:"), "dbus-daemon does not start"

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.process = None


@dataclass
class Oddities:
    """By the name of a method, property or signal: seconds until it is answered, the error or the other values that it is answered with."""
    late: dict[str, float] = field(default_factory=dict)
    refuse: dict[str, tuple[str, str]] = field(default_factory=dict)
    garbage: dict[str, Answer] = field(default_factory=dict)


@dataclass
class Turn:
    """What a job that starts or stops a unit does."""
    result: str | None = "done"                                     # as JobRemoved has it; None: it is never done
    after_s: float = 0.0                                            # how long it takes
    command: Sequence[object] = ()                                  # run for real; where it fails, the job does
    meanwhile: State | None = None                                  # until it is done
    state: State | None = None                                      # when it is done; by default as `result` has it
    then: tuple[float, State] | None = None                         # and so long after that
    reason: str = "exit-code"                                       # the unit's Result where it failed
    is_queued: bool = False                                         # its job never has its turn: the unit stays as it is
    is_early: bool = False                                          # the job is over before the caller has heard of it
    leaves: str = ""                                                # "manager", "bus": who goes away before the end of the job is told


@dataclass
class Unit(Oddities):
    load: str = "loaded"
    active: str = "inactive"
    sub: str = "dead"
    result: str = "success"
    pid: int = 0
    n_restarts: int = 0
    start: Turn = field(default_factory=Turn)
    stop: Turn = field(default_factory=Turn)
    pid_file: Path | None = None                                    # of what the commands start and stop: when it is gone, the unit has failed
    restarts: bool = False                                          # and is started again
    name: str = ""
    job: Job | None = None
    n_turns: int = 0

    @property
    def state(self) -> State:
        return self.active, self.sub

    @state.setter
    def state(self, state: State) -> None:
        self.active, self.sub = state

    def find_pid(self) -> int:
        if self.pid_file:
            with contextlib.suppress(OSError, ValueError):
                pid = int(self.pid_file.read_text(encoding="utf-8"))
                return pid if Path(f"/proc/{pid}/cmdline").read_bytes() else 0      # nothing: it has ended, and nobody has seen to it yet
            return 0
        return 4711 if self.active == "active" else 0


@dataclass
class Job:
    id: int
    unit: Unit
    is_start: bool
    result: str | None = None                                       # of one that is over and was not told yet

    @property
    def path(self) -> str:
        return f"{PATH}/job/{self.id}"


class Refused(Exception):
    pass


class Systemd(Oddities):
    """The service manager. `seen` is what it was asked for, `jobs` what became of each, in the order of their ends."""

    def __init__(self, folder: Path, **units: Unit) -> None:
        super().__init__()
        self.bus = Bus(folder)
        self.units: dict[str, Unit] = {}
        self.seen: list[tuple[str, str]] = []
        self.jobs: list[tuple[str, str, str]] = []
        self.n_jobs, self.numbers, self.subscribers = 0, itertools.count(), set[str]()
        self.due: list[tuple[float, int, Callable[[], None]]] = []
        self.ended = threading.Event()
        self.thread: threading.Thread | None = None
        self.connection: DBusConnection | None = None
        for name, unit in units.items():
            self.add(f"{name}.service", unit)
        self.come()

    @property
    def env(self) -> dict[str, str]:
        return {"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address, "DBUS_SESSION_BUS_ADDRESS": self.bus.address}

    def add(self, name: str, unit: Unit) -> Unit:
        unit.name = name
        self.units[name] = unit
        return unit

    # -- coming and going

    def come(self) -> None:
        """Takes its name on the bus, which is started where it is not there, and tells of the jobs that are over."""
        if self.bus.process is None:
            self.bus.start()
        self.ended.clear()
        self.connection = open_dbus_connection(bus=self.bus.address)
        self.connection.send_and_get_reply(jeepney.message_bus.RequestName(MANAGER), timeout=5)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        for unit in self.units.values():
            if unit.job and unit.job.result:
                self.finish(unit.job, unit.job.result)
        self.thread.start()

    def leave(self) -> None:
        """Goes away from the bus; jobs and units stay as they are."""
        self.ended.set()
        if self.connection:
            with contextlib.suppress(OSError):
                self.connection.sock.shutdown(2)
        if self.thread and self.thread is not threading.current_thread():
            self.thread.join(20)
            assert not self.thread.is_alive()
        if self.connection:
            self.connection.close()
        self.connection = None

    def close(self) -> None:
        self.leave()
        self.bus.kill()

    def __enter__(self) -> Systemd:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- answering

    def serve(self) -> None:
        connection = self.connection
        assert connection
        while not self.ended.is_set():
            wait_s = max(self.due[0][0] - time.monotonic(), 0) if self.due else None
            try:
                message = connection.receive(timeout=wait_s)
            except TimeoutError:
                heapq.heappop(self.due)[2]()
                continue
            except (OSError, ValueError):
                return
            if message.header.message_type == jeepney.MessageType.method_call:
                with contextlib.suppress(OSError):
                    self.answer(message)

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.due, (time.monotonic() + seconds, next(self.numbers), what))

    def send(self, message: Any) -> None:
        if self.connection:
            self.connection.send(message)

    def answer(self, message: Any) -> None:
        fields = jeepney.HeaderFields
        member, path = message.header.fields[fields.member], message.header.fields[fields.path]
        unit: Unit | None = next((u for u in self.units.values() if path == self.path_of(u.name)), None)
        if member == "Get":
            member = message.body[1]
        elif message.body:
            unit = self.units.get(message.body[0])
            self.seen.append((member, message.body[0]))
        else:
            self.seen.append((member, ""))
        odd: Oddities = unit or self
        if self.ended.wait(odd.late.get(member, 0)):
            return
        try:
            if member in odd.refuse:
                raise Refused(*odd.refuse[member])
            if message.header.fields[fields.interface] == "org.freedesktop.DBus.Properties":
                answer: Answer = ("v", (self.get(unit, message.body[0], member),))
                after: Callable[[], None] | None = None
            else:
                answer, after = self.call(message.header.fields[fields.sender], member, message.body)
                answer = odd.garbage.get(member, answer)
            self.send(jeepney.new_method_return(message, *answer))
            if after:
                after()
        except Refused as e:
            self.send(jeepney.new_error(message, e.args[0], "s", (e.args[1],)))

    @staticmethod
    def path_of(name: str) -> str:
        return f"{PATH}/unit/" + "".join(c if c.isalnum() and c.isascii() else "".join(f"_{b:02x}" for b in c.encode()) for c in name)

    def call(self, sender: str, member: str, body: tuple[Any, ...]) -> tuple[Answer, Callable[[], None] | None]:
        if member == "Subscribe":
            self.subscribers.add(sender)
            return ("", ()), None
        if member not in ("LoadUnit", "StartUnit", "StopUnit"):
            raise Refused("org.freedesktop.DBus.Error.UnknownMethod", f"Unknown method {member}")
        if not UNIT_NAME.fullmatch(body[0]):
            raise Refused("org.freedesktop.DBus.Error.InvalidArgs", f"Unit name {body[0]} is not valid.")
        unit = self.units.get(body[0]) or self.add(body[0], Unit(load="not-found"))
        if member == "LoadUnit":
            return ("o", (self.path_of(unit.name),)), None
        if unit.load != "loaded":
            error, said = {"masked": ("UnitMasked", "is masked"), "not-found": ("NoSuchUnit", "not found")}[unit.load]
            raise Refused(f"{MANAGER}.{error}", f"Unit {unit.name} {said}.")
        if body[1] != "replace":
            raise Refused("org.freedesktop.DBus.Error.InvalidArgs", f"Job mode {body[1]} invalid")
        job = self.enqueue(unit, member == "StartUnit")
        turn = unit.start if job.is_start else unit.stop
        if turn.is_early:
            self.run(job)
        return ("o", (job.path,)), None if turn.is_early else lambda: self.run(job)

    def get(self, unit: Unit | None, face: str, name: str) -> Answer:
        known: dict[str, dict[str, Callable[[Unit], tuple[str, Any]]]] = {
            f"{MANAGER}.Unit": {"LoadState": lambda u: ("s", u.load), "ActiveState": lambda u: ("s", u.active), "SubState": lambda u: ("s", u.sub),
                                "Job": lambda u: ("(uo)", (u.job.id, u.job.path) if u.job else (0, "/"))},
            f"{MANAGER}.Service": {"MainPID": lambda u: ("u", u.find_pid()), "NRestarts": lambda u: ("u", u.n_restarts), "Result": lambda u: ("s", u.result)}}
        if unit is None:
            raise Refused("org.freedesktop.DBus.Error.UnknownObject", "Unknown object")
        if name not in known.get(face, {}) or (face.endswith("Service") and not unit.name.endswith(".service")):
            raise Refused("org.freedesktop.DBus.Error.UnknownProperty", f"Unknown property {name}")
        if name in unit.garbage:
            return unit.garbage[name]
        self.look_after(unit)
        return known[face][name](unit)

    def look_after(self, unit: Unit) -> None:
        """What the commands started may have ended by itself."""
        if not unit.pid_file or unit.active != "active" or unit.find_pid():
            return
        unit.result = "exit-code"
        unit.state = ("activating", "auto-restart") if unit.restarts else ("failed", "failed")
        if unit.restarts:
            unit.n_turns += 1
            turn = unit.n_turns
            self.later(0.05, lambda: self.act(unit, True, turn))
            unit.n_restarts += 1

    # -- jobs

    def enqueue(self, unit: Unit, is_start: bool) -> Job:
        if unit.job:
            self.finish(unit.job, "canceled")
        self.n_jobs += 1
        unit.job = Job(self.n_jobs, unit, is_start)
        return unit.job

    def run(self, job: Job) -> None:
        """Begins it, unless it has to wait for what the unit is doing."""
        unit = job.unit
        turn = unit.start if job.is_start else unit.stop
        if unit.job is not job or turn.is_queued or (job.is_start and unit.active == "deactivating"):
            return
        if unit.active in (("active",) if job.is_start else ("inactive", "failed")):
            self.finish(job, "done")
            return
        unit.state = turn.meanwhile or (("activating", "start") if job.is_start else ("deactivating", "stop-sigterm"))
        unit.n_turns += 1
        now = unit.n_turns
        if turn.is_early:
            self.act(unit, job.is_start, now)
        else:
            self.later(turn.after_s, lambda: self.act(unit, job.is_start, now))

    def act(self, unit: Unit, is_start: bool, n_turn: int) -> None:
        """What a job is about is done, and it is over."""
        turn = unit.start if is_start else unit.stop
        if unit.n_turns != n_turn:
            return
        result = turn.result
        if result is not None:
            if turn.command:
                done = subprocess.run([*map(str, turn.command)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)
                result = result if done.returncode == 0 else "failed"
            well = ("active", "running") if is_start else ("inactive", "dead")
            unit.state = turn.state or {"done": well, "failed": ("failed", "failed")}.get(result, ("inactive", "dead"))
            unit.result = turn.reason if unit.active == "failed" else "success"
            if turn.then:
                self.later(turn.then[0], lambda: setattr(unit, "state", turn.then and turn.then[1]))
        job = unit.job
        if turn.leaves:
            if job:
                job.result = result
            self.go(turn.leaves)
        elif job and result is not None:
            if job.is_start == is_start:
                self.finish(job, result)
            else:
                self.run(job)

    def go(self, who: str) -> None:
        time.sleep(0.02)                                            # so that what was said is out
        self.ended.set()
        if who == "bus":
            self.bus.kill()
        self.leave()

    def finish(self, job: Job, result: str) -> None:
        job.unit.job = None
        self.jobs.append(("start" if job.is_start else "stop", job.unit.name, result))
        signature, body = job.unit.garbage.get("JobRemoved", ("uoss", (job.id, job.path, job.unit.name, result)))
        if self.subscribers:
            other = (job.id + 100000, f"{PATH}/job/{job.id + 100000}", "weeds.service", "failed")
            for s, b in (("uoss", other), (signature, body), ("uoss", other)):
                self.send(jeepney.new_signal(jeepney.DBusAddress(PATH, interface=FACE), "JobRemoved", s, b))
