#!/usr/bin/env bash
# An upgrade from the package with DynamicUser=yes: no count, line, secret or setting is
# lost, also if it is interrupted.
source /test/before.sh

step 'while the service runs'
before
new
nothing_is_lost
new
nothing_is_lost

step 'and back'
dpkg --force-unsafe-io --install /test/before.deb </dev/null
work_around
systemctl restart "$unit"
eventually counts 50
new
nothing_is_lost

step 'interrupted between the link and the directory, and the machine started again'
before
systemctl stop "$unit"
rm -f $workaround
dpkg --force-unsafe-io --unpack /test/package.deb
rm $new_state
systemctl daemon-reload
! systemctl start "$unit" 2>/tmp/said || fail 'a start begins a new state'
[[ ! -e $new_state ]]
dpkg --force-unsafe-io --configure --pending
nothing_is_lost
step 'done'
