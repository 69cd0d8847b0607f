"""verify --revocation online: lists come from servers on loopback that may lie, and what is asked is counted. Certificates, lists and
signatures are made at run time."""

from __future__ import annotations

import itertools
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from conftest import read_line
from shelf import AT, CONTENT, on_posix, run

from tests.kit import cat, cms, der, detached, pe
from tests.kit import pki as pk
from tests.kit.case import codes, trust
from tests.kit.servers import Ca, Conversation, Hostile, Nginx, Request, answer, chunk, free_port, head

EARLIER = "2026-01-01"
ROOM = 16 * 1024 * 1024
number = itertools.count()


@pytest.fixture(autouse=True, scope="module")
def with_network() -> None:
    if b"built without a network" in run("verify", "--revocation", "online", "--pin", "sha256:" + "0" * 64, __file__).stderr:
        pytest.skip("this build has no libcurl")


def listed(data: bytes) -> Callable[[Conversation, Request], Any]:
    return lambda talk, request: talk.send(answer(200, data, Content_Type="application/pkix-crl"))


@dataclass
class Place:
    """A CA whose certificates say that lists lie on `server`; root.crl is the root's, inter.crl the intermediate's, time.crl the clock's."""
    folder: Path
    server: Hostile
    inter: pk.Cert = field(init=False)
    leaf: pk.Cert = field(init=False)

    def __post_init__(self) -> None:
        self.inter = pk.intermediate(cn=f"Kit Online {next(number)}", exts=[*pk.CA_EXTS, self.points("/root.crl")])
        self.leaf = self.make_leaf("/inter.crl")
        self.serve()

    def points(self, *paths: str) -> bytes:
        return pk.crl_points(*(self.server.url(p) if p.startswith("/") else p for p in paths))

    def make_leaf(self, *paths: str, **wrong: Any) -> pk.Cert:
        return pk.leaf(wrong.pop("issuer", self.inter), exts=[*pk.SIGNER_EXTS, *([self.points(*paths)] if paths else [])], **wrong)

    def serve(self, inter: bytes | None = None, root: bytes | None = None) -> None:
        self.server.on("/inter.crl", listed(pk.crl(self.inter) if inter is None else inter))
        self.server.on("/root.crl", listed(pk.crl(pk.pki().root) if root is None else root))

    def put(self, data: bytes, name: str = "") -> Path:
        file = self.folder / (name or f"{next(number)}.exe")
        file.write_bytes(data)
        return file

    def signed(self, signer: pk.Cert | None = None, **sign: Any) -> Path:
        return self.put(pe.signed(signer=signer or self.leaf, **sign))

    def judge(self, *words: Any, at: str = AT, trusting: dict[str, Any] | None = None, env: dict[str, str] | None = None) -> tuple[int, list[dict[str, Any]]]:
        done = run("verify", "--at", at, *trust(self.folder, **(trusting or {})), "--revocation", "online", "--format", "json", *words,
                   env={"http_proxy": "", "https_proxy": "", "all_proxy": "", **(env or {})}, limit_s=90)
        return done.returncode, [read_line(line) for line in done.stdout.decode().splitlines()]

    def asked(self) -> list[str]:
        return sorted(r.path for r in self.server.seen)

    def refuses(self, *words: Any, code: str = "RevocationUnknown", says: str, asked: list[str] | None = None, **how: Any) -> dict[str, Any]:
        exit_code, (line,) = self.judge(*words, **how)
        assert exit_code == 3 and line["verdict"] == "refused", line
        details = [r["detail"] for r in line["reasons"] if r["code"] == code]
        assert any(says in d for d in details), (says, line["reasons"])
        assert asked is None or self.asked() == asked
        return line


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    server = Hostile()
    yield Place(tmp_path, server)
    server.close()


BOTH = ["/inter.crl", "/root.crl"]

# -- lists that come --------------------------------------------------------------------------------------------------------


