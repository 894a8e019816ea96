/* What rules ask and change: every ask, every change, and who is LOST. */
#include "contract.h"

static void test_a_grant_comes_back_as_it_was(void **state) {
    struct world *w = *state;
    populate(w);
    struct change insert = insert_of(0);
    insert.grant.resources = S("\x00\x01\x02\x03");
    insert.grant.certificate = S("0123456789abcdef0123456789abcdef");
    insert.grant.expires_ms = NOW_MS + 5000;
    insert.grant.generation = UINT32_MAX;
    insert.grant.rotated_ms = 4;
    insert.grant.access_not_before_ms = 5;
    insert.grant.last_used_day = 20000;
    assert_int_equal(apply(w, &insert), OUTCOME_DONE);

    struct facts f = ask_grant(w, 0);
    const struct grant *want = &insert.grant, *got = &f.grant;
    assert_true(f.grant_found);
    assert_memory_equal(&got->id, &want->id, sizeof got->id);
    assert_memory_equal(got->salt, want->salt, sizeof got->salt);
    assert_true(str_eq(got->scopes, want->scopes) && str_eq(got->resources, want->resources));
    assert_true(str_eq(got->certificate, want->certificate));
    assert_int_equal(got->app_id, want->app_id);
    assert_int_equal(got->hub_id, want->hub_id);
    assert_int_equal(got->user_id, want->user_id);
    assert_true(got->created_ms == want->created_ms && got->expires_ms == want->expires_ms);
    assert_true(got->generation == want->generation && got->rotated_ms == want->rotated_ms);
    assert_true(got->access_not_before_ms == want->access_not_before_ms && got->revoked_ms == 0);
    assert_true(got->last_used_day == want->last_used_day && got->auth_time_ms == want->auth_time_ms);
}

static void test_a_grant_comes_with_its_subject(void **state) {
    struct world *w = *state;
    populate(w);
    struct change insert = insert_of(0), uninstall = change_of(CHANGE_UNINSTALL, 0);
    apply(w, &insert);
    struct facts f = ask_grant(w, 0);
    assert_true(f.subject.user_found && f.subject.user_enabled && f.subject.account_found);
    assert_true(f.subject.account_enabled && f.subject.member && f.uninstalled_ms == 0);
    assert_true(str_eq(f.subject.email, S("Ann@A.example")) && str_eq(f.subject.user_name, S("Ann")));
    assert_true(str_eq(f.subject.domain, S("a.example")));
    assert_true(f.subject.email_verified && f.subject.user_updated_ms == NOW_MS + 2);

    struct user user = {.user_id = 1001, .email = S("ann@a.example"), .disabled_ms = 7};
    struct account account = {.hub_id = 1001, .domain = S("b.example"), .disabled_ms = 8};
    edit(w, &(struct edit){.kind = EDIT_USER_UPDATE, .user = &user}, NULL);
    edit(w, &(struct edit){.kind = EDIT_ACCOUNT_UPDATE, .account = &account}, NULL);
    edit(w, &(struct edit){.kind = EDIT_MEMBER_DELETE, .member = {1001, 1001, 0}}, NULL);
    apply(w, &uninstall);
    f = ask_grant(w, 0);
    assert_true(f.grant_found && f.subject.user_found && !f.subject.user_enabled && f.subject.account_found);
    assert_true(!f.subject.account_enabled && !f.subject.member && f.uninstalled_ms == NOW_MS);
    assert_true(!f.subject.email_verified && f.subject.user_updated_ms == 0);
}

static void test_what_is_not_there(void **state) {
    struct world *w = *state;
    assert_false(ask_grant(w, 3).grant_found);
    struct facts f;
    struct ask subject = {.kind = ASK_SUBJECT, .user_id = 9, .hub_id = 9, .app_id = 9},
               token = {.kind = ASK_REVOKED_TOKEN};
    assert_rc(storage_question(w->admin, &subject, w->arena, &f));
    assert_false(f.subject.user_found || f.subject.account_found || f.subject.member || f.subject.user_enabled ||
                 f.subject.account_enabled || f.uninstalled_ms);
    assert_rc(storage_question(w->admin, &token, w->arena, &f));
    assert_false(f.token_revoked);
}

