#!/usr/bin/env bash
# Builds the static libraries that the Windows build links, for x86_64-w64-mingw32, from the distribution's own source packages,
# into a cache outside the clone. Prints the folder they are in. Cold four minutes on two cores, warm at once.
#
#   usage: mingw-deps.sh [--print-key]        environment: MINGW_DEPS_CACHE (default ~/.cache/surefoot/mingw), JOBS
#
# The cache is keyed by this recipe, what it shares with others, the cmake answers beside it, the compiler, and the versions that the machine
# has of the same libraries: what the distribution mends is built anew once the machine has it. The newest source version that is served
# is taken and written to VERSIONS there; what is older than what the machine has is named in OLDER, and no package is made of it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
HOST=x86_64-w64-mingw32
JOBS=${JOBS:-$(nproc)}
CACHE=${MINGW_DEPS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/surefoot/mingw}

# Each source, and the package whose version tells how new it must be.
LIBRARIES=(zlib=zlib1g-dev xz-utils=liblzma-dev libzstd=libzstd-dev openssl=libssl-dev libxml2=libxml2-dev jansson=libjansson-dev
    libarchive=libarchive-dev curl=libcurl4-openssl-dev cmocka=libcmocka-dev)

recipe() {
    cat "$here/mingw-deps.sh" "$here/../debian-sources.sh" "$here"/*.cmake
    $HOST-gcc -dumpfullversion
    dpkg-query -W -f='${Version}\n' mingw-w64-x86-64-dev
    dpkg-query -W -f='${source:Package} ${source:Version}\n' "${LIBRARIES[@]#*=}" 2>/dev/null || true
}
KEY=$(recipe | sha256sum | cut -c1-16)
PREFIX=$CACHE/$HOST-$KEY
if [ "${1:-}" = --print-key ]; then echo "$KEY"; exit; fi

mkdir -p "$CACHE"
exec 9>"$CACHE/.lock"
flock 9
if [ -e "$PREFIX/.done" ]; then echo "$PREFIX"; exit; fi

WORK=$(mktemp -d "${TMPDIR:-/tmp}/mingw-deps.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
SRC=$WORK/src BLD=$WORK/bld LOG=$CACHE/logs-$KEY
rm -rf "$PREFIX"
mkdir -p "$SRC" "$BLD" "$LOG" "$PREFIX"/{include,lib/pkgconfig}
say() { echo "mingw-deps: $*" >&2; }

# shellcheck source=packaging/debian-sources.sh
. "$here/../debian-sources.sh"
sources_begin
for name in "${LIBRARIES[@]}"; do sources_get "${name%=*}" "${name#*=}"; done
sources_older || true
say "sources ready after ${SECONDS}s"

# --- what the steps share

cat >"$WORK/toolchain.cmake" <<END
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER $HOST-gcc)
set(CMAKE_RC_COMPILER $HOST-windres)
set(CMAKE_FIND_ROOT_PATH $PREFIX /usr/$HOST)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
END
export HOST JOBS SRC BLD PREFIX WORK here PKG_CONFIG_LIBDIR=$PREFIX/lib/pkgconfig
# Two things take most of the time of a small file, and nobody here wants them: the parts of windows.h that LEAN leaves out, and all of the
# processor's vector intrinsics, which winnt.h draws in as x86intrin.h. What uses some includes their own header.
LEAN='-DWIN32_LEAN_AND_MEAN= -D_X86INTRIN_H_INCLUDED'
export CFLAGS="-O2 $LEAN -ffunction-sections -fdata-sections -fstack-protector-strong -D_WIN32_WINNT=0x0A00 -ffile-prefix-map=$WORK=."

configure() { # SOURCE [cmake argument...]
    local name=$1
    shift
    cmake -G Ninja -Wno-dev -DCMAKE_TOOLCHAIN_FILE="$WORK/toolchain.cmake" -DCMAKE_INSTALL_PREFIX="$PREFIX" \
        -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-DNDEBUG -DBUILD_SHARED_LIBS=OFF \
        -S "$SRC/$name" -B "$BLD/$name" "$@"
}

pc() { # NAME SOURCE REQUIRES LIBS CFLAGS: a pkg-config file, for sources that make none here
    local version
    version=$(sed -nE "s/^$2 ([0-9]+:)?([0-9.]+[0-9]).*/\2/p" "$PREFIX/VERSIONS")
    printf '%s\n' 'prefix=${pcfiledir}/../..' "Name: $1" "Description: $1 (static, mingw)" "Version: $version" "Requires: $3" \
        "Libs: -L\${prefix}/lib $4" "Cflags: -I\${prefix}/include $5" >"$PREFIX/lib/pkgconfig/$1.pc"
}

