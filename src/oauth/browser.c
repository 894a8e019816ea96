#include "browser.h"

#include "b64.h"
#include "buf.h"
#include "packing.h"
#include "render.h"

#define YEAR_S           31536000
#define LANG_MAX         16
#define DEVICE_TTL_MS    (INT64_C(365) * 86400000)
#define KIND_TICKET      1
#define KIND_DEVICE      2
#define DEVICE_BYTES     (1 + PACKED_TIME_BYTES + BROWSER_TAG_BYTES + 16)
#define TICKET_BYTES_MAX (2 + PACKED_TIME_BYTES + BROWSER_TAG_BYTES + SESSION_HASH_BYTES + 12 + GRANT_ID_BYTES + 1)
#define TEXT_MAX         16384 /* of a sealed text */

/* ---- cookies ---- */

/* "__Host-" keeps other hosts and plain http from setting or reading one (RFC 6265bis s4.1.3.2); a server on loopback without TLS has to
 * do without. */
struct cookie {
    str host_name, plain_name;
    int64_t ttl_s; /* 0: until the browser is closed */
};
static const struct cookie cookie_session = {S("__Host-grantd"), S("grantd"), 0};
static const struct cookie cookie_browser = {S("__Host-grantd-browser"), S("grantd-browser"), 0};
static const struct cookie cookie_device = {S("__Host-grantd-device"), S("grantd-device"), YEAR_S};
static const struct cookie cookie_lang = {S("__Host-grantd-lang"), S("grantd-lang"), YEAR_S};

static bool is_https(const struct oauth_call *c) { return str_starts_with(c->env.settings->issuer, S("https://")); }

static str cookie_name(const struct oauth_call *c, const struct cookie *cookie) {
    return is_https(c) ? cookie->host_name : cookie->plain_name;
}

/* RFC 6265 s5.4: pairs with "; " between them. Of two with one name the first counts. */
static str cookie_value(const struct oauth_call *c, const struct cookie *cookie) {
    str rest = c->req.cookie, name = cookie_name(c, cookie);
    while (rest.n) {
        str value = str_trim(str_take(&rest, ';'));
        if (str_eq(str_take(&value, '='), name)) return value;
    }
    return (str){NULL, 0};
}

/* An empty value takes the cookie away. */
static void cookie_set(struct oauth_call *c, const struct cookie *cookie, str value) {
    struct answer *a = &c->answer;
    if (a->n_cookies == ANSWER_COOKIES_MAX) return;
    str name = cookie_name(c, cookie);
    struct buf b = buf_on(arena_alloc_secret(c->arena, value.n + 160), value.n + 160);
    buf_printf(&b, "%.*s=", STR_ARG(name));
    buf_add(&b, value);
    buf_add(&b, S("; Path=/; HttpOnly; SameSite=Lax"));
    if (is_https(c)) buf_add(&b, S("; Secure"));
    if (value.n == 0 || cookie->ttl_s) buf_printf(&b, "; Max-Age=%lld", value.n ? (long long)cookie->ttl_s : 0LL);
    a->cookies[a->n_cookies++] = buf_str(&b);
}

static str b64_text(const struct oauth_call *c, const uint8_t *bytes, size_t n) {
    char *text = arena_alloc_secret(c->arena, b64url_length(n));
    b64url_encode(bytes, n, text);
    return (str){text, b64url_length(n)};
}

/* Bytes of exactly that number. */
static bool b64_bytes(str text, uint8_t *out, size_t n) {
    size_t got = 0;
    return text.n == b64url_length(n) && b64url_decode(text, out, &got) && got == n;
}

/* ---- keyed hashes ---- */

static void tag_with(const struct ring_key *key, str label, str bytes, uint8_t out[MAC_BYTES]) {
    uint8_t text[128];
    struct pen pen = {text, 0};
    put_bytes(&pen, label.p, label.n);
    put_uint(&pen, 0, 1);
    put_bytes(&pen, bytes.p, bytes.n);
    digest_mac(key->browser, (str){(const char *)text, pen.n}, out, MAC_BYTES);
    secret_wipe(text, sizeof text);
}

