/* A store for a test, and short forms of what tests do with one. */
#include "contract.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct contract_driver *contract_driver;

void assert_rc_ok(struct rc rc, const char *call, const char *file, int line) {
    if (!rc_ok(rc)) {
        print_error("%s: %s: %s\n", call, rc_name(rc), rc_detail());
        _fail(file, line);
    }
}

void world_open(struct world *w, const struct world_options *options) {
    assert_rc(contract_driver->open(w->dir, options, &w->db));
    assert_rc(storage_migrate(w->db, w->arena));
    assert_rc(storage_admin_open(w->db, &w->admin));
}

void world_shut(struct world *w) {
    storage_admin_close(w->admin);
    db_close(w->db);
    w->admin = NULL;
    w->db = NULL;
}

struct world *world_new(const struct world_options *options) {
    struct world *w = test_calloc(1, sizeof *w);
    snprintf(w->dir, sizeof w->dir, "%s/contract-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(w->dir));
    w->arena = arena_new(1 << 16);
    world_open(w, options);
    return w;
}

static void directory_remove(const char *dir) {
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] != '.') unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    assert_int_equal(rmdir(dir), 0);
}

void world_free(struct world *w) {
    if (w->db) world_shut(w);
    arena_free(w->arena);
    directory_remove(w->dir);
    test_free(w);
}

int world_set_up(void **state) {
    *state = world_new(&(struct world_options){.inline_writes = false});
    return 0;
}

int world_tear_down(void **state) {
    world_free(*state);
    return 0;
}

const char *world_path(struct world *w, const char *name) {
    return arena_printf(w->arena, "%s/%s%c", w->dir, name, 0).p;
}

struct grant grant_number(uint32_t n) {
    static const uint8_t scopes[] = {1, 2, 5}, resources[] = {0, 1, 0, 9};
    uint8_t random[10] = {0};
    for (int i = 0; i < 4; i++) random[6 + i] = (uint8_t)(n >> (24 - 8 * i));
    struct grant g = {
        .id = grant_id_make(NOW_MS + n, random),
        .app_id = 1001,
        .hub_id = 1001 + (int32_t)(n % 7),
        .user_id = 1001 + (int32_t)(n % 5),
        .scopes = {(const char *)scopes, sizeof scopes},
        .created_ms = NOW_MS + n,
        .auth_time_ms = NOW_MS - 1000,
        .resources = {(const char *)resources, n % 3 ? sizeof resources : 0},
    };
    memset(g.salt, (int)(n & 0xff), sizeof g.salt);
    return g;
}

struct change insert_of(uint32_t n) {
    return (struct change){.kind = CHANGE_GRANT_INSERT, .grant = grant_number(n)};
}

struct change change_of(enum change_kind kind, uint32_t n) {
    struct grant g = grant_number(n);
    return (struct change){.kind = kind, .grant_id = g.id, .app_id = g.app_id, .hub_id = g.hub_id, .now_ms = NOW_MS};
}

enum outcome apply(struct world *w, const struct change *change) {
    enum outcome out = OUTCOME_LOST;
    assert_rc(storage_change(w->admin, change, w->arena, &out));
    return out;
}

enum outcome edit(struct world *w, const struct edit *e, int32_t *out_id) {
    enum outcome out = OUTCOME_LOST;
    int32_t id = 0;
    assert_rc(storage_edit(w->admin, e, w->arena, &out, &id));
    if (out_id) *out_id = id;
    return out;
}

struct listed list(struct world *w, const struct listing *listing) {
    struct listed out;
    assert_rc(storage_list(w->admin, listing, w->arena, &out));
    return out;
}

struct facts ask_grant(struct world *w, uint32_t n) {
    struct facts facts;
    struct ask ask = {.kind = ASK_GRANT, .grant_id = grant_number(n).id};
    assert_rc(storage_question(w->admin, &ask, w->arena, &facts));
    return facts;
}

int64_t version(struct world *w) {
    struct listed rows = list(w, &(struct listing){.kind = LISTING_VERSION});
    assert_int_equal(rows.n, 1);
    return *(int64_t *)rows.rows;
}

