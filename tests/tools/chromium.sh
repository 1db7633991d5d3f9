#!/usr/bin/env bash
# Installs Debian's Chromium with the package manager of the system, since Chromium needs
# too many libraries to be unpacked beside them.
set -euo pipefail

command -v chromium >/dev/null && exit 0

sudo=()
if ((EUID != 0)); then
    sudo=(sudo --non-interactive)
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
