"""Packing of real folders (keys/publish/tree and pack), by tests/tools/pack_tree: the archive's bytes do not depend on where, when, by
whom and in which order the files were made; other programs read it; what no release may hold is refused and nothing is left behind."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import subprocess
from pathlib import Path
from typing import Callable

import pytest
from conftest import CRASH, WRAPPER, built

from tests.kit import archives as kit

Made = dict[str, bytes]


def tool(name: str, *args: str | Path, env: dict[str, str] | None = None, umask: int = 0o022) -> subprocess.CompletedProcess[str]:
    if WRAPPER:
        pytest.skip("run as it is, on POSIX")
    program = built(f"tools/{name}", "no libarchive here")
    done = subprocess.run([str(program), *map(str, args)], capture_output=True, timeout=60, check=False, encoding="utf-8", env={**os.environ, **(env or {})}, umask=umask)
    assert done.returncode in (0, 1), done
    for word in CRASH:
        assert word not in done.stderr, done.stderr
    return done


def pack(folder: Path, archive: Path, *args: str, **more: object) -> list[str]:
    done = tool("pack_tree", *args, folder, archive, **more)  # type: ignore[arg-type]
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def files() -> Made:
    chance = random.Random(3)
    made = {f"d{n % 7}/file{n:03}": chance.randbytes(chance.randrange(5000)) for n in range(60)}
    return {**made, "bin/run": b"#!/bin/sh\n", "gr\u00fc\u00dfe": b"hello", "n" * 150: b"long", "/".join(["deep" * 12] * 6): b"deep", "big": chance.randbytes(3 << 20)}


def make(root: Path, made: Made, order: Callable[[list[str]], list[str]] = list, umask: int = 0o022) -> Path:
    old = os.umask(umask)
    try:
        for path in order(list(made)):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(made[path])
        (root / "bin/run").chmod(0o777 & ~umask)
        (root / "link").symlink_to("bin/run")
        (root / "empty/inner").mkdir(parents=True)
    finally:
        os.umask(old)
    return root


def test_the_same_bytes_whoever_packs(tmp_path: Path) -> None:
    made = files()
    first = make(tmp_path / "first", made)
    lines = pack(first, tmp_path / "1", "--time", "1700000000")
    bytes_1 = (tmp_path / "1").read_bytes()
    assert lines[-1].split("\t") == ["end", str(len(bytes_1)), hashlib.sha256(bytes_1).hexdigest(), str(sum(map(len, made.values())))]

    second = make(tmp_path / "second", made, order=lambda paths: sorted(paths, reverse=True), umask=0o077)
    os.utime(second / "big", (1, 1))
    ways: list[tuple[Path, dict[str, str], int]] = [
        (first, {}, 0o022), (second, {}, 0o022), (first, {"TZ": "Asia/Kathmandu"}, 0o022), (first, {"LC_ALL": "C"}, 0o022),
        (first, {"LC_ALL": "C.UTF-8"}, 0o022), (first, {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}, 0o022), (second, {"TZ": "UTC"}, 0o077), (first, {}, 0)]
    for folder, env, umask in ways:
        assert pack(folder, tmp_path / "2", "--time", "1700000000", env=env, umask=umask) == lines, (env, umask)
        assert (tmp_path / "2").read_bytes() == bytes_1, (folder, env, umask)
    pack(first, tmp_path / "3", "--time", "1700000001")
    assert (tmp_path / "3").read_bytes() != bytes_1


@pytest.mark.parametrize("level", [1, 3, 19])
def test_what_is_packed_is_unpacked(level: int, tmp_path: Path) -> None:
    made = files()
    tree = make(tmp_path / "tree", made)
    lines = pack(tree, tmp_path / "archive", "--level", str(level))
    for path, body in made.items():
        assert kit.line("file", path, body, 0o755 if path == "bin/run" else 0o644) in lines
    assert kit.line("link", "link", mode=0o777, target="bin/run") in lines
    assert kit.line("folder", "empty/inner", mode=0o755) in lines
    assert kit.line("folder", "empty", mode=0o755) not in lines
    assert len(lines) == len(made) + 3
    paths = [line.split("\t")[4].encode() for line in lines[:-1]]
    assert paths == sorted(paths)
    done = tool("unpack_list", tmp_path / "archive")
    assert done.stdout.splitlines() == [*lines[:-1], "end\ttar, zstd"], done.stderr


def test_all_folders_where_asked(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", files())
    lines = pack(tree, tmp_path / "archive", "--folders")
    for folder in ("bin", "empty", "empty/inner", "d0"):
        assert kit.line("folder", folder, mode=0o755) in lines


def test_gnu_tar_and_zstd_read_it(tmp_path: Path) -> None:
    made = files()
    tree = make(tmp_path / "tree", made)
    pack(tree, tmp_path / "archive.tar.zst", "--time", "86400")
    subprocess.run(["zstd", "-q", "-t", str(tmp_path / "archive.tar.zst")], check=True)
    listed = subprocess.run(["tar", "--numeric-owner", "--full-time", "-tvf", str(tmp_path / "archive.tar.zst")], env={**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"},
                            capture_output=True, check=True, encoding="utf-8")
    assert not listed.stderr
    assert all(" 0/0 " in line and " 1970-01-02 00:00:00 " in line for line in listed.stdout.splitlines()), listed.stdout
    (tmp_path / "out").mkdir()
    done = subprocess.run(["tar", "-C", str(tmp_path / "out"), "-xf", str(tmp_path / "archive.tar.zst")], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert {str(f.relative_to(tmp_path / "out")): f.read_bytes() for f in (tmp_path / "out").rglob("*") if f.is_file() and not f.is_symlink()} == made
    assert os.readlink(tmp_path / "out/link") == "bin/run"
    assert (tmp_path / "out/bin/run").stat().st_mode & 0o777 == 0o755


def test_hard_links_are_files(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a").write_bytes(b"x")
    os.link(tmp_path / "tree/a", tmp_path / "tree/b")
    lines = pack(tmp_path / "tree", tmp_path / "archive")
    assert lines[:2] == [kit.line("file", "a", b"x"), kit.line("file", "b", b"x")]


def make_socket(path: Path) -> None:
    s = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(path.parent)                                           # a socket's path has little room
    s.bind(path.name)
    os.chdir(here)
    s.close()


def setuid(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0o4755)


REFUSED: list[tuple[str, Callable[[Path], object], str, str]] = [
    ("a fifo", lambda t: os.mkfifo(t / "pipe"), "malformed", "\"pipe\": is no file, folder or link"),
    ("a socket", lambda t: make_socket(t / "sock"), "malformed", "\"sock\": is no file, folder or link"),
    ("setuid", lambda t: setuid(t / "su"), "malformed", "\"su\": has setuid"),
    ("a link out", lambda t: (t / "l").symlink_to("../../etc/passwd"), "malformed", "\"l\": link target"),
    ("an absolute link", lambda t: (t / "l").symlink_to("/etc/passwd"), "malformed", "absolute"),
    ("two cases", lambda t: [(t / n).write_bytes(b"") for n in ("Readme", "README")], "malformed", "README"),
    ("a device's name", lambda t: (t / "aux.c").write_bytes(b""), "malformed", "device on Windows"),
    ("a backslash", lambda t: (t / "a\\b").write_bytes(b""), "malformed", "backslash"),
    ("a line feed", lambda t: (t / "a\nb").write_bytes(b""), "malformed", "control character"),
    ("no UTF-8", lambda t: open(os.fsencode(t) + b"/caf\xe9", "wb").close(), "malformed", "no UTF-8"),
    ("decomposed", lambda t: (t / "cafe\u0301").write_bytes(b""), "malformed", "U+0301"),
    ("below a file of another case", lambda t: [(t / "D").mkdir(), (t / "D/a").write_bytes(b""), (t / "d").write_bytes(b"")], "malformed", "D"),
    ("deep", lambda t: (t / "/".join("a" * 70)).mkdir(parents=True), "limit", "components"),
]


@pytest.mark.parametrize("what,spoil,code,words", REFUSED, ids=[r[0].replace(" ", "-") for r in REFUSED])
def test_refuses(what: str, spoil: Callable[[Path], object], code: str, words: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "good").mkdir(parents=True)
    (tree / "good/file").write_bytes(b"x")
    spoil(tree)
    done = tool("pack_tree", tree, tmp_path / "archive")
    assert done.returncode == 1, what
    assert done.stderr.startswith(f"error\t{code}\t") and words in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tree"]


def test_a_folder_that_is_missing_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for name in ("missing", "file"):
        done = tool("pack_tree", tmp_path / name, tmp_path / "archive")
        assert done.returncode == 1 and name in done.stderr and "cannot list" in done.stderr, done.stderr


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (tmp_path / "tree/d").mkdir(parents=True)
    (tmp_path / "tree/l").symlink_to("d")
    (tmp_path / "tree/d/x").write_bytes(b"x")
    lines = pack(tmp_path / "tree", tmp_path / "archive")
    assert [line.split("\t")[4] for line in lines[:-1]] == ["d/x", "l"]
