#include "claims.h"

const struct openid_scope_row openid_scopes[OPENID_SCOPES] = {
    [OPENID_SCOPE_OPENID] = {S("openid"), S("Recognise you when you come back")},
    [OPENID_SCOPE_PROFILE] = {S("profile"), S("See your name")},
    [OPENID_SCOPE_EMAIL] = {S("email"), S("See your e-mail address")},
};

const struct claim_row claim_rows[CLAIMS] = {
#define CLAIM(name, wire, scope) {S(wire), OPENID_SCOPE_##scope},
#include "claims.def"
#undef CLAIM
};

bool claim_named(str name, enum claim *out) {
    for (unsigned i = 0; i < CLAIMS; i++) {
        if (!str_eq(claim_rows[i].name, name)) continue;
        *out = (enum claim)i;
        return true;
    }
    return false;
}

bool scopes_have(const struct registry *registry, const struct scope_set *set, enum openid_scope scope) {
    const struct scope *row = registry_scope_by_name(registry, openid_scopes[scope].name);
    return row && scope_set_has(set, row->id);
}

bool openid_is_offered(const struct registry *registry) {
    return registry && registry_scope_by_name(registry, openid_scopes[OPENID_SCOPE_OPENID].name) != NULL;
}

unsigned claims_of_scopes(const struct registry *registry, const struct scope_set *set) {
    unsigned claims = 0;
    for (unsigned i = 0; i < CLAIMS; i++)
        if (scopes_have(registry, set, claim_rows[i].scope)) claims |= CLAIM_BIT(i);
    return claims;
}

str claims_subject(struct arena *arena, int32_t user_id) { return arena_printf(arena, "%d", (int)user_id); }

/* What is not known is left out (s5.3.2). */
static void write_claim(struct json *j, const struct subject *person, enum claim claim) {
    str name = claim_rows[claim].name;
    switch (claim) {
    case CLAIM_NAME:
        if (person->user_name.n) json_member_str(j, name, person->user_name);
        break;
    case CLAIM_UPDATED_AT:
        if (person->user_updated_ms) json_member_int(j, name, person->user_updated_ms / 1000);
        break;
    case CLAIM_EMAIL:
        if (person->email.n) json_member_str(j, name, person->email);
        break;
    case CLAIM_EMAIL_VERIFIED:
        if (person->email.n) json_member_bool(j, name, person->email_verified);
        break;
    case CLAIMS: break;
    }
}

void claims_write(struct json *j, const struct subject *person, unsigned claims) {
    for (unsigned i = 0; i < CLAIMS; i++)
        if (claims & CLAIM_BIT(i)) write_claim(j, person, (enum claim)i);
}
