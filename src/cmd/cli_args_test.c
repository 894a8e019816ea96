#include "cli_args.h"

#include "rows_test.h"

#define ARGS_MAX 16

/* A line of words becomes argv; '\'' never occurs, a word ends at a space. */
static int split(char *line, char *argv[ARGS_MAX]) {
    int n = 0;
    for (char *word = line; word && n < ARGS_MAX; n++) {
        argv[n] = word;
        word = strchr(word, ' ');
        if (word) *word++ = '\0';
    }
    return n;
}

static bool read_line(const char *line, struct arena *arena, struct cli_input *out, str *out_words) {
    char *argv[ARGS_MAX];
    int argc = split(arena_cstr(arena, str_of(line)), argv);
    return cli_args_read(argc, argv, arena, out, out_words);
}

/* What is sent for what was typed. */
static void test_requests(void **state) {
    (void)state;
    static const struct {
        const char *line, *id, *target, *body;
    } rows[] = {
        {"grantd app list", "app_list", "/admin/v1/apps", ""},
        {"grantd app list --json --limit 5", "app_list", "/admin/v1/apps?limit=5", ""},
        {"grantd --json app show x", "app_show", "/admin/v1/apps/x", ""},
        {"grantd app show --app=x", "app_show", "/admin/v1/apps/x", ""},
        {"grantd app show ../../y?z", "app_show", "/admin/v1/apps/..%2F..%2Fy%3Fz", ""},
        {"grantd app secret retire x 7", "secret_retire", "/admin/v1/apps/x/secrets/7", ""},
        {"grantd app secret retire --secret 7 x", "secret_retire", "/admin/v1/apps/x/secrets/7", ""},
        {"grantd app create --name A --scope s --scope t --public", "app_create", "/admin/v1/apps",
         "{\"name\":\"A\",\"public\":true,\"scopes\":[\"s\",\"t\"]}"},
        {"grantd app create --name=--json --no-rotate", "app_create", "/admin/v1/apps",
         "{\"name\":\"--json\",\"rotate\":false}"},
        {"grantd app update x --scope= --access-ttl 15m --rotate=false --no-private=false", "app_update",
         "/admin/v1/apps/x", "{\"scopes\":[],\"rotate\":false,\"private\":true,\"access_ttl_s\":900}"},
        {"grantd account member add 7 a@b.example --role user", "member_add",
         "/admin/v1/accounts/7/members/a%40b.example", "{\"role\":\"user\"}"},
        {"grantd grant revoke abc", "grant_revoke", "/admin/v1/grants/abc", ""},
        {"grantd grant revoke --app a --account 7", "grant_uninstall", "/admin/v1/grants?app=a&account=7", ""},
        {"grantd grant list --live --user a&b", "grant_list", "/admin/v1/grants?user=a%26b&live=true", ""},
        {"grantd scope create s --title T", "scope_create", "/admin/v1/scopes", "{\"name\":\"s\",\"title\":\"T\"}"},
        {"grantd scope create -- --s", "scope_create", "/admin/v1/scopes", "{\"name\":\"--s\"}"},
        {"grantd backup /a/b", "backup_start", "/admin/v1/backups", "{\"file\":\"/a/b\"}"},
        {"grantd backup status", "backup_show", "/admin/v1/backups", ""},
        {"grantd app disable x", "app_disable", "/admin/v1/apps/x/disable", "{}"},
    };
    struct arena *arena = arena_new(1 << 14);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli_input in;
        str words;
        if (!read_line(rows[i].line, arena, &in, &words)) fail_msg("row %zu: %.*s", i, STR_ARG(in.problem));
        CHECK(i, str_eq(str_of(in.command->id), str_of(rows[i].id)));
        CHECK(i, str_eq(cli_args_target(&in, 0, S(""), arena), str_of(rows[i].target)));
        CHECK(i, str_eq(cli_args_body(&in, arena), str_of(rows[i].body)));
        CHECK(i, in.json == (strstr(rows[i].line, " --json") != NULL));
    }
    arena_free(arena);
}

