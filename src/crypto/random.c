#include "random.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "crypto_start.h"

#define BUFFER_BYTES    4096
#define REFILLS_OF_SEED 256 /* 1 MiB */

/* Bytes are taken from the end: `left` of them, at the front, are still unused. */
static _Thread_local struct {
    uint8_t bytes[BUFFER_BYTES];
    size_t left;
    unsigned refills_left; /* until the generator takes a new seed from the kernel */
} buffer;

void crypto_die(const char *what) {
    fprintf(stderr, "grantd: %s\n", what);
    abort();
}

/* A child process must not hand out the bytes that its parent will hand out. Only the thread that forked lives on. */
static void forget_buffer(void) {
    sodium_memzero(buffer.bytes, sizeof buffer.bytes);
    buffer.left = 0;
    buffer.refills_left = 0;
}

bool crypto_start(void) {
    if (sodium_init() < 0) return false;
    randombytes_internal_implementation.stir(); /* what all threads share it sets up before there are any */
    return pthread_atfork(NULL, NULL, forget_buffer) == 0 && digest_start();
}

static void fill_from_kernel(uint8_t *out, size_t n) {
    while (n) {
        ssize_t got = getrandom(out, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) crypto_die("the kernel gives no random bytes");
        out += got;
        n -= (size_t)got;
    }
}

/* libsodium's generator (ChaCha20, whose key is replaced after every use, one for each thread), since the kernel's costs 2.8 ns a byte. It is seeded by
 * the kernel: when a thread begins, in a child before its first use, and again and again. */
static void refill(void) {
    if (buffer.refills_left == 0) {
        randombytes_internal_implementation.stir();
        buffer.refills_left = REFILLS_OF_SEED;
    }
    buffer.refills_left--;
    randombytes_internal_implementation.buf(buffer.bytes, sizeof buffer.bytes);
    buffer.left = sizeof buffer.bytes;
}

void random_fill(void *out, size_t n) {
    if (n > BUFFER_BYTES / 4) {
        fill_from_kernel(out, n);
        return;
    }
    if (n > buffer.left) refill();
    buffer.left -= n;
    memcpy(out, buffer.bytes + buffer.left, n);
    sodium_memzero(buffer.bytes + buffer.left, n);
}
