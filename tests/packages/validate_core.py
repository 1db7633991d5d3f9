"""Checks objects, given as a file with a JSON array, against the schemas of Kubernetes."""

import json
import sys

import kubernetes_validate

VERSIONS = ["1.29", kubernetes_validate.latest_version()]

for item in json.load(open(sys.argv[1])):
    for version in VERSIONS:
        kubernetes_validate.validate(item, version, strict=True)
