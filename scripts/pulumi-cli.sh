#!/usr/bin/env bash
# Builds the Pulumi CLI at a pinned version from its Go module, for machines without a packaged one, and prints its path.
# Needs Go; takes about five minutes on two cores the first time, nothing afterwards.
set -euo pipefail
source "$(dirname "$0")/go-tool.sh"

version=3.274.1

build() {
    # A module of its own around it: `go install module@version` refuses modules with replace directives.
    go mod init build
    go get "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi@v$1"
    # Without the version the Automation API refuses the CLI.
    go build -o pulumi -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$1" \
        github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
}

go_tool pulumi "$version" ", or install the Pulumi CLI $version itself"
