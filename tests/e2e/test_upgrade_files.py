"""What an upgrade does with files that are not simply the release's: configuration, data, files that no release lists; whose they are
and with which modes; and trees behind a `current` link."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from upgrade_kit import ABORTED, DONE, NOT_SUPPORTED, ROLLED_BACK, SUREFOOT, Machine, World, argv, grow

BASE = "[server]\nport = 0\nname = orchard\n\n[records]\nfolder = data\n\n[fruit]\napples = 1\npears = 2\nplums = 3\n"
MERGE = '<configuration path="conf/orchard.ini" action="merge"/>'
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
STOPS = (ABORTED, NOT_SUPPORTED)


def ini(machine: Machine) -> Path:
    return machine.tree / "conf" / "orchard.ini"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def begin(world: World, files: str, second: dict[str, Any] | None = None, first: dict[str, Any] | None = None, **product: Any) -> Machine:
    """A machine with 1.0.0, whose site offers 2.0.0, in the trees that are described."""
    machine = world.machine(world.site(world.maker.release("1.0.0", **{"ini": BASE, **(first or {})})), files=files, **product)
    machine.install()
    machine.site.offer(world.maker.release("2.0.0", **{"ini": BASE, **(second or {})}))
    return machine


def stops_before_downtime(machine: Machine, *says: str) -> Any:
    with machine.untouched():
        ran = machine.run("upgrade")
    assert ran.code in STOPS and "stop" not in ran.steps, ran
    for words in says:
        assert words in ran.text, ran
    assert machine.runs() == "1.0.0" and not machine.status()["recovery_pending"]
    return ran


# -- configuration ---------------------------------------------------------------------------------------------------------


def test_configuration_is_kept(world: World) -> None:
    machine = begin(world, '<configuration path="conf/orchard.ini" action="keep"/>', {"ini": BASE.replace("plums = 3", "plums = 4")})
    edit(ini(machine), "apples = 1", "apples = 17")
    kept = ini(machine).read_bytes()
    machine.upgrade()
    machine.expect("2.0.0")
    assert ini(machine).read_bytes() == kept
    machine.run("rollback", code=DONE)
    assert ini(machine).read_bytes() == kept


def test_configuration_that_was_taken_away_stays_away(world: World) -> None:
    machine = begin(world, '<configuration path="conf/extra.ini" action="keep"/><configuration path="conf/orchard.ini" action="keep"/>',
                    {"extra": {"conf/extra.ini": "more\n"}}, {"extra": {"conf/extra.ini": "some\n"}})
    (machine.tree / "conf" / "extra.ini").unlink()
    ran = machine.run("upgrade")
    assert ran.code == DONE, ran
    path = machine.tree / "conf" / "extra.ini"
    assert not path.exists() or path.read_text(encoding="utf-8") == "more\n"


def test_configuration_is_replaced(world: World) -> None:
    new = BASE.replace("plums = 3", "plums = 4")
    machine = begin(world, '<configuration path="conf/orchard.ini" action="replace"/>', {"ini": new})
    edit(ini(machine), "apples = 1", "apples = 17")
    machine.upgrade()
    machine.expect("2.0.0")
    assert ini(machine).read_text(encoding="utf-8") == new


def test_configuration_is_merged(world: World) -> None:
    machine = begin(world, MERGE, {"ini": BASE.replace("plums = 3", "plums = 4\nquinces = 5")})
    edit(ini(machine), "apples = 1", "apples = 17")
    edit(ini(machine), "name = orchard", "name = elm street\n; ours")
    machine.upgrade()
    machine.expect("2.0.0")
    merged = ini(machine).read_text(encoding="utf-8")
    assert merged == BASE.replace("plums = 3", "plums = 4\nquinces = 5").replace("apples = 1", "apples = 17").replace("name = orchard", "name = elm street\n; ours")
    machine.site.offer(world.maker.release("3.0.0", ini=BASE.replace("plums = 3", "plums = 40\nquinces = 5")))
    machine.upgrade()
    assert ini(machine).read_text(encoding="utf-8") == merged.replace("plums = 4", "plums = 40"), "the base of the second merge is the second release's"


def test_configuration_that_nobody_changed_is_the_releases(world: World) -> None:
    new = BASE.replace("plums = 3", "plums = 4").replace("[fruit]\n", "")
    machine = begin(world, MERGE, {"ini": new})
    machine.upgrade()
    assert ini(machine).read_text(encoding="utf-8") == new


def test_a_conflict_stops_before_any_downtime(world: World) -> None:
    machine = begin(world, MERGE, {"ini": BASE.replace("plums = 3", "plums = 4")})
    edit(ini(machine), "plums = 3", "plums = 30")
    stops_before_downtime(machine, "conf/orchard.ini")
    edit(ini(machine), "plums = 30", "plums = 4")
    machine.upgrade()
    machine.expect("2.0.0")
    assert "<<<<" not in ini(machine).read_text(encoding="utf-8")


def test_a_merge_without_a_base_stops_before_any_downtime(world: World) -> None:
    site = world.site(world.maker.release("1.0.0", ini=BASE))
    machine = world.machine(site, files=MERGE)
    grow(machine.install_folder, "1.0.0", ini=BASE.replace("apples = 1", "apples = 17"))
    assert machine.ctl("start") == 0
    assert 326 in machine.install().ids
    site.offer(world.maker.release("2.0.0", ini=BASE.replace("plums = 3", "plums = 4")))
    stops_before_downtime(machine, "conf/orchard.ini")


def with_stop_that_edits(machine: Machine, old: str, new: str) -> None:
    """The service writes its configuration while it stops, as some do."""
    script = machine.etc / "stop"
    script.write_text(f'#!/bin/sh\nsed -i "s/{old}/{new}/" "{ini(machine)}"\nexec "{machine.tree}/bin/orchardctl" stop "{machine.home}"\n', encoding="utf-8")
    script.chmod(0o755)
    machine.write(services=f'<service name="orchard"><start>{machine.control("start")}</start><stop>{argv(script)}</stop>'
                           f'<status>{machine.control("status")}</status></service>')


def test_configuration_that_changes_while_it_stops_is_merged_again(world: World) -> None:
    machine = begin(world, MERGE, {"ini": BASE.replace("plums = 3", "plums = 4")})
    with_stop_that_edits(machine, "apples = 1$", "apples = 99")
    machine.upgrade()
    machine.expect("2.0.0")
    assert ini(machine).read_text(encoding="utf-8") == BASE.replace("plums = 3", "plums = 4").replace("apples = 1", "apples = 99")


def test_kept_configuration_that_changes_while_it_stops_is_kept(world: World) -> None:
    machine = begin(world, '<configuration path="conf/orchard.ini" action="keep"/>')
    with_stop_that_edits(machine, "apples = 1$", "apples = 99")
    machine.upgrade()
    machine.expect("2.0.0")
    assert "apples = 99" in ini(machine).read_text(encoding="utf-8")


def test_configuration_that_conflicts_only_after_the_stop_brings_the_old_version_back(world: World) -> None:
    machine = begin(world, MERGE, {"ini": BASE.replace("plums = 3", "plums = 4")})
    with_stop_that_edits(machine, "plums = 3$", "plums = 99")
    ran = machine.run("upgrade")
    assert ran.code in (ABORTED, NOT_SUPPORTED, ROLLED_BACK) and "conf/orchard.ini" in ran.text, ran
    assert machine.runs() == "1.0.0" and "plums = 99" in ini(machine).read_text(encoding="utf-8")
    machine.expect("1.0.0", result=None)


# -- files that no release lists -------------------------------------------------------------------------------------------


def add(machine: Machine, *names: str) -> None:
    for name in names:
        path = machine.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n", encoding="utf-8")
        path.chmod(0o640)


def test_unlisted_files_stop_an_upgrade_and_are_named(world: World) -> None:
    machine = begin(world, "", unlisted="stop")
    add(machine, "plugins/pruner.so", "lib/stray")
    stops_before_downtime(machine, "plugins", "lib/stray")


def test_unlisted_files_are_carried_or_left_behind(world: World) -> None:
    machine = begin(world, '<unlisted path="logs" action="leave-behind"/><unlisted path="logs/audit" action="carry"/><unlisted path="plugins/old" action="leave-behind"/>',
                    unlisted="carry")
    add(machine, "plugins/pruner.so", "plugins/old/saw.so", "logs/today", "logs/audit/all", "lib/stray")
    (machine.tree / "plugins" / "link").symlink_to("pruner.so")
    (machine.tree / "plugins" / "empty").mkdir()
    machine.upgrade()
    machine.expect("2.0.0")
    there = {p.relative_to(machine.tree).as_posix() for folder in ("plugins", "logs", "lib") for p in (machine.tree / folder).rglob("*") if not p.is_dir()}
    assert {"plugins/pruner.so", "plugins/link", "logs/audit/all", "lib/stray"} <= there
    assert not {"plugins/old/saw.so", "logs/today"} & there
    assert stat.S_IMODE((machine.tree / "plugins" / "pruner.so").stat().st_mode) == 0o640
    assert os.readlink(machine.tree / "plugins" / "link") == "pruner.so"
    old = next(machine.store.glob("1.0.0-*/tree"))
    assert (old / "logs" / "today").exists() and (old / "plugins" / "old" / "saw.so").exists()
    machine.run("rollback", code=DONE)
    machine.expect("1.0.0")
    assert (machine.tree / "logs" / "today").exists() and (machine.tree / "plugins" / "pruner.so").exists()


def test_what_a_release_no_longer_lists_goes_and_its_changes_do_not_count(world: World) -> None:
    machine = begin(world, "", {"without": ["share/notes.txt"], "extra": {"share/new.txt": "new\n"}}, unlisted="stop")
    machine.upgrade()
    machine.expect("2.0.0")
    assert sorted(os.listdir(machine.tree / "share")) == ["far", "new.txt"]


# -- data ------------------------------------------------------------------------------------------------------------------


INSIDE = BASE.replace("folder = data", "folder = ./data")


def records(machine: Machine, n: int) -> None:
    for _ in range(n):
        machine.get("/records", "POST")


@pytest.mark.parametrize("switch", ["exchange", "pointer"])
def test_data_inside_the_tree_moves_along(world: World, switch: str) -> None:
    machine = begin(world, '<data path="data" protect="snapshot"/>', {"ini": INSIDE, "schema": 2}, {"ini": INSIDE}, switch=switch)
    records(machine, 3)
    before = (machine.tree / "data" / "orchard.db").stat().st_ino
    machine.upgrade()
    machine.expect("2.0.0")
    assert machine.get("/records") == "3" and (machine.tree / "data" / "orchard.db").stat().st_ino == before, "moved, not copied"
    assert not [p for p in machine.store.rglob("orchard.db")], "a copy of the data is left"


@pytest.mark.parametrize("switch", ["exchange", "pointer"])
def test_data_inside_the_tree_is_put_back(world: World, switch: str) -> None:
    machine = begin(world, '<data path="data" protect="snapshot"/>', {"ini": INSIDE, "schema": 2, "behave": {"unhealthy": "hail"}}, {"ini": INSIDE}, switch=switch)
    records(machine, 3)
    before = (machine.tree / "data" / "orchard.db").read_bytes()
    ran = machine.upgrade(code=ROLLED_BACK)
    assert "not ripe" in ran.text or "503" in ran.text
    assert machine.get("/records") == "3" and (machine.tree / "data" / "orchard.db").read_bytes() == before
    machine.expect("1.0.0", result=None)


def backup_commands(machine: Machine) -> str:
    """Commands that a database's own tools could be."""
    data, aside = machine.home / "data", machine.folder / "backup"
    (machine.etc / "backup").write_text(f'#!/bin/sh\nset -e\nrm -rf "{aside}"\ncp -a "{data}" "{aside}"\n', encoding="utf-8")
    (machine.etc / "restore").write_text(f'#!/bin/sh\nset -e\nrm -rf "{data}"\ncp -a "{aside}" "{data}"\n', encoding="utf-8")
    for name in ("backup", "restore"):
        (machine.etc / name).chmod(0o755)
    return f'<backup>{argv(machine.etc / "backup")}</backup><restore>{argv(machine.etc / "restore")}</restore>'


