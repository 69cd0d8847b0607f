"""The results of an upgrade on Windows, each by its real condition, under wine: one product file with every kind of check, one machine that is
ready; then one thing at a time is made wrong, and taken away again.

What wine cannot show is not shown here (docs/windows.md), and on the simulated machine alone (tests/sim/test_entra.c): a group that comes back
(wine has no local groups of one's own, so that the product file names another one instead), SQL Server and its LocalDB (SQLite is asked, through
odbc32 and the host's driver), the rights of another account."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, ContextManager, Iterator

import pytest
from windows_kit import ABORTED, DONE, HELPER, NOT_SUPPORTED, ROLLBACK_FAILED, SERVICE, Machine, Prefix, made_by_a_maker, until, windows

from tests.unit import event_log_wine

FOLDER, KEY, MARKER = r"O:\Orchard Works", r"HKLM\Software\Orchard", r"HKLM\Software\Orchard\Upgrade"
INSTALL = f'<install kind="archive" os="windows" folder="{FOLDER}"/>'
DATABASE = r"C:\orchard\orchard.db"
GROUP, HEADROOM, BACKUP = "S-1-5-32-544", "1MiB", "exit 0"
MORE = rf"""<marker registry="{MARKER}" value="InProgress"/>
  <scheduler><setting registry="{KEY}" value="SyncCycleEnabled" on="1" off="0"/></scheduler>
  <checks>
    <command result="UpgradeNotSupportedCustomizedSyncRules">
      <arg>C:\windows\system32\cmd.exe</arg><arg>/c</arg><arg>if exist C:\orchard\custom.xml exit 1</arg>
    </command>
    <setting file="PersistedState.xml" format="xml" key="PersistedState/InstallationType" result="UpgradeNotSupportedInvalidPersistedState">
      <equals>Express</equals><equals>DirSync</equals>
    </setting>
    <setting registry="{KEY}" value="UploadDisabled" result="UpgradeNotSupportedAADHealthUploadDisabled"><not-equals>1</not-equals></setting>
    <setting file="conf.json" format="json" key="staging/on" result="UpgradeNotSupportedStagingModeEnabled"><equals>false</equals></setting>
    <database connection="Driver=SQLite3;Database={DATABASE}">
      <kind is="sqlite"/><size below="1MiB"/><right name="CREATE"/>
    </database>
    <group sid="{GROUP}"/>
    <schedule/>
    <process name="manager.exe"/>
    <process path="C:\orchard\tools\wizard.exe" result="UpgradeAbortedSyncOrConfigurationInProgress"/>
    <lock mutex="Global\OrchardCycle"/>
    <lock file="cycle.lock"/>
    <disk headroom="{HEADROOM}"/>
    <service name="orchard"/>
  </checks>
  <files><data folder="data" protect="command"><backup><arg>C:\windows\system32\cmd.exe</arg><arg>/c</arg><arg>{BACKUP}</arg></backup>
    <restore><arg>C:\windows\system32\cmd.exe</arg><arg>/c</arg><arg>exit 0</arg></restore></data></files>"""
STATE, CONF = "<PersistedState><InstallationType>{}</InstallationType></PersistedState>\n", '{{"staging": {{"on": {}}}}}\n'


class Orchard(Machine):
    @property
    def tree(self) -> Path:
        return self.volume / "Orchard Works/current"

    @property
    def volume(self) -> Path:
        """The drive O:, which has a small file system of its own where one can be mounted."""
        return self.drive.parent / "volume"

    def tell(self, word: str) -> None:
        """What the service does from now on (tests/tools/win_service.c)."""
        (self.etc / "told.txt").write_text(word, encoding="utf-8")

    def write(self, old: str = "", new: str = "", feed: str = "") -> None:
        """The product file, with one thing of it said in another way."""
        assert old in MORE
        self.write_product(INSTALL, MORE.replace(old, new) if old else MORE, "PT0S", feed, ("PT2S", "PT3S"))

    def judge(self, command: str = "check") -> tuple[int, str | None, list[str], str]:
        """The host's SQLite driver looks for a file of the whole Windows name in the folder that it runs in, which is a link to the one that
        Windows' calls see."""
        ran = self.run(command, cwd=self.etc)
        return ran.code, ran.result, ran.reasons, ran.text

    def registry(self, *words: str) -> None:
        self.prefix.run("reg.exe", *words, "/f")

    def set(self, value: str, number: int) -> None:
        self.registry("add", KEY, "/v", value, "/t", "REG_DWORD", "/d", str(number))


