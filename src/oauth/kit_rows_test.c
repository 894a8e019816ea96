#include "kit_rows_test.h"

#include "b64.h"

static str authorization_of(struct kit *k, const char *template) {
    str text = kit_expand(k, template);
    if (!str_starts_with(text, S("basic:"))) return text;
    str pair = str_from(text, 6);
    char *encoded = arena_alloc(k->arena, b64_length(pair.n));
    b64_encode((const uint8_t *)pair.p, pair.n, encoded);
    return arena_printf(k->arena, "Basic %.*s", (int)b64_length(pair.n), encoded);
}

void kit_check_error(struct kit *k, const struct kit_answer *answer, enum refusal refusal, const char *in) {
    const struct refusal_row *row = refusal_row(refusal);
    str detail = S("");
    if (in)
        detail = arena_printf(k->arena, ",\"errors\":[{\"message\":\"%.*s\",\"in\":\"%s\",\"code\":\"%.*s\"",
                              STR_ARG(row->text), in, STR_ARG(row->name));
    str expected =
        arena_printf(k->arena,
                     "{\"status\":\"%.*s\",\"message\":\"%.*s\",\"error\":\"%.*s\",\"error_description\":\"%.*s\","
                     "\"category\":\"%.*s\",\"correlationId\":\"%s\"%.*s",
                     STR_ARG(row->status), STR_ARG(row->text), STR_ARG(row->error), STR_ARG(row->text),
                     STR_ARG(row->category), KIT_CORRELATION, STR_ARG(detail));
    assert_string_equal(kit_z(k, str_head(answer->a.body, expected.n)), kit_z(k, expected));
    const char *end = kit_z(k, str_from(answer->a.body, expected.n));
    if (!in)
        assert_string_equal(end, "}");
    else if (strncmp(end, ",\"context\":{\"scopes\":[\"", 23) != 0)
        assert_string_equal(end, "}]}");
}

void kit_check_text(struct kit *k, const struct kit_answer *answer, const char *expected) {
    assert_string_equal(kit_z(k, kit_masked(k, answer->text)), expected);
}

static void check_row(struct kit *k, const struct endpoint *endpoint, const struct kit_row *row) {
    struct oauth_req req = {.method = METHOD_POST, .content_type = S("application/x-www-form-urlencoded")};
    if (row->authorization) req.authorization = authorization_of(k, row->authorization);
    req.body = kit_expand(k, row->form);
    if (row->before) row->before(k);
    k->now_ms += row->later_ms;
    unsigned changed = k->changed;
    struct kit_answer answer = kit_run(k, endpoint, &req);
    if (answer.refusal != row->refusal)
        fail_msg("got %.*s instead of %.*s", STR_ARG(refusal_row(answer.refusal)->name),
                 STR_ARG(refusal_row(row->refusal)->name));
    assert_int_equal(answer.a.http, row->http ? row->http : refusal_row(row->refusal)->http);
    assert_int_equal(k->changed - changed, row->changes);
    assert_true(answer.a.no_store);
    if (row->refusal) kit_check_error(k, &answer, row->refusal, row->in);
    bool basic = req.authorization.n >= 5 && str_starts_with_nocase(req.authorization, S("basic"));
    str expected = basic && answer.a.http == 401 ? S("Basic realm=\"grantd\", charset=\"UTF-8\"") : S("");
    assert_true(str_eq(answer.a.www_authenticate, expected));
}

void kit_check_rows(const struct endpoint *endpoint, const struct kit_row *rows, size_t n) {
    static struct kit k;
    for (size_t i = 0; i < n; i++) {
        print_message("  %s\n", rows[i].name);
        kit_open(&k);
        check_row(&k, endpoint, &rows[i]);
        kit_close(&k);
    }
}
