"""An upgrade as a whole, from loopback: its time beside the tools that one would use by hand, the switch alone, what is written where little has
changed, a look with nothing new, and memory. Names of measurements may be given: big, little, switch, look."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Iterator

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kit.figures import PAIRS, ROOT, SUREFOOT, Row, Table, bench_folder, run
from tests.kit.servers import Ca, free_port

PUBLISH = Path(os.environ.get("SUREFOOT_PUBLISH", ROOT / "build" / "surefoot-publish")).resolve()
SCRIPT = "#!/bin/sh\ncase $1 in start) : >{flag};; stop) rm -f {flag};; status) test -f {flag};; esac\n"


def sh(*words: object) -> str:
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"failed: {words}\n{done.stdout}{done.stderr}")
    return done.stdout


class Stand:
    """A maker's folder, a server for it, and a machine whose service is a file that is there or not."""

    def __init__(self, folder: Path, serve: bool) -> None:
        self.folder, self.dist, self.product = folder, folder / "dist", folder / "product.xml"
        self.dist.mkdir()
        (folder / "machine").mkdir()
        sh(PUBLISH, "keygen", "--out", folder / "k", "--no-passphrase", "--quiet")
        control = folder / "control"
        control.write_text(SCRIPT.format(flag=folder / "flag"))
        control.chmod(0o755)
        self.port, self.ca = free_port(), Ca(folder)
        self.url = f"http://127.0.0.1:{self.port}/feed.xml" if serve else f"file://{self.dist}/feed.xml"
        command = "".join(f"<{w}><arg>{control}</arg><arg>{w}</arg></{w}>" for w in ("start", "stop", "status"))
        self.product.write_text(f"""<product xmlns="urn:surefoot:product:1" name="bench"><install kind="archive" folder="machine/bench"/>
<fetch ca="{self.ca.file}"><feed url="{self.url}"/><proxy use="none"/></fetch><folders state="state" cache="cache"/>
<trust><feed><minisign><key file="k.pub"/></minisign></feed><payload><minisign><key file="k.pub"/></minisign></payload></trust>
<services><service name="bench">{command}</service></services><health stays-up="PT0S"/></product>""")

    def release(self, version: str, tree: Path) -> Path:
        """Publishes a tree and gives the payload."""
        sh(PUBLISH, "release", tree, "--product", "bench", "--version", version, "--dir", self.dist, "--key", self.folder / "k.key", "--quiet",
           "--allow-keys")
        first = ["--product", "bench"] if not (self.dist / "feed.xml").exists() else []
        sh(PUBLISH, "feed", self.dist, "--add", version, *first, "--key", self.folder / "k.key", "--quiet")
        return next((self.dist / version).glob("*.tar.zst"))

    def ask_over_tls(self) -> None:
        """From now on the feed's URL is https."""
        secure = self.url.replace("http://", "https://")
        self.product.write_text(self.product.read_text().replace(self.url, secure))
        self.url = secure

    def surefoot(self, *words: str) -> list[str | Path]:
        return [SUREFOOT, *words, "--quiet", self.product]


