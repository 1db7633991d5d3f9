#!/usr/bin/env bash
# Installs what the tests run against into target/tools. What is there already
# costs nothing. In CI a required step that fails fails the run; elsewhere, and
# for an optional one, the tests that miss the tool are skipped by name.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

failed=()

# Each step is a process of its own, so that its first failing command ends it.
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
required python
required node
required cargo-deny
required prometheus prometheus 2.42 bookworm
required alertmanager bookworm
required victoria-metrics
optional prometheus prometheus-2.53 2.53 trixie
optional prometheus prometheus-3 3 sid
optional chromium

if ((${#failed[@]})); then
    echo "tools: failed: ${failed[*]}" >&2
    [[ -z ${CI:-} ]]
fi
