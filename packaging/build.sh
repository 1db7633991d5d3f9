#!/usr/bin/env bash
# Builds the released program: static, and the same bytes from the same commit and
# toolchain, wherever the sources and cargo's folder lie.
#
# Usage: build.sh PROGRAM
# NEXMO_AUDIT_REVISION is the revision that it tells, by default that of git.
set -euo pipefail

mkdir -p "$(dirname "$1")"
program=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The cargo of Debian 12 cannot read the manifest, which says the version.
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
version=$(rustc --version | cut -d ' ' -f 2)
if ! printf '%s\n' "$wanted" "$version" | sort --version-sort --check=quiet; then
    echo "Rust $wanted or newer is needed, and rustc is $version: install it by https://rustup.rs" >&2
    exit 1
fi

target=$(rustc --print host-tuple)
sysroot=$(rustc --print sysroot)

# rustc brings its own linker for x86_64 alone. The linkers of other machines do not know
# these flags, which only make the program smaller.
smaller=
if [[ $target == x86_64-* ]]; then
    smaller='-C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all'
fi

# Names of files are in the messages of panics. A target that is named keeps the
# flags away from build scripts and macros, which cannot be linked statically.
RUSTFLAGS="-C target-feature=+crt-static $smaller \
--remap-path-prefix=$PWD=/src --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo \
--remap-path-prefix=$sysroot=/rust" \
    CARGO_INCREMENTAL=0 cargo build --release --locked --target "$target" --bin nexmo-audit-exporter
install "${CARGO_TARGET_DIR:-target}/$target/release/nexmo-audit-exporter" "$program"
