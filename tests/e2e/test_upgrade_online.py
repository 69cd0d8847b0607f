"""<revocation>online in a product file: feeds and payloads signed by certificates, whose lists lie on a server that may be gone or say
that the signer is revoked. What was proven before is recalled without asking anyone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from upgrade_kit import DONE, REFUSED, Machine, World, publish

from tests.kit import pki as pk
from tests.kit.servers import Hostile, answer


def day(days: int) -> str:
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%d")


class Lists:
    """A maker's certificate, and where the lists of its issuers lie."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder, self.server = folder, Hostile()
        ends: dict[str, Any] = {"before": day(-400), "after": day(400)}
        self.inter = pk.intermediate(cn="Kit Makers", exts=[*pk.CA_EXTS, pk.crl_points(self.server.url("/root.crl"))], **ends)
        self.leaf = pk.leaf(self.inter, exts=[*pk.SIGNER_EXTS, pk.crl_points(self.server.url("/inter.crl"))], **ends)
        self.anchor = pk.write_pem(folder / "root.pem", pk.pki().root)
        pk.write_pem(folder / "maker.pem", self.leaf, self.inter)
        (folder / "maker.key").write_bytes(self.leaf.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self.sign = ["--cert", folder / "maker.pem", "--cert-key", folder / "maker.key"]
        self.trust = f"<cms><anchors>{self.anchor}</anchors><publisher>{pk.PUBLISHER}</publisher><revocation>online</revocation></cms>"
        self.serve()

    def serve(self, *revoked: pk.Cert) -> None:
        for path, issuer, entries in (("/root.crl", pk.pki().root, []), ("/inter.crl", self.inter, [pk.revoked(c, day(-30), 1) for c in revoked])):
            data = pk.crl(issuer, entries, this=day(-1), next=day(30))
            self.server.on(path, lambda talk, request, d=data: talk.send(answer(200, d)))

    def asked(self) -> list[str]:
        paths = sorted(r.path for r in self.server.seen)
        self.server.seen.clear()
        return paths


BOTH = ["/inter.crl", "/root.crl"]


@pytest.fixture
def lists(tmp_path: Path) -> Iterator[Lists]:
    made = Lists(tmp_path / "lists")
    yield made
    made.server.close()


def machine_of(world: World, lists: Lists, *versions: str) -> Machine:
    site = world.site()
    for version in versions:
        release = world.maker.release(version, ["--demand", "cms", "--publisher", pk.PUBLISHER, *lists.sign])
        site.put(release)
        first = [] if site.feed.exists() else ["--product", "orchard"]
        publish("feed", site.folder, *first, "--add", version, *lists.sign, "--quiet")
    return world.machine(site, trust_feed=lists.trust, trust_payload=lists.trust)


def test_feed_and_payload_each_list_once_a_run(world: World, lists: Lists) -> None:
    machine = machine_of(world, lists, "1.0")
    machine.install()
    machine.expect("1.0")
    assert lists.asked() == BOTH, "feed and payload have one issuer: nothing is asked twice"
    machine.run("check", code=DONE)
    assert lists.asked() == BOTH
    machine.status()
    assert lists.asked() == [], "what is recalled needs no network"


def test_a_revoked_maker_is_refused_before_anything_is_fetched(world: World, lists: Lists) -> None:
    machine = machine_of(world, lists, "1.0")
    lists.serve(lists.leaf)
    ran = machine.install(code=REFUSED)
    assert ran.result == "PreUpgradeFailure-Revoked", str(ran)
    assert not machine.install_folder.exists() and lists.asked() == BOTH


def test_a_list_that_cannot_be_had_refuses_and_says_where(world: World, lists: Lists) -> None:
    machine = machine_of(world, lists, "1.0", "1.1")
    machine.install("--to", "1.0")
    lists.server.on("/inter.crl", lambda talk, request: talk.send(answer(404)))
    with machine.untouched():
        ran = machine.upgrade(code=REFUSED)
    assert ran.result == "PreUpgradeFailure-RevocationUnknown", str(ran)
    assert "no revocation list from the issuer" in ran.text
    machine.expect("1.0", None)


def test_going_back_needs_no_list(world: World, lists: Lists) -> None:
    machine = machine_of(world, lists, "1.0", "1.1")
    machine.install("--to", "1.0")
    machine.upgrade()
    machine.expect("1.1")
    lists.server.close()
    lists.asked()
    machine.run("rollback", code=DONE)
    machine.expect("1.0", None)
    assert lists.asked() == []


def test_verify_release_looks_as_a_client_does(world: World, lists: Lists) -> None:
    machine = machine_of(world, lists, "1.0")
    publish("verify-release", machine.site.folder, "--product-file", machine.file)
    assert lists.asked() == BOTH
    lists.serve(lists.leaf)
    assert "Revoked" in publish("verify-release", machine.site.folder, "--product-file", machine.file, code=3)


def test_off_asks_nobody(world: World, lists: Lists) -> None:
    machine = machine_of(world, lists, "1.0")
    off = lists.trust.replace("<revocation>online</revocation>", "")
    machine.write(trust_feed=off, trust_payload=off)
    machine.install()
    assert lists.asked() == []
