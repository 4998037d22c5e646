#include "CBench.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static atomic_bool is_counting;
static atomic_llong count;

// The program's own `malloc` stands before that of the C library and hands on to it. What it returns
// is the library's memory, so that `free` need not know of it. The sanitizers have a `malloc` of
// their own, which must stay; with them nothing is counted.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MARTLET_COUNTS_NOTHING
#endif
#endif

#ifndef MARTLET_COUNTS_NOTHING
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t number, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static inline void note(void) {
    if (atomic_load_explicit(&is_counting, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    }
}

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    note();
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    note();
    return __libc_realloc(memory, size);
}
#endif

void martlet_allocations_begin(void) {
    atomic_store(&count, 0);
    atomic_store(&is_counting, true);
}

int64_t martlet_allocations_end(void) {
    atomic_store(&is_counting, false);
    return atomic_load(&count);
}

int64_t martlet_allocated_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return (int64_t)(info.uordblks + info.hblkhd);
}

void martlet_release_free_memory(void) { malloc_trim(0); }