def fill(path: Path, n_bytes: int) -> None:
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE trees (name TEXT)")
        db.execute("INSERT INTO trees VALUES (zeroblob(?))", (n_bytes,))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchard]:
    """One for all of this file: version 1.0.0 runs, 2.0.0 is offered, and nothing stands in its way."""
    folder = tmp_path_factory.mktemp("results")
    with made_by_a_maker(folder) as (maker, server):
        for version in ("1.0.0", "2.0.0"):
            tree = folder / version
            tree.mkdir()
            shutil.copy(SERVICE, tree / "orchard.exe")
            (tree / "version.txt").write_text(version, encoding="utf-8")
            maker.offer(tree, version)
        prefix = Prefix(folder / "machine")
        volume = prefix.folder / "volume"
        volume.mkdir()
        (prefix.folder / "dosdevices/o:").symlink_to(volume)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=755", "orchard-test", volume], capture_output=True, check=False)
        try:
            m = Orchard(prefix, maker, server)
            for name in ("data", "tools"):
                (m.etc / name).mkdir()
            for name in ("manager.exe", "wizard.exe", "other.exe"):
                shutil.copy(HELPER, m.etc / "tools" / name)
            shutil.copy(HELPER, m.etc / "wizard.exe")               # of the same name, and not at the path
            (m.etc / "cycle.lock").write_text("", encoding="utf-8")
            (m.etc / "PersistedState.xml").write_text(STATE.format("Express"), encoding="utf-8")
            (m.etc / "conf.json").write_text(CONF.format("false"), encoding="utf-8")
            fill(m.etc / "orchard.db", 1000)
            (m.etc / DATABASE).symlink_to(m.etc / "orchard.db")
            m.registry("add", MARKER)
            m.set("SyncCycleEnabled", 1)
            prefix.run("sc.exe", "create", "orchard", "binPath=", rf'"{FOLDER}\current\orchard.exe" orchard told C:\orchard\told.txt', "start=", "demand")
            m.write()
            m.run("install", "--to", "1.0.0", code=DONE, cwd=m.etc)
            yield m
        finally:
            prefix.end()
            if volume.is_mount():
                subprocess.run(["umount", "-l", volume], check=True)


# -- conditions: each is there for as long as its context lasts ----------------------------------------------------------------

Condition = Callable[[Orchard], ContextManager[object]]


@contextlib.contextmanager
def between(make_wrong: Callable[[], object], mend: Callable[[], object]) -> Iterator[None]:
    make_wrong()
    try:
        yield
    finally:
        mend()


def runs(program: str) -> Condition:
    return lambda m: m.prefix.helped("pid", program=program)


def helped(*words: str) -> Condition:
    return lambda m: m.prefix.helped(*words)


def says(old: str = "", new: str = "", feed: str = "") -> Condition:
    return lambda m: between(lambda: m.write(old, new, feed), m.write)


def number(value: str, wrong: int, right: int) -> Condition:
    return lambda m: between(lambda: m.set(value, wrong), lambda: m.set(value, right))


def holds(name: str, wrong: str, right: str) -> Condition:
    return lambda m: between(lambda: (m.etc / name).write_text(wrong, encoding="utf-8"), lambda: (m.etc / name).write_text(right, encoding="utf-8"))


def custom_rules(m: Orchard) -> ContextManager[object]:
    file = m.etc / "custom.xml"
    return between(file.touch, file.unlink)


def large_database(m: Orchard) -> ContextManager[object]:
    return between(lambda: fill(m.etc / "orchard.db", 2 << 20), lambda: fill(m.etc / "orchard.db", 1000))


def read_only_database(m: Orchard) -> ContextManager[object]:
    return between(lambda: m.prefix.run("attrib.exe", "+r", DATABASE), lambda: m.prefix.run("attrib.exe", "-r", DATABASE))


