#include "jose_claims.h"

#include <jansson.h>

/* Bounds the recursion of the parser before it runs. Brackets in texts count as well, which only ever refuses more. */
static bool is_shallow(str json) {
    size_t depth = 0;
    for (size_t i = 0; i < json.n; i++) {
        char ch = json.p[i];
        if ((ch == '{' || ch == '[') && ++depth > JOSE_CLAIMS_DEPTH) return false;
        if ((ch == '}' || ch == ']') && depth) depth--;
    }
    return true;
}

static str copy_text(const json_t *value, struct arena *arena) {
    return arena_copy(arena, (str){json_string_value(value), json_string_length(value)});
}

/* Appends the claims of one member, "userinfo" or "id_token". */
static bool read_section(const json_t *section, bool of_id_token, struct arena *arena, struct jose_claim *list,
                         size_t *n) {
    const char *name = NULL;
    json_t *asked = NULL;
    if (!section || json_is_null(section)) return true;
    if (!json_is_object(section)) return false;
    json_object_foreach((json_t *)(uintptr_t)section, name, asked) {
        if (!json_is_null(asked) && !json_is_object(asked)) return false;
        const json_t *value = json_object_get(asked, "value");
        list[*n] = (struct jose_claim){
            .of_id_token = of_id_token,
            .is_essential = json_is_true(json_object_get(asked, "essential")),
            .name = arena_copy(arena, str_of(name)),
        };
        if (json_is_string(value)) list[*n].value = copy_text(value, arena);
        ++*n;
    }
    return true;
}

bool jose_claims_read(str json, struct arena *arena, struct jose_claim **out, size_t *out_n) {
    json_t *root = NULL;
    *out_n = 0;
    if (json.n <= JOSE_CLAIMS_MAX && is_shallow(json)) root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *userinfo = json_object_get(root, "userinfo"), *id_token = json_object_get(root, "id_token");
    *out = ARENA_ARRAY(arena, struct jose_claim, json_object_size(userinfo) + json_object_size(id_token) + 1);
    bool good = json_is_object(root) && read_section(userinfo, false, arena, *out, out_n) &&
                read_section(id_token, true, arena, *out, out_n);
    json_decref(root);
    return good;
}
