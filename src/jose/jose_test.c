#include "jose.h"

#include "b64.h"
#include "random.h"
#include "rows_test.h"

/* RFC 7515 appendix A.2 and A.3. */
#define PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RS_SIGNATURE                                                                                                   \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t" \
    "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--"      \
    "xi12jz"                                                                                                           \
    "DwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQG" \
    "e77Rw"
#define RS_TOKEN "eyJhbGciOiJSUzI1NiJ9." PAYLOAD "." RS_SIGNATURE
#define ES_TOKEN                                                                                                       \
    "eyJhbGciOiJFUzI1NiJ9." PAYLOAD                                                                                    \
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define HS_TOKEN "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define RS_N                                                                                                           \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pC" \
    "gNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg6" \
    "65xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW" \
    "yuXpoQ"
#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_SHORT                                                                                                       \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"_k07MQ_NPvAVqo8wkHieelutO-bVPXPX_5ThnwLI3zk\","                          \
    "\"y\":\"7mRnUNdeMtuSS4u-SfrXK_z3wM_kwpIITHQjzeLaZg\""
#define EC  "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""
#define RSA "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RS_N "\""
#define OCT                                                                                                            \
    "\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\""
#define SET(k) "{\"keys\":[{" k "}]}"

/* openssl req -x509 -newkey ec (rsa:2048) -nodes -subj /CN=a, and their keys */
#define EC_CERTIFICATE                                                                                                 \
    "MIIBbjCCARWgAwIBAgIUKFQZ2MATsrO00vHPrnsB6FyaQ4UwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBYTAgFw0yNjExMjIwOTU3NDZa"         \
    "GA8yMTI2MTAyOTA5NTc0NlowDDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPgNNSvD642IEdzT1ZmwMz8cUH0j"         \
    "/AnaqKx+f2K51eOnmJcE6/Q7vD7+A73XcX+xTaL/zBlVXGYOKgXW0VPg30ejUzBRMB0GA1UdDgQWBBRPCrUHEwLFEWI6xH5/TicGfG9/"         \
    "djAfBgNVHSMEGDAWgBRPCrUHEwLFEWI6xH5/TicGfG9/djAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIFYo5yjQihYe"         \
    "1fsFYJN4XYfODtPqJsWN7VevVOdi3wMRAiBgfyps0dji7dHBGfkMYsMiqHcO6wDhSMys7N8hAGbeNw=="
#define RSA_CERTIFICATE                                                                                                \
    "MIIC+zCCAeOgAwIBAgIUeSPnxcJJE3LPtfhHSnuS2tAHvvkwDQYJKoZIhvcNAQELBQAwDDEKMAgGA1UEAwwBYTAgFw0yNjExMjIwOTU3"         \
    "NDdaGA8yMTI2MTAyOTA5NTc0N1owDDEKMAgGA1UEAwwBYTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAJIw8da1MxoYF5Gw"         \
    "8bsqmtWV8sm1EB7pAFV4YDj6ofoJyDpdl/hCWGkBpmYxHy7seq9xAb2iP637cKWWPxm7jmWgFUi1rpHPSGDALDKAVkd8XGFyO7AvV1Bn"         \
    "dw0dosNezYgd/PSgF5VWCTSgBCCraFDv7Qdo9LK/ZCd5XfrQuKR3EfiA5o3ZyMoxGfJHqawPfUt63M0JGS5Y6uYnmwa8E2FU0WqRnMUA"         \
    "1Xn8d+UfbgUBPXyh7/KEPa6bjeKGpz1H8h2kCK1P3kuXDeVWcnOOs8Rn10YQz0pGihME1tKW3zFvz7GukcHAj0iuJ8dBZjPs27g3UC60"         \
    "8ucWjU9WXHdceMUCAwEAAaNTMFEwHQYDVR0OBBYEFHX4FFUOkyz5r7kvx2Sm9bAPZf4kMB8GA1UdIwQYMBaAFHX4FFUOkyz5r7kvx2Sm"         \
    "9bAPZf4kMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBAGNpDwX8LZ+sEhDFQ7HSZyxylYvCe9nSREOyAgPu6u0wdvt2"         \
    "9YJmT0kLbQhdk0z+jtSqvLMuOGSUz+Ru0MaLtY8s6JzMJ9XXb+EbwIdyDbPA1zNTQteQ7hkiOSCVURE6CMn3TqOxRaf/NPMmbT4prNNe"         \
    "ihESP0ToR+sEqlpstLx76RjdMq35Iswf+93tkjNGLhYT21aUu2LxbVO/A7IJb0oWcKAZbJ/1KAdl/61xtmrEbakPE9Ykn+IKPfHSlvr1"         \
    "N0I5TFQiK6p95SyXMLLgzwdeu3uQHmE5aQqt1TLhmsXnPusBLbttsX1vp3cdcBMtz6XXII6z7TosEGSDR2NJ2t4="
