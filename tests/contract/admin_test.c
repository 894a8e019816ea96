/* What administration reads and changes, and the purge. */
#include "contract.h"

#define DAY_MS INT64_C(86400000)

static void test_an_app_comes_back_as_it_was(void **state) {
    struct world *w = *state;
    populate(w);
    struct app want = app_sample("11111111-1111-4111-8111-111111111111");
    struct listed rows = list(w, &(struct listing){.kind = LISTING_APPS});
    assert_int_equal(rows.n, 1);
    const struct app *got = rows.rows;
    assert_int_equal(got->app_id, 1001);
    assert_true(str_eq(got->client_id, want.client_id) && str_eq(got->name, want.name) &&
                str_eq(got->developer, want.developer));
    assert_true(str_eq(got->site_url, want.site_url) && str_is_empty(got->logo_url));
    assert_true(got->flags == want.flags && got->grants == want.grants && got->bound_hub_id == want.bound_hub_id);
    assert_int_equal(got->n_redirect_uris, 2);
    for (size_t i = 0; i < 2; i++) assert_true(str_eq(got->redirect_uris[i], want.redirect_uris[i]));
    assert_int_equal(got->n_post_logout_redirect_uris, 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(str_eq(got->post_logout_redirect_uris[i], want.post_logout_redirect_uris[i]));
    assert_true(scope_set_equal(&got->scopes, &want.scopes) &&
                scope_set_equal(&got->optional_scopes, &want.optional_scopes));
    assert_true(got->code_ttl_s == want.code_ttl_s && got->access_ttl_s == want.access_ttl_s);
    assert_true(got->retry_window_s == want.retry_window_s && got->refresh_idle_s == want.refresh_idle_s);
    assert_true(got->refresh_absolute_s == want.refresh_absolute_s);
    assert_true(got->created_ms == want.created_ms && got->updated_ms == want.updated_ms && got->n_secrets == 0);
}

static void test_apps_are_created_and_updated(void **state) {
    struct world *w = *state;
    populate(w);
    struct app again = app_sample("11111111-1111-4111-8111-111111111111"), given = app_sample("2"),
               same_id = app_sample("3");
    int32_t id;
    given.app_id = 5000;
    given.n_redirect_uris = 0;
    same_id.app_id = 5000;
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_APP_CREATE, .app = &again}, &id), OUTCOME_LOST);
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_APP_CREATE, .app = &given}, &id), OUTCOME_DONE);
    assert_int_equal(id, 5000);
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_APP_CREATE, .app = &same_id}, &id), OUTCOME_LOST);
    same_id.app_id = 0;
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_APP_CREATE, .app = &same_id}, &id), OUTCOME_DONE);
    assert_int_equal(id, 5001);

    given.name = S("Renamed");
    given.flags = APP_DISABLED | UINT32_C(0x80000000);
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_APP_UPDATE, .app = &given}, NULL), OUTCOME_DONE);
    given.app_id = 4999;
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_APP_UPDATE, .app = &given}, NULL), OUTCOME_LOST);
    struct listed rows = list(w, &(struct listing){.kind = LISTING_APPS});
    const struct app *apps = rows.rows;
    assert_int_equal(rows.n, 3);
    assert_true(apps[0].app_id == 1001 && apps[1].app_id == 5000 && apps[2].app_id == 5001);
    assert_true(str_eq(apps[1].name, S("Renamed")) && apps[1].flags == given.flags && apps[1].n_redirect_uris == 0);
    assert_true(str_eq(apps[2].name, S("An app")));
}

static struct edit secret_add(int32_t app_id, uint8_t fill) {
    struct edit e = {.kind = EDIT_SECRET_ADD, .app_id = app_id, .secret = {.key_number = 200, .created_ms = NOW_MS}};
    memset(e.secret.hash, fill, sizeof e.secret.hash);
    return e;
}

