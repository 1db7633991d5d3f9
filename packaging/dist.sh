#!/usr/bin/env bash
# Makes what a release publishes: the archive, the Debian package, the list
# of what the program is made of, and the checksums. The same commit makes the same bytes.
#
# Usage: dist.sh FOLDER [PROGRAM]
# A program that is given is packed as it is. Otherwise the program is built, of a commit.
set -euo pipefail
mkdir -p "$1"
dist=$(realpath "$1")
program=${2:+$(realpath "$2")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)

if [[ -z $program ]]; then
    if ! git diff --quiet HEAD; then
        echo 'a release is made of a commit, and these files were changed since:' >&2
        git diff --name-only HEAD >&2
        exit 1
    fi
    program=$PWD/target/packages/nexmo-audit-exporter
    packaging/build.sh "$program"
fi

packaging/archive.sh "$program" "$dist"
packaging/debian/build.sh "$program" "$dist"
packaging/sbom.sh "$dist/nexmo-audit-exporter-$version.cdx.json"
(cd "$dist" && sha256sum -- * >SHA256SUMS)
echo "$dist/SHA256SUMS"
