#!/usr/bin/env bash
# An upgrade from the package with DynamicUser=yes: no count, line, secret or setting is
# lost, however the service was set up.
source /test/before.sh

step 'while it is stopped, and disabled'
before
systemctl disable --now "$unit"
new
! systemctl is-active --quiet "$unit" || fail 'an upgrade starts what was disabled'
systemctl start "$unit"
nothing_is_lost

step 'disabled, but running'
before
systemctl disable "$unit"
new
nothing_is_lost

step 'a service that has a configuration file of its own'
before
echo 'log: {format: json}' >/etc/$name/mine.yml
settings NEXMO_AUDIT_CONFIG_FILE=/etc/$name/mine.yml
systemctl restart "$unit"
new
nothing_is_lost
journalctl --no-pager --unit "$unit" --lines 5 --output cat | grep -q '^{"timestamp"' || fail 'its setting'

step 'accounts of a drop-in with credentials'
before
install -m 0600 /etc/$name/api-secret /etc/$name/other
cat >/etc/$name/config.yml <<END
accounts:
  - {name: shop, api_key: abcd1234, api_secret_file: /run/credentials/$unit/other}
END
mkdir -p /etc/systemd/system/$unit.d
cat >/etc/systemd/system/$unit.d/accounts.conf <<END
[Unit]
ConditionPathExists=
[Service]
LoadCredential=other:/etc/$name/other
Environment=NEXMO_AUDIT_CONFIG_FILE=/etc/$name/config.yml
END
systemctl daemon-reload
systemctl restart "$unit"
eventually counts 50 'account="shop"'
new
eventually counts 50 'account="shop"'
grep -q shop /etc/$name/config.yml
rm -r /etc/systemd/system/$unit.d
systemctl daemon-reload

step 'interrupted before anything was moved'
before
systemctl stop "$unit"
rm -f $workaround
dpkg --force-unsafe-io --unpack /test/package.deb
chown -R -h root:root $old_state
systemctl daemon-reload
! systemctl start "$unit" 2>/tmp/said || fail 'a start before the state is moved'
dpkg --force-unsafe-io --configure --pending
nothing_is_lost

step 'a state that cannot be moved stays as it was'
before
systemctl stop "$unit"
mkdir /tmp/volume
cp -a $old_state/. /tmp/volume
mount --bind /tmp/volume $old_state
! new >/tmp/said 2>&1 || fail 'a mount point was moved'
grep -q "$old_state could not be moved to $new_state" /tmp/said || fail "$(cat /tmp/said)"
[[ -f $new_state/state.redb ]]
umount $old_state
rm $new_state
rmdir --ignore-fail-on-non-empty $old_state
rm -r $old_state
mkdir $new_state
mount --bind /tmp/volume $new_state
dpkg --force-unsafe-io --configure --pending
nothing_is_lost
