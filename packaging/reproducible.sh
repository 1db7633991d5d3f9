#!/usr/bin/env bash
# Builds the released program of the current commit twice, in folders of different
# names and depths, and compares the bytes. Takes the time of two releases.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

revision=$(git rev-parse --short=12 HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A build without the repository around it, as in the image.
build() {
    mkdir -p "$1"
    git archive HEAD | tar -x -C "$1"
    env -u CARGO_TARGET_DIR NEXMO_AUDIT_REVISION="$revision" \
        "$1/packaging/build.sh" "$work/$2"
    rm -rf "${1:?}/target"
}

build "$work/a" first
build "$work/another/folder/far/below" second
sha256sum "$work/first" "$work/second"
cmp "$work/first" "$work/second"
echo "the same $(stat -c %s "$work/first") bytes"
