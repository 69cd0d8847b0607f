"""The command line as users meet it: help, wrong usage, what must be trusted, exit codes, order, and signatures found beside a file."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, WITNESS, WRAPPER, read_line
from shelf import AT, CONTENT, SIGNER, Shelf, on_posix, ordinary_user, run

from tests.kit import detached, minisign, pe
from tests.kit import pki as pk
from tests.kit.case import codes


def lines_of(done: Any) -> list[dict[str, Any]]:
    return [read_line(line) for line in done.stdout.decode("utf-8").splitlines()]


def judged(shelf: Shelf, *words: Any, env: dict[str, str] | None = None) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and JSON lines under the ordinary trust."""
    done = run(*shelf.verify, "--format", "json", *words, env=env)
    return done.returncode, lines_of(done)


def refuses_usage(*words: Any, says: str) -> None:
    """Exit 2, nothing on standard output, one message with the text in it and where the help is."""
    done = run(*words)
    text = done.stderr.decode("utf-8")
    assert (done.returncode, done.stdout) == (2, b""), text
    assert says in text and text.startswith(f"surefoot {words[0]}: "), text
    assert text.endswith(f"See: surefoot {words[0]} --help\n") and text.count("\n") == 2, text


def refuses_file(*words: Any, says: str) -> None:
    """Exit 2 and one message: of a broken file the help says nothing."""
    done = run(*words)
    text = done.stderr.decode("utf-8")
    assert (done.returncode, done.stdout) == (2, b""), text
    assert says in text and text.startswith(f"surefoot {words[0]}: ") and text.count("\n") == 1 and "--help" not in text, text


# -- help ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ["--help", "-h", "help"])
def test_help_lists_the_commands(ask: str) -> None:
    done = run(ask)
    assert done.returncode == 0 and not done.stderr
    upgrades = ["check", "upgrade", "run", "install", "status", "enable", "disable", "rollback", "recover", "history", "doctor",
                "schedule", "prepare"]
    assert re.findall(r"^  ([a-z]+) ", done.stdout.decode(), re.M) == ["verify", "inspect", *upgrades, "help"]


@pytest.mark.parametrize("name", ["verify", "inspect"])
def test_each_command_has_help_in_both_ways(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.startswith(f"usage: surefoot {name} ".encode())
    assert run("help", name).stdout == run(name, "-h").stdout == done.stdout


def test_help_wins_over_what_is_missing_and_not_over_what_is_wrong() -> None:
    assert run("verify", "--help", "nothing.exe").returncode == 0
    assert run("verify", "--nonsense", "--help").returncode == 2


def test_exit_codes_are_one_table() -> None:
    done = run("help", "exit-codes")
    rows = [re.fullmatch(r" ?([0-9]+)  (\S.*)", line) for line in done.stdout.decode().splitlines()]
    assert done.returncode == 0 and [int(r[1]) for r in rows if r] == list(range(11)) and all(rows)


def test_the_version_is_the_same_everywhere() -> None:
    version = re.search(r"version: '([0-9.]+)'", (ROOT / "meson.build").read_text())[1]
    assert run("--version").stdout == run("-V").stdout == f"surefoot {version}\n".encode()
    assert f'#define SF_VERSION "{version}"' in (ROOT / "verify" / "surefoot.h").read_text()


# -- wrong usage -----------------------------------------------------------------------------------------------------------


def test_no_command_is_wrong_usage() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, b"") and done.stderr.startswith(b"usage: surefoot COMMAND")


@pytest.mark.parametrize("words, says", [
    (["verfy", "a.exe"], "there is no command verfy"),
    (["ver", "a.exe"], "there is no command ver"),
    (["--nonsense"], "there is no command --nonsense"),
    (["help", "nonsense"], "there is no help on nonsense"),
    (["e\x1b[31mvil\nx"], "there is no command e"),
])
def test_unknown_command(words: list[str], says: str) -> None:
    done = run(*words)
    text = done.stderr.decode("utf-8")
    assert (done.returncode, done.stdout) == (2, b"") and says in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text) and text.count("\n") <= 2


