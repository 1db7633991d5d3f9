#!/usr/bin/env bash
# Unpacks Alertmanager and its amtool from a Debian release. They are not installed: no
# service is started.
#
# Usage: alertmanager.sh SUITE
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
source "$here/debian.sh"

suite=$1
folder=$tools/alertmanager
# Debian's build reads its templates from here and nowhere else.
templates=/usr/share/prometheus/alertmanager

if [[ ! -x $bin/alertmanager || ! -x $bin/amtool ]]; then
    rm -rf "$folder"
    fetch "$suite" "$folder" prometheus-alertmanager
    ln -sf "$folder/usr/bin/prometheus-alertmanager" "$bin/alertmanager"
    ln -sf "$folder/usr/bin/amtool" "$bin/amtool"
fi

[[ -e $templates/default.tmpl ]] && exit 0
sudo=()
if ((EUID != 0)); then
    sudo=(sudo --non-interactive)
fi
"${sudo[@]}" mkdir -p "$templates"
"${sudo[@]}" cp "$folder$templates"/*.tmpl "$templates/"
