#!/usr/bin/env bash
# Installs the tools of the tests into target/tools. Nothing is installed twice. In CI a
# required step that fails ends the run; elsewhere, and for an optional step, the tests
# that need the tool are skipped and listed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

failed=()

# Each step is a process of its own, which its first failing command ends.
step() {
    local start=$SECONDS
    bash "$here/$1.sh" "${@:2}" || return
    echo "tools: ${*:1:2} ready after $((SECONDS - start)) s"
}

required() {
    step "$@" || failed+=("$1")
}

optional() {
    step "$@" || echo "tools: going on without ${*:1:2}" >&2
}

required system
required packages
# It mostly waits for the archive, beside the others.
step roots &
roots=$!
required python
required node
required cargo-deny
required prometheus prometheus 2.42 bookworm
required alertmanager bookworm
required victoria-metrics
required nginx
optional prometheus prometheus-2.53 2.53 trixie
optional prometheus prometheus-3 3 sid
optional vmalert
optional chromium

wait "$roots" || failed+=(roots)

if ((${#failed[@]})); then
    echo "tools: failed: ${failed[*]}" >&2
    [[ -z ${CI:-} ]]
fi