@pytest.mark.parametrize("protect, survives", [("snapshot", True), ("command", True), ("none", False)])
def test_data_outside_the_tree(world: World, protect: str, survives: bool) -> None:
    """2.0.0 migrates the records to what 1.0.0 can't read, and is not well."""
    machine = begin(world, "", {"schema": 2, "behave": {"unhealthy": "hail"}})
    machine.write(files=f'<data folder="../home/data" protect="{protect}">{backup_commands(machine) if protect == "command" else ""}</data>')
    records(machine, 3)
    before = (machine.home / "data" / "orchard.db").read_bytes()
    ran = machine.upgrade(code=ROLLED_BACK if survives else 7)
    if survives:
        assert machine.get("/records") == "3" and (machine.home / "data" / "orchard.db").read_bytes() == before
        machine.expect("1.0.0", result=None)
    else:
        assert machine.runs() is None and (machine.tree / "lib" / "version").read_text(encoding="utf-8") == "1.0.0\n"
        assert "schema 2" in ran.text or "does not start" in ran.text, ran


def test_data_of_a_good_upgrade_is_not_put_back(world: World) -> None:
    machine = begin(world, '<data folder="../home/data" protect="snapshot"/>', {"schema": 2})
    records(machine, 3)
    machine.upgrade()
    records(machine, 1)
    assert machine.get("/records") == "4"
    assert not [p for p in (machine.folder / "opt").rglob("orchard.db")] + [p for p in (machine.folder / "var").rglob("orchard.db")], "a snapshot is left"


