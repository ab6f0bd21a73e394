# Running ctest over several builds and counting: bash functions, sourced after scripts/setup.sh.

passed=0 failed=0

prepare_tests() {
    install_packages build test
    use_node
    install_npm_packages web
    install_npm_packages tests
    generate_page
}

# run_suite PRESET [unit|system]: builds it and runs its tests, or only those that are labelled `unit`, or only the others (the simulations
# are in both); a failure is counted and does not end the run.
run_suite() {
    local preset=$1 part=${2:-} which=() log summary
    [[ $part != unit ]] || which=(--label-regex 'unit|simulation')
    [[ $part != system ]] || which=(--label-exclude unit)
    build "$preset" ${part:+"$part"}
    say "testing ($preset${part:+, $part})"
    log=build/$preset/ctest.log
    ctest --preset "$preset" -j "$((2 * $(nproc)))" "${which[@]}" | tee "$log" || true  # see tests/CMakeLists.txt
    summary=$(grep -E '[0-9]+ tests? failed out of [0-9]+' "$log") || die "ctest did not finish: see $log"
    [[ $summary =~ ([0-9]+)\ tests?\ failed\ out\ of\ ([0-9]+) ]]
    count_suite "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "build/$preset/Testing/Temporary/LastTest.log"
}

# count_suite FAILED TOTAL LOG: of ctest's entries. One that is many of GoogleTest's counts as so many.
count_suite() {
    local bad=$1 total=$2 log=$3 ran ok unmet whole
    lines() { grep -cE "$1" "$log" || true; }
    ran=$(lines '^\[={10}\] .* ran\.') whole=$(lines '^ *[0-9]+ FAILED TESTS?$')  # programs; those that say which tests failed
    ok=$(lines '^\[       OK \] ') unmet=$(lines '^\[  FAILED  \] .* ms\)$')       # tests
    bad=$((bad - whole + unmet))
    failed=$((failed + bad))
    passed=$((passed + total - ran + ok + unmet - bad))
}

report() {
    echo "$passed passed, $failed failed"
    [[ $failed -eq 0 ]]
}
