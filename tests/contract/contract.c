/* contract DRIVER [TEST]: what every database driver must do, on one of them; the tests whose name fits the pattern. */
#include "contract.h"

#include <stdio.h>

static const struct {
    const char *name;
    const struct contract_driver *driver;
    int (*own)(void); /* what only this one has */
} rows[] = {
    {"sqlite-file", &contract_sqlite_file, run_sqlite},   {"sqlite-inline", &contract_sqlite_inline, NULL},
    {"sqlite-memory", &contract_sqlite_memory, NULL},     {"postgres", &contract_postgres, run_postgres},
    {"postgres-inline", &contract_postgres_inline, NULL},
};

int main(int argc, char **argv) {
    static int (*const suites[])(void) = {run_changes, run_admin,   run_batches, run_races,
                                          run_life,    run_migrate, run_copy};
    int failed = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (argc < 2 || argc > 3 || !str_eq(str_of(argv[1]), str_of(rows[i].name))) continue;
        contract_driver = rows[i].driver;
        if (argc == 3) cmocka_set_test_filter(argv[2]);
        for (size_t k = 0; k < sizeof suites / sizeof suites[0]; k++) failed += suites[k]();
        if (rows[i].own) failed += rows[i].own();
        return failed != 0;
    }
    fprintf(stderr, "usage: contract DRIVER [TEST]\n");
    return 2;
}