static void browser_tag(const struct oauth_call *c, const struct browser *b, uint8_t out[BROWSER_TAG_BYTES]) {
    uint8_t whole[MAC_BYTES]; /* the key of the first generation: a tag lives in forms, which outlive a new key */
    tag_with(&c->env.keyring->keys[0], S("browser"), (str){(const char *)b->id, BROWSER_ID_BYTES}, whole);
    memcpy(out, whole, BROWSER_TAG_BYTES);
}

/* The token of a form. */
static str form_token(const struct oauth_call *c, const struct browser *b) {
    uint8_t tag[MAC_BYTES];
    tag_with(&c->env.keyring->keys[0], S("form"), (str){(const char *)b->id, BROWSER_ID_BYTES}, tag);
    return b64_text(c, tag, sizeof tag);
}

/* The number of the key stands before the id, so that a session lives on when there is a newer one. */
_Static_assert(MAC_BYTES == SESSION_HASH_BYTES, "a session is known by a whole keyed hash");
static bool session_hash(const struct oauth_call *c, str cookie, uint8_t out[SESSION_HASH_BYTES]) {
    uint8_t id[1 + SESSION_ID_BYTES];
    if (!b64_bytes(cookie, id, sizeof id)) return false;
    const struct ring_key *key = c->env.keyring->by_number[id[0]];
    if (!key) return false;
    tag_with(key, S("session"), (str){(const char *)id + 1, SESSION_ID_BYTES}, out);
    return true;
}

void browser_read(struct oauth_call *c, str lang, struct browser *out) {
    *out = (struct browser){.device = cookie_value(c, &cookie_device), .lang = cookie_value(c, &cookie_lang)};
    out->is_new = !b64_bytes(cookie_value(c, &cookie_browser), out->id, BROWSER_ID_BYTES);
    if (out->is_new) memcpy(out->id, c->env.random + OAUTH_RANDOM_BROWSER, BROWSER_ID_BYTES);
    out->has_session = session_hash(c, cookie_value(c, &cookie_session), out->session_hash);
    out->lang_is_new = lang.n > 0 && lang.n <= LANG_MAX && str_is_all(lang, 'U');
    if (out->lang_is_new) out->lang = lang;
    c->lang = out->lang;
}

/* Browsers tell where a form was sent from; with our Referrer-Policy the Origin may be "null", and then Sec-Fetch-Site knows. What neither
 * tells is left to the form's token. */
bool browser_is_same_origin(const struct oauth_call *c) {
    str own = settings_origin(c->env.settings), site = c->req.fetch_site, origin = c->req.origin;
    if (site.n && !str_eq(site, S("same-origin")) && !str_eq(site, S("none"))) return false;
    return origin.n == 0 || str_eq(origin, S("null")) || str_eq_nocase(origin, own);
}

bool browser_refuse_form(struct oauth_call *c) {
    c->form = FORM_PAGE;
    oauth_refuse(c, REFUSAL_FORM_EXPIRED);
    return false;
}

/* ---- sessions ---- */

struct ask session_ask(const struct browser *b) {
    struct ask ask = {.kind = ASK_SESSION};
    memcpy(ask.session_hash, b->session_hash, SESSION_HASH_BYTES);
    return ask;
}

bool session_is_live(const struct oauth_call *c, const struct browser *b) {
    const struct session *s = &c->facts.session;
    const struct user *person = &c->facts.person;
    int64_t now_ms = c->env.now_ms;
    if (!b->has_session || !c->facts.session_found || person->disabled_ms) return false;
    if (now_ms >= s->expires_ms || now_ms >= s->created_ms + c->env.settings->session_absolute_s * 1000) return false;
    return s->auth_time_ms > person->sessions_not_before_ms;
}

bool session_is_for(const struct session *session, int32_t hub_id) {
    struct reader r = {.rest = session->hub_ids};
    if (r.rest.n == 0) return true;
    while (!r.is_short && r.rest.n)
        if (get_id(&r) == hub_id) return true;
    return false;
}

str session_hub_list(const struct oauth_call *c, const struct session *session) {
    struct reader r = {.rest = session->hub_ids};
    size_t room = 2 + session->hub_ids.n / 4 * 11; /* ten digits and a comma each */
    struct buf b = buf_on(arena_alloc(c->arena, room), room);
    if (r.rest.n == 0) return (str){NULL, 0};
    buf_add_char(&b, ',');
    while (!r.is_short && r.rest.n) buf_printf(&b, "%d,", (int)get_id(&r));
    return buf_str(&b);
}