def no_database(m: Orchard) -> ContextManager[object]:
    here, away = m.etc / "orchard.db", m.etc / "away.db"
    return between(lambda: here.rename(away), lambda: away.rename(here))


def read_only_key(m: Orchard) -> ContextManager[object]:
    def allow(all_may: str) -> object:
        return m.prefix.run(HELPER, "key", MARKER.removeprefix("HKLM\\"), f"D:P(A;CI;{all_may};;;WD)")
    return between(lambda: allow("KRWD"), lambda: allow("KA"))


def marker_of_another(m: Orchard) -> ContextManager[object]:
    return between(lambda: m.registry("add", MARKER, "/v", "InProgress", "/d", "Setup of the orchard"),
                   lambda: m.registry("delete", MARKER, "/v", "InProgress"))


def little_room(m: Orchard) -> ContextManager[object]:
    if not m.volume.is_mount():
        pytest.skip("no file system can be mounted here")
    return says(f'headroom="{HEADROOM}"', 'headroom="8000TiB"')(m)


def full_volume(m: Orchard) -> ContextManager[object]:
    """The product's own, up to the last byte: neither is what is needed there, nor the headroom."""
    if not m.volume.is_mount():
        pytest.skip("no file system can be mounted here")
    file = m.volume / "filling"
    return between(lambda: subprocess.run(["dd", "if=/dev/zero", f"of={file}", "bs=1M"], capture_output=True, check=False), file.unlink)


def stopped_service(m: Orchard) -> ContextManager[object]:
    return between(lambda: m.prefix.run("net.exe", "stop", "orchard"), lambda: m.prefix.run("net.exe", "start", "orchard"))


TABLE: list[tuple[str, Condition, list[str]]] = [
    ("custom rules", custom_rules, ["UpgradeNotSupportedCustomizedSyncRules"]),
    ("installed in another way", holds("PersistedState.xml", STATE.format("Custom"), STATE.format("Express")), ["UpgradeNotSupportedInvalidPersistedState"]),
    ("uploads disabled", number("UploadDisabled", 1, 0), ["UpgradeNotSupportedAADHealthUploadDisabled"]),
    ("staging", holds("conf.json", CONF.format("true"), CONF.format("false")), ["UpgradeNotSupportedStagingModeEnabled"]),
    ("another kind of database", says('<kind is="sqlite"/>', '<kind is="localdb"/>'), ["UpgradeNotSupportedNonLocalDbInstall"]),
    ("a large database", large_database, ["UpgradeNotSupportedLocalDbSizeExceeded"]),
    ("a database that is read-only", read_only_database, ["UpgradeAbortedInsufficientDatabasePermissions"]),
    ("no database", no_database, ["UpgradeAbortedInsufficientDatabasePermissions"]),
    ("no such group by SID", says(GROUP, "S-1-5-21-1-2-3-4444"), ["UpgradeAbortedSecurityGroupsNotPresent"]),
    ("no such group by name", says(f'sid="{GROUP}"', 'name="ADSyncAdmins"'), ["UpgradeAbortedSecurityGroupsNotPresent"]),
    ("a marker that may not be written", read_only_key, ["UpgradeAbortedCouldNotSetUpgradeMarker"]),
    ("a marker of somebody else's", marker_of_another, ["UpgradeAbortedCouldNotSetUpgradeMarker"]),
    ("the scheduler is off", number("SyncCycleEnabled", 0, 1), ["UpgradeAbortedSyncCycleDisabled"]),
    ("a mutex is held", helped("mutex", r"Global\OrchardCycle"), ["UpgradeAbortedSyncOrConfigurationInProgress"]),
    ("a file is locked", helped("lock", r"C:\orchard\cycle.lock"), ["UpgradeAbortedSyncOrConfigurationInProgress"]),
    ("a program runs, by its name", runs(r"C:\orchard\tools\manager.exe"), ["UpgradeAbortedSyncExeInUse"]),
    ("a program runs, by its path", runs(r"C:\orchard\tools\wizard.exe"), ["UpgradeAbortedSyncOrConfigurationInProgress"]),
    ("no room on either volume", little_room, ["UpgradeAbortedInsufficientDiskSpace"] * 2),
    ("a volume is full", full_volume, ["UpgradeAbortedInsufficientDiskSpace"] * 2),
    ("the service is stopped", stopped_service, ["UpgradeAbortedServiceIsNotRunning"] * 2),
    ("no such service", says('<service name="orchard"/>', '<service name="orchid"/>'), ["UpgradeAbortedServiceIsNotRunning"]),
    ("no network", says(feed="https://localhost:9/feed.xml"), []),
    ("others run", runs(r"C:\orchard\wizard.exe"), []),
]
WITHOUT_REASONS = {"no network": "UpgradeAbortedDownloadFailed"}