# --- one step per library

step_zlib() {
    cp -r "$SRC/zlib" "$BLD/zlib"
    cd "$BLD/zlib"
    CHOST=$HOST ./configure --static --prefix="$PREFIX"
    make -j"$JOBS" libz.a
    cp libz.a "$PREFIX/lib/"
    cp zlib.h zconf.h "$PREFIX/include/"
    pc zlib zlib '' -lz ''
}

step_xz-utils() {
    configure xz-utils -C "$here/xz-cache.cmake" -DBUILD_TESTING=OFF
    cmake --build "$BLD/xz-utils" -j"$JOBS" --target liblzma
    cp "$BLD/xz-utils/liblzma.a" "$PREFIX/lib/"
    cp -r "$SRC"/xz-utils/src/liblzma/api/lzma.h "$SRC"/xz-utils/src/liblzma/api/lzma "$PREFIX/include/"
    pc liblzma xz-utils '' -llzma -DLZMA_API_STATIC
}

step_libzstd() { # its cmake project wants C++: lib/Makefile does not
    cp -r "$SRC/libzstd" "$BLD/libzstd"
    make -C "$BLD/libzstd/lib" -j"$JOBS" libzstd.a CC=$HOST-gcc AR=$HOST-ar TARGET_SYSTEM=Windows ZSTD_LEGACY_SUPPORT=0 \
        ZSTD_NO_ASM=1 CFLAGS="$CFLAGS"
    cp "$BLD/libzstd/lib/libzstd.a" "$PREFIX/lib/"
    cp "$BLD"/libzstd/lib/{zstd,zstd_errors,zdict}.h "$PREFIX/include/"
    pc libzstd libzstd '' -lzstd ''
}