static int64_t session_end_ms(const struct oauth_call *c, int64_t created_ms) {
    int64_t idle_ms = c->env.now_ms + c->env.settings->session_idle_s * 1000;
    int64_t absolute_ms = created_ms + c->env.settings->session_absolute_s * 1000;
    return idle_ms < absolute_ms ? idle_ms : absolute_ms;
}

/* OWASP: a new id at every sign-in, so that an id that was there before is worth nothing afterwards. */
void session_start(struct oauth_call *c, const struct browser *b, int32_t user_id) {
    uint8_t id[1 + SESSION_ID_BYTES];
    int64_t now_ms = c->env.now_ms;
    /* a sign-in in the millisecond of a new password comes after it */
    int64_t after_ms = c->facts.person.sessions_not_before_ms;
    id[0] = c->env.keyring->current->number;
    memcpy(id + 1, c->env.random + OAUTH_RANDOM_SESSION, SESSION_ID_BYTES);
    str text = b64_text(c, id, sizeof id);
    c->change = (struct change){.kind = CHANGE_SESSION_START};
    c->change.session = (struct session){
        .user_id = user_id,
        .auth_time_ms = now_ms > after_ms ? now_ms : after_ms + 1,
        .created_ms = now_ms,
        .expires_ms = session_end_ms(c, now_ms),
    };
    (void)session_hash(c, text, c->change.session.hash);
    memcpy(c->change.session_hash, b->session_hash, SESSION_HASH_BYTES);
    cookie_set(c, &cookie_session, text);
    secret_wipe(id, sizeof id);
}

/* Not at every request: an eighth of the idle limit is exact enough, and costs few writes. */
void session_extend(struct oauth_call *c, const struct browser *b) {
    int64_t end_ms = session_end_ms(c, c->facts.session.created_ms);
    if (c->change.kind != CHANGE_NONE) return;
    if (end_ms - c->facts.session.expires_ms < c->env.settings->session_idle_s * 1000 / 8) return;
    c->change = (struct change){.kind = CHANGE_SESSION_EXTEND, .expires_ms = end_ms};
    memcpy(c->change.session.hash, b->session_hash, SESSION_HASH_BYTES);
}

void session_end(struct oauth_call *c, const struct browser *b) {
    if (!b->has_session) return;
    c->change = (struct change){.kind = CHANGE_SESSION_END};
    memcpy(c->change.session_hash, b->session_hash, SESSION_HASH_BYTES);
    cookie_set(c, &cookie_session, (str){NULL, 0});
}

/* ---- sealed texts ---- */

static str seal_text(const struct oauth_call *c, size_t nonce_at, const struct pen *plain) {
    size_t n = plain->n + ENVELOPE_OVERHEAD;
    uint8_t *body = arena_alloc_secret(c->arena, n);
    envelope_seal(c->env.keyring->current, ENVELOPE_BROWSER, c->env.random + nonce_at,
                  (str){(const char *)plain->p, plain->n}, body);
    return b64_text(c, body, n);
}

static bool open_text(const struct oauth_call *c, str text, unsigned kind, struct reader *out) {
    size_t n = 0, plain_n = 0;
    if (text.n == 0 || text.n > TEXT_MAX) return false;
    uint8_t *body = arena_alloc_secret(c->arena, text.n);
    uint8_t *plain = arena_alloc_secret(c->arena, text.n);
    if (!b64url_decode(text, body, &n)) return false;
    if (!envelope_open(c->env.keyring, ENVELOPE_BROWSER, (str){(const char *)body, n}, plain, &plain_n)) return false;
    *out = (struct reader){.rest = {(const char *)plain, plain_n}};
    return get_uint(out, 1) == kind;
}

static void email_tag(const struct oauth_call *c, str email, uint8_t out[BROWSER_TAG_BYTES]) {
    uint8_t whole[MAC_BYTES];
    str name = arena_lower(c->arena, str_head(email, EMAIL_MAX));
    str text = arena_printf(c->arena, "email\n%.*s", STR_ARG(name));
    digest_mac(c->env.keyring->keys[0].browser, text, whole, sizeof whole);
    memcpy(out, whole, BROWSER_TAG_BYTES);
}

