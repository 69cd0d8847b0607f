"""The way of an upgrade as people and schedulers see it, with the real program, a real site and a real service: install and adoption,
upgrade, run and its waiting, rollback and holds, states, checks, what is said and what is kept."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from upgrade_kit import (ABORTED, DONE, FAILED, NEWER, NOT_SUPPORTED, REFUSED, ROLLED_BACK, USAGE, Machine, World, argv, grow, stamp)

from tests.kit.servers import Ca

STARTED_IN_ORDER = ["decide", "download", "verify", "stage", "stop", "switch", "start-service", "health"]


def in_order(steps: list[str], wanted: list[str]) -> bool:
    at = iter(steps)
    return all(step in at for step in wanted)


def clock(minutes: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(minutes=minutes)).strftime("%H:%M")


# -- install ---------------------------------------------------------------------------------------------------------------


def test_install_puts_the_first_version_there(world: World) -> None:
    machine = world.machine(world.site(world.maker.release("1.0.0")))
    status = machine.status()
    assert (status["installed"], status["state"], status["kept"]) == (None, "Enabled", [])
    ran = machine.install()
    assert ran.result == "Success" and ran.outcome["to"] == "1.0.0" and "from" not in ran.outcome
    assert 337 in ran.ids and "stop" not in ran.steps
    machine.expect("1.0.0")
    attempt, = machine.history()
    assert (attempt["command"], attempt["from"], attempt["to"], attempt["result"]) == ("install", None, "1.0.0", "Success")


@pytest.mark.parametrize("switch", ["auto", "pointer"])
def test_install_says_which_folder_it_misses(world: World, switch: str) -> None:
    """What lies above the install folder is not made."""
    machine = world.machine(world.site(world.maker.release("1.0.0")), switch=switch)
    above = machine.folder / "opt"
    above.rmdir()
    ran = machine.install(code=FAILED)
    assert ran.result == "PreUpgradeFailure" and "opt: is not there; make it" in ran.text, ran.text
    assert not above.exists()
    assert "make the folder that the install folder is put into" in machine.run("doctor").out
    above.mkdir(parents=True, mode=0o755)
    assert machine.install().result == "Success"


def test_install_takes_the_newest_or_the_one_named(world: World) -> None:
    site = world.site(*(world.maker.release(v) for v in ("1.0.0", "2.0.0", "2.1.0-rc.1")))
    machine = world.machine(site)
    machine.install("--to", "1.0.0")
    machine.expect("1.0.0")
    other = world.machine(site)
    other.install()
    other.expect("2.1.0-rc.1")


@pytest.mark.parametrize("whose, is_well", [("its own", True), ("another", False), ("the system", False)])
def test_a_health_probe_over_tls_trusts_whom_it_is_told_to(world: World, tmp_path: Path, whose: str, is_well: bool) -> None:
    """What answers under the right name, and is somebody else, is not the product."""
    site = world.site(world.maker.release("1.0.0"))
    ca = {"its own": f'ca="{world.ca.file}"', "another": f'ca="{Ca(tmp_path, "other").file}"', "the system": ""}[whose]
    machine = world.machine(site, health=f'<health within="PT2S" stays-up="PT0S"><http url="{site.url}" {ca}/></health>')
    ran = machine.install(code=DONE if is_well else ROLLED_BACK)
    if is_well:
        machine.expect("1.0.0")
        return
    assert ran.result == "UpgradeFailedRollbackSuccess-HealthCheckFailed" and "certificate" in ran.text, ran.text
    assert machine.status()["installed"] is None


def test_install_again_does_nothing(world: World) -> None:
    machine = world.ready("1.0.0")
    with machine.untouched():
        ran = machine.install()
    assert ran.decision == "up-to-date"
    machine.expect("1.0.0")


def test_install_dry_run_changes_nothing(world: World) -> None:
    machine = world.machine(world.site(world.maker.release("1.0.0")))
    with machine.untouched():
        ran = machine.install("--dry-run")
    assert 334 in ran.ids and machine.status()["installed"] is None


def test_upgrade_of_what_was_never_installed_names_install(world: World) -> None:
    machine = world.machine(world.site(world.maker.release("1.0.0")))
    ran = machine.upgrade(code=FAILED)
    assert ran.result == "PreUpgradeFailure" and "surefoot install" in ran.text
    assert not machine.install_folder.exists()


def test_a_tree_that_is_a_release_is_taken_over_without_a_stop(world: World) -> None:
    site = world.site(world.maker.release("1.0.0"), world.maker.release("2.0.0"))
    machine = world.machine(site)
    grow(machine.install_folder, "1.0.0")
    assert machine.ctl("start") == 0
    with machine.untouched():
        ran = machine.install()
    assert ran.result == "Success" and 326 in ran.ids and not {"download", "stop", "switch"} & {*ran.steps}
    machine.expect("1.0.0")
    machine.upgrade()
    machine.expect("2.0.0")
    machine.run("rollback", code=DONE)
    machine.expect("1.0.0")


def test_a_tree_with_changed_configuration_is_taken_over(world: World) -> None:
    machine = world.machine(world.site(world.maker.release("1.0.0")))
    grow(machine.install_folder, "1.0.0", ini="[server]\nport = 0\nname = elm street\n\n[records]\nfolder = data\n")
    with machine.untouched():
        assert 326 in machine.install().ids


def test_a_tree_with_one_changed_byte_is_not_taken_over(world: World) -> None:
    """Any other tree is replaced by the same switch, and kept as it was."""
    machine = world.machine(world.site(world.maker.release("1.0.0")))
    grow(machine.install_folder, "1.0.0")
    (machine.install_folder / "share" / "notes.txt").write_text("Keep wet.\n" * 50, encoding="utf-8")
    ran = machine.install()
    assert ran.result == "Success" and 326 not in ran.ids and "switch" in ran.steps
    assert (machine.install_folder / "share" / "notes.txt").read_text(encoding="utf-8").startswith("Keep dry.")
    assert machine.runs() == "1.0.0"
    kept = [p for p in machine.store.rglob("notes.txt") if p.read_text(encoding="utf-8").startswith("Keep wet.")]
    assert len(kept) == 1, "the tree that was there is not kept"


# -- upgrade ---------------------------------------------------------------------------------------------------------------


def test_upgrade(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    begun = time.monotonic()
    ran = machine.upgrade()
    took_ms = (time.monotonic() - begun) * 1000
    outcome = ran.outcome
    assert (outcome["result"], outcome["from"], outcome["to"], outcome["exit_code"]) == ("Success", "1.0.0", "2.0.0", DONE)
    assert 0 < outcome["downtime_ms"] <= took_ms
    assert in_order(ran.steps, STARTED_IN_ORDER), ran.steps
    machine.expect("2.0.0")
    status = machine.status()
    assert [k["version"] for k in status["kept"]] == ["1.0.0"] and status["state"] == "Enabled" and status["reason"] is None
    attempt = machine.history()[-1]
    assert (attempt["command"], attempt["from"], attempt["to"], attempt["result"]) == ("upgrade", "1.0.0", "2.0.0", "Success")
    assert attempt["downtime_ms"] == outcome["downtime_ms"]


def test_upgrade_told_to_people(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    told = machine.upgrade(text=True).out
    assert "orchard: Success (1.0.0 to 2.0.0, stopped for " in told and "switched to 2.0.0" in told and "{" not in told
    assert "nothing newer" in machine.upgrade(text=True).out
    history = machine.run("history", text=True, code=DONE).out
    assert history.count("\n") == 2 and "1.0.0 -> 2.0.0  Success  stopped for " in history
    status = machine.run("status", text=True, code=DONE).out
    assert "orchard: Enabled" in status and "installed    2.0.0" in status and "kept         1.0.0" in status
    detail = machine.run("status", "--detail", text=True, code=DONE).out
    assert "switch       exchange" in detail and "feed mark    minisign:" in detail
    machine.run("rollback", code=DONE)
    told = machine.upgrade("--to", "2.0.0", "--quiet", text=True).out
    assert told.count("\n") == 1 and told.startswith("orchard: Success"), told


def test_upgrade_when_up_to_date_touches_nothing_and_asks_once(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.upgrade()
    name = machine.site.folder.name
    before = len([r for r in world.nginx.requests() if f"/{name}/" in r[1]])
    with machine.untouched():
        ran = machine.upgrade()
    assert ran.decision == "up-to-date" and ran.result is None and ran.outcome["newer_available"] is False
    asked = [r for r in world.nginx.requests() if f"/{name}/" in r[1]][before:]
    assert [(r[1], r[2]) for r in asked] == [(f"GET /{name}/feed.xml", "304")], asked
    assert len(machine.history()) == 2, "a look that found nothing is no attempt"


def test_upgrade_over_several_releases_takes_the_newest(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", "10.0.0", "9.0.0")
    machine.upgrade()
    machine.expect("10.0.0")


def test_dry_run_prints_the_plan_and_changes_nothing(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", files='<configuration path="conf/orchard.ini" action="keep"/><data folder="../home/data" protect="none"/>')
    with machine.untouched(machine.home / "data"):
        ran = machine.upgrade("--dry-run")
    plan = [e["text"] for e in ran.events if e["event"] == 334]
    assert any("stop" in line for line in plan) and any("switch" in line for line in plan), plan
    assert any("not rolled back" in line and "home/data" in line for line in plan), plan
    assert not machine.payloads() and len(machine.history()) == 1
    machine.expect("1.0.0")


def test_upgrade_to_a_version_by_name(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", "3.0.0")
    machine.upgrade("--to", "2.0.0")
    machine.expect("2.0.0")
    for version, says in (("4.0.0", "no release 4.0.0"), ("1.0.0", "older than 2.0.0")):
        with machine.untouched():
            ran = machine.upgrade("--to", version, code=FAILED)
        assert ran.decision in ("not-offered", "downgrade") and says in ran.text
    with machine.untouched():
        assert machine.upgrade("--to", "2.0.0").decision == "up-to-date"
        machine.upgrade("--to", "2.0", code=FAILED if machine.upgrade("--to", "2.0.0").decision != "up-to-date" else None)
        machine.upgrade("--to", "two", code=USAGE)


def test_what_only_older_feeds_offer_is_no_upgrade(world: World) -> None:
    machine = world.ready("2.0.0")
    machine.site.offer(world.maker.release("1.0.0"))
    machine.site.change("--remove", "2.0.0")
    with machine.untouched():
        assert machine.upgrade().decision == "up-to-date"


def test_check_changes_nothing(world: World) -> None:
    machine = world.ready("1.0.0")
    assert machine.run("check", "--exit-code", code=DONE).decision == "up-to-date"
    machine.site.offer(world.maker.release("2.0.0"))
    with machine.untouched():
        assert machine.run("check", code=DONE).decision == "upgrade"
        ran = machine.run("check", "--exit-code", code=NEWER)
    assert ran.outcome["newer_available"] and ran.outcome["to"] == "2.0.0" and not machine.payloads()
    assert len(machine.history()) == 1
    machine.write(checks='<setting file="../opt/orchard/conf/orchard.ini" format="ini" key="server/name" result="UpgradeNotSupportedName"><equals>no</equals></setting>')
    ran = machine.run("check", "--exit-code", code=NOT_SUPPORTED)
    assert ran.result == "UpgradeNotSupportedName" and machine.status()["state"] == "Enabled"


def test_old_versions_are_kept_as_policy_says(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='keep="2"')
    machine.upgrade()
    for version in ("3.0.0", "4.0.0"):
        machine.site.offer(world.maker.release(version))
        machine.upgrade()
    machine.expect("4.0.0")
    assert [k["version"] for k in machine.status()["kept"]] == ["3.0.0", "2.0.0"]
    machine.write(policy='keep="1"')
    machine.run("rollback", "--to", "2.0.0", code=DONE)
    machine.expect("2.0.0")


def test_a_second_upgrade_says_busy(world: World) -> None:
    machine = world.ready("1.0.0")
    machine.site.offer(world.maker.release("2.0.0", behave={"slow": "1.5"}))
    first = machine.begin("upgrade")
    try:
        until = time.monotonic() + 20
        while machine.runs() == "1.0.0" and time.monotonic() < until:
            time.sleep(0.01)
        for command in ("upgrade", "run", "rollback", "recover"):
            ran = machine.run(command, code=ABORTED)
            assert ran.result == "UpgradeAbortedAlreadyRunning" and str(first.pid) in ran.text, ran
        machine.run("disable", code=ABORTED)
        machine.run("status", code=DONE)
        machine.run("history", code=DONE)
    finally:
        first.communicate(timeout=60)
    assert first.returncode == DONE
    machine.expect("2.0.0")


# -- rollback and holds ----------------------------------------------------------------------------------------------------


def test_rollback_goes_back_and_holds_what_it_left(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"')
    machine.upgrade()
    ran = machine.run("rollback", code=DONE)
    assert ran.result == "Success" and (ran.outcome["from"], ran.outcome["to"]) == ("2.0.0", "1.0.0") and ran.outcome["downtime_ms"] > 0
    machine.expect("1.0.0")
    assert [h["version"] for h in machine.status()["holds"]] == ["2.0.0"]
    with machine.untouched():
        for command in ("run", "upgrade"):
            ran = machine.run(command, code=DONE)
            assert ran.decision == "on-hold" and "2.0.0" in ran.text
    machine.upgrade("--to", "2.0.0")
    machine.expect("2.0.0")
    assert machine.status()["holds"] == []


def test_a_newer_release_ends_the_waiting_for_one_on_hold(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"')
    machine.upgrade()
    machine.run("rollback", code=DONE)
    machine.site.offer(world.maker.release("2.0.1"))
    assert machine.run("run", code=DONE).result == "Success"
    machine.expect("2.0.1")


def test_rollback_without_a_kept_version(world: World) -> None:
    machine = world.ready("1.0.0")
    with machine.untouched():
        assert "no old version is kept" in machine.run("rollback", code=FAILED).text
        assert "1.5.0 is not kept" in machine.run("rollback", "--to", "1.5.0", code=FAILED).text


def test_rollback_dry_run(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.upgrade()
    with machine.untouched():
        assert "1.0.0" in machine.run("rollback", "--dry-run", code=DONE).text
    machine.expect("2.0.0")


def damage_file(tree: Path) -> None:
    (tree / "lib" / "part-c").write_text("1.0.0\nweeds\n", encoding="utf-8")


def damage_mode(tree: Path) -> None:
    (tree / "bin" / "orchard").chmod(0o4755)


def lose_file(tree: Path) -> None:
    (tree / "lib" / "part-a").unlink()


def link_file(tree: Path) -> None:
    (tree / "lib" / "part-a").rename(tree.parent / "aside")
    (tree / "lib" / "part-a").symlink_to(tree.parent / "aside")


@pytest.mark.parametrize("damage", [damage_file, damage_mode, lose_file, link_file])
def test_a_kept_version_that_was_changed_is_not_gone_back_to(world: World, damage: object) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.upgrade()
    tree = next(machine.store.glob("*/tree"))
    damage(tree)  # type: ignore[operator]
    with machine.untouched():
        ran = machine.run("rollback", code=REFUSED)
    assert ran.result == "PreUpgradeFailure-KeptTreeChanged" and "1.0.0" in ran.text
    machine.expect("2.0.0", result="PreUpgradeFailure-KeptTreeChanged")


def test_a_kept_version_whose_proof_was_changed_is_not_gone_back_to(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.upgrade()
    for proof in (machine.state / "proof").glob("1.0.0-*/release.xml"):
        text = proof.read_text(encoding="utf-8")
        proof.write_text(text.replace('mode="644"', 'mode="444"', 1), encoding="utf-8")
    with machine.untouched():
        machine.run("rollback", code=REFUSED)


def test_rollback_to_a_withdrawn_version_only_by_name(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.upgrade()
    machine.site.change("--withdraw", "1.0.0")
    machine.upgrade()
    with machine.untouched():
        assert "withdrawn" in machine.run("rollback", code=FAILED).text
    machine.run("rollback", "--to", "1.0.0", code=DONE)
    machine.expect("1.0.0")


# -- what the maker says ---------------------------------------------------------------------------------------------------


def test_a_release_for_download_is_taken_by_hand_alone(world: World) -> None:
    machine = world.ready("1.0.0", policy='jitter="PT0S"')
    machine.site.offer(world.maker.release("2.0.0"), "--status", "download")
    with machine.untouched():
        assert machine.run("run", code=DONE).decision == "up-to-date"
    machine.upgrade()
    machine.expect("2.0.0")


def test_a_withdrawn_release_is_taken_by_nobody(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"')
    machine.site.change("--withdraw", "2.0.0")
    with machine.untouched():
        assert machine.run("run", code=DONE).decision == "up-to-date"
        assert machine.upgrade().decision == "up-to-date"
        ran = machine.upgrade("--to", "2.0.0", code=FAILED)
    assert ran.decision == "not-offered" and "withdrawn" in ran.text


def test_the_running_version_was_withdrawn_or_its_support_ends(world: World) -> None:
    machine = world.ready("1.0.0")
    machine.site.change("--support", f"1.*={stamp(10)},P30D")
    assert 324 in machine.run("run", code=DONE).ids
    status = machine.status()
    assert status["support_warning"] and status["support_ends"] and not status["withdrawn"]
    assert "support of this version ends" in machine.run("status", text=True).out
    machine.site.change("--withdraw", "1.0.0")
    assert 325 in machine.run("run", code=DONE).ids and machine.status()["withdrawn"]
    assert "withdrawn" in machine.run("status", text=True).out


@pytest.mark.parametrize("options, says", [(["--for-os", "windows"], "system"), (["--for-arch", "s390x"], "system"), (["--from", "1.5.0.."], "1.0.0"),
                                           (["--skip", "1.0.*"], "1.0.0")], ids=["os", "arch", "from", "skip"])
def test_a_release_that_is_not_for_this_machine(world: World, options: list[str], says: str) -> None:
    machine = world.ready("1.0.0", policy='jitter="PT0S"')
    machine.site.offer(world.maker.release("2.0.0"), *options)
    with machine.untouched():
        assert machine.run("run", code=DONE).decision == "up-to-date"
        assert machine.upgrade().decision == "up-to-date"
        ran = machine.upgrade("--to", "2.0.0", code=FAILED)
    assert ran.decision == "not-offered" and says in ran.text


# -- run: when -------------------------------------------------------------------------------------------------------------


def test_run_upgrades_what_is_due(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"')
    ran = machine.run("run", code=DONE)
    assert ran.result == "Success"
    machine.expect("2.0.0")
    assert machine.history()[-1]["command"] == "run"


def test_run_waits_for_its_jitter_and_says_when(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="P20D"')
    with machine.untouched():
        first = machine.run("run", code=DONE)
        again = machine.run("run", code=DONE)
    assert first.decision == "not-due" and first.outcome["when"] == again.outcome["when"] and first.outcome["when"][:10] in first.text
    assert len(machine.history()) == 1
    machine.site.change("--expires-in", "P90D")
    assert machine.at(20.1, "run").result == "Success"
    machine.expect("2.0.0")


def test_run_waits_for_the_rollout(world: World) -> None:
    machine = world.ready("1.0.0", policy='jitter="PT0S"')
    machine.site.offer(world.maker.release("2.0.0"), "--rollout-percent", "50", "--rollout-step", "PT1H", "--rollout-start", stamp(1))
    ran = machine.run("run", code=DONE)
    assert ran.decision == "outside-cohort" and ran.outcome["when"] >= stamp(0.9)
    assert machine.at(1.1, "run").result == "Success"
    machine.expect("2.0.0")


def test_upgrade_by_hand_waits_for_nothing(world: World) -> None:
    window = f'<window from="{clock(120)}" to="{clock(180)}" zone="utc"/>'
    machine = world.ready("1.0.0", policy='jitter="P30D"', policy_more=window)
    machine.site.offer(world.maker.release("2.0.0"), "--rollout-percent", "1", "--rollout-start", stamp(5))
    machine.run("disable", code=DONE)
    machine.upgrade()
    machine.expect("2.0.0")
    assert machine.status()["state"] == "Disabled"


def test_run_keeps_to_the_maintenance_window(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"', policy_more=f'<window from="{clock(120)}" to="{clock(180)}" zone="utc"/>')
    with machine.untouched():
        assert machine.run("run", code=DONE).decision == "outside-window"
    assert machine.at(150 / 1440, "run").result == "Success"
    machine.expect("2.0.0")


@pytest.mark.parametrize("policy, decision", [('after-deadline="now"', "upgrade"), ('after-deadline="wait"', "not-due")])
def test_run_past_the_deadline(world: World, policy: str, decision: str) -> None:
    machine = world.ready("1.0.0", policy=f'jitter="P30D" {policy}', policy_more=f'<window from="{clock(120)}" to="{clock(180)}" zone="utc"/>')
    machine.site.offer(world.maker.release("2.0.0"), "--install-by", stamp(2))
    assert machine.run("run", code=DONE).decision == "not-due"
    ran = machine.at(2.01, "run")
    assert ran.decision == decision and (ran.result == "Success") == (decision == "upgrade")


def test_run_does_nothing_when_disabled(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"')
    assert machine.run("disable", code=DONE).ids == [322]
    assert machine.status()["state"] == "Disabled"
    with machine.untouched():
        ran = machine.run("run", code=DONE)
    assert ran.decision == "disabled" and "surefoot enable" in ran.text
    machine.run("enable", code=DONE)
    assert machine.status()["state"] == "Enabled"
    assert machine.run("run", code=DONE).result == "Success"


def test_the_default_state_is_the_product_files_until_somebody_sets_one(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"', policy_more='<default-state is="disabled"/>')
    assert machine.status()["state"] == "Disabled"
    assert machine.run("run", code=DONE).decision == "disabled"
    condition = '<setting file="../opt/orchard/conf/orchard.ini" format="ini" key="server/name" result="UpgradeNotSupportedName"><equals>{}</equals></setting>'
    machine.write(policy_more=f'<default-state is="enabled">{condition.format("elm")}</default-state>')
    status = machine.status()
    assert (status["state"], status["reason"]) == ("Disabled", "UpgradeNotSupportedName")
    machine.write(policy_more=f'<default-state is="enabled">{condition.format("orchard")}</default-state>')
    assert machine.run("run", code=DONE).result == "Success"
    machine.write(policy_more='<default-state is="disabled"/>')
    machine.run("enable", code=DONE)
    assert machine.status()["state"] == "Enabled"


def test_run_suspends_and_tries_again_when_its_time_has_come(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"', policy_more='<retry aborted="PT1H" not-supported="P7D"/>')
    machine.write(checks=f'<command result="UpgradeAbortedBusy">{machine.control("idle")}<exit code="3" result="UpgradeAbortedHarvest"/></command>')
    machine.told("busy")
    with machine.untouched():
        ran = machine.run("run", code=ABORTED)
        assert ran.result == "UpgradeAbortedHarvest" and 304 in ran.ids
        status = machine.status()
        assert (status["state"], status["reason"]) == ("Suspended", "UpgradeAbortedHarvest")
        ran = machine.run("run", code=DONE)
        assert ran.decision == "not-due" and "UpgradeAbortedHarvest" in ran.text
    machine.told("busy", None)
    assert machine.at(61 / 1440, "run").result == "Success"
    status = machine.status()
    assert (status["state"], status["reason"]) == ("Enabled", None)
    machine.expect("2.0.0")


def test_run_seldom_tries_what_is_not_supported(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"', policy_more='<retry not-supported="P7D"/>')
    machine.write(checks='<setting file="../opt/orchard/conf/orchard.ini" format="ini" key="server/name" result="UpgradeNotSupportedName"><equals>elm</equals></setting>')
    assert machine.run("run", code=NOT_SUPPORTED).result == "UpgradeNotSupportedName"
    assert machine.status()["state"] == "Suspended"
    assert machine.at(1, "run", code=DONE).decision == "not-due"
    machine.write(checks="")
    assert machine.at(7.1, "run").result == "Success"
    assert machine.status()["state"] == "Enabled"


def test_upgrade_by_hand_does_not_suspend(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.write(checks=f'<command result="UpgradeAbortedBusy">{machine.control("idle")}</command>')
    machine.told("busy")
    with machine.untouched():
        assert machine.upgrade(code=ABORTED).result == "UpgradeAbortedBusy"
    assert machine.status()["state"] == "Enabled" and machine.history()[-1]["result"] == "UpgradeAbortedBusy"


# -- checks ----------------------------------------------------------------------------------------------------------------


def refused_by(machine: Machine, checks: str, result: str, code: int, *says: str) -> None:
    machine.write(checks=checks)
    with machine.untouched():
        ran = machine.upgrade(code=code)
    assert ran.result == result, ran
    for words in says:
        assert words in ran.text, ran
    assert not machine.payloads()


def test_checks_each_yield_their_own_result(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", scheduler=True)
    sleeper = machine.folder / "orchard-admin"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", sleeper)
    running = subprocess.Popen([sleeper, "60"])
    lock = (machine.folder / "backup.lock").open("w")
    try:
        import fcntl
        fcntl.lockf(lock, fcntl.LOCK_EX)
        refused_by(machine, '<process name="orchard-admin"/>', "UpgradeAbortedSyncExeInUse", ABORTED, str(running.pid))
        refused_by(machine, f'<process path="{sleeper}" result="UpgradeAbortedAdmin"/>', "UpgradeAbortedAdmin", ABORTED)
        refused_by(machine, '<lock file="../backup.lock"/>', "UpgradeAbortedSyncOrConfigurationInProgress", ABORTED)
        refused_by(machine, '<group name="no-such-group"/>', "UpgradeAbortedSecurityGroupsNotPresent", ABORTED, "no-such-group")
        refused_by(machine, '<disk headroom="4096TiB"/>', "UpgradeAbortedInsufficientDiskSpace", ABORTED)
        refused_by(machine, '<os result="UpgradeNotSupportedOldSystem"><is name="plan9"/></os>', "UpgradeNotSupportedOldSystem", NOT_SUPPORTED)
        refused_by(machine, f'<command result="UpgradeAbortedX">{argv("/bin/false")}</command>', "UpgradeAbortedX", ABORTED)
        machine.ctl("scheduler-off")
        refused_by(machine, "<schedule/>", "UpgradeAbortedSyncCycleDisabled", ABORTED)
        machine.ctl("scheduler-on")
    finally:
        running.kill()
        running.wait()
        lock.close()
    machine.write(checks='<process name="orchard-admin"/><lock file="../backup.lock"/><group name="root"/><disk headroom="1MiB"/><schedule/>'
                         f'<os result="UpgradeNotSupportedX"><is name="linux" minimum="3"/></os><command result="UpgradeAbortedX">{argv("/bin/true")}</command>')
    machine.upgrade()
    machine.expect("2.0.0")


def test_all_that_does_not_hold_is_said_and_the_first_by_order_is_the_result(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.write(checks='<disk headroom="4096TiB"/><group name="no-such-group"/>'
                         f'<command result="UpgradeAbortedSyncOrConfigurationInProgress">{argv("/bin/false")}</command>'
                         '<os result="UpgradeNotSupportedOldSystem"><is name="plan9"/></os>')
    with machine.untouched():
        ran = machine.upgrade(code=NOT_SUPPORTED)
    assert [r["result"] for r in ran.outcome["reasons"]] == ["UpgradeNotSupportedOldSystem", "UpgradeAbortedSecurityGroupsNotPresent",
                                                             "UpgradeAbortedSyncOrConfigurationInProgress", "UpgradeAbortedInsufficientDiskSpace"]
    assert ran.result == "UpgradeNotSupportedOldSystem"
    assert [r["result"] for r in machine.history()[-1]["reasons"]] == [r["result"] for r in ran.outcome["reasons"]]


def test_a_service_that_does_not_run_is_not_upgraded(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    assert machine.ctl("stop") == 0
    with machine.untouched():
        assert machine.upgrade(code=ABORTED).result == "UpgradeAbortedServiceIsNotRunning"


def test_a_marker_in_the_registry_needs_one(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.write(folders='<folders state="../var/state" cache="../var/cache"/><marker registry="HKLM\\SOFTWARE\\Orchard" value="Upgrading"/>')
    with machine.untouched():
        ran = machine.upgrade(code=ABORTED)
    assert ran.result == "UpgradeAbortedCouldNotSetUpgradeMarker", ran
    assert "HKLM\\SOFTWARE\\Orchard: Upgrading: " in ran.outcome["reasons"][0]["text"]
    assert not machine.payloads()


@pytest.mark.parametrize("check", ['<lock mutex="Global\\Orchard"/>', '<group sid="S-1-5-32-544"/>',
                                   '<setting registry="HKLM\\SOFTWARE\\Orchard" value="Mode" result="UpgradeNotSupportedX"><absent/></setting>'])
def test_what_only_windows_has_is_not_found_out(world: World, check: str) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.write(checks=check)
    with machine.untouched():
        assert machine.upgrade(code=FAILED).result == "PreUpgradeFailure"
    assert not machine.payloads()


def test_a_check_that_finds_nothing_out_is_no_success(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0")
    machine.write(checks=f'<command result="UpgradeAbortedX" timeout="PT1S">{argv("/bin/sleep", "30")}</command>')
    with machine.untouched():
        ran = machine.upgrade(code=FAILED)
    assert ran.result == "PreUpgradeFailure" and "sleep" in ran.text


def test_a_program_that_stays_open_is_ended_after_its_time(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='jitter="PT0S"', policy_more='<retry aborted="PT1M"/>',
                          checks='<process name="orchard-admin" action="terminate" terminate-after="PT4H"/>')
    sleeper = machine.folder / "orchard-admin"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", sleeper)
    with subprocess.Popen([sleeper, "60"]) as running:
        assert machine.run("run").result == "UpgradeAbortedSyncExeInUse"
        assert machine.at(1 / 24, "run").result == "UpgradeAbortedSyncExeInUse"
        ran = machine.at(4.1 / 24, "run")
        assert ran.result == "Success" and 332 in ran.ids
        assert running.wait(5) == -15
    machine.expect("2.0.0")


# -- the product's own scheduler -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on", [True, False])
def test_the_products_scheduler_is_as_it_was(world: World, on: bool) -> None:
    machine = world.ready("1.0.0", "2.0.0", scheduler=True)
    machine.ctl("scheduler-on" if on else "scheduler-off")
    ran = machine.upgrade()
    assert (328 in ran.ids, 329 in ran.ids) == (on, on) and machine.ctl("scheduler-status") == (0 if on else 1)
    machine.site.offer(world.maker.release("3.0.0", behave={"unhealthy": "hail"}))
    machine.upgrade(code=ROLLED_BACK)
    assert machine.ctl("scheduler-status") == (0 if on else 1)
    machine.run("rollback", code=DONE)
    assert machine.ctl("scheduler-status") == (0 if on else 1) and machine.runs() == "1.0.0"


# -- what is written besides -----------------------------------------------------------------------------------------------


def test_metrics(world: World) -> None:
    machine = world.ready("1.0.0", "2.0.0", policy='metrics-file="../var/orchard.prom"')
    machine.upgrade()
    text = (machine.folder / "var" / "orchard.prom").read_text(encoding="utf-8")
    assert text.endswith("# EOF\n") and "2.0.0" in text and "orchard" in text
    machine.run("check", "--metrics-file", machine.folder / "var" / "other.prom", code=DONE)
    assert (machine.folder / "var" / "other.prom").read_text(encoding="utf-8").endswith("# EOF\n")


def test_doctor_says_what_to_mend(world: World) -> None:
    machine = world.ready("1.0.0")
    lines = machine.run("doctor", code=DONE).lines
    assert {line["verdict"] for line in lines} == {"well"}
    assert {"feed", "keys", "clock", "state", "switch", "service"} <= {line["check"] for line in lines}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nobody = silent.getsockname()[1]
    machine.write(feeds=[f"https://localhost:{nobody}/feed.xml"], fetch='deadline="PT2S"')
    assert machine.ctl("stop") == 0
    lines = machine.run("doctor").lines
    ill = {line["check"]: line for line in lines if line["verdict"] != "well"}
    assert {"feed", "service"} <= {*ill} and all(line["mend"] for line in ill.values()), lines


def test_words_about_a_product_that_is_not_there(world: World) -> None:
    machine = world.ready("1.0.0")
    machine.file.write_text(machine.file.read_text(encoding="utf-8").replace("<services>", "<services><weeds/>"), encoding="utf-8")
    for command in ("check", "upgrade", "run", "install", "status", "enable", "disable", "rollback", "recover", "history", "doctor"):
        ran = machine.run(command, code=USAGE, text=True)
        assert "weeds" in ran.err and "orchard.xml" in ran.err, ran
        assert machine.run(command, "--help", text=True, code=DONE).out.startswith("usage: surefoot")
    machine.file.unlink()
    assert "orchard.xml" in machine.run("status", code=USAGE, text=True).err