def test_good(place: Place) -> None:
    code, (line,) = place.judge(place.signed())
    assert (code, line["verdict"], line["revocation"], line["reasons"]) == (0, "accepted", "online", [])
    assert place.asked() == BOTH
    done = run("verify", "--at", AT, *trust(place.folder), "--revocation", "online", place.signed())
    assert done.returncode == 0 and b"revocation by lists, fetched" in done.stdout


def test_good_by_a_policy_document(place: Place) -> None:
    policy = place.put(b"""<?xml version="1.0" encoding="UTF-8"?>
<policy xmlns="urn:surefoot:policy:1"><revocation>online</revocation><at>""" + AT.encode() + b"""</at></policy>""", "policy.xml")
    done = run("verify", "--policy", policy, *trust(place.folder), "--format", "json", place.signed())
    assert done.returncode == 0 and json.loads(done.stdout)["revocation"] == "online" and place.asked() == BOTH


def test_good_as_pem_and_from_nginx(tmp_path: Path, place: Place) -> None:
    nginx = Nginx(tmp_path / "nginx", Ca(tmp_path))
    try:
        leaf = place.make_leaf(f"http://127.0.0.1:{nginx.plain}/lists/inter.crl")
        (nginx.www / "lists").mkdir()
        (nginx.www / "lists" / "inter.crl").write_text(pk.pem("X509 CRL", pk.crl(place.inter)))
        assert place.judge(place.signed(leaf))[0] == 0
        assert [r[1] for r in nginx.requests()] == ["GET /lists/inter.crl"]
    finally:
        nginx.close()


def test_revoked_leaf_and_intermediate(place: Place) -> None:
    place.serve(inter=pk.crl(place.inter, [pk.revoked(place.leaf, EARLIER, 1)]))
    place.refuses(place.signed(), code="Revoked", says="key compromised", asked=BOTH)
    place.serve(root=pk.crl(pk.pki().root, [pk.revoked(place.inter, EARLIER)]))
    place.refuses(place.signed(), code="Revoked", says=f"Kit Online")


def test_a_list_that_was_given_is_not_fetched(place: Place) -> None:
    given = [w for name, made in (("a", pk.crl(place.inter)), ("b", pk.crl(pk.pki().root))) for w in ("--crl", place.put(made, name + ".crl"))]
    assert place.judge(*given, place.signed())[0] == 0 and place.asked() == []
    assert place.judge(*given[:2], place.signed())[0] == 0 and place.asked() == ["/root.crl"]


def test_timestamps(place: Place) -> None:
    """The authority's chain is asked for as the signer's is; after it, an expired signer's."""
    w = pk.pki()
    tsa = pk.tsa(exts=[*pk.TSA_EXTS, place.points("/time.crl")])
    expired = place.make_leaf("/inter.crl", before="2022-01-01", after="2026-03-01")
    file = place.signed(expired, unsigned=[cms.stamp(cms.IN_2026, tsa=tsa)])
    place.server.on("/time.crl", listed(pk.crl(w.tsa_root)))
    code, (line,) = place.judge(file)
    assert code == 0 and line["signatures"][0]["timestamp"]["kind"] == "rfc3161" and place.asked() == [*BOTH, "/time.crl"]
    place.server.on("/time.crl", listed(pk.crl(w.tsa_root, [pk.revoked(tsa, EARLIER)])))
    place.refuses(file, code="Revoked", says="Kit Clock")
    place.server.on("/time.crl", lambda talk, request: talk.send(answer(404)))
    place.refuses(file, says="/time.crl: 127.0.0.1")
    place.serve(inter=pk.crl(place.inter, [pk.revoked(expired, "2026-02-20", 4)]))      # after the stamp
    place.server.on("/time.crl", listed(pk.crl(w.tsa_root)))
    assert place.judge(file)[0] == 0