@pytest.mark.parametrize("name", ["verify", "inspect"])
@pytest.mark.parametrize("words, says", [
    (["--nonsense"], "unknown option --nonsense"),
    (["--form", "json"], "unknown option --form"),                  # abbreviations are not guessed
    (["--formatjson"], "unknown option --formatjson"),
    (["-x"], "unknown option -x"),
    (["-qv"], "unknown option -qv"),
    (["--quiet=yes"], "--quiet takes no value"),
    (["--format"], "--format wants "),
    (["--format="], "--format wants "),
    (["--format", "yaml"], "--format is text"),
    (["--format", "JSON"], "--format is text"),
    (["--\x1b]0;x\x07"], "unknown option --"),
    ([], "no FILE was named"),
])
def test_wrong_options(name: str, words: list[str], says: str) -> None:
    refuses_usage(name, *words, says=says)


@pytest.mark.parametrize("words, says", [
    (["--profile", "lax"], "--profile is strict or windows"),
    (["--at", "yesterday"], "--at wants a time"),
    (["--at", "2026-02-30T00:00:00Z"], "--at wants a time"),
    (["--at", "2026-06-01"], "--at wants a time"),
    (["--sha256", "abc"], "--sha256 wants 64 hex digits"),
    (["--sha256", "g" * 64], "--sha256 wants 64 hex digits"),
    (["--pin", "md5:" + "0" * 32], "a pin is sha256:HEX or spki-sha256:HEX"),
    (["--pin", "sha256:" + "0" * 63], "64 hex digits"),
    (["--eku", "nonsense"], "--eku wants"),
    (["--allow", "everything"], "--allow wants sha1"),
    (["--allow", "DigestMismatch"], "--allow wants sha1"),
    (["--allow", "sha1,rsa1024"], "--allow wants sha1"),
    (["--require", "gpg"], "authenticode, cms, minisign"),
    (["--require", "authenticode+"], "authenticode, cms, minisign"),
    (["--revocation", "maybe"], "--revocation is off, crl or online"),
    (["--publisher", "\udcff\udcfe"], "no UTF-8"),
])
def test_wrong_values(shelf: Shelf, words: list[str], says: str) -> None:
    if any("\udcff" in w for w in words) and (os.name != "posix" or WRAPPER):
        pytest.skip("arguments are UTF-16 there")
    refuses_usage(*shelf.verify, *(os.fsencode(w) for w in words), shelf.good, says=says)


@pytest.mark.parametrize("option", ["--catalog", "--policy", "--crl", "--key", "--anchors", "--timestamp-anchors"])
def test_a_file_that_is_not_there_is_wrong_usage(shelf: Shelf, tmp_path: Path, option: str) -> None:
    refuses_file(*shelf.verify, option, "absent.x", shelf.good, says=f"{option} absent.x: ")
    (tmp_path / "absent.x").write_bytes(b"nothing of the kind\n")
    refuses_file(*shelf.verify, option, tmp_path / "absent.x", shelf.good, says=f"surefoot verify: {option} ")


@pytest.mark.parametrize("option", ["--signature", "--sha256"])
def test_what_speaks_of_one_file_takes_one(shelf: Shelf, option: str) -> None:
    value = shelf.p7s if option == "--signature" else "0" * 64
    refuses_usage(*shelf.verify, option, value, shelf.signed, shelf.good, says=f"{option} speaks of one file, and 2 were named")


def test_options_may_stand_anywhere_and_end_at_two_dashes(shelf: Shelf) -> None:
    assert run("verify", shelf.good, "--at=" + AT, *shelf.trust).returncode == 0
    shutil.copy(shelf.good, shelf.folder / "--quiet")
    done = run(*shelf.verify, "--format=json", "--", "--quiet", cwd=shelf.folder)
    assert done.returncode == 0 and lines_of(done)[0]["file"] == "--quiet"


