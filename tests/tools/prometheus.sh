#!/usr/bin/env bash
# Unpacks a Prometheus server and its promtool from a Debian release. They are not
# installed: nothing is started, and the system stays as it is.
#
# Usage: prometheus.sh NAME VERSION SUITE
# NAME is the name of the server in target/tools/bin. The name of its tool has "promtool"
# in place of "prometheus".
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
source "$here/debian.sh"

name=$1 version=$2 suite=$3
folder=$tools/$name
server=$bin/$name
tool=$bin/${name/prometheus/promtool}

# Makes $2 run the unpacked program $1. A program that is newer than the system may need a
# newer C library, and runs with its own, by the loader of that library.
link() {
    local program=$folder/usr/bin/$1 loader library
    if "$program" --version >/dev/null 2>&1; then
        ln -sf "$program" "$2"
        return
    fi
    [[ -d $folder/libc ]] || fetch "$suite" "$folder/libc" libc6
    loader=$(find "$folder/libc" -name 'ld-linux*.so.*' -print -quit)
    library=$(dirname "$(find "$folder/libc" -name libc.so.6 -print -quit)")
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' \
        "$loader" "$library" "$program" >"$2"
    chmod +x "$2"
}

[[ -x $server && -x $tool ]] && exit 0

packages=(prometheus)
# Debian keeps promtool in a package of its own since 2.53.
[[ $version == 2.42 ]] || packages+=(promtool)
rm -rf "$folder"
fetch "$suite" "$folder" "${packages[@]}"
link promtool "$tool"
link prometheus "$server"

# A suite in development changes: another version must not get this name.
if ! "$server" --version 2>&1 | grep -F "version $version." >/dev/null; then
    rm -f "$server" "$tool"
    echo "tools: $suite has no Prometheus $version any more" >&2
    exit 1
fi