static void test_two_secrets_live_at_once(void **state) {
    struct world *w = *state;
    populate(w);
    int32_t first, second, third;
    struct edit one = secret_add(1001, 1), two = secret_add(1001, 2), three = secret_add(1001, 3),
                nobody = secret_add(9, 9);
    assert_int_equal(edit(w, &nobody, &first), OUTCOME_LOST);
    assert_int_equal(edit(w, &one, &first), OUTCOME_DONE);
    assert_int_equal(edit(w, &two, &second), OUTCOME_DONE);
    assert_int_equal(edit(w, &three, &third), OUTCOME_LOST);

    struct edit retire = {
        .kind = EDIT_SECRET_RETIRE, .app_id = 1002, .secret = {.secret_id = first}, .now_ms = NOW_MS + 5};
    assert_int_equal(edit(w, &retire, NULL), OUTCOME_LOST); /* of another app */
    retire.app_id = 1001;
    assert_int_equal(edit(w, &retire, NULL), OUTCOME_DONE);
    assert_int_equal(edit(w, &retire, NULL), OUTCOME_LOST);
    assert_int_equal(edit(w, &three, &third), OUTCOME_DONE);
    assert_true(first < second && second < third);

    struct listed rows = list(w, &(struct listing){.kind = LISTING_SECRETS, .app_id = 1001});
    const struct listed_secret *got = rows.rows;
    assert_int_equal(rows.n, 3);
    assert_true(got[0].secret.retired_ms == NOW_MS + 5 && got[1].secret.retired_ms == 0 &&
                got[2].secret.retired_ms == 0);
    assert_true(got[2].app_id == 1001 && got[2].secret.secret_id == third && got[2].secret.key_number == 200);
    assert_memory_equal(got[2].secret.hash, three.secret.hash, MAC_BYTES);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_SECRETS}).n, 3);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_SECRETS, .app_id = 1002}).n, 0);
}

static void test_scopes(void **state) {
    struct world *w = *state;
    struct scope a = {.name = S("a.read"), .title = S("Read a")}, b = {.name = S("b.read")};
    int32_t id;
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_SCOPE_CREATE, .scope = &a}, &id), OUTCOME_DONE);
    assert_int_equal(id, 1);
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_SCOPE_CREATE, .scope = &a}, &id), OUTCOME_LOST);
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_SCOPE_CREATE, .scope = &b}, &id), OUTCOME_DONE);
    assert_int_equal(id, 2);
    b.id = 2;
    b.hidden = true;
    b.title = S("Read b");
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_SCOPE_UPDATE, .scope = &b}, NULL), OUTCOME_DONE);
    struct listed rows = list(w, &(struct listing){.kind = LISTING_SCOPES});
    const struct scope *got = rows.rows;
    assert_int_equal(rows.n, 2);
    assert_true(got[0].id == 1 && str_eq(got[0].name, a.name) && str_eq(got[0].title, a.title) && !got[0].hidden);
    assert_true(got[1].id == 2 && str_eq(got[1].title, b.title) && got[1].hidden);

    b.name = S("a.read"); /* taken */
    enum outcome outcome;
    assert_fault(
        storage_edit(w->admin, &(struct edit){.kind = EDIT_SCOPE_UPDATE, .scope = &b}, w->arena, &outcome, &id),
        DB_CONSTRAINT);
    b.id = 3;
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_SCOPE_UPDATE, .scope = &b}, NULL), OUTCOME_LOST);
}

static void test_resources(void **state) {
    struct world *w = *state;
    const str uris[] = {S("https://api.example/"), S("https://api.example")};
    struct resource a = {.name = S("API"), .uris = uris, .n_uris = 2, .flags = RESOURCE_STRICT, .app_id = 7};
    struct edit create = {.kind = EDIT_RESOURCE_CREATE, .resource = &a};
    int32_t id;
    a.token_format = TOKEN_FORMAT_JWT;
    a.created_ms = NOW_MS;
    a.updated_ms = NOW_MS + 1;
    assert_int_equal(edit(w, &create, &id), OUTCOME_DONE);
    assert_int_equal(id, 1);
    assert_int_equal(edit(w, &create, &id), OUTCOME_LOST);
    struct listed rows = list(w, &(struct listing){.kind = LISTING_RESOURCES});
    const struct resource *got = rows.rows;
    assert_int_equal(rows.n, 1);
    assert_true(got->id == 1 && str_eq(got->name, a.name) && got->flags == a.flags && got->app_id == 7);
    assert_true(got->token_format == TOKEN_FORMAT_JWT && got->created_ms == NOW_MS && got->updated_ms == NOW_MS + 1);
    assert_int_equal(got->n_uris, 2);
    for (size_t i = 0; i < 2; i++) assert_true(str_eq(got->uris[i], uris[i]));

    struct resource gone = *got, none = {.id = 9};
    gone.flags |= RESOURCE_DELETED;
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_RESOURCE_UPDATE, .resource = &gone}, NULL), OUTCOME_DONE);
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_RESOURCE_UPDATE, .resource = &none}, NULL), OUTCOME_LOST);
    assert_int_equal(edit(w, &create, &id), OUTCOME_DONE); /* the address is free again, the id is not */
    assert_int_equal(id, 2);
    rows = list(w, &(struct listing){.kind = LISTING_RESOURCES});
    got = rows.rows;
    assert_true(rows.n == 2 && got[0].flags == gone.flags && got[0].created_ms == NOW_MS);
}

