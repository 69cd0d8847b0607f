"""surefoot-publish keygen and sign, with the programs that others use: what we make, minisign and openssl accept; what they make, we
accept; and what does not fit is refused with its message and nothing written."""

from __future__ import annotations

import datetime
import fcntl
import os
import pty
import resource
import select
import signal
import stat
import subprocess
import termios
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from publish_kit import PUBLISH, SUREFOOT, line_of, lines_of, pytestmark  # noqa: F401  (the mark: not built for Windows)

TOKEN_LIBRARY = next(iter(Path("/usr/lib").rglob("libsofthsm2.so")), Path("/usr/lib/softhsm/libsofthsm2.so"))

PASSPHRASE = "correct horse"
CONTENT = b"the bytes of a release\n"


def run(*words: object, give: str | bytes | None = None, at: Path | None = None, limit_s: float = 120, **more: Any) -> subprocess.CompletedProcess:
    give = give.encode() if isinstance(give, str) else give
    place = {"stdin": subprocess.DEVNULL} if give is None else {"input": give}
    done = subprocess.run([str(w) for w in words], cwd=at, capture_output=True, timeout=limit_s, check=False, **place, **more)
    assert done.returncode >= 0, f"ended by signal {-done.returncode}: {done.stderr!r}"
    return done


def publish(*words: object, **more: Any) -> subprocess.CompletedProcess:
    """A session of its own: there is no terminal to ask on."""
    done = run(PUBLISH, *words, start_new_session=True, **more)
    assert b"Sanitizer" not in done.stderr, done.stderr
    return done


def must(done: subprocess.CompletedProcess) -> subprocess.CompletedProcess:
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done


def refused(done: subprocess.CompletedProcess, code: int, *says: str) -> None:
    told = done.stderr.decode()
    assert done.returncode == code, (done.returncode, told)
    for word in says:
        assert word in told, told


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def verify(file: Path, *options: object) -> int:
    return run(SUREFOOT, "verify", "-q", *options, file).returncode


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "f").write_bytes(CONTENT)
    return tmp_path


# -- certificates ---------------------------------------------------------------------------------------------------------------------

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def make(name: str, key: Any, issuer: tuple[x509.Certificate, Any] | None, authority: bool = False, eku: Any = (ExtendedKeyUsageOID.CODE_SIGNING,),
         start: datetime.datetime = NOW - DAY, end: datetime.datetime = NOW + 30 * DAY) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Maker"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by, by_key = (subject, key) if issuer is None else (issuer[0].subject, issuer[1])
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(by).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
               .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
               .add_extension(x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False), critical=True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))
    if not authority and eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage(eku), critical=False)
    return builder.sign(by_key, hashes.SHA256())


def write_key(path: Path, key: Any, passphrase: str | None = None) -> None:
    cipher = serialization.NoEncryption() if passphrase is None else serialization.BestAvailableEncryption(passphrase.encode())
    path.touch(0o600)
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher))


