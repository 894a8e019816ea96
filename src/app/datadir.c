#include "datadir.h"

#include "digest.h"
#include "random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static RC join(const char *dir, const char *name, char out[PATH_MAX]) {
    int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);
    if (n < 0 || n >= PATH_MAX) return rc_fail(FAULT_CONFIG, "the path of the data directory is too long");
    return RC_OK;
}

/* Whether the directory holds things and none of them is ours: then its mode is not ours to judge. */
static bool is_foreign(const char *path) {
    bool others = false, ours = false;
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        str name = str_of(entry->d_name);
        ours = ours || str_eq(name, S("grantd.lock")) || str_eq(name, S("master.key"));
        others = others || (!str_eq(name, S(".")) && !str_eq(name, S("..")));
    }
    if (dir) closedir(dir);
    return others && !ours;
}

RC datadir_open(const char *path) {
    struct stat info;
    if (mkdir(path, 0700) && errno != EEXIST)
        return rc_fail(FAULT_IO, "the data directory %s cannot be created: %m", path);
    if (stat(path, &info)) return rc_fail(FAULT_IO, "the data directory %s cannot be opened: %m", path);
    if (!S_ISDIR(info.st_mode))
        return rc_fail(FAULT_CONFIG, "%s is not a directory; name another one with --data", path);
    if (info.st_uid != geteuid())
        return rc_fail(FAULT_UNSAFE, "the data directory %s belongs to another user; run grantd as its owner", path);
    if ((info.st_mode & 077) && is_foreign(path))
        return rc_fail(FAULT_UNSAFE,
                       "%s can be read by others and holds other things; name a new directory with --data", path);
    if (info.st_mode & 077)
        return rc_fail(FAULT_UNSAFE, "the data directory %s can be read by others; run: chmod 700 %s", path, path);
    return RC_OK;
}

static RC locked_by(const char *path, int fd) {
    char text[24] = {0};
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    uint64_t pid = 0;
    str number = str_trim((str){text, n > 0 ? str_find((str){text, (size_t)n}, '\n') : 0});
    if (!str_to_u64(number, INT32_MAX, &pid))
        return rc_fail(FAULT_LOCKED, "the data directory %s is in use by another process", path);
    return rc_fail(FAULT_LOCKED, "the data directory %s is in use by process %llu; stop it or use another directory",
                   path, (unsigned long long)pid);
}

RC datadir_lock(const char *path, int *out_fd) {
    char file[PATH_MAX], text[24];
    TRY(join(path, "grantd.lock", file));
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return rc_fail(FAULT_IO, "the lock file %s cannot be opened: %m", file);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        struct rc rc = errno == EWOULDBLOCK ? locked_by(path, fd) : rc_fail(FAULT_IO, "%s cannot be locked: %m", file);
        close(fd);
        return rc;
    }
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)n, 0) != n) {
        close(fd);
        return rc_fail(FAULT_IO, "the lock file %s cannot be written: %m", file);
    }
    *out_fd = fd;
    return RC_OK;
}

RC datadir_holder(const char *path, int *out_pid) {
    char file[PATH_MAX], text[24] = {0};
    uint64_t pid = 0;
    TRY(join(path, "grantd.lock", file));
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return rc_fail(FAULT_CONFIG, "no server runs on %s", path);
    bool is_free = flock(fd, LOCK_SH | LOCK_NB) == 0;
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    close(fd);
    str number = str_trim((str){text, n > 0 ? str_find((str){text, (size_t)n}, '\n') : 0});
    if (is_free || !str_to_u64(number, INT32_MAX, &pid) || pid == 0)
        return rc_fail(FAULT_CONFIG, "no server runs on %s", path);
    *out_pid = (int)pid;
    return RC_OK;
}

/* ---- the master key ---- */

static RC check_key_file(const char *file, int fd) {
    struct stat info;
    if (fstat(fd, &info)) return rc_fail(FAULT_IO, "the master key %s cannot be read: %m", file);
    if (info.st_mode & 077)
        return rc_fail(FAULT_UNSAFE, "the master key %s can be read by others; run: chmod 600 %s", file, file);
    if (!S_ISREG(info.st_mode) || info.st_size != MASTER_KEY_BYTES)
        return rc_fail(FAULT_KEY, "the master key %s is damaged (it must have %d bytes); put the backup of it back",
                       file, MASTER_KEY_BYTES);
    return RC_OK;
}

static RC read_key(const char *file, int fd, uint8_t out[MASTER_KEY_BYTES]) {
    TRY(check_key_file(file, fd));
    if (read(fd, out, MASTER_KEY_BYTES) != MASTER_KEY_BYTES)
        return rc_fail(FAULT_IO, "the master key %s cannot be read: %m", file);
    return RC_OK;
}

RC datadir_read_master_key(const char *path, uint8_t out[MASTER_KEY_BYTES], bool *out_found) {
    char file[PATH_MAX];
    TRY(join(path, "master.key", file));
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *out_found = fd >= 0;
    if (fd < 0 && errno == ENOENT) return RC_OK;
    if (fd < 0) return rc_fail(FAULT_IO, "the master key %s cannot be opened: %m", file);
    struct rc rc = read_key(file, fd, out);
    close(fd);
    return rc;
}

static bool write_durably(const char *file, const uint8_t key[MASTER_KEY_BYTES]) {
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return false;
    bool ok = fchmod(fd, 0600) == 0 && write(fd, key, MASTER_KEY_BYTES) == MASTER_KEY_BYTES && fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

static bool sync_directory(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

/* Write aside, make it durable, give it its name, make the name durable: after a power cut there is a whole key or none. The lock is
 * held, so nobody else does the same. */
RC datadir_make_master_key(const char *path, uint8_t out[MASTER_KEY_BYTES]) {
    char file[PATH_MAX], aside[PATH_MAX];
    TRY(join(path, "master.key", file));
    TRY(join(path, "master.key.new", aside));
    uint8_t key[MASTER_KEY_BYTES];
    random_fill(key, sizeof key);
    bool ok = write_durably(aside, key) && renameat2(AT_FDCWD, aside, AT_FDCWD, file, RENAME_NOREPLACE) == 0 &&
              sync_directory(path);
    if (ok) memcpy(out, key, sizeof key);
    secret_wipe(key, sizeof key);
    if (!ok) return rc_fail(FAULT_IO, "the master key %s cannot be written: %m", file);
    return RC_OK;
}
