/* What a value must look like: one checker per kind. */
#include "admin_parse.h"
#include "id_token.h"
#include "redirect_uri.h"
#include "timetext.h"

/* One code point of well-formed UTF-8; advances *i. */
static uint32_t utf8_next(str s, size_t *i) {
    const uint8_t *p = (const uint8_t *)s.p + *i;
    size_t more = p[0] < 0x80 ? 0 : p[0] < 0xE0 ? 1 : p[0] < 0xF0 ? 2 : 3;
    uint32_t point = more == 0 ? p[0] : p[0] & (0x3Fu >> more);
    for (size_t k = 1; k <= more; k++) point = point << 6 | (p[k] & 0x3Fu);
    *i += 1 + more;
    return point;
}

/* Characters that a name must not have, because they move a cursor, end a line or turn the direction of writing: with
 * them a name could pretend to be another one, on the consent page or on a terminal. */
static bool is_deceptive(uint32_t point) {
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200B, 0x200F},  {0x2028, 0x202E},
                  {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (point >= ranges[i].first && point <= ranges[i].last) return true;
    return false;
}

static bool text_ok(str s) {
    if (!str_is_utf8(s)) return false;
    bool blank = s.n > 0;
    for (size_t i = 0; i < s.n;) {
        uint32_t point = utf8_next(s, &i);
        if (is_deceptive(point)) return false;
        if (point != ' ' && point != 0xA0 && point != 0x3000) blank = false;
    }
    return !blank;
}

/* A host name (RFC 1123 s2.1): labels of letters, digits and hyphens. */
static bool domain_ok(str s) {
    if (s.n == 0 || s.n > DOMAIN_MAX || s.p[s.n - 1] == '.') return false;
    while (s.n) {
        str label = str_take(&s, '.');
        if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-') return false;
        for (size_t i = 0; i < label.n; i++)
            if (!char_is_alnum(label.p[i]) && label.p[i] != '-') return false;
    }
    return true;
}

/* The dot-string form of RFC 5321 s4.1.2, no quoted local parts. */
static bool email_ok(str s) {
    size_t at = str_find(s, '@');
    if (at == 0 || at == s.n || at > 64 || !domain_ok(str_from(s, at + 1))) return false;
    if (s.p[0] == '.' || s.p[at - 1] == '.') return false;
    for (size_t i = 0; i < at; i++) {
        char c = s.p[i];
        if (c == '.' && s.p[i - 1] == '.') return false;
        if (!char_is_alnum(c) && (c == '\0' || !strchr(".!#$%&'*+-/=?^_`{|}~", c))) return false;
    }
    return true;
}

static bool number_ok(str s) {
    uint64_t unused;
    return str_to_u64(s, INT64_MAX, &unused);
}
static bool hub_id_ok(str s) {
    uint64_t id = 0;
    return str_to_u64(s, ID_MAX, &id) && id > 0;
}
static bool duration_ok(str s) {
    int64_t unused;
    return timetext_duration_s(s, INT64_MAX / 1000, &unused);
}
static bool bool_ok(str s) { return str_eq(s, S("true")) || str_eq(s, S("false")); }
static bool app_ok(str s) { return str_is_all(s, 'N'); }
static bool user_ok(str s) { return number_ok(s) || email_ok(s); }
static bool visible_ok(str s) { return str_is_all(s, 'V'); }
static bool utf8_ok(str s) { return str_is_utf8(s); }
/* scope-token, RFC 6749 s3.3 */
static bool scope_ok(str s) { return str_is_all(s, 'N'); }
static bool grant_type_ok(str s) {
    return str_eq(s, S("code")) || str_eq(s, S("authorization_code")) || str_eq(s, S("refresh_token")) ||
           str_eq(s, S("client_credentials"));
}
static bool role_ok(str s) { return str_eq(s, S("user")) || str_eq(s, S("installer")); }
static bool web_url_ok(str s) {
    if (s.n == 0) return true;
    str rest = str_starts_with(s, S("https://"))  ? str_from(s, 8)
               : str_starts_with(s, S("http://")) ? str_from(s, 7)
                                                  : (str){NULL, 0};
    if (rest.n == 0 || rest.p[0] == '/' || rest.p[0] == '?' || rest.p[0] == '#') return false;
    return str_is_all(s, 'N') && str_find(s, '<') == s.n && str_find(s, '>') == s.n;
}
static bool grant_id_ok(str s) {
    for (size_t i = 0; i < s.n; i++)
        if (!char_is_hex(s.p[i])) return false;
    return s.n == (size_t)2 * 16;
}
static bool file_ok(str s) { return s.n > 1 && s.p[0] == '/' && s.p[s.n - 1] != '/' && str_is_utf8(s); }

