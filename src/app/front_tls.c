#include "front_tls.h"

#include "digest.h"

#include <pthread.h>
#include <stdlib.h>

/* What tickets need of the key ring, and nothing else of it. */
struct ticket_seed {
    uint8_t generation, seed[32];
};

struct front_tls {
    struct arena *paths;
    struct web_tls *web;
    pthread_rwlock_t lock; /* over what follows: loops read it */
    uint8_t current;       /* generation */
    size_t n_seeds;
    struct ticket_seed seeds[RING_MAX];
};

/* ---- tickets ---- */

void front_tls_set_ring(struct front_tls *tls, const struct keyring *ring) {
    if (!tls) return;
    pthread_rwlock_wrlock(&tls->lock);
    tls->current = ring->current ? ring->current->number : 0;
    tls->n_seeds = ring->n;
    for (size_t i = 0; i < ring->n; i++) {
        tls->seeds[i].generation = ring->keys[i].number;
        memcpy(tls->seeds[i].seed, ring->keys[i].ticket, sizeof tls->seeds[i].seed);
    }
    pthread_rwlock_unlock(&tls->lock);
}

static bool copy_seed(struct front_tls *tls, uint8_t generation, struct ticket_seed *out) {
    bool found = false;
    pthread_rwlock_rdlock(&tls->lock);
    uint8_t wanted = generation ? generation : tls->current;
    for (size_t i = 0; i < tls->n_seeds && !found; i++) {
        found = tls->seeds[i].generation == wanted;
        if (found) *out = tls->seeds[i];
    }
    pthread_rwlock_unlock(&tls->lock);
    return found;
}

static uint8_t ticket_key(void *arg, uint8_t generation, int64_t period, struct web_ticket_key *out) {
    struct ticket_seed seed;
    uint8_t label[9] = {'t'}, derived[64];
    if (!copy_seed(arg, generation, &seed)) return 0;
    for (int i = 0; i < 8; i++) label[1 + i] = (uint8_t)((uint64_t)period >> (56 - 8 * i));
    digest_mac(seed.seed, (str){(const char *)label, sizeof label}, derived, sizeof derived);
    memcpy(out->cipher, derived, sizeof out->cipher);
    memcpy(out->mac, derived + sizeof out->cipher, sizeof out->mac);
    secret_wipe(derived, sizeof derived);
    secret_wipe(&seed.seed, sizeof seed.seed);
    return seed.generation;
}

/* ---- options ---- */

static bool wants_tls(const struct options *o) { return o->tls_listen.n || o->mtls_listen.n; }

static RC check_counts(const struct options *o) {
    if (!wants_tls(o) && (o->tls_certificate.n || o->tls_key.n || o->tls_client_ca.n))
        return rc_fail(FAULT_CONFIG, "there is a certificate but no address for TLS; give --tls-listen ADDR:PORT");
    if (wants_tls(o) && o->tls_certificate.n == 0)
        return rc_fail(FAULT_CONFIG, "tls_listen needs a certificate; give --tls-certificate FILE and --tls-key FILE");
    if (o->tls_certificate.n != o->tls_key.n)
        return rc_fail(FAULT_CONFIG, "%zu certificates have %zu keys; give one --tls-key for each --tls-certificate",
                       o->tls_certificate.n, o->tls_key.n);
    return RC_OK;
}

static struct web_tls_options web_options_of(struct front_tls *tls, struct arena *arena, const struct options *o) {
    size_t n = o->tls_certificate.n;
    struct web_tls_pair *pairs = ARENA_ARRAY(arena, struct web_tls_pair, n);
    for (size_t i = 0; i < n; i++) {
        pairs[i].certificate = arena_cstr(arena, o->tls_certificate.items[i]);
        pairs[i].key = arena_cstr(arena, o->tls_key.items[i]);
    }
    return (struct web_tls_options){
        .pairs = pairs,
        .n_pairs = n,
        .client_ca = o->tls_client_ca.n ? arena_cstr(arena, o->tls_client_ca) : NULL,
        .http2 = o->http2,
        .ticket_keys = tls->n_seeds ? ticket_key : NULL,
        .ticket_keys_arg = tls,
    };
}

RC front_tls_open(const struct options *o, const struct keyring *ring, struct front_tls **out) {
    *out = NULL;
    TRY(check_counts(o));
    if (!wants_tls(o)) return RC_OK;
    struct front_tls *tls = calloc(1, sizeof *tls);
    if (!tls) abort();
    tls->paths = arena_new(1024);
    pthread_rwlock_init(&tls->lock, NULL);
    if (ring) front_tls_set_ring(tls, ring);
    struct web_tls_options options = web_options_of(tls, tls->paths, o);
    struct rc rc = web_tls_open(&options, &tls->web);
    if (rc_ok(rc))
        *out = tls;
    else
        front_tls_close(tls);
    return rc;
}

RC front_tls_check(const struct options *o) {
    struct front_tls *tls;
    TRY(front_tls_open(o, NULL, &tls));
    front_tls_close(tls);
    return RC_OK;
}

struct web_tls *front_tls_web(const struct front_tls *tls) {
    return tls ? tls->web : NULL;
}

/* The paths of the options live as long as they may be read again. */
static RC reload_with(struct front_tls *tls, const struct options *o) {
    struct arena *paths = arena_new(1024);
    struct web_tls_options options = web_options_of(tls, paths, o);
    struct rc rc = web_tls_reload(tls->web, &options);
    struct arena *over = paths;
    if (rc_ok(rc)) {
        over = tls->paths;
        tls->paths = paths;
    }
    arena_free(over);
    return rc;
}

RC front_tls_reload(struct front_tls *tls, const struct options *o) {
    if (!tls) return RC_OK;
    return o ? reload_with(tls, o) : web_tls_reload(tls->web, NULL);
}

int front_tls_days_left(const struct front_tls *tls) { return web_tls_days_left(tls->web); }

void front_tls_close(struct front_tls *tls) {
    if (!tls) return;
    web_tls_close(tls->web);
    secret_wipe(tls->seeds, sizeof tls->seeds);
    pthread_rwlock_destroy(&tls->lock);
    arena_free(tls->paths);
    free(tls);
}
