"""What an upgrade asks of databases (platform/db.h; tests/tools/db_ask prints it), with real ones: PostgreSQL and SQLite."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from functools import lru_cache
from pathlib import Path
from typing import Iterator

import pytest
from conftest import CRASH, PROGRAM, built

from tests.kit import databases as kit

DRIVERS = Path("/etc/odbcinst.ini").read_text(encoding="utf-8") if Path("/etc/odbcinst.ini").exists() else ""


LIBRARY = next(iter(Path("/usr/lib").glob("*/odbc/libsqlite3odbc.so")), "SQLite3")


def tool() -> Path:
    if PROGRAM.suffix:
        pytest.skip("databases as POSIX has them")
    found = built("tools/db_ask")
    if not is_with_odbc(found):
        pytest.skip("this build is without ODBC")
    return found


@lru_cache(maxsize=None)
def is_with_odbc(program: Path) -> bool:
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("DSN=none")
        file.flush()
        done = subprocess.run([str(program), file.name, "1000"], capture_output=True, text=True, timeout=20, check=False)
    return "this build is without ODBC" not in done.stdout


def secrets_of(connection: str) -> list[str]:
    words = re.findall(r"PWD=\{?([^;]*)", connection)
    return [*([connection] if len(connection) > 5 else []), *[part for word in words for part in re.split(r"[;{}]", word) if len(part) > 5]]


class Asked:
    """A db_ask that runs. Nothing that it says may show the connection string."""

    def __init__(self, folder: Path, connection: str, *questions: str, timeout_ms: int = 10000) -> None:
        self.connection = connection
        (folder / "connection").write_text(connection, encoding="utf-8")
        self.started = time.monotonic()
        self.process = subprocess.Popen([str(tool()), str(folder / "connection"), str(timeout_ms), *questions], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")

    def line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline().rstrip("\n")
        assert not any(word in line for word in secrets_of(self.connection)), line
        assert not any(word in line for word in CRASH), line
        return line

    def rest(self) -> list[str]:
        assert self.process.stdout and self.process.stdin
        with self.process.stdin:
            lines = list(iter(self.line, ""))
        self.process.stdout.close()
        assert self.process.wait(20) in (0, 1)
        self.took = time.monotonic() - self.started
        return lines

    def go_on(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def ask(folder: Path, connection: str, *questions: str, timeout_ms: int = 10000) -> list[str]:
    return Asked(folder, connection, *questions, timeout_ms=timeout_ms).rest()


# -- SQLite ----------------------------------------------------------------------------------------------------------------

needs_sqlite = pytest.mark.skipif("[SQLite3]" not in DRIVERS, reason="libsqliteodbc is not installed")


@pytest.fixture
def orchard_db(tmp_path: Path) -> Path:
    path = tmp_path / "orchard.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE trees (name TEXT)")
        db.executemany("INSERT INTO trees VALUES (?)", [("apple" * 400,)] * 100)
    db.close()
    return path


def of(path: Path) -> str:
    return f"Driver=SQLite3;Database={path}"


@needs_sqlite
def test_sqlite_tells_its_kind_and_size(orchard_db: Path, tmp_path: Path) -> None:
    before = orchard_db.read_bytes()
    size = orchard_db.stat().st_size
    assert size > 100000
    assert ask(tmp_path, of(orchard_db), "kind", "size") == ["ok", "ok sqlite", f"ok {size}"]
    assert orchard_db.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["connection", "orchard.db"]


@needs_sqlite
def test_sqlite_in_use_in_its_write_ahead_mode(orchard_db: Path, tmp_path: Path) -> None:
    db = sqlite3.connect(orchard_db, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("INSERT INTO trees VALUES ('pear')")
    assert ask(tmp_path, of(orchard_db), "kind", "right", "CREATE")[1:] == ["ok sqlite", "ok yes"]
    db.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["connection", "orchard.db"]


@needs_sqlite
@pytest.mark.parametrize("connection", ["Driver=SQLite3;Database={}", "NoCreat=0;Driver=SQLite3;Database={}", "DRIVER={{SQLite3}};DATABASE={{{}}};NoCreat=0",
                                        f"Driver={LIBRARY};Database={{}}"])
def test_a_file_that_is_not_there_is_absent_and_none_is_made(connection: str, tmp_path: Path) -> None:
    lines = ask(tmp_path, connection.format(tmp_path / "none.db"), "kind")
    assert len(lines) == 1 and lines[0].startswith("absent: "), lines
    assert [p.name for p in tmp_path.iterdir()] == ["connection"]


@needs_sqlite
@pytest.mark.parametrize("database", ["", "Database=", "Database=:memory:", "Database=orchard.db", "Database=file:orchard.db?mode=rwc"])
def test_sqlite_without_the_whole_path_of_a_file_is_a_wrong_connection(database: str, tmp_path: Path) -> None:
    lines = ask(tmp_path, f"Driver=SQLite3;{database}", "kind")
    assert len(lines) == 1 and lines[0].startswith("argument: "), lines


@needs_sqlite
def test_a_file_of_something_else_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("apples and pears\n" * 100, encoding="utf-8")
    lines = ask(tmp_path, of(tmp_path / "text.db"), "kind")
    assert len(lines) == 1 and lines[0].startswith("input/output: "), lines


@needs_sqlite
@pytest.mark.skipif(os.geteuid() != 0, reason="of another account root alone can tell")
def test_rights_in_sqlite_are_those_of_file_and_folder() -> None:
    folder = Path(tempfile.mkdtemp())                                # pytest's own is closed to others
    try:
        path = folder / "a.db"
        sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.close()

        def of_nobody(folder_mode: int, mode: int) -> list[str]:
            folder.chmod(folder_mode)
            path.chmod(mode)
            return ask(folder, of(path), "right-of", "nobody", "SELECT", "right-of", "nobody", "CREATE")

        assert of_nobody(0o700, 0o666) == ["ok", "ok no", "ok no"]
        assert of_nobody(0o755, 0o600) == ["ok", "ok no", "ok no"]
        assert of_nobody(0o755, 0o644) == ["ok", "ok yes", "ok no"]
        assert of_nobody(0o755, 0o666) == ["ok", "ok yes", "ok no"]
        assert of_nobody(0o777, 0o666) == ["ok", "ok yes", "ok yes"]
        lines = ask(folder, of(path), "right-of", "no-such-account", "SELECT", "right", "GRANT", "right", "SELECT", "right", "create")
        assert lines[1] == "ok no" and lines[2].startswith("unsupported: ") and lines[3:] == ["ok yes", "ok yes"]
    finally:
        shutil.rmtree(folder)


# -- PostgreSQL ------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def server() -> Iterator[kit.Postgres]:
    tool()
    if kit.binaries() is None or not kit.has("psql") or "[PostgreSQL Unicode]" not in DRIVERS:
        pytest.skip("postgresql and odbc-postgresql are not installed")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        with kit.postgres(folder / "cluster") as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("driver", ["PostgreSQL Unicode", "PostgreSQL ANSI"])
def test_postgresql_tells_kind_size_and_rights(driver: str, server: kit.Postgres, tmp_path: Path) -> None:
    logs = set(Path("/tmp").glob("psqlodbc_*"))
    lines = ask(tmp_path, server.connection("orchard", driver=driver), "kind", "size", "right", "CREATE", "right", "connect", "right", "TEMP",
                "right", "Gär ten", "right-of", "low", "CREATE", "right-of", "low", "CONNECT", "right-of", "low", "Gär ten")
    assert lines[:2] == ["ok", "ok postgresql"]
    assert 1_000_000 < int(lines[2].split()[1]) < 100_000_000
    assert lines[3:] == ["ok yes", "ok yes", "ok yes", "ok yes", "ok no", "ok yes", "ok no"]
    assert set(Path("/tmp").glob("psqlodbc_*")) == logs, "the driver left a log"


def test_rights_in_postgresql(server: kit.Postgres, tmp_path: Path) -> None:
    rights = {("nobody-here", "CREATE"): "ok no", ("nobody-here", "Gär ten"): "ok no", ("outside", "Gär ten"): "ok no", ("boss", "pg_read_all_data"): "ok yes",
              ("low", "pg_read_all_data"): "ok no", ("low", "TEMPORARY"): "ok yes", ("'; DROP ROLE low; --", "CREATE"): "ok no"}
    questions = [word for account, right in rights for word in ("right-of", account, right)]
    assert ask(tmp_path, server.connection("low"), *questions) == ["ok", *rights.values()]
    lines = ask(tmp_path, server.connection("low"), "right", "CREATE", "right", "no such role", "right-of", "low", "no such role", "right",
                "x'; DROP ROLE low; --", "right-of", "low", "CONNECT")
    assert lines[1] == "ok no" and lines[5] == "ok yes"
    assert all(line.startswith("unsupported: ") for line in lines[2:5]), lines


def test_a_wrong_password_is_no_access(server: kit.Postgres, tmp_path: Path) -> None:
    for connection in (server.connection("orchard", password=secrets.token_hex(8)), server.connection("no_one", password=secrets.token_hex(8))):
        lines = ask(tmp_path, connection, "kind")
        assert len(lines) == 1 and lines[0].startswith("access: "), lines


def test_a_database_that_is_not_on_the_server_is_absent(server: kit.Postgres, tmp_path: Path) -> None:
    lines = ask(tmp_path, server.connection("boss", database="no_such_database"), "kind")
    assert len(lines) == 1 and lines[0].startswith("absent: "), lines


def test_nobody_listens(server: kit.Postgres, tmp_path: Path) -> None:
    connection = server.connection("orchard").replace(str(server.port), str(kit.free_port()))
    lines = ask(tmp_path, connection, "kind")
    assert len(lines) == 1 and lines[0].startswith("input/output: "), lines


def test_a_server_that_dies_in_between(tmp_path: Path, server: kit.Postgres) -> None:
    asked = Asked(tmp_path, server.connection("orchard"), "kind", "wait", "size", "kind")
    assert [asked.line() for _ in range(3)] == ["ok", "ok postgresql", "waiting"]
    os.kill(server.pid, signal.SIGQUIT)
    wait_until(lambda: not (server.folder / "data" / "postmaster.pid").exists())
    asked.go_on()
    lines = asked.rest()
    assert lines[0].startswith("input/output: "), lines
    server.start()
    assert ask(tmp_path, server.connection("orchard"), "kind") == ["ok", "ok postgresql"]


def test_a_server_that_falls_silent_in_between(tmp_path: Path, server: kit.Postgres) -> None:
    asked = Asked(tmp_path, server.connection("orchard"), "wait", "size", "kind", timeout_ms=1500)
    assert [asked.line() for _ in range(2)] == ["ok", "waiting"]
    stopped = children(server.pid)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        asked.go_on()
        lines = asked.rest()
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert lines[0].startswith("timeout: ") and lines[1].startswith("input/output: "), lines
    assert asked.took < 10


# -- what must not hang, crash or leak -------------------------------------------------------------------------------------

def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]


def wait_until(holds) -> None:                                       # type: ignore[no-untyped-def]
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def mute(port: int) -> str:
    return f"Driver={{PostgreSQL Unicode}};Server=127.0.0.1;Port={port};Database=x;UID=x;PWD={secrets.token_hex(12)}"


needs_postgresql_driver = pytest.mark.skipif("[PostgreSQL Unicode]" not in DRIVERS, reason="odbc-postgresql is not installed")


@needs_postgresql_driver
def test_a_server_that_never_answers_ends_with_the_time(tmp_path: Path) -> None:
    with kit.mute_server() as port:
        asked = Asked(tmp_path, mute(port), "kind", timeout_ms=700)
        lines = asked.rest()
    assert len(lines) == 1 and lines[0].startswith("timeout: "), lines
    assert 0.6 < asked.took < 5


@needs_postgresql_driver
def test_what_has_the_connection_ends_with_us_and_shows_no_secret(tmp_path: Path) -> None:
    with kit.mute_server() as port:
        asked = Asked(tmp_path, mute(port), "kind", timeout_ms=60000)
        wait_until(lambda: children(asked.process.pid))
        (child,) = children(asked.process.pid)
        for name in ("cmdline", "environ"):
            seen = Path(f"/proc/{child}/{name}").read_bytes().decode("utf-8", "replace")
            assert not any(word in seen for word in secrets_of(asked.connection))
        asked.process.kill()
        asked.process.wait(10)
        wait_until(lambda: not Path(f"/proc/{child}").exists())
        asked.process.stdin.close()
        asked.process.stdout.close()


@pytest.mark.parametrize("driver", ["No Such Driver", "/nonexistent/driver.so", "/etc/passwd"])
def test_a_driver_that_is_missing(driver: str, tmp_path: Path) -> None:
    lines = ask(tmp_path, f"Driver={{{driver}}};UID=x;PWD={secrets.token_hex(12)}", "kind")
    assert len(lines) == 1 and lines[0].startswith("unsupported: "), lines


@pytest.mark.parametrize("connection", ["DSN=no-such-source", "x", ";;;=", "=", "Driver", "{", "Driver={SQLite3", "Driver=" + "x" * 5000, ""])
def test_connection_strings_that_are_none(connection: str, tmp_path: Path) -> None:
    lines = ask(tmp_path, connection, "kind")
    assert len(lines) == 1 and not lines[0].startswith("ok"), lines


@pytest.mark.skipif(not kit.has("cc"), reason="no compiler")
@pytest.mark.parametrize(("body", "code"), [("__builtin_trap()", "input/output: "), ("exit(0)", "input/output: "),
                                            ("dprintf(2, \"said by the driver\"), pause()", "timeout: ")])
def test_a_driver_that_crashes_or_hangs_is_alone_in_that(body: str, code: str, tmp_path: Path) -> None:
    source = "#define _GNU_SOURCE\n#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
    (tmp_path / "driver.c").write_text(source + f"__attribute__((constructor)) static void begin(void) {{ (void)({body}, 0); }}\n", encoding="utf-8")
    subprocess.run(["cc", "-w", "-shared", "-fPIC", "-o", str(tmp_path / "driver.so"), str(tmp_path / "driver.c")], check=True, timeout=60)
    lines = ask(tmp_path, f"Driver={tmp_path}/driver.so;PWD={secrets.token_hex(12)}", "kind", timeout_ms=1500)
    assert len(lines) == 1 and lines[0].startswith(code), lines