#define CERTIFIED_EC                                                                                                   \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"-A01K8PrjYgR3NPVmbAzPxxQfSP8CdqorH5_YrnV46c\",\"y\":\"mJcE6_Q7vD7-"      \
    "A73XcX-xTaL_zBlVXGYOKgXW0VPg30c\""
#define CERTIFIED_N                                                                                                    \
    "kjDx1rUzGhgXkbDxuyqa1ZXyybUQHukAVXhgOPqh-gnIOl2X-EJYaQGmZjEfLux6r3EBvaI_rftwpZY_GbuOZaAVSLWukc9IYMAsMoBW"         \
    "R3xcYXI7sC9XUGd3DR2iw17NiB389KAXlVYJNKAEIKtoUO_tB2j0sr9kJ3ld-tC4pHcR-IDmjdnIyjEZ8keprA99S3rczQkZLljq5ieb"         \
    "BrwTYVTRapGcxQDVefx35R9uBQE9fKHv8oQ9rpuN4oanPUfyHaQIrU_eS5cN5VZyc46zxGfXRhDPSkaKEwTW0pbfMW_Psa6RwcCPSK4n"         \
    "x0FmM-zbuDdQLrTy5xaNT1Zcd1x4xQ"
#define CERTIFIED_RSA  "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" CERTIFIED_N "\""
#define X5C(key, list) SET(key ",\"x5c\":" list)

static struct arena *arena;

static int set_up(void **state) {
    (void)state;
    arena = arena_new(65536);
    return !crypto_start();
}