@pytest.mark.parametrize("name, condition, expected", TABLE, ids=[row[0] for row in TABLE])
def test_a_condition_is_the_result_for_as_long_as_it_is_there(machine: Orchard, name: str, condition: Condition, expected: list[str]) -> None:
    first = WITHOUT_REASONS.get(name, expected[0] if expected else None)
    code = DONE if first is None else NOT_SUPPORTED if first.startswith("UpgradeNotSupported") else ABORTED
    with condition(machine):
        *judged, text = machine.judge()
        assert judged == [code, first, expected], text
    *judged, text = machine.judge()
    assert judged == [DONE, None, []], text
    assert machine.version() == "1.0.0"


def test_each_word_of_the_table_is_one_that_the_product_contract_has() -> None:
    """A word that is misspelt here would be found nowhere else: the checks that name one yield whatever they are given."""
    page = (Path(__file__).resolve().parents[2] / "docs/man/surefoot-product.5").read_text(encoding="utf-8")
    for word in {w for _, _, words in TABLE for w in words} | set(WITHOUT_REASONS.values()):
        assert re.search(rf"\b{word}\b", page), word


# -- by an upgrade -----------------------------------------------------------------------------------------------------------


def end_service(m: Orchard) -> None:
    """By itself: of one that is killed wine's service manager never hears."""
    m.tell("end")
    until(lambda: m.service() == "STOPPED", "the service does not end", 20)
    m.tell("run")


def test_the_service_takes_no_stop(machine: Orchard) -> None:
    """It runs on, and nothing was switched."""
    machine.prefix.run("net.exe", "stop", "orchard")
    machine.tell("keep")
    machine.prefix.run("net.exe", "start", "orchard")
    code, result, _, text = machine.judge("upgrade")
    assert (code, result) == (ABORTED, "UpgradeAbortedServiceCanNotBeStopped"), text
    assert (machine.version(), machine.service()) == ("1.0.0", "RUNNING")
    assert not machine.status()["recovery_pending"]
    end_service(machine)
    machine.prefix.run("net.exe", "start", "orchard")
    assert machine.judge()[1] is None


def test_the_service_hangs_when_it_is_stopped(machine: Orchard) -> None:
    """It neither ends nor runs: that is what is told until it has ended; then recover starts it."""
    machine.tell("deaf")
    code, result, _, text = machine.judge("upgrade")
    assert (code, result) == (ABORTED, "UpgradeAbortedServiceCanNotBeStopped"), text
    assert machine.version() == "1.0.0" and machine.service() == "STOP_PENDING" and machine.status()["recovery_pending"]
    code, result, _, text = machine.judge("recover")
    assert (code, result) == (ABORTED, "UpgradeAbortedServiceCanNotBeStopped"), text
    end_service(machine)
    told = len(machine.run("history", code=DONE).lines)
    assert machine.run("recover", code=DONE).result == "UpgradeAbortedServiceCanNotBeStopped"
    assert (machine.version(), machine.service()) == ("1.0.0", "RUNNING")
    assert len(machine.run("history", code=DONE).lines) == told + 1, "what recovered it is told as well"
    assert machine.judge()[1] is None


