#!/usr/bin/env bash
# Unpacks nginx from the packages of Debian. It is not installed, and no service is started.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
source "$here/debian.sh"

[[ -x $bin/nginx ]] && exit 0
folder=$tools/nginx
fetch bookworm "$folder" nginx libpcre2-8-0 libssl3
# The program is started with its own libraries.
printf '#!/bin/sh\nexport LD_LIBRARY_PATH="%s"\nexec "%s" "$@"\n' \
    "$(echo "$folder"/usr/lib/*-linux-gnu)" "$folder/usr/sbin/nginx" >"$bin/nginx"
chmod +x "$bin/nginx"
"$bin/nginx" -v 2>/dev/null
