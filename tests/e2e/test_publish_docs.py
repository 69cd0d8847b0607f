"""The manual page of surefoot-publish says what the program does: the same commands, options and exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import ROOT, schema_of
from publish_kit import mistakes, pytestmark  # noqa: F401  (the mark: not built for Windows)
from test_docs import MAN
from test_publish import publish

PAGE = (MAN / "surefoot-publish.1").read_text(encoding="utf-8")
SHARED = {"sign": ["Signing"], "release": ["Signing"], "feed": ["Signing"], "verify": ["Trust"], "verify-release": ["Trust"]}


def commands() -> list[str]:
    listed = publish("--help").stdout.split("commands:\n")[1].split("\n\n")[0]
    return [name for name in re.findall(r"^  ([a-z-]+)", listed, re.M) if name != "help"]


def part(name: str) -> str:
    return PAGE.split(f"\n.Ss {name}\n")[1].split("\n.Ss ")[0].split("\n.Sh ")[0]


def options_of(text: str) -> set[str]:
    return set(re.findall(r"^\.It Fl -([a-z0-9-]+)", text, re.M))


def test_the_page_has_every_command() -> None:
    names = commands()
    assert {"keygen", "sign", "release", "feed", "verify"} <= set(names)
    synopsis = PAGE.split(".Sh SYNOPSIS")[1].split(".Sh ")[0]
    for name in names:
        assert f"\n.Ss {name}\n" in PAGE and f"\n.Cm {name}\n" in synopsis, name


@pytest.mark.parametrize("command", ["keygen", "sign", "release", "feed", "verify", "verify-release"])
def test_page_and_help_have_the_same_options(command: str) -> None:
    if command not in commands():
        pytest.skip(f"{command} is not in this program")
    help_ = publish(command, "--help")
    assert help_.returncode == 0 and help_.stdout.startswith("usage: surefoot-publish " + command)
    shared = SHARED.get(command, [])
    own = options_of(part(command))
    told = own.union(options_of(part("Common options")), *(options_of(part(f"{name} options")) for name in shared))
    assert told == set(re.findall(r"^  --([a-z0-9-]+)", help_.stdout, re.M))
    for name in shared:
        assert f".Sx {name} options" in part(command)
    assert "exit codes: " in help_.stdout and "example: surefoot-publish " + command in help_.stdout


def test_exit_codes_are_those_of_the_program() -> None:
    table = {code: text for code, text in re.findall(r"^ ?([0-9]+)  (.+)$", publish("help", "exit-codes").stdout, re.M)}
    page = PAGE.split(".Sh EXIT STATUS")[1].split(".Sh ")[0]
    assert dict(re.findall(r"^\.It ([0-9]+)\n(.+(?:\n[^.].*)*)", page, re.M)) == table


def test_help_on_a_command_is_its_help() -> None:
    for name in commands():
        assert publish("help", name).stdout == publish(name, "--help").stdout


# -- docs/schema/publish.schema.json -------------------------------------------------------------------------------------------

SOURCES = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "keys" / "publish").glob("*.c")))
FINDING = {"schema": "surefoot.verify-release.finding/1", "level": "refused", "code": "Missing", "where": "feed.xml", "detail": "is not there"}
SIGNED = {"schema": "surefoot.sign/1", "file": "f", "result": "signed", "signature": "f.minisig", "kind": "minisign", "key_id": "0123456789ABCDEF", "subject": None,
          "sha256": None, "not_after": None, "detail": None}
PROVEN = {"schema": "surefoot.publish-verify/1", "file": "f", "type": "other", "verdict": "accepted", "detail": None}


def test_the_schema_has_every_line_of_the_program() -> None:
    said = set(re.findall(r'"(surefoot\.[a-z.-]+/1)"', SOURCES))
    assert len(said) >= 7 and said == set(schema_of("publish").schema["properties"]["schema"]["enum"])
    assert "'schema/publish.schema.json'" in (ROOT / "docs" / "meson.build").read_text(encoding="utf-8")
    assert "publish.schema.json" in part("Common options")


def test_the_schema_has_every_code_of_the_gate() -> None:
    reasons = re.findall(r'^ +X\([A-Z0-9_]+, "([A-Za-z]+)"', (ROOT / "verify" / "verdict.h").read_text(encoding="utf-8"), re.M)
    own = set(re.findall(r'gate_add\(\w+(?:->\w+)?,[^;]*?GATE_[A-Z]+,\s+"([A-Z][A-Za-z]+)"', SOURCES))
    assert len(reasons) >= 30 and {"Missing", "MsiSequence", "NothingToJudgeBy"} <= own
    assert set(schema_of("publish").schema["$defs"]["gate_code"]["enum"]) == {*reasons, *own}


@pytest.mark.parametrize(("line", "change"), [
    (FINDING, {"more": 1}), (FINDING, {"schema": "surefoot.other/1"}), (FINDING, {"code": "Surprise"}), (FINDING, {"level": "failed"}),
    (FINDING, {"code": "NothingToJudgeBy"}), (FINDING, {"detail": ""}), (FINDING, {"where": "a\nb"}), (FINDING, {"where": None}),
    (SIGNED, {"result": "failed"}), (SIGNED, {"signature": None}), (SIGNED, {"detail": "why"}), (SIGNED, {"kind": "cms"}), (SIGNED, {"subject": "CN=x"}),
    (SIGNED, {"key_id": "0123456789abcdef"}), (PROVEN, {"verdict": "refused"}), (PROVEN, {"verdict": "unproven"}), (PROVEN, {"type": "feed"}),
    (PROVEN, {"type": "feed-release"}), (PROVEN, {"detail": "why"}), (PROVEN, {"verdict": "passed"}),
])
def test_the_schema_takes_no_other_line(line: dict[str, object], change: dict[str, object]) -> None:
    assert not mistakes(line) and mistakes({**line, **change})
    for name in line:
        assert mistakes({k: v for k, v in line.items() if k != name}), name


# -- keys/README.md ------------------------------------------------------------------------------------------------------------

CEREMONY = (ROOT / "keys" / "README.md").read_text(encoding="utf-8")


def test_the_ceremony_names_options_that_there_are() -> None:
    told = {name for command in commands() for name in re.findall(r"^  --([a-z0-9-]+)", publish(command, "--help").stdout, re.M)}
    named = set(re.findall(r"(?<![\w-])--([a-z][a-z0-9-]+)", CEREMONY))
    assert len(named) >= 10 and named <= told, named - told


def test_the_trust_of_the_ceremony_is_a_product_files(tmp_path: Path) -> None:
    trust = re.search(r"^    <trust>\n.*?^    </trust>\n", CEREMONY, re.M | re.S)
    assert trust
    example = (ROOT / "docs" / "examples" / "orchard.xml").read_text(encoding="utf-8")
    made = re.sub(r"(?<=\n  )<trust>.*?</trust>", lambda _: trust[0].strip(), example, count=1, flags=re.S)
    (tmp_path / "product.xml").write_text(made, encoding="utf-8")
    done = publish("verify", tmp_path / "product.xml")
    assert done.returncode == 0 and "product of orchard" in done.stdout, done.stdout + done.stderr
