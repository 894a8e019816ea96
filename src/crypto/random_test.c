#include "random.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rows_test.h"

static int start(void **state) {
    (void)state;
    return crypto_start() && crypto_start() ? 0 : -1; /* a second call does no harm */
}

static void test_sizes(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 24, 96, 1023, 1024, 1025, 4095, 4096, 4097, 100000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint8_t *out = calloc(1, sizes[i] + 1);
        size_t untouched = 0;
        bool seen[256] = {false};
        random_fill(out, sizes[i]);
        CHECK(i, out[sizes[i]] == 0);
        for (size_t k = 0; k < sizes[i]; k++) {
            seen[out[k]] = true;
            untouched += out[k] == 0;
        }
        CHECK(i, untouched <= 4 + sizes[i] / 64); /* about one in 256 */
        for (size_t v = 0; sizes[i] == 100000 && v < 256; v++) CHECK(i, seen[v]);
        free(out);
    }
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, 16); }

static void test_nothing_comes_twice(void **state) {
    (void)state;
    enum { DRAWS = 20000 };
    uint8_t(*drawn)[16] = calloc(DRAWS, sizeof *drawn);
    for (size_t i = 0; i < DRAWS; i++) random_fill(drawn[i], sizeof drawn[i]);
    qsort(drawn, DRAWS, sizeof *drawn, by_bytes);
    for (size_t i = 1; i < DRAWS; i++) CHECK(i, memcmp(drawn[i - 1], drawn[i], 16) != 0);
    free(drawn);
}

static void *draw(void *out) {
    random_fill(out, 16);
    return NULL;
}

static void test_threads_and_children_differ(void **state) {
    (void)state;
    uint8_t drawn[3][16];
    int ends[2];
    pthread_t thread;
    random_fill(drawn[0], 16); /* the buffer is filled from here on */
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        random_fill(drawn[1], 16);
        _exit(write(ends[1], drawn[1], 16) == 16 ? 0 : 1);
    }
    random_fill(drawn[0], 16);
    assert_int_equal(read(ends[0], drawn[1], 16), 16);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(pthread_create(&thread, NULL, draw, drawn[2]), 0);
    pthread_join(thread, NULL);
    assert_memory_not_equal(drawn[0], drawn[1], 16);
    assert_memory_not_equal(drawn[0], drawn[2], 16);
    assert_memory_not_equal(drawn[1], drawn[2], 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_nothing_comes_twice),
        cmocka_unit_test(test_threads_and_children_differ),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
