#!/usr/bin/env bash
# Makes a Debian package of a static program, the same bytes from the same input.
#
# Usage: build.sh PROGRAM FOLDER
# The package's path is written to standard output. SOURCE_DATE_EPOCH is the time of
# its files, by default that of the last commit; DEB_COMPRESSION_LEVEL is 0 to 9.
set -euo pipefail

program=$(realpath "$1")
folder=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
name=nexmo-audit-exporter
debian=packaging/debian

if ldd "$program" >/dev/null 2>&1 && ldd "$program" | grep -q '=>'; then
    echo "$program is linked dynamically; the package depends on no library" >&2
    exit 1
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)-1
architecture=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

umask 022
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 0755 "$root"

# put MODE SOURCE TARGET
put() {
    install -D -m "$1" "$2" "$root/$3"
}

# pack SOURCE TARGET: compressed, and without a time
pack() {
    mkdir -p "$(dirname "$root/$2")"
    gzip -9nc "$1" >"$root/$2.gz"
}

put 0755 "$program" usr/bin/$name
put 0644 packaging/systemd/$name.service lib/systemd/system/$name.service
put 0644 packaging/systemd/$name.socket lib/systemd/system/$name.socket
# Templates, from which postinst makes the files of the administrator.
put 0644 packaging/systemd/$name.env usr/share/$name/default.env
put 0644 packaging/systemd/config.yml usr/share/$name/config.yml
put 0644 packaging/systemd/$name.logrotate etc/logrotate.d/$name
put 0644 packaging/completions/$name usr/share/bash-completion/completions/$name
put 0644 packaging/completions/_$name usr/share/zsh/vendor-completions/_$name
put 0644 packaging/completions/$name.fish usr/share/fish/vendor_completions.d/$name.fish
for page in packaging/man/*.1; do
    pack "$page" "usr/share/man/man1/$(basename "$page")"
done
for board in dashboards/grafana/*.json; do
    put 0644 "$board" "usr/share/$name/grafana/$(basename "$board")"
done
for rules in dashboards/prometheus/rules/*.yml; do
    put 0644 "$rules" "usr/share/$name/prometheus/$(basename "$rules")"
done

documents=usr/share/doc/$name
put 0644 $debian/copyright $documents/copyright
for page in README.md docs/*.md docs/decisions/*.md; do
    put 0644 "$page" "$documents/$page"
done
pack CHANGELOG.md $documents/changelog
pack <(
    echo "$name ($version) unstable; urgency=medium"
    echo
    echo "  * Version ${version%-*}; see changelog.gz."
    echo
    echo " -- $(sed -n 's/^Maintainer: //p' $debian/control)  $(date -Ru -d "@$SOURCE_DATE_EPOCH")"
) $documents/changelog.Debian
put 0644 $debian/lintian-overrides usr/share/lintian/overrides/$name

size=$(du -sk --apparent-size "$root" | cut -f 1)
mkdir "$root/DEBIAN"
sed "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@INSTALLED_SIZE@/$size/" \
    $debian/control >"$root/DEBIAN/control"
put 0644 $debian/conffiles DEBIAN/conffiles
for script in postinst prerm postrm; do
    put 0755 $debian/$script DEBIAN/$script
done
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' |
    LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
chmod 0644 "$root/DEBIAN/md5sums"
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$folder"
package=$folder/${name}_${version}_$architecture.deb
# Not zstd, which dpkg of Debian 11 cannot read.
dpkg-deb --root-owner-group -Zxz "-z${DEB_COMPRESSION_LEVEL:-9}" --build "$root" "$package" >/dev/null
echo "$package"
