#!/usr/bin/env bash
# Prints what mailcanary is built of, as CycloneDX 1.5: packaging/sbom.sh [TARGET]. Wants cargo and jq.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${1:-$(rustc -vV | sed -n 's/^host: //p')}
cargo metadata --locked --format-version 1 --filter-platform "$target" | jq '
    . as $all
    | ($all.packages | map({ key: .id, value: . }) | from_entries) as $by
    | ($all.resolve.nodes | map({ key: .id, value: [.deps[] | select(any(.dep_kinds[]; .kind == null)) | .pkg] }) | from_entries) as $needs
    | $all.resolve.root as $root
    # What is reached without dependencies of tests and of build scripts.
    | ([$root] | until(. as $had | (. + [.[] | $needs[.][]] | unique) == $had; . + [.[] | $needs[.][]] | unique)) as $linked
    | def purl: "pkg:cargo/\(.name)@\(.version)";
    {
        bomFormat: "CycloneDX", specVersion: "1.5", version: 1,
        metadata: { component: ($by[$root] | { type: "application", "bom-ref": purl, name, version, purl: purl }) },
        components: [$linked[] | select(. != $root) | $by[.]
            | { type: "library", "bom-ref": purl, name, version, purl: purl }
              + (if .license then { licenses: [{ expression: (.license | gsub("/"; " OR ") | gsub(" +"; " ")) }] } else {} end)],
        dependencies: [$linked[] | { ref: ($by[.] | purl), dependsOn: ([$needs[.][] | $by[.] | purl] | unique) }]
    }'