def test_a_catalog(place: Place) -> None:
    catalog = place.put(cat.signed([cat.flat(CONTENT)], signer=place.leaf), "listed.cat")
    file = place.put(CONTENT, "listed.bin")
    assert place.judge("--catalog", catalog, file)[0] == 0 and place.asked() == BOTH
    place.serve(inter=pk.crl(place.inter, [pk.revoked(place.leaf, EARLIER)]))
    assert "Revoked" in codes(place.judge("--catalog", catalog, file)[1][0], "reasons")


def test_a_detached_signature(place: Place) -> None:
    file = place.put(CONTENT, "signed.bin")
    place.put(detached.sign(CONTENT, place.leaf), "signed.bin.p7s")
    assert place.judge(file)[0] == 0 and place.asked() == BOTH


def test_a_hundred_files_cause_one_request_for_each_list(place: Place) -> None:
    files = [place.signed() for _ in range(100)]
    place.server.on("/inter.crl", lambda talk, request: (talk.wait(0.3), talk.send(answer(200, pk.crl(place.inter)))))
    code, lines = place.judge(*files)
    assert code == 0 and len(lines) == 100 and all(line["verdict"] == "accepted" for line in lines)
    assert place.asked() == BOTH
    place.server.seen.clear()
    place.server.on("/inter.crl", lambda talk, request: talk.send(answer(404)))
    code, lines = place.judge(*files)
    assert code == 3 and all("RevocationUnknown" in codes(line, "reasons") for line in lines) and place.asked() == BOTH


def test_the_second_address_where_the_first_has_none(place: Place) -> None:
    place.server.on("/stale.crl", listed(pk.crl(place.inter, this="2026-01-01", next="2026-02-01")))
    leaf = place.make_leaf("ldap://127.0.0.1/cn=x", "/gone.crl", "/stale.crl", "/inter.crl", "/never.crl")
    assert place.judge(place.signed(leaf))[0] == 0
    assert place.asked() == ["/gone.crl", *BOTH, "/stale.crl"]


# -- lists that do not come -------------------------------------------------------------------------------------------------

def test_a_certificate_that_names_no_address(place: Place) -> None:
    place.refuses(place.signed(place.make_leaf()), says="names no http address", asked=["/root.crl"])
    place.refuses(place.signed(place.make_leaf("ldap://127.0.0.1/cn=x", "file:///etc/passwd", "ftp://127.0.0.1/x")), says="names no http address")


def test_points_that_do_not_count(place: Place) -> None:
    """Of some reasons, or of another issuer: no list from there would speak for the certificate."""
    names = der.ctx(0, der.ctx(0, der.ctx(6, place.server.url("/inter.crl").encode(), constructed=False)))
    for more in (der.ctx(1, b"\x01\x40", constructed=False), der.ctx(2, der.ctx(4, pk.pki().root.subject))):
        leaf = pk.leaf(place.inter, exts=[*pk.SIGNER_EXTS, pk.crl_points(more=[der.seq(names, more)])])
        place.refuses(place.signed(leaf), says="names no http address")
    assert "/inter.crl" not in place.asked()


