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

[[ -x $server && -x $tool ]] && exit 0

packages=(prometheus)
# Debian keeps promtool in a package of its own since 2.53.
[[ $version == 2.42 ]] || packages+=(promtool)
rm -rf "$folder"
fetch "$suite" "$folder" "${packages[@]}"
link "$suite" "$folder" promtool "$tool"
link "$suite" "$folder" prometheus "$server"

# A suite in development changes: another version must not get this name.
if ! "$server" --version 2>&1 | grep -F "version $version." >/dev/null; then
    rm -f "$server" "$tool"
    echo "tools: $suite has no Prometheus $version any more" >&2
    exit 1
fi
