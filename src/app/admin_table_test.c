/* The table agrees with itself; values; help and documents that come from it; answers as text. */
#include "admin_docs.h"
#include "admin_parse.h"
#include "admin_text.h"

#include "rows_test.h"

static void test_commands(void **state) {
    (void)state;
    for (size_t i = 0; i < admin_command_count; i++) {
        const struct admin_command *c = &admin_commands[i];
        CHECK(i, str_starts_with(str_of(c->path), S("/admin/v1/")));
        CHECK(i, c->handler && c->doc[0] && c->doc[strlen(c->doc) - 1] == '.');
        CHECK(i, c->status == 200 || c->status == 201 || c->status == 202);
        CHECK(i, (c->rows[0] != '\0') == (c->columns[0] != '\0'));
        for (size_t k = 0; k < i; k++) {
            bool same_path = str_eq(str_of(c->path), str_of(admin_commands[k].path));
            CHECK(i, !same_path || c->method != admin_commands[k].method);
        }
    }
}

/* Every {name} of a path is an argument of the command, and every PATH argument stands in the path. */
static void test_paths(void **state) {
    (void)state;
    for (size_t i = 0; i < admin_command_count; i++) {
        size_t variables = 0, uses = 0;
        for (const char *p = admin_commands[i].path; *p; p++) variables += *p == '{';
        for (const struct admin_use *u = admin_commands[i].uses; u->use; u++) {
            char segment[64];
            struct buf b = buf_on(segment, sizeof segment - 1);
            buf_printf(&b, "{%s}", admin_use_arg(u)->name);
            segment[b.n] = '\0';
            CHECK(i, (u->use == USE_PATH) == (strstr(admin_commands[i].path, segment) != NULL));
            uses += u->use == USE_PATH;
        }
        CHECK(i, variables == uses);
    }
}

static void test_names_are_distinct(void **state) {
    (void)state;
    for (size_t i = 0; i < admin_command_count; i++) {
        const struct admin_use *uses = admin_commands[i].uses;
        for (size_t a = 0; uses[a].use; a++)
            for (size_t b = 0; b < a; b++) {
                CHECK(i, !str_eq(str_of(admin_use_arg(&uses[a])->name), str_of(admin_use_arg(&uses[b])->name)));
                CHECK(i, !str_eq(str_of(admin_use_arg(&uses[a])->flag), str_of(admin_use_arg(&uses[b])->flag)));
            }
        CHECK(i, !uses[ADMIN_USES_MAX - 1].use);
    }
}

static void test_arguments_are_used(void **state) {
    (void)state;
    for (size_t a = 0; a < ADMIN_ARG_COUNT; a++) {
        bool used = false;
        for (size_t i = 0; i < admin_command_count; i++)
            for (const struct admin_use *u = admin_commands[i].uses; u->use; u++) used = used || u->arg == a;
        CHECK(a, used);
        CHECK(a, str_starts_with(str_of(admin_args[a].flag), S("--")) && admin_args[a].doc[0]);
    }
}

