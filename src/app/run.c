#include "run.h"

#include "log.h"
#include "percent.h"
#include "routes.h"

#include <stddef.h>
#include <stdio.h>

#define TRIES_MAX      3     /* decisions that may end LOST before we give up */
#define BODY_MAX       65536 /* also refused by the front; here for callers without one */
#define HEADERS_MAX    24
#define CORRELATION_ID S("x-hubspot-correlation-id")
#define FORM_TYPE      "application/x-www-form-urlencoded"

struct run {
    const struct run_env *env;
    struct lease *lease;
    const struct route *route;
    struct oauth_call call;
    struct fetched_keys *keys; /* held; NULL: none */
    uint64_t pair;             /* of the limiter; 0: none */
    str peer, accept_language;
    uint64_t try_of_account, try_at_address; /* of the throttle; 0: none was taken */
    int round, applied;
    int64_t begun_us; /* for the metrics */
    struct limiter_verdict blocked;
    run_done *done;
    void *arg;
    struct web_response response;
    size_t n_headers;
    struct web_header
        headers[HEADERS_MAX]; /* from here on nothing is zeroed: it is large, and written before it is read */
    struct storage_call storage;
};

/* ---- the response ---- */

static void add_header(struct run *r, str name, str value) {
    if (r->n_headers < HEADERS_MAX) r->headers[r->n_headers++] = (struct web_header){name, value};
}

static void add_number_header(struct run *r, str name, int64_t value) {
    add_header(r, name, arena_printf(r->call.arena, "%lld", (long long)value));
}

/* How HubSpot's clients expect the limit that was passed to be told. */
static void add_limit_headers(struct run *r) {
    add_number_header(r, S("X-HubSpot-RateLimit-Interval-Milliseconds"), LIMITER_WINDOW_MS);
    add_number_header(r, S("X-HubSpot-RateLimit-Max"), r->blocked.limit);
    add_number_header(r, S("X-HubSpot-RateLimit-Remaining"), 0);
}

/* A page is made last, because only now everything is known. Browsers keep what it says away from other pages. */
static void render_page(struct run *r) {
    struct answer *answer = &r->call.answer;
    const struct show_request show = {
        .screen = answer->screen,
        .brand = r->env->brand,
        .registry = r->call.env.registry,
        .accept_language = r->accept_language,
        .correlation_id = str_of(r->call.env.correlation_id),
    };
    answer->body = show_screen(&show, r->call.arena);
    add_header(r, S("Content-Security-Policy"), show_policy(&show, r->call.arena));
    for (size_t i = 0; i < page_header_count; i++) add_header(r, page_headers[i].name, page_headers[i].value);
}

static void add_cookies(struct run *r) {
    const struct answer *answer = &r->call.answer;
    for (size_t i = 0; i < answer->n_cookies; i++) add_header(r, S("Set-Cookie"), answer->cookies[i]);
}

static str content_type_of(enum answer_type type) {
    switch (type) {
    case ANSWER_EMPTY: return S("");
    case ANSWER_JSON: return S("application/json;charset=utf-8");
    case ANSWER_PAGE: return S("text/html;charset=utf-8");
    case ANSWER_TEXT: return S("text/plain;charset=utf-8");
    }
    return S("");
}

static void count(const struct run *r) {
    const struct metrics_request request = {
        .route = r->route ? (size_t)(r->route - route_rows) : METRICS_NO_ROUTE,
        .status = r->response.status,
        .refusal = r->call.refusal,
        .begun_us = r->begun_us,
    };
    metrics_end(r->env->metrics, &request);
}

/* The end of every request: the last place that touches it. */
static void respond(struct run *r) {
    struct lease *lease =
        r->lease; /* published bytes are the snapshot's, and the request is gone when it is answered */
    count(r);
    fetched_keys_release(r->keys);
    r->done(r->arg, &r->response);
    lease_drop(lease);
}