static void test_accounts_come_in_pages(void **state) {
    struct world *w = *state;
    for (int i = 0; i < 5; i++) {
        struct account account = {.domain = S("d.example"), .name = S("N"), .created_ms = NOW_MS};
        int32_t id;
        assert_int_equal(edit(w, &(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &account}, &id), OUTCOME_DONE);
        assert_int_equal(id, 1001 + i);
    }
    struct account taken = {.hub_id = 1003, .domain = S("x")}, none = {.hub_id = 3, .domain = S("x")};
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &taken}, NULL), OUTCOME_LOST);
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_ACCOUNT_UPDATE, .account = &none}, NULL), OUTCOME_LOST);

    struct listed rows = list(w, &(struct listing){.kind = LISTING_ACCOUNTS, .after = 1002, .limit = 2});
    const struct account *got = rows.rows;
    assert_int_equal(rows.n, 2);
    assert_true(got[0].hub_id == 1003 && got[1].hub_id == 1004);
    assert_true(str_eq(got[0].domain, S("d.example")) && str_eq(got[0].name, S("N")) && got[0].created_ms == NOW_MS);
    rows = list(w, &(struct listing){.kind = LISTING_ACCOUNTS, .hub_id = 1005});
    assert_int_equal(rows.n, 1);
    assert_int_equal(((struct account *)rows.rows)->hub_id, 1005);
    struct account lacking = {.hub_id = 1005, .domain = S("d.example"), .without_scopes = {2, {3, 700}}};
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_ACCOUNT_UPDATE, .account = &lacking}, NULL), OUTCOME_DONE);
    rows = list(w, &(struct listing){.kind = LISTING_ACCOUNTS, .after = 1003});
    got = rows.rows;
    assert_int_equal(got[0].without_scopes.n, 0);
    assert_true(scope_set_equal(&got[1].without_scopes, &lacking.without_scopes));
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_ACCOUNTS, .after = INT32_MAX}).n, 0);
}

static void test_users_are_unique_without_case(void **state) {
    struct world *w = *state;
    populate(w);
    struct user same = {.email = S("aNN@a.EXAMPLE")}, other = {.email = S("bob@a.example"), .name = S("Bob")};
    int32_t id;
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_USER_CREATE, .user = &same}, &id), OUTCOME_LOST);
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_USER_CREATE, .user = &other}, &id), OUTCOME_DONE);
    assert_int_equal(id, 1002);
    same.user_id = 1002;
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_USER_UPDATE, .user = &same}, NULL), OUTCOME_LOST);
    same.user_id = 1001; /* one's own address in other letters */
    same.password_hash = S("new");
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_USER_UPDATE, .user = &same}, NULL), OUTCOME_DONE);

    struct listed rows = list(w, &(struct listing){.kind = LISTING_USERS, .email = S("ANN@A.example")});
    const struct user *got = rows.rows;
    assert_int_equal(rows.n, 1);
    assert_true(got->user_id == 1001 && str_eq(got->email, same.email) && str_eq(got->password_hash, S("new")) &&
                got->created_ms == NOW_MS);
    assert_true(!got->email_verified && got->updated_ms == 0); /* as the update said */
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_USERS, .email = S("eve@a.example")}).n, 0);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_USERS}).n, 2);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_USERS, .user_id = 1002}).n, 1);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_USERS, .after = 1001}).n, 1);
}