static void test_a_grant_without_its_subject(void **state) {
    struct world *w = *state;
    struct change insert = insert_of(0);
    apply(w, &insert);
    struct facts f = ask_grant(w, 0);
    assert_true(f.grant_found && !f.subject.user_found && !f.subject.account_found && !f.subject.member);
}

/* A member of another account is none of this one. */
static void test_membership_is_of_one_account(void **state) {
    struct world *w = *state;
    struct change insert = insert_of(0);
    apply(w, &insert);
    edit(w, &(struct edit){.kind = EDIT_MEMBER_PUT, .member = {1001, 1002, MEMBER_USER}}, NULL);
    edit(w, &(struct edit){.kind = EDIT_MEMBER_PUT, .member = {1002, 1001, MEMBER_USER}}, NULL);
    struct facts f;
    struct ask ask = {.kind = ASK_SUBJECT, .user_id = 1001, .hub_id = 1001};
    assert_false(ask_grant(w, 0).subject.member);
    assert_rc(storage_question(w->admin, &ask, w->arena, &f));
    assert_false(f.subject.member);
}

#define MANY_ACCOUNTS 120

/* Accounts "Shop 000", "shop 001" ...: the odd ones may be installed into; the last one is called otherwise. */
static void put_accounts(struct world *w) {
    for (int32_t n = 0; n < MANY_ACCOUNTS; n++) {
        int32_t hub_id = 5000 + n;
        bool is_last = n == MANY_ACCOUNTS - 1;
        struct account account = {
            .hub_id = hub_id,
            .name = is_last ? S("100%_'\\ Sure") : arena_printf(w->arena, n % 2 ? "shop %03d" : "Shop %03d", (int)n),
            .domain = arena_printf(w->arena, "s%d.Example", (int)n),
            .created_ms = NOW_MS,
        };
        edit(w, &(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &account}, NULL);
        edit(w, &(struct edit){.kind = EDIT_MEMBER_PUT, .member = {77, hub_id, n % 2}}, NULL);
    }
}

/* The number of accounts, and (out_first) the first. */
static size_t memberships(struct world *w, struct ask ask, int32_t *out_first, bool *out_more) {
    struct facts f;
    ask.kind = ASK_MEMBERSHIPS;
    ask.user_id = 77;
    assert_rc(storage_question(w->admin, &ask, w->arena, &f));
    *out_first = f.n_memberships ? f.memberships->account.hub_id : 0;
    *out_more = f.more_memberships;
    return f.n_memberships;
}