void device_remember(struct oauth_call *c, str email) {
    uint8_t bytes[DEVICE_BYTES], tag[BROWSER_TAG_BYTES];
    struct pen pen = {bytes, 0};
    email_tag(c, email, tag);
    put_uint(&pen, KIND_DEVICE, 1);
    put_uint(&pen, (uint64_t)(c->env.now_ms + DEVICE_TTL_MS), PACKED_TIME_BYTES);
    put_bytes(&pen, tag, sizeof tag);
    put_bytes(&pen, c->env.random + OAUTH_RANDOM_DEVICE_ID, 16);
    cookie_set(c, &cookie_device, seal_text(c, OAUTH_RANDOM_DEVICE, &pen));
}

bool device_is_known(const struct oauth_call *c, const struct browser *b, str email, str *out_key) {
    struct reader r;
    uint8_t tag[BROWSER_TAG_BYTES];
    if (!open_text(c, b->device, KIND_DEVICE, &r)) return false;
    int64_t expires_ms = (int64_t)get_uint(&r, PACKED_TIME_BYTES);
    str of = get_bytes(&r, BROWSER_TAG_BYTES);
    *out_key = r.rest;
    email_tag(c, email, tag);
    return !r.is_short && c->env.now_ms < expires_ms && secret_str_equal(of, (str){(const char *)tag, sizeof tag});
}

/* ---- forms ---- */

str ticket_seal(const struct oauth_call *c, const struct browser *b, const struct ticket *ticket) {
    static const uint8_t no_session[SESSION_HASH_BYTES];
    uint8_t tag[BROWSER_TAG_BYTES];
    struct pen pen = {arena_alloc_secret(c->arena, TICKET_BYTES_MAX + ticket->hub_ids.n + ticket->query.n), 0};
    if (b)
        browser_tag(c, b, tag);
    else
        memcpy(tag, ticket->browser, sizeof tag);
    put_uint(&pen, KIND_TICKET, 1);
    put_uint(&pen, ticket->step, 1);
    put_uint(&pen, (uint64_t)(c->env.now_ms + c->env.settings->form_ttl_s * 1000), PACKED_TIME_BYTES);
    put_bytes(&pen, tag, sizeof tag);
    put_bytes(&pen, b ? b->session_hash : no_session, SESSION_HASH_BYTES);
    put_uint(&pen, (uint64_t)ticket->user_id, 4);
    put_uint(&pen, (uint64_t)ticket->hub_id, 4);
    put_uint(&pen, (uint64_t)ticket->app_id, 4);
    put_bytes(&pen, ticket->grant_id.b, GRANT_ID_BYTES);
    put_uint(&pen, ticket->hub_ids.n / 4, 1);
    put_bytes(&pen, ticket->hub_ids.p, ticket->hub_ids.n);
    put_bytes(&pen, ticket->query.p, ticket->query.n);
    return seal_text(c, OAUTH_RANDOM_FLOW, &pen);
}

static bool read_ticket(const struct oauth_call *c, str text, struct ticket *out) {
    struct reader r;
    if (!open_text(c, text, KIND_TICKET, &r)) return false;
    *out = (struct ticket){.step = (enum ticket_step)get_uint(&r, 1)};
    out->expires_ms = (int64_t)get_uint(&r, PACKED_TIME_BYTES);
    get_copy(&r, out->browser, sizeof out->browser);
    get_copy(&r, out->session, sizeof out->session);
    out->user_id = get_id(&r);
    out->hub_id = get_id(&r);
    out->app_id = get_id(&r);
    get_copy(&r, out->grant_id.b, GRANT_ID_BYTES);
    out->hub_ids = get_bytes(&r, 4 * get_uint(&r, 1));
    out->query = r.rest;
    return !r.is_short;
}

bool ticket_read(const struct oauth_call *c, enum ticket_step step, str text, struct ticket *out,
                 uint8_t out_id[TOKEN_ID_BYTES]) {
    uint8_t head[1 + ENVELOPE_NONCE_BYTES + 2]; /* whole groups of four characters */
    size_t n = 0;
    if (!read_ticket(c, text, out) || out->step != step || c->env.now_ms >= out->expires_ms) return false;
    if (!b64url_decode(str_head(text, sizeof head / 3 * 4), head, &n)) return false;
    memcpy(out_id, head + 1, TOKEN_ID_BYTES); /* of the nonce, which no two tickets share */
    return true;
}

