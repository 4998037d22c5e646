#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Whether simdjson's DOM parser accepts the bytes as one JSON document. 0 = yes, else its error number.
int simdjson_judge(const uint8_t *bytes, size_t count);

/// What `simdjson_read_six` found; only there so that no work can be left out.
typedef struct {
    int64_t events;
    int64_t text_bytes;
    int64_t int_sum;
    double float_sum;
} simdjson_sums;

/// Reads the six fields of the benchmark's events with `ondemand::iterate_many`, as fast as it goes:
/// ts, type, user, status, latency_ms and geo.country, in this order. It looks at no event further
/// than the last of them and keeps nothing. 64 readable bytes must follow.
simdjson_sums simdjson_read_six(const uint8_t *bytes, size_t count);

/// One value, kept: the bits of a number, or where a text begins in `text`.
typedef struct {
    uint64_t bits;
    uint32_t length;
    uint32_t kind;
} simdjson_slot;

/// The same, but keeps what it finds, as a decoder must: six slots for each event, texts copied to
/// `text`, and each event walked to its end.
simdjson_sums simdjson_keep_six(
    const uint8_t *bytes, size_t count, simdjson_slot *slots, uint8_t *text);

#ifdef __cplusplus
}
#endif