def write_certs(path: Path, *certs: x509.Certificate) -> None:
    path.write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certs))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates and keys: root.pem; for each NAME of ec, rsa, ...: NAME.pem with its chain, NAME.key."""
    folder = tmp_path_factory.mktemp("people")
    root_key, middle_key = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())
    root = make("Root", root_key, None, authority=True)
    middle = make("Middle", middle_key, (root, root_key), authority=True)
    write_certs(folder / "root.pem", root)
    write_certs(folder / "middle.pem", middle)
    for name, key, more in [
        ("ec", ec.generate_private_key(ec.SECP256R1()), {}),
        ("rsa", rsa.generate_private_key(65537, 3072), {}),
        ("no-eku", ec.generate_private_key(ec.SECP256R1()), {"eku": ()}),
        ("server", ec.generate_private_key(ec.SECP256R1()), {"eku": (ExtendedKeyUsageOID.SERVER_AUTH,)}),
        ("expired", ec.generate_private_key(ec.SECP256R1()), {"start": NOW - 20 * DAY, "end": NOW - DAY}),
        ("future", ec.generate_private_key(ec.SECP256R1()), {"start": NOW + DAY}),
        ("weak", rsa.generate_private_key(65537, 1024), {}),
        ("edwards", ed25519.Ed25519PrivateKey.generate(), {}),
    ]:
        write_certs(folder / f"{name}.pem", make(name, key, (middle, middle_key), **more), middle, root)
        write_key(folder / f"{name}.key", key)
        write_key(folder / f"{name}.sealed", key, PASSPHRASE)
    return folder


def sign_pem(people: Path, name: str, file: Path, *options: object, key: str | None = None, **more: Any) -> subprocess.CompletedProcess:
    return publish("sign", "--cert", people / f"{name}.pem", "--cert-key", people / (key or f"{name}.key"), *options, file, **more)


def openssl_accepts(people: Path, file: Path) -> None:
    """`-purpose any`: openssl's own default is S/MIME."""
    must(run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{file}.p7s", "-content", file, "-CAfile", people / "root.pem",
             "-purpose", "any", "-out", os.devnull))


def openssl_refuses_others(people: Path, file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(file.read_bytes() + b"!")
    done = run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{file}.p7s", "-content", other, "-CAfile", people / "root.pem",
               "-purpose", "any", "-out", os.devnull)
    assert done.returncode != 0


# -- the program ----------------------------------------------------------------------------------------------------------------------

def test_the_program_explains_itself() -> None:
    assert must(publish("--version")).stdout.decode().startswith("surefoot-publish ")
    usage = must(publish("--help")).stdout.decode()
    assert usage == must(publish("help")).stdout.decode()
    for command in ("keygen", "sign"):
        assert command in usage
        assert must(publish(command, "--help")).stdout == must(publish("help", command)).stdout
    assert must(publish("help", "exit-codes")).stdout.decode().splitlines()[0].startswith(" 0  ")


@pytest.mark.parametrize("words, says", [
    ((), "usage:"), (("sing",), "there is no command sing"), (("help", "sing"), "there is no help on sing"),
    (("keygen",), "--out NAME is needed"), (("keygen", "--out", "x", "y"), "options only"), (("keygen", "--out", "x", "--force"), "unknown option --force"),
    (("keygen", "--out", "x", "--no-passphrase", "--passphrase-fd", "0"), "one of them, not both"),
    (("keygen", "--out", "x", "--no-passphrase", "--comment", "two\nlines"), "control characters"),
    (("keygen", "--out", "x", "--passphrase", "secret"), "unknown option --passphrase"),
    (("keygen", "--out", "x", "--no-passphrase", "--format", "xml"), "--format is text or json"),
    (("sign",), "no FILE"), (("sign", "f"), "no key"), (("sign", "--key", "k", "--out", "o", "f", "f"), "--out speaks of one file"),
    (("sign", "--cert", "c", "--cert-key", "k", "--comment", "x", "f"), "--comment is minisign's"),
    (("sign", "--key", "a", "--pkcs12", "b", "f"), "exclude each other"), (("sign", "--passphrase", "secret", "f"), "unknown option --passphrase"),
    (("sign", "--pkcs11", "pkcs11:token=x?pin-value=1", "--cert", "c", "f"), "PIN does not belong"),
])
def test_wrong_usage_is_told(desk: Path, words: tuple[str, ...], says: str) -> None:
    done = publish(*words, at=desk)
    refused(done, 2, says)
    assert words[0:1] not in (("keygen",), ("sign",)) or done.stderr.decode().endswith(f"\nSee: surefoot-publish {words[0]} --help\n")
    assert names(desk) == ["f"]


# -- keygen ---------------------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key pair under PASSPHRASE; scrypt takes seconds, so there is one."""
    folder = tmp_path_factory.mktemp("sealed")
    done = must(publish("keygen", "--out", "release", "--passphrase-fd", "0", "--format", "json", "--comment", "Orchard", at=folder, give=PASSPHRASE + "\n"))
    (folder / "said.json").write_bytes(done.stdout)
    return folder


