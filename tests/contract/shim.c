#include "shim.h"

#include <sqlite3.h>
#include <string.h>

struct shim_file {
    sqlite3_file base;
    int is_log;
    sqlite3_file *real; /* right behind this struct */
};

static sqlite3_vfs shim, *real_vfs;
static sqlite3_io_methods methods;
static uint32_t counts[SHIM_OPS], log_syncs, fail_from[SHIM_OPS], fail_to[SHIM_OPS]; /* atomic */
static int fail_code;

static sqlite3_file *real_of(sqlite3_file *f) { return ((struct shim_file *)f)->real; }

/* Counts one; not 0 when it is to fail. */
static int count(enum shim_op op) {
    uint32_t n = __atomic_add_fetch(&counts[op], 1, __ATOMIC_SEQ_CST);
    uint32_t from = __atomic_load_n(&fail_from[op], __ATOMIC_SEQ_CST),
             to = __atomic_load_n(&fail_to[op], __ATOMIC_SEQ_CST);
    return from && n >= from && n <= to ? fail_code : SQLITE_OK;
}

static int shim_close(sqlite3_file *f) { return real_of(f)->pMethods->xClose(real_of(f)); }
static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at) {
    return real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}

static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at) {
    int code = count(SHIM_WRITE);
    return code ? code : real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
}

static int shim_sync(sqlite3_file *f, int flags) {
    int code = count(SHIM_SYNC);
    if (((struct shim_file *)f)->is_log) __atomic_add_fetch(&log_syncs, 1, __ATOMIC_SEQ_CST);
    return code ? code : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 n) { return real_of(f)->pMethods->xTruncate(real_of(f), n); }
static int shim_size(sqlite3_file *f, sqlite3_int64 *n) { return real_of(f)->pMethods->xFileSize(real_of(f), n); }
static int shim_lock(sqlite3_file *f, int lock) { return real_of(f)->pMethods->xLock(real_of(f), lock); }
static int shim_unlock(sqlite3_file *f, int lock) { return real_of(f)->pMethods->xUnlock(real_of(f), lock); }
static int shim_reserved(sqlite3_file *f, int *out) {
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
static int shim_control(sqlite3_file *f, int op, void *arg) {
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
static int shim_sector(sqlite3_file *f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); }
static int shim_device(sqlite3_file *f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); }

static int shim_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int shim_shm_lock(sqlite3_file *f, int at, int n, int flags) {
    return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}

static void shim_barrier(sqlite3_file *f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); }
static int shim_unmap(sqlite3_file *f, int remove) { return real_of(f)->pMethods->xShmUnmap(real_of(f), remove); }

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags) {
    (void)vfs;
    struct shim_file *file = (struct shim_file *)f;
    *file = (struct shim_file){.is_log = (flags & SQLITE_OPEN_WAL) != 0, .real = (sqlite3_file *)(file + 1)};
    file->real->pMethods = NULL;
    int code = real_vfs->xOpen(real_vfs, name, file->real, flags, out_flags);
    f->pMethods = file->real->pMethods ? &methods : NULL;
    return code;
}

void shim_on(void) {
    real_vfs = sqlite3_vfs_find("unix");
    methods = (sqlite3_io_methods){2,           shim_close, shim_read,     shim_write,    shim_truncate, shim_sync,
                                   shim_size,   shim_lock,  shim_unlock,   shim_reserved, shim_control,  shim_sector,
                                   shim_device, shim_map,   shim_shm_lock, shim_barrier,  shim_unmap,    NULL,
                                   NULL};
    shim = *real_vfs;
    shim.zName = "shim";
    shim.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
    shim.xOpen = shim_open;
    shim_fail(SHIM_WRITE, 0, 0, SQLITE_OK);
    shim_fail(SHIM_SYNC, 0, 0, SQLITE_OK);
    sqlite3_vfs_register(&shim, 1);
}

void shim_off(void) {
    sqlite3_vfs_unregister(&shim);
    sqlite3_vfs_register(real_vfs, 1);
}

uint32_t shim_count(enum shim_op op) { return __atomic_load_n(&counts[op], __ATOMIC_SEQ_CST); }
uint32_t shim_log_syncs(void) { return __atomic_load_n(&log_syncs, __ATOMIC_SEQ_CST); }

void shim_fail(enum shim_op op, uint32_t n, uint32_t more, int code) {
    fail_code = code;
    uint32_t from = n ? shim_count(op) + n : 0;
    __atomic_store_n(&fail_to[op], from + more, __ATOMIC_SEQ_CST);
    __atomic_store_n(&fail_from[op], from, __ATOMIC_SEQ_CST);
}
