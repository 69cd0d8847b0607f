"""The program as ./dev build makes it where it can: libcurl, libxml2 and libarchive small and static (packaging/linux). What it loads, and
that downloads are what they are with the system's libcurl: those tests of test_fetch.py that ask libcurl for something, once more."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
import test_fetch
from conftest import ROOT, WRAPPER
from test_fetch import (  # noqa: F401 (they are run here as well)
    test_connection_is_used_again, test_document_is_refused, test_environment_configures_nothing, test_file_goes_on_where_it_was_cut_off,
    test_file_that_moves_on_is_not_given_up, test_given_certificates_and_the_system_are_apart, test_http_of_this_machine_goes_past_the_proxy,
    test_interrupted_answers_are_tried_again, test_ipv6, test_keys_are_not_written_down, test_login_is_sent_as_it_is, test_no_connection,
    test_not_modified, test_plain_and_tls_at_the_wrong_door, test_proxy_fails, test_proxy_for_http_that_is_allowed, test_proxy_of_the_system,
    test_proxy_refuses_the_login, test_proxy_with_login, test_rate_limit, test_redirects_are_followed, test_server_must_prove_itself, world)

BUILD = Path(os.environ.get("SUREFOOT_STATIC", ROOT / "build" / "static"))
LOADED = {"libc.so.6", "libm.so.6", "libssl.so.3", "libcrypto.so.3", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}

if WRAPPER:
    pytest.skip("programs of this system, whatever others are tested", allow_module_level=True)
if not (BUILD / "installer" / "surefoot").exists():
    pytest.skip("there is no build with static libraries", allow_module_level=True)


@pytest.fixture(autouse=True)
def tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_fetch, "program", lambda: str(BUILD / "tests" / "tools" / "fetch_tool"))


@pytest.mark.parametrize("program", ["installer/surefoot", "keys/surefoot-publish", "tests/tools/fetch_tool"])
def test_what_is_loaded(program: str) -> None:
    """All that the loader finds, what libraries draw in included."""
    told = subprocess.run(["ldd", BUILD / program], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0].rpartition("/")[2] for line in told.splitlines()}
    assert "libcrypto.so.3" in names, f"OpenSSL is to be the system's: {told}"
    assert names - LOADED <= {"linux-vdso.so.1"}, told


def test_hardening_holds() -> None:
    told = subprocess.run(["readelf", "-W", "-l", "-d", BUILD / "installer" / "surefoot"], capture_output=True, text=True, check=True).stdout
    assert "GNU_RELRO" in told and "BIND_NOW" in told and "DYN (" in told, told
    assert all("E" not in line.split()[-2] for line in told.splitlines() if "GNU_STACK" in line), told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a program a resolv.conf of its own")
def test_the_deadline_holds_while_a_name_is_resolved(tmp_path: Path) -> None:
    """The C library's resolver knows of no deadline: libcurl must ask it in a thread. Else the error were that the name is not resolved."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind(("127.0.0.77", 53))
        except OSError:
            pytest.skip("the port of a name server cannot be had")
        (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.77\noptions timeout:4 attempts:1\n")
        own = ["unshare", "-m", "sh", "-c", f'mount --bind "{tmp_path}/resolv.conf" /etc/resolv.conf || exit 77; exec "$@"', "sh"]
        told = subprocess.run([*own, BUILD / "tests" / "tools" / "fetch_tool", "--deadline", "2", "--tries", "1", "bytes", "https://silent.example/x"],
                              capture_output=True, text=True, timeout=30, check=False)
    if told.returncode == 77 or "unshare" in told.stderr:
        pytest.skip("there are no mount namespaces here")
    assert told.stderr.startswith("error\ttimeout\t"), told
