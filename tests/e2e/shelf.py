"""A shelf with one file of each sort on it, and the program called as users call it: any bytes as arguments, any environment, any
standard output. For the tests of the command line; the cases of the kit have `check_case`."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

import pytest

from conftest import CRASH, PROGRAM, ROOT, WRAPPER

from tests.kit import cat, cms, detached, minisign, pe
from tests.kit import pki as pk
from tests.kit.case import trust

AT = "2026-06-01T00:00:00Z"
CONTENT = b"orchard\n" * 40
SIGNER = minisign.Key()

on_posix = pytest.mark.skipif(os.name != "posix" or bool(WRAPPER), reason="file names and streams as POSIX has them")


def command(*words: str | bytes | Path) -> list[str | bytes]:
    return [*WRAPPER, str(PROGRAM), *(str(w) if isinstance(w, Path) else w for w in words)]


def run(*words: str | bytes | Path, env: dict[str, str] | None = None, limit_s: float = 60, **how: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs the program; standard output and error are bytes. A value of "" in env takes the variable away."""
    world = {**os.environ, **(env or {})}
    world = {k: v for k, v in world.items() if v != "" or k not in (env or {})}
    how = {"stdout": subprocess.PIPE, "stdin": subprocess.DEVNULL, **how}
    done = subprocess.run(command(*words), stderr=subprocess.PIPE, env=world, timeout=limit_s, check=False, **how)
    told = done.stderr.decode("utf-8", "replace")
    assert done.returncode >= 0, f"ended by signal {-done.returncode}\n{told}"
    assert not [word for word in CRASH if word in told], told
    return done


@contextmanager
def ordinary_user() -> Iterator[tuple[Path, dict[str, Any]]]:
    """A folder that anybody may enter, and the words for `run` that make the program run as an ordinary user, also where the tests
    run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder, how = Path(name), {}
        folder.chmod(0o755)
        if os.geteuid() == 0:
            how = {"user": 65534, "group": 65534, "extra_groups": []}
            try:
                run("--version", **how)
            except PermissionError:
                pytest.skip("the program lies where an ordinary user cannot go")
        yield folder, how


class Shelf:
    """The folder, its files, and the options under which good.exe, signed.bin and listed.bin are accepted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trust = trust(folder)
        self.verify = ["verify", "--at", AT, *self.trust]
        self.good = self.put("good.exe", pe.signed(unsigned=[cms.stamp(cms.IN_2026)]))
        self.flipped = self.put("flipped.exe", self.good.read_bytes().replace(b"orchard data", b"orchard Data"))
        self.unsigned = self.put("unsigned.exe", pe.Image().bytes())
        self.plain = self.put("plain.txt", b"a text\n")
        self.missing = folder / "missing.exe"
        self.signed = self.put("signed.bin", CONTENT)
        self.p7s = self.put("signed.bin.p7s", detached.sign(CONTENT))
        self.sealed = self.put("sealed.bin", CONTENT)
        self.minisig = self.put("sealed.bin.minisig", minisign.sign(SIGNER, CONTENT))
        self.key = self.put("maker.pub", SIGNER.public_file())
        self.listed = self.put("listed.bin", CONTENT)
        self.catalog = self.put("listed.cat", cat.signed([cat.flat(CONTENT)]))
        self.root = folder / "root.pem"

    def put(self, name: str, data: bytes) -> Path:
        (self.folder / name).write_bytes(data)
        return self.folder / name

    def crls(self) -> list[Path]:
        """Current lists of every authority in the ordinary world."""
        w = pk.pki()
        return [self.put(f"{n}.crl", pk.crl(ca)) for n, ca in (("root", w.root), ("inter", w.inter), ("tsa-root", w.tsa_root))]