static void test_members(void **state) {
    struct world *w = *state;
    const struct member given[] = {
        {1, 10, MEMBER_USER}, {1, 20, MEMBER_INSTALLER}, {2, 10, MEMBER_USER}, {2, 10, MEMBER_INSTALLER}};
    for (size_t i = 0; i < 4; i++) edit(w, &(struct edit){.kind = EDIT_MEMBER_PUT, .member = given[i]}, NULL);
    const struct {
        int32_t user_id, hub_id;
        size_t n;
    } cases[] = {{1, 0, 2}, {2, 0, 1}, {0, 10, 2}, {0, 20, 1}, {1, 20, 1}, {2, 20, 0}, {3, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(
            list(w, &(struct listing){.kind = LISTING_MEMBERS, .user_id = cases[i].user_id, .hub_id = cases[i].hub_id})
                .n,
            cases[i].n);
    struct listed rows = list(w, &(struct listing){.kind = LISTING_MEMBERS, .user_id = 2});
    assert_int_equal(((struct member *)rows.rows)->role, MEMBER_INSTALLER);
    edit(w, &(struct edit){.kind = EDIT_MEMBER_DELETE, .member = {2, 10, 0}}, NULL);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_MEMBERS, .hub_id = 10}).n, 1);
}

static void test_keys(void **state) {
    struct world *w = *state;
    struct edit e = {.kind = EDIT_KEY_INSERT, .key = {255, NOW_MS, {"\0sealed", 7}, 0}};
    assert_int_equal(edit(w, &e, NULL), OUTCOME_DONE);
    assert_int_equal(edit(w, &e, NULL), OUTCOME_LOST);
    e.key.number = 1;
    assert_int_equal(edit(w, &e, NULL), OUTCOME_DONE);
    struct listed rows = list(w, &(struct listing){.kind = LISTING_KEYS});
    const struct sealed_key *got = rows.rows;
    assert_int_equal(rows.n, 2);
    assert_true(got[0].number == 1 && got[1].number == 255 && got[1].created_ms == NOW_MS &&
                str_eq(got[1].sealed, e.key.sealed) && got[1].used_ms == 0);
    e.kind = EDIT_KEY_DELETE;
    assert_int_equal(edit(w, &e, NULL), OUTCOME_DONE);
    assert_int_equal(edit(w, &e, NULL), OUTCOME_LOST);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_KEYS}).n, 1);
}

/* The insert of a key that signs is decided by its one statement: whoever has seen the newest one wins. */
static void test_signing_keys(void **state) {
    struct world *w = *state;
    struct edit e = {.kind = EDIT_SIGNING_KEY_INSERT, .seen_ms = -1};
    e.signing_key = (struct sealed_signing_key){S("b"), 0, NOW_MS, NOW_MS + 7, {"\0sealed", 7}};
    assert_int_equal(edit(w, &e, NULL), OUTCOME_DONE);
    e.signing_key.kid = S("c");
    assert_int_equal(edit(w, &e, NULL), OUTCOME_LOST); /* has not seen the first */
    e.seen_ms = NOW_MS + 7;
    e.signing_key.kid = S("b");
    assert_int_equal(edit(w, &e, NULL), OUTCOME_LOST); /* the id is taken */
    e.signing_key.kid = S("a");
    e.signing_key.used_ms = NOW_MS + 8;
    assert_int_equal(edit(w, &e, NULL), OUTCOME_DONE);
    e.signing_key = (struct sealed_signing_key){S("r"), 2, NOW_MS, NOW_MS, {"\0sealed", 7}};
    e.seen_ms = -1;
    assert_int_equal(edit(w, &e, NULL), OUTCOME_DONE); /* another kind */
    struct listed rows = list(w, &(struct listing){.kind = LISTING_SIGNING_KEYS});
    const struct sealed_signing_key *got = rows.rows;
    assert_int_equal(rows.n, 3);
    assert_true(str_eq(got[0].kid, S("r")) && str_eq(got[1].kid, S("b")) && str_eq(got[2].kid, S("a")));
    assert_true(got[1].alg == 0 && got[1].created_ms == NOW_MS && got[1].used_ms == NOW_MS + 7 &&
                str_eq(got[1].sealed, e.signing_key.sealed));
    edit(w, &(struct edit){.kind = EDIT_SIGNING_KEY_DELETE, .signing_key = {.kid = S("b")}}, NULL);
    edit(w, &(struct edit){.kind = EDIT_SIGNING_KEY_DELETE, .signing_key = {.kid = S("b")}}, NULL);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_SIGNING_KEYS}).n, 2);
}

