#!/usr/bin/env bash
# Writes the licenses of what is linked into the program, as their texts ask for.
#
# Usage: licenses.sh FILE
set -euo pipefail
shopt -s nocaseglob nullglob
file=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A crate that was listed before has a mark behind it, and one of this repository its path.
cargo tree --locked --package nexmo-audit-exporter --edges normal --prefix none \
    --target "$(rustc --print host-tuple)" --format '{p}|{l}' |
    sed 's/ (\*)$//; /(\//d' | sort -u >"$work/crates"

texts=()
while IFS='| ' read -r name version rest; do
    sources=("${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$name-${version#v}")
    if ((${#sources[@]} == 0)); then
        echo "the sources of $name ${version#v} are not there: run cargo fetch" >&2
        exit 1
    fi
    echo "$name ${version#v}: ${rest##*|}" >>"$work/list"
    for text in "${sources[0]}"/{licen[sc]e,copying,copyright,notice,unlicense}*; do
        [[ -f $text ]] && texts+=("$text")
    done
done <"$work/crates"
# Many crates have the same text.
sha256sum -- "${texts[@]}" | sort >"$work/sums"

{
    echo 'nexmo-audit-exporter is under the Apache License 2.0, which is in LICENSE. Linked into it'
    echo 'are the standard library of Rust (MIT OR Apache-2.0), the C library of GNU'
    echo '(LGPL-2.1-or-later), and these crates:'
    echo
    cat "$work/list"
    before=
    while read -r sum text; do
        if [[ $sum != "$before" ]]; then
            [[ -z $before ]] || printf '\n%s\n' "$(<"$last")"
            printf '\n%s\n\n' --------------------------------------------------------------------------------
        fi
        crate=${text%/*}
        echo "${crate##*/}: ${text##*/}"
        before=$sum last=$text
    done <"$work/sums"
    printf '\n%s\n' "$(<"$last")"
} >"$file"