static bool token_format_ok(str s) { return str_eq(s, S("opaque")) || str_eq(s, S("jwt")); }
static bool resource_format_ok(str s) { return str_eq(s, S("app")) || token_format_ok(s); }
static bool id_token_alg_ok(str s) {
    str algs[OAUTH_LIST_MAX];
    for (size_t i = oauth_list_id_token_algs(algs); i > 0; i--)
        if (str_eq(s, algs[i - 1])) return true;
    return false;
}
static bool key_ok(str s) { return str_eq(s, S("ring")) || str_eq(s, S("es256")) || str_eq(s, S("rs256")); }

static const struct {
    bool (*ok)(str s);
    const char *must;
} kinds[ADMIN_KINDS] = {
    [KIND_BOOL] = {bool_ok, "must be true or false"},
    [KIND_NUMBER] = {number_ok, "must be a whole number"},
    [KIND_HUB_ID] = {hub_id_ok, "must be a hub id"},
    [KIND_DURATION] = {duration_ok, "must be a duration: 90, 90s, 15m, 24h or 30d"},
    [KIND_TEXT] = {text_ok, "must be text in UTF-8 without control characters, and not blank"},
    [KIND_APP] = {app_ok, "must be a client id or an app id"},
    [KIND_USER] = {user_ok, "must be a user id or an e-mail address"},
    [KIND_REDIRECT_URI] = {visible_ok, "must be a URI (characters outside ASCII are percent-encoded)"},
    [KIND_SCOPE] = {scope_ok, "must be a scope name: visible ASCII characters without space, \" and \\"},
    [KIND_GRANT_TYPE] = {grant_type_ok, "must be code, refresh_token or client_credentials"},
    [KIND_WEB_URL] = {web_url_ok, "must be an https:// or http:// URL"},
    [KIND_DOMAIN] = {domain_ok, "must be a domain name: letters, digits and hyphens in labels with dots between"},
    [KIND_EMAIL] = {email_ok, "must be an e-mail address"},
    [KIND_PASSWORD] = {utf8_ok, "must be text in UTF-8"},
    [KIND_ROLE] = {role_ok, "must be user or installer"},
    [KIND_GRANT_ID] = {grant_id_ok, "must be a grant id: 32 hexadecimal digits"},
    [KIND_FILE] = {file_ok, "must be the absolute path of a file"},
    [KIND_TOKEN_FORMAT] = {token_format_ok, "must be opaque or jwt"},
    [KIND_RESOURCE] = {visible_ok, "must be a URI or a number of `resource list`"},
    [KIND_RESOURCE_URI] = {resource_uri_is_registrable,
                           "must be an absolute URI in lower-case scheme, without a fragment"},
    [KIND_RESOURCE_FORMAT] = {resource_format_ok, "must be app, opaque or jwt"},
    [KIND_ID_TOKEN_ALG] = {id_token_alg_ok, "must be RS256 or ES256"},
    [KIND_JWKS] = {utf8_ok, "must be text in UTF-8"},
    [KIND_PEM] = {utf8_ok, "must be text in UTF-8"},
    [KIND_KEY] = {key_ok, "must be ring, es256 or rs256"},
    [KIND_CHALLENGE] = {visible_ok, "must be the login_challenge that the browser brought"},
    [KIND_CURSOR] = {visible_ok, "must be the `next` of a page"},
};

static int64_t number_of(const struct admin_arg *arg, str value) {
    int64_t seconds = 0;
    uint64_t number = 0;
    if (arg->kind == KIND_DURATION) return timetext_duration_s(value, INT64_MAX / 1000, &seconds) ? seconds : -1;
    return str_to_u64(value, INT64_MAX, &number) ? (int64_t)number : -1;
}

const char *admin_value_problem(const struct admin_arg *arg, str value) {
    if (arg->shape == SHAPE_STR || arg->shape == SHAPE_LIST) {
        if (value.n > (size_t)arg->max) return "is too long";
        if (value.n < (size_t)arg->min) return value.n == 0 ? "must not be empty" : "is too short";
    }
    if (value.n > 0 && !kinds[arg->kind].ok(value)) return kinds[arg->kind].must;
    if (arg->shape == SHAPE_FLAG && value.n == 0) return kinds[arg->kind].must;
    if (arg->shape == SHAPE_NUM) {
        if (value.n == 0) return kinds[arg->kind].must;
        int64_t number = number_of(arg, value);
        if (number < arg->min || number > arg->max) return "is out of range";
    }
    return NULL;
}
