set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(PALIMPSEST_WERROR "Treat warnings as errors (CI does)" OFF)
set(PALIMPSEST_SANITIZE "" CACHE STRING "Comma-separated sanitizers: address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

add_library(palimpsest_settings INTERFACE)
target_include_directories(palimpsest_settings INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_options(palimpsest_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor
  -Wno-missing-field-initializers  # designated initializers name what differs from the default
  $<$<BOOL:${PALIMPSEST_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside libstdc++ and Boost headers that it inlines; both are false there.
  target_compile_options(palimpsest_settings INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
endif()
# Asio without deprecated names, and without a separate Boost.System library.
target_compile_definitions(palimpsest_settings INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ERROR_CODE_HEADER_ONLY)

if(PALIMPSEST_SANITIZE)
  string(REPLACE "," ";" sanitizers "${PALIMPSEST_SANITIZE}")
  foreach(sanitizer IN LISTS sanitizers)
    target_compile_options(palimpsest_settings INTERFACE -fsanitize=${sanitizer} -fno-omit-frame-pointer)
    target_link_options(palimpsest_settings INTERFACE -fsanitize=${sanitizer})
  endforeach()
  if("thread" IN_LIST sanitizers)
    # Asio uses atomic_thread_fence, which TSan does not model.
    target_compile_options(palimpsest_settings INTERFACE -Wno-tsan)
  endif()
endif()

include(PalimpsestHardening)