/* FNV-1a over the numbers and texts of the rows as the store gives them. */
static uint64_t hash_bytes(uint64_t h, const void *p, size_t n) {
    for (size_t i = 0; i < n; i++) h = (h ^ ((const uint8_t *)p)[i]) * 0x100000001b3u;
    return h;
}

static void wake_nobody(void *arg) { (void)arg; }
static uint64_t hash_op(struct world *w, struct db_session *s, uint64_t h, const struct db_stmt *stmt);

uint64_t fingerprint(struct world *w) {
    uint64_t h = 0xcbf29ce484222325u;
    struct db_session *s;
    assert_rc(db_open_session(w->db, wake_nobody, NULL, &s));
    for (int kind = 0; kind < LISTING_KINDS; kind++) {
        struct db_stmt stmt;
        struct listing listing = {.kind = (enum listing_kind)kind, .known = INT64_MAX};
        store_plan_listing(&listing, &stmt);
        h = hash_op(w, s, h, &stmt);
    }
    db_close_session(s);
    for (uint32_t n = 0; n < 7; n++) {
        struct grant g = grant_number(n);
        struct facts facts;
        struct ask ask = {.kind = ASK_SUBJECT, .app_id = g.app_id, .hub_id = g.hub_id, .user_id = g.user_id};
        assert_rc(storage_question(w->admin, &ask, w->arena, &facts));
        h = hash_bytes(h, &facts.uninstalled_ms, sizeof facts.uninstalled_ms);
    }
    return h;
}

static void on_read(struct db_op *op) { *(bool *)op->arg = true; }

static void wait_for_descriptor(struct db_session *s) {
    struct pollfd readable = {.fd = db_session_fd(s), .events = POLLIN};
    assert_true(poll(&readable, 1, 60000) > 0);
}

static uint64_t hash_op(struct world *w, struct db_session *s, uint64_t h, const struct db_stmt *stmt) {
    bool done = false;
    struct db_op op = {.stmts = stmt, .n_stmts = 1, .arena = w->arena, .done = on_read, .arg = &done};
    db_submit(s, &op);
    while (!done && !contract_driver->wakes) {
        wait_for_descriptor(s);
        db_drain(s);
    }
    assert_true(done);
    assert_rc(op.rc);
    for (size_t i = 0; i < op.rows[0].n_rows * op.rows[0].n_cols; i++) {
        const struct db_value *v = &op.rows[0].values[i];
        h = hash_bytes(h, &v->type, sizeof v->type);
        if (v->type == DB_INT)
            h = hash_bytes(h, &v->i, sizeof v->i);
        else if (v->type != DB_NULL)
            h = hash_bytes(h, v->s.p, v->s.n);
    }
    return h;
}

struct app app_sample(const char *client_id) {
    static const str uris[] = {{"https://a.example/cb?x=1", 24}, {"http://127.0.0.1/cb", 19}};
    static const str bye[] = {{"https://a.example/bye", 21}, {"https://a.example/off", 21}};
    struct app app = {
        .client_id = str_of(client_id),
        .name = S("An app"),
        .developer = S("Somebody"),
        .site_url = S("https://a.example/"),
        .flags = APP_ROTATE | APP_REQUIRE_PKCE,
        .grants = APP_GRANT_CODE | APP_GRANT_REFRESH,
        .redirect_uris = uris,
        .n_redirect_uris = 2,
        .post_logout_redirect_uris = bye,
        .n_post_logout_redirect_uris = 2,
        .code_ttl_s = 60,
        .access_ttl_s = 1800,
        .retry_window_s = 30,
        .refresh_idle_s = 86400,
        .refresh_absolute_s = INT64_C(1) << 40,
        .bound_hub_id = 1001,
        .created_ms = NOW_MS,
        .updated_ms = NOW_MS + 1,
    };
    assert_true(scope_set_add(&app.scopes, 1) && scope_set_add(&app.scopes, 300));
    assert_true(scope_set_add(&app.optional_scopes, 2));
    return app;
}

