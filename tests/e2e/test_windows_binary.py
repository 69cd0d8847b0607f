"""The programs as they are shipped for Windows: what their files say, and what they load and heed on a machine that means them ill. Read
here byte by byte, run under wine; nothing of it has run on Microsoft's own Windows."""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from conftest import ROOT, WRAPPER
from shelf import AT, Shelf

from tests.kit import pe
from tests.kit import pki as pk

if not WRAPPER or not os.environ.get("WINEPREFIX"):
    pytest.skip("Windows is tested under wine", allow_module_level=True)

BUILD = Path(os.environ["SUREFOOT"]).resolve().parent.parent
SUREFOOT, PUBLISH = BUILD / "installer/surefoot.exe", BUILD / "keys/surefoot-publish.exe"
SHIPPED = pytest.mark.parametrize("program", [SUREFOOT, PUBLISH], ids=lambda p: p.stem)
SYSTEM32 = Path(os.environ["WINEPREFIX"]) / "drive_c/windows/system32"
PLANTED, LOADER = BUILD / "tests/tools/win_planted.dll", BUILD / "tests/tools/win_load.exe"
# All of these Windows maps from System32 whatever lies beside a program (KnownDLLs). Any other would be looked for beside it first.
IMPORTS = {"ADVAPI32.dll", "KERNEL32.dll", "msvcrt.dll", "Normaliz.dll", "ole32.dll", "OLEAUT32.dll", "SHELL32.dll", "USER32.dll", "WS2_32.dll"}


def windows(path: Path) -> str:
    return "Z:" + str(path.resolve()).replace("/", "\\")


# -- a file -----------------------------------------------------------------------------------------------------------------


