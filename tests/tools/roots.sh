#!/usr/bin/env bash
# Makes the Debian roots in which tests/packages installs the package and boots systemd:
# target/tools/roots/RELEASE, from the archive that this machine uses. Only root can.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
source "$here/debian.sh"

if ((EUID != 0)); then
    echo "tools: only root can make the roots of tests/packages" >&2
    exit 1
fi
mkdir -p "$tools/roots"
address=$(archive)

# make RELEASE: a small root with systemd, what the package depends on, and logrotate.
make() {
    local root=$tools/roots/$1
    [[ -d $root ]] && return
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg
    rm -rf "$root.new"
    mmdebstrap --quiet --variant=minbase --keyring="$keys" --include=systemd-sysv,adduser,logrotate \
        --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
        "$1" "$root.new" "$address"
    mv "$root.new" "$root"
}

# All at once, since most of the time is spent on waiting for the archive.
pids=()
for release in bullseye bookworm trixie; do
    make "$release" &
    pids+=($!)
done
for pid in "${pids[@]}"; do
    wait "$pid"
done
