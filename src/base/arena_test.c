#include "arena.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rows_test.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* Linked with --wrap=malloc,--wrap=free: memory comes clean, and what the arena gives back is looked at first. */
#define MARK 0xA7
static size_t freed_blocks, freed_marks;
void *__wrap_malloc(size_t n);
void __real_free(void *p);
void __wrap_free(void *p);

void *__wrap_malloc(size_t n) { return calloc(1, n); }

/* Runs of marks; a byte of an address may be one by chance. */
void __wrap_free(void *p) {
    freed_blocks += p != NULL;
    for (size_t i = 0, run = 0; p && i < malloc_usable_size(p); i++) {
        run = ((uint8_t *)p)[i] == MARK ? run + 1 : 0;
        freed_marks += run == 16 ? 16 : run > 16;
    }
    __real_free(p);
}

static void forget_frees(void) { freed_blocks = freed_marks = 0; }

/* Reads memory that the arena took back. */
#if defined(__clang__) || defined(__GNUC__)
__attribute__((no_sanitize("address"), noinline))
#endif
static size_t
count_marks(const volatile uint8_t *p, size_t n) {
    size_t marks = 0;
    for (size_t i = 0; i < n; i++) marks += p[i] == MARK;
    return marks;
}

static uint8_t *marked(struct arena *a, size_t n, bool secret) {
    uint8_t *p = secret ? arena_alloc_secret(a, n) : arena_alloc(a, n);
    memset(p, MARK, n);
    __asm__ volatile("" : : "r"(p) : "memory"); /* or the compiler leaves out what nobody reads */
    return p;
}

static void test_alignment_and_zero(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 8, 15, 16, 17, 100, 4095, 4096, 4097, 100000};
    struct arena *a = arena_new(256);
    for (int round = 0; round < 3; round++) {
        size_t sum = 0;
        for (size_t i = 0; i < COUNT(sizes); i++) {
            uint8_t *p = arena_zalloc(a, sizes[i]);
            CHECK(i, (uintptr_t)p % _Alignof(max_align_t) == 0);
            for (size_t k = 0; k < sizes[i]; k++) CHECK(i, p[k] == 0);
            memset(p, MARK, sizes[i]);
            sum += sizes[i];
            CHECK(i, arena_used(a) == sum);
        }
        arena_reset(a);
        assert_int_equal(arena_used(a), 0);
    }
    arena_free(a);
    arena_free(NULL);
}

static void test_allocations_do_not_overlap(void **state) {
    (void)state;
    struct arena *a = arena_new(64);
    uint8_t *p[200];
    for (size_t i = 0; i < COUNT(p); i++) memset(p[i] = arena_alloc(a, i * 7 + 1), (int)i, i * 7 + 1);
    for (size_t i = 0; i < COUNT(p); i++)
        for (size_t k = 0; k < i * 7 + 1; k++) CHECK(i, p[i][k] == (uint8_t)i);
    arena_free(a);
}

static void test_reset_keeps_the_first_block(void **state) {
    (void)state;
    struct arena *a = arena_new(1024);
    void *first = arena_alloc(a, 100);
    arena_alloc(a, 5000);
    arena_alloc(a, 50000);
    forget_frees();
    arena_reset(a);
    assert_int_equal(freed_blocks, 2);
    assert_ptr_equal(arena_alloc(a, 100), first);
    arena_free(a);
}

static void test_text(void **state) {
    (void)state;
    struct arena *a = arena_new(64);
    str copy = arena_copy(a, S("hello"));
    assert_true(str_eq(copy, S("hello")));
    assert_true(str_is_empty(arena_copy(a, str_of(NULL))));
    assert_string_equal(arena_cstr(a, S("abc")), "abc");
    assert_string_equal(arena_cstr(a, str_of(NULL)), "");
    str long_text = arena_printf(a, "%s-%05d-%200s", "x", 42, "y");
    assert_int_equal(long_text.n, 1 + 1 + 5 + 1 + 200);
    assert_true(str_starts_with(long_text, S("x-00042-  ")));
    assert_int_equal(long_text.p[long_text.n], 0);
    assert_true(str_is_empty(arena_printf(a, "%s", "")));
    arena_free(a);
}

