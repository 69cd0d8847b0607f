"""Databases for tests: a PostgreSQL cluster of its own in a temporary folder, on loopback and a free port; and a server that takes
connections and never says a word. Passwords are made at run time."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import Iterator

from tests.kit.servers import free_port


def binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name) if p.parent.name.isdigit() else 0)
    return found[-1] if found else None


class Postgres:
    """`boss` may everything; `orchard` owns the database orchard and is in the group "Gär ten"; `low` may connect."""

    def __init__(self, folder: Path) -> None:
        self.bin = binaries()
        self.folder, self.port = folder, free_port()
        self.passwords = {"boss": secrets.token_hex(12), "orchard": "ä€;}" + secrets.token_hex(12), "low": secrets.token_hex(12)}
        self.prefix: list[str] = []
        if os.geteuid() == 0:                                       # a server that root runs refuses to
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            self.prefix = ["runuser", "-u", "postgres", "--"]

    def run(self, *words: str) -> None:
        done = subprocess.run([*self.prefix, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False,
                              cwd=self.folder)
        assert done.returncode == 0, done.stdout.decode()

    def make(self) -> None:
        password = self.folder / "password"
        password.write_text(self.passwords["boss"] + "\n", encoding="utf-8")
        self.run(str(self.bin / "initdb"), "-D", str(self.folder / "data"), "-A", "scram-sha-256", "-U", "boss", "-E", "UTF8", "--locale=C.UTF-8",
                 "--no-sync", f"--pwfile={password}")
        password.unlink()
        with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(f"\nport = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{self.folder}'\nfsync = off\n")

    def start(self) -> None:
        # pg_ctl's own descriptors would be kept open by the server.
        self.run(str(self.bin / "pg_ctl"), "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-t", "60", "-s", "start")

    @property
    def pid(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])

    def stop(self) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self.pid, signal.SIGQUIT)

    def sql(self, *statements: str, database: str = "postgres") -> None:
        words = [word for s in statements for word in ("-c", s)]
        done = subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "boss", *words, database],
                              env={**os.environ, "PGPASSWORD": self.passwords["boss"]}, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()

    def make_roles(self) -> None:
        self.sql(f"CREATE ROLE orchard LOGIN PASSWORD '{self.passwords['orchard']}'", f"CREATE ROLE low LOGIN PASSWORD '{self.passwords['low']}'",
                 'CREATE ROLE "Gär ten" NOLOGIN', 'GRANT "Gär ten" TO orchard', "CREATE DATABASE orchard OWNER orchard",
                 "CREATE ROLE outside NOINHERIT", 'GRANT "Gär ten" TO outside')

    def connection(self, user: str, password: str | None = None, database: str = "orchard", driver: str = "PostgreSQL Unicode") -> str:
        password = (password or self.passwords[user]).replace("}", "}}")
        return f"Driver={{{driver}}};Server=127.0.0.1;Port={self.port};Database={database};UID={user};PWD={{{password}}}"


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    folder.mkdir()
    server = Postgres(folder)
    server.make()
    try:
        server.start()
        server.make_roles()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def mute_server() -> Iterator[int]:
    """Its port."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(listener.accept()[0])
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for one in held:
            one.close()


def has(*programs: str) -> bool:
    return all(shutil.which(p) for p in programs)
