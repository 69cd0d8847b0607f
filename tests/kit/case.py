"""A case: a file built in an empty folder, how it is to be judged, and what the program must say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Sequence

from . import pki as pk

EXIT = {"accepted": 0, "error": 1, "refused": 3, "unsigned": 3, "unsupported": 8}

Codes = str | tuple[str, ...] | None


@dataclass
class Built:
    """file is what is verified; args are the words before it (without --format, --at and --profile)."""
    file: Path
    args: list[str]


@dataclass
class Case:
    """reason: a code that must be among the reasons (refused) or the findings (accepted). Of a tuple, one must be there: for
    a condition that two codes may justly name. expect: dotted paths into the JSON line and the values that must be there.
    absent: codes that must not be named anywhere. may: findings that an acceptance may carry or not. rule: an id of rules.py."""
    name: str
    rule: str
    build: Callable[[Path], Built]
    verdict: str | tuple[str, ...] = "refused"
    reason: Codes = None
    exit_code: int | None = None
    profile: str = "strict"
    expect: dict[str, Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    at: str = "2026-06-01T00:00:00Z"

    @property
    def verdicts(self) -> tuple[str, ...]:
        return (self.verdict,) if isinstance(self.verdict, str) else self.verdict

    @property
    def reasons(self) -> tuple[str, ...]:
        return () if self.reason is None else (self.reason,) if isinstance(self.reason, str) else self.reason

    def exit_for(self, verdict: str) -> int:
        return EXIT[verdict] if self.exit_code is None else self.exit_code

    def command(self, built: Built) -> list[str]:
        """Everything after the program's name."""
        return ["verify", "--format", "json", "--at", self.at, "--profile", self.profile, *built.args, str(built.file)]


Certs = Sequence[pk.Cert] | Callable[[], Sequence[pk.Cert]] | None


def trust(folder: Path, *, anchors: Certs = None, stamps: Certs = None, publisher: str | None = pk.PUBLISHER) -> list[str]:
    """The usual options: our root, our time root, our publisher. An empty list leaves the option out; a function is called
    when the case is built, so that listing the cases makes no keys."""
    anchors = [pk.pki().root] if anchors is None else anchors() if callable(anchors) else anchors
    stamps = [pk.pki().tsa_root] if stamps is None else stamps() if callable(stamps) else stamps
    args: list[str] = []
    if anchors:
        args += ["--anchors", str(pk.write_pem(folder / "root.pem", *anchors))]
    if stamps:
        args += ["--timestamp-anchors", str(pk.write_pem(folder / "tsa-root.pem", *stamps))]
    return args + (["--publisher", publisher] if publisher else [])


def built(folder: Path, name: str, data: bytes, *more: str, **trusting: Any) -> Built:
    """Writes the one file and the usual trust beside it."""
    path = folder / name
    path.write_bytes(data)
    return Built(path, [*trust(folder, **trusting), *more])


def codes(line: dict[str, Any], which: str) -> list[str]:
    """The codes under "reasons" or "findings" of a JSON line, the file's and its signatures'."""
    out = [r["code"] for r in line.get(which, [])]
    for s in line.get("signatures", []):
        out += [r["code"] for r in s.get(which, [])]
    return out


def look(line: Any, path: str) -> Any:
    for word in path.split("."):
        line = line[int(word) if word.isdigit() else word]
    return line