def test_keygen_makes_a_secret_and_a_public_file(sealed: Path) -> None:
    said = line_of((sealed / "said.json").read_text())
    assert said["schema"] == "surefoot.keygen/1" and said["encrypted"] is True
    assert said["secret_file"] == "release.key" and said["public_file"] == "release.pub"
    comment, line = (sealed / "release.pub").read_text().splitlines()
    assert line == said["public_key"] and comment == f"untrusted comment: Orchard public key {said['key_id']}"
    assert stat.S_IMODE((sealed / "release.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((sealed / "release.pub").stat().st_mode) & 0o444 == 0o444
    assert names(sealed) == ["release.key", "release.pub", "said.json"]


def test_the_mode_of_a_secret_key_is_not_the_masks(desk: Path) -> None:
    must(publish("keygen", "--out", "k", "--no-passphrase", at=desk, umask=0))
    assert stat.S_IMODE((desk / "k.key").stat().st_mode) == 0o600


def test_keygen_says_that_a_key_is_open(desk: Path) -> None:
    said = line_of(must(publish("keygen", "--out", "k", "--no-passphrase", "--format", "json", at=desk)).stdout)
    assert said["encrypted"] is False and said["public_key"] == (desk / "k.pub").read_text().splitlines()[1]


def test_keygen_says_what_comes_next(desk: Path) -> None:
    said = must(publish("keygen", "--out", "k", "--no-passphrase", at=desk)).stdout.decode()
    line = (desk / "k.pub").read_text().splitlines()[1]
    for word in (line, "key id", "not encrypted", "offline", "k.pub"):
        assert word in said
    assert must(publish("keygen", "--out", "q", "--no-passphrase", "-q", at=desk)).stdout == b""


@pytest.mark.parametrize("there", ["k.key", "k.pub"])
def test_keygen_replaces_nothing(desk: Path, there: str) -> None:
    (desk / there).write_text("precious")
    refused(publish("keygen", "--out", "k", "--no-passphrase", at=desk), 1, f"{there}: is there already")
    assert names(desk) == ["f", there] and (desk / there).read_text() == "precious"


@pytest.mark.parametrize("there", ["k.key", "k.pub"])
def test_keygen_follows_no_link(desk: Path, there: str) -> None:
    (desk / there).symlink_to("elsewhere")
    refused(publish("keygen", "--out", "k", "--no-passphrase", at=desk), 1, "is there already")
    assert names(desk) == ["f", there]


def test_keygen_wants_a_folder_and_a_passphrase(desk: Path) -> None:
    refused(publish("keygen", "--out", "no/k", "--no-passphrase", at=desk), 1, "no/k.key", "folder")
    refused(publish("keygen", "--out", "k", at=desk), 2, "no terminal")
    refused(publish("keygen", "--out", "k", "--passphrase-fd", "0", at=desk, give="\n"), 2, "--no-passphrase")
    refused(publish("keygen", "--out", "k", "--passphrase-fd", "0", at=desk, give="one\ntwo\n"), 2, "more than one line")
    refused(publish("keygen", "--out", "k", "--passphrase-fd", "0", at=desk, give="x" * 2000), 2, "more than")
    refused(publish("keygen", "--out", "k", "--passphrase-fd", "77", at=desk), 2, "descriptor 77")
    refused(publish("keygen", "--out", "k", "--passphrase-file", "nowhere", at=desk), 2, "--passphrase-file nowhere")
    assert names(desk) == ["f"]


def test_a_device_that_is_full_leaves_no_key(desk: Path) -> None:
    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    refused(publish("keygen", "--out", "k", "--no-passphrase", at=desk, preexec_fn=full), 1, "k.key", "cannot write")
    assert names(desk) == ["f"]


# -- minisign -------------------------------------------------------------------------------------------------------------------------

def test_minisign_accepts_ours_and_signs_with_our_key(sealed: Path, desk: Path) -> None:
    key, pub, file = sealed / "release.key", sealed / "release.pub", desk / "f"
    must(publish("sign", "--key", key, "--passphrase-fd", "0", file, give=PASSPHRASE))
    done = must(run("minisign", "-V", "-p", pub, "-m", file))
    assert b"\tfile:f\thashed" in done.stdout
    assert verify(file, "--key", pub) == 0
    (desk / "f.minisig").unlink()
    must(run("minisign", "-S", "-s", key, "-m", file, give=PASSPHRASE + "\n"))
    assert verify(file, "--key", pub) == 0
    file.write_bytes(CONTENT + b"!")
    assert verify(file, "--key", pub) == 3


def test_a_wrong_passphrase_signs_nothing(sealed: Path, desk: Path) -> None:
    secret = desk / "pass"
    secret.write_text("wrong")
    secret.chmod(0o640)
    done = publish("sign", "--key", sealed / "release.key", "--passphrase-file", secret, desk / "f")
    refused(done, 1, "wrong passphrase for this secret key", "warning", "others may read this passphrase")
    refused(publish("sign", "--key", sealed / "release.key", desk / "f"), 2, "no terminal to ask on")
    assert names(desk) == ["f", "pass"]


def test_keys_of_minisign_sign(desk: Path) -> None:
    must(run("minisign", "-G", "-p", desk / "m.pub", "-s", desk / "m.key", give=f"{PASSPHRASE}\n{PASSPHRASE}\n"))
    must(publish("sign", "--key", desk / "m.key", "--passphrase-fd", "0", "--comment", "version 7", desk / "f", give=PASSPHRASE))
    assert b"version 7" in must(run("minisign", "-V", "-p", desk / "m.pub", "-m", desk / "f")).stdout
    assert verify(desk / "f", "--key", desk / "m.pub") == 0


def test_open_keys_of_both_sign(desk: Path) -> None:
    must(run("minisign", "-G", "-W", "-p", desk / "m.pub", "-s", desk / "m.key"))
    must(publish("keygen", "--out", "k", "--no-passphrase", at=desk))
    must(publish("sign", "--key", desk / "m.key", desk / "f"))
    must(run("minisign", "-V", "-p", desk / "m.pub", "-m", desk / "f"))
    must(run("minisign", "-S", "-W", "-s", desk / "k.key", "-m", desk / "f"))
    must(run("minisign", "-V", "-p", desk / "k.pub", "-m", desk / "f"))
    assert verify(desk / "f", "--key", desk / "k.pub") == 0
    assert verify(desk / "f", "--key", desk / "m.pub") == 3


def test_minisign_makes_our_public_key_anew(desk: Path) -> None:
    must(publish("keygen", "--out", "k", "--no-passphrase", at=desk))
    must(run("minisign", "-R", "-s", desk / "k.key", "-p", desk / "again.pub"))
    assert (desk / "again.pub").read_text().splitlines()[1] == (desk / "k.pub").read_text().splitlines()[1]


@pytest.mark.parametrize("change, says", [
    (lambda text: text[:150], "secret key"), (lambda text: text[:-9] + "\n", "secret key"), (lambda text: "", "no minisign secret key"),
    (lambda text: text + "more\n", "follow the second line"), (lambda text: text.split("\n", 1)[1], "no minisign secret key"),
])
def test_damaged_keys_are_refused(desk: Path, change: Any, says: str) -> None:
    must(publish("keygen", "--out", "k", "--no-passphrase", at=desk))
    key = desk / "k.key"
    key.write_text(change(key.read_text()))
    refused(publish("sign", "--key", key, desk / "f"), 2, "k.key", says)
    assert "f.minisig" not in names(desk)


def test_keys_of_another_kind_are_refused(desk: Path, people: Path) -> None:
    must(publish("keygen", "--out", "k", "--no-passphrase", at=desk))
    refused(publish("sign", "--key", desk / "k.pub", desk / "f"), 2, "this is a minisign public key")
    refused(publish("sign", "--key", people / "ec.key", desk / "f"), 2, "is no minisign secret key")
    refused(sign_pem(people, "ec", desk / "f", key=str(desk / "k.key")), 2, "no private key")
    assert names(desk) == ["f", "k.key", "k.pub"]


# -- the signature's file -------------------------------------------------------------------------------------------------------------

@pytest.fixture
def open_key(desk: Path) -> Path:
    must(publish("keygen", "--out", "k", "--no-passphrase", at=desk))
    return desk / "k.key"


def test_an_older_signature_is_replaced(desk: Path, open_key: Path) -> None:
    must(publish("sign", "--key", open_key, "--comment", "one", desk / "f"))
    before = (desk / "f.minisig").read_bytes()
    must(publish("sign", "--key", open_key, "--comment", "two", desk / "f"))
    assert (desk / "f.minisig").read_bytes() != before and verify(desk / "f", "--key", desk / "k.pub") == 0
    assert names(desk) == ["f", "f.minisig", "k.key", "k.pub"]


def test_an_older_signature_stays_where_a_new_one_fails(desk: Path, open_key: Path) -> None:
    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    must(publish("sign", "--key", open_key, desk / "f"))
    before = (desk / "f.minisig").read_bytes()
    refused(publish("sign", "--key", open_key, "--comment", "two", desk / "f", preexec_fn=full), 1, "f.minisig", "cannot write")
    assert (desk / "f.minisig").read_bytes() == before and names(desk) == ["f", "f.minisig", "k.key", "k.pub"]


@pytest.mark.parametrize("target", ["f", "k.key", "k.pub", "notes"])
def test_what_is_no_signature_is_not_replaced(desk: Path, open_key: Path, target: str) -> None:
    (desk / "notes").write_text("precious")
    before = (desk / target).read_bytes()
    refused(publish("sign", "--key", open_key, "--out", desk / target, desk / "f"), 1, "is no signature, so it is not replaced")
    assert (desk / target).read_bytes() == before


def test_links_folders_and_devices_are_not_replaced(desk: Path, open_key: Path) -> None:
    must(publish("sign", "--key", open_key, "--out", desk / "old", desk / "f"))
    (desk / "link").symlink_to("old")
    (desk / "folder").mkdir()
    before = (desk / "old").read_bytes()
    refused(publish("sign", "--key", open_key, "--out", desk / "link", desk / "f"), 2, "is no regular file")
    refused(publish("sign", "--key", open_key, "--out", desk / "folder", desk / "f"), 2, "is a folder")
    refused(publish("sign", "--key", open_key, "--out", "/dev/full", desk / "f"), 2, "is no regular file")
    assert (desk / "link").is_symlink() and (desk / "old").read_bytes() == before and Path("/dev/full").is_char_device()


def test_files_that_cannot_be_signed_do_not_stop_the_others(desk: Path, open_key: Path) -> None:
    (desk / "g").write_bytes(b"")
    done = publish("sign", "--key", open_key, "--format", "json", desk / "f", desk / "nowhere", desk, desk / "g")
    refused(done, 1, "nowhere: cannot open", "is a folder")
    lines = lines_of(done.stdout)
    assert [line["result"] for line in lines] == ["signed", "failed", "failed", "signed"]
    assert all(line["schema"] == "surefoot.sign/1" and line["kind"] == "minisign" for line in lines)
    assert lines[0]["signature"] == f"{desk / 'f'}.minisig" and lines[1]["signature"] is None and "cannot open" in lines[1]["detail"]
    assert verify(desk / "f", "--key", desk / "k.pub") == 0 and verify(desk / "g", "--key", desk / "k.pub") == 0


def test_names_do_not_write_to_the_terminal_nor_break_a_comment(desk: Path, open_key: Path) -> None:
    file = desk / "a\x1b[31m\nb"
    file.write_bytes(CONTENT)
    done = must(publish("sign", "--key", open_key, file, "-v"))
    assert b"\x1b" not in done.stdout + done.stderr
    assert len(Path(f"{file}.minisig").read_text().splitlines()) == 4
    assert verify(file, "--key", desk / "k.pub") == 0


@pytest.mark.parametrize("system", ["minisign", "cms"])
def test_files_larger_than_memory_are_signed(desk: Path, open_key: Path, people: Path, system: str) -> None:
    def small() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (100 << 20, 100 << 20))
    with open(desk / "large", "wb") as large:
        large.truncate(300 << 20)
    if system == "minisign":
        must(publish("sign", "--key", open_key, desk / "large", preexec_fn=small))
        assert verify(desk / "large", "--key", desk / "k.pub") == 0
    else:
        must(sign_pem(people, "ec", desk / "large", preexec_fn=small))
        assert verify(desk / "large", "--anchors", people / "root.pem") == 0


# -- CMS ------------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["ec", "rsa"])
def test_openssl_accepts_signatures_of_pem_keys(desk: Path, people: Path, name: str) -> None:
    done = must(sign_pem(people, name, desk / "f", "--format", "json"))
    said = line_of(done.stdout)
    assert said["kind"] == "cms" and f"CN={name}" in said["subject"] and said["not_after"].endswith("Z") and len(said["sha256"]) == 64
    openssl_accepts(people, desk / "f")
    openssl_refuses_others(people, desk / "f")
    assert verify(desk / "f", "--anchors", people / "root.pem", "--publisher", "Maker") == 0


def test_the_signature_holds_the_chain_but_not_the_root(desk: Path, people: Path) -> None:
    must(sign_pem(people, "ec", desk / "f"))
    shown = run("openssl", "pkcs7", "-inform", "DER", "-in", desk / "f.p7s", "-print_certs", "-noout").stdout.decode()
    assert shown.count("subject=") == 2 and "CN = Root" not in [line.split(", ")[-1] for line in shown.splitlines() if line.startswith("subject")]
    printed = run("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", desk / "f.p7s").stdout.decode()
    for attribute in ("contentType", "messageDigest", "signingTime", "id-smime-aa-signingCertificateV2"):
        assert printed.count(f"object: {attribute} ") == 1, attribute
    assert "S/MIME Capabilities" not in printed and "eContent: <ABSENT>" in printed


def test_sealed_pem_keys_sign(desk: Path, people: Path) -> None:
    must(sign_pem(people, "rsa", desk / "f", "--passphrase-fd", "0", key="rsa.sealed", give=PASSPHRASE))
    openssl_accepts(people, desk / "f")
    (desk / "f.p7s").unlink()
    refused(sign_pem(people, "rsa", desk / "f", "--passphrase-fd", "0", key="rsa.sealed", give="wrong"), 1, "wrong passphrase for this private key")
    refused(sign_pem(people, "rsa", desk / "f", key="rsa.sealed"), 2, "no terminal to ask on")
    assert names(desk) == ["f"]


@pytest.mark.parametrize("name", ["ec", "rsa"])
def test_pkcs12_signs(desk: Path, people: Path, name: str) -> None:
    must(run("openssl", "pkcs12", "-export", "-in", people / f"{name}.pem", "-inkey", people / f"{name}.key", "-out", desk / "x.p12",
             "-passout", f"pass:{PASSPHRASE}"))
    must(publish("sign", "--pkcs12", desk / "x.p12", "--passphrase-fd", "0", desk / "f", give=PASSPHRASE))
    openssl_accepts(people, desk / "f")
    assert verify(desk / "f", "--anchors", people / "root.pem") == 0
    (desk / "f.p7s").unlink()
    refused(publish("sign", "--pkcs12", desk / "x.p12", "--passphrase-fd", "0", desk / "f", give="wrong"), 1, "wrong passphrase for this PKCS#12 file")
    (desk / "x.p12").write_bytes((desk / "x.p12").read_bytes()[:500])
    refused(publish("sign", "--pkcs12", desk / "x.p12", "--passphrase-fd", "0", desk / "f", give=PASSPHRASE), 2, "is no PKCS#12 file")
    assert names(desk) == ["f", "x.p12"]


def test_what_openssl_signs_we_accept(desk: Path, people: Path) -> None:
    must(run("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-in", desk / "f", "-out", desk / "f.p7s", "-signer", people / "ec.pem",
             "-inkey", people / "ec.key", "-certfile", people / "middle.pem", "-md", "sha256"))
    assert verify(desk / "f", "--anchors", people / "root.pem") == 0


@pytest.mark.parametrize("name, code, says", [
    ("no-eku", 3, "NotCodeSigning"), ("server", 3, "NotCodeSigning"), ("expired", 3, "ChainExpired"), ("future", 3, "ChainExpired"),
    ("weak", 3, "WeakKey"), ("edwards", 1, "neither RSA nor of an elliptic curve"),
])
def test_certificates_that_the_client_refuses_do_not_sign(desk: Path, people: Path, name: str, code: int, says: str) -> None:
    refused(sign_pem(people, name, desk / "f"), code, f"{name}.pem", says)
    assert names(desk) == ["f"]


def test_a_key_of_another_certificate_does_not_sign(desk: Path, people: Path) -> None:
    refused(sign_pem(people, "ec", desk / "f", key="rsa.key"), 2, "the key is not that of the certificate CN=ec")
    refused(publish("sign", "--cert", people / "ec.key", "--cert-key", people / "ec.key", desk / "f"), 2, "there is no certificate in it")
    assert names(desk) == ["f"]


# -- tokens ---------------------------------------------------------------------------------------------------------------------------

PIN = "1234"


@pytest.fixture(scope="module")
def token(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which a token is plugged in that holds the keys of ec and rsa."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    env = {**os.environ, "SOFTHSM2_CONF": str(folder / "softhsm2.conf")}
    must(run("softhsm2-util", "--init-token", "--free", "--label", "makers", "--pin", PIN, "--so-pin", "5678", env=env))
    for number, name in enumerate(["ec", "rsa"], 1):
        must(run("softhsm2-util", "--import", people / f"{name}.key", "--token", "makers", "--label", name, "--id", f"0{number}", "--pin", PIN, env=env))
    yield env


def sign_token(people: Path, token: dict[str, str], name: str, file: Path, pin: str = PIN, label: str | None = None,
               module: Path = TOKEN_LIBRARY) -> subprocess.CompletedProcess:
    return publish("sign", "--pkcs11", f"pkcs11:token=makers;object={label or name}", "--cert", people / f"{name}.pem", "--pkcs11-module", module,
                   "--passphrase-fd", "0", file, give=pin, env=token)


@pytest.mark.parametrize("name", ["ec", "rsa"])
def test_tokens_sign(desk: Path, people: Path, token: dict[str, str], name: str) -> None:
    must(sign_token(people, token, name, desk / "f"))
    openssl_accepts(people, desk / "f")
    assert verify(desk / "f", "--anchors", people / "root.pem") == 0


def test_tokens_that_do_not_fit_are_told_apart(desk: Path, people: Path, token: dict[str, str]) -> None:
    refused(sign_token(people, token, "ec", desk / "f", pin="9999"), 1, "wrong PIN")
    refused(sign_token(people, token, "ec", desk / "f", label="nobody"), 2, "no private key is found there")
    refused(sign_token(people, token, "ec", desk / "f", label="rsa"), 2, "the key is not that of the certificate")
    refused(sign_token(people, token, "ec", desk / "f", module=Path("/nowhere.so")), 2, "no private key is found there")
    assert names(desk) == ["f"]


# -- the terminal ---------------------------------------------------------------------------------------------------------------------

class Terminal:
    """A program on a terminal of its own, which stays open when the program has ended."""

    def __init__(self, *words: object, at: Path) -> None:
        self.fd, self.far_end = pty.openpty()
        far_end = self.far_end
        self.program = subprocess.Popen([str(PUBLISH), *[str(w) for w in words]], cwd=at, stdin=far_end, stdout=far_end, stderr=far_end,
                                        start_new_session=True, preexec_fn=lambda: self.begin(far_end))
        self.shown = b""

    @staticmethod
    def begin(far_end: int) -> None:
        """In the new process: who started the tests may ignore signals, which a program inherits."""
        fcntl.ioctl(far_end, termios.TIOCSCTTY, 0)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGTSTP):
            signal.signal(number, signal.SIG_DFL)

    def look(self, limit_s: float) -> bool:
        is_there = bool(select.select([self.fd], [], [], limit_s)[0])
        if is_there:
            self.shown += os.read(self.fd, 4096)
        return is_there

    def wait_for(self, text: bytes, limit_s: float = 60) -> None:
        end = time.monotonic() + limit_s
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            self.look(0.2)

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.far_end)[3] & termios.ECHO)

    def end(self) -> int:
        """What it still shows, then its exit code. The terminal must show again what is typed."""
        code = self.program.wait(120)
        while self.look(0.1):
            pass
        assert self.echoes
        os.close(self.far_end)
        os.close(self.fd)
        return code


