# shellcheck shell=bash
# What the scripts of an upgrade share: the package with DynamicUser=yes, and what must be
# there after the upgrade from it.
source /test/common.sh

old_state=/var/lib/private/$name
new_state=/var/lib/$name

# The package before does not know where its secret is under systemd 247 (%d came with 251),
# unless a drop-in says so, which has to go before the upgrade.
workaround=/etc/systemd/system/$unit.d/secret.conf
if (($(systemctl --version | awk 'NR == 1 { print $2 }') < 251)); then
    work_around() {
        mkdir -p "$(dirname $workaround)"
        printf '%s\n' '[Service]' \
            "Environment=NEXMO_AUDIT_API_SECRET_FILE=/run/credentials/$unit/api-secret" >$workaround
        systemctl daemon-reload
    }
else
    work_around() { :; }
fi

# These scripts start the service more often than systemd allows within ten seconds.
mkdir -p "/run/systemd/system/$unit.d"
printf '%s\n' '[Unit]' StartLimitIntervalSec=0 >"/run/systemd/system/$unit.d/limit.conf"
systemctl daemon-reload

# Begins again with the package before, and 50 counted events.
before() {
    dpkg --force-unsafe-io --purge $name >/dev/null 2>&1 || true
    rm -rf $new_state $old_state /var/log/$name /var/log/private/$name
    dpkg --force-unsafe-io --install /test/before.deb
    work_around
    simulate one
    settings NEXMO_API_KEY=abcd1234 NEXMO_AUDIT_EVENTS_LOG=/var/log/$name/events.jsonl
    echo one | install -m 0600 /dev/stdin /etc/$name/api-secret
    systemctl restart "$unit"
    eventually counts 50
    [[ -L $new_state && -f $old_state/state.redb ]] || fail 'the state is not where it was'
}

# Each event was counted once, by the file that is there, and written once.
nothing_is_lost() {
    eventually counts 50
    eventually is_up
    [[ ! -e $old_state && ! -L $new_state && -f $new_state/state.redb ]] || fail 'the state'
    same "$(mode $new_state)" $name:$name:700 'the state'
    same "$(mode /var/log/$name)" $name:adm:2750 'the folder of logs'
    [[ ! -e /var/log/private/$name ]] || fail 'logs are left'
    same "$(sort /var/log/$name/events.jsonl | uniq | wc -l)" 50 'the events of the log'
    same "$(wc -l </var/log/$name/events.jsonl)" 50 'the lines of the log'
    same "$(mode /etc/$name/api-secret)" root:$name:640 'the secret'
    grep -q '^NEXMO_API_KEY=abcd1234' /etc/default/$name || fail 'the settings'
}

new() {
    rm -f $workaround
    dpkg --force-unsafe-io --install /test/package.deb </dev/null
}