step_openssl() {
    local flags=${CFLAGS/-DWIN32_LEAN_AND_MEAN= /} # it says so itself
    unset CFLAGS
    mkdir "$BLD/openssl"
    cd "$BLD/openssl"
    # shellcheck disable=SC2086
    perl "$SRC/openssl/Configure" mingw64 --cross-compile-prefix=$HOST- --prefix='C:/Program Files/Surefoot' --libdir=lib \
        --openssldir=ssl no-shared no-tests no-module no-dso no-engine no-legacy no-comp no-ssl3 \
        no-dtls no-srp no-srtp no-psk no-gost no-cmp no-ui-console no-async no-ec2m no-idea no-camellia no-seed no-aria no-bf \
        no-cast no-rc2 no-rc4 no-md4 no-mdc2 no-whirlpool no-rmd160 no-sm2 no-sm3 no-sm4 no-ts no-ct $flags
    make -j"$JOBS" build_generated
    make -j"$JOBS" libcrypto.a libssl.a # not install_dev, which builds what its programs share as well
    cp libcrypto.a libssl.a "$PREFIX/lib/"
    mkdir "$PREFIX/include/openssl"
    cp "$SRC"/openssl/include/openssl/*.h include/openssl/*.h "$PREFIX/include/openssl/"
    pc libcrypto openssl '' '-lcrypto -lws2_32 -lgdi32 -lcrypt32' ''
    pc libssl openssl libcrypto -lssl ''
}

step_libxml2() { # the reader and XPath
    configure libxml2 -C "$here/libxml2-cache.cmake" -DLIBXML2_WITH_{TREE,PUSH,READER,OUTPUT,XPATH,PATTERN,SAX1,THREADS}=ON \
        -DLIBXML2_WITH_{PYTHON,ICONV,LZMA,ZLIB,TESTS,PROGRAMS,FTP,HTTP,LEGACY,MODULES,DOCB,HTML,CATALOG,DEBUG}=OFF \
        -DLIBXML2_WITH_{SCHEMAS,SCHEMATRON,REGEXPS,VALID,WRITER,XINCLUDE,XPTR,C14N,ISO8859X}=OFF
    cmake --build "$BLD/libxml2" -j"$JOBS"
    cmake --install "$BLD/libxml2"
}

step_jansson() {
    configure jansson -C "$here/jansson-cache.cmake" -DJANSSON_{BUILD_DOCS,EXAMPLES,BUILD_SHARED_LIBS}=OFF -DJANSSON_WITHOUT_TESTS=ON
    cmake --build "$BLD/jansson" -j"$JOBS"
    cmake --install "$BLD/jansson"
}

step_libarchive() { # ZLIB_WINAPI*: libarchive's own check runs a target program, and cmake crashes on it when cross-compiling
    configure libarchive -C "$here/libarchive-cache.cmake" -DENABLE_{ZLIB,LZMA,ZSTD,CNG}=ON \
        -DENABLE_{TEST,TAR,CPIO,CAT,ICONV,LIBXML2,EXPAT,OPENSSL,BZip2,LZ4,LZO,LIBB2,ACL,XATTR,WERROR,PCREPOSIX}=OFF \
        -DZLIB_WINAPI=0 -DZLIB_WINAPI_WITH_LIB="$PREFIX/lib/libz.a" \
        -DZLIB_INCLUDE_DIR="$PREFIX/include" -DZLIB_LIBRARY="$PREFIX/lib/libz.a" \
        -DLIBLZMA_INCLUDE_DIR="$PREFIX/include" -DLIBLZMA_LIBRARY="$PREFIX/lib/liblzma.a" \
        -DZSTD_INCLUDE_DIR="$PREFIX/include" -DZSTD_LIBRARY="$PREFIX/lib/libzstd.a"
    cmake --build "$BLD/libarchive" -j"$JOBS" --target archive_static
    cp "$BLD/libarchive/libarchive/libarchive_static.a" "$PREFIX/lib/libarchive.a"
    cp "$SRC"/libarchive/libarchive/archive{,_entry}.h "$PREFIX/include/"
    pc libarchive libarchive 'liblzma libzstd zlib' '-larchive -lbcrypt -lws2_32' -DLIBARCHIVE_STATIC
}

step_curl() { # Makefile.mk + config-win32.h: no configure checks. CPPFLAGS must come from the environment
    cp -r "$SRC/curl" "$BLD/curl"
    cd "$BLD/curl/lib"
    mkdir $HOST
    CPPFLAGS="-DHTTP_ONLY -DCURL_STATICLIB" make -j"$JOBS" -f Makefile.mk CROSSPREFIX=$HOST- ARCH=w64 \
        CFG=-ssl-schannel-winidn-ipv6-sspi-unicode OPENSSL_PATH="$PREFIX" libcurl.a
    cp libcurl.a "$PREFIX/lib/"
    mkdir "$PREFIX/include/curl"
    cp ../include/curl/*.h "$PREFIX/include/curl/"
    pc libcurl curl 'libssl libcrypto' '-lcurl -lws2_32 -lcrypt32 -lbcrypt -lnormaliz -ladvapi32' -DCURL_STATICLIB
}

step_cmocka() { # the static library has a name of its own, and an import library would be found before it. %zu must be understood
    export CFLAGS="$CFLAGS -D__USE_MINGW_ANSI_STDIO=1"
    sed -i 's/__format__ (__printf__,/__format__ (__gnu_printf__,/' "$SRC/cmocka/include/cmocka.h"
    configure cmocka -C "$here/cmocka-cache.cmake" -DWITH_STATIC_LIB=ON -DUNIT_TESTING=OFF -DWITH_EXAMPLES=OFF
    cmake --build "$BLD/cmocka" -j"$JOBS"
    cmake --install "$BLD/cmocka"
    rm -f "$PREFIX"/lib/libcmocka.dll.a "$PREFIX"/bin/*cmocka*.dll
    mv "$PREFIX/lib/libcmocka-static.a" "$PREFIX/lib/libcmocka.a"
}

export -f configure pc
for name in "${LIBRARIES[@]}"; do export -f "step_${name%=*}"; done

# --- two lanes side by side, since the long one's configure steps keep one core busy at most

lane() {
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
lane openssl curl & first=$!
lane zlib xz-utils libzstd libarchive libxml2 jansson cmocka & second=$!
rc=0
wait $first || rc=1
wait $second || rc=1
[ $rc = 0 ] || exit 1
touch "$PREFIX/.done"
say "all done in ${SECONDS}s"
echo "$PREFIX"
