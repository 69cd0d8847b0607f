"""A release of many files, packed, hashed, listed and signed, beside `tar --zstd` of the same folder; the gate beside the raw hash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kit.figures import PAIRS, ROOT, Command, Row, Table, bench_folder, run

PUBLISH = Path(os.environ.get("SUREFOOT_PUBLISH", ROOT / "build" / "surefoot-publish")).resolve()
SLOWEST = 1 / 0.8


def is_refused(path: Path) -> bool:
    """Keys that are there for tests; a release is not made of those."""
    with path.open("rb") as file:
        return b"PRIVATE KEY" in file.read(1 << 16)


def make_tree(folder: Path, n_files: int, most: int, least: int) -> Path:
    """Copies of what this system has in /usr, under names of our own: real programs, libraries and texts, as a server product has them."""
    found = (Path(at) / name for at, _, names in os.walk("/usr") for name in names)
    n, total = 0, 0
    for path in found:
        if n == n_files or total >= 1 << 30:
            break
        if path.is_symlink() or not path.is_file() or not least <= path.stat().st_size <= most or is_refused(path):
            continue
        at = folder / f"d{n // 500:03}" / f"file{n:05}.bin"
        at.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, at)
        n, total = n + 1, total + path.stat().st_size
    print(f"  {n} files, {total >> 20} MiB", flush=True)
    return folder


def release(folder: Path, tree: Path, out: Path) -> list[str | Path]:
    return [PUBLISH, "release", tree, "--product", "bench", "--version", "1.0.0", "--dir", out, "--key", folder / "k.key", "--quiet", "--allow-keys"]


def timed(command: Command, out: Path) -> float:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.sync()                                                      # or the one that flushes would wait for what the other left to be written
    return run(command).wall_s


def pack(table: Table, folder: Path, what: str, n_files: int, most: int, least: int) -> None:
    tree, out, tar = make_tree(folder / "tree", n_files, most, least), folder / "out", folder / "tar"
    ours, theirs = release(folder, tree, out), ["tar", "--zstd", "-cf", tar / "x.tar.zst", "-C", tree, "."]
    pairs = [(timed(ours, out), timed(theirs, tar)) for _ in range(1 + PAIRS)][1:]
    ratio = median(a / b for a, b in pairs)
    table.add(Row(what, f"{median(a for a, _ in pairs):.2f} s wall", f"{median(b for _, b in pairs):.2f} s", f"{ratio:.3f} x",
                  target=f"<= {SLOWEST:.2f} x wall (0.8 of the speed)", met=ratio <= SLOWEST))
    timed(ours, out)
    subprocess.run([str(PUBLISH), "feed", str(out), "--product", "bench", "--channel", "stable", "--add", "1.0.0", "--key", str(folder / "k.key"), "--quiet"],
                   check=True)
    payload = next((out / "1.0.0").glob("*.tar.zst"))
    gate = [PUBLISH, "verify-release", "--key", folder / "k.pub", "--quiet", out]
    runs = [run(gate) for _ in range(PAIRS)]
    table.add(Row(f"verify-release of that ({payload.stat().st_size >> 20} MiB packed)", f"{median(r.wall_s for r in runs):.2f} s wall",
                  memory=f"{max(r.peak_mb for r in runs):.1f} MB"))
    shutil.rmtree(tree)


def main() -> None:
    table = Table()
    with bench_folder() as folder:
        subprocess.run([str(PUBLISH), "keygen", "--out", str(folder / "k"), "--no-passphrase", "--quiet"], check=True)
        pack(table, folder, "release of 50 000 files", 50_000, 200_000, 1)
        pack(table, folder, "release of large files", 1_000, 1 << 30, 2_000_000)
        table.show()


main()
