#!/usr/bin/env bash
# Builds a binary that needs no library of its host: packaging/static.sh OUTDIR [TARGET]
#
# TARGET is x86_64-unknown-linux-musl unless said otherwise. Wants that target's standard library (`rustup target add TARGET`) and a C compiler for it
# (Debian: musl-tools), for SQLite and the cryptography are compiled. Prints the binary's path.
set -euo pipefail
[ $# -ge 1 ] && [ $# -le 2 ] || { echo "usage: $0 OUTDIR [TARGET]" >&2; exit 2; }
out=$(realpath "$1") target=${2:-x86_64-unknown-linux-musl}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
    echo "error: the standard library of $target is not here" >&2
    echo "  hint: rustup target add $target" >&2
    exit 1
fi
if ! command -v musl-gcc >/dev/null && ! command -v "${target/unknown-/}-gcc" >/dev/null; then
    echo "error: there is no C compiler for $target" >&2
    echo "  hint: apt-get install musl-tools" >&2
    exit 1
fi
export "CC_${target//-/_}=$(command -v "${target/unknown-/}-gcc" || command -v musl-gcc)"
cargo build --release --locked --bin mailcanary --target "$target" >&2
built=${CARGO_TARGET_DIR:-target}/$target/release/mailcanary
if readelf --dynamic --program-headers --wide "$built" | grep -E 'NEEDED|INTERP' >&2; then
    echo "error: $built needs these of its host" >&2
    exit 1
fi
install -D -m 755 "$built" "$out/mailcanary-$target"
echo "$out/mailcanary-$target"
