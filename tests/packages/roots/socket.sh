#!/usr/bin/env bash
# What systemd is told by the exporter, and the address that systemd holds for it.
source /test/common.sh

dpkg --install /test/package.deb
simulate one
settings NEXMO_API_KEY=abcd1234

step 'a start that fails is told at once'
! systemctl start "$unit" 2>/dev/null || fail 'started without a secret'
echo one | install -m 0640 /dev/stdin /etc/$name/api-secret

step 'a start returns when the exporter listens'
systemctl start "$unit"
shows '^nexmo_audit_exporter_build_info'
eventually counts 50
systemctl show --property=StatusText "$unit" | grep -F '1 account'

step 'systemd holds the address'
systemctl stop "$unit"
systemctl enable --now $name.socket
said=$(NEXMO_API_KEY=abcd1234 NEXMO_API_SECRET=one NEXMO_AUDIT_STORAGE_PATH=/var/lib/$name \
    $name check-config 2>&1) || fail "$said"
grep -qF 'systemd listens on :10610' <<<"$said" || fail "$said"
systemctl start "$unit"
eventually counts 50

step 'restarts and an upgrade refuse no scrape'
scrape_all_the_time() {
    until [[ -e /tmp/enough ]]; do
        get /metrics >/tmp/answer 2>/dev/null && grep -q '200 OK' /tmp/answer || touch /tmp/refused
        echo >>/tmp/scrapes
    done
}
scrape_all_the_time &
systemctl restart "$unit"
eventually counts 50
dpkg --install /test/package.deb
eventually counts 50
systemctl is-active --quiet $name.socket
touch /tmp/enough
wait
[[ ! -e /tmp/refused ]] || fail 'a scrape was refused'
(($(wc -l </tmp/scrapes) > 5)) || fail 'hardly a scrape'

step 'after a bad configuration, a restart of both is enough'
mv /etc/$name/api-secret /tmp/away
systemctl restart "$unit" 2>/dev/null || true
eventually systemctl is-failed --quiet "$unit"
get / >/dev/null 2>&1 || true
mv /tmp/away /etc/$name/api-secret
# In place of the ten seconds of systemd's limit, which a person takes anyway.
systemctl reset-failed "$unit"
systemctl restart $name.socket "$unit"
eventually counts 50

step 'removed, nothing holds the address'
dpkg --purge $name
! get / 2>/dev/null || fail 'the socket is left'
! systemctl list-unit-files --no-legend "$name.*" | grep . || fail 'a unit is left'
[[ ! -L /etc/systemd/system/sockets.target.wants/$name.socket ]] || fail 'the socket is enabled'
step 'done'
