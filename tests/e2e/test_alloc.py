"""Each allocation of a judgement fails in turn, libcrypto's too, once alone and once with all after it (tests/tools/alloc_fail.c): a good
file of each kind is then accepted with all that is said of it, or "could not find out", never refused for want of memory; a changed one
is never accepted; nothing crashes.

No kind is left out of that. The PE alone has every allocation tried, the others a share of them, each kind a different one, since most
are the same in all; SUREFOOT_SCAN=full tries all of all, which takes minutes. Not tried: what is allocated once in a process (libcrypto's
own tables), and the program's own layers (arguments, folders, reports)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest

from conftest import built

from tests.kit import cab, cat, cms, detached, minisign, msi, pe, script
from tests.kit import pki as pk

CONTENT = b"orchard\n" * 40
FULL = os.environ.get("SUREFOOT_SCAN") == "full"
GOOD_STEP, BAD_STEP = (1, 1) if FULL else (4, 13)

Kind = dict[str, Any]                                               # the file, and what goes with it


def nested() -> bytes:
    image = pe.Image()
    inner = cms.authenticode(pe.spc(image.bytes(), image, "sha384"), hash="sha384")
    return pe.signed(image, unsigned=[cms.nested(inner)])


def by_key(algorithm: bytes) -> Kind:
    key = minisign.Key()
    return {"file": CONTENT, "signature": minisign.sign(key, CONTENT, algorithm), "key": key.public_file(), "anchors": None}


def lists() -> bytes:
    return "".join(pk.pem("X509 CRL", pk.crl(ca)) for ca in (pk.pki().inter, pk.pki().root)).encode()


def online() -> pk.Cert:
    inter = pk.intermediate(cn="Kit Intermediate", label="inter", exts=[*pk.CA_EXTS, pk.crl_points("http://a.example/root.crl")])
    return pk.leaf(inter, exts=[*pk.SIGNER_EXTS, pk.crl_points("http://a.example/1.crl", "https://a.example/2.crl")])


KINDS: dict[str, Callable[[], Kind]] = {
    "pe": lambda: {"file": pe.signed()},
    "pe_with_timestamp": lambda: {"file": pe.signed(signer=pk.pki().expired, unsigned=[cms.stamp()]), "stamp_anchors": pk.pki().tsa_root},
    "pe_with_countersignature": lambda: {
        "file": pe.signed(signer=pk.pki().expired, more_certs=[pk.pki().tsa.der], unsigned=[cms.counter_stamp(hash="sha256")]),
        "stamp_anchors": pk.pki().tsa_root},
    "pe_nested": lambda: {"file": nested()},
    "pe_page_hashes": lambda: {"file": pe.signed(pages="sha256")},
    "pe_revocation_lists": lambda: {"file": pe.signed(), "crls": lists()},
    "pe_lists_from_the_network": lambda: {"file": pe.signed(signer=online()), "crls": lists(), "online": True},
    "pe_by_catalog": lambda: {"file": CONTENT, "catalog": cat.signed([cat.flat(CONTENT)])},
    "pe_p256": lambda: {"file": pe.signed(signer=pk.pki().p256)},
    "msi": lambda: {"file": msi.signed()},
    "cab": lambda: {"file": cab.signed()},
    "cat": lambda: {"file": cat.signed([cat.flat(CONTENT)])},
    "ps1": lambda: {"file": script.signed("ps1")},
    "js": lambda: {"file": script.signed("js")},
    "cms_der": lambda: {"file": CONTENT, "signature": detached.sign(CONTENT)},
    "cms_pem": lambda: {"file": CONTENT, "signature": detached.as_pem(detached.sign(CONTENT))},
    "minisign_prehashed": lambda: by_key(b"ED"),
    "minisign_legacy": lambda: by_key(b"Ed"),
}


def tool() -> Path:
    return built("tools/alloc_fail", "so on Windows, and with sanitizers")


def words(folder: Path, kind: Kind) -> list[str]:
    """The tool's arguments after the step; "-" for what the kind has not."""
    out = []
    for what in ("file", "signature", "anchors", "stamp_anchors", "key", "catalog", "crls"):
        value = kind.get(what, pk.pki().root if what == "anchors" else None)
        path = folder / what
        if isinstance(value, bytes):
            path.write_bytes(value)
        elif value is not None:
            pk.write_pem(path, value)
        out.append("-" if value is None else ("@" if what == "crls" and kind.get("online") else "") + str(path))
    return out


def run_tool(*args: str) -> int:
    """How many allocations there were."""
    done = subprocess.run([str(tool()), *args], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[:3000]}\n{done.stderr[:2000]}"
    return int(done.stdout.split()[0])


@pytest.mark.parametrize("name", KINDS)
def test_no_allocation_that_fails_changes_a_verdict(name: str, tmp_path: Path) -> None:
    tool()
    kind = KINDS[name]()
    first = list(KINDS).index(name)
    step = 1 if name == "pe" else GOOD_STEP
    n = run_tool("good", str(first % step + 1), str(step), *words(tmp_path, kind))
    assert n > (30 if "key" in kind else 500), "so few cannot be all: libcrypto's are not counted"
    file = bytearray(kind["file"])
    file[len(file) // 3] ^= 1
    run_tool("bad", str(first % BAD_STEP + 1), str(BAD_STEP), *words(tmp_path, {**kind, "file": bytes(file)}))


SETTINGS = {
    "ini": ("ini", "[s]\nk=\"off\"\n", "s/k"),
    "xml": ("xml", "<?xml version='1.0'?><a xmlns:n='u' x='1'><!-- c --><n:b c='&lt;d'>off</n:b></a>", "a/b"),
    "xml_attribute": ("xml", "<a xmlns:n='u' x='1'><n:b c='&lt;d'>off</n:b></a>", "a/b/@c"),
    "xml_cdata": ("xml", "<a><b/><c><![CDATA[x]]></c></a>", "a/c"),
    "json": ("json", '{"x":[1,2,{"\\u0061":"off"}],"y":{"z":null}}', "x/2/a"),
    "json_null": ("json", '{"x":[1,2,{"\\u0061":"off"}],"y":{"z":null}}', "y/z"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_no_allocation_that_fails_changes_a_setting(name: str, tmp_path: Path) -> None:
    form, text, key = SETTINGS[name]
    (tmp_path / "file").write_text(text, encoding="utf-8")
    done = subprocess.run([str(tool().with_name("alloc_fail_setting")), form, str(tmp_path / "file"), key, "on <"], capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[:3000]}\n{done.stderr[:2000]}"
    assert int(done.stdout.split()[0]) >= (1 if form == "ini" else 20)
