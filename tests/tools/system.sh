#!/usr/bin/env bash
# Python with venv: the one thing that comes from the system's own packages.
set -euo pipefail

# Debian splits ensurepip from python3, and venv cannot do without it.
python3 -c 'import ensurepip' 2>/dev/null && exit 0

sudo=()
if ((EUID != 0)); then
    sudo=(sudo --non-interactive)
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
