#!/usr/bin/env bash
# The story that ./dev demo tells: a maker publishes a sample product (tests/sample, a small service with a SQLite database) in versions;
# a server installs the first, upgrades to the second while clients keep asking, refuses one that was tampered with, and puts the old one
# back, data too, when the next migrates its database and does not come up well.
#
#   usage: tests/demo.sh SUREFOOT SUREFOOT-PUBLISH        environment: PYTHON
#
# Everything is made in a folder of its own, on loopback, and goes with it. Ends with an error if anything is not as told.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PROGRAM=$(realpath "$1") PUBLISH=$(realpath "$2") SAMPLE=$PWD/tests/sample
PYTHON=${PYTHON:-python3}
. tests/story.sh
folder=$(mktemp -d)
pids=()

end() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    [ ! -x "$folder/server/opt/orchard/bin/orchardctl" ] || "$folder/server/opt/orchard/bin/orchardctl" stop "$folder/server/home" || true
    rm -rf "$folder"
}
trap end EXIT

free_port() { "$PYTHON" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
ask() { "$PYTHON" - "$port" "$@" <<'END'
import sys, urllib.request
request = urllib.request.Request(f"http://127.0.0.1:{sys.argv[1]}{sys.argv[2]}", method=sys.argv[3] if len(sys.argv) > 3 else "GET")
print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5).read().decode().strip())
END
}
expect() { # WHAT IT ANSWERS: PATH TEXT
    local said
    said=$(ask "$1") || said="(no answer)"
    echo "  GET $1: $said"
    [ "$said" = "$2" ] || wrong "\"$2\" was expected"
}

