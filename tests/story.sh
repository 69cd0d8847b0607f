# What the stories share: sourced by tests/demo.sh and tests/demo_proof.sh, which have set PROGRAM (surefoot) and PUBLISH
# (surefoot-publish) to the programs' own paths.

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
tell() { printf '\n%s%s%s\n\n' "$bold" "$*" "$plain"; }
wrong() {
    echo "demo: $*" >&2
    exit 1
}

# show EXIT-CODE ARGUMENT...   Runs surefoot, shows the command as one would type it, and checks how it ends; publish does the same with
# surefoot-publish.
show() { run_and_tell surefoot "$PROGRAM" "$@"; }
publish() { run_and_tell surefoot-publish "$PUBLISH" "$@"; }
run_and_tell() {
    local name=$1 program=$2 expected=$3 rc=0
    shift 3
    printf '  $ %s' "$name"
    printf ' %q' "$@"
    printf '\n'
    "$program" "$@" 2>&1 | sed 's/^/  /' || rc=${PIPESTATUS[0]}
    echo "  exit code $rc"
    echo
    [ "$rc" = "$expected" ] || wrong "exit code $expected was expected"
}
