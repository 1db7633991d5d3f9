# shellcheck shell=bash
# Unpacks packages of any Debian release from the archive that this machine uses, without
# a change of its configuration. Other scripts source this file.

# The address of the archive, from the sources of this machine.
archive() {
    local codename
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # shellcheck disable=SC2016 # these are apt's variables
    apt-get indextargets --no-release-info \
        --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v suite="$codename" '$1 == suite && $2 == "main" && !seen++ { print $3 }'
}

# Writes a configuration into folder $2 with which apt knows only suite $1. Signatures are
# checked and dates are not, since the lists of a frozen mirror are older than allowed.
configure_apt() {
    local suite=$1 apt=$2 address
    address=$(archive)
    if [[ -z $address ]]; then
        echo "tools: apt has no source with Debian's own packages" >&2
        return 1
    fi
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    touch "$apt/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $address $suite main" \
        >"$apt/sources.list"
    cat >"$apt/apt.conf" <<END
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::Contents-deb;
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "false";
APT::Sandbox::User "root";
END
}

# Unpacks the packages $3... of suite $1 into folder $2.
fetch() {
    local suite=$1 folder=$2 apt package
    shift 2
    apt=$(mktemp -d)
    configure_apt "$suite" "$apt"
    apt-get --config-file "$apt/apt.conf" update -qq
    (cd "$apt" && apt-get --config-file apt.conf download -qq "$@")
    mkdir -p "$folder"
    for package in "$apt"/*.deb; do
        dpkg -x "$package" "$folder"
    done
    rm -rf "$apt"
}

# Makes $4 run the program $3 of suite $1 that is unpacked in folder $2. A program that is
# newer than the system may need a newer C library, and runs with its own, by the loader of
# that library.
link() {
    local suite=$1 folder=$2 program=$2/usr/bin/$3 loader library
    if "$program" --help >/dev/null 2>&1; then
        ln -sf "$program" "$4"
        return
    fi
    [[ -d $folder/libc ]] || fetch "$suite" "$folder/libc" libc6
    loader=$(find "$folder/libc" -name 'ld-linux*.so.*' -print -quit)
    library=$(dirname "$(find "$folder/libc" -name libc.so.6 -print -quit)")
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' \
        "$loader" "$library" "$program" >"$4"
    chmod +x "$4"
}
