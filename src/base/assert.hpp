#pragma once

#include <cstdio>
#include <cstdlib>

/// On in release too: an invariant of ours that does not hold is a bug, and crashing is better than serving a wrong order.
#define PAL_ASSERT(condition)                                                                        \
    do {                                                                                             \
        if (!(condition)) [[unlikely]] {                                                             \
            std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition);   \
            std::abort();                                                                            \
        }                                                                                            \
    } while (false)
