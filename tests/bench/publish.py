"""A release of many files, packed, hashed, listed and signed, beside `tar --zstd` of the same folder; the gate beside the raw hash."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kit.figures import PAIRS, ROOT, Command, Row, Table, bench_folder, run, sha256_of

PUBLISH = Path(os.environ.get("SUREFOOT_PUBLISH", ROOT / "build" / "surefoot-publish")).resolve()
SLOWEST = 1 / 0.8


def make_tree(folder: Path, n_files: int, mean_bytes: int) -> Path:
    """Files like those of a server product: most are small, some are large, half of each compresses."""
    chance = random.Random(7)
    for n in range(n_files):
        at = folder / f"d{n // 500:03}" / f"file{n:05}.bin"
        at.parent.mkdir(parents=True, exist_ok=True)
        size = max(1, int(chance.expovariate(1 / mean_bytes)))
        at.write_bytes(chance.randbytes(size // 2) + b"an orchard of apples, " * (size // 44 + 1))
    return folder


def release(folder: Path, tree: Path, out: Path) -> list[str | Path]:
    return [PUBLISH, "release", tree, "--product", "bench", "--version", "1.0.0", "--dir", out, "--key", folder / "k.key", "--quiet"]


def timed(command: Command, out: Path) -> float:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    return run(command).wall_s


def pack(table: Table, folder: Path, what: str, n_files: int, mean_bytes: int) -> None:
    tree, out, tar = make_tree(folder / "tree", n_files, mean_bytes), folder / "out", folder / "tar"
    ours, theirs = release(folder, tree, out), ["tar", "--zstd", "-cf", tar / "x.tar.zst", "-C", tree, "."]
    pairs = [(timed(ours, out), timed(theirs, tar)) for _ in range(1 + PAIRS)][1:]
    ratio = median(a / b for a, b in pairs)
    table.add(Row(what, f"{median(a for a, _ in pairs):.2f} s wall", f"{median(b for _, b in pairs):.2f} s", f"{ratio:.3f} x",
                  target=f"<= {SLOWEST:.2f} x wall (0.8 of the speed)", met=ratio <= SLOWEST))
    timed(ours, out)
    subprocess.run([str(PUBLISH), "feed", str(out), "--product", "bench", "--channel", "stable", "--add", "1.0.0", "--key", str(folder / "k.key"), "--quiet"],
                   check=True)
    payload = next((out / "1.0.0").glob("*.tar.zst"))
    table.compare(f"verify-release of that ({payload.stat().st_size >> 20} MiB)", [PUBLISH, "verify-release", "--key", folder / "k.pub", "--quiet", out],
                  sha256_of(payload), most=100, memory=None)
    shutil.rmtree(tree)


def main() -> None:
    table = Table()
    with bench_folder() as folder:
        subprocess.run([str(PUBLISH), "keygen", "--out", str(folder / "k"), "--no-passphrase", "--quiet"], check=True)
        pack(table, folder, "release of 50 000 files, 400 MB", 50_000, 8_000)
        pack(table, folder, "release of 200 files, 800 MB", 200, 4_000_000)
        table.show()


main()
