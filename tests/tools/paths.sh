# shellcheck shell=bash
# Where the tools of the tests live. Sourced by the scripts beside this file.

# shellcheck disable=SC2034 # read by the scripts that source this file
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$(cd "$here/../.." && pwd)/target/tools
bin=$tools/bin
mkdir -p "$bin"
