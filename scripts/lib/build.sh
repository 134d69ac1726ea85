# shellcheck shell=bash
# Builds the two halves of the app: the UI into ui/dist, and the program that embeds it.
# Every cargo call of the doors selects the whole workspace, so that the same features of a dependency are chosen each
# time and nothing is compiled in two variants.

# The program embeds ui/dist, so touching it without cause would recompile the shell: it is built only when a file
# that goes into it has changed.
build_ui() {
    need_ui_packages || return 1
    local stamp=$root/ui/node_modules/.cache/whetstone/dist wanted
    wanted=$(ui_sources | fingerprint) || return 1
    [[ -f $root/ui/dist/index.html && -f $stamp && $(<"$stamp") == "$wanted" ]] && return 0
    say 'building the UI'
    (cd "$root/ui" && npm run --silent build >&2) || return 1
    mkdir -p "$(dirname "$stamp")"
    printf '%s\n' "$wanted" >"$stamp"
}

ui_sources() {
    find "$root/ui" \( -path "$root/ui/node_modules" -o -path "$root/ui/dist" -o -path "$root/ui/testing" \) -prune \
        -o -type f ! -name '*.test.ts' -print
}

# What must stand before cargo can compile the app.
prepare_app() {
    need_rust
    need_packages "${app_packages[@]}" && build_ui
}

# build_program debug|release: prints the path of the program.
build_program() {
    local profile=$1 flags=(--release)
    # An example is built beside the program because cargo then counts development dependencies in when it chooses
    # features, as it does for the tests. Without it the AWS SDK and Tauri would be compiled once for the program and
    # once more for the tests.
    # The conformance tests run the other three: the AWS SDK for Rust, the requests that the wizard makes, and the programs
    # of the playground's code tabs.
    [[ $profile == debug ]] && flags=(--example pretrain --example rust-sdk --example requests --example snippets)
    prepare_app || return 1
    (cd "$root" && cargo build --workspace --bin whetstone --bin whetstone-sandbox "${flags[@]}" >&2) || return 1
    printf '%s\n' "$target/$profile/whetstone"
}

# build_examples debug|release FILE: builds the examples that a file lists, a crate and an example on each line.
build_examples() {
    local profile=$1 crate example flags=()
    [[ $profile == release ]] && flags=(--release)
    need_rust || return 1
    while read -r crate example; do
        (cd "$root" && cargo build "${flags[@]}" -p "$crate" --example "$example" >&2) || return 1
    done <"$2"
}
