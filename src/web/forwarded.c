#include "forwarded.h"

#include "http_rules.h"

/* ---- the grammar of RFC 7239 s4 ---- */

static str skip_space(str s) {
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = str_from(s, 1);
    return s;
}

static bool take_char(str *rest, char ch) {
    if (rest->n == 0 || rest->p[0] != ch) return false;
    *rest = str_from(*rest, 1);
    return true;
}

static bool take_token(str *rest, str *out) {
    size_t n = 0;
    while (n < rest->n && http_is(rest->p[n], HTTP_TCHAR)) n++;
    *out = str_head(*rest, n);
    *rest = str_from(*rest, n);
    return n > 0;
}

/* Behind the opening quote. */
static bool take_quoted(str *rest, str *out) {
    bool escaped = false;
    for (size_t i = 0; i < rest->n; i++) {
        if (rest->p[i] == '"') {
            *out = escaped ? (str){NULL, 0} : str_head(*rest, i);
            *rest = str_from(*rest, i + 1);
            return true;
        }
        if (rest->p[i] != '\\') continue;
        escaped = true;
        i++;
    }
    return false;
}

static bool take_pair(str *rest, struct forwarded_element *e, unsigned *seen) {
    static const str names[] = {S("for"), S("proto"), S("by"), S("host")};
    str name, value;
    if (!take_token(rest, &name) || !take_char(rest, '=')) return false;
    if (!(take_char(rest, '"') ? take_quoted(rest, &value) : take_token(rest, &value))) return false;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!str_eq_nocase(name, names[i])) continue;
        if (*seen & 1U << i) return false; /* s4: not twice in one element */
        *seen |= 1U << i;
        if (i == 0) e->client = value;
        if (i == 1) e->proto = value;
    }
    return true;
}

/* The pairs up to a comma or the end. */
static bool take_element(str *rest, struct forwarded_element *out) {
    unsigned seen = 0;
    *out = (struct forwarded_element){.client = {NULL, 0}};
    do {
        *rest = skip_space(*rest);
        bool empty = rest->n == 0 || rest->p[0] == ';' || rest->p[0] == ',';
        if (!empty && !take_pair(rest, out, &seen)) return false;
        *rest = skip_space(*rest);
    } while (take_char(rest, ';'));
    return rest->n == 0 || rest->p[0] == ',';
}

bool forwarded_parse(str value, struct forwarded_element out[FORWARDED_MAX], size_t *out_n) {
    size_t n = 0;
    *out_n = 0;
    do {
        if (n == FORWARDED_MAX) {
            memmove(out, out + 1, (FORWARDED_MAX - 1) * sizeof *out);
            n--;
        }
        if (!take_element(&value, &out[n++])) return false;
    } while (take_char(&value, ','));
    *out_n = n;
    return true;
}

/* ---- addresses ---- */

/* "1.2.3.4", "1.2.3.4:567", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:567" without brackets and port. */
static str without_port(str s) {
    if (s.n && s.p[0] == '[') return str_head(str_from(s, 1), str_find(str_from(s, 1), ']'));
    size_t colon = str_find(s, ':');
    bool one_colon = colon < s.n && str_find(str_from(s, colon + 1), ':') == s.n - colon - 1;
    return one_colon ? str_head(s, colon) : s;
}

/* Goes one address further. False: the walk is over. */
static bool step(str address, const struct forwarded_rules *rules, struct peer *peer) {
    return peer_is_in(peer, rules->trusted, rules->n) && peer_parse(without_port(address), peer);
}

/* Takes the part behind the last comma off *rest. */
static str take_last(str *rest) {
    size_t at = rest->n;
    while (at && rest->p[at - 1] != ',') at--;
    str last = str_from(*rest, at);
    *rest = str_head(*rest, at ? at - 1 : 0);
    return str_trim(last);
}

static bool walk_list(str list, const struct forwarded_rules *rules, struct peer *peer) {
    while (list.n)
        if (!step(take_last(&list), rules, peer)) return false;
    return true;
}

static bool walk_elements(str value, const struct forwarded_rules *rules, struct peer *peer) {
    struct forwarded_element elements[FORWARDED_MAX];
    size_t n;
    if (!forwarded_parse(value, elements, &n)) return false;
    while (n)
        if (!step(elements[--n].client, rules, peer)) return false;
    return true;
}

void forwarded_walk(const struct http_head *head, const struct forwarded_rules *rules, struct peer *peer) {
    str name = rules->rfc7239 ? S("forwarded") : S("x-forwarded-for");
    for (size_t i = head->n_headers; i-- > 0;) {
        if (!str_eq_nocase(head->headers[i].name, name)) continue;
        if (!(rules->rfc7239 ? walk_elements : walk_list)(head->headers[i].value, rules, peer)) return;
    }
}

/* ---- the scheme ---- */

static str last_proto(str value) {
    struct forwarded_element elements[FORWARDED_MAX];
    size_t n;
    return forwarded_parse(value, elements, &n) ? elements[n - 1].proto : S("malformed");
}

static enum forwarded_scheme scheme_of(str proto) {
    return str_eq_nocase(proto, S("https")) ? FORWARDED_SCHEME_HTTPS : FORWARDED_SCHEME_OTHER;
}

enum forwarded_scheme forwarded_scheme_of(const struct http_head *head, const struct forwarded_rules *rules) {
    str name = rules->rfc7239 ? S("forwarded") : S("x-forwarded-proto");
    for (size_t i = head->n_headers; i-- > 0;) {
        if (!str_eq_nocase(head->headers[i].name, name)) continue;
        str list = head->headers[i].value;
        if (!rules->rfc7239) return scheme_of(take_last(&list));
        str proto = last_proto(list);
        return proto.n ? scheme_of(proto) : FORWARDED_SCHEME_NONE;
    }
    return FORWARDED_SCHEME_NONE;
}
