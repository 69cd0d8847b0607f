"""One large file of each kind beside a plain SHA-256 of the same bytes. The peer reads and hashes and does nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kit import big, minisign
from tests.kit.case import trust
from tests.kit.figures import Table, bench_folder, sha256_of, verify


def main() -> None:
    table = Table()
    with bench_folder() as folder:
        trusted = trust(folder)

        file = folder / "plain.exe"
        big.pe_file(file, big.GIB)
        table.compare("PE, 1 GiB", verify(trusted, file), sha256_of(file), most=1.05, memory=16)
        big.pe_file(file, big.GIB, pages="sha256")
        table.compare("PE with page hashes, 1 GiB, wall", verify(trusted, file), sha256_of(file), most=1.3, wall=True)
        table.compare("PE with page hashes, 1 GiB, cpu of two readings", verify(trusted, file), sha256_of(file, file), most=1.3, memory=32)
        file.unlink()

        file = folder / "big.msi"
        for version in (3, 4):
            big.msi_file(file, big.GIB - big.MIB, version=version)
            table.compare(f"MSI with Ex, 1 GiB, version {version}", verify(trusted, file), sha256_of(file), most=1.10, memory=24)
        file.unlink()

        file = folder / "big.cab"
        big.cab_file(file, 512 * big.MIB)
        table.compare("CAB, 512 MiB", verify(trusted, file), sha256_of(file), most=1.05, memory=16)
        file.unlink()

        file = folder / "big.bin"
        plain, key = big.Plain(file, big.GIB), minisign.Key()
        (folder / "big.p7s").write_bytes(plain.cms())
        (folder / "big.minisig").write_bytes(plain.minisign(key))
        (folder / "kit.pub").write_bytes(key.public_file())
        table.compare("detached CMS, 1 GiB", verify([*trusted, "--signature", str(folder / "big.p7s")], file), sha256_of(file), most=1.05, memory=16)
        blake = sha256_of(file)
        table.compare("minisign, 1 GiB, beside BLAKE2b", verify(["--key", str(folder / "kit.pub"), "--signature", str(folder / "big.minisig")], file),
                      blake and ["-blake2b512" if word == "-sha256" else word for word in blake], most=1.05, memory=16)
    table.show()


main()
