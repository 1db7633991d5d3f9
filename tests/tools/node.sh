#!/usr/bin/env bash
# Installs Prism, the vendor's API definition and the vendor's client.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

node=$tools/node
# The copy is made last, so it marks a complete installation.
cmp -s "$here/node/package-lock.json" "$node/installed.json" && exit 0

npm=$(dirname "$(realpath "$bin/node")")/../lib/node_modules/npm/bin/npm-cli.js
mkdir -p "$node"
cp "$here/node/package.json" "$here/node/package-lock.json" "$here/node/.npmrc" "$node/"
"$bin/node" "$npm" ci --prefix "$node" --ignore-scripts --loglevel=error
cp "$here/node/package-lock.json" "$node/installed.json"
