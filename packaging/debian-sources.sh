# shellcheck shell=bash
# Debian's source packages, for the recipes that build libraries from them: to be read with `source`.
#
# The recipe has set: WORK, a folder of its own for a short time; SRC, where sources go; LOG, a folder of logs; PREFIX, in whose VERSIONS
# each source's name and version are written; and say(), which tells people.

# sources_begin reads the machine's own Debian entries as source entries, in a private apt state; nothing under /etc/apt changes.
sources_begin() {
    mkdir -p "$WORK"/apt/{parts,lists/partial}
    sources_list
    APT=(-q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$WORK/apt/parts" -o "Dir::State::lists=$WORK/apt/lists"
        -o APT::Sandbox::User=root -o Acquire::Retries=2 -o Acquire::http::Timeout=30)
    apt-get "${APT[@]}" update >"$LOG/apt.log" 2>&1 && return
    say "apt-get update failed:"
    tail -5 "$LOG/apt.log" >&2
    return 1
}

sources_list() {
    local f n=0
    for f in /etc/apt/sources.list.d/*.sources; do
        [ -e "$f" ] && grep -qE '^URIs:.*/debian(-security)?/?( |$)' "$f" || continue
        n=$((n + 1))
        sed -E 's/^Types:.*/Types: deb-src/' "$f" >"$WORK/apt/parts/$n.sources"
    done
    for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -e "$f" ] || continue
        sed -nE 's,^deb (.*/debian(-security)?/? .*),deb-src \1,p' "$f" >>"$WORK/apt/parts/old.list"
    done
}

# sources_get NAME PACKAGE leaves the patched source at SRC/NAME. A version can be listed and not served (any more): newest first, then the
# next. apt has checked the hashes against the signed index; dpkg-source need not ask for the uploader's key.
#
# What is older than the machine's own PACKAGE of that source lacks what the distribution mended since: it is named in PREFIX/OLDER, and
# whoever calls decides. So is a source whose PACKAGE is not installed, since then nobody knows.
sources_get() {
    local name=$1 version installed
    installed=$(dpkg-query -W -f='${source:Version}' "$2" 2>/dev/null) || installed=
    for version in $(apt-cache "${APT[@]}" showsrc "$name" | awk '/^Version:/ { print $2 }' | sort -uV | tac); do
        if (cd "$SRC" && apt-get "${APT[@]}" source --download-only "$name=$version") >>"$LOG/apt.log" 2>&1; then
            dpkg-source --no-check -x "$SRC/${name}_${version#*:}.dsc" "$SRC/$name" >>"$LOG/apt.log" 2>&1
            echo "$name $version" >>"$PREFIX/VERSIONS"
            if [ -z "$installed" ] || dpkg --compare-versions "$version" lt "$installed"; then
                echo "$name $version, where the machine has ${installed:-none} of $2" >>"$PREFIX/OLDER"
            fi
            return
        fi
        say "$name $version is not served, trying an older version"
    done
    say "no source for $name"
    return 1
}

# sources_older ends with 0, and says which, if any source is older than what the machine has.
sources_older() {
    [ -e "$PREFIX/OLDER" ] || return
    sed 's/^/older than the machine'"'"'s own: /' "$PREFIX/OLDER" | while read -r line; do say "$line"; done
}
