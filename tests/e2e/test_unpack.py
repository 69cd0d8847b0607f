"""Archives of tests/kit/archives.py, read by tests/tools/unpack_list (installer/core/unpack): the hostile ones are refused in the words
that stand with them, before anything of the refused entry is given out; the good ones and those of other packers are read as they are."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest
from conftest import CRASH, WRAPPER, built

if WRAPPER:
    pytest.skip("the tool is run as it is, on POSIX", allow_module_level=True)

from tests.kit import archives as kit  # noqa: E402
from tests.kit import archives_7z as kit_7z  # noqa: E402

HOSTILE, GOOD = [*kit.HOSTILE, *kit_7z.HOSTILE], [*kit.GOOD, *kit_7z.GOOD]


def tool() -> Path:
    return built("tools/unpack_list", "no libarchive here")


def is_sanitized() -> bool:
    return b"__asan_init" in tool().read_bytes()


def limit_memory(mib: int | None) -> Callable[[], None] | None:
    """For what is not to allocate more than that, whether it is touched or not: what does not fit is then no memory, an error of its own.
    Where it can be done; a sanitizer has terabytes of addresses."""
    if mib is None or sys.platform != "linux" or is_sanitized():
        return None
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))


def unpack_list(file: Path, *args: str, env: dict[str, str] | None = None, mib: int | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the tool on a file, and fails on a crash."""
    done = subprocess.run([str(tool()), *args, str(file)], capture_output=True, timeout=60, check=False, encoding="utf-8", env={**os.environ, **(env or {})},
                          preexec_fn=limit_memory(mib))
    assert done.returncode in (0, 1), done
    for word in CRASH:
        assert word not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_refuses(case: kit.Archive, tmp_path: Path) -> None:
    file = tmp_path / "archive"
    file.write_bytes(case.build())
    done = unpack_list(file, *case.args, mib=300 if case in kit_7z.HOSTILE else None)
    assert done.returncode == 1, done.stdout
    assert "end\t" not in done.stdout
    error = done.stderr.splitlines()
    assert len(error) == 1, done.stderr                             # one record is one line
    assert all(ord(c) >= 0x20 or c == "\t" for c in error[0]), error
    mark, code, text = error[0].split("\t", 2)
    assert (mark, code) == ("error", case.code), error
    for word in case.words:
        assert word in text, f"{word!r} is not in {text!r}"


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_reads(case: kit.Archive, locale: str, tmp_path: Path) -> None:
    file = tmp_path / "archive"
    file.write_bytes(case.build())
    done = unpack_list(file, env={"LC_ALL": locale}, mib=300 if case in kit_7z.GOOD else None)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == list(case.lines)


def test_hostile_cases_are_many_and_named_apart() -> None:
    names = [case.name for case in [*HOSTILE, *GOOD]]
    assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)
    assert len(HOSTILE) >= 400
    assert all(case.words for case in HOSTILE)


# --- other packers


def make_tree(root: Path) -> dict[str, bytes]:
    files = {"a.txt": b"hello\n", "sub/b.bin": kit.BIG, "sub/" + "m" * 60 + "/" + "n" * 90: b"long", "sub/empty": b""}
    for path, body in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(body)
        (root / path).chmod(0o644)
    return files


def expect_files(done: subprocess.CompletedProcess[str], files: dict[str, bytes]) -> None:
    assert done.returncode == 0, done.stderr
    got = {line.split("\t")[4]: line for line in done.stdout.splitlines() if line.startswith("file\t")}
    assert got == {path: kit.line("file", path, body) for path, body in files.items()}


TARS = [("gnu", ""), ("pax", "--gzip"), ("ustar", "--xz"), ("gnu", "--zstd"), ("pax", "--zstd")]


