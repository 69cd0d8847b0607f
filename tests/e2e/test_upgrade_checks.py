"""Checks of a product file that ask databases and settings, through the program and with real ones (PostgreSQL and SQLite by ODBC; files in INI,
XML and JSON): what holds lets an upgrade go on, what does not is its own result, what cannot be found out is no success. And schedules."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from conftest import PROGRAM
from test_database import needs_sqlite, of, server  # noqa: F401 (a fixture: PostgreSQL)
from upgrade_kit import ABORTED, DONE, FAILED, NOT_SUPPORTED, Machine, World

from tests.kit import databases as kit

NO_RIGHTS = "UpgradeAbortedInsufficientDatabasePermissions"
NOT_LOCAL = "UpgradeNotSupportedNonLocalDbInstall"
TOO_LARGE = "UpgradeNotSupportedLocalDbSizeExceeded"


def judged(machine: Machine, checks: str, result: str | None, says: str = "") -> None:
    """What `check` says of these checks: None, all hold. It comes with every reason, and touches nothing."""
    machine.write(checks=checks)
    ran = machine.run("check")
    reasons = [r["result"] for r in ran.outcome["reasons"]]
    assert reasons == ([] if result is None else [result]), ran
    assert says in ran.text, ran


@pytest.fixture(scope="module")
def machine(upgrade_world: World) -> Iterator[Machine]:
    """One for all of this file: nothing here changes it."""
    site = upgrade_world.site(upgrade_world.maker.release("1.0.0"))
    with upgrade_world.lasting(site) as machine:
        machine.install()
        site.offer(upgrade_world.maker.release("2.0.0"))
        yield machine


# -- databases ------------------------------------------------------------------------------------------------------------------


def database(connection: str, more: str = "", **words: str) -> str:
    from xml.sax.saxutils import quoteattr
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in words.items())
    return f"<database connection={quoteattr(connection)}{attributes}>{more}</database>"


@needs_sqlite
def test_sqlite(machine: Machine) -> None:
    path = machine.home / "inventory.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE trees (name TEXT)")
        db.executemany("INSERT INTO trees VALUES (?)", [("apple" * 400,)] * 1000)
    db.close()
    assert path.stat().st_size > 1 << 20
    judged(machine, database(of(path)), None)
    judged(machine, database(of(path), '<kind is="sqlite"/><size below="1GiB"/><right name="CREATE"/>'), None)
    judged(machine, database(of(path), '<kind is="localdb sqlserver"/>'), NOT_LOCAL, "SQLite")
    judged(machine, database(of(path), '<size below="1MiB"/>'), TOO_LARGE)
    judged(machine, database(of(path), '<size below="1MiB" result="UpgradeNotSupportedInventoryTooLarge"/>'), "UpgradeNotSupportedInventoryTooLarge")
    judged(machine, database(of(machine.home / "none.db")), NO_RIGHTS)
    assert not (machine.home / "none.db").exists()
    path.write_bytes(b"apples and pears" * 100)
    judged(machine, database(of(path)), NO_RIGHTS)
    machine.write(checks=database(of(path), result="UpgradeAbortedInventoryDamaged"))
    with machine.untouched():
        assert machine.upgrade(code=ABORTED).result == "UpgradeAbortedInventoryDamaged"


@needs_sqlite
def test_a_connection_that_is_in_a_file_of_its_own_is_never_shown(machine: Machine) -> None:
    secret = "hunter2hunter2"
    connection = machine.etc / "connection"
    connection.write_text(f"Driver=SQLite3;Database={machine.home}/none.db;PWD={secret}\n", encoding="utf-8")
    connection.chmod(0o600)
    machine.write(checks='<database connection-file="connection"/>')
    for words in (("check",), ("check", "--verbose"), ("doctor",), ("history",)):
        ran = machine.run(*words)
        assert secret not in ran.out + ran.err, ran


def test_postgresql(machine: Machine, server: kit.Postgres) -> None:
    connection = server.connection("orchard")
    judged(machine, database(connection, '<kind is="postgresql"/><size below="1GiB"/><right name="CREATE"/><right name="CONNECT" account="low"/>'), None)
    judged(machine, database(connection, '<right name="CREATE" account="low"/>'), NO_RIGHTS, "low")
    judged(machine, database(connection, '<kind is="localdb"/>'), NOT_LOCAL, "PostgreSQL")
    judged(machine, database(connection, '<size below="1MiB"/>'), TOO_LARGE)
    judged(machine, database(server.connection("orchard", password="wrong")), NO_RIGHTS)
    judged(machine, database(server.connection("orchard", database="nowhere")), NO_RIGHTS)
    machine.write(checks=database(connection))
    ran = machine.run("check")
    assert not [p for p in server.passwords.values() if p in ran.out + ran.err]


def test_a_database_that_was_killed(machine: Machine, server: kit.Postgres) -> None:
    connection = server.connection("orchard")
    judged(machine, database(connection), None)
    server.stop()
    try:
        judged(machine, database(connection), NO_RIGHTS)
        with machine.untouched():
            assert machine.upgrade(code=ABORTED).result == NO_RIGHTS
    finally:
        server.start()
    judged(machine, database(connection), None)


# -- settings -------------------------------------------------------------------------------------------------------------------

STAGING = "UpgradeNotSupportedStagingModeEnabled"
FILES = {
    "ini": ("[sync]\nmode = {}\n[other]\nx = 1\n", "sync/mode"),
    "xml": ('<?xml version="1.0"?>\n<config><sync mode="{}"/></config>\n', "config/sync/@mode"),
    "json": ('{{"sync": {{"mode": "{}", "n": [1, 2]}}}}\n', "sync/mode"),
}


def setting(name: str, key: str, holds: str) -> str:
    return f'<setting file="../home/{name}" format="{name.partition(".")[2]}" key="{key}" result="{STAGING}">{holds}</setting>'


@pytest.mark.parametrize("kind", FILES)
def test_settings(machine: Machine, kind: str) -> None:
    form, key = FILES[kind]
    path = machine.home / f"settings.{kind}"
    path.write_text(form.format("active"), encoding="utf-8")
    judged(machine, setting(path.name, key, "<equals>active</equals>"), None)
    judged(machine, setting(path.name, key, "<equals>idle</equals><equals>active</equals>"), None)
    judged(machine, setting(path.name, key, "<not-equals>staging</not-equals>"), None)
    judged(machine, setting(path.name, key, "<present/>"), None)
    judged(machine, setting(path.name, key + "s", "<absent/>"), None)
    judged(machine, setting(path.name, key, "<absent/>"), STAGING)
    judged(machine, setting(path.name, key + "s", "<present/>"), STAGING)
    path.write_text(form.format("staging"), encoding="utf-8")
    judged(machine, setting(path.name, key, "<equals>active</equals>"), STAGING, key)
    judged(machine, setting(path.name, key, "<not-equals>staging</not-equals>"), STAGING, key)
    with machine.untouched():
        assert machine.upgrade(code=NOT_SUPPORTED).result == STAGING


@pytest.mark.parametrize("kind, text", [("ini", "[sync]\nmode = a\nmode = b\n"), ("xml", "<config><sync mode='a'/><sync mode='b'/></config>"),
                                        ("json", '{"sync": {"mode": "a", "mode": "b"}}'), ("json", '{"sync": {"mode": "a"}'), ("xml", "<config><sync")])
def test_a_setting_that_two_programs_would_read_differently_is_no_success(machine: Machine, kind: str, text: str) -> None:
    path = machine.home / f"twice.{kind}"
    path.write_text(text, encoding="utf-8")
    machine.write(checks=setting(path.name, FILES[kind][1], "<equals>a</equals>"))
    with machine.untouched():
        ran = machine.upgrade(code=FAILED)
    assert ran.result == "PreUpgradeFailure" and path.name in ran.text, ran


# -- schedules ------------------------------------------------------------------------------------------------------------------


def test_schedules_are_units_that_systemd_reads(world: World) -> None:
    """Written by an ordinary user, who has a folder of his own for units; what the system's would be is shown."""
    if os.geteuid() != 0 or shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here, or we are no root that becomes somebody else")
    machine = world.machine(world.site(world.maker.release("1.0.0")))
    machine.give_to(65534)
    machine.env |= {"XDG_CONFIG_HOME": str(machine.folder / "config"), "XDG_RUNTIME_DIR": ""}
    shown = machine.run("schedule", "show", code=DONE, text=True).out
    assert "surefoot-orchard.timer" in shown and "surefoot-orchard-recover.service" in shown and "cron" in shown, shown
    machine.run("schedule", "install", text=True)
    folder = machine.folder / "config" / "systemd" / "user"
    units = sorted(p.name for p in folder.glob("*.*") if p.is_file())
    assert units == ["surefoot-orchard-recover.service", "surefoot-orchard.service", "surefoot-orchard.timer"], shown
    for name in units:
        text = (folder / name).read_text(encoding="utf-8")
        assert str(machine.file) in text or name.endswith(".timer")
        done = subprocess.run(["systemd-analyze", "verify", "--user", "--man=no", "--recursive-errors=no", folder / name], capture_output=True, text=True,
                              env={**os.environ, "XDG_RUNTIME_DIR": str(machine.folder)}, timeout=30, check=False)
        said = [line for line in done.stderr.splitlines() if "surefoot" in line and "network-online" not in line]
        assert done.returncode == 0 and not said, (name, done.stderr, text)
    machine.run("schedule", "remove", text=True)
    assert not [p for p in folder.rglob("*") if "surefoot" in p.name]