static void finish(struct run *r) {
    const struct answer *answer = &r->call.answer;
    add_header(r, CORRELATION_ID, str_of(r->call.env.correlation_id));
    if (answer->type == ANSWER_PAGE)
        render_page(r);
    else
        add_header(r, S("X-Content-Type-Options"), S("nosniff"));
    add_cookies(r);
    if (answer->location.n) add_header(r, S("Location"), answer->location);
    if (answer->www_authenticate.n) add_header(r, S("WWW-Authenticate"), answer->www_authenticate);
    if (answer->retry_after_s) add_number_header(r, S("Retry-After"), answer->retry_after_s);
    if (answer->location.n) add_header(r, S("Referrer-Policy"), S("no-referrer"));
    if (r->blocked.blocked) add_limit_headers(r);
    r->response = (struct web_response){
        .status = answer->http,
        .content_type = content_type_of(answer->type),
        .body = answer->body,
        .headers = r->headers,
        .n_headers = r->n_headers,
        .unique = CORRELATION_ID,
        .no_store = answer->no_store || !r->route || (r->route->flags & ROUTE_NO_STORE),
        .close = answer->http == 413,
    };
    respond(r);
}

static void refuse(struct run *r, enum refusal refusal, int retry_after_s) {
    r->call.refusal = refusal;
    r->call.answer = oauth_render_refusal(refusal, r->call.env.correlation_id, r->call.arena);
    if (retry_after_s) r->call.answer.retry_after_s = retry_after_s;
    finish(r);
}

/* ---- faults ---- */

static const char *endpoint_name(const struct run *r) { return r->route ? r->route->endpoint->name : ""; }

static bool is_of_store(struct rc rc) {
    return rc.fault == FAULT_DB_FULL || rc.fault == FAULT_DB_READONLY || rc.fault == FAULT_DB_IO ||
           rc.fault == FAULT_DB_CORRUPT || rc.fault == FAULT_DB_SCHEMA || rc.fault == FAULT_DB_CONSTRAINT;
}

/* A fault is logged once, here. Trouble of the store is temporary for the client (503), never a definite answer. */
static void fail(struct run *r, struct rc rc) {
    enum event event = rc.fault == FAULT_DB_BUSY ? EVENT_STORE_BUSY
                       : is_of_store(rc)         ? EVENT_STORE_FAULT
                                                 : EVENT_REQUEST_FAULT;
    LOG(event, r->call.env.correlation_id, rc_name(rc), rc_detail(), endpoint_name(r));
    if (event != EVENT_REQUEST_FAULT)
        metrics_store_fault(r->env->metrics, event == EVENT_STORE_BUSY ? METRICS_STORE_BUSY : METRICS_STORE_FAILED);
    r->call.refusal = event == EVENT_REQUEST_FAULT ? REFUSAL_INTERNAL : REFUSAL_UNAVAILABLE;
    r->call.http_override = 0;
    r->call.www_authenticate = (str){0};
    r->call.answer = (struct answer){0};
    oauth_render(&r->call);
    if (r->call.refusal == REFUSAL_UNAVAILABLE) r->call.answer.retry_after_s = WEB_RETRY_AFTER_S;
    finish(r);
}

/* ---- the limiter ---- */

static unsigned limited_counters(const struct route *route) {
    return (route->flags & ROUTE_LIMIT_AUTH ? 1U << COUNTS_AUTH : 0) |
           (route->flags & ROUTE_LIMIT_GRANT ? 1U << COUNTS_GRANT : 0);
}

/* Whether this app may not speak from this address for now. Known as soon as the client id is. */
static bool is_blocked(struct run *r) {
    unsigned counters = limited_counters(r->route);
    if (!r->env->limiter || !counters || str_is_empty(r->call.client_id)) return false;
    r->pair = limiter_pair(r->env->limiter, r->call.client_id, r->peer);
    r->blocked = limiter_check(r->env->limiter, r->pair, counters, r->call.env.now_ms);
    return r->blocked.blocked;
}

