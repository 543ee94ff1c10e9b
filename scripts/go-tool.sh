# shellcheck shell=bash
# Sourced by the scripts that build a program from its Go module at a pinned version.
# go_tool NAME VERSION [INSTEAD]: prints the path of the program in the user's cache. Where it is not there yet, the caller's function
# `build VERSION` makes it, as NAME in an empty working folder; INSTEAD is what else one could do where Go is missing.
go_tool() {
    local name="$1" version="$2" instead="${3:-}"
    local tool="${XDG_CACHE_HOME:-$HOME/.cache}/player-predictions/$name-$version"
    if [ ! -x "$tool/bin/$name" ]; then
        if ! command -v go >/dev/null; then
            echo "$name: Go is missing. Install it (apt-get install golang)$instead." >&2
            exit 1
        fi
        mkdir -p "$tool/bin"
        building="$(mktemp -d "$tool/build.XXXXXX")"
        trap 'chmod -R u+w "$building" && rm -rf "$building"' EXIT
        (cd "$building" && build "$version") >&2
        # In one step: another build may be under way.
        mv "$building/$name" "$tool/bin/$name"
    fi
    echo "$tool/bin/$name"
}
