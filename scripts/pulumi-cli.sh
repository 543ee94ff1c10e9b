#!/usr/bin/env bash
# Builds the Pulumi CLI at a pinned version from its Go module, for machines without a packaged one, and prints its path.
# Needs Go; takes about five minutes on two cores the first time, nothing afterwards.
set -euo pipefail

version=3.274.1
cache="${XDG_CACHE_HOME:-$HOME/.cache}/player-predictions/pulumi-$version"

if [ ! -x "$cache/bin/pulumi" ]; then
    if ! command -v go >/dev/null; then
        echo "pulumi-cli: Go is missing. Install it (apt-get install golang), or install the Pulumi CLI $version itself." >&2
        exit 1
    fi
    build="$(mktemp -d)"
    trap 'chmod -R u+w "$build" && rm -rf "$build"' EXIT
    # A module of its own around it: `go install module@version` refuses modules with replace directives.
    cd "$build"
    go mod init build >/dev/null 2>&1
    go get "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi@v$version" >&2
    # Without the version the Automation API refuses the CLI.
    go build -o pulumi -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$version" \
        github.com/pulumi/pulumi/pkg/v3/cmd/pulumi >&2
    mkdir -p "$cache/bin"
    mv "$build/pulumi" "$cache/bin/pulumi"
fi
echo "$cache/bin/pulumi"
