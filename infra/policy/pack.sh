#!/bin/sh
# The pack as a program of its own, for an engine that has no Node language plugin, such as the CLI of scripts/pulumi-cli.sh:
# `--policy-pack infra/policy/pack.sh` where one with the plugin takes `--policy-pack infra/policy`.
cd "$(dirname "$0")" && exec node index.cjs
