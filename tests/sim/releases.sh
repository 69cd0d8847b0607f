#!/bin/sh
# Makes what the simulator's machines are offered: a small product in versions, published by the real surefoot-publish.
#
#   usage: releases.sh SUREFOOT-PUBLISH FOLDER [PRODUCT [CTL]]
#
#   CTL                     the product's program, where there is no shell to run it: nothing has links then
#   FOLDER/trees/VERSION/   the maker's folder of built files          FOLDER/site/   the release folder, all versions offered
#   FOLDER/maker.pub        the key's public half
#
# 1.0.0 is plain. 2.0.0 migrates the data, has files that are new, gone, changed and unchanged, and a new setting. 3.0.0 migrates and is
# not well. 4.0.0 does not start.
set -eu
publish=$(realpath "$1") folder=$2 product=${3:-app} program=${4:+$(realpath "$4")}
rm -rf "$folder"
mkdir -p "$folder/trees" "$folder/site"
cd "$folder"

ctl() {
    cat <<'CTL'
#!/bin/sh
# ctl COMMAND HOME [DATA]   what the mock machine's program of this name does, for a real one
tree=$(dirname "$0")/.. home=$2 data=${3:-$2/data}
case $1 in
start)
    [ ! -e "$tree/behave/dead" ] || exit 1
    [ "$(cat "$tree/lib/schema")" = 1 ] || echo "schema $(cat "$tree/lib/schema")" >"$data/db"
    cat "$tree/lib/version" >"$home/running"
    ;;
stop) rm -f "$home/running" ;;
status) [ -e "$home/running" ] || exit 3 ;;
health) [ -e "$home/running" ] && [ ! -e "$tree/behave/ill" ] ;;
scheduler) [ ! -e "$home/scheduler-off" ] ;;
suspend) : >"$home/scheduler-off" ;;
resume) rm -f "$home/scheduler-off" ;;
esac
CTL
}

grow() { # VERSION SCHEMA [HOW IT MISBEHAVES]
    tree=trees/$1
    mkdir -p "$tree/bin" "$tree/conf" "$tree/lib/deep" "$tree/share"
    if [ -n "$program" ]; then cp "$program" "$tree/bin/ctl"; else ctl >"$tree/bin/ctl"; fi
    chmod 755 "$tree/bin/ctl"
    echo "$1" >"$tree/lib/version"
    echo "$2" >"$tree/lib/schema"
    for part in a b c; do echo "$1 part $part" >"$tree/lib/part-$part"; done
    echo "$1 deep" >"$tree/lib/deep/part-d"
    echo "Keep dry." >"$tree/share/notes"
    [ "$1" = 1.0.0 ] || printf '; keep is in days\n[records]\nkeep = 30\n\n' >"$tree/conf/app.ini"
    printf '[server]\nport = 0\n\nname = app\n' >>"$tree/conf/app.ini"
    if [ "$1" = 1.0.0 ]; then
        echo "old" >"$tree/share/old-only"
    else
        mkdir "$tree/fresh"
        echo "new" >"$tree/fresh/new-only"
        [ -n "$program" ] || ln -s ../lib/part-a "$tree/share/link"
    fi
    if [ $# -gt 2 ]; then
        mkdir "$tree/behave"
        echo "$3" >"$tree/behave/$3"
    fi
}

grow 1.0.0 1
grow 2.0.0 2
grow 3.0.0 2 ill
grow 4.0.0 2 dead

offer() { # FOLDER WHAT-OF-A-VERSION [OPTION...]
    where=$1 what=$2
    shift 2
    "$publish" keygen --out "$where/maker" --no-passphrase --quiet
    for version in 1.0.0 2.0.0 3.0.0 4.0.0; do
        "$publish" release "$(echo "$what" | sed "s/VERSION/$version/")" --product "$product" --version "$version" --dir "$where/site" \
            --key "$where/maker.key" --quiet "$@"
    done
    "$publish" feed "$where/site" --product "$product" --add 1.0.0 --add 2.0.0 --add 3.0.0 --add 4.0.0 --key "$where/maker.key" --quiet
    rm -f "$where/maker.key"
}
offer . trees/VERSION

# For a system without links.
mkdir -p plain/site
cp -R trees plain/trees
rm -f plain/trees/*/share/link
offer plain plain/trees/VERSION
rm -rf plain/trees

# The same as packages of Windows Installer, where there is a tool to make them.
command -v wixl >/dev/null || exit 0

id_of() { # FOLDER-OF-THE-TREE: its name in the package
    case $1 in .) echo INSTALLDIR ;; *) echo "D_$1" | tr / _ ;; esac
}

pack() { # VERSION
    digits=$(echo "$1" | tr -d .)
    {
        cat <<WXS
<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{5EF00700-0000-4000-8000-0000000${digits}00}" Name="app" Language="1033" Version="$1" Manufacturer="App Works"
           UpgradeCode="{5EF00700-0000-4000-8000-000000000000}">
    <Package InstallerVersion="200" Compressed="yes" InstallScope="perMachine"/>
    <MajorUpgrade DowngradeErrorMessage="A newer version is installed."/>
    <MediaTemplate EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFiles64Folder"><Directory Id="OPT" Name="opt">
      <Directory Id="INSTALLDIR" Name="app"/>
    </Directory></Directory></Directory>
WXS
        (cd "trees/$1" && find . -mindepth 1 -type d | sed 's,^\./,,' | sort) | while read -r folder; do
            printf '    <DirectoryRef Id="%s"><Directory Id="%s" Name="%s"/></DirectoryRef>\n' "$(id_of "$(dirname "$folder")")" "$(id_of "$folder")" "${folder##*/}"
        done
        (cd "trees/$1" && find . -type f | sed 's,^\./,,' | sort) >msi/files
        n=0
        while read -r file; do
            n=$((n + 1))
            printf '    <DirectoryRef Id="%s"><Component Id="C%d" Guid="{5EF00700-0000-4000-8000-0000000%s%02d}" Win64="yes">' "$(id_of "$(dirname "$file")")" "$n" "$digits" "$n"
            printf '<File Id="F%d" Source="%s" Name="%s" KeyPath="yes"/></Component></DirectoryRef>\n' "$n" "trees/$1/$file" "${file##*/}"
        done <msi/files
        echo '    <Feature Id="All" Level="1">'
        seq -f '      <ComponentRef Id="C%g"/>' "$(wc -l <msi/files)"
        echo '    </Feature></Product></Wix>'
    } >"msi/app-$1.wxs"
    wixl -a x64 -o "msi/app-$1.msi" "msi/app-$1.wxs"
}

mkdir -p msi/site
for version in 1.0.0 2.0.0 3.0.0 4.0.0; do pack "$version"; done
offer msi msi/app-VERSION.msi --demand minisign
rm -f msi/app-* msi/files
