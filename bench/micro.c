/* What the parts of a request cost in this machine, in nanoseconds: bench_micro [name-prefix]. Each row runs for about
 * a fifth of a second, three times; the best counts, because everything that disturbs makes it slower. */
#include <stdio.h>
#include <time.h>

#include "arena.h"
#include "b64.h"
#include "crc62.h"
#include "digest.h"
#include "envelope.h"
#include "jose.h"
#include "json_write.h"
#include "percent.h"
#include "random.h"
#include "registry.h"
#include "token_text.h"

#define CODE_BYTES 140 /* about what an authorization code holds */

static struct keyring ring;
static struct arena *arena;
static struct registry registry;
static struct jose_keys signing;
static char signed_text[TOKEN_TEXT_MAX];
static size_t signed_n;
static uint8_t bytes[1024], sealed[512], refresh[REFRESH_BYTES], salt[GRANT_SALT_BYTES], out[1024];
static char text[2048], token[TOKEN_TEXT_MAX];
static size_t token_n;
static volatile uint64_t sink; /* results go here, so that nothing is optimised away */

static void run_crc(void) { sink += crc32_ieee((str){(char *)bytes, 100}); }

static void run_crc_digits(void) {
    crc62_write((uint32_t)sink | 0x80000000u, text + 1024);
    sink += (uint8_t)text[1024];
}

static void run_b64_encode(void) {
    b64url_encode(bytes, 75, text + 1024);
    sink += (uint8_t)text[1030];
}

static void run_b64_decode(void) {
    size_t n;
    sink += b64url_decode((str){text, 100}, out, &n) + n;
}

static void run_sign(void) {
    arena_reset(arena);
    sink += jose_sign(signing.keys[0], S("at+jwt"), (str){text, 270}, arena).n;
}

static void run_verify(void) {
    struct jose_jwt jwt;
    arena_reset(arena);
    sink += jose_verify(&signing, JOSE_ANY, (str){signed_text, signed_n}, arena, &jwt);
}

static void run_seal(void) {
    envelope_seal(ring.current, ENVELOPE_CODE, bytes, (str){(char *)bytes, CODE_BYTES}, out);
    sink += out[30];
}

static void run_open(void) {
    size_t n;
    sink += envelope_open(&ring, ENVELOPE_CODE, (str){(char *)sealed, CODE_BYTES + ENVELOPE_OVERHEAD}, out, &n);
}

static void run_refresh_derive(void) {
    refresh_derive(ring.current, bytes, (uint32_t)sink, salt, out);
    sink += out[30];
}

static void run_refresh_check(void) {
    struct refresh_claim claim;
    sink += refresh_open(&ring, (str){(char *)refresh, REFRESH_BYTES}, &claim) && refresh_is_genuine(&claim, salt);
}

static void run_refresh_all(void) {
    run_refresh_derive();
    run_refresh_check();
}

static void run_token_write(void) { sink += token_text_write(TOKEN_ACCESS, (str){(char *)bytes, 100}, token); }

static void run_token_read(void) {
    size_t n;
    sink += token_text_read(TOKEN_ACCESS, (str){token, token_n}, out, &n);
}

static void run_sha256(void) {
    digest_sha256((str){(char *)bytes, 43}, out);
    sink += out[0];
}

static void run_mac(void) {
    digest_mac(bytes, (str){(char *)bytes, 64}, out, MAC_BYTES);
    sink += out[0];
}

static void run_random(void) {
    random_fill(out, 96);
    sink += out[0];
}

static void run_arena(void) {
    for (int i = 0; i < 10; i++) sink += (uintptr_t)arena_alloc(arena, 100) & 1;
    arena_reset(arena);
}

static void run_json(void) {
    struct buf b = buf_on(text + 1024, 1024);
    struct json j = json_on(&b);
    json_open(&j);
    json_member_str(&j, S("access_token"), (str){token, token_n});
    json_member_str(&j, S("token_type"), S("bearer"));
    json_member_int(&j, S("expires_in"), 1800);
    json_member_int(&j, S("hub_id"), 12345678);
    json_member_str(&j, S("scope"), S("crm.objects.contacts.read crm.objects.contacts.write"));
    json_close(&j);
    sink += b.n;
}

static void run_percent(void) {
    size_t n;
    sink +=
        percent_decode(S("https%3A%2F%2Fapp.example.com%2Foauth%2Fcallback%3Fx%3D1"), PERCENT_FORM, text + 1024, &n) +
        n;
}