def test_a_rollback_by_hand_to_what_cannot_read_the_data_ends_where_it_began(world: World) -> None:
    """Data stays as it is by hand; 1.0.0 does not start with it, and 2.0.0 is put back."""
    machine = begin(world, '<data folder="../home/data" protect="snapshot"/>', {"schema": 2})
    machine.upgrade()
    records(machine, 2)
    machine.run("rollback", code=ROLLED_BACK)
    assert machine.runs() == "2.0.0" and machine.get("/records") == "2"
    machine.expect("2.0.0", result=None)


def test_a_backup_that_fails_stops_it_and_the_old_version_runs(world: World) -> None:
    machine = begin(world, "")
    backup_commands(machine)
    (machine.etc / "backup").write_text("#!/bin/sh\necho the vault is full >&2\nexit 1\n", encoding="utf-8")
    machine.write(files=f'<data folder="../home/data" protect="command"><backup>{argv(machine.etc / "backup")}</backup><restore>{argv(machine.etc / "restore")}</restore></data>')
    ran = machine.run("upgrade")
    assert ran.code in (ABORTED, ROLLED_BACK) and "the vault is full" in ran.text, ran
    machine.expect("1.0.0", result=None)


@needs_root
def test_another_file_system_inside_the_tree_is_not_supported(world: World) -> None:
    machine = begin(world, '<data path="data" protect="none"/>', unlisted="carry")
    place = machine.tree / "data"
    place.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "orchard-test", place], capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        ran = machine.run("upgrade", code=NOT_SUPPORTED)
        assert "data" in ran.text and machine.runs() == "1.0.0"
    finally:
        subprocess.run(["umount", place], check=True)