def test_a_passphrase_is_asked_for_on_the_terminal_and_not_shown(sealed: Path, desk: Path) -> None:
    terminal = Terminal("sign", "--key", sealed / "release.key", "f", at=desk)
    terminal.wait_for(b"Passphrase for ")
    assert not terminal.echoes
    terminal.type(PASSPHRASE.encode() + b"\n")
    assert terminal.end() == 0, terminal.shown
    assert PASSPHRASE.encode() not in terminal.shown
    assert verify(desk / "f", "--key", sealed / "release.pub") == 0


def test_a_new_passphrase_is_asked_for_twice(desk: Path) -> None:
    terminal = Terminal("keygen", "--out", "k", at=desk)
    terminal.wait_for(b"New passphrase for k.key: ")
    terminal.type(b"one\n")
    terminal.wait_for(b"The same again: ")
    terminal.type(b"other\n")
    assert terminal.end() == 2 and b"the two passphrases differ" in terminal.shown
    assert names(desk) == ["f"]


@pytest.mark.parametrize("typed, code", [(b"\n", 2), (b"\x04", 1)])
def test_nothing_typed_is_no_passphrase(desk: Path, typed: bytes, code: int) -> None:
    terminal = Terminal("keygen", "--out", "k", at=desk)
    terminal.wait_for(b"New passphrase")
    terminal.type(typed)
    assert terminal.end() == code, terminal.shown
    assert names(desk) == ["f"]


@pytest.mark.parametrize("how, by", [("typed", signal.SIGINT), ("sent", signal.SIGTERM), ("sent", signal.SIGHUP)])
def test_the_terminal_shows_again_what_is_typed_after_a_signal(desk: Path, how: str, by: signal.Signals) -> None:
    terminal = Terminal("keygen", "--out", "k", at=desk)
    terminal.wait_for(b"New passphrase")
    assert not terminal.echoes
    terminal.type(b"half a passphr")
    if how == "typed":
        terminal.type(b"\x03")
    else:
        terminal.program.send_signal(by)
    assert terminal.end() == -by
    assert b"half" not in terminal.shown and names(desk) == ["f"]


def test_a_program_that_was_told_to_stop_asks_again(desk: Path) -> None:
    """It is the leader of its session, so the system lets it go on at once."""
    terminal = Terminal("keygen", "--out", "k", at=desk)
    terminal.wait_for(b"New passphrase")
    terminal.shown = b""
    terminal.program.send_signal(signal.SIGTSTP)
    terminal.wait_for(b"New passphrase")
    assert not terminal.echoes
    terminal.type(b"\n")
    assert terminal.end() == 2