static void test_secrets_are_wiped(void **state) {
    (void)state;
    struct arena *a = arena_new(1024);
    uint8_t *before = marked(a, 64, false);
    uint8_t *secret = marked(a, 64, true);
    uint8_t *after = marked(a, 64, false);
    marked(a, 3000, false); /* in a later block */
    forget_frees();
    arena_reset(a);
    assert_int_equal(count_marks(before, 64), 64); /* costs nothing where there is no secret */
    assert_int_equal(count_marks(secret, 64), 0);
    assert_int_equal(count_marks(after, 64), 0);
    assert_int_equal(freed_blocks, 1);
    assert_int_equal(freed_marks, 0);
    marked(a, 3000, false); /* the next request has no secret: nothing is wiped */
    forget_frees();
    arena_reset(a);
    assert_int_equal(freed_marks, 3000);
    arena_free(a);
}

static void test_free_wipes_too(void **state) {
    (void)state;
    struct arena *a = arena_new(256);
    marked(a, 1000, true); /* the first secret stands in a later block */
    marked(a, 9000, false);
    marked(a, 50, true);
    forget_frees();
    arena_free(a);
    assert_int_equal(freed_blocks, 5); /* four blocks and the arena */
    assert_int_equal(freed_marks, 0);
}

#ifdef WITH_ASAN
static void test_poison(void **state) {
    (void)state;
    struct arena *a = arena_new(4096);
    char *p = arena_alloc(a, 13), *later = arena_alloc(a, 9000);
    assert_null(__asan_region_is_poisoned(p, 13));
    assert_true(__asan_address_is_poisoned(p + 13)); /* an overrun by one byte */
    assert_null(__asan_region_is_poisoned(later, 9000));
    assert_true(__asan_address_is_poisoned(later + 9000));
    arena_reset(a);
    assert_true(__asan_address_is_poisoned(p)); /* a use after the request */
    assert_true(__asan_address_is_poisoned(p + 12));
    p = arena_alloc(a, 13);
    assert_null(__asan_region_is_poisoned(p, 13));
    arena_free(a);
}
#else /* ASan's malloc has lines of its own for this */
static void ask_too_much(void) {
    struct arena *a = arena_new(64);
    size_t count = SIZE_MAX / 8;
    __asm__("" : "+r"(count)); /* or the compiler warns, and it is right */
    arena_zalloc_array(a, 16, count);
}

static void ask_for_everything(void) {
    struct arena *a = arena_new(64);
    size_t all = SIZE_MAX / 4 - 4096;
    __asm__("" : "+r"(all));
    arena_alloc(a, all);
}

static void test_lack_of_memory_aborts_with_one_line(void **state) {
    (void)state;
    void (*const asks[])(void) = {ask_too_much, ask_for_everything};
    for (size_t i = 0; i < COUNT(asks); i++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            sigaction(SIGABRT, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
            dup2(ends[1], STDERR_FILENO);
            asks[i]();
            _exit(0);
        }
        close(ends[1]);
        char line[512];
        ssize_t n = 0, got;
        while ((got = read(ends[0], line + n, sizeof line - (size_t)n)) > 0) n += got;
        close(ends[0]);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        CHECK(i, WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        CHECK(i, str_find((str){line, (size_t)n}, '\n') < (size_t)n);
        str last = {line + n - 22, 22};
        CHECK(i, str_eq(last, S("grantd: out of memory\n")));
    }
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment_and_zero),
        cmocka_unit_test(test_allocations_do_not_overlap),
        cmocka_unit_test(test_reset_keeps_the_first_block),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_secrets_are_wiped),
        cmocka_unit_test(test_free_wipes_too),
#ifdef WITH_ASAN
        cmocka_unit_test(test_poison),
#else
        cmocka_unit_test(test_lack_of_memory_aborts_with_one_line),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
