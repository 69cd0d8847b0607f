"""Many small files, several large ones on all processors, and a long catalog."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kit import big, cat, cms, pe
from tests.kit.case import trust
from tests.kit.figures import PAIRS, Row, Table, bench_folder, run, verify


def many_small(table: Table, folder: Path, trusted: list[str]) -> None:
    data = pe.signed(unsigned=[cms.stamp(cms.IN_2026)])
    files = [folder / f"{n:04}.exe" for n in range(1000)]
    for file in files:
        file.write_bytes(data)
    runs = [run(verify(trusted, *files)) for _ in range(PAIRS)]
    assert all(r.out.count(b'"verdict":"accepted"') >= 1000 for r in runs), "one line for each file"
    wall = median(r.wall_s for r in runs)
    table.add(Row("1000 small PEs with timestamps, one call", f"{wall:.3f} s wall", memory=f"{max(r.peak_mb for r in runs):.1f} MB",
                  ratio=f"cpu {median(r.cpu_s for r in runs):.3f} s", target="<= 1.5 s wall", met=wall <= 1.5))


def different_small(table: Table, folder: Path, trusted: list[str]) -> None:
    """Each file by a signer of its own, so that no certificate comes twice."""
    from tests.kit import pki
    files = []
    for n in range(1000):
        signer = pki.leaf(label="bench", subject=pki.ORCHARD)
        files.append(folder / f"{n:04}.dll")
        files[-1].write_bytes(pe.signed(signer=signer))
    runs = [run(verify(trusted, *files)) for _ in range(PAIRS)]
    wall = median(r.wall_s for r in runs)
    table.add(Row("1000 small PEs, a signer each, one call", f"{wall:.3f} s wall", memory=f"{max(r.peak_mb for r in runs):.1f} MB",
                  ratio=f"cpu {median(r.cpu_s for r in runs):.3f} s", target="<= 1.5 s wall", met=wall <= 1.5))


def side_by_side(table: Table, folder: Path, trusted: list[str]) -> None:
    k = os.cpu_count() or 1
    files = []
    for n in range(4 * k):
        files.append(folder / f"part{n}.exe")
        big.pe_file(files[-1], 128 * big.MIB)
    run(verify(trusted, *files))
    ours, peers = [], []
    shell, openssl = shutil.which("sh"), shutil.which("openssl")
    each = [shell, "-c", 'k=$1; shift; printf "%s\\n" "$@" | xargs -P "$k" -n 1 openssl dgst -sha256', "-", str(k), *files]
    for _ in range(PAIRS):
        ours.append(run(verify(trusted, *files), cores=1).wall_s / run(verify(trusted, *files)).wall_s)
        if shell and openssl:
            peers.append(run(each, cores=1).wall_s / run(each).wall_s)
    speedup = median(ours)
    table.add(Row(f"{4 * k} PEs of 128 MiB on {k} processors", f"{speedup:.2f} times one", f"{median(peers):.2f} times one" if peers else "none here",
                  target=f">= {0.9 * k:.2f} times one", met=speedup >= 0.9 * k))
    for file in files:
        file.unlink()


def long_catalog(table: Table, folder: Path, trusted: list[str]) -> None:
    image = pe.Image()
    file = folder / "listed.exe"
    file.write_bytes(pe.signed(image))
    mine = cat.member(pe.digest(image.bytes(), image), cms.pe_data())
    members = [cat.member(os.urandom(32), cms.pe_data()) for _ in range(9_999)]
    catalog = folder / "long.cat"
    catalog.write_bytes(cat.signed([*members[:5_000], mine, *members[5_000:]]))
    without, long = verify(trusted, file), verify([*trusted, "--catalog", str(catalog)], file)
    pairs = [(run(long), run(without)) for _ in range(3 * PAIRS)]
    more = median(a.wall_s - b.wall_s for a, b in pairs) * 1000
    cpu = median(a.cpu_s - b.cpu_s for a, b in pairs) * 1000
    table.add(Row("PE against a catalog of 10 000 members", f"+ {more:.1f} ms wall", f"{median(b.wall_s for _, b in pairs) * 1000:.1f} ms",
                  f"cpu + {cpu:.1f} ms", f"{max(a.peak_mb for a, _ in pairs):.1f} MB", "<= + 20 ms", more <= 20))


def main() -> None:
    table = Table()
    with bench_folder() as folder:
        trusted = trust(folder)
        many_small(table, folder, trusted)
        different_small(table, folder, trusted)
        long_catalog(table, folder, trusted)
        side_by_side(table, folder, trusted)
    table.show()


main()
