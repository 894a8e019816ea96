#include "random.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "crypto_start.h"

#define BUFFER_BYTES 4096

/* Bytes are taken from the end: `left` of them, at the front, are still unused. */
static _Thread_local struct {
    uint8_t bytes[BUFFER_BYTES];
    size_t left;
} buffer;

void crypto_die(const char *what) {
    fprintf(stderr, "grantd: %s\n", what);
    abort();
}

/* A child process must not hand out the bytes that its parent will hand out. Only the thread that forked lives on. */
static void forget_buffer(void) {
    sodium_memzero(buffer.bytes, sizeof buffer.bytes);
    buffer.left = 0;
}

bool crypto_start(void) {
    return sodium_init() >= 0 && pthread_atfork(NULL, NULL, forget_buffer) == 0 && digest_start();
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

void random_fill(void *out, size_t n) {
    if (n > BUFFER_BYTES / 4) {
        fill_from_kernel(out, n);
        return;
    }
    if (n > buffer.left) {
        fill_from_kernel(buffer.bytes, sizeof buffer.bytes);
        buffer.left = sizeof buffer.bytes;
    }
    buffer.left -= n;
    memcpy(out, buffer.bytes + buffer.left, n);
    sodium_memzero(buffer.bytes + buffer.left, n);
}
