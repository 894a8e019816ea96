/* For unit tests: cmocka with what it needs, and a check that names the row of the table that failed. */
#ifndef GRANTD_ROWS_TEST_H
#define GRANTD_ROWS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define CHECK(row, condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) fail_msg("row %lld: %s", (long long)(row), #condition);                                      \
    } while (0)

#endif