static void test_grants_are_found_by_every_filter(void **state) {
    struct world *w = *state;
    for (uint32_t n = 0; n < 70; n++) {
        struct change insert = insert_of(n);
        insert.grant.app_id = 1001 + (int32_t)(n % 2);
        apply(w, &insert);
    }
    const struct {
        int32_t app_id, hub_id, user_id;
        size_t n;
    } cases[] = {{0, 0, 0, 70},      {1001, 0, 0, 35},   {0, 1001, 0, 10},   {0, 0, 1001, 14},
                 {1001, 1001, 0, 5}, {1001, 0, 1001, 7}, {0, 1001, 1001, 2}, {1001, 1001, 1001, 1},
                 {9, 0, 0, 0},       {0, 9, 0, 0},       {0, 0, 9, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct listing l = {
            .kind = LISTING_GRANTS, .app_id = cases[i].app_id, .hub_id = cases[i].hub_id, .user_id = cases[i].user_id};
        assert_int_equal(list(w, &l).n, cases[i].n);
        size_t paged = 0;
        l.limit = 3; /* the same in pages, each grant once */
        for (struct listed page; (page = list(w, &l)).n; paged += page.n)
            l.after_grant = ((struct grant *)page.rows)[page.n - 1].id;
        assert_int_equal(paged, cases[i].n);
    }
    struct listing one = {.kind = LISTING_GRANTS, .by_grant_id = true, .grant_id = grant_number(42).id};
    struct listed rows = list(w, &one);
    assert_int_equal(rows.n, 1);
    assert_true(((struct grant *)rows.rows)->created_ms == NOW_MS + 42);
}

static void test_every_edit_raises_the_version(void **state) {
    struct world *w = *state;
    int64_t before = version(w);
    populate(w);
    assert_true(version(w) == before + 4);
    struct app lost = app_sample("11111111-1111-4111-8111-111111111111");
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_APP_CREATE, .app = &lost}, NULL), OUTCOME_LOST);
    assert_true(version(w) == before + 4); /* LOST undoes the whole op */
    struct change insert = insert_of(0);
    apply(w, &insert);
    assert_true(version(w) == before + 4);
}

static void test_an_id_past_the_last_is_refused(void **state) {
    struct world *w = *state;
    struct account last = {.hub_id = ID_MAX, .domain = S("x")}, next = {.domain = S("y")};
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &last}, NULL), OUTCOME_DONE);
    enum outcome outcome;
    int32_t id;
    assert_fault(
        storage_edit(w->admin, &(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &next}, w->arena, &outcome, &id),
        DB_CONSTRAINT);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_ACCOUNTS}).n, 1);
}

static size_t purge_all(struct world *w, int64_t now_ms) {
    size_t batches = 0;
    for (bool more = true; more; batches++) {
        size_t before = list(w, &(struct listing){.kind = LISTING_GRANTS, .limit = 100000}).n;
        assert_rc(storage_purge(w->admin, now_ms, w->arena, &more));
        assert_true(before - list(w, &(struct listing){.kind = LISTING_GRANTS, .limit = 100000}).n <= 1000);
    }
    return batches;
}

