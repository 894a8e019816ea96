/* http_hello: one loop with a constant answer of the size of a token answer, to compare the HTTP front with other servers:
 *     http_hello 127.0.0.1:8088 & wrk -t1 -c32 -d5 http://127.0.0.1:8088/ */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "web.h"

static char body[420];

static void answer(struct web_exchange *x, const struct web_request *req, void *arg) {
    (void)req;
    (void)arg;
    struct web_response response = {
        .status = 200,
        .content_type = S("application/json;charset=utf-8"),
        .body = {body, sizeof body},
        .no_store = true,
    };
    web_respond(x, &response);
}

static void stop(void *loop) { web_loop_stop(loop, 1000); }

static RC serve(const char *address) {
    struct web_options options = {
        .limits = {.head_max = 16384, .target_max = 8192, .headers_max = 100, .body_max = 65536},
        .header_deadline_ms = 10000,
        .body_deadline_ms = 10000,
        .idle_deadline_ms = 60000,
        .answer_deadline_ms = 10000,
        .connections_max = 20000,
    };
    struct web_loop *loop;
    char name[128];
    int fd;
    TRY(web_loop_open(&options, &loop));
    TRY(web_bind(str_of(address), false, &fd, name, sizeof name));
    TRY(web_listen(loop, fd, answer, NULL));
    TRY(web_loop_on_signal(loop, SIGTERM, stop, loop));
    TRY(web_loop_on_signal(loop, SIGINT, stop, loop));
    close(fd);
    printf("%s\n", name);
    fflush(stdout);
    web_loop_run(loop);
    web_loop_close(loop);
    return RC_OK;
}

int main(int argc, char **argv) {
    memset(body, 'x', sizeof body);
    struct rc rc = serve(argc > 1 ? argv[1] : "127.0.0.1:0");
    if (!rc_ok(rc)) fprintf(stderr, "http_hello: %s: %s\n", rc_text(rc), rc_detail());
    return rc_ok(rc) ? 0 : 1;
}
