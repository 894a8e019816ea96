#include "registry.h"

#include "rows_test.h"

static struct registry *make(size_t n_apps, size_t n_scopes) {
    struct arena *a = arena_new(4096);
    struct registry *r = ARENA_NEW(a, struct registry);
    *r = (struct registry){.arena = a, .n_apps = n_apps, .n_scopes = n_scopes};
    r->apps = ARENA_ARRAY(a, struct app, n_apps);
    r->scopes = ARENA_ARRAY(a, struct scope, n_scopes);
    for (size_t i = 0; i < n_apps; i++) {
        r->apps[i].app_id = (int32_t)(i * 1024 + 1);
        r->apps[i].client_id = arena_printf(a, "app-%zu", i);
    }
    for (size_t i = 0; i < n_scopes; i++)
        r->scopes[i] = (struct scope){.id = (uint16_t)(i * 2 + 2), .name = arena_printf(a, "crm.objects.%zu.read", i)};
    registry_index(r);
    return r;
}

static void check_all(size_t n_apps, size_t n_scopes) {
    struct registry *r = make(n_apps, n_scopes);
    for (size_t i = 0; i < n_apps; i++) {
        CHECK(i, registry_app_by_id(r, r->apps[i].app_id) == &r->apps[i]);
        CHECK(i, registry_app_by_client_id(r, r->apps[i].client_id) == &r->apps[i]);
        CHECK(i, registry_app_by_client_id(r, str_head(r->apps[i].client_id, 4)) == NULL);
        CHECK(i, registry_app_by_id(r, r->apps[i].app_id + 1) == NULL);
        CHECK(i, registry_app_by_id(r, -r->apps[i].app_id) == NULL);
    }
    for (size_t i = 0; i < n_scopes; i++) {
        CHECK(i, registry_scope_by_name(r, r->scopes[i].name) == &r->scopes[i]);
        CHECK(i, registry_scope_by_id(r, r->scopes[i].id) == &r->scopes[i]);
        CHECK(i, registry_scope_by_id(r, (uint16_t)(r->scopes[i].id - 1)) == NULL);
        CHECK(i, registry_scope_by_name(r, str_from(r->scopes[i].name, 1)) == NULL);
    }
    assert_null(registry_app_by_id(r, 0));
    assert_null(registry_app_by_client_id(r, S("")));
    assert_null(registry_scope_by_name(r, S("")));
    assert_null(registry_scope_by_id(r, 0));
    assert_null(registry_scope_by_id(r, UINT16_MAX));
    arena_free(r->arena);
}

static void test_lookups(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{0, 0}, {1, 1}, {2, 3}, {3, 2}, {4, 4}, {5, 300}, {1000, 1}, {5000, 2000}};
    for (size_t i = 0; i < COUNT(sizes); i++) check_all(sizes[i][0], sizes[i][1]);
}

static void test_disabled_apps_are_found(void **state) {
    (void)state;
    struct registry *r = make(3, 0);
    r->apps[1].flags = APP_DISABLED | APP_DELETED;
    const struct app *app = registry_app_by_client_id(r, S("app-1"));
    assert_ptr_equal(app, &r->apps[1]);
    assert_true(app_has(app, APP_DISABLED));
    assert_true(app_has(app, APP_DELETED));
    assert_false(app_has(app, APP_PUBLIC));
    arena_free(r->arena);
}

/* The most keys of one app, whatever the others have. */
static void test_keys_of_secrets_are_counted(void **state) {
    (void)state;
    static const struct {
        size_t n[2];
        int32_t keys[2][SECRETS_PER_APP_MAX];
        size_t want;
    } rows[] = {
        {{0, 0}, {{0}, {0}}, 1},    {{1, 1}, {{1}, {2}}, 1},       {{2, 0}, {{3, 3}, {0}}, 1},
        {{1, 2}, {{1}, {1, 2}}, 2}, {{2, 2}, {{2, 1}, {1, 1}}, 2},
    };
    for (size_t row = 0; row < COUNT(rows); row++) {
        struct app apps[2] = {{.app_id = 1, .client_id = S("a")}, {.app_id = 2, .client_id = S("b")}};
        struct registry r = {.arena = arena_new(4096), .apps = apps, .n_apps = 2};
        for (size_t i = 0; i < 2; i++) {
            apps[i].n_secrets = rows[row].n[i];
            for (size_t k = 0; k < SECRETS_PER_APP_MAX; k++)
                apps[i].secrets[k].key_number = (uint8_t)rows[row].keys[i][k];
        }
        registry_index(&r);
        CHECK(row, r.secret_keys == rows[row].want);
        arena_free(r.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookups),
        cmocka_unit_test(test_keys_of_secrets_are_counted),
        cmocka_unit_test(test_disabled_apps_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
