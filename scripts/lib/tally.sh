# shellcheck shell=bash
# Counts what the lanes did, and says it at the end. A lane never stops another; nothing that failed goes uncounted.

passed=0
failed=0
failures=()

# check NAME COMMAND...: a command that either holds or does not (a linter, a build); counts as one.
check() {
    local name=$1
    shift
    say "$name"
    if "$@"; then
        ((passed += 1))
        return 0
    fi
    ((failed += 1))
    failures+=("$name")
    return 1
}

# must NAME COMMAND...: a preparation. It is no promise of the project's, so it counts only when it fails.
must() {
    local name=$1
    shift
    "$@" && return 0
    ((failed += 1))
    failures+=("$name")
    return 1
}

# suite NAME COUNTER REPORT COMMAND...: a test runner that leaves a report; each test case counts. COUNTER reads the
# report and prints "PASSED FAILED".
suite() {
    local name=$1 counter=$2 report=$3 status=0 good=0 bad=0
    shift 3
    say "$name"
    rm -f "$report"
    mkdir -p "$(dirname "$report")"
    "$@" || status=$?
    if [[ -f $report ]]; then
        read -r good bad < <("$counter" "$report")
    elif ((status == 0)); then
        status=1 # A runner that leaves no report has run nothing.
    fi
    ((status != 0 && bad == 0)) && bad=1 # It crashed, or did not compile.
    ((passed += good))
    ((failed += bad))
    ((bad == 0)) && return 0
    failures+=("$name")
    return 1
}

# A JUnit report; a skipped case is neither passed nor failed. The report's own text is escaped, so a literal
# "<failure" can only be the element.
count_junit() {
    awk 'BEGIN { RS = "<testcase" }
         NR > 1 && /<(failure|error)[ >\/]/ { bad++; next }
         NR > 1 && !/<skipped/ { good++ }
         END { print good + 0, bad + 0 }' "$1"
}

# The text of plain `cargo test`: one line a test program.
count_cargo_test() {
    awk '/^test result:/ { for (i = 1; i < NF; i++) { if ($(i + 1) == "passed;") good += $i; if ($(i + 1) == "failed;") bad += $i } }
         END { print good + 0, bad + 0 }' "$1"
}

# The last line of a run, alone on its line, and the exit status that goes with it.
report_and_exit() {
    local name
    printf '\n'
    for name in "${failures[@]}"; do
        printf 'failed: %s\n' "$name"
    done
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0)) && exit 0
    exit 1
}
