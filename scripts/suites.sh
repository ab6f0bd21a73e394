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
    [[ $part != system ]] || which=(--label-exclude unit --exclude-regex NOT_BUILT)  # as CMake calls the unit tests then
    build "$preset" ${part:+"$part"}
    say "testing ($preset${part:+, $part})"
    log=build/$preset/ctest.log
    ctest --preset "$preset" -j "$((2 * $(nproc)))" "${which[@]}" | tee "$log" || true  # see tests/CMakeLists.txt
    summary=$(grep -E '[0-9]+ tests? failed out of [0-9]+' "$log") || die "ctest did not finish: see $log"
    [[ $summary =~ ([0-9]+)\ tests?\ failed\ out\ of\ ([0-9]+) ]]
    failed=$((failed + BASH_REMATCH[1]))
    passed=$((passed + BASH_REMATCH[2] - BASH_REMATCH[1]))
}

report() {
    echo "$passed passed, $failed failed"
    [[ $failed -eq 0 ]]
}