# -- owners, modes, links --------------------------------------------------------------------------------------------------


def test_modes_are_the_releases_whatever_the_umask(world: World) -> None:
    machine = begin(world, "", {"extra": {"bin/tool": "#!/bin/sh\n"}})
    with subprocess.Popen(["sh", "-c", 'umask 077; exec "$@"', "sh", SUREFOOT, *machine.command("upgrade")], stdout=subprocess.DEVNULL) as done:
        assert done.wait(60) == DONE
    machine.expect("2.0.0")
    for path in machine.tree.rglob("*"):
        wanted = 0o755 if path.is_dir() or path.parent.name == "bin" else 0o644
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    assert stat.S_IMODE(machine.tree.stat().st_mode) == 0o755


@needs_root
def test_configuration_and_carried_files_keep_owner_mode_and_attributes(world: World) -> None:
    machine = begin(world, MERGE + '<unlisted path="plugins" action="carry"/>', {"ini": BASE.replace("plums = 3", "plums = 4")})
    edit(ini(machine), "apples = 1", "apples = 17")
    add(machine, "plugins/pruner.so")
    for path in (ini(machine), machine.tree / "plugins" / "pruner.so"):
        os.chown(path, 0, 65534)
        path.chmod(0o640)
        try:
            os.setxattr(path, "user.note", b"ours")
        except OSError:
            pass
    machine.upgrade()
    machine.expect("2.0.0")
    for path in (ini(machine), machine.tree / "plugins" / "pruner.so"):
        assert (path.stat().st_uid, path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (0, 65534, 0o640), path
        assert os.listxattr(path) == os.listxattr(next(machine.store.glob("1.0.0-*/tree")) / path.relative_to(machine.tree)), path


def test_links_of_a_release(world: World, tmp_path: Path) -> None:
    trees = []
    for version in ("1.0.0", "2.0.0"):
        tree = grow(tmp_path / version, version)
        (tree / "lib" / "liborchard.so").symlink_to("version")
        (tree / "lib" / "up").symlink_to("../share/notes.txt")
        (tree / "empty").mkdir()
        trees.append(world.maker.release_of(tree, version, [], tmp_path / "store" / version))
    machine = world.machine(world.site(trees[0]))
    machine.install()
    machine.site.offer(trees[1])
    machine.upgrade()
    machine.expect("2.0.0")
    assert os.readlink(machine.tree / "lib" / "liborchard.so") == "version" and (machine.tree / "lib" / "liborchard.so").read_text(encoding="utf-8") == "2.0.0\n"
    assert os.readlink(machine.tree / "lib" / "up") == "../share/notes.txt" and (machine.tree / "empty").is_dir()


def test_an_installed_file_that_was_altered_is_not_reused(world: World) -> None:
    machine = begin(world, "", unlisted="carry")
    path = machine.tree / "share" / "notes.txt"
    st = path.stat()
    path.write_text("Keep wet.\n" * 50, encoding="utf-8")
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
    ran = machine.run("upgrade")
    if ran.code != DONE:
        assert ran.code in STOPS and "share/notes.txt" in ran.text, ran
        return
    assert path.read_text(encoding="utf-8") == "Keep dry.\n" * 50


def test_an_installed_file_that_somebody_holds_open_cannot_change_the_new_tree(world: World) -> None:
    machine = begin(world, "")
    path = machine.tree / "share" / "notes.txt"
    with path.open("r+b") as held:
        machine.upgrade()
        held.write(b"weeds")
        held.flush()
    assert path.read_text(encoding="utf-8") == "Keep dry.\n" * 50


@needs_root
@pytest.mark.parametrize("owner, mode", [(65534, 0o644), (0, 0o666)], ids=["the service's own", "writable by all"])
def test_an_installed_file_that_others_may_write_is_not_shared_with_the_new_tree(world: World, owner: int, mode: int) -> None:
    machine = begin(world, "")
    path = machine.tree / "share" / "notes.txt"
    os.link(path, machine.folder / "second")
    os.chown(path, owner, owner)
    path.chmod(mode)
    machine.upgrade()
    (machine.folder / "second").write_bytes(b"weeds")
    assert path.read_text(encoding="utf-8") == "Keep dry.\n" * 50


# -- behind a link ---------------------------------------------------------------------------------------------------------


def test_pointer(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", switch="pointer")
    assert os.readlink(machine.install_folder / "current").startswith("versions/1.0.0-")
    machine.upgrade()
    machine.expect("2.0.0")
    assert machine.status()["switch"] == "pointer" and os.readlink(machine.install_folder / "current").startswith("versions/2.0.0-")
    machine.site.offer(world.maker.release("3.0.0", behave={"no-start": ""}))
    machine.upgrade(code=ROLLED_BACK)
    machine.expect("2.0.0", result=None)
    machine.run("rollback", code=DONE)
    machine.expect("1.0.0")
    assert os.readlink(machine.install_folder / "current").startswith("versions/1.0.0-")


def test_the_mode_of_the_switch_is_kept(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    text = machine.file.read_text(encoding="utf-8")
    machine.file.write_text(text.replace('switch="auto"', 'switch="pointer"'), encoding="utf-8")
    with machine.untouched():
        ran = machine.run("upgrade")
    if ran.code != DONE:
        assert ran.code == NOT_SUPPORTED and "exchange" in ran.text
