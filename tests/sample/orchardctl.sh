#!/bin/sh
# orchardctl: the sample product's control program; see orchard.py, which stands beside it as bin/orchard.
#
#   orchardctl start|stop|status|idle|health|records|scheduler-status|scheduler-on|scheduler-off HOME
#
# The service holds the lock HOME/run/lock as long as it lives, so that what is said here is true also after it was killed.
set -u
command=${1:?a command} home=${2:?the home folder}
tree=${0%/bin/*}
lock=$home/run/lock

fail() {
    echo "orchardctl: $1" >&2
    exit "${2:-1}"
}
is_told() { [ -e "$tree/behave/$1" ] || [ -e "$home/behave/$1" ]; }
is_running() { [ -e "$lock" ] && ! flock -n -s "$lock" true; }
stop() {
    tries=100
    ! is_told no-stop || tries=6
    while is_running; do
        [ $tries -gt 0 ] || fail "it still runs"
        tries=$((tries - 1))
        # one that is just starting has not said yet which process it is
        [ ! -s "$home/run/pid" ] || kill "$(cat "$home/run/pid")" 2>/dev/null
        flock -w 0.05 -s "$lock" true && break
    done
    return 0
}

case $command in
start | health | records) exec "$tree/bin/orchard" "$command" "$home" ;;
stop) stop ;;
status) is_running ;;
idle) ! is_told busy || exit 3 ;;
scheduler-status) [ ! -e "$home/scheduler-is-off" ] ;;
scheduler-on) rm -f "$home/scheduler-is-off" ;;
scheduler-off) : >"$home/scheduler-is-off" ;;
*) fail "$command?" 2 ;;
esac
