#include "refusal.h"

static const struct refusal_row rows[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = {.name = S("NONE"), .http = 200},
#define REFUSAL(name_, http_, error_, status_, category_, counts_, text_)                                              \
    [REFUSAL_##name_] = {.name = S(#name_),                                                                            \
                         .http = http_,                                                                                \
                         .error = S(error_),                                                                           \
                         .status = S(status_),                                                                         \
                         .category = S(category_),                                                                     \
                         .counts = counts_,                                                                            \
                         .text = S(text_)},
#include "errors.def"
#undef REFUSAL
};

const struct refusal_row *refusal_row(enum refusal r) { return &rows[r < REFUSAL_COUNT ? r : REFUSAL_INTERNAL]; }
