/* Any Authorization header at the token endpoint: it is refused cleanly or it is the right secret, and nothing is stored. norm: N07 T04 */
#include <stdlib.h>

#include "b64.h"
#include "kit_test.h"

static struct kit kit;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A kit for a while: its arena only grows. */
static void renew_kit(void) {
    static unsigned runs;
    if (runs % 256 == 0) {
        if (runs) kit_close(&kit);
        kit_open(&kit);
    }
    runs++;
}

static bool holds_secret(str header) {
    uint8_t *bytes = malloc(header.n + 3);
    size_t n = 0;
    bool decoded = bytes && b64_decode(str_trim(str_from(header, 6)), bytes, &n);
    bool found = decoded && n >= kit.secrets[APP_CONF].n; /* the shortest spelling of it */
    free(bytes);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    renew_kit();
    struct oauth_req req = {
        .method = METHOD_POST,
        .authorization = {(const char *)data, size},
        .content_type = S("application/x-www-form-urlencoded"),
        .body = S("grant_type=client_credentials&scope=oauth"),
    };
    struct kit_answer answer = kit_run(&kit, &endpoint_token, &req);
    bool basic = str_starts_with_nocase(req.authorization, S("basic"));
    if (answer.a.http != 200 && answer.a.http != 400 && answer.a.http != 401) abort();
    if ((answer.a.http == 401) != (answer.a.www_authenticate.n > 0)) abort();
    if (answer.a.http == 401 && !basic) abort();
    if (answer.a.http == 200 && (!basic || !holds_secret(req.authorization))) abort();
    if (kit.changed) abort();
    return 0;
}
