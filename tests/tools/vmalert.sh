#!/usr/bin/env bash
# Unpacks the server of rules of VictoriaMetrics, and its tool that tests rules, from Debian's
# suite in development: the release has one that does not know keep_firing_for. They are not
# installed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
source "$here/debian.sh"

[[ -x $bin/vmalert && -x $bin/vmalert-tool ]] && exit 0
rm -rf "$tools/vmalert"
fetch sid "$tools/vmalert" victoria-metrics
for program in vmalert vmalert-tool; do
    link sid "$tools/vmalert" "$program" "$bin/$program"
    "$bin/$program" --help >/dev/null 2>&1
done
