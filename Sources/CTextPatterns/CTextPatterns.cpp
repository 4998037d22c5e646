#include "CTextPatterns.h"

#include <re2/re2.h>

struct martlet_pattern {
    RE2 compiled;

    martlet_pattern(const char *bytes, size_t count, const RE2::Options &options)
        : compiled(re2::StringPiece(bytes, count), options) {}
};

martlet_pattern *martlet_pattern_make(const char *bytes, size_t count, bool ignoring_case) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(!ignoring_case);
    // Enough for real rules; a hostile pattern is refused when it is compiled, not when it runs.
    options.set_max_mem(8 << 20);
    return new martlet_pattern(bytes, count, options);
}

void martlet_pattern_free(martlet_pattern *pattern) { delete pattern; }

const char *martlet_pattern_error(const martlet_pattern *pattern) {
    return pattern->compiled.ok() ? nullptr : pattern->compiled.error().c_str();
}

const char *martlet_pattern_error_argument(const martlet_pattern *pattern) {
    return pattern->compiled.error_arg().c_str();
}

bool martlet_pattern_matches(const martlet_pattern *pattern, const char *bytes, size_t count) {
    return RE2::PartialMatch(re2::StringPiece(bytes, count), pattern->compiled);
}
