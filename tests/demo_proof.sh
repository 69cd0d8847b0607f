#!/usr/bin/env bash
# The other story, of the proof alone: a maker signs, a stranger changes one byte, and surefoot tells them apart; then the maker makes a
# release of a folder, and the gate finds out a change in it.
#
#   usage: tests/demo_proof.sh SUREFOOT SUREFOOT-PUBLISH        environment: PYTHON
#
# Everything is made in a folder of its own and goes with it. Ends with an error if anything is not as told.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PROGRAM=$(realpath "$1") PUBLISH=$(realpath "$2")
PYTHON=${PYTHON:-python3}
. tests/story.sh
AT=2026-06-01T00:00:00Z
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# flip FILE AT   Changes one bit of the byte at this offset.
flip() {
    local at=$2 byte
    byte=$(od -An -tu1 -j "$at" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
    echo "  (the byte at offset $at of $1 was $byte and is now $((byte ^ 1)))"
    echo
}

tell "A maker, Orchard Works, has a certificate for code signing, and signs a program and an installer package."
"$PYTHON" -m tests.kit.make "$folder/kit" good_pe32plus >/dev/null
"$PYTHON" -m tests.kit.make "$folder/kit" msi_good_v3 >/dev/null
mkdir "$folder/desk"
cp "$folder"/kit/good_pe32plus/good.exe "$folder/desk/orchard.exe"
cp "$folder"/kit/good_pe32plus/root.pem "$folder"/kit/good_pe32plus/tsa-root.pem "$folder/desk/"
cp "$folder"/kit/msi_good_v3/*.msi "$folder/desk/orchard.msi"
cp "$folder"/kit/msi_good_v3/root.pem "$folder/desk/msi-root.pem"
cd "$folder/desk"
wc -c orchard.exe orchard.msi | sed '$d'

tell "An administrator trusts one root and one publisher by name. Both files pass, in the strict profile and in the one that judges as Windows does."
trust=(--anchors root.pem --publisher 'Orchard Works')
msi_trust=(--anchors msi-root.pem --publisher 'Orchard Works')
show 0 verify "${trust[@]}" --at $AT orchard.exe
show 0 verify "${trust[@]}" --at $AT --profile windows orchard.exe
show 0 verify "${msi_trust[@]}" --at $AT orchard.msi
show 0 verify "${msi_trust[@]}" --at $AT --profile windows orchard.msi

tell "On the way to another machine, one bit of each changes."
cp orchard.exe changed.exe
cp orchard.msi changed.msi
flip changed.exe 1024
flip changed.msi 6000
show 3 verify "${trust[@]}" --at $AT changed.exe
show 3 verify "${trust[@]}" --at $AT --profile windows changed.exe
show 3 verify "${msi_trust[@]}" --at $AT changed.msi

tell "The right bytes, but signed by somebody who is not the publisher asked for."
show 3 verify --anchors root.pem --publisher 'Elm Street Software' --at $AT orchard.exe

tell "Nothing to trust at all is a usage error, never a silent pass."
show 2 verify orchard.exe

tell "The same verdict for a program that reads it."
show 3 verify "${trust[@]}" --at $AT --format json changed.exe

tell "The maker's own side: a key, a release of a folder of built files with every file listed, and the feed that offers it."
mkdir -p tree/bin tree/share dist
printf '#!/bin/sh\necho apples\n' >tree/bin/orchard
chmod 755 tree/bin/orchard
seq 1000 >tree/share/numbers.txt
publish 0 keygen --out maker --no-passphrase --quiet
publish 0 release tree --product orchard --version 1.0.0 --dir dist --key maker.key
publish 0 feed dist --product orchard --channel stable --add 1.0.0 --key maker.key

tell "The gate checks all that a client will check, before anything is uploaded."
publish 0 verify-release --key maker.pub dist

tell "One bit of the archive changes. The gate says so, and so would every client, with nothing unpacked."
flip dist/1.0.0/orchard-1.0.0.tar.zst 40
publish 3 verify-release --key maker.pub dist

cd "$OLDPWD"
putty=../shared/corpus/msi/lessmsi/putty-0.68-installer.msi
roots=../shared/corpus/roots/all-known-roots.pem
if [ -f "$putty" ] && [ -f "$roots" ]; then
    cp "$putty" "$folder/desk/putty.msi"
    cp "$roots" "$folder/desk/roots.pem"
    cd "$folder/desk"
    tell "A real one: PuTTY's installer of 2017, signed twice. Its certificates have long expired; its timestamps have not lost their worth."
    show 0 verify --anchors roots.pem --publisher 'Simon Tatham' --profile windows putty.msi
    cp putty.msi changed.msi
    flip changed.msi 2760192
    show 3 verify --anchors roots.pem --publisher 'Simon Tatham' --profile windows changed.msi
else
    echo "(no folder of real signed files beside the repository: that chapter is left out)"
fi
tell "Every ending was as told."
