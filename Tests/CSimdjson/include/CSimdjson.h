#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Whether simdjson's DOM parser accepts the bytes as one JSON document. 0 = yes, else its error number.
int simdjson_judge(const uint8_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif
