#include "CSimdjson.h"

#include <simdjson.h>

int simdjson_judge(const uint8_t *bytes, size_t count) {
    static thread_local simdjson::dom::parser parser;
    simdjson::padded_string document(reinterpret_cast<const char *>(bytes), count);
    simdjson::dom::element element;
    return static_cast<int>(parser.parse(document).get(element));
}
