"""Where the program is and how it is run. SUREFOOT: its path; SUREFOOT_WRAPPER: words before it, such as wine64; SUREFOOT_MANY: the
program that runs many lines in one process, for those tests that judge some thousand files and ask no more of the process than its
answers."""

from __future__ import annotations

import atexit
import itertools
import json
import os
import re
import resource
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Callable, Iterator

import jsonschema
import pytest
from many import Many

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

PROGRAM = ROOT / os.environ.get("SUREFOOT", "build/surefoot")
WRAPPER = os.environ.get("SUREFOOT_WRAPPER", "").split()
BUILD = next((folder for folder in PROGRAM.resolve().parents if (folder / "build.ninja").exists()), PROGRAM.parent)
WITNESS = ["WitnessChain"] if WRAPPER else []                       # Windows knows none of our CAs, and says so of programs (PE)
WINE_REFUSES = ["good_octet_string_windows"] if WRAPPER else []     # its reader is stricter than what Windows is known to accept
FOLDERS = itertools.count(1)
LIMIT_S = 10.0
SLACK = 6 if WRAPPER else 2                                        # on the clock, for a busy machine
CRASH = ("AddressSanitizer", "LeakSanitizer", "UndefinedBehaviorSanitizer", "runtime error:", "Assertion", "assertion", "Segmentation fault", "core dumped",
         "stack smashing", "double free", "corrupted", "Unhandled exception", "Backtrace")


def built(name: str, why: str = "") -> Path:
    """A program of the tests, tests/NAME, of the build that the program is of; without it the test is skipped, `why` says when that is so."""
    file = BUILD / "tests" / f"{name}{PROGRAM.suffix}"
    if not file.exists():
        pytest.skip(f"tests/{name} is not built" + (f": {why}" if why else ""))
    return file


