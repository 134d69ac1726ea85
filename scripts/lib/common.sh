# shellcheck shell=bash
# What every door shares: where the project and its build output are, and how to speak to the person.
# Sourced, never run. Holds no state of its own besides these paths.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
[[ $target == /* ]] || target=$root/$target

# A line about what the script is doing, on standard error: standard output belongs to results.
say() {
    if [[ -t 2 ]]; then
        printf '\033[2m%s\033[0m\n' "$*" >&2
    else
        printf '%s\n' "$*" >&2
    fi
}

die() {
    printf '%s\n' "$*" >&2
    exit 2
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# One line that changes whenever a file of the list on standard input does.
fingerprint() {
    LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum -- | sha256sum | cut -d' ' -f1
}
