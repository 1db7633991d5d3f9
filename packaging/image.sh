#!/usr/bin/env bash
# Builds the image nexmo-audit-exporter:VERSION by whichever engine is there.
#
# Usage: image.sh [ARGUMENT...]
# What is given goes to the engine's `build`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
for engine in docker podman buildah; do
    command -v "$engine" >/dev/null || continue
    # Health checks are not in the format of the OCI, and buildah keeps no layers by itself.
    how=()
    [[ $engine == docker ]] || how=(--format docker --layers)
    exec "$engine" build "${how[@]}" --tag "nexmo-audit-exporter:$version" \
        --build-arg "NEXMO_AUDIT_REVISION=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)" "$@" .
done
echo 'docker, podman or buildah is needed' >&2
exit 1