@lru_cache(maxsize=None)
def schema_of(word: str) -> Any:
    """The validator of docs/schema for "surefoot.WORD/1"."""
    schema = json.loads((ROOT / "docs" / "schema" / f"{word}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


SHAPES_SEEN: set[str] = set()


def read_line(line: str) -> dict[str, Any]:
    """One line of JSON, which must be as its published schema says. Lines that differ in digits and file name alone are held against
    it once: the byte scans print thousands."""
    value = json.loads(line)
    shape = re.sub(r"[0-9]+", "0", line.replace(json.dumps(value["file"], ensure_ascii=False), "", 1))
    if shape in SHAPES_SEEN:
        return value
    word = re.fullmatch(r"surefoot\.([a-z]+)/1", value["schema"])
    assert word, line
    broken = [f"{error.json_path}: {error.message[:300]}" for error in schema_of(word[1]).iter_errors(value)]
    assert not broken, "\n".join([f"a line is not as docs/schema/{word[1]}.schema.json has it", *broken, line[:4000]])
    SHAPES_SEEN.add(shape)
    return value


def used() -> float:
    """Processor time of the programs that have ended: unlike the clock it does not grow with what else the machine does."""
    of = resource.getrusage(resource.RUSAGE_CHILDREN)
    return of.ru_utime + of.ru_stime


@dataclass
class Ran:
    code: int
    out: str
    err: str
    seconds: float                                                  # of the processor

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON objects that were printed, one a line, each held against its schema."""
        return [read_line(line) for line in self.out.splitlines() if line.strip()]


def until_started(run: Callable[[], Any], did_start: Callable[[Any], bool]) -> Any:
    """Seldom, on a busy machine, wine does not get a program started. Then it is run again, at most twice."""
    done = run()
    for _ in range(2):
        if not WRAPPER or did_start(done):
            break
        done = run()
    return done


def run_wrapped(*words: object, **how: Any) -> "subprocess.CompletedProcess[Any]":
    """A program of ours, its output captured: none of them ends with 1 and says nothing."""
    return until_started(lambda: subprocess.run([*WRAPPER, *map(str, words)], capture_output=True, check=False, **how),
                         lambda done: done.returncode != 1 or done.stdout or done.stderr)


def run_alone(*args: str, limit_s: float) -> "subprocess.CompletedProcess[bytes]":
    return run_wrapped(PROGRAM, *args, stdin=subprocess.DEVNULL, timeout=limit_s * SLACK)


@lru_cache(maxsize=None)
def many() -> Many | None:
    program = os.environ.get("SUREFOOT_MANY")
    if not program:
        return None
    made = Many([*WRAPPER, program])
    atexit.register(made.close)
    return made


def run_surefoot(*args: str, limit_s: float = LIMIT_S, in_turn: bool = False) -> Ran:
    """Runs the program and fails on a crash or a late end, whatever else it says. `in_turn`: in one process with others, where there is
    a program for that."""
    start, serving = used(), many() if in_turn else None
    if serving is not None and serving.serves():
        done = serving.run(args, limit_s * SLACK)
    else:
        done = run_alone(*args, limit_s=limit_s)
    ran = Ran(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace"), used() - start)
    assert ran.code >= 0, f"ended by signal {-ran.code}\n{ran.err}"
    for word in CRASH:
        assert word not in ran.err, ran.err
    return ran


# Tests of the program itself, each run of which is a process.
ALONE = ("test_commands", "test_limits", "test_alloc", "test_big")


@pytest.fixture
def surefoot(request: pytest.FixtureRequest) -> Callable[..., Ran]:
    """The program as a function of its arguments."""
    return partial(run_surefoot, in_turn=request.module.__name__ not in ALONE)


# The longest first, so that nobody waits for one of them alone in the end.
LONGEST = ("test_windows_package", "test_windows_upgrade", "test_story", "test_windows_archive", "test_windows_results", "test_windows_signed",
           "test_hostile_containers", "test_online")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files are shared out in this order."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.fixture
def check_case(surefoot: Callable[..., Ran], tmp_path: Path) -> Callable[[Any], None]:
    """Builds one case of the kit, runs it, and compares verdict, exit code and reason."""
    from tests.kit.case import codes, look

    def check(case: Any) -> None:
        built = case.build(tmp_path)
        command = case.command(built)
        ran = surefoot(*command)
        told = f"\nsurefoot {' '.join(command)}\nexit {ran.code}\n{ran.out}\n{ran.err}"
        lines = ran.lines
        assert len(lines) == 1, "one JSON line expected" + told
        line = lines[0]
        assert line["schema"] == "surefoot.verify/1", told
        verdict = line["verdict"]
        if case.name in WINE_REFUSES:
            assert (verdict, ran.code, codes(line, "reasons")) == ("refused", 3, ["WitnessRefuses"]), told
            return
        assert verdict in case.verdicts, f"{case.name}: verdict {verdict}, not {case.verdict} ({case.reason})" + told
        assert ran.code == case.exit_for(verdict), f"exit {ran.code}, not {case.exit_for(verdict)}" + told
        reasons, findings = codes(line, "reasons"), codes(line, "findings")
        if verdict == "accepted":
            assert not line["reasons"], "accepted, with reasons" + told
            noticed = findings + reasons                     # a weaker sibling keeps its reasons in its own signature
            if case.reasons:
                assert set(case.reasons) & set(noticed), f"none of {case.reasons} among {noticed}" + told
            else:
                assert set(noticed) <= {"NoPublisherDemanded", *case.may, *WITNESS}, f"accepted, but with {noticed}" + told
        else:
            assert not any(s["verdict"] == "accepted" for s in line["signatures"]) or line["reasons"], "refused without the file's own reason" + told
            if case.reasons and verdict != "unsupported":
                assert set(case.reasons) & set(reasons), f"none of {case.reasons} among {reasons}" + told
        for code in case.absent:
            assert code not in reasons + findings, f"{code} is named" + told
        for path, value in case.expect.items():
            assert look(line, path) == value, f"{path} is {look(line, path)!r}, not {value!r}" + told
    return check


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As pytest's own, with a number that is counted: to find the next free one it reads the folder, each time, with some thousand in it."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    folder = tmp_path_factory.getbasetemp() / f"{name}-{next(FOLDERS)}"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One file of each sort and the options that accept the good ones; nobody changes it."""
    from shelf import Shelf
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="session")
def upgrade_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What the tests of upgrades share: keys, a CA, nginx."""
    from upgrade_kit import World
    made = World(tmp_path_factory.mktemp("upgrades"))
    yield made
    made.close()


@pytest.fixture
def world(upgrade_world: Any) -> Iterator[Any]:
    """The same, and no machine of the test is left after it."""
    yield upgrade_world
    upgrade_world.clear()