@pytest.mark.parametrize("fmt,option", TARS, ids=lambda value: value)
def test_reads_gnu_tar(fmt: str, option: str, tmp_path: Path) -> None:
    files = make_tree(tmp_path / "tree")
    done = subprocess.run(["tar", f"--format={fmt}", *([option] if option else []), "-C", str(tmp_path / "tree"), "-cf", str(tmp_path / "archive"), "."],
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    expect_files(unpack_list(tmp_path / "archive"), files)


def test_reads_a_sparse_file_of_gnu_tar(tmp_path: Path) -> None:
    with (tmp_path / "hole").open("wb") as f:
        f.seek(1 << 20)
        f.write(b"end")
        f.truncate(3 << 20)
    body = (tmp_path / "hole").read_bytes()
    (tmp_path / "hole").chmod(0o644)
    for fmt in ("gnu", "pax"):
        subprocess.run(["tar", f"--format={fmt}", "--sparse", "-C", str(tmp_path), "-cf", str(tmp_path / "archive"), "hole"], check=True)
        assert (tmp_path / "archive").stat().st_size < 100000
        expect_files(unpack_list(tmp_path / "archive"), {"hole": body})


@pytest.mark.parametrize("option", ["-z", "-n"])                    # MSZIP, stored
def test_reads_gcab(option: str, tmp_path: Path) -> None:
    for name, body in (("a.txt", b"hello\n"), ("b.bin", kit.BIG)):
        (tmp_path / name).write_bytes(body)
    options = ["-c"] if option == "-n" else ["-c", option]
    done = subprocess.run(["gcab", *options, "archive", "a.txt", "b.bin"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    expect_files(unpack_list(tmp_path / "archive"), {"a.txt": b"hello\n", "b.bin": kit.BIG})


XZ = ["-T1", "-T0 --block-size=64KiB", "-T1 --block-size=64KiB", "-T2 --block-size=1MiB -0", "--block-list=1KiB,0", "-9e", "-0", "--lzma2=dict=64MiB,lc=1,lp=3,pb=0",
      "--check=none", "--check=crc32", "--check=crc64", "--check=sha256", "-T0 --block-size=64KiB --check=sha256", "-T0 --block-size=64KiB --check=none"]


@pytest.mark.skipif(shutil.which("xz") is None, reason="xz is not installed")
@pytest.mark.parametrize("options", XZ)
def test_reads_xz(options: str, tmp_path: Path) -> None:
    files = {"noise": random.Random(1).randbytes(300000), "mixed": kit.BIG * 40 + random.Random(2).randbytes(70000), "text": b"surefoot " * 100000, "empty": b""}
    (tmp_path / "archive.tar").write_bytes(kit.tar(*[kit.file(path, body) for path, body in files.items()]))
    subprocess.run(["xz", *options.split(), str(tmp_path / "archive.tar")], check=True)
    expect_files(unpack_list(tmp_path / "archive.tar.xz"), files)


@pytest.mark.skipif(shutil.which("xz") is None, reason="xz is not installed")
@pytest.mark.parametrize("option", ["--check=crc64", "--check=none", "-T0"])
def test_reads_xz_of_nothing(option: str, tmp_path: Path) -> None:
    """It has no blocks at all: the stream is right, and holds no tar."""
    made = subprocess.run(["xz", "-c", option], input=b"", capture_output=True, check=True)
    (tmp_path / "archive.tar.xz").write_bytes(made.stdout)
    done = unpack_list(tmp_path / "archive.tar.xz")
    assert done.returncode == 1 and "inside is no tar" in done.stderr, done.stderr


def peak_kib(file: Path, expected_code: int) -> int:
    """What the tool had in memory at most. A small program starts it: what its parent had would count as its own."""
    script = "import resource, subprocess, sys; print(subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode, " \
             "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", script, str(tool()), str(file)], capture_output=True, timeout=60, check=True, encoding="utf-8")
    code, peak = map(int, done.stdout.split())
    assert code == expected_code, done
    return peak


@pytest.mark.skipif(sys.platform != "linux", reason="counted in KiB on Linux alone")
@pytest.mark.parametrize("dictionary,is_one_record,code", [(37, True, 1), (37, False, 1), (28, True, 1), (28, False, 0)])
def test_xz_needs_a_bounded_memory(dictionary: int, is_one_record: bool, code: int, tmp_path: Path) -> None:
    """The second block fills a dictionary of 1.5 GiB (37) with 300 MiB, or one of 64 MiB (28), which is read; the index has both as one,
    or tells the truth."""
    (tmp_path / "archive.tar.xz").write_bytes(kit.xz_large(dictionary, is_one_record))
    limit_mib = 130 if code == 1 or not is_sanitized() else 400      # the sanitizer's own
    assert peak_kib(tmp_path / "archive.tar.xz", code) < limit_mib * 1024


@pytest.mark.parametrize("is_packed", [False, True])
def test_7z_of_all_entries_that_are_allowed_needs_a_bounded_memory(is_packed: bool, tmp_path: Path) -> None:
    """A million entries, a folder for as many of them as may have one, all that a directory says of each: its first file's checksum is
    wrong, so that it ends when libarchive has read the directory."""
    (tmp_path / "archive.7z").write_bytes(kit_7z.largest(is_packed))
    done = unpack_list(tmp_path / "archive.7z", mib=500)
    assert done.stderr.startswith("error\tmalformed\tentry \"000000\"") and "CRC" in done.stderr, done.stderr


@pytest.mark.parametrize("level", ["-1", "-19"])
def test_reads_zstd(level: str, tmp_path: Path) -> None:
    (tmp_path / "archive.tar").write_bytes(kit.tar(*kit.PARTS))
    subprocess.run(["zstd", "-q", level, str(tmp_path / "archive.tar")], check=True)
    done = unpack_list(tmp_path / "archive.tar.zst")
    assert done.stdout.splitlines() == [*kit.PART_LINES, "end\ttar, zstd"], done.stderr


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
def test_refuses_a_window_that_zstd_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "archive.tar").write_bytes(kit.tar(kit.file("a", bytes(200 << 20))))
    subprocess.run(["zstd", "-q", "-1", "--long=27", str(tmp_path / "archive.tar")], check=True)
    done = unpack_list(tmp_path / "archive.tar.zst")
    assert done.returncode == 1 and "window" in done.stderr, done.stderr
