#!/usr/bin/env bash
# Unpacks VictoriaMetrics from the packages of Debian. It is not installed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
source "$here/debian.sh"

[[ -x $bin/victoria-metrics ]] && exit 0
fetch bookworm "$tools/victoria-metrics" victoria-metrics
ln -sf "$tools/victoria-metrics/usr/bin/victoria-metrics" "$bin/victoria-metrics"
"$bin/victoria-metrics" --version >/dev/null
