#!/usr/bin/env bash
# Builds actionlint, which checks GitHub Actions workflows, at a pinned version from its Go module and prints its path.
# Needs Go; takes about half a minute the first time, nothing afterwards.
set -euo pipefail

version=1.7.12
cache="${XDG_CACHE_HOME:-$HOME/.cache}/player-predictions/actionlint-$version"

if [ ! -x "$cache/actionlint" ]; then
    if ! command -v go >/dev/null; then
        echo "actionlint: Go is missing. Install it (apt-get install golang)." >&2
        exit 1
    fi
    mkdir -p "$cache"
    build="$(mktemp -d "$cache/build.XXXXXX")"
    trap 'rm -rf "$build"' EXIT
    GOBIN="$build" go install "github.com/rhysd/actionlint/cmd/actionlint@v$version" >&2
    # In one step: another build may be under way.
    mv "$build/actionlint" "$cache/actionlint"
fi
echo "$cache/actionlint"
