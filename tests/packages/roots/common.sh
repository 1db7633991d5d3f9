# shellcheck shell=bash
# What the scripts of this folder share. Each runs in a Debian root of its own, which a
# systemd of that release has booted; /test holds the packages, the program and these
# scripts.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
name=nexmo-audit-exporter
unit=$name.service

step() { echo "== $*"; }

fail() {
    echo "FAILED: $*"
    systemctl status --no-pager --full "$unit" || true
    journalctl --no-pager --unit "$unit" --lines 40 || true
    exit 1
}

# eventually COMMAND...: waits until the command succeeds.
eventually() {
    local end=$((SECONDS + 30))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "never: $*"
        sleep 0.1
    done
}

# get PATH: an answer of the exporter, head and body.
get() {
    local answer
    exec 3<>/dev/tcp/127.0.0.1/10610 || return 1
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
    answer=$(timeout 10 cat <&3)
    exec 3>&-
    echo "$answer"
}

# counted [LABELS]: how many events are counted, of the series with these labels.
counted() {
    get /metrics | awk -v labels="${1:-}" '
        /^nexmo_audit_events_by_type_total/ && index($0, labels) { sum += $2 }
        END { print sum + 0 }'
}

counts() { [[ $(counted "${2:-}") == "$1" ]]; }

# shows PATTERN: whether a sample matches. The answer is read to its end, since its writer fails
# if the reader leaves earlier.
shows() { (($(get /metrics | grep -c "$1") > 0)); }

is_up() { shows '^nexmo_audit_up[^ ]* 1'; }

# simulate SECRET: the Audit API with 50 events, and this secret from now on.
begin=$(date -u -d '-1 minute' +%FT%TZ)
simulators=0
simulate() {
    systemctl stop simulator-$simulators.service 2>/dev/null || true
    simulators=$((simulators + 1))
    systemd-run --quiet --unit=simulator-$simulators /test/program simulate \
        --api-secret="$1" --start="$begin" --history=50 --rate=0 --accounts=2
    eventually bash -c 'exec 3<>/dev/tcp/127.0.0.1/10611'
}

# settings LINE...: appends to the settings of the service.
settings() {
    printf '%s\n' NEXMO_AUDIT_API_BASE_URL=http://127.0.0.1:10611/beta/audit \
        NEXMO_AUDIT_POLL_START=3d NEXMO_AUDIT_POLL_INTERVAL=1s \
        NEXMO_AUDIT_METRICS_SCRAPE_INTERVAL=0 "$@" >>/etc/default/$name
}

# mode PATH: its owner, group and mode.
mode() { stat -c %U:%G:%a "$1"; }

same() { [[ $1 == "$2" ]] || fail "$3: $1, not $2"; }
