#include "digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>

#include "crypto_start.h"

/* Fetching a digest takes locks and string compares in OpenSSL 3: once per process. A context is kept per thread. */
static EVP_MD *sha256;
static pthread_key_t context_key; /* only for its destructor at the end of a thread */
static _Thread_local EVP_MD_CTX *context;

static void free_context(void *p) { EVP_MD_CTX_free(p); }

bool digest_start(void) {
    if (sha256) return true;
    if (pthread_key_create(&context_key, free_context) != 0) return false;
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    return sha256 != NULL;
}

static EVP_MD_CTX *thread_context(void) {
    if (context) return context;
    context = EVP_MD_CTX_new();
    if (!context || pthread_setspecific(context_key, context) != 0) crypto_die("out of memory");
    return context;
}

void digest_sha256(str data, uint8_t out[SHA256_BYTES]) {
    EVP_MD_CTX *ctx = thread_context();
    if (!sha256 || !EVP_DigestInit_ex2(ctx, sha256, NULL) || !EVP_DigestUpdate(ctx, data.p, data.n) ||
        !EVP_DigestFinal_ex(ctx, out, NULL))
        crypto_die("SHA-256 failed");
}

void digest_mac(const uint8_t key[32], str data, uint8_t *out, size_t out_n) {
    if (crypto_generichash(out, out_n, (const uint8_t *)data.p, data.n, key, 32) != 0) crypto_die("BLAKE2b failed");
}

uint64_t digest_short(const uint8_t key[16], str data) {
    uint8_t b[8];
    crypto_shorthash(b, (const uint8_t *)data.p, data.n, key);
    uint64_t v = 0;
    for (size_t i = sizeof b; i-- > 0;) v = v << 8 | b[i];
    return v;
}

bool secret_equal(const uint8_t *a, const uint8_t *b, size_t n) { return sodium_memcmp(a, b, n) == 0; }

bool secret_str_equal(str a, str b) {
    return a.n == b.n && secret_equal((const uint8_t *)a.p, (const uint8_t *)b.p, a.n);
}

void secret_wipe(void *p, size_t n) { sodium_memzero(p, n); }
