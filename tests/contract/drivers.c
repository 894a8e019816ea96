/* The drivers that the suite runs on. */
#include <stdio.h>

#include "contract.h"

static RC open_at(const char *path, const struct world_options *options, bool inline_writes, struct db **out) {
    struct db_sqlite_options o = {
        .path = path,
        .inline_writes = inline_writes || options->inline_writes,
        .queue_max = options->queue_max,
        .batch_max = options->batch_max,
        .wait_max_ms = options->wait_max_ms,
    };
    return db_open_sqlite(&o, out);
}

static RC open_file(const char *dir, const struct world_options *options, struct db **out) {
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/store.db", dir);
    return open_at(path, options, false, out);
}

static RC open_inline(const char *dir, const struct world_options *options, struct db **out) {
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/store.db", dir);
    return open_at(path, options, true, out);
}

static RC open_memory(const char *dir, const struct world_options *options, struct db **out) {
    (void)dir;
    return open_at(":memory:", options, true, out);
}

const struct contract_driver contract_sqlite_file = {"sqlite file", true,        true,         true,
                                                     open_file,     sqlite_lock, sqlite_unlock};
const struct contract_driver contract_sqlite_inline = {"sqlite file, inline", true, false, true,
                                                       open_inline,           NULL, NULL};
const struct contract_driver contract_sqlite_memory = {"sqlite memory", false, false, true, open_memory, NULL, NULL};
