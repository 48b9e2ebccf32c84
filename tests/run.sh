#!/usr/bin/env bash
# Everything that must hold: installs what is missing, then formats, lints, licences, documentation and every test.
#
# Wants Debian, root (or everything installed already) and Rust with cargo, rustfmt and clippy. Starts no system service: the tests run
# private instances of real servers on loopback. Ends with each runner's closing lines; fails if any of them failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export PATH="${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH:/usr/sbin:/sbin"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"

# Debian packages, and what needs them.
PACKAGES=(
    gcc libc6-dev           # compile the SQLite and the cryptography that are linked in
    ca-certificates         # the system's roots: crates, and TLS tests
    curl jq                 # what an operator would look with
    openssl                 # private authorities and certificates; s_client as another opinion
    dnsmasq-base            # a small name server
    knot                    # an authoritative one, whose zone changes while it runs
    unbound                 # a resolver that is asked over TLS and HTTPS
    opendkim opendkim-tools # what signs mail, as a provider does
    sqlite3                 # reads the ledger as an operator does
    postfix                 # the provider: SMTP submission
    sasl2-bin libsasl2-modules # Postfix's AUTH
    dovecot-imapd           # the inbox
    dovecot-lmtpd           # what files into it
    dovecot-sieve           # what files into Junk
    prometheus              # scrapes the metrics; brings promtool
    prometheus-alertmanager # takes the alerts; brings amtool
    jsonnet                 # reads the dashboards as a mixin
    xvfb dunst dbus         # the desktop: a screen, what shows notifications, and its bus
    imagemagick             # looks at the screen
    cmark-gfm               # reads the evidence as the page of a ticket would show it
    chromium                # what the pages are looked at with
    python3                 # small servers that misbehave on purpose
    zsh fish                # complete commands, as bash does
    tmux                    # a terminal of a chosen size, and what stands in it
    python3-venv            # a place of its own for the API fuzzer
    apache2-utils           # htpasswd: users of the web configuration
    procps iproute2         # looks at processes and sockets
    util-linux mount        # unshare and mount: full and read-only disks; setpriv and nsenter: a container
    systemd systemd-container debootstrap # what checks the units, and a container in which a real systemd runs them
    binutils dpkg-dev       # what the package is stripped with, and what finds its dependencies
    buildah                 # builds the container image, without a registry
)
# Mail servers of which Debian allows only one: those beside Postfix and Dovecot are unpacked, not installed. Packages and program.
UNPACKED=(exim4-daemon-light:usr/sbin/exim4 opensmtpd:usr/sbin/smtpd cyrus-common+cyrus-imapd+cyrus-caldav:usr/lib/cyrus/bin/httpd)
SERVERS=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mailcanary-tests
# An API fuzzer, from PyPI by a file with the hash of everything.
FUZZER=tests/api/requirements.txt
# From npm by lock files: Grafana's own types, which the dashboards are held against; axe, and what drives Chromium.
NODE=(grafana pages)
# Versions of the runners: those that these settings were written for.
NEXTEST=0.9.143
DENY=0.20.2
DEB=3.8.0

WORK=$(mktemp -d)
POLICY=/usr/sbin/policy-rc.d
policy_is_ours=
clean() {
    [ -n "$policy_is_ours" ] && rm -f "$POLICY"
    rm -rf "$WORK"
}
trap clean EXIT
trap 'exit 130' INT TERM

failed=()
summary=()

# section TITLE LINES COMMAND...: runs it, keeps its last LINES for the end, and remembers whether it failed.
section() {
    local title=$1 lines=$2 began=$SECONDS status
    shift 2
    printf '\n=== %s\n' "$title"
    "$@" 2>&1 | tee "$WORK/log"
    status=${PIPESTATUS[0]}
    local took="$((SECONDS - began)) s" word=ok
    if [ "$status" -ne 0 ]; then
        word="FAILED ($status)"
        failed+=("$title")
    fi
    printf -- '--- %s: %s, %s\n' "$title" "$word" "$took"
    summary+=("$(printf -- '--- %s: %s, %s\n%s' "$title" "$word" "$took" "$(grep -v '^[[:space:]]*$' "$WORK/log" | tail -n "$lines")")")
    return "$status"
}

packages() {
    local package missing=()
    for package in "${PACKAGES[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "nothing is missing"
        return
    fi
    echo "missing: ${missing[*]}"
    # Installed to be run by the tests alone: without this their packages would start them.
    if [ ! -e "$POLICY" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$POLICY" && chmod 755 "$POLICY" || return
    fi
    export DEBIAN_FRONTEND=noninteractive
    # Postfix asks what kind of site this is, unless it was told.
    command -v debconf-set-selections >/dev/null && echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
    apt-get update -q && apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}" </dev/null
}

servers() {
    local each packages missing=()
    for each in "${UNPACKED[@]}"; do
        packages=${each%%:*}
        [ -x "$SERVERS/${packages%%+*}/${each##*:}" ] || missing+=("$packages")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "nothing is missing in $SERVERS"
        return
    fi
    apt-get update -q && mkdir -p "$SERVERS" || return
    for each in "${missing[@]}"; do
        unpack "$each" || return
    done
    echo "unpacked: ${missing[*]}"
}

