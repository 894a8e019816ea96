#include "log.h"

#include "rows_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static str format(enum event event, const char *correlation_id, const char *const *values, char out[LOG_LINE_MAX]) {
    return (str){out, log_format(event, 0, correlation_id, values, out)};
}

static void test_lines(void **state) {
    (void)state;
    char line[LOG_LINE_MAX];
    str got = format(EVENT_CLOCK_STEPPED, NULL, (const char *const[]){"-5000", NULL}, line);
    assert_true(str_eq(got, S("{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"warn\",\"event\":\"CLOCK_STEPPED\","
                              "\"message\":\"the machine's clock was set; behind our time ours runs slower until both "
                              "agree\",\"step_ms\":\"-5000\"}\n")));
    got = format(EVENT_PURGE_FAILED, "id", (const char *const[]){"a\"\n\x01", "b", NULL}, line);
    static const char end[] = "\"correlation_id\":\"id\",\"fault\":\"a\\\"\\n\\u0001\",\"detail\":\"b\"}\n";
    assert_true(got.n > sizeof end);
    assert_true(str_eq(str_from(got, got.n - (sizeof end - 1)), S(end)));
}

/* However long the values are, a line is whole JSON and fits. */
static void test_long_values(void **state) {
    (void)state;
    char line[LOG_LINE_MAX], value[2000];
    static const char fill[] = {'x', '\x01', '"', '\xff'};
    for (size_t i = 0; i < COUNT(fill); i++) {
        memset(value, fill[i], sizeof value - 1);
        value[sizeof value - 1] = 0;
        const char *const values[] = {value, value, value, value, value, NULL};
        str got = format(EVENT_SERVER_READY, "7", values, line);
        CHECK(i, got.n <= LOG_LINE_MAX && got.n > 100);
        CHECK(i, got.p[got.n - 1] == '\n' && got.p[got.n - 2] == '}' && got.p[got.n - 3] == '"');
    }
}

static void test_table(void **state) {
    (void)state;
    char line[LOG_LINE_MAX];
    static const char *const values[] = {"1", "2", "3", "4", "5", "6", "7", "8", NULL};
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        str fields = str_of(event_rows[i].fields);
        str got = format((enum event)i, NULL, values, line);
        CHECK(i, str_is_all(str_of(event_rows[i].sentence), 'V'));
        while (fields.n) {
            char name[64];
            str field = str_take(&fields, ' ');
            int n = snprintf(name, sizeof name, ",\"%.*s\":\"", STR_ARG(field));
            CHECK(i, memmem(got.p, got.n, name, (size_t)n) != NULL);
        }
    }
}

static void test_levels(void **state) {
    (void)state;
    static const struct {
        str text;
        bool known;
        enum log_level level;
    } rows[] = {{S("debug"), true, LEVEL_DEBUG}, {S("info"), true, LEVEL_INFO},   {S("warn"), true, LEVEL_WARN},
                {S("error"), true, LEVEL_ERROR}, {S("Error"), false, LEVEL_INFO}, {S(""), false, LEVEL_INFO}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum log_level level = LEVEL_INFO;
        CHECK(i, log_level_parse(rows[i].text, &level) == rows[i].known && level == rows[i].level);
    }
}

/* Runs `work` with stderr in a pipe that nobody reads meanwhile, and counts the lines of each kind afterwards. */
struct counts {
    size_t lines, dropped;
};

static struct counts count_lines(int fd) {
    struct counts counts = {0, 0};
    char text[LOG_LINE_MAX + 1];
    FILE *f = fdopen(fd, "r");
    while (fgets(text, sizeof text, f)) {
        counts.lines++;
        if (strstr(text, "LOG_DROPPED")) counts.dropped++;
    }
    fclose(f);
    return counts;
}

/* A reader that does not read costs the loops nothing: lines are dropped, counted, and the count is told. */
static void test_ring(void **state) {
    (void)state;
    int ends[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    bool started = rc_ok(log_start());
    log_set_level(LEVEL_WARN);
    LOG(EVENT_SERVER_STOPPED, NULL); /* below the level */
    for (int i = 0; i < 5000; i++) LOG(EVENT_CLOCK_STEPPED, NULL, "1");
    pid_t child = fork(); /* lets the writer go on while the parent waits for it */
    if (child == 0) {
        dup2(saved, STDERR_FILENO); /* our end of the pipe would keep it open */
        struct counts counts = count_lines(ends[0]);
        _exit(counts.lines > 200 && counts.lines < 1000 && counts.dropped >= 1 ? 0 : 1);
    }
    close(ends[0]);
    log_stop();
    dup2(saved, STDERR_FILENO);
    close(saved);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(started);
    assert_int_equal(status, 0);
    log_set_level(LEVEL_INFO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_long_values), cmocka_unit_test(test_table),
        cmocka_unit_test(test_levels), cmocka_unit_test(test_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
