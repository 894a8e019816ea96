#include "options.h"

#include "rows_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_MAX 8

static char file_path[] = "/tmp/grantd-options-XXXXXX";

static void write_file(const char *text) {
    FILE *f = fopen(file_path, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

struct load {
    const char *file; /* "": no file */
    const char *env[4];
    const char *words[WORDS_MAX];
};

static struct rc load(const struct load *l, struct options *o, struct option_words *words, struct arena *arena) {
    char **argv = ARENA_ARRAY(arena, char *, WORDS_MAX + 2), **env = ARENA_ARRAY(arena, char *, 5);
    *words = (struct option_words){.words = argv};
    for (size_t i = 0; i < 4 && l->env[i]; i++) env[i] = arena_cstr(arena, str_of(l->env[i]));
    for (size_t i = 0; i < WORDS_MAX && l->words[i]; i++) argv[words->n++] = arena_cstr(arena, str_of(l->words[i]));
    if (l->file) {
        write_file(l->file);
        argv[words->n++] = arena_cstr(arena, S("--config"));
        argv[words->n++] = file_path;
    }
    return options_load(o, words, env, arena);
}

/* file < environment < flags, for every type of option. */
static void test_sources(void **state) {
    (void)state;
    static const struct {
        struct load load;
        const char *row, *value;
        enum option_source source;
    } rows[] = {
        {{NULL, {0}, {0}}, "access_ttl_s", "1800", SOURCE_DEFAULT},
        {{"[grantd]\naccess_ttl_s = 7m\n", {0}, {0}}, "access_ttl_s", "420", SOURCE_FILE},
        {{"[grantd]\naccess_ttl_s=7m", {"GRANTD_ACCESS_TTL_S=8m"}, {0}}, "access_ttl_s", "480", SOURCE_ENVIRONMENT},
        {{"[grantd]\naccess_ttl_s=7m", {"GRANTD_ACCESS_TTL_S=8m"}, {"--access-ttl", "9m"}},
         "access_ttl_s",
         "540",
         SOURCE_FLAG},
        {{NULL, {0}, {"--access-ttl=90"}}, "access_ttl_s", "90", SOURCE_FLAG},
        {{NULL, {0}, {"--access-ttl", "90", "--access-ttl", "91"}}, "access_ttl_s", "91", SOURCE_FLAG},
        {{NULL, {0}, {"--compat-v1"}}, "compat_v1", "true", SOURCE_FLAG},
        {{NULL, {0}, {"--compat-v1=no"}}, "compat_v1", "false", SOURCE_FLAG},
        {{"[grantd]\ncompat_v1 = yes\n", {0}, {"--no-compat-v1"}}, "compat_v1", "false", SOURCE_FLAG},
        {{"[grantd]\ncompat_v1 = on\n", {0}, {0}}, "compat_v1", "true", SOURCE_FILE},
        {{NULL, {0}, {"--threads", "3"}}, "threads", "3", SOURCE_FLAG},
        {{NULL, {"GRANTD_DATA=/a b"}, {0}}, "data", "/a b", SOURCE_ENVIRONMENT},
        {{NULL, {0}, {"--issuer", ""}}, "issuer", "", SOURCE_FLAG},
        /* lists grow within a source and begin anew with the next */
        {{NULL, {0}, {"--listen", "a:1", "--listen", "b:2"}}, "listen", "a:1, b:2", SOURCE_FLAG},
        {{"[grantd]\nlisten = a:1\nlisten = b:2\n", {0}, {0}}, "listen", "a:1, b:2", SOURCE_FILE},
        {{"[grantd]\nlisten = a:1, b:2\n", {0}, {"--listen", "c:3"}}, "listen", "c:3", SOURCE_FLAG},
        {{NULL, {"GRANTD_LISTEN=a:1,,b:2,"}, {0}}, "listen", "a:1, b:2", SOURCE_ENVIRONMENT},
        /* what is not ours in the environment */
        {{NULL, {"GRANT=1", "PATH=/bin"}, {0}}, "threads", "0", SOURCE_DEFAULT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(4096);
        struct options o;
        struct option_words words;
        CHECK(i, rc_ok(load(&rows[i].load, &o, &words, arena)));
        for (size_t r = 0; r < option_count; r++) {
            if (!str_eq(str_of(option_rows[r].name), str_of(rows[i].row))) continue;
            CHECK(i, str_eq(options_value_text(&o, &option_rows[r], arena), str_of(rows[i].value)));
            CHECK(i, o.source[r] == rows[i].source);
        }
        arena_free(arena);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        struct load load;
        bool wrong_words;
        const char *said; /* a part of the sentence */
    } rows[] = {
        {{"[grantd]\naccess_ttl_s = soon\n", {0}, {0}}, false, "line 2: access_ttl_s is a duration from 1 to 86400"},
        {{"[grantd]\n\nno_such_option = 1\n", {0}, {0}}, false, "line 3: there is no option \"no_such_option\""},
        {{"[grantd]\nacces_ttl_s = 1\n", {0}, {0}}, false, "did you mean access_ttl_s?"},
        {{"[other]\nthreads = 1\n", {0}, {0}}, false, "section [grantd]"},
        {{"threads = 1\n", {0}, {0}}, false, "section [grantd]"},
        {{"[grantd]\nnonsense\n", {0}, {0}}, false, "line 2"},
        {{"[grantd]\nconfig = /x\n", {0}, {0}}, false, "there is no option \"config\""},
        {{NULL, {"GRANTD_NONSENSE=1"}, {0}}, false, "GRANTD_NONSENSE"},
        {{NULL, {"GRANTD_THREADS=-1"}, {0}}, false, "threads is a number from 0 to 256"},
        {{NULL, {"GRANTD_CONFIG=/no/such/file"}, {0}}, false, "/no/such/file cannot be read"},
        {{NULL, {0}, {"--config", "/no/such/file"}}, false, "/no/such/file cannot be read"},
        {{NULL, {0}, {"--threads", "257"}}, true, "threads is a number from 0 to 256"},
        {{NULL, {0}, {"--threads", "1x"}}, true, "threads is a number"},
        {{NULL, {0}, {"--threads", "99999999999999999999999"}}, true, "threads is a number"},
        {{NULL, {0}, {"--threads"}}, true, "--threads needs a value"},
        {{NULL, {0}, {"--access-ttl", "0"}}, true, "access_ttl_s is a duration"},
        {{NULL, {0}, {"--compat-v1=maybe"}}, true, "compat_v1 is true or false"},
        {{NULL, {0}, {"--no-compat-v1=true"}}, true, "--no-compat-v1 takes no value"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(4096);
        struct options o;
        struct option_words words;
        struct rc rc = load(&rows[i].load, &o, &words, arena);
        CHECK(i, rc.fault == FAULT_CONFIG);
        CHECK(i, words.wrong == rows[i].wrong_words);
        CHECK(i, strstr(rc_detail(), rows[i].said) != NULL);
        arena_free(arena);
    }
}

static void test_what_is_left(void **state) {
    (void)state;
    static const char *const data_only[] = {"data", NULL};
    static const struct {
        const char *const *only;
        const char *words[WORDS_MAX], *left[WORDS_MAX];
    } rows[] = {
        {NULL, {"list", "--data", "d", "--json", "x"}, {"list", "--json", "x"}},
        {NULL, {"--json", "--threads=2"}, {"--json"}},
        {NULL, {"a", "--", "--data", "d"}, {"a", "--", "--data", "d"}},
        {data_only, {"--threads", "2", "--data", "d"}, {"--threads", "2"}},
        {NULL, {"--no-json", "--dat", "-d"}, {"--no-json", "--dat", "-d"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(4096);
        struct options o;
        char *argv[WORDS_MAX];
        struct option_words words = {.words = argv, .only = rows[i].only};
        while (rows[i].words[words.n]) {
            argv[words.n] = arena_cstr(arena, str_of(rows[i].words[words.n]));
            words.n++;
        }
        CHECK(i, rc_ok(options_load(&o, &words, NULL, arena)));
        for (int w = 0; w < words.n; w++) CHECK(i, str_eq(str_of(words.words[w]), str_of(rows[i].left[w])));
        CHECK(i, rows[i].left[words.n] == NULL);
        arena_free(arena);
    }
}

#define GOOD "https://login.example.com"

/* norm: D05 */
static void test_check(void **state) {
    (void)state;
    static const struct {
        const char *issuer, *listen, *store, *admin_listen;
        enum fault fault;
        const char *said;
    } rows[] = {
        {GOOD, "127.0.0.1:80", "", "", FAULT_NONE, ""},
        {"https://example.com/tenant", "[::1]:80", "sqlite:/x/y.db", "unix:/x", FAULT_NONE, ""},
        {"http://127.0.0.1:8080", "unix:/x", "", "", FAULT_NONE, ""},
        {"http://localhost", "127.1.2.3:0", "", "", FAULT_NONE, ""},
        {"http://localhost", "0.0.0.0:0", "", "", FAULT_UNSAFE, "from elsewhere"},
        {"http://[::1]:1", "[::1]:1", "", "", FAULT_NONE, ""},
        {"http://[::1]:1", "[::]:1", "", "", FAULT_UNSAFE, "from elsewhere"},
        {"http://auth.example.com", "a:1", "", "", FAULT_UNSAFE, "https"},
        {"http://localhost.example.com", "a:1", "", "", FAULT_UNSAFE, "https"},
        {"http://127.example.com", "a:1", "", "", FAULT_UNSAFE, "https"},
        {"https://example.com/", "a:1", "", "", FAULT_CONFIG, "slash"},
        {"https://example.com?x", "a:1", "", "", FAULT_CONFIG, "query"},
        {"https://example.com#x", "a:1", "", "", FAULT_CONFIG, "fragment"},
        {"ftp://example.com", "a:1", "", "", FAULT_CONFIG, "https://"},
        {"HTTPS://example.com", "a:1", "", "", FAULT_CONFIG, "https://"},
        {"example.com", "a:1", "", "", FAULT_CONFIG, "no URL"},
        {"https://", "a:1", "", "", FAULT_CONFIG, "no URL"},
        {"https://a b", "a:1", "", "", FAULT_CONFIG, "no URL"},
        {"https://user@example.com", "a:1", "", "", FAULT_CONFIG, "no URL"},
        {"https://example.com:", "a:1", "", "", FAULT_CONFIG, "no URL"},
        {"https://example.com:99999", "a:1", "", "", FAULT_CONFIG, "no URL"},
        {"", "a:1", "", "", FAULT_CONFIG, "--issuer"},
        {GOOD, "", "", "", FAULT_CONFIG, "--listen"},
        {GOOD, "8080", "", "", FAULT_CONFIG, "no address"},
        {GOOD, ":8080", "", "", FAULT_CONFIG, "no address"},
        {GOOD, "a:", "", "", FAULT_CONFIG, "no address"},
        {GOOD, "a:65536", "", "", FAULT_CONFIG, "no address"},
        {GOOD, "unix:", "", "", FAULT_CONFIG, "needs a path"},
        {GOOD, "a:1", "postgres://user@one,two/db?sslmode=verify-full", "", FAULT_NONE, ""},
        {GOOD, "a:1", "postgresql://user:secret@one/db", "", FAULT_NONE, ""}, /* not in the command line */
        {GOOD, "a:1", "postgres://[one", "", FAULT_CONFIG, "postgres://USER@HOST"},
        {GOOD, "a:1", "postgres://one?no_such=1", "", FAULT_CONFIG, "postgres://USER@HOST"},
        {GOOD, "a:1", "mysql:x", "", FAULT_CONFIG, "sqlite:PATH"},
        {GOOD, "a:1", "sqlite:", "", FAULT_CONFIG, "sqlite:PATH"},
        {GOOD, "a:1", "sqlite::memory:", "", FAULT_CONFIG, "plain file"},
        {GOOD, "a:1", "", "127.0.0.1:9", FAULT_UNSAFE, "--admin-token-file"},
        {GOOD, "a:1", "",
         "unix:/"
         "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
         "9012345",
         FAULT_CONFIG, "shorter"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct options o;
        str listen = str_of(rows[i].listen);
        options_init(&o);
        o.data = S("/d");
        o.issuer = str_of(rows[i].issuer);
        o.store = str_of(rows[i].store);
        o.admin_listen = str_of(rows[i].admin_listen);
        o.listen = (struct strs){&listen, listen.n ? 1 : 0};
        CHECK(i, options_check(&o, true).fault == rows[i].fault);
        if (rows[i].fault) CHECK(i, strstr(rc_detail(), rows[i].said) != NULL);
    }
}

static void test_check_the_rest(void **state) {
    (void)state;
    struct options o;
    str listen = S("127.0.0.1:0");
    options_init(&o);
    assert_true(rc_ok(options_check(&o, false))); /* dev has its own defaults */
    assert_int_equal(options_check(&o, true).fault, FAULT_CONFIG);
    assert_non_null(strstr(rc_detail(), "--data"));
    o.data = S("/d");
    o.issuer = S(GOOD);
    o.listen = (struct strs){&listen, 1};
    o.store = S("postgres://user:secret@one/db");
    o.source[OPTION_ROW_store] = SOURCE_FLAG; /* for all to read */
    assert_int_equal(options_check(&o, true).fault, FAULT_UNSAFE);
    assert_null(strstr(rc_detail(), "secret"));
    o.store = S("postgres://user@one/db?passfile=f");
    assert_true(rc_ok(options_check(&o, true)));
    o.log_level = S("loud");
    assert_int_equal(options_check(&o, true).fault, FAULT_CONFIG);
    o.log_level = S("warn");
    assert_true(rc_ok(options_check(&o, true)));
    str proxies[] = {S("10.0.0.0/8"), S("2001:db8::1")};
    o.trusted_proxies = (struct strs){proxies, 2};
    assert_true(rc_ok(options_check(&o, true)));
    proxies[1] = S("nonsense");
    assert_int_equal(options_check(&o, true).fault, FAULT_CONFIG);
    assert_non_null(strstr(rc_detail(), "nonsense"));
    o.trusted_proxies.n = 0;
    /* the admin API on TCP: a token that only its owner can read */
    o.admin_listen = S("127.0.0.1:0");
    o.admin_token_file = str_of(file_path);
    write_file("token\n");
    assert_int_equal(chmod(file_path, 0644), 0);
    assert_int_equal(options_check(&o, true).fault, FAULT_UNSAFE);
    assert_non_null(strstr(rc_detail(), "chmod 600"));
    assert_int_equal(chmod(file_path, 0600), 0);
    assert_true(rc_ok(options_check(&o, true)));
    o.admin_token_file = S("/no/such/file");
    assert_int_equal(options_check(&o, true).fault, FAULT_CONFIG);
}

/* What can be said of TLS without a certificate; tests/wire/test_tls.py has some. */
static void test_check_tls(void **state) {
    (void)state;
    static const struct {
        const char *listen, *mtls, *certificate, *key, *client_ca, *said;
    } rows[] = {
        {"127.0.0.1:0", "", "", "", "", "needs a certificate"},
        {"", "127.0.0.1:0", "", "", "", "needs a certificate"},
        {"127.0.0.1:0", "", "c.pem", "", "", "1 certificates have 0 keys"},
        {"127.0.0.1:0", "", "", "k.pem", "", "needs a certificate"},
        {"", "", "c.pem", "k.pem", "", "no address for TLS"},
        {"", "", "", "", "ca.pem", "no address for TLS"},
        {"127.0.0.1:0", "", "/no/such/file", "/no/such/file", "", "/no/such/file cannot be read"},
        {"8443", "", "c.pem", "k.pem", "", "tls_listen: \"8443\" is no address"},
        {"", "8443", "c.pem", "k.pem", "", "mtls_listen: \"8443\" is no address"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct options o;
        str values[] = {str_of(rows[i].listen), str_of(rows[i].mtls), str_of(rows[i].certificate), str_of(rows[i].key)};
        options_init(&o);
        o.data = S("/d");
        o.issuer = S(GOOD);
        struct strs *lists[] = {&o.tls_listen, &o.mtls_listen, &o.tls_certificate, &o.tls_key};
        for (size_t l = 0; l < COUNT(lists); l++) *lists[l] = (struct strs){&values[l], values[l].n ? 1 : 0};
        o.tls_client_ca = str_of(rows[i].client_ca);
        str plain = S("127.0.0.1:0");
        o.listen = (struct strs){&plain, 1};
        CHECK(i, options_check(&o, true).fault == FAULT_CONFIG);
        if (!strstr(rc_detail(), rows[i].said)) fail_msg("row %zu: %s", i, rc_detail());
    }
}

static void test_paths(void **state) {
    (void)state;
    struct arena *arena = arena_new(1024);
    struct options o;
    options_init(&o);
    o.data = S("/d");
    assert_string_equal(options_store_path(&o, arena), "/d/grantd.db");
    assert_true(str_eq(options_admin_address(&o, arena), S("unix:/d/admin.sock")));
    o.store = S("sqlite:other.db");
    assert_string_equal(options_store_path(&o, arena), "/d/other.db");
    o.store = S("sqlite:/var/x.db");
    assert_string_equal(options_store_path(&o, arena), "/var/x.db");
    o.admin_listen = S("127.0.0.1:1");
    assert_true(str_eq(options_admin_address(&o, arena), S("127.0.0.1:1")));
    arena_free(arena);
}

/* Every row's default is one that its own parser takes and check lets through; the page names every row. */
static void test_table(void **state) {
    (void)state;
    struct arena *arena = arena_new(4096);
    struct options o;
    struct buf page = buf_growing(1 << 20);
    options_init(&o);
    options_write_page(&page);
    buf_add_char(&page, 0);
    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_rows[i];
        CHECK(i, str_eq(options_value_text(&o, row, arena), str_of(row->def)));
        CHECK(i, strstr(page.p, arena_cstr(arena, arena_printf(arena, "### %s\n", row->name))) != NULL);
        CHECK(i, strncmp(row->flag, "--", 2) == 0 && strncmp(row->flag, "--no-", 5) != 0);
    }
    assert_int_equal(o.limit_auth_failures, 20);
    buf_free(&page);
    arena_free(arena);
}

/* What another reading would change, and what of it only a restart takes. */
static void test_diff(void **state) {
    (void)state;
    struct arena *arena = arena_new(4096);
    struct options before, after;
    struct option_change changes[OPTION_ROWS];
    options_init(&before);
    options_init(&after);
    assert_int_equal(options_diff(&before, &after, arena, changes), 0);
    static const str proxies[] = {S("10.0.0.1"), S("unix")};
    before.store = S("postgres://a:secret@h/d");
    after.trusted_proxies = (struct strs){proxies, 2};
    after.access_ttl_s = 60;
    after.http2 = false;
    after.threads = 7;
    assert_int_equal(options_diff(&before, &after, arena, changes), 5);
    static const struct {
        const char *name, *before, *after;
    } rows[] = {{"http2", "true", "false"},
                {"store", "(hidden)", "(changed)"},
                {"threads", "0", "7"},
                {"access_ttl_s", "1800", "60"},
                {"trusted_proxies", "", "10.0.0.1, unix"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(i, str_eq(str_of(changes[i].row->name), str_of(rows[i].name)));
        CHECK(i, str_eq(changes[i].before, str_of(rows[i].before)) && str_eq(changes[i].after, str_of(rows[i].after)));
    }
    options_keep_fixed(&after, &before);
    assert_int_equal(options_diff(&before, &after, arena, changes), 3);
    assert_true(str_eq(after.store, before.store) && after.threads == 0 && after.access_ttl_s == 60);
    arena_free(arena);
}

static int make_file(void **state) {
    (void)state;
    int fd = mkstemp(file_path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(file_path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources), cmocka_unit_test(test_refused),        cmocka_unit_test(test_what_is_left),
        cmocka_unit_test(test_check),   cmocka_unit_test(test_check_the_rest), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_table),   cmocka_unit_test(test_check_tls),      cmocka_unit_test(test_diff),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
