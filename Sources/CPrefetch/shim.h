// Swift has no word for the hint to fetch memory that is soon to be read; every C compiler has.
#pragma once

/// Asks for the cache line at an address, which may be any: nothing is read and nothing can fail.
static inline void prefetch(const void *address) { __builtin_prefetch(address); }