class Image:
    """A PE32+ file, as far as it is asked here."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        at = self.number("<I", 0x3C)
        assert self.data[at:at + 4] == b"PE\0\0"
        n_sections, size, self.characteristics = self.number("<H", at + 6), self.number("<H", at + 20), self.number("<H", at + 22)
        self.optional = at + 24
        assert self.number("<H", self.optional) == 0x20B, "64-bit"
        self.dll_characteristics = self.number("<H", self.optional + 70)
        self.sections = [struct.unpack_from("<8sIIII", self.data, self.optional + size + 40 * i) for i in range(n_sections)]

    def number(self, form: str, at: int) -> int:
        return struct.unpack_from(form, self.data, at)[0]

    def directory(self, index: int) -> tuple[int, int]:
        return struct.unpack_from("<II", self.data, self.optional + 112 + 8 * index)

    def offset(self, rva: int) -> int:
        for _, size, start, raw_size, raw in self.sections:
            if start <= rva < start + max(size, raw_size):
                return raw + rva - start
        raise AssertionError(f"{rva:#x} lies in no section")

    def text(self, rva: int) -> str:
        at = self.offset(rva)
        return self.data[at:self.data.index(b"\0", at)].decode("ascii")

    def imports(self) -> dict[str, set[str]]:
        """Library: functions."""
        out: dict[str, set[str]] = {}
        if self.directory(1)[0] == 0:
            return out
        at = self.offset(self.directory(1)[0])
        while (name := self.number("<I", at + 12)) != 0:
            entry, functions = self.offset(self.number("<I", at) or self.number("<I", at + 16)), set()
            while (thunk := self.number("<Q", entry)) != 0:
                functions.add(f"#{thunk & 0xFFFF}" if thunk >> 63 else self.text((thunk & 0x7FFFFFFF) + 2))
                entry += 8
            out[self.text(name)] = functions
            at += 20
        return out

    def relocations(self) -> int:
        rva, size = self.directory(5)
        if rva == 0:
            return 0
        at, end, n = self.offset(rva), self.offset(rva) + size, 0
        while at < end:
            block = self.number("<I", at + 4)
            n += sum(self.number("<H", at + k) >> 12 == 10 for k in range(8, block, 2))
            at += block
        return n

    def resource(self, *path: int | None) -> bytes:
        """The bytes of a resource by type, name and language; None: the first one."""
        top = self.offset(self.directory(2)[0])
        at = top
        for wanted in path:
            entries = [struct.unpack_from("<II", self.data, at + 16 + 8 * i) for i in range(sum(struct.unpack_from("<HH", self.data, at + 12)))]
            found = [child for name, child in entries if wanted in (None, name)]
            assert found, f"no resource {path}"
            at = top + (found[0] & 0x7FFFFFFF)
        rva, size = struct.unpack_from("<II", self.data, at)
        return self.data[self.offset(rva):self.offset(rva) + size]


@SHIPPED
def test_it_looks_for_nothing_where_it_was_built(program: Path) -> None:
    """OpenSSL has the places of its files in it: a folder that anybody may make on drive C would be one to plant them in."""
    data = program.read_bytes()
    assert re.search(rb"x86_64-w64-mingw32-[0-9a-f]{16}", data) is None, "the folder of the libraries"
    assert os.fsencode(ROOT) + b"/" not in data and b"/.cache/" not in data
    assert set(re.findall(rb"[^\0]*/cert\.pem", data)) == {b"C:/Program Files/Surefoot/ssl/cert.pem"}


@SHIPPED
def test_all_that_is_imported_is_of_windows_and_known_to_it(program: Path) -> None:
    imports = Image(program).imports()
    assert set(imports) <= IMPORTS, set(imports) - IMPORTS
    assert len(imports["KERNEL32.dll"]) > 50, "the table was read"
    assert Image(program).directory(13) == (0, 0), "what is loaded late is no import of another kind"


def test_the_list_of_imports_can_fail() -> None:
    assert {"bcrypt.dll", "CRYPT32.dll"} <= set(Image(LOADER).imports()) - IMPORTS


@SHIPPED
def test_it_can_lie_anywhere_in_memory_and_its_data_is_not_run(program: Path) -> None:
    image = Image(program)
    assert image.dll_characteristics & 0x20, "HIGH_ENTROPY_VA"
    assert image.dll_characteristics & 0x40, "DYNAMIC_BASE"
    assert image.dll_characteristics & 0x100, "NX_COMPAT"
    assert not image.characteristics & 1, "relocations are not stripped"
    assert image.characteristics & 0x20, "aware of addresses beyond 2 GiB"
    assert image.relocations() > 1000
    for i, (name, *_) in enumerate(image.sections):
        flags = image.number("<I", image.optional + 240 + 40 * i + 36)
        assert not (flags & 0x20000000 and flags & 0x80000000), f"{name!r} is code that can be written"


@SHIPPED
def test_the_manifest(program: Path) -> None:
    tree = ET.fromstring(Image(program).resource(24, 1, None))
    said = {element.tag.split("}")[1]: element for element in tree.iter()}
    assert said["longPathAware"].text == "true" and said["activeCodePage"].text == "UTF-8"
    assert said["requestedExecutionLevel"].attrib == {"level": "asInvoker", "uiAccess": "false"}
    assert said["supportedOS"].attrib["Id"] == "{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}", "Windows 10"
    assert said["assemblyIdentity"].attrib["version"] == version_of(program) + ".0"


@SHIPPED
def test_its_properties_show_the_version_that_it_says(program: Path) -> None:
    raw = Image(program).resource(16, 1, None)
    at = raw.index(struct.pack("<I", 0xFEEF04BD))
    high, low = struct.unpack_from("<II", raw, at + 8)
    version = version_of(program)
    assert [high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF] == [*map(int, version.split(".")), 0]
    text = raw.decode("utf-16-le", "replace")
    for name, value in (("ProductVersion", version), ("FileVersion", version), ("OriginalFilename", program.name), ("InternalName", program.stem)):
        assert re.search(f"{name}\0+{re.escape(value)}\0", text), name


def test_the_event_log_can_show_its_events() -> None:
    raw = Image(SUREFOOT).resource(11, 1, None)
    n, low, high, at = struct.unpack_from("<IIII", raw)
    assert (n, low, high) == (1, 300, 399)
    for _ in range(low, high + 1):
        length, is_wide = struct.unpack_from("<HH", raw, at)
        assert is_wide == 1 and raw[at + 4:at + length].decode("utf-16-le").rstrip("\0") == "%1\r\n"
        at += length
    assert not raw[at:].strip(b"\0")


@SHIPPED
def test_no_folder_of_the_machine_that_built_it_is_named(program: Path) -> None:
    """Of this project's own: the libraries are built elsewhere, and OpenSSL names the folder that it was built for."""
    data = program.read_bytes()
    for folder in {str(BUILD), str(ROOT), str(BUILD).replace("/", "\\"), str(ROOT).replace("/", "\\")}:
        assert folder.encode() not in data and folder.encode("utf-16-le") not in data, folder


