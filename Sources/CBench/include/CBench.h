#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Begins to count calls of malloc, calloc and realloc in all threads. While nothing is counted, a
/// call costs one comparison more.
void martlet_allocations_begin(void);

/// Stops counting; returns how many allocations there have been since the beginning.
int64_t martlet_allocations_end(void);

/// Bytes that malloc has handed out and not got back.
int64_t martlet_allocated_bytes(void);

/// Gives memory that malloc holds for later back to the system.
void martlet_release_free_memory(void);

/// Keeps every thread of the process, and those that they start, on one of the processors that it may
/// use, until `martlet_use_all_processors`. Where the system refuses nothing happens.
void martlet_use_one_processor(void);
void martlet_use_all_processors(void);

#ifdef __cplusplus
}
#endif
