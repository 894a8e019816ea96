#include "admin_kit_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "random.h"

int open_fixture(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    struct options options;
    assert_non_null(f);
    snprintf(f->dir, sizeof f->dir, "/tmp/admin-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_true(crypto_start());
    options_init(&options);
    options.data = str_of(f->dir);
    assert_true(rc_ok(instance_open(&options, true, &f->instance)));
    f->backup = admin_backup_new();
    f->arena = arena_new(1 << 16);
    *state = f;
    return 0;
}

int close_fixture(void **state) {
    static const char *const files[] = {"grantd.db",   "grantd.db-wal", "grantd.db-shm", "master.key",
                                        "grantd.lock", "copy.db",       "admin.sock"};
    struct fixture *f = *state;
    char path[128];
    admin_backup_free(f->backup);
    instance_close(f->instance);
    arena_free(f->arena);
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", f->dir, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

struct admin_reply call(struct fixture *f, enum http_method method, const char *target, const char *body) {
    str query = str_of(target);
    str path = str_take(&query, '?');
    struct admin_request request = {method, path, query, S("application/json; charset=utf-8"), str_of(body)};
    return admin_serve(f->instance, f->backup, &request, f->arena);
}

json_t *json_of(struct admin_reply reply) {
    json_error_t error;
    json_t *root = json_loadb(reply.body.p, reply.body.n, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    return root;
}

bool holds(str text, const char *part) {
    size_t n = strlen(part);
    for (size_t i = 0; i + n <= text.n; i++)
        if (memcmp(text.p + i, part, n) == 0) return true;
    return false;
}