static void log_limited(const struct run *r) {
    char app_id[16] = "unknown", peer[64];
    if (r->call.app) snprintf(app_id, sizeof app_id, "%d", (int)r->call.app->app_id);
    snprintf(peer, sizeof peer, "%.*s", STR_ARG(str_head(r->peer, sizeof peer - 1)));
    LOG(EVENT_REQUEST_LIMITED, r->call.env.correlation_id, endpoint_name(r), app_id, peer);
}

/* Counts a failure; the one that uses up the limit is logged. */
static void count_failure(struct run *r) {
    if (!r->pair || r->call.refusal == REFUSAL_NONE) return;
    enum refusal_counts what = refusal_row(r->call.refusal)->counts;
    if (what == COUNTS_NOT) return;
    int64_t now_ms = r->call.env.now_ms;
    limiter_count(r->env->limiter, r->pair, what, now_ms);
    if (limiter_check(r->env->limiter, r->pair, 1U << what, now_ms).blocked) log_limited(r);
}

static void refuse_blocked(struct run *r) {
    refuse(r, REFUSAL_RATE_LIMIT, (int)((r->blocked.retry_after_ms + 999) / 1000));
}

/* ---- ask, decide, apply ---- */

static void next_round(struct run *r);

static void render(struct run *r) {
    count_failure(r);
    oauth_render(&r->call);
    finish(r);
}

/* Ask and decide once more: somebody else was faster, so what we knew is no longer true. */
static void start_over(struct run *r) {
    r->call.again = false;
    r->call.facts = (struct facts){0};
    r->call.refusal = REFUSAL_NONE;
    r->call.change = (struct change){0};
    r->round = 0;
    next_round(r);
}

static void apply(struct run *r);

static void resolve_lost(struct run *r) {
    if (!r->route->endpoint->lost) {
        fail(r, rc_fail(FAULT_INTERNAL, "a change was lost that must always be done"));
        return;
    }
    r->call.change = (struct change){0};
    r->route->endpoint->lost(&r->call);
    if (r->applied >= TRIES_MAX && (r->call.again || r->call.change.kind != CHANGE_NONE)) {
        fail(r, rc_fail(FAULT_DB_BUSY, "a row kept changing under one request"));
        return;
    }
    if (r->call.again)
        start_over(r);
    else
        apply(r);
}

static void on_applied(struct storage_call *storage) {
    struct run *r = storage->arg;
    if (!rc_ok(storage->rc))
        fail(r, storage->rc);
    else if (storage->outcome == OUTCOME_LOST)
        resolve_lost(r);
    else
        render(r);
}

static void apply(struct run *r) {
    if (r->call.change.kind == CHANGE_NONE) {
        render(r);
        return;
    }
    r->applied++;
    storage_begin(&r->storage, on_applied, r);
    storage_apply(r->env->session, &r->storage, &r->call.change, r->call.arena);
}

static void decide(struct run *r) {
    if (r->route->endpoint->decide) r->route->endpoint->decide(&r->call);
    apply(r);
}

static void on_asked(struct storage_call *storage) {
    struct run *r = storage->arg;
    if (!rc_ok(storage->rc)) {
        fail(r, storage->rc);
        return;
    }
    r->round++;
    next_round(r);
}

/* ---- passwords ---- */

static void give_back(struct run *r) {
    if (r->try_of_account) throttle_give_back(r->env->throttle, r->try_of_account);
    if (r->try_at_address) throttle_give_back(r->env->throttle, r->try_at_address);
}