def test_a_schedule_as_json(world: World) -> None:
    machine = world.machine(world.site(world.maker.release("1.0.0")))
    if os.geteuid() == 0:                                          # the system's own folder of units is nothing for a test to write in
        machine.give_to(65534)
    machine.env |= {"HOME": str(machine.folder), "XDG_CONFIG_HOME": str(machine.folder / "config"), "XDG_RUNTIME_DIR": ""}
    shown = machine.run("schedule", "show", code=DONE).lines
    assert [(line["kind"], line["installed"]) for line in shown] == [("service", False), ("timer", False), ("recover", False), ("cron", None)]
    assert all(line["text"] for line in shown) and "surefoot run" in shown[3]["text"].replace('"', "").replace("'", ""), shown[3]
    written = machine.run("schedule", "install", code=DONE).lines
    assert [(line["kind"], line["installed"], line["text"]) for line in written] == [(kind, True, None) for kind in ("service", "timer", "recover")]
    assert all(Path(line["path"]).is_file() for line in written)
    assert [Path(line["path"]).read_text(encoding="utf-8") for line in written] == [line["text"] for line in shown[:3]]
    removed = machine.run("schedule", "remove", code=DONE).lines
    assert [line["installed"] for line in removed] == [False] * 3 and not [line for line in removed if Path(line["path"]).exists()]


def test_a_schedule_names_a_program_behind_a_pointer_by_the_pointer(world: World) -> None:
    """Surefoot may itself be a product whose versions lie beside each other: the folder of one of them is gone one day."""
    machine = world.machine(world.site(world.maker.release("1.0.0")))
    home = machine.folder / "opt"
    for version in ("1", "2"):
        (home / "versions" / version).mkdir(parents=True)
        shutil.copy(PROGRAM, home / "versions" / version / "surefoot")
    (home / "current").symlink_to("versions/2")

    def named(program: Path) -> set[str]:
        done = subprocess.run([program, "schedule", "show", machine.file], capture_output=True, text=True, timeout=30, check=True)
        return set(re.findall(r"/[^\s'\"]*/opt/[^\s'\"]*/surefoot\b", done.stdout))
    assert named(home / "current/surefoot") == {f"{home}/current/surefoot"}
    assert named(home / "versions/2/surefoot") == {f"{home}/current/surefoot"}
    assert named(home / "versions/1/surefoot") == {f"{home}/versions/1/surefoot"}, "which the pointer does not lead to"
