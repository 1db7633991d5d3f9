#!/usr/bin/env bash
# Builds the whole image by buildah on a machine that reaches no registry of images: the
# base image is a Debian of the same release with the Rust of this machine. Then starts
# the program from the image, and builds the image again after a change of the sources,
# which may build no dependency. This takes as long as a release build and a half, and needs
# root.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../tools/paths.sh"
source "$here/debian.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

base=$(sed -n 's/^FROM \(.*\) AS build$/\1/p' Dockerfile)
work=$(mktemp -d)
# vfs copies the whole image for each layer, and overlay cannot lie on itself.
driver=overlay
[[ $(stat --file-system --format %T "$work") != overlayfs ]] || driver=vfs
buildah() {
    command buildah --storage-driver "$driver" --root "$work/storage" --runroot "$work/run" "$@"
}
trap 'buildah umount --all >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev \
    "${base##*-}" "$work/debian" "$(archive)" >"$work/debootstrap.log" ||
    { cat "$work/debootstrap.log"; exit 1; }
rm -rf "$work/debian/var/cache/apt" "$work/debian/var/lib/apt/lists"
mkdir -p "$work/debian/usr/local/cargo"
sysroot=$(rustc --print sysroot)
cp -a "$sysroot/." "$work/debian/usr/local/rust"
rm -rf "$work/debian/usr/local/rust/share"

container=$(buildah from scratch)
buildah copy --quiet "$container" "$work/debian" / >/dev/null
buildah config --env CARGO_HOME=/usr/local/cargo --env CARGO_NET_OFFLINE=true \
    --env PATH=/usr/local/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit --quiet --rm "$container" "docker.io/library/$base" >/dev/null
rm -rf "$work/debian"

mkdir "$work/context"
grep '^!' .dockerignore | tr -d '!' | xargs cp --archive --parents -t "$work/context"
cp .dockerignore Dockerfile "$work/context"

image() {
    buildah build --isolation chroot --pull-never --format docker --layers \
        --tag nexmo-audit-exporter --volume "${CARGO_HOME:-$HOME/.cargo}/registry:/usr/local/cargo/registry" \
        --build-arg "NEXMO_AUDIT_REVISION=$(git rev-parse --short=12 HEAD)" "$work/context" 2>&1 |
        tee "$work/build.log"
}
compiled() {
    sed -n 's/^ *Compiling \([^ ]*\) .*/\1/p' "$work/build.log" | LC_ALL=C sort -u
}

image
root=$(buildah mount "$(buildah from --pull-never nexmo-audit-exporter)")
sha256sum "$root/nexmo-audit-exporter"
du -sb "$root" | sed 's/\t.*/ bytes in all/'
chroot --userspec=65532:65532 "$root" /nexmo-audit-exporter --version

echo '// A change.' >>"$work/context/src/main.rs"
image
own=$(sed -n 's/^name = "\(.*\)"$/\1/p' crates/*/Cargo.toml Cargo.toml | LC_ALL=C sort -u)
if others=$(comm -23 <(compiled) <(echo "$own")) && [[ -n $others ]]; then
    echo "built again although only a source changed:" $others >&2
    exit 1
fi
echo "built again after a change of a source:" $(compiled)