/* Takes a try of the account, and one of the address unless the account knows the browser. The milliseconds to wait; 0: go on. */
static int64_t take_tries(struct run *r, const struct ask *ask) {
    const struct run_env *env = r->env;
    int64_t now_ms = r->call.env.now_ms, wait_ms = 0;
    if (!env->throttle) return 0;
    if (!ask->by_known_browser) {
        r->try_at_address = throttle_key(env->throttle, S("address"), limiter_address(r->peer, r->call.arena));
        wait_ms = throttle_take(env->throttle, r->try_at_address, env->sign_in_address_limit, false, now_ms);
        if (wait_ms) r->try_at_address = 0;
        if (wait_ms) return wait_ms;
    }
    str label = ask->by_known_browser ? S("browser") : S("account");
    uint64_t key = throttle_key(env->throttle, label, ask->throttle_key);
    wait_ms = throttle_take(env->throttle, key, env->sign_in_limit, true, now_ms);
    if (wait_ms)
        give_back(r); /* a try that was not made is no failure of the address */
    else
        r->try_of_account = key;
    return wait_ms;
}

static void log_throttled(const struct run *r) {
    char peer[64];
    snprintf(peer, sizeof peer, "%.*s", STR_ARG(str_head(r->peer, sizeof peer - 1)));
    LOG(EVENT_SIGN_IN_LIMITED, r->call.env.correlation_id, peer);
}

static void refuse_busy(struct run *r) {
    give_back(r);
    r->call.form = FORM_PAGE;
    oauth_refuse(&r->call, REFUSAL_UNAVAILABLE);
    oauth_render(&r->call);
    finish(r);
}

static void on_password(void *arg, enum run_password verdict) {
    struct run *r = arg;
    if (verdict == RUN_PASSWORD_DROPPED) {
        refuse_busy(r);
        return;
    }
    bool right = verdict == RUN_PASSWORD_RIGHT;
    r->call.facts.password = right ? PASSWORD_RIGHT : PASSWORD_WRONG;
    metrics_password(r->env->metrics, r->call.facts.password);
    if (right) give_back(r);
    r->round++;
    next_round(r);
}

static void check_password(struct run *r, const struct ask *ask) {
    r->call.facts.wait_ms = take_tries(r, ask);
    if (r->call.facts.wait_ms) {
        log_throttled(r);
        r->call.facts.password = PASSWORD_THROTTLED;
        metrics_password(r->env->metrics, PASSWORD_THROTTLED);
        r->round++;
        next_round(r);
    } else if (!r->env->check_password ||
               !r->env->check_password(r->env->password_arg, ask->password, ask->password_hash, on_password, r)) {
        refuse_busy(r);
    }
}

static void next_round(struct run *r) {
    const struct endpoint *endpoint = r->route->endpoint;
    storage_begin(&r->storage, on_asked, r);
    r->storage.facts = &r->call.facts;
    r->storage.known = r->env->subjects;
    if (endpoint->ask && r->round < ASK_ROUNDS_MAX)
        r->storage.n_asks = endpoint->ask(&r->call, r->round, r->storage.asks);
    if (r->storage.n_asks && r->storage.asks[0].kind == ASK_PASSWORD)
        check_password(r, &r->storage.asks[0]);
    else if (r->storage.n_asks)
        storage_ask(r->env->session, &r->storage, r->call.arena);
    else
        decide(r);
}

/* What proves the client is used up before anything else, durably: if the answer is lost, the client makes another one. */
static void on_proven(struct storage_call *storage) {
    struct run *r = storage->arg;
    if (!rc_ok(storage->rc)) {
        fail(r, storage->rc);
    } else if (storage->outcome == OUTCOME_LOST) {
        oauth_proof_lost(&r->call);
        render(r);
    } else {
        next_round(r);
    }
}

static void apply_proof(struct run *r) {
    storage_begin(&r->storage, on_proven, r);
    storage_apply(r->env->session, &r->storage, &r->call.proof, r->call.arena);
}

/* ---- keys that apps publish ---- */

static void begin(struct run *r);