static int tear_down(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

static bool verify(const char *set, uint32_t algs, str token, struct jose_jwt *out) {
    struct jose_keys *keys = NULL;
    assert_true(rc_ok(jose_keys_read(str_of(set), &keys)));
    bool good = jose_verify(keys, algs, token, arena, out);
    jose_keys_free(keys);
    return good;
}

static void test_rfc_vectors(void **state) {
    (void)state;
    static const struct {
        const char *set, *token;
        uint32_t algs;
        bool good;
    } rows[] = {
        {SET(EC), ES_TOKEN, JOSE_ANY, true},
        {SET(RSA), RS_TOKEN, JOSE_ANY, true},
        {SET(EC), ES_TOKEN, JOSE_BIT(JOSE_RS256), false},  /* not on the list */
        {SET(RSA), RS_TOKEN, JOSE_BIT(JOSE_PS256), false}, /* the key would fit */
        {SET(RSA), ES_TOKEN, JOSE_ANY, false},
        {SET(EC), RS_TOKEN, JOSE_ANY, false},
        {SET(EC), HS_TOKEN, JOSE_ANY, false},
        {SET(RSA ",\"alg\":\"PS256\""), RS_TOKEN, JOSE_ANY, false}, /* the key says what it is for */
        {SET(RSA ",\"alg\":\"RS256\",\"use\":\"sig\""), RS_TOKEN, JOSE_ANY, true},
        {SET(EC ",\"kid\":\"a\""), ES_TOKEN, JOSE_ANY, true}, /* a token without a kid is tried with every key */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jose_jwt jwt;
        bool good = verify(rows[i].set, rows[i].algs, str_of(rows[i].token), &jwt);
        CHECK(i, good == rows[i].good);
        if (!good) continue;
        CHECK(i, str_eq(jwt.iss, S("joe")) && jwt.has_exp && jwt.exp_s == 1300819380 && !jwt.has_iat && !jwt.n_aud);
    }
}

/* Header and payload in clear, a signature that is only well formed. */
static str forge(const char *header, const char *payload) {
    str h = str_of(header), p = str_of(payload);
    char *out = arena_alloc(arena, b64url_length(h.n) + b64url_length(p.n) + 6);
    size_t n = b64url_length(h.n);
    b64url_encode((const uint8_t *)h.p, h.n, out);
    out[n++] = '.';
    b64url_encode((const uint8_t *)p.p, p.n, out + n);
    n += b64url_length(p.n);
    memcpy(out + n, ".AAAA", 5);
    return (str){out, n + 5};
}

static void test_headers_and_claims(void **state) {
    (void)state;
    static const struct {
        const char *header, *payload;
        bool good;
    } rows[] = {
        {"{\"alg\":\"ES256\"}", "{}", true},
        {"{\"alg\":\"none\"}", "{}", false},
        {"{\"alg\":\"HS256\"}", "{}", false},
        {"{\"alg\":\"ES256\",\"alg\":\"none\"}", "{}", false}, /* two readers would see two algorithms */
        {"{\"alg\":\"ES256\",\"crit\":[\"exp\"]}", "{}", false},
        {"{\"alg\":\"ES256\",\"b64\":false}", "{}", false},
        {"{\"alg\":256}", "{}", false},
        {"{}", "{}", false},
        {"[]", "{}", false},
        {"{\"alg\":\"ES256\"}", "[]", false},
        {"{\"alg\":\"ES256\"}", "{\"iss\":1}", false},
        {"{\"alg\":\"ES256\"}", "{\"exp\":\"1\"}", false},
        {"{\"alg\":\"ES256\"}", "{\"exp\":-1}", false},
        {"{\"alg\":\"ES256\"}", "{\"exp\":1e300}", false},
        {"{\"alg\":\"ES256\"}", "{\"exp\":1.5}", true},
        {"{\"alg\":\"ES256\"}", "{\"aud\":7}", false},
        {"{\"alg\":\"ES256\"}", "{\"aud\":[\"a\",7]}", false},
        {"{\"alg\":\"ES256\"}", "{\"aud\":[]}", true},
        {"{\"alg\":\"ES256\"}", "{\"aud\":{\"a\":1}}", false},
        {"{\"alg\":\"ES256\"}", "{\"jti\":\"a\",\"jti\":\"b\"}", false},
        {"{\"alg\":\"ES256\"}", "{\"jti\":\"\\u0000\"}", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jose_jwt jwt;
        str token = forge(rows[i].header, rows[i].payload);
        CHECK(i, jose_peek(token, arena, &jwt) == rows[i].good);
        CHECK(i, !verify(SET(EC), JOSE_ANY, token, &jwt));
    }
}

static void test_shapes(void **state) {
    (void)state;
    static const char *const rows[] = {"",
                                       ".",
                                       "..",
                                       "...",
                                       "a.b.c",
                                       "eyJhbGciOiJFUzI1NiJ9.e30",
                                       "eyJhbGciOiJFUzI1NiJ9.e30.",
                                       "eyJhbGciOiJFUzI1NiJ9.e30.AA.AA",
                                       "eyJhbGciOiJFUzI1NiJ9=.e30.AA",
                                       ES_TOKEN "=",
                                       ES_TOKEN "A",
                                       " " ES_TOKEN};
    struct jose_jwt jwt;
    for (size_t i = 0; i < COUNT(rows); i++) CHECK(i, !verify(SET(EC), JOSE_ANY, str_of(rows[i]), &jwt));
    char *large = arena_alloc(arena, JOSE_TOKEN_MAX + 1);
    memset(large, 'A', JOSE_TOKEN_MAX + 1);
    large[3] = large[6] = '.';
    assert_false(jose_peek((str){large, JOSE_TOKEN_MAX + 1}, arena, &jwt));
}

/* Every single-character change of a good token is refused. */
static void test_every_character_counts(void **state) {
    (void)state;
    char text[sizeof ES_TOKEN];
    for (size_t i = 0; i + 1 < sizeof ES_TOKEN; i++) {
        struct jose_jwt jwt;
        memcpy(text, ES_TOKEN, sizeof text);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        CHECK(i, !verify(SET(EC), JOSE_ANY, str_of(text), &jwt));
    }
}

static void test_sets(void **state) {
    (void)state;
    static const struct {
        const char *set;
        bool good;
    } rows[] = {
        {SET(EC), true},
        {SET(RSA), true},
        {SET(EC_SHORT), true}, /* a leading zero of y left out */
        {SET("\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"\""), false},
        {SET("\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"A*\",\"y\":\"A\""), false},
        {"{\"keys\":[{" EC "},{" RSA "},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}",
         true}, /* unknown: passed over */
        {"{\"keys\":[]}", false},
        {"{\"keys\":{}}", false},
        {"{}", false},
        {"", false},
        {"{" EC "}", false},
        {"[" SET(EC) "]", false},
        {SET(OCT), false},                                                         /* symmetric */
        {SET(EC ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\""), false}, /* private */
        {"{\"keys\":[{" EC "},{" RSA ",\"d\":\"AQAB\"}]}", false},                 /* private, not the first */
        {SET("\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_X "\""), false}, /* not on the curve */
        {SET("\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AQAB\""), false},                          /* too short */
        {SET(EC ",\"use\":\"enc\""), false},
        {SET(EC ",\"alg\":\"HS256\""), false},
        {SET(EC ",\"kid\":\"a\",\"kid\":\"b\""), false},
        /* RFC 7517 s4.7 */
        {X5C(CERTIFIED_EC, "[\"" EC_CERTIFICATE "\"]"), true},
        {X5C(CERTIFIED_EC, "[\"" EC_CERTIFICATE "\",\"" RSA_CERTIFICATE "\"]"), true},
        {X5C(CERTIFIED_EC, "[\"" RSA_CERTIFICATE "\",\"" EC_CERTIFICATE "\"]"), false},
        {X5C(CERTIFIED_RSA, "[\"" RSA_CERTIFICATE "\"]"), true},
        {X5C(CERTIFIED_RSA, "[\"" EC_CERTIFICATE "\"]"), false},
        {X5C(RSA, "[\"" RSA_CERTIFICATE "\"]"), false},
        {X5C(EC, "[\"" EC_CERTIFICATE "\"]"), false},
        {X5C(EC, "[]"), false},
        {X5C(EC, "null"), false},
        {X5C(CERTIFIED_EC, "\"" EC_CERTIFICATE "\""), false},
        {X5C(CERTIFIED_EC, "[\"" EC_CERTIFICATE "\",7]"), false},
        {X5C(CERTIFIED_EC, "[\"" EC_CERTIFICATE "AAAA\"]"), false},
        {X5C(CERTIFIED_EC, "[\"-_-_\"]"), false},
        {X5C("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"},{" EC, "null"), false},
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x5c\":7},{" EC "}]}",
         true}, /* of a key that is passed over */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jose_keys *keys = NULL;
        CHECK(i, rc_ok(jose_keys_read(str_of(rows[i].set), &keys)) == rows[i].good);
        jose_keys_free(keys);
    }
}

/* RFC 7518 s6.2.1.2: one key in 128 has a coordinate that begins with a zero. */
static void test_our_coordinates_are_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < 400; i++) {
        struct buf text = buf_growing(8192);
        assert_true(rc_ok(jose_key_make(JOSE_ES256, S("k"), &text)));
        buf_add_char(&text, '\0'); /* for strstr */
        for (size_t m = 0; m < 3; m++) {
            static const char *const members[] = {"\"x\":\"", "\"y\":\"", "\"d\":\""};
            const char *from = strstr((const char *)text.p, members[m]);
            assert_non_null(from);
            from += strlen(members[m]);
            CHECK(i, strcspn(from, "\"") == 43);
        }
        buf_free(&text);
    }
}

static void test_our_keys(void **state) {
    (void)state;
    static const enum jose_alg algs[] = {JOSE_ES256, JOSE_RS256};
    for (size_t i = 0; i < COUNT(algs); i++) {
        struct buf text = buf_growing(8192), set = buf_growing(8192);
        struct jose_keys ours = {.n = 1};
        struct jose_jwt jwt;
        assert_true(rc_ok(jose_key_make(algs[i], str_head(S("kid-1xxxxxxxx"), 5), &text)));
        assert_true(rc_ok(jose_key_open(algs[i], buf_str(&text), &ours.keys[0])));
        assert_true(str_eq(jose_key_kid(ours.keys[0]), S("kid-1")));
        str payload = S("{\"sub\":\"7\",\"aud\":[\"a\",\"b\"],\"hub_id\":9}");
        str token = jose_sign(ours.keys[0], S("at+jwt"), payload, arena);
        assert_int_equal(token.n, jose_signed_length(ours.keys[0], S("at+jwt"), payload.n));
        assert_true(jose_verify(&ours, JOSE_ANY, token, arena, &jwt));
        assert_true(str_eq(jwt.typ, S("at+jwt")) && str_eq(jwt.kid, S("kid-1")) && str_eq(jwt.sub, S("7")));
        assert_true(jwt.alg == algs[i] && jwt.n_aud == 2 && jwt.aud_is_list && str_eq(jwt.aud[1], S("b")) &&
                    jwt.hub_id == 9);
        /* what is published is enough to verify, and holds nothing private */
        assert_true(rc_ok(jose_keys_write(&ours, &set)));
        buf_add_char(&set, 0);
        for (size_t k = 0; k < 6; k++) {
            static const char *const members[] = {"\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\""};
            assert_null(strstr(set.p, members[k]));
        }
        assert_non_null(strstr(set.p, "\"use\":\"sig\""));
        assert_true(verify(set.p, JOSE_BIT(algs[i]), token, &jwt));
        /* a private key is not taken for one of another kind */
        struct jose_key *wrong = NULL;
        assert_false(rc_ok(jose_key_open(algs[1 - i], buf_str(&text), &wrong)));
        jose_key_free(ours.keys[0]);
        buf_free(&text);
        buf_free(&set);
    }
}

/* The key id in the header chooses the key; a name that no key has verifies nothing. */
static void test_key_ids(void **state) {
    (void)state;
    struct jose_keys ours = {.n = 2};
    struct buf text = buf_growing(8192);
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&text);
        assert_true(rc_ok(jose_key_make(JOSE_ES256, i ? S("two") : S("one"), &text)));
        assert_true(rc_ok(jose_key_open(JOSE_ES256, buf_str(&text), &ours.keys[i])));
    }
    struct jose_jwt jwt;
    str token = jose_sign(ours.keys[1], S("JWT"), S("{}"), arena);
    assert_true(jose_verify(&ours, JOSE_ANY, token, arena, &jwt));
    struct jose_keys only_one = {.n = 1, .keys = {ours.keys[0]}};
    assert_false(jose_verify(&only_one, JOSE_ANY, token, arena, &jwt));
    for (size_t i = 0; i < 2; i++) jose_key_free(ours.keys[i]);
    buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_vectors), cmocka_unit_test(test_headers_and_claims),
        cmocka_unit_test(test_shapes),      cmocka_unit_test(test_every_character_counts),
        cmocka_unit_test(test_sets),        cmocka_unit_test(test_our_coordinates_are_whole),
        cmocka_unit_test(test_our_keys),    cmocka_unit_test(test_key_ids),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
