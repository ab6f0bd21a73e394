# palimpsest_library(NAME SOURCES … [TESTS …] [DEPENDS folder …] [LINKS target …] [TEST_LINKS target …])
#
# One folder of src/: a static library palimpsest_NAME, and NAME_tests when TESTS are given. DEPENDS names the
# folders whose headers it may include (tests/tidy_test.cpp checks that); LINKS names outside libraries.
function(palimpsest_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;TESTS;DEPENDS;LINKS;TEST_LINKS" ${ARGN})
  add_library(palimpsest_${name} STATIC ${arg_SOURCES})
  target_link_libraries(palimpsest_${name} PUBLIC palimpsest_settings fmt::fmt ${arg_LINKS})
  foreach(folder IN LISTS arg_DEPENDS)
    target_link_libraries(palimpsest_${name} PUBLIC palimpsest_${folder})
  endforeach()
  if(arg_TESTS)
    palimpsest_tests(${name} unit SOURCES ${arg_TESTS} LINKS palimpsest_${name} ${arg_TEST_LINKS})
  endif()
endfunction()

# palimpsest_tests(NAME LABEL SOURCES … LINKS target …): NAME_tests. Unit tests are one ctest entry: a process for each of them takes
# longer than they do, under a sanitizer ten times as long. Of what computes for long each test is an entry, to run beside the others.
function(palimpsest_tests name label)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name}_tests ${arg_SOURCES})
  target_link_libraries(${name}_tests PRIVATE ${arg_LINKS} GTest::gtest GTest::gtest_main)
  add_dependencies(unit ${name}_tests)
  set(timeout_s 60)
  if(PALIMPSEST_SANITIZE)
    set(timeout_s 600)  # a sanitizer without optimisation makes the simulations an order of magnitude slower
  endif()
  set(properties LABELS ${label} TIMEOUT ${timeout_s} PROCESSORS 2)
  if(label STREQUAL "unit")
    add_test(NAME ${name} COMMAND ${name}_tests)
    set_tests_properties(${name} PROPERTIES ${properties})
  else()
    gtest_discover_tests(${name}_tests TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
  endif()
endfunction()