/* Without them nothing can be said of the client: neither that it is the one, nor that it is not. */
static void on_keys(void *arg, struct fetched_keys *keys) {
    struct run *r = arg;
    if (!keys) {
        oauth_begin_again(&r->call, NULL);
        oauth_refuse(&r->call, REFUSAL_CLIENT_KEYS);
        render(r);
        return;
    }
    fetched_keys_release(r->keys);
    r->keys = keys;
    oauth_begin_again(&r->call, keys->keys);
    begin(r);
}

static void fetch_keys(struct run *r) {
    bool anew = r->call.published == PUBLISHED_WANTED_ANEW;
    if (r->env->fetch_keys)
        r->env->fetch_keys(r->env->keys_arg, r->call.app->jwks_uri, anew, on_keys, r);
    else
        on_keys(r, NULL);
}

static void begin(struct run *r) {
    r->route->endpoint->start(&r->call);
    if (is_blocked(r))
        refuse_blocked(r);
    else if (oauth_wants_keys(&r->call))
        fetch_keys(r);
    else if (r->call.refusal != REFUSAL_NONE)
        render(r);
    else if (r->call.proof.kind != CHANGE_NONE)
        apply_proof(r);
    else
        next_round(r);
}

/* ---- the beginning ---- */

static enum oauth_method method_of(enum http_method method) {
    switch (method) {
    case HTTP_GET: return METHOD_GET;
    case HTTP_HEAD: return METHOD_HEAD;
    case HTTP_POST: return METHOD_POST;
    case HTTP_DELETE: return METHOD_DELETE;
    case HTTP_OPTIONS: return METHOD_OPTIONS;
    case HTTP_PUT:
    case HTTP_PATCH:
    case HTTP_UNKNOWN: return METHOD_OTHER;
    }
    return METHOD_OTHER;
}

/* A random uuid (RFC 9562 s5.4). */
static void write_uuid(const uint8_t random[16], char out[CORRELATION_ID_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < 16; i++) {
        uint8_t b = random[i];
        if (i == 6) b = (uint8_t)((b & 0x0f) | 0x40);
        if (i == 8) b = (uint8_t)((b & 0x3f) | 0x80);
        if (i == 4 || i == 6 || i == 8 || i == 10) out[n++] = '-';
        out[n++] = digits[b >> 4];
        out[n++] = digits[b & 15];
    }
    out[n] = 0;
}

static struct run *new_run(const struct run_env *env, struct arena *arena, run_done *done, void *arg) {
    struct run *r = arena_alloc(arena, sizeof *r);
    uint8_t correlation[16];
    memset(r, 0, offsetof(struct run, headers));
    env->random(env->source_arg, correlation, sizeof correlation);
    r->env = env;
    r->begun_us = metrics_begin(env->metrics);
    r->lease = lease_take(env->lease);
    r->done = done;
    r->arg = arg;
    r->call.arena = arena;
    r->call.env.now_ms = env->now_ms(env->source_arg);
    r->call.env.registry = r->lease->snapshot->registry;
    r->call.env.keyring = &r->lease->snapshot->keys->ring;
    r->call.env.signers = &r->lease->snapshot->keys->signers;
    r->call.env.known = env->known;
    r->call.env.settings = env->settings;
    r->call.env.token_endpoint = r->lease->snapshot->documents->token_endpoint;
    write_uuid(correlation, r->call.env.correlation_id);
    return r;
}

/* RFC 9110 s8.3.1: parameters follow a semicolon, the type has no case. */
static bool is_form(str content_type) { return str_eq_nocase(str_trim(str_take(&content_type, ';')), S(FORM_TYPE)); }

static struct route_match find_route(struct run *r, const struct run_input *input) {
    str path;
    if (!documents_route_path(r->env->settings, input->path, &path)) return (struct route_match){0};
    return route_find(path, method_of(input->method), r->env->settings->compat_v1);
}

static str allow_text(struct run *r, const struct route_match *match) {
    char allow[ROUTE_ALLOW_BYTES];
    return arena_copy(r->call.arena, route_allow_text(match->allowed, allow));
}

