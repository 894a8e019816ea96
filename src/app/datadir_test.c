#include "datadir.h"

#include "random.h"
#include "rows_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[] = "/tmp/grantd-datadir-XXXXXX";
static char dir[64], key_file[96];

static mode_t mode_of(const char *path) {
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void test_directory(void **state) {
    (void)state;
    umask(0);
    assert_true(rc_ok(datadir_open(dir)));
    assert_int_equal(mode_of(dir), 0700);
    assert_true(rc_ok(datadir_open(dir)));
    static const mode_t modes[] = {0755, 0750, 0770, 0701};
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(chmod(dir, modes[i]), 0);
        CHECK(i, datadir_open(dir).fault == FAULT_UNSAFE);
        CHECK(i, strstr(rc_detail(), "chmod 700") != NULL);
    }
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(datadir_open("/etc").fault, FAULT_UNSAFE); /* nobody is told to change the mode of that */
    assert_null(strstr(rc_detail(), "chmod"));
    assert_int_equal(datadir_open("/dev/null").fault, FAULT_CONFIG);
    assert_int_equal(datadir_open("/no/such/parent").fault, FAULT_IO);
}

static void test_lock(void **state) {
    (void)state;
    int fd = -1, second = -1;
    char pid[16];
    assert_true(rc_ok(datadir_lock(dir, &fd)));
    assert_int_equal(datadir_lock(dir, &second).fault, FAULT_LOCKED);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    assert_non_null(strstr(rc_detail(), pid));
    assert_non_null(strstr(rc_detail(), "in use"));
    close(fd);
    assert_true(rc_ok(datadir_lock(dir, &fd)));
    close(fd);
}

/* The lock goes with its process, however it ends. */
static void test_lock_of_the_dead(void **state) {
    (void)state;
    int fd = -1, status = 0;
    pid_t child = fork();
    if (child == 0) _exit(rc_ok(datadir_lock(dir, &fd)) ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(rc_ok(datadir_lock(dir, &fd)));
    close(fd);
}

static void test_master_key(void **state) {
    (void)state;
    uint8_t made[MASTER_KEY_BYTES], read_back[MASTER_KEY_BYTES], second[MASTER_KEY_BYTES];
    bool found = true;
    assert_true(rc_ok(datadir_read_master_key(dir, read_back, &found)));
    assert_false(found);
    assert_true(rc_ok(datadir_make_master_key(dir, made)));
    assert_int_equal(mode_of(key_file), 0600);
    assert_true(rc_ok(datadir_read_master_key(dir, read_back, &found)));
    assert_true(found);
    assert_memory_equal(made, read_back, sizeof made);
    /* a key is never replaced */
    assert_int_equal(datadir_make_master_key(dir, second).fault, FAULT_IO);
    assert_true(rc_ok(datadir_read_master_key(dir, read_back, &found)));
    assert_memory_equal(made, read_back, sizeof made);
    static const mode_t modes[] = {0644, 0640, 0604, 0660};
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(chmod(key_file, modes[i]), 0);
        CHECK(i, datadir_read_master_key(dir, read_back, &found).fault == FAULT_UNSAFE);
        CHECK(i, strstr(rc_detail(), "chmod 600") != NULL);
    }
    assert_int_equal(chmod(key_file, 0600), 0);
}

static void test_damaged_master_key(void **state) {
    (void)state;
    uint8_t key[MASTER_KEY_BYTES];
    bool found;
    static const off_t sizes[] = {0, 1, 31, 33, 4096};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_int_equal(truncate(key_file, sizes[i]), 0);
        CHECK(i, datadir_read_master_key(dir, key, &found).fault == FAULT_KEY);
    }
    /* a symbolic link is not followed */
    assert_int_equal(unlink(key_file), 0);
    assert_int_equal(symlink("/etc/hostname", key_file), 0);
    assert_int_equal(datadir_read_master_key(dir, key, &found).fault, FAULT_IO);
    assert_int_equal(unlink(key_file), 0);
    /* what a crash left aside is in nobody's way */
    char aside[112];
    snprintf(aside, sizeof aside, "%s.new", key_file);
    int fd = open(aside, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "half", 4), 4);
    close(fd);
    assert_true(rc_ok(datadir_make_master_key(dir, key)));
    assert_int_equal(mode_of(key_file), 0600);
    assert_int_equal(access(aside, F_OK), -1);
}

static int set_up(void **state) {
    (void)state;
    if (!crypto_start() || !mkdtemp(base)) return -1;
    snprintf(dir, sizeof dir, "%s/data", base);
    snprintf(key_file, sizeof key_file, "%s/master.key", dir);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char lock_file[96];
    snprintf(lock_file, sizeof lock_file, "%s/grantd.lock", dir);
    unlink(lock_file);
    unlink(key_file);
    rmdir(dir);
    return rmdir(base);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directory),          cmocka_unit_test(test_lock),
        cmocka_unit_test(test_lock_of_the_dead),   cmocka_unit_test(test_master_key),
        cmocka_unit_test(test_damaged_master_key),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
