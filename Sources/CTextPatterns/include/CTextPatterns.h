#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled RE2 pattern. Matching from several threads at once is safe.
typedef struct martlet_pattern martlet_pattern;

/// Compiles `bytes[0..<count]`. Never NULL: ask `martlet_pattern_error`.
martlet_pattern *_Nonnull martlet_pattern_make(const char *_Nonnull bytes, size_t count, bool ignoring_case);
void martlet_pattern_free(martlet_pattern *_Nonnull pattern);

/// NULL when the pattern is good, else RE2's sentence about it.
const char *_Nullable martlet_pattern_error(const martlet_pattern *_Nonnull pattern);
/// The part of the pattern that RE2 complains about; empty when it names none.
const char *_Nonnull martlet_pattern_error_argument(const martlet_pattern *_Nonnull pattern);

/// Whether the pattern matches anywhere in the text. Linear in `count`.
bool martlet_pattern_matches(const martlet_pattern *_Nonnull pattern, const char *_Nullable bytes, size_t count);

#ifdef __cplusplus
}
#endif
