# Running ctest over several builds and counting: bash functions, sourced after scripts/setup.sh.

passed=0 failed=0

prepare_tests() {
    install_packages build test
    use_node
    install_npm_packages web
    install_npm_packages tests
    generate_page
}

# run_suite PRESET [LABEL]: builds it and runs its tests, or those that are labelled so, which a target of that name builds; a failure
# is counted and does not end the run.
run_suite() {
    local preset=$1 label=${2:-} log summary
    build "$preset" ${label:+"$label"}
    say "testing ($preset)"
    log=build/$preset/ctest.log
    ctest --preset "$preset" -j "$(nproc)" ${label:+--label-regex "$label"} | tee "$log" || true
    summary=$(grep -E '[0-9]+ tests? failed out of [0-9]+' "$log") || die "ctest did not finish: see $log"
    [[ $summary =~ ([0-9]+)\ tests?\ failed\ out\ of\ ([0-9]+) ]]
    failed=$((failed + BASH_REMATCH[1]))
    passed=$((passed + BASH_REMATCH[2] - BASH_REMATCH[1]))
}

report() {
    echo "$passed passed, $failed failed"
    [[ $failed -eq 0 ]]
}