# -- a program that runs ------------------------------------------------------------------------------------------------------


def run(*words: object, folder: Path | None = None, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit code, and all that it says, through a file: what wine starts would keep a pipe open."""
    with tempfile.TemporaryFile() as said:
        done = subprocess.run([*WRAPPER, *map(str, words)], cwd=folder, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=said,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        said.seek(0)
        return done.returncode, said.read().decode("utf-8", "replace")


def version_of(program: Path) -> str:
    code, text = run(program, "--version")
    assert code == 0 and text.startswith(program.stem + " "), text
    return text.split()[1]


def libraries() -> list[str]:
    """All that the programs import or load by name, here and in their libraries, what those load in turn on Windows, and what is planted most."""
    out = {name.lower() for program in (SUREFOOT, PUBLISH) for name in Image(program).imports()}
    for source in [*(ROOT / "platform").rglob("*.c"), *(ROOT / "platform/win32/late").glob("*.def")]:
        out |= {name.lower() for name in re.findall(r'L?"([a-z0-9_]+\.dll)"|^LIBRARY (\S+)', source.read_text(), re.I | re.M) for name in name if name}
    out |= {match.decode().lower() for match in re.findall(rb"[A-Za-z0-9_]{3,20}\.(?:dll|DLL)(?=\0)", SUREFOOT.read_bytes())}
    out |= {"version.dll", "wintrust.dll", "msi.dll", "odbc32.dll", "cryptbase.dll", "crypt32.dll", "bcrypt.dll", "bcryptprimitives.dll", "cryptsp.dll",
            "rsaenh.dll", "profapi.dll", "userenv.dll", "secur32.dll", "sspicli.dll", "iphlpapi.dll", "winhttp.dll", "netapi32.dll", "rstrtmgr.dll",
            "taskschd.dll", "dbghelp.dll", "uxtheme.dll", "dwmapi.dll", "propsys.dll", "msasn1.dll", "imagehlp.dll", "cryptnet.dll", "mswsock.dll",
            "dnsapi.dll", "ntmarta.dll", "wldp.dll", "apphelp.dll", "ncrypt.dll", "gpapi.dll"}
    return sorted(out - known_to_windows())


def known_to_windows() -> set[str]:
    """What the programs import and what that imports in turn. On Windows all of it comes from System32 whatever lies elsewhere; wine, which
    has no KnownDLLs, would take what is planted, and so it is not planted. That there are no other imports is a test of its own."""
    todo, seen = [name.lower() for name in IMPORTS], set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            file = SYSTEM32 / name
            todo += [other.lower() for other in Image(file).imports()] if file.exists() else []
    return seen


class Trap:
    """A folder beside which, in which, and along whose PATH there are libraries that tell when they are loaded."""

    def __init__(self, folder: Path) -> None:
        self.beside, self.current, self.path, self.told = (folder / name for name in ("beside", "current", "path", "told"))
        for place in (self.beside, self.current, self.path, self.told):
            place.mkdir()
        for file in (place / name for place in (self.beside, self.current, self.path) for name in libraries()):
            shutil.copy(PLANTED, file)                   # no links: a file that is loaded under one name is not loaded again
        self.env = {"SUREFOOT_PLANTED": windows(self.told), "WINEPATH": windows(self.path), "WINEDLLOVERRIDES": self.overrides()}

    @staticmethod
    def overrides() -> str:
        """Wine takes its own library of a name that is planted, unless it is told of each name to heed the file (n: as Windows does)."""
        names = ",".join(form + name.removesuffix(".dll") for name in libraries() for form in ("", "*"))
        return f"mscoree=;mshtml=;winemenubuilder.exe=d;{names}=n,b"

    def put(self, program: Path) -> Path:
        return Path(shutil.copy(program, self.beside))

    def loaded(self) -> set[str]:
        names = {file.name.lower() for file in self.told.iterdir()}
        for file in self.told.iterdir():
            file.unlink()
        return names


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


DYNAMIC = ["wintrust.dll", "msi.dll", "odbc32.dll", "cryptbase.dll", "winhttp.dll", "rstrtmgr.dll"]
LATE = ["bcrypt.dll", "crypt32.dll"]


@pytest.mark.parametrize("where", ["beside", "current", "path"])
def test_the_trap_catches_a_program_that_takes_no_care(trap: Trap, where: str) -> None:
    """A control: what it loads by name it finds beside it, and what System32 lacks in the current folder and in the PATH too."""
    loader, places = trap.put(LOADER), ["beside", "current", "path"]
    for place in (getattr(trap, name) for name in places[:places.index(where)]):
        for file in place.glob("*.dll"):
            file.unlink()
    for name in LATE:
        (trap.beside / name).unlink(missing_ok=True)
    names = DYNAMIC if where == "beside" else [name for name in DYNAMIC if not (SYSTEM32 / name).exists()]
    code, text = run(loader, *names, folder=trap.current, env=trap.env)
    assert names and code == 0 and set(names) <= trap.loaded(), text


def test_the_trap_catches_a_program_by_its_imports(trap: Trap) -> None:
    """Why our own two are loaded late: among a program's imports they are looked for beside it."""
    run(trap.put(LOADER), folder=trap.current, env=trap.env)
    assert set(LATE) & trap.loaded()


def test_a_library_beside_the_program_in_the_current_folder_or_in_the_path_is_not_loaded(trap: Trap, tmp_path: Path) -> None:
    surefoot, publish = trap.put(SUREFOOT), trap.put(PUBLISH)
    shelf = Shelf(tmp_path / "path")                     # the trap's own folder will do
    product = product_file(tmp_path, port=1)
    for code, words in ((0, (surefoot, "--version")), (0, (publish, "--version")), (0, (surefoot, *wine_words(shelf), windows(shelf.good))),
                        (None, (surefoot, "check", windows(product))), (None, (surefoot, "doctor", windows(product))),
                        (None, (surefoot, "status", windows(product))),
                        (0, (publish, "keygen", "--out", windows(tmp_path / "made"), "--no-passphrase"))):
        got, text = run(*words, folder=trap.current, env=trap.env)
        assert code in (None, got), (words, got, text)
        assert got < 20, (words, got, text)
        assert trap.loaded() == set(), (words, text)
        if words[1] == "verify":
            assert "WitnessChain" in text, "wintrust.dll was loaded, and was the system's"


# -- what it says and heeds ------------------------------------------------------------------------------------------------------------


def wine_words(shelf: Shelf) -> list[str]:
    """verify, with what accepts shelf.good."""
    return ["verify", "--at", AT, *shelf.trust]


def product_file(folder: Path, port: int) -> Path:
    from tests.kit import minisign
    (folder / "maker.pub").write_bytes(minisign.Key().public_file())
    pk.write_pem(folder / "ca.pem", pk.pki().root)
    file = folder / "orchard.xml"
    file.write_text(f"""<?xml version="1.0" encoding="UTF-8"?>
<product xmlns="urn:surefoot:product:1" name="orchard" event-source="Orchard Upgrade">
  <install kind="msi" os="windows" upgrade-code="{{7B3E64B1-5E2C-4D0A-9A41-0C7C5A1D2E00}}" folder="C:\\Program Files\\Orchard"/>
  <fetch ca="ca.pem"><feed url="https://localhost:{port}/feed.xml"/><proxy use="system"/></fetch>
  <folders state="state" cache="cache"/>
  <trust><feed><minisign><key file="maker.pub"/></minisign></feed><payload><minisign><key file="maker.pub"/></minisign></payload></trust>
  <services><service name="orchard" stop-timeout="PT10S" start-timeout="PT10S"/></services>
  <health within="PT10S" stays-up="PT1S"/>
</product>
""")
    return file


def test_what_it_prints_is_utf8(tmp_path: Path) -> None:
    file = tmp_path / "Obstgärtnerei 果樹園.exe"
    file.write_bytes(pe.signed())
    code, text = run(SUREFOOT, *wine_words(Shelf(tmp_path)), windows(file))
    assert code == 0 and "Obstgärtnerei 果樹園.exe" in text


def hostile(tmp_path: Path, port: int) -> dict[str, str]:
    """All that our libraries are known to read of an environment, each to do harm."""
    conf = tmp_path / "openssl.cnf"                      # our OpenSSL can load no code at all; that no algorithm fits is what is left
    conf.write_text("openssl_conf = all\n[all]\nalg_section = algorithms\n[algorithms]\ndefault_properties = planted=yes\n")
    folder, proxy = windows(tmp_path), f"http://127.0.0.1:{port}"
    return {"OPENSSL_CONF": windows(conf), "OPENSSL_CONF_INCLUDE": folder, "OPENSSL_ENGINES": folder, "OPENSSL_MODULES": folder,
            "SSL_CERT_FILE": windows(conf), "SSL_CERT_DIR": folder, "SSLKEYLOGFILE": windows(tmp_path / "told/keys"), "CURL_CA_BUNDLE": windows(conf),
            "CURL_HOME": folder, "NETRC": windows(conf), "HOME": folder, "HTTP_PROXY": proxy, "http_proxy": proxy, "HTTPS_PROXY": proxy,
            "ALL_PROXY": proxy, "NO_PROXY": "", "XML_CATALOG_FILES": windows(conf), "SGML_CATALOG_FILES": windows(conf)}


def test_the_hostile_configuration_spoils_a_program_that_reads_it(tmp_path: Path) -> None:
    """A control."""
    config = BUILD / "tests/tools/win_config.exe"
    assert (run(config)[0], run(config, env=hostile(tmp_path, 1))[0]) == (0, 1)


def test_no_variable_of_an_administrators_environment_changes_what_it_does(tmp_path: Path) -> None:
    (tmp_path / "told").mkdir()
    shelf = Shelf(tmp_path)
    with socket.socket() as listener, socket.socket() as closed:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.1)
        closed.bind(("127.0.0.1", 0))                    # nobody listens there
        env, product = hostile(tmp_path, listener.getsockname()[1]), product_file(tmp_path, port=closed.getsockname()[1])
        for words in (["--version"], [*wine_words(shelf), windows(shelf.good)], [*wine_words(shelf), windows(shelf.flipped)],
                      ["check", windows(product)]):
            plain, harmed = run(SUREFOOT, *words), run(SUREFOOT, *words, env=env)
            assert plain == harmed, words
            assert not list((tmp_path / "told").iterdir()), words
        with pytest.raises(TimeoutError):
            listener.accept()
