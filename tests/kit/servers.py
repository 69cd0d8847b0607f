"""Servers for tests of downloads, all on loopback and in a temporary folder: nginx with TLS under a CA of its own, tinyproxy with a login,
and a server whose every answer is written by hand, byte by byte, so that it can lie. Keys are made at run time."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOGIN = "porter:s3cret"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"{process.args!r} does not listen")


# -- certificates ----------------------------------------------------------------------------------------------------------

class Ca:
    """A root, and certificates for servers under it."""

    def __init__(self, folder: Path, name: str = "kit") -> None:
        self.folder, self.name, self.n = folder, name, 0
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Kit servers {name}")])
        self.cert = self._make(self.subject, self.key, [(x509.BasicConstraints(True, 0), True)], 3650, 3650)
        self.file = folder / f"ca-{name}.pem"
        self.file.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))

    def _make(self, subject: x509.Name, key: Any, exts: list[tuple[Any, bool]], before: float, after: float, sign_with: Any = None) -> x509.Certificate:
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        make = x509.CertificateBuilder().subject_name(subject).issuer_name(self.subject if sign_with is None else subject)
        make = make.public_key(key.public_key()).serial_number(x509.random_serial_number())
        make = make.not_valid_before(now - datetime.timedelta(days=before)).not_valid_after(now + datetime.timedelta(days=after))
        for ext, critical in exts:
            make = make.add_extension(ext, critical)
        return make.sign(sign_with or self.key, hashes.SHA256())

    def issue(self, *names: str, before: float = 30, after: float = 30, self_signed: bool = False, usage: Any = ExtendedKeyUsageOID.SERVER_AUTH) -> Path:
        """A file with certificate and key for these names or addresses; the last two make it a wrong one."""
        key = ec.generate_private_key(ec.SECP256R1())
        alt: list[x509.GeneralName] = []
        for name in names:
            try:
                alt.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                alt.append(x509.DNSName(name))
        exts = [(x509.SubjectAlternativeName(alt), False), (x509.ExtendedKeyUsage([usage]), False), (x509.BasicConstraints(False, None), True)]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kit server")])
        cert = self._make(subject, key, exts, before, after, key if self_signed else None)
        self.n += 1
        file = self.folder / f"server-{self.name}-{self.n}.pem"
        file.write_bytes(cert.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return file

    def context(self, *names: str, **wrong: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.issue(*names, **wrong))
        return context


# -- real servers ----------------------------------------------------------------------------------------------------------

class Nginx:
    """Serves folder/www: TLS on 127.0.0.1 and [::1] (`tls`), plain on 127.0.0.1 (`plain`). One process, no daemon."""

    def __init__(self, folder: Path, ca: Ca) -> None:
        self.folder, self.www, self.log = folder, folder / "www", folder / "access.log"
        self.www.mkdir(parents=True)
        self.tls, self.plain = free_port(), free_port()
        cert = ca.issue("localhost", "127.0.0.1", "::1")
        temporary = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(f"""
{user}daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
{temporary}
    log_format kit '$connection|$request_method $uri|$status|$http_range|$http_if_range|$http_user_agent';
    access_log {self.log} kit;
    server {{
        listen 127.0.0.1:{self.tls} ssl;
        listen [::1]:{self.tls} ssl;
        listen 127.0.0.1:{self.plain};
        ssl_certificate {cert};
        ssl_certificate_key {cert};
        ssl_protocols TLSv1.2 TLSv1.3;
        root {self.www};
        location /away {{ return 302 https://localhost:{self.tls}/doc.xml; }}
    }}
}}
""", encoding="utf-8")
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert program is not None
        self.process = subprocess.Popen([program, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")], stdin=subprocess.DEVNULL)
        wait_for(self.plain, self.process)

    def requests(self) -> list[list[str]]:
        time.sleep(0.1)
        return [line.split("|") for line in self.log.read_text(encoding="utf-8").splitlines()]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


class Proxy:
    """tinyproxy that wants a login."""

    def __init__(self, folder: Path, login: str = LOGIN) -> None:
        folder.mkdir(parents=True)
        self.port, self.login, self.log = free_port(), login, folder / "proxy.log"
        user, password = login.split(":", 1)
        (folder / "tinyproxy.conf").write_text(f"""
