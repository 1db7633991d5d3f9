#!/usr/bin/env bash
# Installs the programs that check and run packages, with the package manager of the
# system: they find each other by their paths in the system, and none starts a service.
set -euo pipefail

# Each program, and its package.
declare -A wanted=(
    [buildah]=buildah
    [debootstrap]=debootstrap
    [deb-systemd-helper]=init-system-helpers
    [fish]=fish
    [groff]=groff-base
    [lintian]=lintian
    [man]=man-db
    [mmdebstrap]=mmdebstrap
    [openssl]=openssl
    [systemd-analyze]=systemd
    [systemd-nspawn]=systemd-container
    [systemd-socket-activate]=systemd
    [zsh]=zsh
)
missing=()
for program in "${!wanted[@]}"; do
    command -v "$program" >/dev/null || missing+=("${wanted[$program]}")
done
((${#missing[@]})) || exit 0

sudo=()
if ((EUID != 0)); then
    sudo=(sudo --non-interactive)
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
