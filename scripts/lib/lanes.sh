# shellcheck shell=bash
# The lanes of scripts/test, one function each. They share one target folder and leave their reports under
# target/test-reports. Which Rust test belongs to which lane is told by the name of its test program: window*, real_data.

lanes=(rust ui window conformance real-data)
reports=$target/test-reports

lane_rust() {
    must 'what the app is compiled with' prepare_app || return
    must 'rustfmt and clippy' need_rust_linters || return
    check 'cargo fmt' cargo fmt --all --check
    check 'cargo clippy' cargo clippy --workspace --all-targets -- --deny warnings
    rust_tests rust 'not (binary(/^window/) or binary(real_data))' '^(?!window|real_data$)' --lib --bins
}

# The linters' options stand in ui/package.json, where an editor finds them too.
lane_ui() {
    must 'UI packages' need_ui_packages || return
    cd "$root/ui" || return
    check prettier npm run --silent format:check
    check eslint npm run --silent lint
    check svelte-check npm run --silent check
    suite vitest count_junit "$reports/vitest.xml" \
        npm test --silent -- --reporter=default --reporter=junit --outputFile.junit="$reports/vitest.xml"
    cd "$root" || return
}

lane_window() {
    must 'what the app is compiled with' prepare_app || return
    must 'a virtual screen and the web view driver' need_packages "${window_packages[@]}" || return
    rust_tests window 'binary(/^window/)' '^window'
}

lane_conformance() {
    must 'what the code tabs lean on' need_snippet_kits || return
    python_tests conformance 'not real_data'
}

lane_real-data() {
    if [[ ! -d ${WHETSTONE_REAL_DATA:-} ]]; then
        say 'real-data: skipped, WHETSTONE_REAL_DATA names no folder'
        return
    fi
    must 'what the app is compiled with' prepare_app || return
    must 'a virtual screen and the web view driver' need_packages "${window_packages[@]}" || return
    rust_tests real-data 'binary(real_data)' '^real_data$'
    python_tests real-data real_data
}

# rust_tests LANE FILTER PATTERN [TARGETS...]: the Rust tests of a lane. FILTER chooses for cargo-nextest; where that is
# not installed, plain `cargo test` runs the test programs whose name matches PATTERN, and TARGETS besides.
rust_tests() {
    local lane=$1 filter=$2 pattern=$3 screen=() log=$reports/$1-rust.txt targets name
    shift 3
    [[ $lane == window || $lane == real-data ]] && screen=(dbus-run-session -- xvfb-run --auto-servernum --server-args '-screen 0 1440x1000x24')
    if has cargo-nextest; then
        suite "$lane: Rust tests" count_junit "$target/nextest/$lane/junit.xml" "${screen[@]}" \
            cargo nextest run --workspace --config-file "$root/scripts/lib/nextest.toml" --profile "$lane" \
            --no-tests pass -E "$filter"
        return
    fi
    targets=$(test_targets "$pattern") || { must 'cargo metadata' false; return; }
    for name in $targets; do
        set -- "$@" --test "$name"
    done
    (($# > 0)) || return 0
    suite "$lane: Rust tests" count_cargo_test "$log" plain_cargo_test "$lane" "$log" "${screen[@]}" cargo test --workspace --no-fail-fast "$@"
}

plain_cargo_test() {
    local lane=$1 log=$2 threads=()
    shift 2
    [[ $lane == rust ]] || threads=(-- --test-threads 1)
    "$@" "${threads[@]}" 2>&1 | tee "$log"
}

# Names of the integration test programs that match a JavaScript pattern; Node is here anyway, for the UI.
test_targets() {
    cargo metadata --no-deps --format-version 1 | PATTERN=$1 node -e '
        const pattern = new RegExp(process.env.PATTERN);
        const { packages } = JSON.parse(require("fs").readFileSync(0, "utf8"));
        const tests = packages.flatMap((p) => p.targets).filter((t) => t.kind.includes("test") && pattern.test(t.name));
        console.log([...new Set(tests.map((t) => t.name))].join("\n"));'
}

# python_tests LANE MARKS: real clients against the real program.
python_tests() {
    local lane=$1 marks=$2 program bin report=$reports/$1-pytest.xml
    must 'rclone' need_packages "${copy_packages[@]}" || return
    program=$(build_program debug) || { must 'the program' false; return; }
    bin=$(python_environment conformance "$root/tests/conformance/requirements.txt") || { must 'Python packages' false; return; }
    suite "$lane: pytest" count_junit "$report" env WHETSTONE_PROGRAM="$program" PATH="$bin:$PATH" \
        "$bin/pytest" "$root/tests/conformance" -m "$marks" --junit-xml "$report"
}