Port {self.port}
Listen 127.0.0.1
Timeout 30
MaxClients 20
LogFile "{self.log}"
LogLevel Connect
BasicAuth {user} {password}
""", encoding="utf-8")
        program = shutil.which("tinyproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert program is not None
        self.process = subprocess.Popen([program, "-d", "-c", str(folder / "tinyproxy.conf")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for(self.port, self.process)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


# -- the server that says anything -----------------------------------------------------------------------------------------

@dataclass
class Request:
    line: str
    headers: dict[str, str]                                          # names in lower case

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    def start(self) -> int:
        """Where the range that is asked for begins; 0 where none is."""
        asked = self.headers.get("range", "bytes=0-")
        return int(asked.removeprefix("bytes=").rstrip("-"))


@dataclass
class Conversation:
    """What a handler talks to. A client that goes away is no error."""
    sock: Any
    raw: socket.socket
    ended: threading.Event

    def send(self, *parts: bytes | str) -> bool:
        try:
            self.sock.sendall(b"".join(p.encode("latin-1") if isinstance(p, str) else p for p in parts))
            return not self.ended.is_set()
        except (OSError, ssl.SSLError):
            return False

    def reset(self) -> None:
        """The next close sends RST."""
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def wait(self, seconds: float) -> None:
        self.ended.wait(seconds)


Handler = Callable[[Conversation, Request], Any]                     # a true result keeps the connection


@dataclass
class Hostile:
    """One thread a connection. `on(path, handler)` says what is answered; `seen` is what was asked. With a TLS context it is https."""
    context: ssl.SSLContext | None = None
    handlers: dict[str, Handler] = field(default_factory=dict)
    seen: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=32)
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while not self.ended.is_set():
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(raw,), daemon=True).start()

    def _talk(self, raw: socket.socket) -> None:
        raw.settimeout(20)
        sock: Any = raw
        try:
            if self.context is not None:
                sock = self.context.wrap_socket(raw, server_side=True)
            talk = Conversation(sock, raw, self.ended)
            stream = sock.makefile("rb")
            for request in self._requests(stream):
                self.seen.append(request)
                handler = self.handlers.get(request.path.partition("?")[0], lambda c, r: c.send(answer(404)))
                if not handler(talk, request):
                    break
            stream.close()
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            with contextlib.suppress(OSError, ssl.SSLError):
                sock.close()
            raw.close()

    @staticmethod
    def _requests(stream: Any) -> Iterator[Request]:
        while True:
            line = stream.readline(65536).decode("latin-1").strip()
            if not line:
                return
            headers: dict[str, str] = {}
            while header := stream.readline(65536).decode("latin-1").strip():
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            yield Request(line, headers)

    def on(self, path: str, handler: Handler) -> str:
        self.handlers[path] = handler
        return self.url(path)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{'https' if self.context else 'http'}://{host}:{self.port}{path}"

    def asked(self, path: str) -> list[Request]:
        return [r for r in self.seen if r.path.partition("?")[0] == path]

    def close(self) -> None:
        self.ended.set()
        self.listener.close()


def head(status: int | str = 200, **headers: str | int) -> bytes:
    """A head; an underscore in a name is a hyphen."""
    lines = [f"HTTP/1.1 {status}" if isinstance(status, str) else f"HTTP/1.1 {status} Kit"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(status: int | str = 200, body: bytes = b"", **headers: str | int) -> bytes:
    return head(status, **{"Content_Length": len(body), **headers}) + body


def part_of(data: bytes, start: int, **headers: str | int) -> bytes:
    """The right answer to a question for the bytes from `start` on."""
    if start == 0:
        return answer(200, data, **headers)
    return answer(206, data[start:], **{"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}", **headers})


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
