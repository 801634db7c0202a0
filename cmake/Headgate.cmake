# What every target of Headgate shares: dependencies, warnings, sanitizers, and three short functions.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)  # module mode: Debian ships no config file
find_package(gRPC CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(MARIADB REQUIRED IMPORTED_TARGET libmariadb)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
find_package(absl CONFIG REQUIRED)

add_library(headgate_flags INTERFACE)
target_include_directories(headgate_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(headgate_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wswitch-enum
  -Wno-missing-field-initializers  # designated initialisers leave the rest to its default
  -Werror)
target_compile_definitions(headgate_flags INTERFACE HEADGATE_VERSION="${PROJECT_VERSION}")
target_link_libraries(headgate_flags INTERFACE Threads::Threads)
find_program(LLD ld.lld)
if(LLD)
  target_link_options(headgate_flags INTERFACE -fuse-ld=lld)
endif()
if(HEADGATE_SANITIZE)
  target_compile_options(headgate_flags INTERFACE -fsanitize=${HEADGATE_SANITIZE}
    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(headgate_flags INTERFACE -fsanitize=${HEADGATE_SANITIZE})
endif()

# Most of a compilation reads the same large headers: they are read once. What forgets an include of
# its own is found by the presets without it. (g++ 12 then warns of `std::string(n, 'x') + "y"` for no
# reason: write it with fmt::format.)
option(HEADGATE_PCH "Precompile the headers that most sources include" OFF)
set(COMMON_HEADERS <algorithm> <chrono> <functional> <map> <memory> <optional> <string> <variant>
  <vector> <fmt/format.h> <absl/status/statusor.h>)
if(HEADGATE_PCH)
  # Macros must be the same wherever a header comes precompiled: fmt's own, and -pthread's, which
  # gRPC's users have.
  target_link_libraries(headgate_flags INTERFACE fmt::fmt)
  target_compile_options(headgate_flags INTERFACE -pthread)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(headgate_flags INTERFACE -fpch-preprocess)  # for ccache
  endif()
endif()
# Two compilations of the same headers differ in some bytes, and then nothing that reads them would
# come out of ccache (CCACHE_PCH_EXTSUM in `dev`): what they say is summed up beside them.
function(headgate_sum_of_headers name)
  list(TRANSFORM ARGN PREPEND "#include ")
  list(JOIN ARGN "\n" text)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.dir)
  file(WRITE ${folder}/sum.cc "${text}\n")
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -pthread ${flags} -E -P ${folder}/sum.cc
    OUTPUT_VARIABLE read COMMAND_ERROR_IS_FATAL ANY)
  string(SHA256 sum
    "${read} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS} ${HEADGATE_SANITIZE}")
  file(WRITE ${folder}/cmake_pch.hxx.gch.sum ${sum})
endfunction()
# headgate_headers(NAME <header> …): they are compiled once for those who read NAME.
function(headgate_headers name)
  if(HEADGATE_PCH)
    add_library(${name} STATIC ${CMAKE_SOURCE_DIR}/cmake/precompiled.cc)
    target_link_libraries(${name} PUBLIC headgate_flags absl::status absl::statusor)
    target_precompile_headers(${name} PRIVATE ${ARGN})
    headgate_sum_of_headers(${name} ${ARGN})
  endif()
endfunction()
function(headgate_reads_headers target from)
  if(HEADGATE_PCH)
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()
headgate_headers(headgate_common_headers ${COMMON_HEADERS})

# headgate_library(NAME SOURCES a.cc … DEPS x y …): a room or a part of one.
function(headgate_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC headgate_flags ${ARG_DEPS})
  headgate_reads_headers(${name} headgate_common_headers)
endfunction()

# headgate_calculates(NAME …): libraries that rehearse hours in a test. Sanitizers' builds are not
# optimised, for the sake of their compile time; these would then run for minutes.
function(headgate_calculates)
  if(HEADGATE_SANITIZE)
    foreach(name ${ARGV})
      target_compile_options(${name} PRIVATE -O1)
      # Precompiled headers are of another level.
      set_target_properties(${name} PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
    endforeach()
  endif()
endfunction()

# headgate_program(NAME SOURCES … DEPS …): an executable in <build>/bin.
function(headgate_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE headgate_flags ${ARG_DEPS})
  headgate_reads_headers(${name} headgate_common_headers)
endfunction()

# headgate_test(NAME SOURCES … DEPS … [REAL] [GRPC] [LONG] [TIMEOUT s] [SHARDS n]): a GoogleTest
# program that ctest runs, in n parts beside each other (NAME_0 …).
# REAL marks tests that start HAProxy, Prometheus, PostgreSQL or MariaDB.
# GRPC marks those that call through gRPC, which ThreadSanitizer does not see through. LONG ones run
# for a minute: with sanitizers only under `./dev test --all`.
function(headgate_test name)
  if(NOT HEADGATE_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "REAL;GRPC;LONG" "TIMEOUT;SHARDS" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE headgate_flags headgate_test_places ${ARG_DEPS}
    GTest::gmock GTest::gtest_main)
  headgate_reads_headers(${name} headgate_test_headers)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  set(tests ${name})
  if(ARG_SHARDS)
    set(tests "")
    math(EXPR last "${ARG_SHARDS} - 1")
    foreach(shard RANGE ${last})
      list(APPEND tests ${name}_${shard})
      add_test(NAME ${name}_${shard} COMMAND ${name})
      set_tests_properties(${name}_${shard} PROPERTIES ENVIRONMENT
        "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${shard}")
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name})
  endif()
  set_tests_properties(${tests} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  foreach(label REAL GRPC LONG)
    if(ARG_${label})
      string(TOLOWER ${label} word)
      set_property(TEST ${tests} APPEND PROPERTY LABELS ${word})
    endif()
  endforeach()
endfunction()