# -- what is trusted -------------------------------------------------------------------------------------------------------


@on_posix
def test_nothing_to_trust_is_wrong_usage_and_no_silent_pass(shelf: Shelf) -> None:
    if Path("/etc/surefoot/anchors.d").exists():
        pytest.skip("this machine has anchors of its own")
    refuses_usage("verify", shelf.good, says="nothing to trust")
    refuses_usage("verify", "--profile", "windows", shelf.good, says="nothing to trust")
    refuses_usage("verify", "--sha256", hashlib.sha256(shelf.good.read_bytes()).hexdigest(), shelf.good, says="nothing to trust")
    refuses_usage("verify", "--pin", "spki-sha256:" + "0" * 64, shelf.good, says="cannot end a chain")


def test_demands_of_two_systems_want_a_require(shelf: Shelf) -> None:
    refuses_usage(*shelf.verify, "--key", shelf.key, shelf.good, says="--require authenticode+minisign")
    refuses_usage(*shelf.verify, "--require", "minisign", shelf.good, says="--require minisign needs --key")
    if not WRAPPER:                                                 # Windows has anchors of its own
        refuses_usage("verify", "--key", shelf.key, "--require", "cms", shelf.good, says="--require authenticode or cms needs")


@pytest.mark.parametrize("data, says", [
    (b"", ""), (b"no certificate\n", ""), (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", ""), (b"\x30\x82", "")])
def test_broken_anchors_are_wrong_usage(shelf: Shelf, tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "broken.pem").write_bytes(data)
    refuses_file("verify", "--anchors", tmp_path / "broken.pem", shelf.good, says="--anchors ")
    refuses_file("verify", "--anchors", tmp_path, shelf.good, says="broken.pem")


def test_a_folder_of_anchors(shelf: Shelf, tmp_path: Path) -> None:
    refuses_file("verify", "--anchors", tmp_path, shelf.good, says="has no certificate")
    (tmp_path / "README").write_text("not a certificate, and not looked at\n")
    (tmp_path / "z.der").write_bytes(pk.pki().root.der)
    pk.write_pem(tmp_path / "a.crt", pk.pki().tsa_root)
    done = run("verify", "--format", "json", "--at", AT, "--anchors", tmp_path, "--publisher", pk.PUBLISHER, shelf.good)
    assert done.returncode == 0, done.stdout


def test_without_a_publisher_it_is_said_that_anybody_would_pass(shelf: Shelf) -> None:
    options = shelf.trust[:shelf.trust.index("--publisher")]
    done = run("verify", "--format", "json", "--at", AT, *options, shelf.good)
    assert done.returncode == 0 and codes(lines_of(done)[0], "findings") == ["NoPublisherDemanded", *WITNESS]
    assert b"NoPublisherDemanded: any holder" in run("verify", "--at", AT, *options, shelf.good).stdout


@on_posix
def test_anchors_by_default_are_those_of_the_configuration_folder(shelf: Shelf) -> None:
    with ordinary_user() as (folder, how):
        shutil.copy(shelf.good, folder)
        (folder / "surefoot" / "anchors.d").mkdir(parents=True)
        words = ["verify", "--at", AT, "--publisher", pk.PUBLISHER, folder / "good.exe"]
        assert run(*words, env={"XDG_CONFIG_HOME": str(folder)}, **how).returncode == 2
        pk.write_pem(folder / "surefoot" / "anchors.d" / "all.pem", pk.pki().root, pk.pki().tsa_root)
        assert run(*words, env={"XDG_CONFIG_HOME": str(folder)}, **how).returncode == 0
        (folder / "surefoot" / "anchors.d" / "bad.pem").write_text("no certificate")
        assert b"bad.pem" in run(*words, env={"XDG_CONFIG_HOME": str(folder)}, **how).stderr
        assert run(*words, env={"XDG_CONFIG_HOME": "surefoot"}, cwd=folder, **how).returncode == 2, "a relative folder is none"


@on_posix
def test_the_settings_of_the_cryptographic_library_have_no_say(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "openssl.cnf").write_text("openssl_conf = all\n[all]\nproviders = p\nalg_section = a\n[p]\nnull = n\n[n]\nactivate = 1\n"
                                          "[a]\ndefault_properties = fips=yes\n")
    env = {"OPENSSL_CONF": str(tmp_path / "openssl.cnf"), "SSL_CERT_FILE": str(shelf.root), "SSL_CERT_DIR": str(shelf.folder)}
    assert judged(shelf, shelf.good, shelf.signed, env=env) == judged(shelf, shelf.good, shelf.signed)
    stranger = shelf.put("stranger.exe", pe.signed(signer=pk.pki().stranger))
    assert judged(shelf, stranger, env={"SSL_CERT_FILE": str(pk.write_pem(tmp_path / "other.pem", pk.pki().other_root))})[0] == 3


# -- outcomes, order, exit codes -------------------------------------------------------------------------------------------

EXIT = {"good": 0, "signed": 0, "flipped": 3, "unsigned": 3, "plain": 8, "missing": 1}


@pytest.mark.parametrize("names, code", [
    (["good"], 0), (["good", "signed"], 0), (["flipped"], 3), (["unsigned"], 3), (["plain"], 8), (["missing"], 1),
    (["good", "plain"], 8), (["plain", "good"], 8), (["plain", "flipped", "good"], 3), (["unsigned", "plain"], 3),
    (["flipped", "missing", "good"], 1), (["missing", "plain"], 1), (["good", "good"], 0)])
def test_exit_code_and_order_of_several_files(shelf: Shelf, names: list[str], code: int) -> None:
    got, lines = judged(shelf, *(getattr(shelf, n) for n in names))
    assert got == code
    assert [Path(line["file"]).stem for line in lines] == names
    assert [{"accepted": 0, "refused": 3, "unsigned": 3, "unsupported": 8, "error": 1}[line["verdict"]] for line in lines] == [EXIT[n] for n in names]


def test_three_hundred_files_keep_their_order(shelf: Shelf, tmp_path: Path) -> None:
    kinds = [shelf.good, shelf.plain, shelf.unsigned]
    files = [tmp_path / f"{n:03}" for n in range(300)]
    for n, file in enumerate(files):
        shutil.copy(kinds[n % 3], file)
    code, lines = judged(shelf, *files)
    assert code == 3 and [Path(line["file"]).name for line in lines] == [f.name for f in files]
    assert {line["verdict"] for line in lines[::3]} == {"accepted"} and {line["verdict"] for line in lines[1::3]} == {"unsupported"}
    heads = re.findall(r"^\S*/(\d{3}): ", run(*shelf.verify, *files).stdout.decode(), re.M)
    assert heads == [f.name for f in files]
    assert b"300 files: 100 accepted 100 unsigned 100 unsupported\n" in run(*shelf.verify, *files).stdout


def error_line(shelf: Shelf, file: Path) -> dict[str, Any]:
    code, lines = judged(shelf, file)
    assert code == 1 and lines[0]["verdict"] == "error" and codes(lines[0], "reasons") == ["ReadError"], lines
    return lines[0]


def test_what_is_no_file_is_an_error_and_not_a_refusal(shelf: Shelf, tmp_path: Path) -> None:
    error_line(shelf, shelf.missing)
    assert "folder" in error_line(shelf, tmp_path)["reasons"][0]["detail"]
    done = run(*shelf.verify, shelf.missing)
    assert done.returncode == 1 and b"missing.exe: error" in done.stdout and b"ReadError: cannot open" in done.stdout


@on_posix
def test_pipes_and_devices_are_errors_and_hold_nobody_up(shelf: Shelf, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    error_line(shelf, tmp_path / "pipe")
    error_line(shelf, Path("/dev/null"))
    error_line(shelf, tmp_path / "pipe" / "below")


@on_posix
def test_an_unreadable_file_is_an_error(shelf: Shelf) -> None:
    with ordinary_user() as (folder, how):
        for file in (shelf.good, shelf.root):
            shutil.copy(file, folder)
        (folder / "good.exe").chmod(0)
        done = run("verify", "--format", "json", "--anchors", folder / "root.pem", folder / "good.exe", **how)
        assert done.returncode == 1 and "ermission" in lines_of(done)[0]["reasons"][0]["detail"]
        (folder / "root.pem").chmod(0)
        refused = run("verify", "--anchors", folder / "root.pem", folder / "good.exe", **how)
        assert refused.returncode == 2 and b"ermission" in refused.stderr


@on_posix
def test_an_unreadable_signature_beside_a_file_is_an_error(shelf: Shelf, tmp_path: Path) -> None:
    shutil.copy(shelf.good, tmp_path / "a.exe")
    (tmp_path / "a.exe.p7s").write_bytes(bytes(64 * 1024 * 1024 + 1))
    line = error_line(shelf, tmp_path / "a.exe")
    assert "a.exe.p7s" in line["reasons"][0]["detail"]


@on_posix
def test_a_link_to_a_file_is_the_file(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "link.exe").symlink_to(shelf.good)
    assert judged(shelf, tmp_path / "link.exe")[0] == 0
    (tmp_path / "loop").symlink_to("loop")
    error_line(shelf, tmp_path / "loop")


def test_an_empty_file_can_carry_no_signature(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "empty.exe").write_bytes(b"")
    code, lines = judged(shelf, tmp_path / "empty.exe")
    assert code == 8 and lines[0]["type"] == "other" and lines[0]["size"] == 0


def test_kinds_go_by_content_and_not_by_name(shelf: Shelf, tmp_path: Path) -> None:
    shutil.copy(shelf.good, tmp_path / "notes.txt")
    shutil.copy(shelf.plain, tmp_path / "setup.msi")
    code, lines = judged(shelf, tmp_path / "notes.txt", tmp_path / "setup.msi")
    assert code == 8 and [line["type"] for line in lines] == ["pe", "other"]


# -- time and hashes -------------------------------------------------------------------------------------------------------


def test_at_decides_and_is_said(shelf: Shelf) -> None:
    file = shelf.put("unstamped.exe", pe.signed())
    for at, code in (("2026-06-01T00:00:00Z", 0), ("2026-06-01T02:00:00.5+02:00", 0), ("2027-06-01T00:00:00Z", 3), ("2024-06-01T00:00:00Z", 3)):
        done = run("verify", "--format", "json", *shelf.trust, "--at", at, file)
        line = lines_of(done)[0]
        assert done.returncode == code, line
        assert code == 0 or codes(line, "reasons") == ["ChainExpired"] * len(codes(line, "reasons")) != []
        assert line["at"] == ("2026-06-01T00:00:00Z" if code == 0 else at)


@on_posix
def test_the_same_question_has_the_same_answer_to_the_byte(shelf: Shelf) -> None:
    files = [shelf.good, shelf.flipped, shelf.unsigned, shelf.signed, shelf.plain, shelf.missing] * 5
    worlds = [{}, {}, {"TZ": "Asia/Kathmandu", "LANG": "de_DE.UTF-8", "LC_ALL": "tr_TR.UTF-8"}, {"TZ": "", "LANG": "", "HOME": ""}, {"TZ": ":/nowhere"}]
    for form in ("json", "text", "junit", "sarif", "github"):
        answers = {run(*shelf.verify, "--format", form, *files, env=env).stdout for env in worlds}
        assert len(answers) == 1, form
    one_core = {min(os.sched_getaffinity(0))}
    alone = run(*shelf.verify, "--format", "json", *files, preexec_fn=lambda: os.sched_setaffinity(0, one_core)).stdout
    assert alone == run(*shelf.verify, "--format", "json", *files).stdout


def test_the_digest_of_the_whole_file_when_asked_for(shelf: Shelf) -> None:
    value = hashlib.sha256(shelf.good.read_bytes()).hexdigest()
    assert "sha256" not in judged(shelf, shelf.good)[1][0]
    _, lines = judged(shelf, "--file-digest", shelf.good, shelf.plain)
    assert [line["sha256"] for line in lines] == [value, hashlib.sha256(shelf.plain.read_bytes()).hexdigest()]
    assert value in run(*shelf.verify, "--file-digest", shelf.good).stdout.decode()
    assert judged(shelf, "--sha256", value.upper(), shelf.good)[0] == 0
    code, lines = judged(shelf, "--sha256", "0" * 64, shelf.good)
    assert code == 3 and codes(lines[0], "reasons") == ["DigestMismatch"]


def test_a_pinned_hash_alone_accepts_nothing(shelf: Shelf) -> None:
    for file, code in ((shelf.unsigned, 3), (shelf.plain, 8), (shelf.flipped, 3)):
        assert judged(shelf, "--sha256", hashlib.sha256(file.read_bytes()).hexdigest(), file)[0] == code


# -- signatures beside a file ----------------------------------------------------------------------------------------------


def test_a_p7s_beside_the_file_is_found(shelf: Shelf) -> None:
    code, lines = judged(shelf, shelf.signed)
    assert code == 0 and [s["kind"] for s in lines[0]["signatures"]] == ["cms"]


def test_a_minisig_beside_the_file_is_found(shelf: Shelf) -> None:
    done = run("verify", "--format", "json", "--key", shelf.key, shelf.sealed)
    line = lines_of(done)[0]
    assert done.returncode == 0 and line["signatures"][0]["key_id"] == SIGNER.key_id[::-1].hex().upper()
    assert line["signatures"][0]["trusted_comment"] and line["signatures"][0]["signer"] is None


def test_a_signature_elsewhere_is_named(shelf: Shelf, tmp_path: Path) -> None:
    file = tmp_path / "content"
    file.write_bytes(CONTENT)
    assert judged(shelf, file)[0] == 8
    assert judged(shelf, "--signature", shelf.p7s, file)[0] == 0
    assert run("verify", "--key", shelf.key, "--signature", shelf.minisig, file).returncode == 0
    (tmp_path / "content.p7s").write_bytes(b"not looked at where another is named")
    assert judged(shelf, "--signature", shelf.p7s, file)[0] == 0
    assert judged(shelf, file)[0] == 3
    assert judged(shelf, "--signature", tmp_path / "absent.p7s", file)[0] == 1


def test_a_found_minisig_without_a_key_is_said_and_never_counts(shelf: Shelf, tmp_path: Path) -> None:
    file = tmp_path / "good.exe"
    shutil.copy(shelf.good, file)
    (tmp_path / "good.exe.minisig").write_bytes(minisign.sign(SIGNER, b"something else"))
    code, lines = judged(shelf, file)
    assert code == 0 and codes(lines[0], "findings") == ["NotLookedAt", *WITNESS] and len(lines[0]["signatures"]) == 1
    code, lines = judged(shelf, "--signature", tmp_path / "good.exe.minisig", file)
    assert code == 3, "a named one is always judged"


def test_the_only_signature_is_judged_also_where_nothing_was_given_for_it(shelf: Shelf) -> None:
    """Refused, and not exit 8: one lies beside it."""
    code, lines = judged(shelf, shelf.sealed)
    assert code == 3 and lines[0]["verdict"] == "refused" and "KeyMismatch" in codes(lines[0], "reasons"), lines
    done = run("verify", "--format", "json", "--key", shelf.key, shelf.signed)
    assert done.returncode == 3 and "ChainUntrusted" in codes(lines_of(done)[0], "reasons")


def test_both_systems_together(shelf: Shelf, tmp_path: Path) -> None:
    file = tmp_path / "both.bin"
    file.write_bytes(CONTENT)
    (tmp_path / "both.bin.p7s").write_bytes(detached.as_pem(detached.sign(CONTENT)))
    options = ["--key", shelf.key, "--require", "cms+minisign"]
    code, lines = judged(shelf, *options, file)
    assert code == 3 and "RequiredSignatureMissing" in codes(lines[0], "reasons")
    (tmp_path / "both.bin.minisig").write_bytes(minisign.sign(SIGNER, CONTENT))
    code, lines = judged(shelf, *options, "--all-signatures", file)
    assert code == 0 and [s["verdict"] for s in lines[0]["signatures"]] == ["accepted", "accepted"]
    (tmp_path / "both.bin.minisig").write_bytes(minisign.sign(minisign.Key(), CONTENT))
    assert judged(shelf, *options, file)[0] == 3


def test_a_catalog_judges_by_membership(shelf: Shelf) -> None:
    code, lines = judged(shelf, "--catalog", shelf.catalog, shelf.listed, shelf.plain)
    assert code == 3 and [line["verdict"] for line in lines] == ["accepted", "refused"]
    assert lines[0]["signatures"][0]["member"] and "NotInCatalog" in codes(lines[1], "reasons")
    assert judged(shelf, "--catalog", shelf.good, shelf.listed) == (2, []), "a program is no catalog"


def test_revocation_lists_by_option(shelf: Shelf) -> None:
    lists = [w for crl in shelf.crls() for w in ("--crl", crl)]
    code, lines = judged(shelf, *lists, shelf.good)
    assert code == 0 and lines[0]["revocation"] == "crl"
    code, lines = judged(shelf, *lists[:2], shelf.good)
    assert code == 3 and "RevocationUnknown" in codes(lines[0], "reasons")
    code, lines = judged(shelf, "--revocation", "crl", shelf.good)
    assert code == 3 and set(codes(lines[0], "reasons")) <= {"RevocationUnknown", "TimestampInvalid"}, "lists are demanded, and none is there"
    assert judged(shelf, "--revocation", "off", *lists[:2], shelf.good)[0] == 0
    assert judged(shelf, shelf.good)[1][0]["revocation"] == "off"
    assert b"revocation not checked" in run(*shelf.verify, shelf.good).stdout


# -- inspect ---------------------------------------------------------------------------------------------------------------


def test_inspect_shows_and_proves_nothing(shelf: Shelf) -> None:
    done = run("inspect", shelf.good)
    assert done.returncode == 0 and b"Nothing below is proven" in done.stdout and pk.PUBLISHER.encode() in done.stdout
    assert b"accepted" not in done.stdout
    done = run("inspect", "--format", "json", shelf.good, shelf.signed, shelf.sealed)
    lines = lines_of(done)
    assert done.returncode == 0 and [line["proven"] for line in lines] == [False] * 3
    assert [[s["kind"] for s in line["signatures"]] for line in lines] == [["authenticode"], ["cms"], ["minisign"]]


def test_exit_codes_of_inspect(shelf: Shelf) -> None:
    for names, code in ((["good", "flipped"], 0), (["unsigned"], 0), (["plain"], 8), (["good", "plain", "missing"], 1), (["missing", "plain"], 1)):
        done = run("inspect", "--format", "json", *(getattr(shelf, n) for n in names))
        assert done.returncode == code, names
        assert len(lines_of(done)) == len([n for n in names if n != "missing"])
        assert ("missing" not in names) or b"missing.exe" in done.stderr


def test_every_schema_is_valid_and_names_the_codes_of_the_program() -> None:
    words = re.findall(r'^ +X\([A-Z0-9_]+, "([A-Za-z]+)"', (ROOT / "verify" / "verdict.h").read_text().split("#define DOCUMENT_REASONS")[0], re.M)
    for file in (ROOT / "docs" / "schema").glob("*.json"):
        import jsonschema
        jsonschema.Draft202012Validator.check_schema(json.loads(file.read_text()))
    schema = json.loads((ROOT / "docs" / "schema" / "verify.schema.json").read_text())
    assert schema["$defs"]["code"]["enum"] == words and len(words) >= 30
