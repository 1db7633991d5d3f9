#!/usr/bin/env bash
# Makes the package before with the present program: the last one with DynamicUser=yes,
# whose scripts, unit and settings are in this folder.
#
# Usage: build.sh PROGRAM PACKAGE
set -euo pipefail

before=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=nexmo-audit-exporter
umask 022
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 0755 "$root"

install -D -m 0755 "$1" "$root/usr/bin/$name"
install -D -m 0644 "$before/$name.service" "$root/lib/systemd/system/$name.service"
install -D -m 0644 "$before/$name.env" "$root/etc/default/$name"
mkdir "$root/DEBIAN"
install -m 0755 "$before"/{postinst,prerm,postrm} "$root/DEBIAN"
echo "/etc/default/$name" >"$root/DEBIAN/conffiles"
cat >"$root/DEBIAN/control" <<END
Package: $name
Version: 0.1.0-1
Architecture: $(dpkg --print-architecture)
Maintainer: The nexmo-audit-exporter authors <nexmo-audit-exporter@example.org>
Description: Prometheus exporter for the Audit API of Nexmo (now Vonage)
END
dpkg-deb --root-owner-group -Zxz -z0 --build "$root" "$2" >/dev/null
