"""A table of measurements: ours beside a peer's, in pairs that follow each other, so that both meet the same machine.

Figures are shown, never asserted. Processor time holds on a busy machine, wall time on a quiet one only."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Iterator, Sequence

from .measure import Took, measure

ROOT = Path(__file__).resolve().parents[2]
SUREFOOT = Path(os.environ.get("SUREFOOT", ROOT / "build" / "surefoot")).resolve()
PAIRS = int(os.environ.get("BENCH_PAIRS", "5"))
AT = "2026-06-01T00:00:00Z"

Command = Sequence[str | Path]


@contextmanager
def bench_folder() -> Iterator[Path]:
    """A folder on a real disk, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="surefoot-bench-", dir=os.environ.get("BENCH_FOLDER")) as name:
        yield Path(name)


def verify(args: Sequence[str], *files: Path) -> list[str | Path]:
    return [SUREFOOT, "verify", "--format", "json", "--at", AT, *args, *files]


def sha256_of(*files: Path) -> list[str | Path] | None:
    """The peer: nothing but the hash of the same file."""
    program = shutil.which("openssl")
    return None if program is None else [program, "dgst", "-sha256", *files]


def run(command: Command, cores: int | None = None) -> Took:
    took = measure(command, cores=cores)
    if took.code != 0:
        told = (took.out[-2000:] + took.err[-2000:]).decode("utf-8", "replace")
        sys.exit(f"failed to run, exit {took.code}: {' '.join(map(str, command))[:400]}\n{told}")
    return took


@dataclass
class Row:
    work: str
    ours: str
    peer: str = "-"
    ratio: str = "-"
    memory: str = "-"
    target: str = ""
    met: bool = True


class Table:
    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print(f"  {row.work}: {row.ours}, {'met' if row.met else 'MISSED'}", flush=True)

    def compare(self, work: str, ours: Command, peer: Command | None, *, most: float, memory: float | None = None, wall: bool = False) -> None:
        """Ours takes at most `most` times the peer's time, and `memory` MiB."""
        pairs = []
        for command in (ours, peer):                            # the file into the page cache, unmeasured
            if command is not None:
                run(command)
        for _ in range(PAIRS):
            pairs.append((run(ours), run(peer) if peer is not None else None))
        mine = median(time_of(a, wall) for a, _ in pairs)
        peak = max(a.peak_mb for a, _ in pairs)
        theirs = [time_of(b, wall) for _, b in pairs if b is not None]
        ratio = median(time_of(a, wall) / time_of(b, wall) for a, b in pairs if b is not None) if theirs else None
        kind = "wall" if wall else "cpu"
        target = f"<= {most:.2f} x {kind}" + (f", {memory:.0f} MB" if memory else "")
        met = (ratio is None or ratio <= most) and (memory is None or peak <= memory)
        self.add(Row(work, f"{mine:.3f} s {kind}", f"{median(theirs):.3f} s" if theirs else "none here",
                     f"{ratio:.3f} x" if ratio is not None else "-", f"{peak:.1f} MB", target, met))

    def show(self) -> None:
        heads = Row("work", "ours", "peer", "ratio", "peak", "target")
        lines = [[r.work, r.ours, r.peer, r.ratio, r.memory, r.target, "" if r is heads else "met" if r.met else "MISSED"]
                 for r in (heads, *self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(7)]
        load = os.getloadavg()[0]
        print(f"\nmedian of {PAIRS} pairs, {os.cpu_count()} processors, load {load:.1f}" +
              (": not a quiet machine, wall times mean little" if load > 1.5 else ""))
        for line in lines:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def time_of(took: Took, wall: bool) -> float:
    return took.wall_s if wall else took.cpu_s
