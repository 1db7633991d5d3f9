"""Serves the series of a file with prometheus_client, as most exporters in Python do.

Usage: python.py FILE PORT
Each line of FILE is a series: type, source, country and value, with tabs between.
"""

import sys
import threading

from prometheus_client import Counter, start_http_server

events = Counter(
    "nexmo_audit_events",
    "Audit events recorded by the API.",
    ["event_type", "source", "source_country"],
)

with open(sys.argv[1], encoding="utf-8") as series:
    for line in series:
        *labels, value = line.rstrip("\n").split("\t")
        events.labels(*labels).inc(int(value))

start_http_server(int(sys.argv[2]), addr="127.0.0.1")
threading.Event().wait()
