#!/usr/bin/env bash
# Installs Python with venv, and curl, from the packages of the system.
set -euo pipefail

# Debian splits ensurepip from python3, and venv cannot do without it.
missing=()
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
command -v curl >/dev/null || missing+=(curl)
((${#missing[@]} == 0)) && exit 0

sudo=()
if ((EUID != 0)); then
    sudo=(sudo --non-interactive)
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
