/* The one place that writes "error": a refusal as JSON, as a page, or as a redirect back to the app. */
#include "render.h"

#include "json_write.h"
#include "percent.h"
#include "screen.h"

#define ERROR_BODY_MAX 4096

/* Seconds after which a refusal that will pass is worth another try. */
static int retry_after_s(enum refusal r) {
    if (r == REFUSAL_UNAVAILABLE || r == REFUSAL_CLIENT_KEYS) return 2;
    return r == REFUSAL_RATE_LIMIT ? 60 : 0;
}

struct answer render_empty(int http) {
    return (struct answer){.http = http, .type = ANSWER_EMPTY, .no_store = true};
}

int render_redirect_status(const struct oauth_call *c) { return c->req.method == METHOD_POST ? 303 : 302; }

str render_address(struct arena *arena, str base, const struct render_pair *pairs, size_t n) {
    size_t bound = base.n + 16;
    for (size_t i = 0; i < n; i++) bound += pairs[i].name.n + 3 * pairs[i].value.n + 2;
    struct buf b = buf_on(arena_alloc_secret(arena, bound), bound);
    char separator = str_find(base, '?') == base.n ? '?' : '&';
    if (base.n && (base.p[base.n - 1] == '?' || base.p[base.n - 1] == '&')) separator = 0;
    buf_add(&b, base);
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].value.n == 0) continue; /* a state that was not sent is not made up */
        if (separator) buf_add_char(&b, separator);
        buf_add(&b, pairs[i].name);
        buf_add_char(&b, '=');
        percent_encode(&b, pairs[i].value);
        separator = '&';
    }
    return buf_str(&b);
}

str render_location(const struct oauth_call *c, const struct render_pair *pairs, size_t n) {
    struct render_pair *all = ARENA_ARRAY(c->arena, struct render_pair, n + 2);
    for (size_t i = 0; i < n; i++) all[i] = pairs[i];
    all[n] = (struct render_pair){S("state"), c->redirect_state};
    all[n + 1] = (struct render_pair){S("iss"), c->env.settings->issuer};
    return render_address(c->arena, c->redirect_base, all, n + 2);
}

/* What there is to say beyond the sentence: which parameter, which scope. Names are ours or checked; values never show. */
static void write_detail(struct json *j, const struct oauth_call *c, const struct refusal_row *row) {
    if (c->refused_parameter.n == 0) return;
    json_key(j, S("errors"));
    json_open_array(j);
    json_open(j);
    json_member_str(j, S("message"), row->text);
    json_member_str(j, S("in"), c->refused_parameter);
    json_member_str(j, S("code"), row->name);
    if (c->refused_scope.n) {
        json_key(j, S("context"));
        json_open(j);
        json_key(j, S("scopes"));
        json_open_array(j);
        json_str(j, c->refused_scope);
        json_close_array(j);
        json_close(j);
    }
    json_close(j);
    json_close_array(j);
}

/* RFC 6749 s5.2 and HubSpot's members in one body that every reader understands. `c` may be NULL. */
static str error_body(const struct refusal_row *row, str correlation_id, struct arena *arena,
                      const struct oauth_call *c) {
    struct buf b = buf_on(arena_alloc(arena, ERROR_BODY_MAX), ERROR_BODY_MAX);
    struct json j = json_on(&b);
    json_open(&j);
    json_member_str(&j, S("status"), row->status);
    json_member_str(&j, S("message"), row->text);
    json_member_str(&j, S("error"), row->error);
    json_member_str(&j, S("error_description"), row->text);
    json_member_str(&j, S("category"), row->category);
    json_member_str(&j, S("correlationId"), correlation_id);
    if (c) write_detail(&j, c, row);
    json_close(&j);
    return buf_str(&b);
}

struct answer oauth_render_refusal(enum refusal r, const char *correlation_id, struct arena *arena) {
    const struct refusal_row *row = refusal_row(r);
    return (struct answer){
        .http = row->http,
        .type = ANSWER_JSON,
        .body = error_body(row, str_of(correlation_id), arena, NULL),
        .retry_after_s = retry_after_s(r),
        .no_store = true,
    };
}

static const struct screen *error_screen(const struct oauth_call *c, int http) {
    struct screen *screen = ARENA_NEW(c->arena, struct screen);
    *screen = (struct screen){
        .kind = SCREEN_ERROR,
        .lang = c->lang,
        .ui_locales = c->ui_locales,
        .app = c->app,
        .refusal = c->refusal,
        .http = http,
    };
    return screen;
}

/* RFC 6749 s4.1.2.1. */
static str error_location(const struct oauth_call *c, const struct refusal_row *row) {
    const struct render_pair pairs[] = {{S("error"), row->error}, {S("error_description"), row->text}};
    return render_location(c, pairs, 2);
}

void oauth_render(struct oauth_call *c) {
    if (c->refusal == REFUSAL_NONE) return;
    const struct refusal_row *row = refusal_row(c->refusal);
    struct answer *a = &c->answer;
    *a = (struct answer){.http = c->http_override ? c->http_override : row->http, .no_store = true};
    if (a->http == 401 || a->http == 403) a->www_authenticate = c->www_authenticate;
    a->retry_after_s = retry_after_s(c->refusal);
    switch (c->form) {
    case FORM_JSON:
        a->type = ANSWER_JSON;
        a->body = error_body(row, str_of(c->env.correlation_id), c->arena, c);
        break;
    case FORM_PAGE:
        a->type = ANSWER_PAGE;
        a->screen = error_screen(c, a->http);
        break;
    case FORM_REDIRECT:
        a->type = ANSWER_EMPTY;
        a->http = render_redirect_status(c);
        a->location = error_location(c, row);
        a->retry_after_s = 0;
        break;
    }
}
