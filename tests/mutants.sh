#!/usr/bin/env bash
# Changes the core crate in one small way after another (mutants), runs the tests of the
# crate on each, and fails if fewer than 95 % of the mutants fail a test. The changes that
# have no effect, and why they have none, are listed in .cargo/mutants.toml.
#
# Usage: mutants.sh [ARGUMENT...]
#   --file 'crates/audit-core/src/gate/**', for example, tests one module.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
output=target/mutants
least=95

bash tests/tools/cargo-mutants.sh
mkdir -p $output
status=0
cargo mutants --package audit-core --output $output --colors never "$@" || status=$?
# Mutants that were missed make the status 2, and tests that ran out of time 3.
case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac

count() {
    wc -l <"$output/mutants.out/$1.txt"
}
missed=$(count missed)
# A test that does not end notices the change as well as one that fails.
caught=$(($(count caught) + $(count timeout)))
tested=$((caught + missed))
echo "$((tested + $(count unviable))) mutants: $caught caught, $missed missed, $(count unviable) unviable"
if ((tested == 0 || caught * 100 < tested * least)); then
    echo "fewer than $least % of $tested mutants were caught" >&2
    exit 1
fi
