"""The program in one process that runs line after line (tests/tools/surefoot_many.c): under wine to start one takes longer than all it does."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
from pathlib import Path


class Many:
    """Serves whoever asks in this process, from this folder and with these variables; another one's lines are for a program of their own."""

    def __init__(self, words: list[str]) -> None:
        self.words, self.place = words, (os.getcwd(), dict(os.environ))
        self.folder = tempfile.TemporaryDirectory(prefix="sf-many-")
        self.running: subprocess.Popen[bytes] | None = None

    def serves(self) -> bool:
        here = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
        there = {k: v for k, v in self.place[1].items() if k != "PYTEST_CURRENT_TEST"}
        return (os.getcwd(), here) == (self.place[0], there)

    def run(self, args: tuple[str, ...], limit_s: float) -> subprocess.CompletedProcess[bytes]:
        """As subprocess.run: a program that dies gives the code it dies with, one that is late a TimeoutExpired."""
        out, err = (Path(self.folder.name) / name for name in ("out", "err"))
        out.write_bytes(b"")
        err.write_bytes(b"")
        if self.running is None or self.running.poll() is not None:
            self.running = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        code = self.ask(self.running, [str(out), str(err), *args], limit_s)
        return subprocess.CompletedProcess([*self.words, *args], code, out.read_bytes(), err.read_bytes())

    def ask(self, running: subprocess.Popen[bytes], words: list[str], limit_s: float) -> int:
        assert running.stdin and running.stdout
        packed = [word.encode() for word in words]
        running.stdin.write(b"%d\n" % len(packed) + b"".join(b"%d\n%s\n" % (len(word), word) for word in packed))
        running.stdin.flush()
        if not select.select([running.stdout], [], [], limit_s)[0]:
            running.kill()
            running.wait()
            raise subprocess.TimeoutExpired(words, limit_s)
        answer = running.stdout.readline()
        if answer.strip():
            return int(answer)
        return -abs(running.wait(limit_s) or 1)                      # no answer: it is dead, however it says so

    def close(self) -> None:
        if self.running is not None and self.running.stdin is not None:
            self.running.stdin.close()
            self.running.wait(30)
        self.folder.cleanup()
