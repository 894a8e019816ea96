#include "grant.h"

#define TIME_BYTES   6
#define RANDOM_BYTES (GRANT_ID_BYTES - TIME_BYTES)
_Static_assert(RANDOM_BYTES == 10, "80 random bits");

struct grant_id grant_id_make(int64_t now_ms, const uint8_t random[10]) {
    struct grant_id id;
    for (unsigned i = 0; i < TIME_BYTES; i++) id.b[i] = (uint8_t)((uint64_t)now_ms >> (8 * (TIME_BYTES - 1 - i)));
    memcpy(id.b + TIME_BYTES, random, RANDOM_BYTES);
    return id;
}

int64_t grant_id_time_ms(const struct grant_id *id) {
    uint64_t ms = 0;
    for (unsigned i = 0; i < TIME_BYTES; i++) ms = ms << 8 | id->b[i];
    return (int64_t)ms;
}