static void test_many_accounts_come_by_pages(void **state) {
    struct world *w = *state;
    put_accounts(w);
    const struct {
        struct ask ask;
        size_t n;
        int32_t first;
        bool more;
    } cases[] = {
        {{.page = 0}, MEMBERSHIPS_MAX, 5000 + MANY_ACCOUNTS - 1, true}, /* "1" stands before "s" */
        {{.page = 1}, MEMBERSHIPS_MAX, 5000 + MEMBERSHIPS_MAX - 1, true},
        {{.page = 2}, MANY_ACCOUNTS - 2 * MEMBERSHIPS_MAX, 5000 + 2 * MEMBERSHIPS_MAX - 1, false},
        {{.page = 3}, 0, 0, false},
        {{.page = MEMBERSHIP_PAGES_MAX}, 0, 0, false},
        {{.find = S("SHOP 11")}, 9, 5110, false},
        {{.find = S("S7.eXample")}, 1, 5007, false}, /* of the domain: s17.example is another text */
        {{.find = S("5042")}, 1, 5042, false},
        {{.find = S("shop")}, MEMBERSHIPS_MAX, 5000, true},
        {{.find = S("shop"), .page = 2}, MANY_ACCOUNTS - 1 - 2 * MEMBERSHIPS_MAX, 5100, false},
        {{.find = S("%")}, 1, 5119, false},
        {{.find = S("_'\\")}, 1, 5119, false},
        {{.find = S("sh_p")}, 0, 0, false},
        {{.find = S("' OR 1=1 --")}, 0, 0, false},
        {{.hub_list = S(",5003,5119,")}, 2, 5119, false},
        {{.hub_list = S(",15003,500,")}, 0, 0, false},
        {{.hub_list = S(",5003,5004,"), .find = S("004")}, 1, 5004, false},
        {{.hub_id = 5009}, 1, 5009, false},
        {{.hub_id = 5009, .hub_list = S(",5003,")}, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t first;
        bool more;
        assert_int_equal(memberships(w, cases[i].ask, &first, &more), cases[i].n);
        assert_int_equal(first, cases[i].first);
        assert_int_equal(more, cases[i].more);
    }
}

/* A read that failed is a fault, never an answer. */
static void test_a_failed_read_is_not_an_answer(void **state) {
    struct world *w = *state;
    struct change insert = insert_of(0);
    apply(w, &insert);
    storage_admin_close(w->admin);
    w->db = db_wrap_failing(w->db, 1, FAULT_DB_IO);
    assert_rc(storage_admin_open(w->db, &w->admin));
    struct client c;
    client_open(&c, w->db);
    const enum fault want[] = {FAULT_DB_IO, FAULT_NONE};
    for (size_t i = 0; i < 2; i++) {
        struct client_call call;
        client_ask_grant(&c, &call, 0);
        client_wait(&c);
        assert_int_equal(call.call.rc.fault, want[i]);
        assert_int_equal(call.facts.grant_found, want[i] == FAULT_NONE);
        client_call_free(&call);
    }
    client_close(&c);
    struct facts f;
    struct ask ask = {.kind = ASK_GRANT, .grant_id = insert.grant.id};
    db_failing_set(w->db, 1, FAULT_DB_BUSY);
    assert_fault(storage_question(w->admin, &ask, w->arena, &f), DB_BUSY);
    assert_rc(storage_question(w->admin, &ask, w->arena, &f));
}

static void test_an_id_is_taken_once(void **state) {
    struct world *w = *state;
    struct change first = insert_of(0), second = insert_of(0);
    second.grant.user_id = 77;
    assert_int_equal(apply(w, &first), OUTCOME_DONE);
    assert_int_equal(apply(w, &second), OUTCOME_LOST);
    assert_int_equal(ask_grant(w, 0).grant.user_id, first.grant.user_id);
}

static void test_rotation_goes_up_by_one(void **state) {
    struct world *w = *state;
    struct change insert = insert_of(0), rotate = change_of(CHANGE_GRANT_ROTATE, 0);
    apply(w, &insert);
    const struct {
        uint32_t to;
        int32_t day;
        enum outcome outcome;
        uint32_t then;
        int32_t then_day;
    } cases[] = {
        {2, 9, OUTCOME_LOST, 0, 0}, {1, 9, OUTCOME_DONE, 1, 9}, {1, 9, OUTCOME_LOST, 1, 9},
        {2, 0, OUTCOME_DONE, 2, 9}, {0, 9, OUTCOME_LOST, 2, 9}, {3, 10, OUTCOME_DONE, 3, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rotate.generation = cases[i].to;
        rotate.day = cases[i].day;
        rotate.now_ms = NOW_MS + (int64_t)i;
        assert_int_equal(apply(w, &rotate), cases[i].outcome);
        struct grant g = ask_grant(w, 0).grant;
        assert_int_equal(g.generation, cases[i].then);
        assert_int_equal(g.last_used_day, cases[i].then_day);
        if (cases[i].outcome == OUTCOME_DONE) assert_true(g.rotated_ms == rotate.now_ms);
    }
}

static void test_a_revoked_grant_does_not_rotate(void **state) {
    struct world *w = *state;
    struct change insert = insert_of(0), revoke = change_of(CHANGE_GRANT_REVOKE, 0),
                  rotate = change_of(CHANGE_GRANT_ROTATE, 0);
    apply(w, &insert);
    rotate.generation = 1;
    revoke.expires_ms = NOW_MS + 1000;
    assert_int_equal(apply(w, &revoke), OUTCOME_DONE);
    assert_int_equal(apply(w, &rotate), OUTCOME_LOST);
    assert_int_equal(ask_grant(w, 0).grant.generation, 0);
}

/* The first revocation counts, and a row never lives longer through one. */
static void test_revocation(void **state) {
    struct world *w = *state;
    const struct {
        int64_t expires_ms, revoke_expires_ms, then_ms;
    } cases[] = {{0, 500, 500}, {900, 500, 500}, {300, 500, 300}, {500, 500, 500}};
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct change insert = insert_of(i), revoke = change_of(CHANGE_GRANT_REVOKE, i);
        insert.grant.expires_ms = cases[i].expires_ms;
        apply(w, &insert);
        revoke.expires_ms = cases[i].revoke_expires_ms;
        apply(w, &revoke);
        revoke.now_ms += 100;
        revoke.expires_ms += 100;
        assert_int_equal(apply(w, &revoke), OUTCOME_DONE);
        struct grant g = ask_grant(w, i).grant;
        assert_true(g.revoked_ms == NOW_MS && g.expires_ms == cases[i].then_ms);
    }
    struct change nobody = change_of(CHANGE_GRANT_REVOKE, 99);
    assert_int_equal(apply(w, &nobody), OUTCOME_DONE);
}

/* Revoked as stolen: the access tokens die with it; a later good-bye of the client takes that back as little as anything else. */
static void test_revocation_of_access(void **state) {
    struct world *w = *state;
    struct change insert = insert_of(0), revoke = change_of(CHANGE_GRANT_REVOKE, 0);
    apply(w, &insert);
    apply(w, &revoke);
    assert_true(ask_grant(w, 0).grant.access_not_before_ms == 0);
    revoke.access_not_before_ms = NOW_MS + 7;
    apply(w, &revoke);
    assert_true(ask_grant(w, 0).grant.access_not_before_ms == NOW_MS + 7);
    revoke.access_not_before_ms = 0;
    apply(w, &revoke);
    assert_true(ask_grant(w, 0).grant.access_not_before_ms == NOW_MS + 7);
}

static void test_marks_never_go_back(void **state) {
    struct world *w = *state;
    struct change insert = insert_of(0), not_before = change_of(CHANGE_GRANT_NOT_BEFORE, 0),
                  touch = change_of(CHANGE_GRANT_TOUCH, 0), uninstall = change_of(CHANGE_UNINSTALL, 0);
    apply(w, &insert);
    const int64_t given[] = {100, 50, 100, 200}, then[] = {100, 100, 100, 200};
    for (size_t i = 0; i < 4; i++) {
        not_before.now_ms = uninstall.now_ms = given[i];
        touch.day = (int32_t)given[i];
        assert_int_equal(apply(w, &not_before), OUTCOME_DONE);
        assert_int_equal(apply(w, &touch), OUTCOME_DONE);
        assert_int_equal(apply(w, &uninstall), OUTCOME_DONE);
        struct facts f = ask_grant(w, 0);
        assert_true(f.grant.access_not_before_ms == then[i] && f.grant.last_used_day == then[i] &&
                    f.uninstalled_ms == then[i]);
    }
}

static void test_an_uninstall_is_of_one_app_and_account(void **state) {
    struct world *w = *state;
    struct change uninstall = change_of(CHANGE_UNINSTALL, 0);
    apply(w, &uninstall);
    const struct {
        int32_t app_id, hub_id;
        int64_t then;
    } cases[] = {{1001, 1001, NOW_MS}, {1002, 1001, 0}, {1001, 1002, 0}};
    for (size_t i = 0; i < 3; i++) {
        struct facts f;
        struct ask ask = {.kind = ASK_SUBJECT, .app_id = cases[i].app_id, .hub_id = cases[i].hub_id};
        assert_rc(storage_question(w->admin, &ask, w->arena, &f));
        assert_true(f.uninstalled_ms == cases[i].then);
    }
}

static void test_a_token_is_revoked(void **state) {
    struct world *w = *state;
    struct change revoke = {.kind = CHANGE_TOKEN_REVOKE, .expires_ms = 5};
    memset(revoke.token_id, 0xab, sizeof revoke.token_id);
    assert_int_equal(apply(w, &revoke), OUTCOME_DONE);
    assert_int_equal(apply(w, &revoke), OUTCOME_DONE);
    struct facts f;
    struct ask ask = {.kind = ASK_REVOKED_TOKEN};
    memset(ask.token_id, 0xab, sizeof ask.token_id);
    assert_rc(storage_question(w->admin, &ask, w->arena, &f));
    assert_true(f.token_revoked);
    ask.token_id[15] = 0;
    assert_rc(storage_question(w->admin, &ask, w->arena, &f));
    assert_false(f.token_revoked);
}

/* The mark of a removal moves forward only, and the same list refuses to take it. */
static void test_grants_are_revoked_with_a_mark(void **state) {
    struct world *w = *state;
    struct change insert = insert_of(0), revoke = change_of(CHANGE_GRANTS_REVOKE, 0);
    apply(w, &insert);
    revoke.user_id = insert.grant.user_id;
    revoke.takes = true;
    memset(revoke.token_id, 0xcd, sizeof revoke.token_id);
    const int64_t given[] = {500, 700, 600}, then[] = {500, 700, 700};
    for (size_t i = 0; i < 3; i++) {
        struct facts f;
        struct ask ask = {.kind = ASK_REVOKED_TOKEN};
        memset(ask.token_id, 0xcd, sizeof ask.token_id);
        revoke.expires_ms = given[i];
        assert_int_equal(apply(w, &revoke), OUTCOME_DONE);
        assert_rc(storage_question(w->admin, &ask, w->arena, &f));
        assert_true(f.token_revoked && f.token_denied_until_ms == then[i]);
    }
    assert_true(ask_grant(w, 0).grant.revoked_ms == NOW_MS);
    revoke.takes = false;
    memset(revoke.token_id, 0xce, sizeof revoke.token_id);
    apply(w, &revoke);
    struct facts f;
    struct ask ask = {.kind = ASK_REVOKED_TOKEN};
    memset(ask.token_id, 0xce, sizeof ask.token_id);
    assert_rc(storage_question(w->admin, &ask, w->arena, &f));
    assert_false(f.token_revoked);
}

/* What was consented to before a removal cannot be redeemed behind it, whatever was known when it was decided. norm: C14 */
static void test_no_grant_behind_a_removal(void **state) {
    struct world *w = *state;
    struct change revoke = change_of(CHANGE_GRANTS_REVOKE, 0);
    revoke.user_id = 1;
    revoke.takes = true;
    revoke.expires_ms = NOW_MS + REVOKED_KEPT_MS;
    memset(revoke.token_id, 0xcd, sizeof revoke.token_id);
    assert_int_equal(apply(w, &revoke), OUTCOME_DONE);
    const struct {
        int64_t created_ms;
        int mark;
        enum outcome outcome;
    } cases[] = {
        {NOW_MS - 60000, 0xcd, OUTCOME_LOST}, {NOW_MS, 0xcd, OUTCOME_LOST},      {NOW_MS + 1, 0xcd, OUTCOME_DONE},
        {NOW_MS - 60000, 0xce, OUTCOME_DONE}, {NOW_MS - 60000, 0, OUTCOME_DONE},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct change insert = insert_of(i);
        insert.grant.created_ms = cases[i].created_ms;
        memset(insert.token_id, cases[i].mark, sizeof insert.token_id);
        assert_int_equal(apply(w, &insert), cases[i].outcome);
        assert_int_equal(ask_grant(w, i).grant_found, cases[i].outcome == OUTCOME_DONE);
    }
}

static void test_two_asks_at_once(void **state) {
    struct world *w = *state;
    populate(w);
    struct client c;
    struct client_call call = {.client = &c};
    struct change insert = insert_of(0);
    apply(w, &insert);
    client_open(&c, w->db);
    client_ask_grant(&c, &call, 0);
    assert_true(call.done || !contract_driver->wakes); /* SQLite's reads are done at once */
    client_wait(&c);
    assert_true(call.facts.grant_found);
    call.done = false;
    c.under_way++;
    call.call.asks[1] = (struct ask){.kind = ASK_REVOKED_TOKEN};
    call.call.n_asks = 2;
    storage_ask(c.session, &call.call, call.arena);
    client_wait(&c);
    assert_rc(call.call.rc);
    assert_true(call.facts.grant_found && call.facts.subject.member && !call.facts.token_revoked);
    client_call_free(&call);
    client_close(&c);
}

static void check_same_facts(const struct facts *a, const struct facts *b, size_t row) {
    const struct subject *x = &a->subject, *y = &b->subject;
    bool same = a->grant_found == b->grant_found && a->uninstalled_ms == b->uninstalled_ms &&
                x->user_found == y->user_found && x->user_enabled == y->user_enabled &&
                x->account_found == y->account_found && x->account_enabled == y->account_enabled &&
                x->member == y->member && x->email_verified == y->email_verified &&
                x->user_updated_ms == y->user_updated_ms && str_eq(x->email, y->email) &&
                str_eq(x->user_name, y->user_name) && str_eq(x->domain, y->domain) &&
                a->grant.revoked_ms == b->grant.revoked_ms && a->grant.generation == b->grant.generation;
    if (!same) fail_msg("row %zu: what is remembered is not what is there", row);
}

/* A session that remembers people and accounts is told the same as one that does not: whatever was changed, by whom, and however often it asked before. */
static void test_what_is_remembered_is_what_is_there(void **state) {
    struct world *w = *state;
    static struct known_subjects known;
    struct user off = {.user_id = 1001, .email = S("ann@b.example"), .name = S("Ann B"), .disabled_ms = NOW_MS};
    struct user on = {.user_id = 1001, .email = S("ann@c.example"), .name = S("A"), .updated_ms = NOW_MS + 9};
    struct account closed = {.hub_id = 1001, .domain = S("b.example"), .name = S("B"), .disabled_ms = NOW_MS};
    struct account open = {.hub_id = 1001, .domain = S("c.example"), .name = S("C")};
    const struct edit edits[] = {
        {.kind = EDIT_USER_UPDATE, .user = &off},
        {.kind = EDIT_USER_UPDATE, .user = &on},
        {.kind = EDIT_ACCOUNT_UPDATE, .account = &closed},
        {.kind = EDIT_ACCOUNT_UPDATE, .account = &open},
        {.kind = EDIT_MEMBER_DELETE, .member = {1001, 1001, 0}},
        {.kind = EDIT_MEMBER_PUT, .member = {1001, 1001, 1}},
    };
    const struct change changes[] = {change_of(CHANGE_UNINSTALL, 0), change_of(CHANGE_GRANT_REVOKE, 0)};
    struct change insert = insert_of(0);
    struct client c;
    memset(&known, 0, sizeof known);
    populate(w);
    apply(w, &insert);
    client_open(&c, w->db);
    c.known = &known;
    const size_t n_edits = sizeof edits / sizeof edits[0], n_changes = sizeof changes / sizeof changes[0];
    size_t alone = 0;
    for (size_t i = 0; i < 1 + n_edits + n_changes; i++) {
        if (i > n_edits)
            apply(w, &changes[i - n_edits - 1]);
        else if (i > 0)
            assert_int_equal(edit(w, &edits[i - 1], NULL), OUTCOME_DONE);
        struct facts now = ask_grant(w, 0);
        for (int again = 0; again < 6; again++) {
            struct client_call call;
            client_ask_grant(&c, &call, 0);
            client_wait(&c);
            assert_rc(call.call.rc);
            check_same_facts(&call.facts, &now, i);
            alone += call.call.op.rows[0].n_cols < 20;
            client_call_free(&call);
        }
    }
    assert_in_range(alone, 30, 60); /* most questions were about the grant alone */
    client_close(&c);
}

static void test_no_change_is_done(void **state) {
    struct world *w = *state;
    assert_int_equal(apply(w, &(struct change){.kind = CHANGE_NONE}), OUTCOME_DONE);
}

int run_changes(void) {

    const struct CMUnitTest tests[] = {
        ROW(test_a_grant_comes_back_as_it_was),
        ROW(test_a_grant_comes_with_its_subject),
        ROW(test_what_is_not_there),
        ROW(test_a_grant_without_its_subject),
        ROW(test_membership_is_of_one_account),
        ROW(test_many_accounts_come_by_pages),
        ROW(test_a_failed_read_is_not_an_answer),
        ROW(test_an_id_is_taken_once),
        ROW(test_rotation_goes_up_by_one),
        ROW(test_a_revoked_grant_does_not_rotate),
        ROW(test_revocation),
        ROW(test_revocation_of_access),
        ROW(test_marks_never_go_back),
        ROW(test_an_uninstall_is_of_one_app_and_account),
        ROW(test_a_token_is_revoked),
        ROW(test_grants_are_revoked_with_a_mark),
        ROW(test_no_grant_behind_a_removal),
        ROW(test_two_asks_at_once),
        ROW(test_what_is_remembered_is_what_is_there),
        ROW(test_no_change_is_done),
    };
    return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
