function __fish_nexmo_audit_exporter_needs_command
set -l words (commandline -opc)
    for word in $words[2..]
        if not string match -q -- '-*' $word
            echo $word
            return 1
        end
    end
    return 0
end

function __fish_nexmo_audit_exporter_using_subcommand
    set -l cmd (__fish_nexmo_audit_exporter_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l web.listen-address -d 'Address to listen on, or unix: and the path of a unix socket; without a host, every IPv4 and IPv6 address; may be repeated; port 0 takes a free port' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l web.config.file -d 'File with TLS and basic authentication, in the format of Prometheus\' exporter-toolkit; read again when it changes' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l web.max-requests -d 'Highest number of answers in flight at once, 0 for no limit; further requests are answered with 503' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l web.shutdown-timeout -d 'Longest time that SIGTERM waits until the servers that scrape have fetched the last counts; 0 for no wait' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l api.base-url -d 'Base URL of the Audit API; plain http is refused except to this machine' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l api.timeout -d 'Time limit of one request, body included' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l api.max-requests-per-second -d 'Highest number of requests per second, per account' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l api.secret-file -d 'File that holds the API secret, in place of `NEXMO_API_SECRET`' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l poll.interval -d 'Time from one poll to the next; at most --poll.lookback' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l poll.lookback -d 'How far behind the watermark every poll reads again, for events that appear late' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l poll.reconcile-interval -d 'Time from one deep poll to the next, for events that appear later than the lookback; at most --poll.reconcile-lookback; 0 for none' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l poll.reconcile-lookback -d 'How far back a deep poll reads' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l poll.start -d 'Time from which the first start counts: now, an age (24h), a date in UTC or an RFC 3339 time; later starts ignore it' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l storage.path -d 'Directory of the durable state; created if it does not exist' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l metrics.scrape-interval -d 'Longest scrape interval of all servers that scrape; auto learns it; 0 shows every count at once, and a server may miss the first event of a series' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l metrics.max-series -d 'Highest number of label combinations of `nexmo_audit_events_total`; events beyond it are counted under `other`' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l events.log -d 'Write each counted event as a line of JSON: none, stdout, or the path of a file' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l shard.index -d 'Number of this exporter among the exporters that share the accounts, from 0; the default is the number at the end of the machine\'s name' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l shard.count -d 'Number of exporters that share the accounts of the config file' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l log.level -d 'Lowest severity that is logged: error, warn, info, debug or trace' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l log.format -d 'Form of each line: logfmt or json' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l web.enable-lifecycle -d 'Allow POST /-/reload, which reads the configuration again, as SIGHUP does'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l api.allow-http -d 'Allow plain http to other machines: the network then sees the API secret'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l metrics.created-timestamps -d 'Tell OpenMetrics scrapers when each counter was 0 (`_created`); a server without this feature stores one more series for each counter'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -l events.log-personal-data -d 'Write all fields of an event, with the user, the IP address and the context'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -s h -l help -d 'Print help'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -s V -l version -d 'Print version'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -f -a "serve" -d 'Poll, count and serve (the default command)'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -f -a "check-config" -d 'Check everything that serve would read, report every problem, and change nothing'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -f -a "demo" -d 'Run the exporter with a simulated account, to see how it looks'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -f -a "simulate" -d 'Run the simulator of the Audit API alone'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -f -a "backfill" -d 'Write the history of a range for `promtool tsdb create-blocks-from openmetrics`'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -f -a "events" -d 'Query events of the Audit API'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -f -a "state" -d 'Look at the stored state, and move accounts from one state to another'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l web.listen-address -d 'Address to listen on, or unix: and the path of a unix socket; without a host, every IPv4 and IPv6 address; may be repeated; port 0 takes a free port' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l web.config.file -d 'File with TLS and basic authentication, in the format of Prometheus\' exporter-toolkit; read again when it changes' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l web.max-requests -d 'Highest number of answers in flight at once, 0 for no limit; further requests are answered with 503' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l web.shutdown-timeout -d 'Longest time that SIGTERM waits until the servers that scrape have fetched the last counts; 0 for no wait' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l api.base-url -d 'Base URL of the Audit API; plain http is refused except to this machine' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l api.timeout -d 'Time limit of one request, body included' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l api.max-requests-per-second -d 'Highest number of requests per second, per account' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l api.secret-file -d 'File that holds the API secret, in place of `NEXMO_API_SECRET`' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l poll.interval -d 'Time from one poll to the next; at most --poll.lookback' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l poll.lookback -d 'How far behind the watermark every poll reads again, for events that appear late' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l poll.reconcile-interval -d 'Time from one deep poll to the next, for events that appear later than the lookback; at most --poll.reconcile-lookback; 0 for none' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l poll.reconcile-lookback -d 'How far back a deep poll reads' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l poll.start -d 'Time from which the first start counts: now, an age (24h), a date in UTC or an RFC 3339 time; later starts ignore it' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l storage.path -d 'Directory of the durable state; created if it does not exist' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l metrics.scrape-interval -d 'Longest scrape interval of all servers that scrape; auto learns it; 0 shows every count at once, and a server may miss the first event of a series' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l metrics.max-series -d 'Highest number of label combinations of `nexmo_audit_events_total`; events beyond it are counted under `other`' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l events.log -d 'Write each counted event as a line of JSON: none, stdout, or the path of a file' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l shard.index -d 'Number of this exporter among the exporters that share the accounts, from 0; the default is the number at the end of the machine\'s name' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l shard.count -d 'Number of exporters that share the accounts of the config file' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l log.level -d 'Lowest severity that is logged: error, warn, info, debug or trace' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l log.format -d 'Form of each line: logfmt or json' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l web.enable-lifecycle -d 'Allow POST /-/reload, which reads the configuration again, as SIGHUP does'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l api.allow-http -d 'Allow plain http to other machines: the network then sees the API secret'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l metrics.created-timestamps -d 'Tell OpenMetrics scrapers when each counter was 0 (`_created`); a server without this feature stores one more series for each counter'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -l events.log-personal-data -d 'Write all fields of an event, with the user, the IP address and the context'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l web.listen-address -d 'Address to listen on, or unix: and the path of a unix socket; without a host, every IPv4 and IPv6 address; may be repeated; port 0 takes a free port' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l web.config.file -d 'File with TLS and basic authentication, in the format of Prometheus\' exporter-toolkit; read again when it changes' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l web.max-requests -d 'Highest number of answers in flight at once, 0 for no limit; further requests are answered with 503' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l web.shutdown-timeout -d 'Longest time that SIGTERM waits until the servers that scrape have fetched the last counts; 0 for no wait' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l api.base-url -d 'Base URL of the Audit API; plain http is refused except to this machine' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l api.timeout -d 'Time limit of one request, body included' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l api.max-requests-per-second -d 'Highest number of requests per second, per account' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l api.secret-file -d 'File that holds the API secret, in place of `NEXMO_API_SECRET`' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l poll.interval -d 'Time from one poll to the next; at most --poll.lookback' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l poll.lookback -d 'How far behind the watermark every poll reads again, for events that appear late' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l poll.reconcile-interval -d 'Time from one deep poll to the next, for events that appear later than the lookback; at most --poll.reconcile-lookback; 0 for none' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l poll.reconcile-lookback -d 'How far back a deep poll reads' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l poll.start -d 'Time from which the first start counts: now, an age (24h), a date in UTC or an RFC 3339 time; later starts ignore it' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l storage.path -d 'Directory of the durable state; created if it does not exist' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l metrics.scrape-interval -d 'Longest scrape interval of all servers that scrape; auto learns it; 0 shows every count at once, and a server may miss the first event of a series' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l metrics.max-series -d 'Highest number of label combinations of `nexmo_audit_events_total`; events beyond it are counted under `other`' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l events.log -d 'Write each counted event as a line of JSON: none, stdout, or the path of a file' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l shard.index -d 'Number of this exporter among the exporters that share the accounts, from 0; the default is the number at the end of the machine\'s name' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l shard.count -d 'Number of exporters that share the accounts of the config file' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l log.level -d 'Lowest severity that is logged: error, warn, info, debug or trace' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l log.format -d 'Form of each line: logfmt or json' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l web.enable-lifecycle -d 'Allow POST /-/reload, which reads the configuration again, as SIGHUP does'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l api.allow-http -d 'Allow plain http to other machines: the network then sees the API secret'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l metrics.created-timestamps -d 'Tell OpenMetrics scrapers when each counter was 0 (`_created`); a server without this feature stores one more series for each counter'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -l events.log-personal-data -d 'Write all fields of an event, with the user, the IP address and the context'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand check-config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l web.config.file -d 'File with TLS and basic authentication, in the format of Prometheus\' exporter-toolkit; read again when it changes' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l web.max-requests -d 'Highest number of answers in flight at once, 0 for no limit; further requests are answered with 503' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l web.shutdown-timeout -d 'Longest time that SIGTERM waits until the servers that scrape have fetched the last counts; 0 for no wait' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l api.base-url -d 'Base URL of the Audit API; plain http is refused except to this machine' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l api.timeout -d 'Time limit of one request, body included' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l api.max-requests-per-second -d 'Highest number of requests per second, per account' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l api.secret-file -d 'File that holds the API secret, in place of `NEXMO_API_SECRET`' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l poll.lookback -d 'How far behind the watermark every poll reads again, for events that appear late' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l poll.reconcile-interval -d 'Time from one deep poll to the next, for events that appear later than the lookback; at most --poll.reconcile-lookback; 0 for none' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l poll.reconcile-lookback -d 'How far back a deep poll reads' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l storage.path -d 'Directory of the durable state; created if it does not exist' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l metrics.scrape-interval -d 'Longest scrape interval of all servers that scrape; auto learns it; 0 shows every count at once, and a server may miss the first event of a series' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l metrics.max-series -d 'Highest number of label combinations of `nexmo_audit_events_total`; events beyond it are counted under `other`' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l events.log -d 'Write each counted event as a line of JSON: none, stdout, or the path of a file' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l shard.index -d 'Number of this exporter among the exporters that share the accounts, from 0; the default is the number at the end of the machine\'s name' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l shard.count -d 'Number of exporters that share the accounts of the config file' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l log.level -d 'Lowest severity that is logged: error, warn, info, debug or trace' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l log.format -d 'Form of each line: logfmt or json' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l web.listen-address -d 'Address to listen on, or unix: and the path of a unix socket; without a host, every IPv4 and IPv6 address; may be repeated; port 0 takes a free port' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l poll.interval -d 'Time from one poll to the next; at most --poll.lookback' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l poll.start -d 'Time from which the first start counts: now, an age (24h), a date in UTC or an RFC 3339 time; later starts ignore it' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l web.enable-lifecycle -d 'Allow POST /-/reload, which reads the configuration again, as SIGHUP does'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l api.allow-http -d 'Allow plain http to other machines: the network then sees the API secret'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l metrics.created-timestamps -d 'Tell OpenMetrics scrapers when each counter was 0 (`_created`); a server without this feature stores one more series for each counter'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -l events.log-personal-data -d 'Write all fields of an event, with the user, the IP address and the context'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l listen-address -d 'Address to listen on; port 0 takes a free one' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l base-path -d 'Path under which the API is served; empty for none' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l api-key -d 'API key of the simulated account' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l accounts -d 'Number of accounts; those after the first have the key with -2, -3 and so on, and the same secret, traffic and faults' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l api-secret -d 'API secret of the simulated account; it opens nothing but this simulator' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l seed -d 'Seed of the traffic: the same seed and start time give the same events' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l start -d 'Time at which the traffic begins, on the clock of the API (RFC 3339; now if not given)' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l rate -d 'Mean number of new events per second, 0 to 100000' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l traffic-for -d 'End the traffic this long after its start (never if not given)' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l history -d 'Number of events before the start' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l history-span -d 'Time before the start over which the events of --history are spread' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l late-share -d 'Share of events that enter the list late, 0 to 1' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l late-by -d 'Longest time between a late event\'s `created_at` and its entry into the list' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l order -d 'Order of the list' -r -f -a "newest\t'The newest event first'
oldest\t'The oldest event first'
shuffled\t'Another order at every request: the pages of one reading overlap and leave gaps'
reshuffled\t'Another order whenever page 1 is asked for, which the pages after it keep'"
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l limit-total -d 'Most events that a list claims and shows, however many there are (no limit if not given)' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l limit-pages -d 'Last page of a list that is shown; pages after it are refused with 400 (no limit if not given)' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l clamp-size -d 'Most events on a page, whatever size is asked for (100 if not given)' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l beyond-last -d 'Answer to a request for a page that is not shown (if not given, an empty page, and 400 where a limit hides the page)' -r -f -a "empty\t'A page without events'
object\t'`{}`'
400\t'Status 400'
404\t'Status 404'"
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l shrink-share -d 'Share of readings, each of which begins with page 1, during which the list loses the events of a page that page 1 still counts, 0 to 1' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l bounds -d 'Bounds that a range of dates includes' -r -f -a "both\t'Both'
from\t'`date_from` alone'
to\t'`date_to` alone'
none\t'None'"
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l time-format -d 'Form of `created_at`' -r -f -a "iso\t'As the vendor writes it: `2018-08-13T10:15:31`'
utc\t'With a trailing ` UTC`'
rfc1123\t'As RFC 1123 has it: `Mon, 13 Aug 2018 10:15:31 GMT`'
epoch\t'Seconds since 1970, as a number'
epoch-text\t'Seconds since 1970, as a text'
epoch-ms\t'Milliseconds since 1970, as a number'
epoch-ms-text\t'Milliseconds since 1970, as a text'"
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l latency -d 'Time to wait before every answer' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l fault-429 -d 'Share of requests answered with 429, 0 to 1' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l fault-5xx -d 'Share of requests answered with 500, 502, 503 or 504, 0 to 1' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l fault-cut -d 'Share of answers cut in the middle of the body, 0 to 1' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l fault-reset -d 'Share of requests whose connection is reset without an answer, 0 to 1' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l clock-offset -d 'How far the clock of the API is ahead (30s) or behind (-1h)' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l log.level -d 'Lowest severity that is logged: error, warn, info, debug or trace' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l log.format -d 'Form of each line: logfmt or json' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l steady -d 'Keep the rate constant: no quiet nights, no quiet weekends, no bursts'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l without-page -d 'Leave `page` out of lists, so that only the links say whether more follows'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -l without-next -d 'Leave the link to the next page out of lists'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand simulate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l from -d 'Count from this time on: a date, an RFC 3339 time, or an age; an exporter whose --poll.start is the same continues the counters' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l to -d 'Count up to this time; not within the last 3 hours, into which Prometheus still writes' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l step -d 'Time from one sample to the next' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -s o -l output -d 'File to write after everything is read; DIRECTORY/ for one file per day, - for standard output' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l label -d 'Label that the server adds when it scrapes, such as job=nexmo-audit; may be repeated' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l metrics.max-series -d 'Highest number of label combinations of `nexmo_audit_events_total`, as for serve' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l api.base-url -d 'Base URL of the Audit API; plain http is refused except to this machine' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l api.timeout -d 'Time limit of one request, body included' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l api.secret-file -d 'File that holds the API secret, in place of `NEXMO_API_SECRET`' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l account -d 'Name of the account, where the config file has several' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l log.format -d 'Form of each line: logfmt or json' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l api.max-requests-per-second -d 'Highest number of requests per second, per account' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l log.level -d 'Lowest severity that is logged: error, warn, info, debug or trace' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l allow-recent -d 'Allow --to within the last 3 hours, for a server that has not scraped yet'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -l api.allow-http -d 'Allow plain http to other machines: the network then sees the API secret'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand backfill" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and not __fish_seen_subcommand_from list get types help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and not __fish_seen_subcommand_from list get types help" -f -a "list" -d 'List events in the order of their time'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and not __fish_seen_subcommand_from list get types help" -f -a "get" -d 'Show all fields of one event, or of several'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and not __fish_seen_subcommand_from list get types help" -f -a "types" -d 'List the event types that the vendor names'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and not __fish_seen_subcommand_from list get types help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l from -d 'Show events from this time on: a date, an RFC 3339 time, or an age' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l to -d 'Show events before this time; a date includes the whole day' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l type -d 'Show events of this type, such as `APP_CREATE`; may be repeated' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l user -d 'Show events of this user, by id or e-mail address' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l source -d 'Show events from this source, such as CD; may be repeated' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l country -d 'Show events from this country, such as GB; may be repeated' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l search -d 'Show events that contain this text, as the API searches for it: with quotes and braces escaped as in JSON' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l limit -d 'Show at most this many events, the oldest of the range' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l tail -d 'Show at most this many events, the newest of the range; 10 without a number' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l columns -d 'Columns of the table or the CSV, in this order: time, type, source, country, ip, id, user, user_email, user_id, account_id, type_description, source_description, context' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -s o -l output -d 'table, json (one event in each line, as the API returns it) or csv' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l api.base-url -d 'Base URL of the Audit API; plain http is refused except to this machine' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l api.timeout -d 'Time limit of one request, body included' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l api.secret-file -d 'File that holds the API secret, in place of `NEXMO_API_SECRET`' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l account -d 'Name of the account, where the config file has several' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l log.format -d 'Form of each line: logfmt or json' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l api.max-requests-per-second -d 'Highest number of requests per second, per account' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l log.level -d 'Lowest severity that is logged: error, warn, info, debug or trace' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l reverse -d 'Show the newest event first'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -s f -l follow -d 'Continue with events as they appear, until Ctrl-C'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l utc -d 'Show times in UTC, as the API has them (the default)'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l local -d 'Show times in the local time zone (TZ), and read --from and --to in it'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -l api.allow-http -d 'Allow plain http to other machines: the network then sees the API secret'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -s o -l output -d 'table, json (one event in each line, as the API returns it) or csv' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l api.base-url -d 'Base URL of the Audit API; plain http is refused except to this machine' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l api.timeout -d 'Time limit of one request, body included' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l api.secret-file -d 'File that holds the API secret, in place of `NEXMO_API_SECRET`' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l account -d 'Name of the account, where the config file has several' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l log.format -d 'Form of each line: logfmt or json' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l api.max-requests-per-second -d 'Highest number of requests per second, per account' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l log.level -d 'Lowest severity that is logged: error, warn, info, debug or trace' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l utc -d 'Show times in UTC, as the API has them (the default)'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l local -d 'Show times in the local time zone (TZ), and read --from and --to in it'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -l api.allow-http -d 'Allow plain http to other machines: the network then sees the API secret'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -s o -l output -d 'table, json (one type in each line) or csv' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -l api.base-url -d 'Base URL of the Audit API; plain http is refused except to this machine' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -l api.timeout -d 'Time limit of one request, body included' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -l api.secret-file -d 'File that holds the API secret, in place of `NEXMO_API_SECRET`' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -l account -d 'Name of the account, where the config file has several' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -l log.format -d 'Form of each line: logfmt or json' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -l api.max-requests-per-second -d 'Highest number of requests per second, per account' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -l log.level -d 'Lowest severity that is logged: error, warn, info, debug or trace' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -l api.allow-http -d 'Allow plain http to other machines: the network then sees the API secret'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from types" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from help" -f -a "list" -d 'List events in the order of their time'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from help" -f -a "get" -d 'Show all fields of one event, or of several'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from help" -f -a "types" -d 'List the event types that the vendor names'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand events; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and not __fish_seen_subcommand_from show export import help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and not __fish_seen_subcommand_from show export import help" -f -a "show" -d 'Show what is stored, and what waits to be shown and why'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and not __fish_seen_subcommand_from show export import help" -f -a "export" -d 'Write one account as lines of JSON, whole: progress, ids, counters, waiting lines of the event log'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and not __fish_seen_subcommand_from show export import help" -f -a "import" -d 'Take in the account that state export has written, whole or not at all'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and not __fish_seen_subcommand_from show export import help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from show" -l account -d 'Name or API key of the account to show; the default is all accounts' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from show" -s o -l output -d 'text or json' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from show" -l storage.path -d 'Directory of the state, as for serve' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from show" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from export" -l account -d 'Name or API key of the account, where the state has several' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from export" -s o -l output -d 'File to write, which its owner alone can read; - for standard output' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from export" -l storage.path -d 'Directory of the state, as for serve' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from export" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from export" -l force -d 'Replace a file that is there already'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from import" -l as -d 'API key to store the account under, in place of the key that it had' -r
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from import" -l storage.path -d 'Directory of the state, as for serve' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from import" -l config.file -d 'File with settings and accounts, in YAML; flags and environment variables take precedence' -r -F
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show what is stored, and what waits to be shown and why'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from help" -f -a "export" -d 'Write one account as lines of JSON, whole: progress, ids, counters, waiting lines of the event log'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from help" -f -a "import" -d 'Take in the account that state export has written, whole or not at all'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand state; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check-config demo simulate backfill events state help" -f -a "serve" -d 'Poll, count and serve (the default command)'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check-config demo simulate backfill events state help" -f -a "check-config" -d 'Check everything that serve would read, report every problem, and change nothing'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check-config demo simulate backfill events state help" -f -a "demo" -d 'Run the exporter with a simulated account, to see how it looks'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check-config demo simulate backfill events state help" -f -a "simulate" -d 'Run the simulator of the Audit API alone'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check-config demo simulate backfill events state help" -f -a "backfill" -d 'Write the history of a range for `promtool tsdb create-blocks-from openmetrics`'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check-config demo simulate backfill events state help" -f -a "events" -d 'Query events of the Audit API'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check-config demo simulate backfill events state help" -f -a "state" -d 'Look at the stored state, and move accounts from one state to another'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check-config demo simulate backfill events state help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and __fish_seen_subcommand_from events" -f -a "list" -d 'List events in the order of their time'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and __fish_seen_subcommand_from events" -f -a "get" -d 'Show all fields of one event, or of several'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and __fish_seen_subcommand_from events" -f -a "types" -d 'List the event types that the vendor names'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and __fish_seen_subcommand_from state" -f -a "show" -d 'Show what is stored, and what waits to be shown and why'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and __fish_seen_subcommand_from state" -f -a "export" -d 'Write one account as lines of JSON, whole: progress, ids, counters, waiting lines of the event log'
complete -c nexmo-audit-exporter -n "__fish_nexmo_audit_exporter_using_subcommand help; and __fish_seen_subcommand_from state" -f -a "import" -d 'Take in the account that state export has written, whole or not at all'
