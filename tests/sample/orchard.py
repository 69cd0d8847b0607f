#!/usr/bin/python3 -IS
"""Orchard, the sample product: a small service that keeps records in SQLite and says over HTTP which version it is. The demo and the
tests install and upgrade it.

    bin/orchard     serve HOME              runs in the foreground, until SIGTERM
    bin/orchardctl  start HOME              runs it in the background; ends when it listens
                    stop HOME               ends it, and waits until it has ended
                    status HOME             0: it runs, 1: it does not
                    idle HOME               0: nothing is under way, 3: a harvest is
                    health HOME             0: GET /health says that it is well
                    records HOME            how many records there are, asked of the database
                    scheduler-status HOME   0: its own scheduler is on, 1: off
                    scheduler-on HOME, scheduler-off HOME

orchardctl (orchardctl.sh) hands what it does not do itself on to bin/orchard.

The tree that it is installed in:

    conf/orchard.ini    [server] port (0: the one that HOME/port says); [records] folder (in HOME, or in the tree where it begins with ./)
    lib/version         what this version is, read once, at the start
    lib/part-*          each says it too, and is read again for every answer: a tree that is of two versions is seen
    lib/schema          the schema of the records that this version wants; it makes it out of an older one, and reads no newer one
    behave/WORD         makes it misbehave (see `told`); HOME/behave/WORD does so whatever the version

GET /version answers "orchard VERSION", or "MIXED ..." if its files do not agree; GET /health "ripe", or 503; GET /records how many there
are; POST /records adds one. Every answer ends the connection."""

import fcntl
import os
import signal
import sys
import time


class Orchard:
    def __init__(self, home: str) -> None:
        self.tree = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self.home = os.path.abspath(home)
        self.run = os.path.join(self.home, "run")

    def read(self, name: str) -> str:
        with open(os.path.join(self.tree, name), encoding="utf-8") as f:
            return f.read().strip()

    def told(self, word: str) -> str | None:
        """no-start, no-stop, unhealthy, busy, leave-at-once (it starts and then goes), slow (seconds until it listens): what the file
        says, or None."""
        for folder in (self.tree, self.home):
            try:
                with open(os.path.join(folder, "behave", word), encoding="utf-8") as f:
                    return f.read().strip()
            except FileNotFoundError:
                pass
        return None

    def setting(self, section: str, key: str) -> str:
        here = ""
        for line in self.read("conf/orchard.ini").splitlines():
            name, equals, value = line.partition("=")
            if line.startswith("["):
                here = line.strip("[] ")
            elif equals and here == section and name.strip() == key:
                return value.strip()
        raise ValueError(f"conf/orchard.ini has no {key} in [{section}]")

    def port(self) -> int:
        port = int(self.setting("server", "port"))
        if port == 0:
            with open(os.path.join(self.home, "port"), encoding="utf-8") as f:
                port = int(f.read())
        return port

    def database(self) -> str:
        folder = self.setting("records", "folder")
        return os.path.join(self.tree if folder.startswith("./") else self.home, folder, "orchard.db")

    # -- one process at a time: it holds a lock as long as it lives

    def lock(self) -> int | None:
        """The lock, or None where somebody has it. A status that is being asked for has it for an instant."""
        os.makedirs(self.run, exist_ok=True)
        fd = os.open(os.path.join(self.run, "lock"), os.O_RDWR | os.O_CREAT, 0o644)
        for _ in range(50):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.forget_pid()
                return fd
            except BlockingIOError:
                time.sleep(0.002)
        os.close(fd)
        return None

    def forget_pid(self) -> None:
        """A process that was killed leaves its number, which may be another's by now."""
        try:
            os.unlink(os.path.join(self.run, "pid"))
        except FileNotFoundError:
            pass


# -- records ---------------------------------------------------------------------------------------------------------------

def open_records(orchard: Orchard):  # type: ignore[no-untyped-def]
    """The database, in the schema that this version wants."""
    import sqlite3
    os.makedirs(os.path.dirname(orchard.database()), exist_ok=True)
    db = sqlite3.connect(orchard.database(), isolation_level=None)
    wanted, has = int(orchard.read("lib/schema")), int(db.execute("PRAGMA user_version").fetchone()[0])
    if has > wanted:
        raise ValueError(f"the records are of schema {has}, and this version reads {wanted} at most")
    if has < wanted:
        db.execute("BEGIN IMMEDIATE")
        if has < 1:
            db.execute("CREATE TABLE harvest (id INTEGER PRIMARY KEY, what TEXT NOT NULL)")
        if has < 2 <= wanted:
            db.execute("CREATE TABLE crates (id INTEGER PRIMARY KEY, fruit TEXT NOT NULL, weight INTEGER NOT NULL)")
            db.execute("INSERT INTO crates SELECT id, what, 1 FROM harvest")
            db.execute("DROP TABLE harvest")
        db.execute(f"PRAGMA user_version = {wanted}")
        db.execute("COMMIT")
    return db


def table_of(db) -> str:  # type: ignore[no-untyped-def]
    return "harvest" if db.execute("PRAGMA user_version").fetchone()[0] < 2 else "crates"