# unpack PACKAGE[+PACKAGE...]: into a folder called after the first, with all that its programs need when that folder is all they see.
unpack() {
    local name=${1%%+*} package library
    local new=$SERVERS/.$name.$$
    rm -rf "$new"
    for package in ${1//+/ }; do
        (cd "$WORK" && apt-get download -q "$package") && package=$(ls "$WORK/$package"_*.deb) && dpkg-deb -x "$package" "$new" || return
        # Libraries are in nobody's way. The first of alternatives will do.
        dpkg-deb -f "$package" Depends | tr ',' '\n' | awk '$1 ~ /^lib/ { print $1 }' | grep -v '^libcyrus' |
            DEBIAN_FRONTEND=noninteractive xargs -r apt-get install -q -y --no-upgrade --no-install-recommends || return
    done
    mkdir -p "$new/bin" && cp -L /bin/sh "$new/bin/sh" || return
    find "$new" -type f -perm /111 -exec ldd {} \; 2>/dev/null | grep -o '/[^ ]*' | grep -v ':$' | sort -u |
        while read -r library; do cp -L --parents "$library" "$new" || exit; done || return
    rm -rf "${SERVERS:?}/$name" && mv "$new" "$SERVERS/$name"
}

# node NAME: its packages, beside the servers. Debian's npm cannot stand beside a nodejs from elsewhere, which brings its own.
node() {
    local from=tests/$1 new=$SERVERS/.$1.$$ at=$SERVERS/$1
    if [ -d "$at/node_modules" ] && cmp -s "$from/package-lock.json" "$at/package-lock.json"; then
        echo "nothing is missing in $at"
        return
    fi
    if ! command -v npm >/dev/null; then
        apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nodejs npm </dev/null || return
    fi
    rm -rf "$new" && mkdir -p "$new" && cp "$from/package.json" "$from/package-lock.json" "$new" || return
    (cd "$new" && npm ci --ignore-scripts --no-audit --no-fund) && rm -rf "$at" && mv "$new" "$at"
}

# The API fuzzer, in an environment of its own beside the servers. An environment cannot be moved: it is made where it stays.
fuzzer() {
    local at=$SERVERS/schemathesis
    if [ -x "$at/bin/schemathesis" ] && cmp -s "$FUZZER" "$at/requirements.txt"; then
        echo "nothing is missing in $at"
        return
    fi
    rm -rf "$at" && mkdir -p "$SERVERS" && python3 -m venv "$at" &&
        "$at/bin/pip" install -q --disable-pip-version-check --require-hashes --only-binary :all: -r "$FUZZER" && cp "$FUZZER" "$at/requirements.txt" &&
        "$at/bin/schemathesis" --version
}

# A small Debian with systemd, of this host's own release, in which the package is installed and what runs there is broken.
container() {
    local tree=$SERVERS/container new=$SERVERS/.container.$$
    if [ -x "$tree/usr/lib/systemd/systemd" ]; then
        echo "it is there"
        return
    fi
    mkdir -p "$SERVERS" && rm -rf "$new" &&
        debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$new" &&
        rm -rf "$tree" && mv "$new" "$tree" && rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/* && echo "made $tree"
}

# runner NAME VERSION: a cargo subcommand, built outside the project's own target folder.
runner() {
    cargo "$1" --version >/dev/null 2>&1 || env -u CARGO_TARGET_DIR cargo install --locked "cargo-$1" --version "$2" || return
    cargo "$1" --version | head -n 1
}

tools() {
    local component
    cargo --version && rustc --version || return
    for component in fmt:rustfmt clippy:clippy; do
        cargo "${component%%:*}" --version 2>/dev/null || { rustup component add "${component##*:}" && cargo "${component%%:*}" --version; } || {
            echo "\`cargo ${component%%:*}\` is missing, and rustup could not add it: install the toolchain's ${component##*:}"
            return 1
        }
    done
    runner nextest "$NEXTEST" && runner deny "$DENY" && runner deb "$DEB"
}

documentation() {
    RUSTDOCFLAGS="${RUSTDOCFLAGS:-} -D warnings" cargo doc --locked --no-deps
}

report() {
    printf '\n=== In short\n'
    [ ${#summary[@]} -eq 0 ] || printf '%s\n' "${summary[@]}"
    if [ ${#failed[@]} -gt 0 ]; then
        printf 'FAILED:'
        printf ' [%s]' "${failed[@]}"
        printf '\n'
        exit 1
    fi
    echo "all is well, in $SECONDS s"
    exit 0
}

# The section runs in a pipe, and so in a shell of its own: whether a policy is ours to remove is settled here.
[ -e "$POLICY" ] || policy_is_ours=yes

section "Debian packages" 1 packages || report
section "Servers beside Postfix" 1 servers || report
for each in "${NODE[@]}"; do
    section "Packages of node: $each" 1 node "$each" || report
done
section "An API fuzzer" 1 fuzzer || report
section "A container with systemd" 1 container || report
section "Rust tools" 1 tools || report
section "Format" 3 cargo fmt --check
section "Lint" 2 cargo clippy --locked --all-targets -- -D warnings
section "Dependencies and licences" 1 cargo deny check bans licenses sources
section "Documentation" 2 documentation
section "Tests" 8 cargo nextest run --locked --no-fail-fast
section "Tests in the documentation" 2 cargo test --locked --doc
report
