#include "form.h"

#include "percent.h"

/* Text without an escape stands for itself; the rest is decoded into *room, which moves on. */
static bool decode_part(str part, char **room, str *out) {
    size_t n = 0;
    if (str_find(part, '%') == part.n && str_find(part, '+') == part.n) {
        *out = part;
        return str_is_utf8(part);
    }
    if (!percent_decode(part, PERCENT_FORM, *room, &n)) return false;
    *out = (str){*room, n};
    *room += n;
    return true;
}

enum refusal form_parse(str text, struct arena *arena, struct form *form) {
    if (text.n == 0) return REFUSAL_NONE;
    char *room = arena_alloc_secret(arena, text.n); /* decoding never makes text longer */
    while (text.n) {
        str value = str_take(&text, '&');
        if (value.n == 0) continue;
        if (form->n == PARAMS_MAX) return REFUSAL_REQUEST_MALFORMED;
        struct form_pair *pair = &form->pairs[form->n++];
        str name = str_take(&value, '=');
        if (!decode_part(name, &room, &pair->name)) return REFUSAL_REQUEST_MALFORMED;
        if (!decode_part(value, &room, &pair->value)) return REFUSAL_REQUEST_MALFORMED;
    }
    return REFUSAL_NONE;
}

/* RFC 9110 s8.3.1: the media type without its parameters, in any case. A body of no bytes needs no type. */
bool form_is_sent(const struct oauth_req *req) {
    if (req->content_type.n == 0) return req->body.n == 0;
    str rest = req->content_type;
    return str_eq_nocase(str_trim(str_take(&rest, ';')), S("application/x-www-form-urlencoded"));
}

enum refusal form_read(const struct oauth_req *req, struct arena *arena, struct form *out) {
    out->n = 0;
    if (req->method == METHOD_GET || req->method == METHOD_HEAD) return form_parse(req->query, arena, out);
    if (!form_is_sent(req)) return REFUSAL_MEDIA_TYPE;
    if (req->query_params) {
        enum refusal refused = form_parse(req->query, arena, out);
        if (refused) return refused;
    }
    return form_parse(req->body, arena, out);
}