# -- the service -----------------------------------------------------------------------------------------------------------

class Service:
    def __init__(self, orchard: Orchard) -> None:
        import socket
        self.orchard, self.ends, self.is_busy = orchard, False, False
        if orchard.told("no-start") is not None:
            raise ValueError("told not to start")
        with open(os.path.join(orchard.run, "pid"), "w", encoding="utf-8") as f:
            f.write(f"{os.getpid()}\n")
        time.sleep(float(orchard.told("slow") or 0))
        self.started = orchard.read("lib/version")
        self.db = open_records(orchard)
        signal.signal(signal.SIGTERM, self.on_term)
        self.listener = socket.create_server(("127.0.0.1", orchard.port()), backlog=128)

    def on_term(self, *_: object) -> None:
        if self.orchard.told("no-stop") is not None:
            return
        self.ends = True
        if not self.is_busy:
            sys.exit(0)

    def serve(self) -> None:
        while not self.ends:
            sock, _ = self.listener.accept()
            self.is_busy = True
            try:
                with sock:
                    sock.settimeout(2)
                    asked = sock.recv(8192).split(b" ", 2)
                    status, body = self.answer(asked[0].decode(), asked[1].decode()) if len(asked) == 3 else ("400 Bad Request", "?")
                    sock.sendall(f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body) + 1}\r\n"
                                 f"Connection: close\r\n\r\n{body}\n".encode())
            except OSError:
                pass
            self.is_busy = False

    def answer(self, method: str, path: str) -> tuple[str, str]:
        if path == "/version":
            return "200 OK", self.version()
        if path == "/health":
            ill = self.orchard.told("unhealthy")
            return ("200 OK", "ripe") if ill is None else ("503 Service Unavailable", f"not ripe: {ill}")
        if path == "/records":
            if method == "POST":
                values = "what) VALUES ('apples')" if table_of(self.db) == "harvest" else "fruit, weight) VALUES ('apples', 1)"
                self.db.execute(f"INSERT INTO {table_of(self.db)} ({values}")
            return "200 OK", str(self.db.execute(f"SELECT count(*) FROM {table_of(self.db)}").fetchone()[0])
        return "404 Not Found", "no such tree"

    def version(self) -> str:
        lib = os.path.join(self.orchard.tree, "lib")
        parts = [self.orchard.read(f"lib/{name}").split()[0] for name in sorted(os.listdir(lib)) if name.startswith("part-")]
        if {*parts} == {self.started}:
            return f"orchard {self.started}"
        return f"MIXED started {self.started}, parts {' '.join(parts)}"


def serve(orchard: Orchard, ready: int | None = None) -> int:
    try:
        service = Service(orchard)
    except (OSError, ValueError) as e:
        sys.stderr.write(f"orchard: {e}\n")
        if ready is not None:
            os.write(ready, f"{e}\n".encode())
        return 1
    if ready is not None:
        os.write(ready, b"listens\n")
        os.close(ready)
    if orchard.told("leave-at-once") is not None:
        return 1
    service.serve()
    return 0


# -- control ---------------------------------------------------------------------------------------------------------------

def start(orchard: Orchard) -> int:
    if orchard.lock() is None:                          # kept open: the service has it
        sys.stderr.write("orchard: it runs already\n")
        return 1
    heard, ready = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        log = os.open(os.path.join(orchard.run, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for fd, to in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(fd, to)
        os.close(heard)
        os.chdir("/")
        sys.exit(serve(orchard, ready))
    os.close(ready)
    said = b""
    while not said.endswith(b"\n"):
        more = os.read(heard, 4096)
        if not more:
            break
        said += more
    if said == b"listens\n":
        return 0
    sys.stderr.write(f"orchard: it does not start: {said.decode().strip() or 'it ended'}\n")
    return 1


def health(orchard: Orchard) -> int:
    import socket
    with socket.create_connection(("127.0.0.1", orchard.port()), 2) as sock:
        sock.sendall(b"GET /health HTTP/1.1\r\n\r\n")
        said = b"".join(iter(lambda: sock.recv(4096), b""))
    sys.stdout.write(said.partition(b"\r\n\r\n")[2].decode())
    return 0 if said.startswith(b"HTTP/1.1 200 ") else 1


def records(orchard: Orchard) -> int:
    import sqlite3
    db = sqlite3.connect(f"file:{orchard.database()}?mode=ro", uri=True)
    print(db.execute(f"SELECT count(*) FROM {table_of(db)}").fetchone()[0])
    return 0


COMMANDS = {"serve": serve, "start": start, "health": health, "records": records}


def main() -> int:
    if len(sys.argv) != 3 or sys.argv[1] not in COMMANDS:
        sys.stderr.write(__doc__ or "")
        return 2
    orchard = Orchard(sys.argv[2])
    if sys.argv[1] == "serve" and orchard.lock() is None:
        sys.stderr.write("orchard: it runs already\n")
        return 1
    return COMMANDS[sys.argv[1]](orchard)


if __name__ == "__main__":
    sys.exit(main())
