"""The five forms of the report: well formed whatever a file is called, quiet when asked, colour on a terminal alone, and never silent
about a report that could not be written."""

from __future__ import annotations

import json
import os
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from conftest import WITNESS, read_line
from shelf import AT, Shelf, command, on_posix, run

FORMS = ["text", "json", "junit", "sarif", "github"]
HOSTILE = [b"line\nbreak", b"\r\n::error file=x::forged", b"esc\x1b[31mred", b"bell\x07\x7f\x01", b"tab\t", b"quote\"'`$(x)", b"<tag>&amp;]]>",
           b"percent%0Aand%3A", b"comma,colon:", b"bad\xff\xfe\x80utf8", b"cut\xe2\x82", "bidi\u202eexe.txt".encode(), "lines\u2028\u2029".encode(),
           "c1\x85\x9b31m".encode(), "surrogate".encode() + b"\xed\xa0\x80", "birn\u00e9 \U0001f350".encode(), "zero\u200bwidth\ufeff".encode(),
           b"{\"verdict\":\"accepted\"}", b"backslash\\n", b"n" * 240, b" ", b"-", b"--quiet ", b"#\xc0\xae"]


@pytest.fixture(scope="module")
def hostile(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Files of such names, accepted, refused and unsupported in turn; what is named .missing is not there."""
    folder = os.fsencode(tmp_path_factory.mktemp("hostile"))
    paths = [os.path.join(folder, name) for name in HOSTILE]
    for n, path in enumerate(paths):
        shutil.copy((shelf.good, shelf.flipped, shelf.plain)[n % 3], path)
    return paths + [path + b".missing" for path in paths[:-5]]


def report(shelf: Shelf, form: str, *words: Any) -> str:
    """The report, which is UTF-8 on clean lines in every form."""
    out = run(*shelf.verify, "--format", form, *words).stdout.decode("utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", out), out
    return out


# -- hostile names ---------------------------------------------------------------------------------------------------------


@on_posix
def test_json_keeps_to_one_line_a_file(shelf: Shelf, hostile: list[bytes]) -> None:
    lines = [read_line(line) for line in report(shelf, "json", *hostile).split("\n")[:-1]]
    assert len({line["file"] for line in lines}) == len(lines) == len(hostile), "two names are shown alike"
    for path, line in zip(hostile, lines):
        assert (line["verdict"] == "error") == path.endswith(b".missing")
        if re.fullmatch(rb"[ -~]+", path):
            assert os.fsencode(line["file"]) == path


@on_posix
@pytest.mark.parametrize("words", [[], ["--quiet"], ["--verbose"]])
def test_text_has_as_many_lines_as_for_a_plain_name(shelf: Shelf, hostile: list[bytes], tmp_path: Path, words: list[str]) -> None:
    for path in hostile:
        alike = os.fsencode(tmp_path / "alike")
        if os.path.exists(path):
            shutil.copy(path, alike)
        elif os.path.exists(alike):
            os.unlink(alike)
        assert report(shelf, "text", *words, path).count("\n") == report(shelf, "text", *words, alike).count("\n"), path


@on_posix
def test_junit_is_well_formed(shelf: Shelf, hostile: list[bytes]) -> None:
    suite = ET.fromstring(report(shelf, "junit", *hostile))[0]
    cases = suite.findall("testcase")
    assert len(cases) == len(hostile) == int(suite.get("tests"))
    assert len(suite.findall("testcase/error")) == int(suite.get("errors")) == len([p for p in hostile if not os.path.exists(p)])
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures"))
    assert len({case.get("name") for case in cases}) == len(hostile)
    assert all(os.path.basename(p).decode() in (c.get("name") or "") for p, c in zip(hostile, cases) if re.fullmatch(rb"[ -~]+", os.path.basename(p)))


@on_posix
def test_sarif_names_the_file_to_the_byte(shelf: Shelf, hostile: list[bytes]) -> None:
    results = json.loads(report(shelf, "sarif", *hostile))["runs"][0]["results"]
    named = []
    for result in results:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri), uri
        named.append(unquote_to_bytes(uri))
    refused = [path for n, path in enumerate(hostile) if n % 3 or not os.path.exists(path)]
    assert set(named) == {path.replace(b"\\", b"/") for path in refused}


@on_posix
def test_github_prints_nothing_but_its_own_commands(shelf: Shelf, hostile: list[bytes]) -> None:
    lines = report(shelf, "github", *hostile).split("\n")[:-1]
    assert len(lines) >= len(hostile)
    for line in lines:
        assert re.fullmatch(r"::(error|notice) file=[^,:\n]+,title=surefoot verify[^,:\n]*::[^\n]+", line), line
        assert not re.search(r"%(?![0-9A-F]{2})", line), line


@on_posix
def test_a_name_that_leaves_no_room_for_an_ending(shelf: Shelf, tmp_path: Path) -> None:
    """No FILE.minisig can lie beside it; that is no error."""
    shutil.copy(shelf.good, tmp_path / ("n" * 255))
    assert run(*shelf.verify, tmp_path / ("n" * 255)).returncode == 0
    assert run("inspect", tmp_path / ("n" * 255)).returncode == 0


@on_posix
def test_names_in_messages_are_clean_too(shelf: Shelf, hostile: list[bytes]) -> None:
    for path in hostile:
        for words in (["inspect", path], [*shelf.verify, "--anchors", path, shelf.good], [*shelf.verify, "--key", path, shelf.good],
                      [*shelf.verify, "--policy", path, shelf.good], [*shelf.verify, "--catalog", path, shelf.good], [*shelf.verify, "--signature", path, shelf.plain]):
            done = run(*words)
            for text in (done.stdout.decode("utf-8"), done.stderr.decode("utf-8")):
                assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text), text
            assert done.stderr.count(b"\n") <= 2
        read = run("inspect", "--format", "json", path).stdout.decode("utf-8")
        assert read.count("\n") == (1 if os.path.exists(path) else 0) and (not read or read_line(read))


# -- each form -------------------------------------------------------------------------------------------------------------


def test_what_nothing_excuses_is_said_first(shelf: Shelf) -> None:
    """A changed byte also makes the checksum stale; the advice must not be how to excuse that."""
    assert [r["code"] for r in read_line(report(shelf, "json", shelf.flipped))["reasons"]] == ["DigestMismatch", "ChecksumMismatch"]
    assert "--allow" not in report(shelf, "text", shelf.flipped)


def test_text_says_who_signed_and_what_to_do(shelf: Shelf) -> None:
    out = report(shelf, "text", shelf.good, shelf.flipped, shelf.missing)
    assert re.search(r"good\.exe: accepted +\(pe, \d+ bytes, profile strict, revocation not checked\)", out)
    assert re.search(r"signed by +.*Orchard Works", out) and re.search(r"timestamp +2026-02-03T00:00:00Z, RFC 3161, by .*Kit Clock", out)
    assert "  DigestMismatch: " in out and "what to do: DigestMismatch: the content is not what was signed" in out
    assert out.endswith("3 files: 1 accepted 1 refused 1 error\n")


def test_text_says_as_of_when_what_has_no_timestamp_was_judged(shelf: Shelf) -> None:
    assert re.search(rf"timestamp +none: judged as of {AT}\n", report(shelf, "text", shelf.signed))


def test_verbose_adds_the_chain(shelf: Shelf) -> None:
    more, usual = report(shelf, "text", "--verbose", shelf.good), report(shelf, "text", shelf.good)
    assert "Kit Root" in more and "spki-sha256" in more and "spki-sha256" not in usual


def test_quiet_shows_what_was_not_accepted(shelf: Shelf) -> None:
    assert run(*shelf.verify, "--quiet", shelf.good, shelf.signed).stdout == b""
    out = report(shelf, "text", "-q", shelf.good, shelf.flipped, shelf.plain)
    assert re.findall(r"^\S*/(\S+): (\S+)", out, re.M) == [("flipped.exe", "refused"), ("plain.txt", "unsupported")] and "DigestMismatch" in out
    assert report(shelf, "github", "-q", shelf.good) == "" != report(shelf, "github", shelf.good)
    assert report(shelf, "json", "-q", shelf.good) == report(shelf, "json", shelf.good), "a form for programs is always whole"


def test_junit_tells_refusals_from_errors(shelf: Shelf) -> None:
    suite = ET.fromstring(report(shelf, "junit", shelf.good, shelf.flipped, shelf.unsigned, shelf.plain, shelf.missing))[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("surefoot verify", "5", "3", "1")
    told = [[(child.tag, child.get("type"), child.get("message")) for child in case] for case in suite]
    assert told == [[], [("failure", "DigestMismatch", "refused")], [("failure", "Unsigned", "unsigned")],
                    [("failure", "Unsupported", "unsupported")], [("error", "ReadError", "error")]]
    assert [case.get("classname") for case in suite] == [f"surefoot.verify.{t}" for t in ("pe", "pe", "pe", "other", "other")]


def test_sarif_has_a_rule_for_each_result(shelf: Shelf) -> None:
    log = json.loads(report(shelf, "sarif", shelf.good, shelf.flipped, shelf.unsigned, shelf.missing))
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json") and set(log) == {"version", "$schema", "runs"}
    [one] = log["runs"]
    driver = one["tool"]["driver"]
    rules = [rule["id"] for rule in driver["rules"]]
    assert driver["name"] == "surefoot" and len(set(rules)) == len(rules) and all(rule["help"]["text"] for rule in driver["rules"])
    assert [r["ruleId"] for r in one["results"]] == [*WITNESS, "DigestMismatch", "ChecksumMismatch", "Unsigned", "ReadError"]
    for result in one["results"]:
        assert result["ruleId"] in rules and result["level"] in ("error", "note") and result["message"]["text"]
    nothing = json.loads(report(shelf, "sarif", shelf.good))
    assert [r["ruleId"] for r in nothing["runs"][0]["results"]] == WITNESS


def test_github_annotates_each_reason(shelf: Shelf) -> None:
    lines = report(shelf, "github", shelf.good, shelf.flipped).splitlines()
    assert lines[0].startswith("::notice file=") and lines[0].endswith("good.exe,title=surefoot verify::accepted")
    assert re.fullmatch(r"::error file=.*flipped\.exe,title=surefoot verify%3A refused::DigestMismatch%3A .+", lines[1])


# -- colour ----------------------------------------------------------------------------------------------------------------


def on_terminal(*words: Any, **env: str) -> bytes:
    """What the program writes to a terminal."""
    import pty
    import subprocess
    ours, theirs = pty.openpty()
    world = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    program = subprocess.Popen(command(*words), stdin=theirs, stdout=theirs, stderr=theirs, env={**world, "TERM": "xterm", **env})
    os.close(theirs)
    out = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:                                             # the other side is closed
            break
        if not piece:
            break
        out += piece
    os.close(ours)
    program.wait(timeout=60)
    return out.replace(b"\r\n", b"\n")


@on_posix
def test_colour_on_a_terminal_alone(shelf: Shelf) -> None:
    words = [*shelf.verify, shelf.good, shelf.flipped]
    plain = run(*words, env={"TERM": "xterm", "NO_COLOR": "", "CLICOLOR_FORCE": "1"}).stdout
    coloured = on_terminal(*words)
    assert b"\x1b" not in plain and b"\x1b[32maccepted\x1b[0m" in coloured and b"\x1b[31mrefused\x1b[0m" in coloured
    assert re.sub(rb"\x1b\[\d+m", b"", coloured) == plain
    assert on_terminal(*words, NO_COLOR="1") == on_terminal(*words, TERM="dumb") == plain
    assert b"\x1b" in on_terminal(*words, NO_COLOR=""), "an empty NO_COLOR says nothing"


@on_posix
@pytest.mark.parametrize("form", FORMS[1:])
def test_forms_for_programs_have_no_colour(shelf: Shelf, form: str) -> None:
    assert b"\x1b" not in on_terminal(*shelf.verify, "--format", form, shelf.good, shelf.flipped)


@on_posix
def test_inspect_has_no_colour_where_there_is_no_terminal(shelf: Shelf) -> None:
    assert b"\x1b" not in run("inspect", shelf.good, env={"TERM": "xterm", "NO_COLOR": ""}).stdout


# -- a report that cannot be written -------------------------------------------------------------------------------------------

SPOKEN = [["verify", "--format", form, "--at", AT] for form in FORMS] + [["inspect"], ["inspect", "--format", "json"]]
SHORT = [["--version"], ["--help"], ["help", "exit-codes"], ["verify", "--help"], ["inspect", "--help"]]


@on_posix
@pytest.mark.parametrize("words", SPOKEN + SHORT, ids=" ".join)
def test_a_full_disk_is_a_failure(shelf: Shelf, words: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    rest = [] if words in SHORT else [*(shelf.trust if words[0] == "verify" else ()), shelf.good]
    with open("/dev/full", "wb") as full:
        assert run(*words, *rest, stdout=full).returncode == 1


@on_posix
@pytest.mark.parametrize("words", SPOKEN + SHORT, ids=" ".join)
def test_a_closed_standard_output_is_a_failure(shelf: Shelf, words: list[str]) -> None:
    rest = [] if words in SHORT else [*(shelf.trust if words[0] == "verify" else ()), shelf.good]
    assert run(*words, *rest, stdout=None, preexec_fn=lambda: os.close(1)).returncode == 1


@on_posix
def test_a_reader_that_goes_away_is_a_failure(shelf: Shelf) -> None:
    for form in FORMS:
        ours, theirs = os.pipe()
        os.close(ours)
        done = run(*shelf.verify, "--format", form, *[shelf.good] * 50, stdout=theirs)
        os.close(theirs)
        assert done.returncode == 1 and b"cannot write to standard output" in done.stderr


@on_posix
def test_closed_streams_never_write_into_the_file(shelf: Shelf, tmp_path: Path) -> None:
    """With 0, 1 and 2 closed the judged file takes one of their numbers."""
    file = tmp_path / "a.exe"
    shutil.copy(shelf.flipped, file)
    before = file.read_bytes()
    done = run(*shelf.verify, file, stdout=None, stdin=None, preexec_fn=lambda: [os.close(n) for n in (0, 1, 2)])
    assert done.returncode == 1 and file.read_bytes() == before