/* The first thing that is decided: from here on every answer says who may read it. */
static struct cors_request add_cors(struct run *r, const struct route_match *match, const struct run_input *input) {
    struct cors_request request = {match->cors, arena_copy(r->call.arena, input->origin)};
    r->n_headers += cors_write_headers(r->lease->snapshot->origins, &request, r->headers + r->n_headers);
    return request;
}

/* Whether a browser asks before it sends the request itself (Fetch s4.8). */
static bool is_preflight(const struct route_match *match, const struct run_input *input) {
    return match->cors && input->method == HTTP_OPTIONS && input->origin.n && input->preflight.n;
}

static void answer_preflight(struct run *r, const struct route_match *match, const struct cors_request *request) {
    r->n_headers +=
        cors_write_preflight(r->lease->snapshot->origins, request, allow_text(r, match), r->headers + r->n_headers);
    r->call.answer = (struct answer){.http = 204, .type = ANSWER_EMPTY};
    finish(r);
}

/* What can be refused by method, path and headers alone; REFUSAL_NONE: go on. */
static enum refusal admit(struct run *r, const struct route_match *found, const struct run_input *input) {
    enum oauth_method method = method_of(input->method);
    struct route_match match = *found;
    if (!match.allowed) return REFUSAL_NOT_FOUND;
    if (!match.route) {
        add_header(r, S("Allow"), allow_text(r, &match));
        return REFUSAL_METHOD_NOT_ALLOWED;
    }
    r->route = match.route;
    if (input->body.n > BODY_MAX) return REFUSAL_TOO_LARGE;
    if (method == METHOD_POST && (match.route->flags & ROUTE_FORM) && !is_form(input->content_type))
        return REFUSAL_MEDIA_TYPE;
    char *arg = arena_alloc_secret(r->call.arena, match.arg.n + 1);
    size_t n = 0;
    if (!percent_decode(match.arg, PERCENT_URI, arg, &n)) return REFUSAL_REQUEST_MALFORMED;
    r->call.req.path_arg = (str){arg, n};
    r->call.req.method = method == METHOD_HEAD ? METHOD_GET : method;
    return REFUSAL_NONE;
}

/* For the rules: documents and assets need none, pages more than the others. */
static void draw_random(struct run *r) {
    size_t n = r->route->flags & ROUTE_PEOPLE ? OAUTH_RANDOM_PEOPLE_BYTES : OAUTH_RANDOM_BYTES;
    uint8_t *random = arena_alloc_secret(r->call.arena, n);
    r->env->random(r->env->source_arg, random, n);
    r->call.env.random = random;
}

/* Pages see what the browser tells about itself. */
static void prepare_page(struct run *r, const struct run_input *input) {
    r->accept_language = input->accept_language;
    r->call.req.cookie = input->cookie;
    r->call.req.origin = input->origin;
    r->call.req.fetch_site = input->fetch_site;
}

/* Its address names its content, so it never changes (RFC 8246). */
static void serve_asset(struct run *r, str if_none_match) {
    const struct page_asset *asset = brand_asset(r->env->brand, r->call.req.path_arg);
    if (!asset) {
        refuse(r, REFUSAL_NOT_FOUND, 0);
        return;
    }
    bool known = str_eq(if_none_match, asset->etag);
    add_header(r, S("Cache-Control"), S("public, max-age=31536000, immutable"));
    add_header(r, S("ETag"), asset->etag);
    add_header(r, S("X-Content-Type-Options"), S("nosniff"));
    r->response = (struct web_response){
        .status = known ? 304 : 200,
        .content_type = known ? (str){NULL, 0} : asset->content_type,
        .body = known ? (str){NULL, 0} : asset->body,
        .headers = r->headers,
        .n_headers = r->n_headers,
        .unique = CORRELATION_ID,
    };
    respond(r);
}

