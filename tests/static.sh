#!/usr/bin/env bash
# Builds the static binary, and runs it where there is nothing but it: what a release does, and tests/run.sh does not, for it takes some minutes.
#
# Wants what packaging/static.sh wants, and root (chroot). The binary is left in the folder that is named: tests/static.sh OUTDIR
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }
out=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
binary=$(packaging/static.sh "$out")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root/tmp"
cp "$binary" "$root/mailcanary"
alone() { chroot "$root" /mailcanary "$@"; }

alone --version
alone print starter-config >"$root/starter.toml"
alone demo --incident mandrill-2019 | tail -n 1
# Mail over real SMTP, HTTP and IMAP, an outage of it, and its page: about a minute.
alone demo | tail -n 1
echo "static: $binary, $(stat -c %s "$binary") bytes"