# grow VERSION SCHEMA [WORD]   The maker's folder of built files; WORD is how this version misbehaves.
grow() {
    local tree=build-$1
    mkdir -p "$tree"/{bin,conf,lib}
    cp "$SAMPLE/orchard.py" "$tree/bin/orchard"
    cp "$SAMPLE/orchardctl.sh" "$tree/bin/orchardctl"
    chmod 755 "$tree"/bin/*
    printf '[server]\nport = 0\nname = orchard\n\n[records]\nfolder = data\n' >"$tree/conf/orchard.ini"
    echo "$1" >"$tree/lib/version"
    echo "$2" >"$tree/lib/schema"
    for part in a b c; do printf '%s\n%s\n' "$1" "part $part" >"$tree/lib/part-$part"; done
    if [ $# -gt 2 ]; then mkdir "$tree/behave" && echo "$3" >"$tree/behave/$3"; fi
}

# --- the maker

mkdir -p "$folder/maker/upload" "$folder/server"/{opt,home,etc}
cd "$folder/maker"
tell "A maker builds a product, Orchard, and publishes it: a key once, then for each version a release with every file listed, and a signed feed."
grow 1.0.0 1
publish 0 keygen --out orchard --no-passphrase --quiet
publish 0 release build-1.0.0 --product orchard --version 1.0.0 --dir upload --key orchard.key
publish 0 feed upload --product orchard --add 1.0.0 --key orchard.key
shop=$(free_port)
"$PYTHON" -m http.server --bind 127.0.0.1 --directory upload "$shop" >/dev/null 2>&1 &
pids+=($!)

# --- the server

cd "$folder/server"
port=$(free_port)
echo "$port" >home/port
cp "$folder/maker/orchard.pub" etc/
control() { # COMMAND [TIMEOUT]
    echo "<arg>$folder/server/opt/orchard/bin/orchardctl</arg><arg>$1</arg><arg>$folder/server/home</arg>"
}
cat >etc/orchard.xml <<END
<product xmlns="urn:surefoot:product:1" name="orchard" title="Orchard">
  <install kind="archive" folder="../opt/orchard"/>
  <fetch><feed url="http://127.0.0.1:$shop/feed.xml"/><proxy use="none"/></fetch>
  <folders state="../var/state" cache="../var/cache"/>
  <trust><feed><minisign><key file="orchard.pub"/></minisign></feed><payload><minisign><key file="orchard.pub"/></minisign></payload></trust>
  <services>
    <service name="orchard">
      <start>$(control start)</start><stop>$(control stop)</stop><status>$(control status)</status>
    </service>
  </services>
  <health within="PT2S" stays-up="PT1S"><http url="http://127.0.0.1:$port/health" contains="ripe"/></health>
  <files><configuration path="conf/orchard.ini" action="merge"/><data folder="../home/data" protect="snapshot"/></files>
  <policy jitter="PT0S"/>
</product>
END
product=etc/orchard.xml

tell "An administrator wrote one file about it, $product (surefoot-product(5)). Surefoot installs the first version and watches it come up."
for _ in $(seq 50); do "$PYTHON" -c "import socket; socket.create_connection(('127.0.0.1', $shop), 1)" 2>/dev/null && break || sleep 0.1; done
show 0 install $product
expect /version "orchard 1.0.0"

tell "It is used: three records, and a setting of its own."
for _ in 1 2 3; do ask /records POST >/dev/null; done
sed -i 's/^name = orchard/name = hill orchard/' opt/orchard/conf/orchard.ini
expect /records 3

tell "The maker publishes 2.0.0. A client asks the service all the time, while the hourly run finds it, proves it, and takes it."
(cd "$folder/maker" && grow 2.0.0 1 && echo "keep = 30" >>build-2.0.0/conf/orchard.ini &&
    "$PUBLISH" release build-2.0.0 --product orchard --version 2.0.0 --dir upload --key orchard.key --quiet &&
    "$PUBLISH" feed upload --add 2.0.0 --key orchard.key --quiet)
"$PYTHON" - "$port" client.log <<'END' &
import collections, signal, socket, sys, time
heard, ends = collections.Counter(), []
signal.signal(signal.SIGTERM, lambda *_: ends.append(1))
while not ends:
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2) as sock:
            sock.sendall(b"GET /version HTTP/1.1\r\n\r\n")
            said = b"".join(iter(lambda: sock.recv(4096), b"")).decode()
        heard[said.partition("\r\n\r\n")[2].strip() or "(no answer)"] += 1
    except OSError:
        heard["(no answer)"] += 1
    if sum(heard.values()) == 20:
        open(sys.argv[2] + ".begun", "w").close()
    time.sleep(0.001)
open(sys.argv[2], "w").writelines(f"  {n:6} times: {what}\n" for what, n in sorted(heard.items()))
END
client=$!
pids+=("$client")
for _ in $(seq 100); do [ -e client.log.begun ] && break || sleep 0.1; done
show 0 run $product
sleep 0.3
kill "$client"
wait "$client" || true
echo "  what the client heard:"
cat client.log
! grep -q MIXED client.log || wrong "a client heard of two versions at once"
grep -q 'orchard 1.0.0' client.log && grep -q 'orchard 2.0.0' client.log || wrong "the client should have heard both versions, one after the other"
echo
expect /version "orchard 2.0.0"
expect /records 3
echo "  the settings, with what both have changed:"
sed 's/^/    /' opt/orchard/conf/orchard.ini
grep -q '^name = hill orchard' opt/orchard/conf/orchard.ini && grep -q '^keep = 30' opt/orchard/conf/orchard.ini || wrong "the settings were not merged"

tell "2.1.0 is tampered with on its way: one bit of the archive. It is refused before anything is unpacked; the service never notices."
(cd "$folder/maker" && grow 2.1.0 1 && "$PUBLISH" release build-2.1.0 --product orchard --version 2.1.0 --dir upload --key orchard.key --quiet &&
    "$PUBLISH" feed upload --add 2.1.0 --key orchard.key --quiet)
"$PYTHON" - "$folder/maker/upload/2.1.0/orchard-2.1.0.tar.zst" <<'END'
import pathlib, sys
path = pathlib.Path(sys.argv[1])
data = bytearray(path.read_bytes())
data[len(data) // 2] ^= 1
path.write_bytes(data)
END
before=$(find opt -type f -printf '%P %i %s %T@\n' | sort)
show 3 run $product
[ "$before" = "$(find opt -type f -printf '%P %i %s %T@\n' | sort)" ] || wrong "something was unpacked"
echo "  (nothing in opt/ has changed: the same files, the same inodes)"
expect /version "orchard 2.0.0"

tell "3.0.0 migrates the database to a new schema, and then does not come up well. The old version comes back, and the data as it was."
(cd "$folder/maker" && "$PUBLISH" feed upload --withdraw 2.1.0 --key orchard.key --quiet &&
    grow 3.0.0 2 unhealthy && "$PUBLISH" release build-3.0.0 --product orchard --version 3.0.0 --dir upload --key orchard.key --quiet &&
    "$PUBLISH" feed upload --add 3.0.0 --key orchard.key --quiet)
show 6 run $product
expect /version "orchard 2.0.0"
expect /records 3

tell "It is on hold now: the next run leaves it alone. Where things stand, and what was tried, with the time that the service was down:"
show 0 run $product
show 0 status $product
show 0 history $product
tell "Every ending was as told."
