#!/usr/bin/env bash
# Builds libcurl, libxml2 and libarchive small and static, from the distribution's own source packages, into a cache outside the clone, and
# prints the folder they are in. The distribution's shared ones draw in some forty libraries, which take longer to load than a look at a feed
# takes. OpenSSL is not among them: the machine's own, which it keeps up to date, stays what is loaded.
#
#   usage: static-deps.sh [--print-key]        environment: STATIC_DEPS_CACHE (default ~/.cache/surefoot/linux), JOBS
#   then:  meson setup --pkg-config-path=FOLDER/lib/pkgconfig ...
#
# The cache is keyed by this recipe, the compiler, and the versions that the machine has of the same libraries: what the distribution mends
# is built anew once the machine has it. The newest source version that is served is taken and written to VERSIONS there; where that is
# older than what the machine has, nothing is built, and the exit code is 1. zlib, liblzma,
# libzstd and jansson are the archives of the distribution's own development packages.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
JOBS=${JOBS:-$(nproc)}
CACHE=${STATIC_DEPS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/surefoot/linux}
say() { echo "static-deps: $*" >&2; }

# What the libraries are built against, and whose archives are linked.
GIVEN=(libssl-dev zlib1g-dev liblzma-dev libzstd-dev libjansson-dev)
for name in apt-get apt-cache dpkg-source dpkg-query gcc make pkg-config flock; do
    command -v "$name" >/dev/null || { say "$name is missing"; exit 1; }
done
for name in "${GIVEN[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || { say "the package $name is missing"; exit 1; }
done

recipe() {
    cat "$here/static-deps.sh" "$here/../debian-sources.sh"
    gcc -dumpmachine
    gcc -dumpfullversion
    dpkg-query -W -f='${Package} ${Version}\n' libc6-dev "${GIVEN[@]}" libcurl4-openssl-dev libxml2-dev libarchive-dev 2>/dev/null || true
}
KEY=$(recipe | sha256sum | cut -c1-16)
PREFIX=$CACHE/$(gcc -dumpmachine)-$KEY
if [ "${1:-}" = --print-key ]; then echo "$KEY"; exit; fi

mkdir -p "$CACHE"
exec 9>"$CACHE/.lock"
flock 9
if [ -e "$PREFIX/.done" ]; then echo "$PREFIX"; exit; fi

WORK=$(mktemp -d "${TMPDIR:-/tmp}/static-deps.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
SRC=$WORK/src LOG=$CACHE/logs-$KEY
rm -rf "$PREFIX"
mkdir -p "$SRC" "$LOG" "$PREFIX"/{include,lib/pkgconfig}

# shellcheck source=packaging/debian-sources.sh
. "$here/../debian-sources.sh"
sources_begin
sources_get curl libcurl4-openssl-dev
sources_get libxml2 libxml2-dev
sources_get libarchive libarchive-dev
if sources_older; then
    say "the newest sources are not served: the machine's shared libraries are newer"
    exit 1
fi
say "sources ready after ${SECONDS}s"

# --- what the steps share

export JOBS SRC PREFIX
# Hardened as the distribution does it. Sections of their own, so that the linker leaves out what nobody calls.
CFLAGS="$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get CFLAGS | sed -E 's/-g |-ffile-prefix-map=[^ ]*//g')"
export CFLAGS="$CFLAGS -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections -ffile-prefix-map=$WORK=."
CPPFLAGS=$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get CPPFLAGS)
export CPPFLAGS

# configure NAME [option...]   static alone, in the source's own folder. All of its files get one time: patches made some newer, and make would
# want automake.
configure() {
    cd "$SRC/$1"
    find . -type f -exec touch -d @0 {} +
    ./configure --quiet --prefix="$PREFIX" --libdir="$PREFIX/lib" --enable-static --disable-shared --with-pic --disable-dependency-tracking \
        "${@:2}"
}

