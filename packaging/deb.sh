#!/usr/bin/env bash
# Builds the Debian package of a built binary: packaging/deb.sh target/release/mailcanary OUTDIR
#
# What is packed, and where it goes, stands in Cargo.toml under [package.metadata.deb]. Wants cargo-deb (`cargo install cargo-deb --locked`), and
# strip and dpkg-shlibdeps (Debian: binutils, dpkg-dev). Prints the package's path. DEB_COMPRESSION is xz, or gz, which is quick.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: $0 BINARY OUTDIR" >&2; exit 2; }
binary=$(realpath "$1") out=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo deb --version >/dev/null 2>&1 || {
    echo "error: cargo-deb is not here" >&2
    echo "  hint: cargo install cargo-deb --locked" >&2
    exit 1
}

# One at a time: cargo-deb takes what it packs from this one place.
mkdir -p target
exec 9>target/package.lock
flock 9
root=target/package
rm -rf "$root"
install -D -m 755 "$binary" "$root/usr/bin/mailcanary"
strip --strip-unneeded "$root/usr/bin/mailcanary"

doc=$root/usr/share/doc/mailcanary
install -d "$doc/examples" "$root/usr/share/man/man1"
"$binary" print reference-config >"$doc/examples/mailcanary.toml"
"$binary" print starter-config >"$doc/examples/starter.toml"
"$binary" print man --to "$root/usr/share/man/man1"
for shell in bash:bash-completion/completions/mailcanary zsh:zsh/vendor-completions/_mailcanary \
    fish:fish/vendor_completions.d/mailcanary.fish; do
    "$binary" print "completions-${shell%%:*}" >"$root/completions"
    install -D -m 644 "$root/completions" "$root/usr/share/${shell#*:}"
done
rm "$root/completions"
gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
# What it is built of. Without jq a package is made all the same, and says so.
if command -v jq >/dev/null; then
    packaging/sbom.sh | gzip -9n >"$doc/mailcanary.cdx.json.gz"
else
    echo "warning: jq is not here: the package has no bill of materials" >&2
fi

compression=(--compress-type "${DEB_COMPRESSION:-xz}")
[ "${DEB_COMPRESSION:-xz}" = xz ] || compression+=(--fast --compress-system)
cargo deb --no-build --no-strip --locked "${compression[@]}" --output "$out/"
