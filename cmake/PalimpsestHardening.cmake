# What makes a memory error end the process instead of being made use of. tests/integration/hardening.test.mjs checks the result.
include(CheckCXXCompilerFlag)

# Not each compiler has all of them for each processor. -fPIE, not -fPIC: within a program no function is replaced by another's.
foreach(flag
    -fPIE
    -fstack-protector-strong
    -fstack-clash-protection
    -fcf-protection              # x86
    -mbranch-protection=standard # ARM
    )
  string(MAKE_C_IDENTIFIER "PALIMPSEST_HAS${flag}" has)
  set(CMAKE_REQUIRED_FLAGS -Werror)
  check_cxx_compiler_flag(${flag} ${has})
  unset(CMAKE_REQUIRED_FLAGS)
  if(${has})
    target_compile_options(palimpsest_settings INTERFACE ${flag})
  endif()
endforeach()
target_link_options(palimpsest_settings INTERFACE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

# Checked indices of the standard library. _FORTIFY_SOURCE needs an optimising build, and hides errors from a sanitizer.
target_compile_definitions(palimpsest_settings INTERFACE _GLIBCXX_ASSERTIONS)
if(NOT PALIMPSEST_SANITIZE)
  target_compile_options(palimpsest_settings INTERFACE
    $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>)
endif()