static void serve_document(struct run *r, str if_none_match) {
    const struct documents *all = r->lease->snapshot->documents;
    const struct document *document = &all->of[route_document_of(r->route)];
    if (document->body.n == 0) {
        refuse(r, REFUSAL_NOT_FOUND, 0);
        return;
    }
    bool known = documents_tag_matches(if_none_match, document->etag);
    add_header(r, CORRELATION_ID, str_of(r->call.env.correlation_id));
    add_header(r, S("X-Content-Type-Options"), S("nosniff"));
    add_header(r, S("Cache-Control"), all->cache_control);
    add_header(r, S("ETag"), (str){document->etag, DOCUMENT_ETAG_CHARS});
    r->response = (struct web_response){
        .status = known ? 304 : 200,
        .content_type = content_type_of(known ? ANSWER_EMPTY : ANSWER_JSON),
        .body = known ? (str){NULL, 0} : document->body,
        .headers = r->headers,
        .n_headers = r->n_headers,
        .unique = CORRELATION_ID,
    };
    respond(r);
}

static str header_value(const struct http_head *head, str name) {
    const struct http_header *h = http_find_header(head, name);
    return h ? h->value : (str){0};
}

struct run_input run_input_of(const struct http_head *head) {
    return (struct run_input){
        .method = head->method,
        .path = head->path,
        .query = head->query,
        .content_type = header_value(head, S("content-type")),
        .authorization = header_value(head, S("authorization")),
        .cookie = header_value(head, S("cookie")),
        .origin = header_value(head, S("origin")),
        .fetch_site = header_value(head, S("sec-fetch-site")),
        .accept_language = header_value(head, S("accept-language")),
        .if_none_match = header_value(head, S("if-none-match")),
        .preflight = header_value(head, S("access-control-request-method")),
    };
}

/* What cannot be read as a certificate was not shown. */
static void read_certificate(struct run *r, const struct run_input *input) {
    struct certificate *certificate = ARENA_NEW(r->call.arena, struct certificate);
    if (!certificate_read(input->certificate, r->call.arena, certificate)) return;
    r->call.req.certificate = certificate;
    r->call.req.certificate_verified = input->certificate_verified;
}

void run_request(const struct run_env *env, const struct run_input *input, struct arena *arena, run_done *done,
                 void *arg) {
    struct run *r = new_run(env, arena, done, arg);
    struct route_match match = find_route(r, input);
    struct cors_request cors = add_cors(r, &match, input);
    if (is_preflight(&match, input)) {
        answer_preflight(r, &match, &cors);
        return;
    }
    enum refusal refusal = admit(r, &match, input);
    if (refusal != REFUSAL_NONE) {
        refuse(r, refusal, 0);
        return;
    }
    if (r->route->flags & ROUTE_ASSET) {
        serve_asset(r, input->if_none_match);
        return;
    }
    if (r->route->flags & ROUTE_DOCUMENT) {
        serve_document(r, input->if_none_match);
        return;
    }
    draw_random(r);
    if (r->route->flags & ROUTE_PEOPLE) prepare_page(r, input);
    if (input->certificate.n && !(r->route->flags & ROUTE_PEOPLE)) read_certificate(r, input);
    r->peer = input->peer;
    r->call.req.query = input->query;
    r->call.req.body = input->body;
    r->call.req.content_type = input->content_type;
    r->call.req.authorization = input->authorization;
    r->call.req.query_params = (r->route->flags & ROUTE_QUERY) != 0;
    begin(r);
}

void run_refuse(const struct run_env *env, const struct run_refusal *why, struct arena *arena, run_done *done,
                void *arg) {
    struct run *r = new_run(env, arena, done, arg);
    struct route_match match = {0};
    if (why->input) match = find_route(r, why->input);
    if (why->input) add_cors(r, &match, why->input);
    refuse(r, why->refusal, 0);
}