static void test_paging(void **state) {
    (void)state;
    struct arena *arena = arena_new(1 << 14);
    struct cli_input in;
    str words;
    assert_true(read_line("grantd app list --limit 5000 --after 3 --all", arena, &in, &words));
    assert_int_equal(cli_args_number(&in, ADMIN_ARG_limit), 5000);
    assert_int_equal(cli_args_number(&in, ADMIN_ARG_secret_id), 0);
    assert_true(cli_args_has(&in, ADMIN_ARG_limit) && !cli_args_has(&in, ADMIN_ARG_name));
    assert_true(str_eq(cli_args_target(&in, 1000, S(""), arena), S("/admin/v1/apps?limit=1000&all=true&after=3")));
    assert_true(str_eq(cli_args_target(&in, 1000, S("9"), arena), S("/admin/v1/apps?limit=1000&after=9&all=true")));
    arena_free(arena);
}

static void test_wrong_usage(void **state) {
    (void)state;
    static const struct {
        const char *line, *problem, *words;
    } rows[] = {
        {"grantd app", "there is no such command", "app"},
        {"grantd app secret", "there is no such command", "app secret"},
        {"grantd app eat", "there is no such command", "app eat"},
        {"grantd app show", "APP is missing", NULL},
        {"grantd app show a b", "there is a word too many: b", NULL},
        {"grantd app show a --app b", "--app was given twice", NULL},
        {"grantd app show --name x", "there is no flag --name here", NULL},
        {"grantd app show -x", "there is no flag -x here", NULL},
        {"grantd app create", "--name is missing", NULL},
        {"grantd app create --name", "--name needs a value", NULL},
        {"grantd app create --name a --name b", "--name was given twice", NULL},
        {"grantd app create --name a --public=yes", "--public takes true or false", NULL},
        {"grantd app create --name a --no-name b", "there is no flag --no-name here", NULL},
        {"grantd app create --name a --access-ttl x",
         "--access-ttl must be a duration: 90, 90s, 15m, 24h or 30d (1 to 86400)", NULL},
        {"grantd app create --name a --access-ttl 0", "--access-ttl is out of range (1 to 86400)", NULL},
        {"grantd app create --name \xFF", "--name is not text in UTF-8", NULL},
        {"grantd account show x", "--account must be a whole number (1 to 2147483647)", NULL},
        {"grantd user set-password u", "--password-file is missing", NULL},
        {"grantd grant revoke", "--app is missing", NULL},
        {"grantd grant revoke --app a", "--account is missing", NULL},
        {"grantd app create --name a --grant a --grant b --grant c --grant d", "--grant was given more than 3 times",
         NULL},
        {"grantd user set-password u --password-file /nowhere/x", "/nowhere/x: No such file or directory", NULL},
    };
    struct arena *arena = arena_new(1 << 14);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli_input in;
        str words;
        CHECK(i, !read_line(rows[i].line, arena, &in, &words));
        if (!str_eq(in.problem, str_of(rows[i].problem))) fail_msg("row %zu: %.*s", i, STR_ARG(in.problem));
        CHECK(i, !rows[i].words || (!in.command && str_eq(words, str_of(rows[i].words))));
    }
    arena_free(arena);
}

static void test_empty_words(void **state) {
    (void)state;
    struct arena *arena = arena_new(1 << 14);
    char *argv[] = {(char[]){"grantd"}, (char[]){"app"}, (char[]){"delete"}, (char[]){""}, NULL};
    struct cli_input in;
    str words;
    assert_false(cli_args_read(4, argv, arena, &in, &words)); /* an empty word would name all apps */
    assert_true(str_eq(in.problem, S("APP is empty")));
    arena_free(arena);
}

static void test_help(void **state) {
    (void)state;
    struct arena *arena = arena_new(1 << 14);
    struct cli_input in;
    str words;
    assert_true(read_line("grantd app create --help", arena, &in, &words));
    assert_true(in.help && in.command);
    read_line("grantd app -h", arena, &in, &words);
    assert_true(in.help && !in.command && str_eq(words, S("app")));
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),    cmocka_unit_test(test_paging), cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_empty_words), cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
