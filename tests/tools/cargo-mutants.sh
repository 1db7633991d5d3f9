#!/usr/bin/env bash
# Installs cargo-mutants beside the other programs of cargo, so that it is built once.
# `make mutants` alone needs it.
set -euo pipefail

command -v cargo-mutants >/dev/null && exit 0
# An optimised build takes several times as long and saves no time in use.
cargo install --quiet --locked --debug cargo-mutants@27.1.0
