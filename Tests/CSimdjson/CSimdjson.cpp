#include "CSimdjson.h"

#include <cstring>
#include <simdjson.h>

int simdjson_judge(const uint8_t *bytes, size_t count) {
    static thread_local simdjson::dom::parser parser;
    simdjson::padded_string document(reinterpret_cast<const char *>(bytes), count);
    simdjson::dom::element element;
    return static_cast<int>(parser.parse(document).get(element));
}

namespace {

using namespace simdjson;

bool is(ondemand::raw_json_string key, const char *name, size_t count) {
    return std::memcmp(key.raw(), name, count) == 0 && key.raw()[count] == '"';
}

/// Where kept values go; null where nothing is kept.
struct store {
    simdjson_slot *slots;
    uint8_t *text;

    void keep(int slot, uint64_t bits, uint32_t kind) {
        if (slots) slots[slot] = {bits, 0, kind};
    }

    void keep(int slot, std::string_view found) {
        if (!slots) return;
        std::memcpy(text, found.data(), found.size());
        slots[slot] = {reinterpret_cast<uint64_t>(text), static_cast<uint32_t>(found.size()), 4};
        text += found.size();
    }
};

void take_text(ondemand::value value, simdjson_sums &sums, store &store, int slot) {
    std::string_view text;
    if (value.get_string().get(text) != SUCCESS) return;
    sums.text_bytes += static_cast<int64_t>(text.size());
    store.keep(slot, text);
}

void read_event(ondemand::object object, simdjson_sums &sums, store &store) {
    // One that is never reached, so that the loop goes on to the end.
    int wanted = store.slots ? 7 : 6;
    for (auto field : object) {
        ondemand::raw_json_string key;
        if (field.key().get(key) != SUCCESS) return;
        ondemand::value value;
        if (field.value().get(value) != SUCCESS) return;
        if (is(key, "ts", 2) || is(key, "type", 4) || is(key, "user", 4)) {
            take_text(value, sums, store, key.raw()[1] == 's' ? (key.raw()[0] == 't' ? 0 : 2) : 1);
            wanted--;
        } else if (is(key, "status", 6)) {
            int64_t number;
            if (value.get_int64().get(number) == SUCCESS) {
                sums.int_sum += number;
                store.keep(3, static_cast<uint64_t>(number), 2);
            }
            wanted--;
        } else if (is(key, "latency_ms", 10)) {
            double number;
            if (value.get_double().get(number) == SUCCESS) {
                sums.float_sum += number;
                uint64_t bits;
                std::memcpy(&bits, &number, sizeof bits);
                store.keep(4, bits, 3);
            }
            wanted--;
        } else if (is(key, "geo", 3)) {
            ondemand::object geo;
            ondemand::value country;
            if (value.get_object().get(geo) == SUCCESS
                && geo.find_field("country").get(country) == SUCCESS) {
                take_text(country, sums, store, 5);
            }
            wanted--;
        }
        if (wanted == 0) return;
    }
}

simdjson_sums read_all(const uint8_t *bytes, size_t count, store store) {
    static thread_local ondemand::parser parser;
    simdjson_sums sums = {0, 0, 0, 0};
    ondemand::document_stream stream;
    if (parser.iterate_many(bytes, count, 1 << 18).get(stream) != SUCCESS) return sums;
    for (auto document : stream) {
        ondemand::object object;
        if (document.get_object().get(object) != SUCCESS) continue;
        read_event(object, sums, store);
        if (store.slots) store.slots += 6;
        sums.events++;
    }
    return sums;
}

}  // namespace

simdjson_sums simdjson_read_six(const uint8_t *bytes, size_t count) {
    return read_all(bytes, count, {nullptr, nullptr});
}

simdjson_sums simdjson_keep_six(
    const uint8_t *bytes, size_t count, simdjson_slot *slots, uint8_t *text) {
    return read_all(bytes, count, {slots, text});
}