static void test_purge_takes_what_expired_in_batches(void **state) {
    struct world *w = *state;
    struct client c;
    client_open(&c, w->db);
    struct client_call *calls = test_calloc(1300, sizeof *calls);
    for (uint32_t n = 0; n < 1300; n++) {
        struct change insert = insert_of(n);
        insert.grant.expires_ms = n < 1200 ? NOW_MS - 1 - n : n < 1250 ? NOW_MS : 0;
        client_apply(&c, &calls[n], &insert);
    }
    client_wait(&c);
    for (size_t i = 0; i < 1300; i++) client_call_free(&calls[i]);
    test_free(calls);
    client_close(&c);
    for (uint8_t i = 0; i < 4; i++) {
        struct change revoke = {.kind = CHANGE_TOKEN_REVOKE, .expires_ms = NOW_MS - 1 + i % 2, .token_id = {i}};
        apply(w, &revoke);
    }

    assert_int_equal(purge_all(w, NOW_MS), 3); /* 500, 500, 200 */
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_GRANTS}).n, 100);
    for (uint8_t i = 0; i < 4; i++) {
        struct facts f;
        struct ask ask = {.kind = ASK_REVOKED_TOKEN, .token_id = {i}};
        assert_rc(storage_question(w->admin, &ask, w->arena, &f));
        assert_int_equal(f.token_revoked, i % 2);
    }
}

static void test_purge_of_an_uninstalled_app(void **state) {
    struct world *w = *state;
    struct change before = insert_of(0), after = insert_of(7), elsewhere = insert_of(1),
                  uninstall = change_of(CHANGE_UNINSTALL, 0);
    apply(w, &before); /* 0 and 7 are of one account */
    apply(w, &after);
    apply(w, &elsewhere);
    uninstall.now_ms = before.grant.created_ms;
    apply(w, &uninstall);
    const int64_t due_ms = uninstall.now_ms + 30 * DAY_MS;

    purge_all(w, due_ms);
    assert_true(ask_grant(w, 0).grant_found && ask_grant(w, 0).uninstalled_ms == uninstall.now_ms);
    purge_all(w, due_ms + 1);
    assert_false(ask_grant(w, 0).grant_found);
    struct facts kept = ask_grant(w, 7);
    assert_true(kept.grant_found && kept.uninstalled_ms == 0 && ask_grant(w, 1).grant_found);
}

/* More grants than one batch takes: the uninstall is remembered until the last of them is gone. */
static void test_an_uninstall_outlives_its_grants(void **state) {
    struct world *w = *state;
    enum { N = 700 };
    struct change uninstall = change_of(CHANGE_UNINSTALL, 0);
    for (uint32_t n = 0; n < N; n++) {
        struct change insert = insert_of(n * 7); /* all of one account */
        apply(w, &insert);
    }
    uninstall.now_ms = NOW_MS + 7 * N;
    apply(w, &uninstall);
    const int64_t due_ms = uninstall.now_ms + 30 * DAY_MS + 1;
    struct listing grants = {.kind = LISTING_GRANTS};
    bool more = false;
    assert_rc(storage_purge(w->admin, due_ms, w->arena, &more));
    struct listed rows = list(w, &grants);
    assert_int_equal(rows.n, N - 500);
    assert_true(more);
    struct facts f;
    struct ask ask = {.kind = ASK_GRANT, .grant_id = ((struct grant *)rows.rows)->id};
    assert_rc(storage_question(w->admin, &ask, w->arena, &f));
    assert_true(f.grant_found && f.uninstalled_ms == uninstall.now_ms); /* dead, still */
    assert_rc(storage_purge(w->admin, due_ms, w->arena, &more));
    assert_false(more);
    assert_int_equal(list(w, &grants).n, 0);
}

int run_admin(void) {
    const struct CMUnitTest tests[] = {
        ROW(test_an_app_comes_back_as_it_was),
        ROW(test_apps_are_created_and_updated),
        ROW(test_two_secrets_live_at_once),
        ROW(test_scopes),
        ROW(test_resources),
        ROW(test_accounts_come_in_pages),
        ROW(test_users_are_unique_without_case),
        ROW(test_members),
        ROW(test_keys),
        ROW(test_signing_keys),
        ROW(test_grants_are_found_by_every_filter),
        ROW(test_every_edit_raises_the_version),
        ROW(test_an_id_past_the_last_is_refused),
        ROW(test_purge_takes_what_expired_in_batches),
        ROW(test_purge_of_an_uninstalled_app),
        ROW(test_an_uninstall_outlives_its_grants),
    };
    return cmocka_run_group_tests_name("administration", tests, NULL, NULL);
}
