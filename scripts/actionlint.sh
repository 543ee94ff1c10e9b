#!/usr/bin/env bash
# Builds actionlint, which checks GitHub Actions workflows, at a pinned version from its Go module and prints its path.
# Needs Go; takes about half a minute the first time, nothing afterwards.
set -euo pipefail
source "$(dirname "$0")/go-tool.sh"

version=1.7.12

build() {
    GOBIN="$PWD" go install "github.com/rhysd/actionlint/cmd/actionlint@v$1"
}

go_tool actionlint "$version"
