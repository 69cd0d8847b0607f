"""What a program took: processor time, wall time and peak memory of that program alone.

A program's peak memory as the kernel counts it begins with the size of the process that started it, and a test runner is larger than
what is measured here. So a bare Python in between starts it: run as a script, this file is that one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence


@dataclass
class Took:
    code: int                               # exit code, negative for a signal
    cpu_s: float                            # user and system, all threads
    wall_s: float
    peak_mb: float
    out: bytes
    err: bytes


def measure(command: Sequence[str | Path], *, cores: int | None = None, limit_s: float = 600) -> Took:
    """Runs a program to its end. cores: on so many processors at most."""
    reading, writing = os.pipe()
    words = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(writing), str(cores or 0), *map(str, command)]
    running = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[writing],
                               start_new_session=True)
    os.close(writing)
    try:
        out, err = running.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        raise
    finally:
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
    if not told:
        raise OSError(err.decode("utf-8", "replace"))
    return Took(out=out, err=err, **json.loads(told))


def _run(command: list[str], cores: int) -> dict[str, Any]:
    """Spawned, not forked: what a fork copies of this Python, page by page, would count as the program's own time."""
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    start = time.monotonic()
    try:
        child = os.posix_spawnp(command[0], command, os.environ)
    except OSError as error:
        os.write(2, f"{command[0]}: {error}\n".encode())
        return {"code": 127, "cpu_s": 0.0, "wall_s": 0.0, "peak_mb": 0.0}
    _, status, used = os.wait4(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "cpu_s": used.ru_utime + used.ru_stime, "wall_s": time.monotonic() - start,
            "peak_mb": used.ru_maxrss / 1024}


if __name__ == "__main__":
    os.set_inheritable(int(sys.argv[1]), False)
    os.write(int(sys.argv[1]), json.dumps(_run(sys.argv[3:], int(sys.argv[2]))).encode())
