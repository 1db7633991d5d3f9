# shellcheck shell=bash
# The paths of the tools of the tests. The scripts beside this file source it.

# shellcheck disable=SC2034 # read by the scripts that source this file
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$(cd "$here/../.." && pwd)/target/tools
bin=$tools/bin
mkdir -p "$bin"
