#!/usr/bin/env bash
# Installs cargo-deny beside the other programs of cargo, so that it is built once.
set -euo pipefail

command -v cargo-deny >/dev/null && exit 0
# An optimised build takes several times as long and saves no time in use.
cargo install --quiet --locked --debug cargo-deny@0.20.2