bool ticket_is_of_browser(const struct oauth_call *c, const struct ticket *ticket, const struct browser *b) {
    uint8_t tag[BROWSER_TAG_BYTES];
    browser_tag(c, b, tag);
    return !b->is_new && secret_equal(ticket->browser, tag, sizeof tag);
}

bool ticket_open(struct oauth_call *c, const struct browser *b, enum ticket_step step, struct sealed_form form,
                 struct ticket *out) {
    uint8_t ignored[TOKEN_ID_BYTES];
    if (b->is_new || !browser_is_same_origin(c)) return browser_refuse_form(c);
    if (!secret_str_equal(form.csrf, form_token(c, b))) return browser_refuse_form(c);
    bool ours = ticket_read(c, step, form.flow, out, ignored) && ticket_is_of_browser(c, out, b);
    return ours || browser_refuse_form(c);
}

bool ticket_is_of_session(const struct ticket *ticket, const struct browser *b) {
    return b->has_session && secret_equal(ticket->session, b->session_hash, SESSION_HASH_BYTES);
}

bool ticket_request(struct oauth_call *c, const struct ticket *ticket, struct authorize_request *out) {
    struct form *form = ARENA_NEW(c->arena, struct form);
    *out = (struct authorize_request){.hub_id = ticket->hub_id};
    enum refusal refused = form_parse(ticket->query, c->arena, form);
    if (refused) oauth_refuse(c, refused);
    return !refused && authorize_request_read(c, form, out);
}

/* ---- answers ---- */

void answer_screen(struct oauth_call *c, const struct browser *b, const struct screen *screen, int http) {
    struct screen *shown = ARENA_NEW(c->arena, struct screen);
    *shown = *screen;
    shown->token = form_token(c, b);
    shown->lang = c->lang;
    shown->ui_locales = c->ui_locales;
    if (!shown->app) shown->app = c->app;
    c->answer = (struct answer){.http = http, .type = ANSWER_PAGE, .screen = shown, .no_store = true};
    if (b->is_new) cookie_set(c, &cookie_browser, b64_text(c, b->id, BROWSER_ID_BYTES));
    if (b->lang_is_new) cookie_set(c, &cookie_lang, b->lang);
}

void answer_see_other(struct oauth_call *c, str location) {
    c->answer = render_empty(303);
    c->answer.location = location;
}

/* The company's own sign-in gets a challenge, and answers it through administration. */
static void send_elsewhere(struct oauth_call *c, const struct browser *b, const struct authorize_request *r) {
    struct ticket ticket = {.step = TICKET_CHALLENGE};
    str url = c->env.settings->login_url;
    if (r) ticket.hub_id = r->hub_id;
    if (r) ticket.query = authorize_request_query(c, r, ~0U);
    str challenge = ticket_seal(c, b, &ticket);
    str location = arena_printf(c->arena, "%.*s%clogin_challenge=%.*s", STR_ARG(url),
                                str_find(url, '?') < url.n ? '&' : '?', STR_ARG(challenge));
    answer_see_other(c, location);
    if (b->is_new) cookie_set(c, &cookie_browser, b64_text(c, b->id, BROWSER_ID_BYTES));
}

void answer_sign_in(struct oauth_call *c, const struct browser *b, const struct authorize_request *r,
                    const struct screen *with, int http) {
    struct ticket flow = {.step = TICKET_SIGN_IN};
    if (c->env.settings->login_url.n) return send_elsewhere(c, b, r);
    struct screen screen = with ? *with : (struct screen){.problem = SIGN_IN_FIRST};
    screen.kind = SCREEN_SIGN_IN;
    screen.action = S("/oauth/sign-in");
    screen.path = screen.action;
    screen.can_cancel = r != NULL;
    if (r) {
        flow.hub_id = r->hub_id;
        flow.query = authorize_request_query(c, r, ~0U);
        screen.path = authorize_request_url(c, r, ~0U, r->hub_id);
        screen.redirect_uri = c->redirect_base;
        if (!with) screen.email = str_head(r->params.login_hint, EMAIL_MAX);
    }
    screen.flow = ticket_seal(c, b, &flow);
    answer_screen(c, b, &screen, http);
}
