#!/usr/bin/env bash
# The package from its installation to its end, as an administrator meets it.
source /test/common.sh

step 'a package without an account says what to do, and leaves no failed unit'
dpkg --install /test/package.deb | tee /tmp/said
grep -q 'has no account yet' /tmp/said
systemctl is-enabled --quiet "$unit"
same "$(systemctl is-active "$unit" || true)" inactive "the unit"
same "$(mode /etc/$name)" root:$name:2750 "the folder of secrets"
same "$(mode /etc/$name/config.yml)" root:$name:640 "the config file"
same "$(mode /var/log/$name)" $name:adm:2750 "the folder of logs"
[[ ! -e /etc/systemd/system/sockets.target.wants/$name.socket ]]

step 'systemd knows every directive, and so does its log'
said=$(systemd-analyze verify --man=no $unit $name.socket 2>&1 || true)
same "$said" "" "systemd-analyze verify"
same "$(journalctl --no-pager --boot | grep -F "$unit:" | grep -Ei 'unknown|ignor' || true)" "" "the log"

step 'started without an account, the status says what to do'
systemctl start "$unit" || true
eventually systemctl is-failed --quiet "$unit"
systemctl status --no-pager --full "$unit" >/tmp/status || true
grep -q 'NEXMO_API_KEY must be set' /tmp/status || fail "$(cat /tmp/status)"
grep -q 'api-secret cannot be used: No such file' /tmp/status || fail "$(cat /tmp/status)"

step 'one file is edited, and one secret written'
simulate one
settings NEXMO_API_KEY=abcd1234 NEXMO_AUDIT_EVENTS_LOG=/var/log/$name/events.jsonl
echo one | install -m 0640 /dev/stdin /etc/$name/api-secret
same "$(mode /etc/$name/api-secret)" root:$name:640 "the secret"
systemctl restart "$unit"
eventually counts 50
same "$(mode /var/lib/$name)" $name:$name:700 "the state"
lines() { [[ $(grep -c . /var/log/$name/events.jsonl) == "$1" ]]; }
eventually lines 50
same "$(mode /var/log/$name/events.jsonl)" $name:adm:640 "the event log"

step 'a member of adm reads the event log, and no secret'
adduser --quiet --system --no-create-home --home /nonexistent shipper
adduser --quiet shipper adm
as() { setpriv --reuid="$1" --regid=nogroup --init-groups "${@:2}"; }
same "$(as shipper cat /var/log/$name/events.jsonl | wc -l)" 50 "lines that adm reads"
! as shipper cat /etc/$name/api-secret 2>/dev/null || fail "a shipper reads the secret"

step 'logrotate moves the event log, and the exporter goes on'
logrotate --force /etc/logrotate.d/$name
[[ -s /var/log/$name/events.jsonl.1 ]]
[[ ! -e /var/log/$name/events.jsonl ]]

step 'asked as the service does'
(
    set -a
    NEXMO_AUDIT_CONFIG_FILE=/etc/$name/config.yml
    NEXMO_AUDIT_API_SECRET_FILE=/etc/$name/api-secret
    NEXMO_AUDIT_STORAGE_PATH=/var/lib/$name
    . /etc/default/$name
    $name events list --from=48h --limit=3 --output=csv | wc -l | grep -qx 4
    $name check-config
) || fail 'a command with the settings of the service'

step 'a rotated secret is taken without a restart'
before=$(systemctl show --property=MainPID "$unit")
simulate two
eventually bash -c "! { $(declare -f get); get /metrics | grep -q '^nexmo_audit_up 1'; }"
echo two | install -m 0640 /dev/stdin /etc/$name/api-secret
eventually is_up
counts 50
same "$(systemctl show --property=MainPID "$unit")" "$before" "the process"

step 'several accounts, by the config file and a reload'
echo two | install -m 0640 /dev/stdin /etc/$name/staging.secret
sed -i -e '/^#accounts:/,$ s/^#//' -e 's/efgh5678/abcd1234-2/' \
    -e 's/production.secret/api-secret/' /etc/$name/config.yml
systemctl reload "$unit"
eventually counts 50 'account="staging"'
eventually counts 50 'account="production"'
same "$(systemctl show --property=MainPID "$unit")" "$before" "the process"
same "$(journalctl --no-pager --unit "$unit" | grep -F 'api.secret-file is ignored' || true)" \
    "" "a warning of the unit's own setting"

step 'removed, the service is gone, and settings, secrets and counts are there'
dpkg --remove $name
! systemctl is-active --quiet "$unit" || fail "active after the removal"
[[ -e /etc/$name/api-secret && -e /etc/default/$name && -e /var/lib/$name/state.redb ]]

step 'installed again, the counts go on'
dpkg --install /test/package.deb
eventually counts 50 'account="staging"'

step 'purged, the counts alone are there'
dpkg --purge $name
[[ ! -e /etc/$name && ! -e /etc/default/$name && ! -e /var/log/$name ]]
[[ -e /var/lib/$name/state.redb ]]
! systemctl list-unit-files --no-legend "$name.*" | grep . || fail "a unit is left"
step 'done'