static void test_values(void **state) {
    (void)state;
    static const struct {
        enum admin_arg_id arg;
        str value;
        bool good;
    } rows[] = {
        {ADMIN_ARG_domain, S("a"), true},
        {ADMIN_ARG_domain, S("a.b-c.example"), true},
        {ADMIN_ARG_domain, S("a."), false},
        {ADMIN_ARG_domain, S(".a"), false},
        {ADMIN_ARG_domain, S("a-.example"), false},
        {ADMIN_ARG_domain, S("a_b.example"), false},
        {ADMIN_ARG_domain, S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b"), true},
        {ADMIN_ARG_domain, S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b"), false},
        {ADMIN_ARG_email, S("a.b+c@d.example"), true},
        {ADMIN_ARG_email, S("a@localhost"), true},
        {ADMIN_ARG_email, S("@d.example"), false},
        {ADMIN_ARG_email, S("a@"), false},
        {ADMIN_ARG_email, S("a@@d"), false},
        {ADMIN_ARG_email, S("a..b@d"), false},
        {ADMIN_ARG_email, S(".a@d"), false},
        {ADMIN_ARG_email, S("a.@d"), false},
        {ADMIN_ARG_email, S("a\0b@d"), false},
        {ADMIN_ARG_email, S("\"a b\"@d"), false},
        {ADMIN_ARG_user, S("12"), true},
        {ADMIN_ARG_user, S("-1"), false},
        {ADMIN_ARG_access_ttl_s, S("30m"), true},
        {ADMIN_ARG_access_ttl_s, S(""), false},
        {ADMIN_ARG_access_ttl_s, S("2d"), false},
        {ADMIN_ARG_refresh_idle_s, S("0"), true},
        {ADMIN_ARG_refresh_idle_s, S("99999999999999999999"), false},
        {ADMIN_ARG_site_url, S(""), true},
        {ADMIN_ARG_site_url, S("https://a.example/x"), true},
        {ADMIN_ARG_site_url, S("https:///x"), false},
        {ADMIN_ARG_site_url, S("ftp://a.example"), false},
        {ADMIN_ARG_site_url, S("https://a.example/<x>"), false},
        {ADMIN_ARG_site_url, S("https://a.example/ x"), false},
        {ADMIN_ARG_scope, S("crm.objects.contacts.read"), true},
        {ADMIN_ARG_scope, S("a\"b"), false},
        {ADMIN_ARG_scope, S("a\\b"), false},
        {ADMIN_ARG_role, S("installer"), true},
        {ADMIN_ARG_role, S("Installer"), false},
        {ADMIN_ARG_file, S("/a"), true},
        {ADMIN_ARG_file, S("a"), false},
        {ADMIN_ARG_file, S("/a/"), false},
        {ADMIN_ARG_grant, S("0123456789ABCDEFabcdef0123456789"), true},
        {ADMIN_ARG_grant, S("0123456789ABCDEFabcdef012345678"), false},
        {ADMIN_ARG_all, S("true"), true},
        {ADMIN_ARG_all, S(""), false},
        {ADMIN_ARG_password, S("1234567"), false},
        {ADMIN_ARG_password, S("12345678"), true},
        {ADMIN_ARG_name, S("\xC3\x28"), false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(i, !admin_value_problem(&admin_args[rows[i].arg], rows[i].value) == rows[i].good);
}

static const struct admin_command *named(const char *id) {
    for (size_t i = 0; i < admin_command_count; i++)
        if (str_eq(str_of(admin_commands[i].id), str_of(id))) return &admin_commands[i];
    fail_msg("no command %s", id);
    return NULL;
}

static void check_text(const struct buf *out, const char *expected) {
    if (!str_eq(buf_str(out), str_of(expected))) fail_msg("%.*s", STR_ARG(buf_str(out)));
}

static void test_usage(void **state) {
    (void)state;
    char memory[512];
    struct buf out = buf_on(memory, sizeof memory);
    admin_write_usage(named("member_add"), &out);
    check_text(&out, "grantd account member add HUB_ID USER [--role ROLE]");
    buf_clear(&out);
    admin_write_usage(named("user_set_password"), &out);
    check_text(&out, "grantd user set-password USER --password-file FILE");
}

static void test_documents_mention_all(void **state) {
    (void)state;
    struct buf page = buf_growing(1 << 20), schema = buf_growing(1 << 20), help = buf_growing(1 << 20);
    admin_write_markdown(&page);
    admin_write_openapi(&schema);
    admin_write_commands(S(""), &help);
    buf_add_char(&page, '\0');
    buf_add_char(&schema, '\0');
    buf_add_char(&help, '\0');
    assert_false(buf_failed(&page) || buf_failed(&schema) || buf_failed(&help));
    for (size_t i = 0; i < admin_command_count; i++) {
        CHECK(i, strstr(page.p, admin_commands[i].path) && strstr(schema.p, admin_commands[i].path));
        CHECK(i, strstr(page.p, admin_commands[i].words) && strstr(help.p, admin_commands[i].words));
        CHECK(i, strstr(schema.p, admin_commands[i].id));
    }
    buf_free(&page);
    buf_free(&schema);
    buf_free(&help);
}

static void test_table_text(void **state) {
    (void)state;
    struct arena *arena = arena_new(4096);
    struct admin_answer *a = admin_answer_new(named("scope_list"));
    struct buf out = buf_growing(4096);
    str next;
    assert_true(admin_answer_add(a,
                                 S("{\"scopes\":[{\"name\":\"a\",\"title\":\"\\u00c4\\u00d6 x\",\"status\":\"shown\"}],"
                                   "\"next\":\"1\"}"),
                                 0, arena, &next));
    assert_true(str_eq(next, S("1")));
    assert_true(admin_answer_add(a,
                                 S("{\"scopes\":[{\"name\":\"bb\",\"title\":\"\",\"status\":\"a\\u001b[31m\"}],"
                                   "\"next\":null}"),
                                 0, arena, &next));
    assert_true(str_is_empty(next));
    admin_answer_write_text(a, &out);
    check_text(&out, "NAME  TITLE  STATUS\n"
                     "a     \xC3\x84\xC3\x96 x   shown\n"
                     "bb    -      a?[31m\n");
    buf_clear(&out);
    admin_answer_write_json(a, &out);
    assert_true(str_starts_with(buf_str(&out), S("{\"scopes\":[{\"name\":\"a\"")));
    assert_int_equal(admin_answer_rows(a), 2);
    admin_answer_free(a);
    buf_free(&out);
    arena_free(arena);
}

static void test_limit_cuts(void **state) {
    (void)state;
    struct arena *arena = arena_new(4096);
    struct admin_answer *a = admin_answer_new(named("key_list"));
    str next;
    assert_true(admin_answer_add(a, S("{\"keys\":[{},{},{}],\"next\":\"3\"}"), 2, arena, &next));
    assert_true(str_is_empty(next));
    assert_int_equal(admin_answer_rows(a), 2);
    static const str bad[] = {S(""), S("{"), S("[]"), S("{}"), S("{\"keys\":1}")};
    for (size_t i = 0; i < COUNT(bad); i++) CHECK(i, !admin_answer_add(a, bad[i], 0, arena, &next));
    admin_answer_free(a);
    arena_free(arena);
}

static void test_field_text(void **state) {
    (void)state;
    struct arena *arena = arena_new(4096);
    struct admin_answer *a = admin_answer_new(named("app_show"));
    struct buf out = buf_growing(4096);
    str next;
    assert_true(
        admin_answer_add(a, S("{\"app_id\":1,\"list\":[\"a\",\"b\"],\"none\":[],\"on\":true,\"client_secret\":\"s\"}"),
                         0, arena, &next));
    admin_answer_write_text(a, &out);
    check_text(&out, "app_id         1\n"
                     "list           a\n"
                     "               b\n"
                     "none           -\n"
                     "on             yes\n"
                     "client_secret  s\n"
                     "\nKeep it now: it is not shown again.\n");
    admin_answer_free(a);
    buf_free(&out);
    arena_free(arena);
}

static void test_error_text(void **state) {
    (void)state;
    struct arena *arena = arena_new(1024);
    str code, message;
    assert_true(admin_error_read(S("{\"error\":{\"code\":\"c\",\"message\":\"a\\nb\"}}"), arena, &code, &message));
    assert_true(str_eq(code, S("c")) && str_eq(message, S("a?b")));
    static const str bad[] = {S(""), S("{}"), S("{\"error\":\"x\"}"), S("{\"error\":{\"code\":1}}")};
    for (size_t i = 0; i < COUNT(bad); i++) CHECK(i, !admin_error_read(bad[i], arena, &code, &message));
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_names_are_distinct),
        cmocka_unit_test(test_arguments_are_used),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_documents_mention_all),
        cmocka_unit_test(test_table_text),
        cmocka_unit_test(test_limit_cuts),
        cmocka_unit_test(test_field_text),
        cmocka_unit_test(test_error_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
