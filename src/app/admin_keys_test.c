/* The commands on keys. */
#include "admin_kit_test.h"

#define KEYS "/admin/v1/keys"

static void test_first_keys(void **state) {
    struct admin_reply reply = call(*state, HTTP_GET, KEYS, "");
    assert_int_equal(reply.status, 200);
    assert_true(holds(reply.body, "{\"kind\":\"ring\",\"key\":\"1\",\"status\":\"used\""));
    assert_true(holds(reply.body, "{\"kind\":\"es256\",\"key\":\""));
    assert_false(holds(reply.body, "rs256"));
}

/* A new key waits; one at a time; at once when it must be. What it replaced is still known. */
static void test_rotation(void **state) {
    struct fixture *f = *state;
    const struct snapshot *before = f->instance->snapshot;
    static const struct {
        const char *body;
        int status;
    } rows[] = {
        {"{}", 400},
        {"{\"kind\":\"hs256\"}", 400},
        {"{\"kind\":\"rs256\"}", 409}, /* nobody asks for ID tokens */
        {"{\"kind\":\"es256\"}", 201},
        {"{\"kind\":\"es256\"}", 409}, /* it waits */
        {"{\"kind\":\"ring\",\"now\":true}", 201},
        {"{\"kind\":\"ring\",\"now\":true}", 201},
    };
    for (size_t i = 0; i < COUNT(rows); i++) CHECK(i, call(f, HTTP_POST, KEYS, rows[i].body).status == rows[i].status);
    assert_ptr_not_equal(f->instance->snapshot, before);
    assert_int_equal(f->instance->keyring->n, 3);
    assert_int_equal(f->instance->snapshot->keys->signers.keys.n, 2);
    struct admin_reply reply = call(f, HTTP_GET, KEYS, "");
    assert_true(holds(reply.body, "\"status\":\"next\"") && holds(reply.body, "\"status\":\"retired\""));
}

/* ID tokens need RS256; the scope that asks for them brings the key. */
static void test_openid_brings_rs256(void **state) {
    struct fixture *f = *state;
    assert_int_equal(call(f, HTTP_POST, "/admin/v1/scopes", "{\"name\":\"openid\"}").status, 201);
    assert_true(holds(call(f, HTTP_GET, KEYS, "").body, "{\"kind\":\"rs256\",\"key\":\""));
    assert_int_equal(call(f, HTTP_POST, KEYS, "{\"kind\":\"rs256\"}").status, 201);
}

static struct admin_reply remove_key(struct fixture *f, str key, const char *query) {
    const char *target = arena_cstr(f->arena, arena_printf(f->arena, KEYS "/%.*s%s", STR_ARG(key), query));
    return call(f, HTTP_DELETE, target, "");
}

/* A key that is not trusted any more goes at once and for good; not the one that is in use. norm: D10 */
static void test_removal(void **state) {
    struct fixture *f = *state;
    const struct jose_signers *signers = &f->instance->snapshot->keys->signers;
    str kid = arena_copy(f->arena, jose_key_kid(signers->current[JOSE_ES256]));
    assert_int_equal(remove_key(f, S("nobody"), "?yes=true").status, 404);
    assert_true(holds(remove_key(f, kid, "?yes=true").body, "this key is in use"));
    assert_true(holds(remove_key(f, S("1"), "?yes=true").body, "this key is in use"));
    assert_int_equal(call(f, HTTP_POST, KEYS, "{\"kind\":\"es256\",\"now\":true}").status, 201);
    assert_int_equal(call(f, HTTP_POST, "/admin/v1/apps", "{\"name\":\"Api\",\"resource_server\":true}").status, 201);
    assert_int_equal(call(f, HTTP_POST, KEYS, "{\"kind\":\"ring\",\"now\":true}").status, 201);
    assert_true(holds(remove_key(f, kid, "").body, "give --yes to do it"));
    assert_true(holds(remove_key(f, S("1"), "").body, "1 live client secrets refused"));
    assert_int_equal(f->instance->snapshot->keys->signers.keys.n, 2);

    struct admin_reply gone = remove_key(f, kid, "?yes=true");
    assert_true(gone.status == 200 && holds(gone.body, "\"kind\":\"es256\"") &&
                holds(gone.body, "\"status\":\"removed\""));
    assert_true(holds(remove_key(f, S("1"), "?yes=true").body, "\"secrets_lost\":1"));
    assert_int_equal(remove_key(f, S("1"), "?yes=true").status, 404);
    signers = &f->instance->snapshot->keys->signers;
    assert_int_equal(signers->keys.n, 1);
    assert_false(str_eq(jose_key_kid(signers->current[JOSE_ES256]), kid));
    assert_true(f->instance->keyring->n == 1 && !f->instance->keyring->by_number[1]);
    /* one that waits may go as well */
    assert_int_equal(call(f, HTTP_POST, KEYS, "{\"kind\":\"ring\"}").status, 201);
    assert_int_equal(remove_key(f, S("3"), "?yes=true").status, 200);
    assert_true(f->instance->keyring->n == 1 && f->instance->keyring->current->number == 2);
}

/* What the server does by itself, on its clock: nothing until a key is due, then a new snapshot. */
static void test_keeping(void **state) {
    struct fixture *f = *state;
    const struct snapshot *before = f->instance->snapshot;
    int64_t due_ms = before->keys->next_change_ms;
    assert_true(rc_ok(instance_keep_keys(f->instance, due_ms - 1)));
    assert_ptr_equal(f->instance->snapshot, before);
    assert_true(rc_ok(instance_keep_keys(f->instance, due_ms)));
    assert_ptr_not_equal(f->instance->snapshot, before);
    assert_int_equal(f->instance->snapshot->keys->signers.keys.n, 2);
    str kid = arena_copy(f->arena, jose_key_kid(f->instance->snapshot->keys->signers.current[JOSE_ES256]));
    assert_true(rc_ok(instance_keep_keys(f->instance, f->instance->snapshot->keys->next_change_ms)));
    assert_false(str_eq(jose_key_kid(f->instance->snapshot->keys->signers.current[JOSE_ES256]), kid));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_keys, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_rotation, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_openid_brings_rs256, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_removal, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_keeping, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
