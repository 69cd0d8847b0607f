"""Reading the maker's documents: a release of 50 000 files, the longest feed, and a release that is as dear to read as a stranger can make
it; beside xmllint, which streams through the same bytes and looks at nothing in them."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kit.figures import PAIRS, SUREFOOT, Row, Table, bench_folder, run

TOOLS = Path(os.environ.get("SUREFOOT_TOOLS") or SUREFOOT.parent.parent / "tests" / "tools")
HASH = "ab" * 32


def release(names: list[str], sizes: list[int]) -> str:
    files = "\n".join(f'    <file path="{name}" size="{size}" sha256="{hashlib.sha256(name.encode()).hexdigest()}" mode="644"/>'
                      for name, size in sorted(zip(names, sizes)))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<release xmlns="urn:surefoot:release:1" product="orchard" version="2.1.0" created="2026-11-25T00:00:00Z">
  <payload kind="archive" os="linux" arch="x86_64" path="orchard.tar.zst" size="1" sha256="{HASH}" unpacked-size="{sum(sizes)}">
    <demand system="minisign"/>
{files}
  </payload>
</release>
"""


def usual(n: int) -> str:
    return release([f"lib/orchard/part{i // 1000:03}/group{i // 50 % 20:02}/module_{i:06}.so" for i in range(n)], [i * 37 % 100_000 for i in range(n)])


def dear(n: int) -> str:
    """Paths in many folders, of letters that fold to more than they were, alike but at their end."""
    return release(["/".join(["\u0390" * 12] * 6 + [f"{i:06x}"[:k] + "\u0390" for k in range(1, 6)] + [f"{i}"]) for i in range(n)], [0] * n)


def feed(n: int) -> str:
    releases = "\n".join(f'  <release version="1.{i}.0" status="auto"><document path="1.{i}/release.xml" size="1" sha256="{HASH}"/>'
                         f'<rollout start="2026-11-26T00:00:00Z" percent="10" step="PT24H"/><eligible os="linux windows"/><from below="1.{i}"/></release>'
                         for i in range(n))
    return ('<feed xmlns="urn:surefoot:feed:1" product="orchard" channel="stable" serial="42" issued="2026-11-25T00:00:00Z" '
            f'expires="2026-12-25T00:00:00Z">\n{releases}\n</feed>\n')


def one(table: Table, work: str, kind: str, file: Path, *, most_s: float, most_mb: float) -> None:
    ours = [TOOLS / "document_read", kind, file]
    xmllint = shutil.which("xmllint")
    peer = [xmllint, "--noout", "--stream", file] if xmllint else None
    run(ours)
    pairs = [(run(ours), run(peer) if peer else None) for _ in range(PAIRS)]
    cpu, peak = median(a.cpu_s for a, _ in pairs), max(a.peak_mb for a, _ in pairs)
    theirs = [b.cpu_s for _, b in pairs if b]
    ratio = median(a.cpu_s / max(b.cpu_s, 0.001) for a, b in pairs if b) if theirs else None
    table.add(Row(f"{work}, {file.stat().st_size / 1e6:.1f} MB", f"{cpu:.3f} s cpu", f"{median(theirs):.3f} s" if theirs else "none here",
                  f"{ratio:.1f} x" if ratio else "-", f"{peak:.1f} MB", f"<= {most_s} s cpu, {most_mb:.0f} MB", cpu <= most_s and peak <= most_mb))


def main() -> None:
    if not (TOOLS / "document_read").exists():
        sys.exit(f"document_read is not in {TOOLS}: build with -Dtests=enabled, or set SUREFOOT_TOOLS")
    table = Table()
    with bench_folder() as folder:
        for name, text in (("usual", usual(50_000)), ("dear", dear(50_000)), ("feed", feed(1000))):
            (folder / f"{name}.xml").write_text(text, encoding="utf-8")
        one(table, "a release of 50 000 files", "release", folder / "usual.xml", most_s=0.3, most_mb=64)
        one(table, "a release of 50 000 long paths", "release", folder / "dear.xml", most_s=1.0, most_mb=128)
        one(table, "a feed of 1000 releases", "feed", folder / "feed.xml", most_s=0.05, most_mb=16)
    table.show()


main()