# pc NAME SOURCE LIBS CFLAGS   A pkg-config file that names archives by their paths: nothing else can be found in their place. What comes
# after them is the machine's.
pc() {
    local version
    version=$(sed -nE "s/^$2 ([0-9]+:)?([0-9.]+[0-9]).*/\2/p" "$PREFIX/VERSIONS")
    printf '%s\n' 'prefix=${pcfiledir}/../..' "Name: $1" "Description: $1 (static)" "Version: $version" "Libs: -Wl,--gc-sections $3" \
        "Cflags: -I\${prefix}/include $4" >"$PREFIX/lib/pkgconfig/$1.pc"
}
given() { gcc -print-file-name="$1"; }

# --- one step per library

step_curl() { # HTTP and HTTPS by HTTP/1.1, IPv6, proxies with a login (basic, digest), names resolved by a thread: see fetch_curl.c
    configure curl --with-openssl --with-ca-bundle=/etc/ssl/certs/ca-certificates.crt --with-ca-path=/etc/ssl/certs \
        --enable-threaded-resolver --enable-ipv6 --enable-http --enable-proxy --enable-crypto-auth --enable-verbose \
        --disable-{ftp,file,ldap,ldaps,rtsp,dict,telnet,tftp,pop3,imap,smb,smtp,gopher,mqtt,manual,ntlm,ntlm-wb,tls-srp,unix-sockets} \
        --disable-{cookies,doh,mime,alt-svc,hsts,websockets,libcurl-option,openssl-auto-load-config} \
        --without-{zlib,brotli,zstd,nghttp2,ngtcp2,nghttp3,quiche,libidn2,libpsl,librtmp,libssh,libssh2,gssapi,libgsasl}
    make -s -C lib -j"$JOBS"
    make -s -C lib install
    make -s -C include install
    pc libcurl curl '${prefix}/lib/libcurl.a -lssl -lcrypto' ''
}

step_libxml2() { # the reader and XPath; iconv is the C library's
    configure libxml2 --with-minimum --with-tree --with-push --with-reader --with-output --with-xpath --with-pattern --with-sax1 --with-iconv \
        --with-threads --without-lzma
    make -s -j"$JOBS" libxml2.la
    make -s install-libLTLIBRARIES
    make -s -C include install
    pc libxml-2.0 libxml2 '${prefix}/lib/libxml2.a -lm' '-I${prefix}/include/libxml2'
}

step_libarchive() { # reads tar, zip, cab and 7z with gzip, xz and zstd
    configure libarchive --disable-bsd{tar,cat,cpio} --disable-{acl,xattr} --with-{zlib,lzma,zstd} \
        --without-{bz2lib,libb2,lz4,lzo2,cng,xml2,expat,nettle,openssl,mbedtls}
    make -s -j"$JOBS" libarchive.la
    make -s install-libLTLIBRARIES install-includeHEADERS
    pc libarchive libarchive "\${prefix}/lib/libarchive.a $(given liblzma.a) $(given libzstd.a) $(given libz.a)" ''
}

step_jansson() {
    echo "jansson $(dpkg-query -W -f='${Version}' libjansson-dev)" >>"$PREFIX/VERSIONS"
    pc jansson jansson "$(given libjansson.a)" ''
}

export -f configure pc given step_curl step_libxml2 step_libarchive step_jansson

lane() { # NAME...
    local name start
    for name in "$@"; do
        start=$SECONDS
        # a bash of its own: errexit is ignored inside a function that is called from if or ||
        if ! bash -euo pipefail -c "step_$name" >"$LOG/$name.log" 2>&1 </dev/null; then
            say "$name failed:"
            tail -25 "$LOG/$name.log" >&2
            return 1
        fi
        say "$name $((SECONDS - start))s"
    done
}
lane curl & first=$!
lane libxml2 libarchive jansson & second=$!
rc=0
wait $first || rc=1
wait $second || rc=1
[ $rc = 0 ] || exit 1
touch "$PREFIX/.done"
say "all done in ${SECONDS}s"
echo "$PREFIX"
