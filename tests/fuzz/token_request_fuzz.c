/* Whole calls with hostile forms. The first byte chooses the endpoint and how the caller shows itself; in the rest the bytes 1 to 6 stand for a code, a
 * refresh token, an access token, a verifier, a redirect URI and a secret that are real. Whatever comes: the answer is
 * well formed, nothing of the request comes back raw, and what is dead stays dead. norm: N07 X17 X21 */
#include <stdlib.h>

#include "buf.h"
#include "kit_test.h"

static struct kit kit;
static struct kit_tokens tokens, dead;
static str code;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void renew_kit(void) {
    static unsigned runs;
    if (runs++ % 128) return;
    if (runs > 1) kit_close(&kit);
    kit_open(&kit);
    tokens = kit_install(&kit, APP_CONF);
    dead = kit_install(&kit, APP_CONF);
    kit_revoke(&kit, APP_CONF, dead.refresh);
    code = kit_code(&kit, APP_CONF);
}

static str expand(str text) {
    const str parts[] = {{NULL, 0},
                         code,
                         tokens.refresh,
                         tokens.access,
                         S(KIT_VERIFIER),
                         S("https://app.example/cb"),
                         kit.secrets[APP_CONF]};
    struct buf b = buf_growing(1 << 20);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char byte = (unsigned char)text.p[i];
        if (byte >= 1 && byte <= 6)
            buf_add(&b, parts[byte]);
        else
            buf_add_char(&b, text.p[i]);
    }
    str out = arena_copy(kit.arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static const struct endpoint *const endpoints[] = {
    &endpoint_token,
    &endpoint_introspect,
    &endpoint_revoke,
    &endpoint_authorize,
    &endpoint_v1_access_token,
    &endpoint_v1_refresh_token,
    &endpoint_v1_refresh_delete,
    &endpoint_uninstall,
};

static struct oauth_req request_of(uint8_t choice, str text) {
    struct oauth_req req = {.method = choice & 8 ? METHOD_GET : METHOD_POST,
                            .content_type = S("application/x-www-form-urlencoded")};
    str credentials = choice & 16   ? kit_credentials(&kit, APP_CONF)
                      : choice & 32 ? S("client_id=publ")
                                    : S("client_id=conf");
    str form = arena_printf(kit.arena, "%.*s&%.*s", STR_ARG(credentials), STR_ARG(text));
    if (req.method == METHOD_GET)
        req.query = form;
    else
        req.body = form;
    if (choice & 64) req.query = text;
    req.query_params = choice & 128;
    if ((choice & 7) >= 4) req.path_arg = text;
    if ((choice & 7) == 7) req.authorization = arena_printf(kit.arena, "Bearer %.*s", STR_ARG(text));
    return req;
}

static void check_bytes(str text) {
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 && text.p[i] != '\n') abort();
}

static void check_answer(const struct answer *a) {
    if (a->http < 200 || a->http > 499 || !a->no_store) abort();
    check_bytes(a->body);
    check_bytes(a->location);
    if (str_find(a->location, '\n') < a->location.n) abort();
    if ((a->http / 100 == 3) != (a->location.n > 0)) abort();
    if (a->location.n && !str_starts_with(a->location, S("https://app.example/cb?")) &&
        !str_starts_with(a->location, S("http://")) && !str_starts_with(a->location, S("com.example.app:/cb?")))
        abort();
    if (a->type == ANSWER_JSON && (a->body.n < 2 || a->body.p[0] != '{' || a->body.p[a->body.n - 1] != '}')) abort();
    if (a->type == ANSWER_EMPTY && a->body.n) abort();
    if ((a->type == ANSWER_PAGE) != (a->screen != NULL)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    renew_kit();
    if (size == 0) return 0;
    str text = expand((str){(const char *)data + 1, size - 1});
    struct oauth_req req = request_of(data[0], text);
    struct kit_answer answer = kit_run(&kit, endpoints[data[0] & 7], &req);
    check_answer(&answer.a);
    if (kit_is_active(&kit, dead.access) || kit_is_active(&kit, dead.refresh)) abort();
    return 0;
}