def test_the_old_version_does_not_start_again(machine: Orchard) -> None:
    """The data could not be protected, so that nothing was switched; and the service that ran a moment ago does not start."""
    machine.write(BACKUP, "exit 1")
    machine.tell("fail")
    code, result, _, text = machine.judge("upgrade")
    assert (code, result) == (ABORTED, "UpgradeAbortedServiceCanNotBeStarted"), text
    assert (machine.version(), machine.service()) == ("1.0.0", "STOPPED") and machine.status()["recovery_pending"]
    machine.tell("run")
    machine.write()
    machine.run("recover", code=DONE)
    assert machine.service() == "RUNNING"
    assert machine.judge()[1] is None


TOLD_ALONE = {301, 303, 305, 307, 310, 331, 334, 335, 336}          # surefoot-upgrade(1): these are in no log


@contextlib.contextmanager
def event_log_shown(m: Orchard) -> Iterator[None]:
    m.prefix.env["WINEDEBUG"] = event_log_wine.WINEDEBUG
    try:
        yield
    finally:
        del m.prefix.env["WINEDEBUG"]


def assert_logged(lines: list[dict[str, Any]], said: str) -> None:
    """What it told is in the event log, each by its number and at its level, under the product's name."""
    page = (Path(__file__).resolve().parents[2] / "docs/man/surefoot-upgrade.1").read_text(encoding="utf-8")
    levels = {int(number): level for number, level in re.findall(r"^\.It (3\d\d) Ta (\w+) Ta", page, re.M)}
    told = [(line["event"], line["text"]) for line in lines if line["schema"] == "surefoot.event/1" and line["event"] not in TOLD_ALONE]
    logged = event_log_wine.records(said)
    assert [(r.id, r.level) for r in logged] == [(number, levels[number]) for number, _ in told], said
    assert {r.source for r in logged} == {"Orchard Upgrade"}, logged
    for record, (_, text) in zip(logged, told, strict=True):
        assert (text or "from 1.0.0 to 2.0.0").replace("\\", r"\\").replace('"', r"\"") in record.text, (record, text)


def test_in_the_end_it_is_upgraded_and_a_program_that_stays_open_is_ended(machine: Orchard) -> None:
    """Whatever kept it from that is gone, but for one program, which is given its time."""
    machine.write('<process name="manager.exe"/>', '<process name="manager.exe" action="terminate" terminate-after="PT3S"/>')
    with machine.prefix.helped("pid", program=r"C:\orchard\tools\manager.exe") as manager:
        code, result, _, text = machine.judge("upgrade")
        assert (code, result) == (ABORTED, "UpgradeAbortedSyncExeInUse"), text
        assert manager.poll() is None, "it has its time"
        time.sleep(4)
        assert machine.judge("check")[1] == "UpgradeAbortedSyncExeInUse" and manager.poll() is None, "a look ends nothing"
        with event_log_shown(machine):
            ran = machine.run("upgrade", cwd=machine.etc)
        assert (ran.code, ran.result) == (DONE, "Success"), ran.text
        assert_logged(ran.lines, ran.text)
        assert {302, 306, 308, 309, 311, 312, 332} <= {line.get("event") for line in ran.lines}, ran.text
        assert any(line.get("event") == 332 and "manager.exe" in line["text"] for line in ran.lines), ran.text
        manager.wait(10)
    assert (machine.version(), machine.service()) == ("2.0.0", "RUNNING")


def test_where_neither_version_starts_it_is_stuck_until_recover_can_start_one(machine: Orchard) -> None:
    """A rollback by hand, for want of another version. Is the last of this file."""
    machine.write()
    machine.tell("fail")
    ran = machine.run("rollback", cwd=machine.etc)
    assert (ran.code, ran.result) == (ROLLBACK_FAILED, "UpgradeFailedRollbackFailed-ServiceCanNotBeStarted"), ran.text
    assert machine.status()["recovery_pending"] and machine.service() == "STOPPED"
    assert machine.run("recover", cwd=machine.etc).code == ROLLBACK_FAILED
    machine.tell("run")
    assert machine.run("recover", code=DONE, cwd=machine.etc).result == "UpgradeFailedRollbackSuccess-ServiceCanNotBeStarted"
    assert (machine.version(), machine.service()) == ("2.0.0", "RUNNING") and not machine.status()["recovery_pending"]
