#!/usr/bin/env bash
# Builds what the program depends on from Cargo.lock and the manifests alone, so that an
# image keeps it in a layer that a change of the sources leaves alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -e src ]]; then
    echo "$PWD has sources, which would be overwritten; packaging/build.sh builds them" >&2
    exit 1
fi

# Cargo reads no manifest whose targets are missing.
for manifest in Cargo.toml crates/*/Cargo.toml; do
    mkdir -p "$(dirname "$manifest")/src"
    touch "$(dirname "$manifest")/src/lib.rs"
done
echo 'fn main() {}' >src/main.rs
for bench in $(sed -n '/^\[\[bench\]\]$/{n;s/^name = "\(.*\)"$/\1/p}' Cargo.toml); do
    mkdir -p "benches/$bench"
    echo 'fn main() {}' >"benches/$bench/main.rs"
done

packaging/build.sh target/no-program
# Cargo takes sources that are older than what it built for unchanged, and those of the
# context can be.
cargo clean --quiet --locked --release --workspace --target "$(rustc --print host-tuple)"
find src crates benches -name '*.rs' -delete
rm target/no-program
