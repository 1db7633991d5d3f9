#!/usr/bin/env bash
# Makes the release archive of a static program, named as those of Prometheus, the same bytes
# from the same input. Everything but the program lies where it lies in the repository, so
# that the documents are right about it.
#
# Usage: archive.sh PROGRAM FOLDER
# The archive's path is written to standard output. SOURCE_DATE_EPOCH is the time of its
# files, by default that of the last commit.
set -euo pipefail
program=$(realpath "$1")
folder=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
machine=$(rustc --print host-tuple)
case ${machine%%-*} in
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*) architecture=${machine%%-*} ;;
esac
name=nexmo-audit-exporter-$version.linux-$architecture
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/$name"
install "$program" "$work/$name/nexmo-audit-exporter"
packaging/licenses.sh "$work/$name/LICENSES-OF-CRATES"
git ls-files -z LICENSE README.md CHANGELOG.md SECURITY.md docs \
    packaging/{completions,kubernetes,man,systemd} \
    'dashboards/grafana/*.json' dashboards/pictures dashboards/prometheus/rules |
    xargs -0 cp --parents -t "$work/$name"

tar --create --directory "$work" --format ustar --sort name --mtime "@$time" \
    --owner 0 --group 0 --numeric-owner --mode 'u=rwX,go=rX' "$name" |
    gzip -9 --no-name >"$folder/$name.tar.gz"
echo "$folder/$name.tar.gz"