WRONG = {
    "expired": (lambda p: pk.crl(p.inter, this="2026-01-01", next="2026-02-01"), "is out of date"),
    "future": (lambda p: pk.crl(p.inter, this="2026-08-01", next="2026-09-01"), "is from the future"),
    "other_issuer": (lambda p: pk.crl(pk.pki().other_inter), "it gave no list of this issuer"),
    "thief": (lambda p: pk.crl(p.inter, sign_with=pk.key("rsa2048", "thief")), "does not verify"),
    "delta": (lambda p: pk.crl(p.inter, exts=[pk.ext("2.5.29.27", der.integer(3), True)]), "is a delta"),
    "page": (lambda p: b"<html>Not here</html>", "no revocation list"),
    "empty": (lambda p: b"", "no revocation list"),
    "cut": (lambda p: pk.crl(p.inter)[:-1], "not an X.509 list"),
    "trailing": (lambda p: pk.crl(p.inter) + b"\0", "bytes behind its end"),
    "certificate": (lambda p: pk.pki().root.der, "not an X.509 list"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_list(place: Place, name: str) -> None:
    make, says = WRONG[name]
    place.serve(inter=make(place))
    place.refuses(place.signed(), says=says, asked=BOTH)


ANSWERS: dict[str, tuple[Callable[[Conversation, Request], Any], str]] = {
    "missing": (lambda t, r: t.send(answer(404)), "does not have it (status 404)"),
    "forbidden": (lambda t, r: t.send(answer(403)), "status 403"),
    "oversized_by_head": (lambda t, r: t.send(head(200, Content_Length=ROOM + 1)), "limit 16777216"),
    "oversized_in_chunks": (lambda t, r: t.send(head(200, Transfer_Encoding="chunked"), *[chunk(bytes(65536))] * 257), "the limit"),
    "to_a_file": (lambda t, r: t.send(answer(302, Location="file:///etc/passwd")), "redirect"),
    "to_ftp": (lambda t, r: t.send(answer(302, Location="ftp://127.0.0.1/x")), "redirect"),
    "in_a_circle": (lambda t, r: t.send(answer(302, Location=r.path)), "redirects more than 5 times"),
    "compressed": (lambda t, r: t.send(answer(200, b"x", Content_Encoding="gzip")), "127.0.0.1"),
    "half": (lambda t, r: t.send(head(200, Content_Length=1000), b"half"), "127.0.0.1"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_server(place: Place, name: str) -> None:
    handler, says = ANSWERS[name]
    place.server.on("/inter.crl", handler)
    line = place.refuses(place.signed(), says=says)
    assert any(d["detail"].startswith(place.server.url("/inter.crl") + ": ") for d in line["reasons"]), "the address is named"
    assert len(place.server.asked("/inter.crl")) <= 12


def test_a_redirect_that_helps(place: Place) -> None:
    place.server.on("/moved.crl", lambda t, r: t.send(answer(301, Location="/inter.crl")))
    assert place.judge(place.signed(place.make_leaf("/moved.crl")))[0] == 0


def test_a_server_that_is_down(place: Place) -> None:
    place.refuses(place.signed(place.make_leaf(f"http://127.0.0.1:{free_port()}/inter.crl")), says="127.0.0.1", asked=["/root.crl"])


def test_a_slow_server_is_given_up_and_asked_once_for_all_files(place: Place) -> None:
    place.server.on("/inter.crl", lambda talk, request: talk.wait(60))
    start = time.monotonic()
    code, lines = place.judge(*(place.signed() for _ in range(4)))
    assert code == 3 and len(lines) == 4 and time.monotonic() - start < 45
    assert all("RevocationUnknown" in codes(line, "reasons") for line in lines) and len(place.server.asked("/inter.crl")) == 2


def test_https_with_an_authority_that_nobody_knows(tmp_path: Path, place: Place) -> None:
    server = Hostile(Ca(tmp_path, "private").context("127.0.0.1"))
    try:
        server.on("/inter.crl", listed(pk.crl(place.inter)))
        place.refuses(place.signed(place.make_leaf(server.url("/inter.crl"))), says=server.url("/inter.crl"))
        assert server.seen == []
    finally:
        server.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user may have the keys of his connections written down")
def test_keys_of_an_elevated_run_are_not_written_down(tmp_path: Path, place: Place) -> None:
    server, keys = Hostile(Ca(tmp_path, "private").context("127.0.0.1")), tmp_path / "keys.log"
    try:
        place.refuses(place.signed(place.make_leaf(server.url("/inter.crl"))), says=server.url("/inter.crl"), env={"SSLKEYLOGFILE": str(keys)})
        assert not keys.exists()
    finally:
        server.close()


@on_posix                                                           # Windows' own settings say the system's proxy there
def test_a_proxy_of_the_environment_is_used(place: Place) -> None:
    place.server.handlers["http://lists.invalid/inter.crl"] = listed(pk.crl(place.inter))
    leaf = place.make_leaf("http://lists.invalid/inter.crl")
    env = {"http_proxy": place.server.url(""), "no_proxy": "127.0.0.1", "NO_PROXY": ""}
    assert place.judge(place.signed(leaf), env=env)[0] == 0
    assert "http://lists.invalid/inter.crl" in place.asked()


# -- whom nobody asks for ---------------------------------------------------------------------------------------------------

def strangers(place: Place) -> dict[str, Any]:
    """Signatures with an address in their certificates, each refused for something that no list would mend."""
    w = pk.pki()
    here = place.points("/inter.crl")
    exts = [*pk.SIGNER_EXTS, here]
    own_root = pk.issue(pk.ORCHARD, None, pk.key("rsa2048", "own"), [*pk.CA_EXTS, here])
    fake_inter = pk.intermediate(cn="Kit Forged", label="forged", exts=[*pk.CA_EXTS, here], sign_with=pk.key("rsa2048", "thief"))
    good = pe.signed(signer=place.leaf)
    stamp = cms.stamp(cms.IN_2026, tsa=pk.tsa(exts=[*pk.TSA_EXTS, here]))
    return {
        "self_signed": pe.signed(signer=pk.leaf(own_root, exts=exts)),
        "other_world": pe.signed(signer=pk.leaf(w.other_inter, exts=exts, label="stranger")),
        "other_world_with_a_trusted_stamp": pe.signed(signer=pk.leaf(w.other_inter, exts=exts, label="stranger"), unsigned=[stamp]),
        "forged_leaf": pe.signed(signer=pk.leaf(place.inter, exts=exts, sign_with=pk.key("rsa2048", "thief"))),
        "forged_intermediate": pe.signed(signer=pk.leaf(fake_inter, exts=exts)),
        "another_publisher": pe.signed(signer=place.make_leaf("/inter.crl", subject=pk.name(("O", "Pear Yard"), ("CN", "Pear Yard")), label="other")),
        "not_for_code": pe.signed(signer=pk.leaf(place.inter, exts=[pk.usage(pk.DIGITAL_SIGNATURE), pk.eku(pk.SERVER_AUTH), here])),
        "expired": pe.signed(signer=place.make_leaf("/inter.crl", before="2022-01-01", after="2023-01-01")),
        "altered_file": good.replace(b"orchard data", b"orchard Data"),
        "sha1_signed": pe.signed(signer=place.make_leaf("/inter.crl", hash="sha1")),
        "stamp_of_another": pe.signed(signer=place.leaf, unsigned=[cms.stamp(cms.IN_2026, imprint=bytes(32))]),
    }


STRANGERS = ("self_signed", "other_world", "other_world_with_a_trusted_stamp", "forged_leaf", "forged_intermediate", "another_publisher",
             "not_for_code", "expired", "altered_file", "sha1_signed", "stamp_of_another")


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_makes_us_ask_nobody(place: Place, name: str) -> None:
    file = place.put(strangers(place)[name])
    code, (line,) = place.judge(file)
    assert code == 3 and line["verdict"] == "refused"
    assert place.asked() == [], name


def test_a_signature_that_is_not_the_leafs(place: Place) -> None:
    """The maker's certificate, address and all, around mathematics of somebody else."""
    thief = pk.Cert(place.leaf.der, pk.key("rsa2048", "thief"), place.leaf.subject, place.leaf.issuer, place.leaf.serial, place.leaf.chain)
    place.refuses(place.signed(thief), code="SignatureInvalid", says="", asked=[])


def test_a_pin_that_is_not_in_the_chain(place: Place) -> None:
    place.refuses("--pin", "sha256:" + "0" * 64, place.signed(), code="PinMismatch", says="", asked=[])


def test_off_and_crl_ask_nobody(place: Place) -> None:
    for mode in ("off", "crl"):
        run("verify", "--at", AT, *trust(place.folder), "--revocation", mode, place.signed())
    assert place.asked() == []


def test_inspect_asks_nobody(place: Place) -> None:
    assert run("inspect", place.signed()).returncode == 0 and place.asked() == []