void populate(struct world *w) {
    struct app app = app_sample("11111111-1111-4111-8111-111111111111");
    struct account account = {.domain = S("a.example"), .name = S("Account A"), .created_ms = NOW_MS};
    struct user user = {.email = S("Ann@A.example"),
                        .name = S("Ann"),
                        .password_hash = S("$argon2id$x"),
                        .created_ms = NOW_MS,
                        .email_verified = true,
                        .updated_ms = NOW_MS + 2};
    int32_t id = 0;
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_APP_CREATE, .app = &app}, &id), OUTCOME_DONE);
    assert_int_equal(id, 1001);
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &account}, &id), OUTCOME_DONE);
    assert_int_equal(id, 1001);
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_USER_CREATE, .user = &user}, &id), OUTCOME_DONE);
    assert_int_equal(id, 1001);
    struct edit put = {.kind = EDIT_MEMBER_PUT, .member = {1001, 1001, MEMBER_INSTALLER}};
    assert_int_equal(edit(w, &put, NULL), OUTCOME_DONE);
}

static void on_wake(void *arg) {
    struct client *c = arg;
    pthread_mutex_lock(&c->lock);
    c->wakes++;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void client_open(struct client *c, struct db *db) {
    *c = (struct client){.wakes = 0};
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    assert_rc(db_open_session(db, on_wake, c, &c->session));
}

void client_close(struct client *c) {
    db_close_session(c->session);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
}

static void on_done(struct storage_call *storage) {
    struct client_call *call = storage->arg;
    call->done = true;
    call->order = ++call->client->answered;
    call->client->under_way--;
}

static void client_begin(struct client *c, struct client_call *call) {
    *call = (struct client_call){.client = c, .arena = arena_new(4096)};
    call->call.done = on_done;
    call->call.arg = call;
    call->call.facts = &call->facts;
    call->call.known = c->known;
    c->under_way++;
}

void client_apply(struct client *c, struct client_call *call, const struct change *change) {
    client_begin(c, call);
    storage_apply(c->session, &call->call, change, call->arena);
}

static void on_all_done(struct db_op *op) {
    struct client_call *call = op->arg;
    call->call.rc = op->rc;
    call->call.outcome = op->outcome == DB_LOST ? OUTCOME_LOST : OUTCOME_DONE;
    call->call.done(&call->call);
}

void client_apply_all(struct client *c, struct client_call *call, const struct change *changes, size_t n) {
    client_begin(c, call);
    struct change *kept = ARENA_ARRAY(call->arena, struct change, n);
    call->op = (struct db_op){
        .stmts = call->call.stmts, .write = true, .arena = call->arena, .done = on_all_done, .arg = call};
    for (size_t i = 0; i < n; i++) {
        kept[i] = changes[i];
        call->op.n_stmts += store_plan_change(&kept[i], call->call.stmts + call->op.n_stmts);
    }
    db_submit(c->session, &call->op);
}

void client_ask_grant(struct client *c, struct client_call *call, uint32_t n) {
    client_begin(c, call);
    call->call.asks[0] = (struct ask){.kind = ASK_GRANT, .grant_id = grant_number(n).id};
    call->call.n_asks = 1;
    storage_ask(c->session, &call->call, call->arena);
}

static void wait_for_wake(struct client *c) {
    pthread_mutex_lock(&c->lock);
    while (c->wakes == c->seen) pthread_cond_wait(&c->changed, &c->lock);
    c->seen = c->wakes;
    pthread_mutex_unlock(&c->lock);
}

void client_wait_once(struct client *c) {
    if (contract_driver->wakes)
        wait_for_wake(c);
    else
        wait_for_descriptor(c->session);
    db_drain(c->session);
}

void client_wait(struct client *c) {
    while (c->under_way) client_wait_once(c);
}

struct lock *lock_take(struct world *w) {
    return contract_driver->lock(w);
}

void lock_release(struct lock *lock) { contract_driver->unlock(lock); }

void client_call_free(struct client_call *call) { arena_free(call->arena); }
