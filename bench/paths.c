/* bench_paths: the way of a request of each endpoint through parser, router, rules, store (SQLite in memory) and answer, without a
 * socket and with a fixed clock and fixed random bytes, so that callgrind counts the same instructions every time. It counts
 * REQUESTS of each row, by itself, and bench/gate.py divides. */
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

#include "flow.h"

#define WARM_UPS 2
#define REQUESTS 8
#define ALL      (WARM_UPS + REQUESTS)

#define POST(path) "POST " path "\nHost: auth.example\nContent-Type: application/x-www-form-urlencoded\n\n"
#define GET(path)  "GET " path "\nHost: auth.example\nAccept: */*\n\n"

struct row {
    const char *name;
    int status;
    str (*make)(struct flow *f);
};

static str with_secret(struct flow *f, enum flow_app app, const char *head, str form) {
    const struct dev_app *a = &f->seed.apps[app];
    const char *join = a->client_secret.n ? "&client_secret=" : "";
    return arena_printf(f->arena, "%s%.*s&client_id=%.*s%s%.*s", head, STR_ARG(form), STR_ARG(a->client_id), join,
                        STR_ARG(a->client_secret));
}

static str make_client_credentials(struct flow *f) {
    str form = arena_printf(f->arena, "grant_type=client_credentials&scope=%.*s",
                            STR_ARG(f->seed.apps[FLOW_CONFIDENTIAL].scopes[0]));
    return with_secret(f, FLOW_CONFIDENTIAL, POST("/oauth/v3/token"), form);
}

static str make_introspect(struct flow *f) {
    str form = arena_printf(f->arena, "token=%.*s", STR_ARG(flow_install(f, FLOW_CONFIDENTIAL).access));
    return with_secret(f, FLOW_CONFIDENTIAL, POST("/oauth/v3/token/introspect"), form);
}

static void toggle_jwt(struct flow *f) {
    struct app *app = flow_app_copy(f, FLOW_CONFIDENTIAL);
    app->flags ^= APP_JWT;
    flow_edit(f, &(struct edit){.kind = EDIT_APP_UPDATE, .app = app, .now_ms = f->now_ms});
}

static str make_introspect_jwt(struct flow *f) {
    toggle_jwt(f);
    str made = make_introspect(f);
    toggle_jwt(f);
    return made;
}

/* One token, again and again. */
static str make_introspect_known(struct flow *f) {
    static str made;
    if (!made.n) made = make_introspect_jwt(f);
    return made;
}

static str make_refresh(struct flow *f, enum flow_app app) {
    str form =
        arena_printf(f->arena, "grant_type=refresh_token&refresh_token=%.*s", STR_ARG(flow_install(f, app).refresh));
    return with_secret(f, app, POST("/oauth/v3/token"), form);
}

static str make_refresh_stable(struct flow *f) { return make_refresh(f, FLOW_CONFIDENTIAL); }

static str make_refresh_rotating(struct flow *f) { return make_refresh(f, FLOW_PUBLIC); }

static str make_redeem(struct flow *f) {
    str form = arena_printf(f->arena,
                            "grant_type=authorization_code&code=%.*s&redirect_uri=http%%3A%%2F%%2Flocalhost%%3A3000%%"
                            "2Foauth-callback&code_verifier=" FLOW_VERIFIER,
                            STR_ARG(flow_code(f, FLOW_CONFIDENTIAL)));
    return with_secret(f, FLOW_CONFIDENTIAL, POST("/oauth/v3/token"), form);
}

static str make_revoke(struct flow *f) {
    str form = arena_printf(f->arena, "token=%.*s", STR_ARG(flow_install(f, FLOW_CONFIDENTIAL).refresh));
    return with_secret(f, FLOW_CONFIDENTIAL, POST("/oauth/v3/token/revoke"), form);
}

static str make_wrong_secret(struct flow *f) {
    const struct dev_app *a = &f->seed.apps[FLOW_CONFIDENTIAL];
    return arena_printf(f->arena,
                        POST("/oauth/v3/token") "grant_type=client_credentials&client_id=%.*s&client_secret=%.*sx",
                        STR_ARG(a->client_id), STR_ARG(str_head(a->client_secret, a->client_secret.n - 1)));
}

static str make_authorize(struct flow *f) {
    const struct dev_app *a = &f->seed.apps[FLOW_CONFIDENTIAL];
    return arena_printf(f->arena,
                        "GET /oauth/authorize?client_id=%.*s&redirect_uri=http%%3A%%2F%%2Flocalhost%%3A3000%%2Foauth-"
                        "callback&scope=%.*s\nHost: auth.example\n\n",
                        STR_ARG(a->client_id), STR_ARG(a->scopes[0]));
}

static str make_metadata(struct flow *f) {
    (void)f;
    return S(GET("/.well-known/oauth-authorization-server"));
}

static str make_sign_in(struct flow *f) {
    (void)f;
    return S(GET("/oauth/sign-in"));
}

static const struct row rows[] = {
    {"client_credentials", 200, make_client_credentials},
    {"introspect opaque", 200, make_introspect},
    {"introspect JWT", 200, make_introspect_jwt},
    {"introspect JWT again", 200, make_introspect_known},
    {"refresh stable", 200, make_refresh_stable},
    {"refresh rotating", 200, make_refresh_rotating},
    {"redeem code", 200, make_redeem},
    {"revoke", 200, make_revoke},
    {"wrong secret", 400, make_wrong_secret},
    {"authorize", 302, make_authorize},
    {"metadata", 200, make_metadata},
    {"sign-in page", 200, make_sign_in},
};

static void run(struct flow *f, const struct row *row, str request) {
    struct arena *arena = arena_new(4096);
    str response = run_text(&f->env, request, S("192.0.2.1"), arena);
    if (run_text_status(response) != row->status) {
        fprintf(stderr, "bench_paths: %s: %.*s\n", row->name, STR_ARG(response));
        exit(1);
    }
    arena_free(arena);
}

static void count_row(struct flow *f, const struct row *row) {
    str requests[ALL];
    char name[64];
    for (size_t i = 0; i < ALL; i++) requests[i] = row->make(f);
    CALLGRIND_START_INSTRUMENTATION;
    for (size_t i = 0; i < WARM_UPS; i++) run(f, row, requests[i]);
    CALLGRIND_ZERO_STATS;
    for (size_t i = WARM_UPS; i < ALL; i++) run(f, row, requests[i]);
    snprintf(name, sizeof name, "%s/%d", row->name, REQUESTS);
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_STOP_INSTRUMENTATION; /* it throws away what it translated: once for each row */
}

int main(void) {
    static struct flow f;
    flow_open(&f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) count_row(&f, &rows[i]);
    flow_close(&f);
    return 0;
}
