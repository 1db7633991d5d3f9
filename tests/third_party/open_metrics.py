"""Reads a file with the reference parser of OpenMetrics, and prints its number of samples."""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

with open(sys.argv[1], encoding="utf-8") as file:
    families = list(text_string_to_metric_families(file.read()))
print(sum(len(family.samples) for family in families))
