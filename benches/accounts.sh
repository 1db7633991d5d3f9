#!/usr/bin/env bash
# Measures one exporter with many accounts of the simulator: memory, processor time,
# freshness and scrapes, in a line every half minute. In the middle a hundredth of the
# accounts gets a wrong secret by a reload, which must not affect the others.
#
#   benches/accounts.sh ACCOUNTS MINUTES [EVENTS_PER_SECOND]
set -euo pipefail
accounts=${1:-10000} minutes=${2:-5} rate=${3:-0.02}
program=${PROGRAM:-$(dirname "${BASH_SOURCE[0]}")/../target/release/nexmo-audit-exporter}
folder=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; rm -rf "$folder"' EXIT

# configure BROKEN writes the config file; the first BROKEN accounts have a wrong secret.
configure() {
    awk -v accounts="$accounts" -v broken="$1" 'BEGIN {
        print "poll: {interval: 60s}\naccounts:"
        for (i = 1; i <= accounts; i++) {
            key = i == 1 ? "abcd1234" : "abcd1234-" i
            secret = i <= broken ? "wrong" : "simulated-secret"
            printf "- {name: account-%05d, api_key: %s, api_secret: %s}\n", i, key, secret
        }
    }' >"$folder/config.yml"
}

# found LOG EXPRESSION waits for the first match of the expression in a log.
found() {
    for _ in $(seq 1200); do
        sed -n "s/.*$2.*/\\1/p" "$1" | head -1 | grep . && return
        sleep 0.05
    done
    echo "$1: nothing like $2" >&2
    return 1
}

"$program" simulate --listen-address=127.0.0.1:0 --accounts="$accounts" --rate="$rate" \
    --history=50 2>"$folder/simulator.log" &
started+=($!)
api=$(found "$folder/simulator.log" 'base_url=\([^ ]*\)')
configure 0
begun=$(date +%s%N)
"$program" serve --config.file="$folder/config.yml" --storage.path="$folder/state" \
    --web.listen-address=127.0.0.1:0 --api.base-url="$api" 2>"$folder/exporter.log" &
exporter=$!
started+=("$exporter")
listening=$(found "$folder/exporter.log" 'listening address=\([^ ]*\)')
echo "$accounts accounts, $minutes minutes; listening after $((($(date +%s%N) - begun) / 1000000)) ms"
echo "   time    RSS MB  CPU s   up   down  age p50  p99  max s  scrape s  MB(gzip)"

row() {
    local scraped bytes cpu rss
    read -r scraped bytes < <(curl -s -H 'Accept-Encoding: gzip' \
        -H 'X-Prometheus-Scrape-Timeout-Seconds: 10' -o "$folder/scrape.gz" \
        -w '%{time_total} %{size_download}\n' "http://$listening/metrics")
    rss=$(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$exporter/status")
    cpu=$(awk '{print ($14 + $15) / 100}' "/proc/$exporter/stat")
    gzip -dc "$folder/scrape.gz" | awk -v now="$(date +%s.%N)" -v at="$1" -v rss="$rss" \
        -v cpu="$cpu" -v scraped="$scraped" -v bytes="$bytes" '
        /^nexmo_audit_up[{]/ { if ($NF == 1) up++; else down++ }
        /^nexmo_audit_last_poll_success_timestamp_seconds[{]/ { age[int(now - $NF)]++; n++ }
        END {
            for (a = 0; a < 100000 && seen < n; a++) {
                if (age[a]) max = a
                seen += age[a]
                if (p50 == "" && seen >= n * 0.5) p50 = a
                if (p99 == "" && seen >= n * 0.99) p99 = a
            }
            printf "%7s  %8d %6.1f %5d %5d %8s %5s %5s %9.2f %9.2f\n", at, rss, cpu, up, down, p50, p99, max, scraped, bytes / 1e6
        }'
}

half=$((minutes * 60 / 2))
for ((at = 30; at <= minutes * 60; at += 30)); do
    # Prometheus scrapes twice in that time.
    sleep 15
    curl -s -H 'Accept-Encoding: gzip' -H 'X-Prometheus-Scrape-Timeout-Seconds: 10' \
        -o "$folder/scrape.gz" "http://$listening/metrics"
    sleep 15
    row "${at}s"
    if ((at >= half && at < half + 30)); then
        configure $((accounts / 100))
        kill -HUP "$exporter"
    fi
done
grep 'configuration loaded' "$folder/exporter.log" | sed 's/.*message=/reload: /'
