/* cmocka needs these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "library.h"

static void test_it_finds_functions(void **state) {
    (void)state;
    struct library l = {.name = "libm", .file = "libm.so.6", .package = "libc6"};
    double (*root)(double) = NULL;
    assert_true(rc_ok(library_open(&l)));
    library_find(&l, "sqrt", &root);
    assert_true(rc_ok(library_check(&l)));
    assert_true(root(9) == 3);
    library_find(&l, "no_such_function", &root);
    assert_null(root);
    assert_int_equal(library_check(&l).fault, FAULT_INTERNAL);
    assert_non_null(strstr(rc_detail(), "install libc6"));
}

static void test_it_says_what_to_install(void **state) {
    (void)state;
    struct library l = {.name = "libnowhere", .file = "libnowhere.so.7", .package = "nowhere7"};
    assert_int_equal(library_open(&l).fault, FAULT_INTERNAL);
    assert_non_null(strstr(rc_detail(), "libnowhere cannot be loaded"));
    assert_non_null(strstr(rc_detail(), "install the package nowhere7"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_finds_functions),
        cmocka_unit_test(test_it_says_what_to_install),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