static void run_lookup(void) {
    const struct app *app = registry_app_by_client_id(&registry, S("6f1c1d9e-0c0f-4e57-9d9c-3b1d0a5f0042"));
    sink += app ? (uint64_t)app->app_id : 0;
}

static const struct {
    const char *name;
    void (*run)(void);
} rows[] = {
    {"crc32_100", run_crc},
    {"crc62_write", run_crc_digits},
    {"b64url_encode_75_to_100", run_b64_encode},
    {"b64url_decode_100", run_b64_decode},
    {"token_text_write_100", run_token_write},
    {"token_text_read_100", run_token_read},
    {"es256_sign_270", run_sign},
    {"es256_verify_270", run_verify},
    {"envelope_seal_140", run_seal},
    {"envelope_open_140", run_open},
    {"refresh_derive", run_refresh_derive},
    {"refresh_open_and_check", run_refresh_check},
    {"refresh_derive_open_check", run_refresh_all},
    {"sha256_43", run_sha256},
    {"mac_64", run_mac},
    {"random_fill_96", run_random},
    {"arena_10_allocs_reset", run_arena},
    {"json_token_answer", run_json},
    {"percent_decode_56", run_percent},
    {"registry_by_client_id_1000", run_lookup},
};

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double measure_ns(void (*run)(void)) {
    double best = 1e18;
    uint64_t count = 1000;
    for (int round = 0; round < 4; round++) { /* the first one only finds the count */
        int64_t start_ns = now_ns();
        for (uint64_t i = 0; i < count; i++) run();
        double each = (double)(now_ns() - start_ns) / (double)count;
        if (round && each < best) best = each;
        if (!round) count = (uint64_t)(2e8 / (each + 0.1)) + 1;
    }
    return best;
}

static void build_registry(void) {
    registry = (struct registry){.arena = arena_new(1 << 20), .n_apps = 1000};
    registry.apps = ARENA_ARRAY(registry.arena, struct app, registry.n_apps);
    for (size_t i = 0; i < registry.n_apps; i++) {
        registry.apps[i].app_id = (int32_t)i + 1;
        registry.apps[i].client_id = arena_printf(registry.arena, "6f1c1d9e-0c0f-4e57-9d9c-3b1d0a5f%04zu", i);
    }
    registry_index(&registry);
}

static bool build_signing(void) {
    static const str payload =
        S("{\"iss\":\"https://login.example.com\",\"sub\":\"2001\",\"aud\":\"https://login.example.com\","
          "\"client_id\":\"6f1c0e5d-0000-4000-8000-000000000000\",\"iat\":1790000000,\"exp\":1790001800,"
          "\"jti\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"scope\":\"oauth\",\"hub_id\":1001}");
    struct buf jwk = buf_growing(4096);
    signing.n = 1;
    if (!rc_ok(jose_key_make(JOSE_ES256, S("abcdef"), &jwk))) return false;
    if (!rc_ok(jose_key_open(JOSE_ES256, buf_str(&jwk), &signing.keys[0]))) return false;
    buf_free(&jwk);
    str made = jose_sign(signing.keys[0], S("at+jwt"), payload, arena);
    signed_n = made.n;
    memcpy(signed_text, made.p, made.n);
    return made.n > 0 && made.n <= sizeof signed_text;
}

int main(int argc, char **argv) {
    str prefix = str_of(argc > 1 ? argv[1] : "");
    if (!crypto_start()) return 1;
    random_fill(bytes, sizeof bytes);
    random_fill(salt, sizeof salt);
    if (!rc_ok(keyring_add(&ring, 1, 1, bytes))) return 1;
    arena = arena_new(16384);
    build_registry();
    if (!build_signing()) return 1;
    b64url_encode(bytes, 75, text);
    token_n = token_text_write(TOKEN_ACCESS, (str){(char *)bytes, 100}, token);
    envelope_seal(ring.current, ENVELOPE_CODE, bytes, (str){(char *)bytes, CODE_BYTES}, sealed);
    refresh_derive(ring.current, bytes, 5, salt, refresh);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_starts_with(str_of(rows[i].name), prefix))
            printf("%-28s %8.1f ns\n", rows[i].name, measure_ns(rows[i].run));
    jose_key_free(signing.keys[0]);
    arena_free(registry.arena);
    arena_free(arena);
    return 0;
}
