#!/usr/bin/env bash
# Debian's Chromium, with the system's own package manager: it needs too many
# libraries to be unpacked beside them.
set -euo pipefail

command -v chromium >/dev/null && exit 0

sudo=()
if ((EUID != 0)); then
    sudo=(sudo --non-interactive)
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
