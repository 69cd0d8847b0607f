"""Packages of Windows Installer that must carry their maker's Authenticode signature, under wine: the good ones are installed, and of the others
nothing, though the release documents name them and the feed offers them."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from test_windows_upgrade import UPGRADE_CODE, package
from windows_kit import DONE, LIMIT_S, REFUSED, Machine, Maker, Prefix, made_by_a_maker, windows

from tests.kit import pki as pk
from tests.kit.servers import Nginx

GOOD, NEWER = "1.0.0", "2.0.0"
OTHER_MAKER, STRANGER, UNSIGNED, CHANGED, EXPIRED, TOO_LITTLE = "2.0.1", "2.0.2", "2.0.3", "2.0.4", "2.0.5", "2.0.6"
WHY = {OTHER_MAKER: "PublisherMismatch", STRANGER: "ChainUntrusted", UNSIGNED: "Unsigned", CHANGED: "DigestMismatch", EXPIRED: "ChainExpired",
       TOO_LITTLE: "DemandsTooLittle"}
# Signed as they should be, and not what the document says, or not whole in themselves: what is said in the tables, and what comes of it.
MSI_CODE, MSP_CODE = (bytes.fromhex(f"{n}100c0000000000c000000000000046") for n in ("84", "86"))
OTHER_VERSION, OTHER_PRODUCT, OTHER_UPGRADE, EXTERNAL, MISSING, LOOSE, PATCH = (f"2.1.{i}" for i in range(7))
SPOILT = {
    OTHER_VERSION: ("UPDATE `Property` SET `Value` = '9.9.9' WHERE `Property` = 'ProductVersion'", "ProductMismatch"),
    OTHER_PRODUCT: ("UPDATE `Property` SET `Value` = '{7B3E64B1-5E2C-4D0A-9A41-0C7C5A999999}' WHERE `Property` = 'ProductCode'", "ProductMismatch"),
    OTHER_UPGRADE: ("UPDATE `Property` SET `Value` = '{7B3E64B1-5E2C-4D0A-9A41-0C7C5A999999}' WHERE `Property` = 'UpgradeCode'", "ProductMismatch"),
    EXTERNAL: ("UPDATE `Media` SET `Cabinet` = 'b.cab'", "UncoveredData"),
    MISSING: ("UPDATE `Media` SET `Cabinet` = '#b.cab'", "UncoveredData"),
    LOOSE: ("UPDATE `File` SET `Attributes` = 8192", "UncoveredData"),
    PATCH: ("", "Unsupported"),
}
DEMANDS = ["--demand", "authenticode", "--publisher", pk.PUBLISHER]


def signed(file: Path, leaf: pk.Cert, *above: pk.Cert) -> None:
    """Signs it in its place, as makers do."""
    from cryptography.hazmat.primitives import serialization
    folder = file.parent
    (folder / "leaf.key").write_bytes(leaf.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    pk.write_pem(folder / "chain.pem", leaf, *above)
    plain = file.rename(file.with_suffix(".plain"))
    kind = ["-add-msi-dse"] if file.suffix == ".msi" else []
    subprocess.run(["osslsigncode", "sign", "-certs", folder / "chain.pem", "-key", folder / "leaf.key", "-h", "sha256", *kind, "-in", plain,
                    "-out", file], check=True, capture_output=True, timeout=LIMIT_S)


def of_version(folder: Path, version: str) -> Path:
    file, w, long = package(folder, version), pk.pki(), {"before": "2021-01-01", "after": "2038-01-01"}
    if version == OTHER_MAKER:
        signed(file, pk.leaf(subject=pk.name(("O", "Elm Street Software"), ("CN", "Elm Street Software")), **long), w.inter)
    elif version == STRANGER:
        signed(file, pk.leaf(w.other_inter, **long), w.other_inter, w.other_root)
    elif version == EXPIRED:
        signed(file, pk.leaf(before="2021-01-01", after="2022-01-01"), w.inter)
    else:
        signed(file, pk.leaf(**long), w.inter)
    return file


# What the publishing tool refuses to offer, somebody with the maker's key offers by hand.


def name_again(document: Path, name: str, data: bytes) -> None:
    """Size and hash, as they are now."""
    text = document.read_text()
    at = text.index(name)
    changed, n = re.subn(r'size="\d+" sha256="[0-9a-f]+"', f'size="{len(data)}" sha256="{hashlib.sha256(data).hexdigest()}"', text[at:], count=1)
    assert n == 1
    document.write_text(text[:at] + changed)


def put_by_hand(maker: Maker, version: str, data: bytes) -> None:
    key, feed = windows(maker.folder / "maker.key"), maker.site / "feed.xml"
    file = next(maker.site.glob(f"{version}/*.msi"))
    file.write_bytes(data)
    name_again(file.parent / "release.xml", file.name, data)
    name_again(feed, f"{version}/release.xml", (file.parent / "release.xml").read_bytes())
    for old in maker.site.glob("feed.xml.*"):
        old.unlink()
    maker.publish("sign", "--key", key, windows(file), windows(feed))
    digest = hashlib.sha256(feed.read_bytes()).hexdigest()
    shutil.copy(feed.with_name("feed.xml.minisig"), feed.with_name(f"feed.xml.{digest}.minisig"))


def spoilt(folder: Path, version: str) -> bytes:
    file = package(folder, version)
    if SPOILT[version][0]:
        subprocess.run(["msibuild", file, "-q", SPOILT[version][0]], check=True, capture_output=True, timeout=LIMIT_S)
    else:
        data = file.read_bytes()
        assert data.count(MSI_CODE) == 1
        file.write_bytes(data.replace(MSI_CODE, MSP_CODE))
    signed(file, pk.leaf(before="2021-01-01", after="2038-01-01"), pk.pki().inter)
    return file.read_bytes()


def changed(file: Path) -> bytes:
    data = bytearray(file.read_bytes())
    data[data.index(b"A newer version is installed.")] ^= 1
    return bytes(data)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Maker, Nginx]]:
    folder = tmp_path_factory.mktemp("signed")
    with made_by_a_maker(folder) as (maker, server):
        pk.write_pem(folder / "root.pem", pk.pki().root)
        for version in (GOOD, NEWER, *WHY):
            maker.offer(of_version(folder, version), version, *([] if version == TOO_LITTLE else DEMANDS))
        (folder / "spoilt").mkdir()
        for version in SPOILT:
            maker.offer(of_version(folder, version), version, *DEMANDS)
            put_by_hand(maker, version, spoilt(folder / "spoilt", version))
        put_by_hand(maker, CHANGED, changed(folder / f"orchard-{CHANGED}.msi"))
        put_by_hand(maker, UNSIGNED, (folder / f"orchard-{UNSIGNED}.plain").read_bytes())
        yield maker, server


def test_only_what_its_maker_signed_is_installed(made: tuple[Maker, Nginx], tmp_path: Path) -> None:
    prefix = Prefix(tmp_path / "prefix")
    try:
        machine = Machine(prefix, *made)
        (machine.etc / "root.pem").write_bytes((made[0].folder / "root.pem").read_bytes())
        none_of_another_product(machine)
        write(machine, UPGRADE_CODE)
        only_good_ones(machine)
        none_that_is_spoilt(machine)
    finally:
        prefix.end()


def write(machine: Machine, upgrade_code: str) -> None:
    machine.write_product(f'<install kind="msi" os="windows" upgrade-code="{upgrade_code}" folder="C:\\Program Files\\Orchard"/>',
                          payload=f"<authenticode><anchors>root.pem</anchors><publisher>{pk.PUBLISHER}</publisher></authenticode>")


def none_of_another_product(machine: Machine) -> None:
    """The release and its package agree, and are not what the product file says."""
    write(machine, "{7B3E64B1-5E2C-4D0A-9A41-0C7C5A999999}")
    refused = machine.run("install", "--to", GOOD, code=REFUSED)
    assert refused.result == "PreUpgradeFailure-ProductMismatch", refused.text
    assert machine.files() == [] and machine.service().startswith("none")


def only_good_ones(machine: Machine) -> None:
    for version, why in WHY.items():
        refused = machine.run("install", "--to", version, code=REFUSED)
        assert refused.result == f"PreUpgradeFailure-{why}", (version, refused.text)
        assert machine.files() == [] and machine.service().startswith("none"), version
    assert machine.run("install", "--to", GOOD, code=DONE).result == "Success" and machine.version() == GOOD
    assert machine.run("upgrade", "--to", NEWER, code=DONE).result == "Success" and machine.version() == NEWER
    files = machine.files()
    for version, why in WHY.items():
        refused = machine.run("upgrade", "--to", version, code=REFUSED)
        assert refused.result == f"PreUpgradeFailure-{why}", (version, refused.text)
        assert (machine.version(), machine.files(), machine.service()) == (NEWER, files, "RUNNING"), version
        assert not list(machine.etc.glob(f"cache/**/*{version}*")), "what was refused is not kept"


def none_that_is_spoilt(machine: Machine) -> None:
    files = machine.files()
    for version, (_, why) in SPOILT.items():
        refused = machine.run("upgrade", "--to", version, code=REFUSED)
        assert refused.result == f"PreUpgradeFailure-{why}", (version, refused.text)
        assert (machine.version(), machine.files(), machine.service()) == (NEWER, files, "RUNNING"), version
