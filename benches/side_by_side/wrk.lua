-- Prints the results of wrk in one line: scrapes, microseconds, the 99th percentile of the
-- latency in microseconds, errors. The function runs once, after all requests.

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format("RESULT %d %d %d %d\n",
        summary.requests, summary.duration, latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
