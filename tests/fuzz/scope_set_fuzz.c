/* Any bytes are decoded; a set that comes out is in order, and has exactly these bytes and no others. */
#include "scope_set.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct scope_set *set = malloc(sizeof *set), built = {0}; /* on the heap, so that an overrun is seen */
    str bytes = {(const char *)data, size};
    if (!set) abort();
    if (scope_set_decode(bytes, set)) {
        uint8_t again[SCOPE_SET_BYTES];
        if (!str_eq(bytes, (str){(char *)again, scope_set_encode(set, again)})) abort();
        for (size_t i = set->n; i-- > 0;)
            if (!scope_set_add(&built, set->id[i])) abort();
        if (!scope_set_equal(set, &built) || !scope_set_is_subset(set, &built)) abort();
        for (size_t i = 0; i < set->n; i++)
            if (set->id[i] == 0 || (i && set->id[i] <= set->id[i - 1])) abort();
    }
    free(set);
    return 0;
}
