#!/usr/bin/env bash
# Lists what the program is made of, as CycloneDX, and holds the list to its schema.
# The same commit makes the same bytes.
#
# Usage: sbom.sh FILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p "$(dirname "$1")"
export PATH=$PWD/target/tools/bin:$PATH

command -v cargo-cyclonedx >/dev/null ||
    cargo install --quiet --locked --debug cargo-cyclonedx@0.5.9
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
# It writes beside the Cargo.toml of each crate, whatever it is told.
cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --no-build-deps
# Where the sources lie is no part of the program.
sed "s|file://$PWD|file:///src|g" nexmo-audit-exporter_bin.cdx.json >"$1"
rm -f ./*.cdx.json crates/*/*.cdx.json
tests-python - "$1" <<'END'
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = open(sys.argv[1]).read()
problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
sys.exit(str(problem) if problem else 0)
END
echo "$1"
