#!/usr/bin/env bash
# Builds the Debian package of a built binary: packaging/deb.sh target/release/mailcanary OUTDIR
#
# Wants dpkg-deb, strip and objdump. Prints the package's path. DEB_COMPRESSION is dpkg-deb's -Z (xz).
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: $0 BINARY OUTDIR" >&2; exit 2; }
binary=$(realpath "$1") out=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$("$binary" --version | awk '{ print $2 }')
arch=$(dpkg --print-architecture)
# The oldest C library that has every symbol.
libc=$(objdump -T "$binary" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
put() { install -D -m "$1" "$2" "$root/$3"; }

put 755 "$binary" usr/bin/mailcanary
strip --strip-unneeded "$root/usr/bin/mailcanary"
for unit in mailcanary.service mailcanary@.service mailcanary.socket; do
    put 644 "systemd/$unit" "lib/systemd/system/$unit"
done
put 644 systemd/user/mailcanary.service usr/lib/systemd/user/mailcanary.service
install -d -m 755 "$root/etc/mailcanary"
install -d -m 700 "$root/etc/mailcanary/credentials"

doc=$root/usr/share/doc/mailcanary
install -d "$doc/examples" "$root/usr/share/man/man1"
"$binary" print reference-config >"$doc/examples/mailcanary.toml"
"$binary" print starter-config >"$doc/examples/starter.toml"
"$binary" print man --to "$root/usr/share/man/man1"
gzip -9n "$root"/usr/share/man/man1/*
for shell in bash:bash-completion/completions/mailcanary zsh:zsh/vendor-completions/_mailcanary \
    fish:fish/vendor_completions.d/mailcanary.fish; do
    "$binary" print "completions-${shell%%:*}" >"$root/completions"
    put 644 "$root/completions" "usr/share/${shell#*:}"
done
rm "$root/completions"
install -m 644 README.md docs/*.md "$doc"
for folder in inboxes pictures providers runbooks; do
    install -d "$doc/$folder"
    install -m 644 "docs/$folder"/* "$doc/$folder"
done
gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
{
    printf 'mailcanary is under the MIT licence or the Apache licence 2.0, at your choice.\n'
    printf 'The latter is in /usr/share/common-licenses/Apache-2.0. The former:\n\n'
    cat LICENSE-MIT
} >"$doc/copyright"

mkdir "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<CONTROL
Package: mailcanary
Version: $version
Architecture: $arch
Maintainer: mailcanary
Section: mail
Priority: optional
Installed-Size: $(du -sk "$root" | cut -f 1)
Depends: libc6 (>= ${libc#GLIBC_}), libgcc-s1
Recommends: ca-certificates, systemd (>= 250)
Description: e-mail deliverability watchdog
 Sends canary messages through each of your e-mail providers to mailboxes that
 you own, measures how long they take and which are lost, and pages people when
 delivery stops.
CONTROL
for script in postinst prerm postrm; do
    install -m 755 "packaging/debian/$script" "$root/DEBIAN/$script"
done

package=$out/mailcanary_${version}_$arch.deb
dpkg-deb --root-owner-group -Z"${DEB_COMPRESSION:-xz}" --build "$root" "$package" >&2
echo "$package"