@contextmanager
def served(stand: Stand, tls: bool = False) -> Iterator[None]:
    cert = stand.ca.issue("127.0.0.1")
    listens = f"{stand.port} ssl; ssl_certificate {cert}; ssl_certificate_key {cert}" if tls else str(stand.port)
    config = stand.folder / "nginx.conf"
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if nginx is None:
        sys.exit("nginx is missing")
    config.write_text(f"daemon off; pid {stand.folder}/nginx.pid; error_log {stand.folder}/error.log; user root;\n"
                      f"events {{}} http {{ access_log {stand.folder}/access.log; sendfile on; server {{ listen 127.0.0.1:{listens}; root {stand.dist}; }} }}\n")
    server = subprocess.Popen([nginx, "-p", stand.folder, "-c", config], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if subprocess.run(["curl", "-s", "-k", "-o", "/dev/null", stand.url], check=False).returncode == 0:
                break
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait()


def grow(folder: Path, n_files: int, size: int, seed: int, changed: float = 1.0, before: Path | None = None) -> Path:
    """Files of random bytes; where there was a tree before, only some of them are new."""
    chance = random.Random(seed)
    for n in range(n_files):
        path = folder / f"d{n // 500:03}" / f"file{n:05}"
        path.parent.mkdir(parents=True, exist_ok=True)
        old = before / path.relative_to(folder) if before else None
        if old is not None and chance.random() >= changed:
            shutil.copyfile(old, path)
        else:
            path.write_bytes(chance.randbytes(size))
    return folder


def big(table: Table, folder: Path) -> None:
    stand = Stand(folder, serve=True)
    payload = stand.release("1.0.0", grow(folder / "tree", 64, 16 << 20, 1))
    shutil.rmtree(folder / "tree")
    digest = sh("sha256sum", payload).split()[0]
    with served(stand):
        pairs = []
        for _ in range(1 + PAIRS):
            shutil.rmtree(folder / "machine")
            (folder / "machine").mkdir()
            shutil.rmtree(folder / "state", ignore_errors=True)
            (folder / "flag").unlink(missing_ok=True)
            os.sync()
            took = run(stand.surefoot("install"))
            by_hand = folder / "by-hand"
            shutil.rmtree(by_hand, ignore_errors=True)
            (by_hand / "tree").mkdir(parents=True)
            (by_hand / "sums").write_text(f"{digest}  {by_hand}/payload\n")
            os.sync()
            start = time.monotonic()
            sh("curl", "-s", "-o", by_hand / "payload", f"http://127.0.0.1:{stand.port}/1.0.0/{payload.name}")
            sh("sha256sum", "--quiet", "-c", by_hand / "sums")
            sh("tar", "-xf", by_hand / "payload", "-C", by_hand / "tree")
            sh("sync")
            pairs.append((took, time.monotonic() - start))
            shutil.rmtree(by_hand)
    pairs = pairs[1:]
    ratio = median(a.wall_s / b for a, b in pairs)
    table.add(Row("1 GiB release, download to committed", f"{median(a.wall_s for a, _ in pairs):.2f} s wall", f"{median(b for _, b in pairs):.2f} s", f"{ratio:.2f} x",
                  f"{max(a.peak_mb for a, _ in pairs):.1f} MB", "<= 0.80 x wall, 32 MB and the window", ratio <= 0.8))


def little(table: Table, folder: Path) -> None:
    stand = Stand(folder, serve=False)
    first = grow(folder / "one", 5000, 40_000, 1)
    second = grow(folder / "two", 5000, 40_000, 2, 0.01, first)
    stand.release("1.0.0", first)
    sh(*stand.surefoot("install"))
    payload = stand.release("2.0.0", second)
    changed = sum(1 for p in second.rglob("file*") if p.read_bytes() != (first / p.relative_to(second)).read_bytes()) * 40_000
    took = sh(*stand.surefoot("upgrade")[:1], "upgrade", "--verbose", stand.product)
    written = blocks_of(folder / "machine" / "bench", folder / "machine")
    ratio = written / changed
    table.add(Row("5 000 files, 1 % changed: written", f"{written / 1e6:.2f} MB", f"{changed / 1e6:.2f} MB changed", f"{ratio:.2f} x", target="<= 1.10 x", met=ratio <= 1.1))
    assert payload.stat().st_size > 0 and took


def blocks_of(tree: Path, store: Path) -> int:
    """Bytes of files that have no second name: what was written anew."""
    kept = {(s.st_dev, s.st_ino) for p in (store / ".surefoot-bench").rglob("file*") for s in [p.stat()]}
    return sum(s.st_size for p in tree.rglob("file*") for s in [p.stat()] if (s.st_dev, s.st_ino) not in kept)


def switch(table: Table, folder: Path, n_files: int) -> None:
    """From the last change of names until it is on the disk, as the kernel tells it."""
    stand = Stand(folder, serve=False)
    tree = grow(folder / "tree", n_files, 100, 1)
    stand.release("1.0.0", tree)
    (tree / "new").write_text("x")
    stand.release("2.0.0", tree)
    sh(*stand.surefoot("install"), "--to", "1.0.0")
    times = []
    for n in range(100):
        words = ["upgrade", "--to", "2.0.0"] if n == 0 else ["rollback"]
        trace = folder / "trace"
        sh("strace", "-f", "-r", "-e", "trace=renameat2,fsync", "-o", trace, *stand.surefoot(*words))
        lines = trace.read_text().splitlines()
        at = next(i for i, line in enumerate(lines) if "RENAME_EXCHANGE" in line and "probe" not in line)
        times.append(1000 * sum(float(re.split(r"\s+", line)[1]) for line in lines[at + 1:at + 4]))
    times.sort()
    table.add(Row(f"switch of {n_files} files, p99", f"{times[98]:.2f} ms", target="<= 10 ms", met=times[98] <= 10))


def look(table: Table, folder: Path, tls: bool) -> None:
    """Beside curl, which loads the system's libcurl."""
    stand = Stand(folder, serve=True)
    if tls:
        stand.ask_over_tls()
    stand.release("1.0.0", grow(folder / "tree", 10, 100, 1))
    with served(stand, tls):
        sh(*stand.surefoot("install"))
        run(stand.surefoot("check"))
        before = len((folder / "access.log").read_text().splitlines())
        peer = ["curl", "-s", "-o", "/dev/null", "--cacert", stand.ca.file, stand.url]
        pairs = [(run(stand.surefoot("check")), run(peer)) for _ in range(20)]
        time.sleep(0.2)
        requests = (len((folder / "access.log").read_text().splitlines()) - before) / len(pairs) - 1
    cpu, peak = median(a.cpu_s for a, _ in pairs), max(a.peak_mb for a, _ in pairs)
    table.add(Row(f"check with nothing new, {'TLS' if tls else 'no TLS'}, {requests:.1f} requests", f"{1000 * cpu:.1f} ms cpu",
                  f"{1000 * median(b.cpu_s for _, b in pairs):.1f} ms", f"{median(a.cpu_s / b.cpu_s for a, b in pairs):.2f} x", f"{peak:.1f} MB",
                  "<= 15 ms cpu, 1 request, 20 MB", cpu <= 0.015 and requests == 1 and peak <= 20))


JOBS = [("big", big), ("little", little), ("switch", lambda t, f: switch(t, f, 5_000)), ("switch", lambda t, f: switch(t, f, 50_000)),
        ("look", lambda t, f: look(t, f, tls=False)), ("look", lambda t, f: look(t, f, tls=True))]


def main() -> None:
    table = Table()
    wanted = sys.argv[1:]
    if unknown := set(wanted) - {name for name, _ in JOBS}:
        sys.exit(f"no such measurement: {', '.join(sorted(unknown))}")
    for name, job in JOBS:
        if not wanted or name in wanted:
            with bench_folder() as folder:
                job(table, folder)
    table.show()


main()
