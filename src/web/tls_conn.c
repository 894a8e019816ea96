/* The TLS of one connection, as a filter between what the socket says and what the parser reads. */
#include "tls.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "h2.h"
#include "loop.h"
#include "must_alloc.h"

/* ---- the BIO ---- */

static BIO_METHOD *wire_method;
static pthread_once_t wire_once = PTHREAD_ONCE_INIT;

/* The bytes in hand first; `held` is empty whenever there are some. */
static int wire_read(BIO *bio, char *out, size_t n, size_t *out_n) {
    struct conn *c = BIO_get_data(bio);
    struct tls_conn *tls = c->tls;
    BIO_clear_retry_flags(bio);
    str from = tls->feed.n ? tls->feed : (str){tls->held.p ? bytes_front(&tls->held) : NULL, bytes_n(&tls->held)};
    if (from.n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    *out_n = n < from.n ? n : from.n;
    memcpy(out, from.p, *out_n);
    if (tls->feed.n)
        tls->feed = str_from(tls->feed, *out_n);
    else
        bytes_drop(&tls->held, &c->loop->bytes, *out_n);
    return 1;
}

static int wire_write(BIO *bio, const char *p, size_t n, size_t *out_n) {
    struct conn *c = BIO_get_data(bio);
    bytes_make_room(&c->tls->out, &c->loop->bytes, n, SIZE_MAX / 4);
    memcpy(c->tls->out.p + c->tls->out.end, p, n);
    bytes_advance(&c->tls->out, n);
    *out_n = n;
    return 1;
}

static long wire_control(BIO *bio, int command, long number, void *p) {
    (void)bio, (void)number, (void)p;
    return command == BIO_CTRL_FLUSH;
}

static void make_wire_method(void) {
    wire_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "grantd connection");
    if (!wire_method) abort();
    BIO_meth_set_read_ex(wire_method, wire_read);
    BIO_meth_set_write_ex(wire_method, wire_write);
    BIO_meth_set_ctrl(wire_method, wire_control);
}

/* ---- buffers ---- */

static void cool(struct tls_warm *list, struct tls_conn *tls) {
    *(tls->warmer ? &tls->warmer->colder : &list->first) = tls->colder;
    *(tls->colder ? &tls->colder->warmer : &list->last) = tls->warmer;
    tls->warmer = tls->colder = NULL;
    tls->warm = false;
    list->n--;
}

/* It speaks. Of those that have not for the longest time one gives its buffers back; in the midst of a record OpenSSL keeps them, for as long as a
 * deadline lets that last. */
static void warm_up(struct tls_warm *list, struct tls_conn *tls) {
    if (list->first == tls) return;
    if (tls->warm) cool(list, tls);
    tls->colder = list->first;
    *(list->first ? &list->first->warmer : &list->last) = tls;
    list->first = tls;
    tls->warm = true;
    if (++list->n <= TLS_WARM_MAX) return;
    struct tls_conn *coldest = list->last;
    cool(list, coldest);
    SSL_free_buffers(coldest->ssl);
}

/* ---- life ---- */

/* Sessions of listeners that ask for certificates and of those that do not must not be taken for one another. */
static bool ask_for_certificate(SSL *ssl) {
    SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, NULL);
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_set_num_tickets(ssl, 0);
    return SSL_set_session_id_context(ssl, (const unsigned char *)"grantd mtls", 11) == 1;
}

bool tls_conn_open(struct conn *c) {
    const struct listener *l = c->listener;
    pthread_once(&wire_once, make_wire_method);
    struct tls_conn *tls = c->tls = must_alloc(sizeof *tls);
    tls->set = tls_set_hold(l->tls);
    tls->ssl = SSL_new(tls->set->contexts[0]);
    BIO *bio = BIO_new(wire_method);
    if (!tls->ssl || !bio) {
        BIO_free(bio);
        return false;
    }
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_accept_state(tls->ssl);
    return !l->ask_certificate || ask_for_certificate(tls->ssl);
}

void tls_conn_free(struct conn *c) {
    struct tls_conn *tls = c->tls;
    if (!tls) return;
    if (tls->warm) cool(&c->loop->warm, tls);
    SSL_free(tls->ssl);
    bytes_release(&tls->held, &c->loop->bytes);
    bytes_release(&tls->out, &c->loop->bytes);
    OPENSSL_free(tls->certificate);
    tls_set_release(tls->set);
    free(tls);
    c->tls = NULL;
}

/* ---- hearing ---- */

/* What anybody left in OpenSSL's queue would be taken for what went wrong here. Looking is cheaper than clearing. */
static void forget_errors(void) {
    if (ERR_peek_error()) ERR_clear_error();
}

static void fail(struct conn *c) {
    c->tls->failed = true;
    c->last = true;
    forget_errors();
    conn_mark_dirty(c);
}

static void keep_certificate(struct tls_conn *tls) {
    X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    if (!certificate) return;
    tls->certificate_n = i2d_X509(certificate, &tls->certificate);
    tls->verified = tls->set->client_store && SSL_get_verify_result(tls->ssl) == X509_V_OK;
}

/* What OpenSSL says when it does not go on. */
static void stop(struct conn *c, int result) {
    switch (SSL_get_error(c->tls->ssl, result)) {
    case SSL_ERROR_WANT_READ: return;
    case SSL_ERROR_ZERO_RETURN:
        c->peer_ended = true;
        conn_mark_dirty(c);
        return;
    default: fail(c);
    }
}

static bool shake_hands(struct conn *c) {
    struct tls_conn *tls = c->tls;
    forget_errors();
    int result = SSL_do_handshake(tls->ssl);
    if (bytes_n(&tls->out)) conn_mark_dirty(c);
    if (result != 1) {
        stop(c, result);
        return false;
    }
    tls->open = true;
    c->renew = true;
    keep_certificate(tls);
    if (tls_speaks_http2(tls)) h2_open(c);
    conn_mark_dirty(c);
    return true;
}

/* OpenSSL has given all that it was given, so asking again would only cost time. */
static bool is_drained(const struct tls_conn *tls) {
    return tls->feed.n == 0 && bytes_n(&tls->held) == 0 && !SSL_has_pending(tls->ssl);
}

/* Decrypts into c->in until there is no more, or no room for more. */
static void decrypt(struct conn *c) {
    struct tls_conn *tls = c->tls;
    size_t max = conn_in_max(c);
    for (;;) {
        tls->stalled = !bytes_make_room(&c->in, &c->loop->bytes, 1, max);
        if (tls->stalled) return;
        size_t room = bytes_room(&c->in);
        forget_errors();
        int n = SSL_read(tls->ssl, c->in.p + c->in.end, room > INT32_MAX ? INT32_MAX : (int)room);
        if (n <= 0) {
            stop(c, n);
            break;
        }
        bytes_advance(&c->in, (size_t)n);
        conn_mark_dirty(c);
        if (is_drained(tls)) break;
    }
    if (bytes_n(&tls->out)) conn_mark_dirty(c); /* the answer to a KeyUpdate */
    if (c->in.p && bytes_n(&c->in) == 0) bytes_release(&c->in, &c->loop->bytes);
}

static void go_on(struct conn *c) {
    struct tls_conn *tls = c->tls;
    if (tls->failed) return;
    warm_up(&c->loop->warm, tls);
    if (tls->open || shake_hands(c)) decrypt(c);
}

void tls_take(struct conn *c, str ciphertext) {
    struct tls_conn *tls = c->tls;
    tls->feed = ciphertext;
    go_on(c);
    str rest = tls->feed;
    tls->feed = (str){0};
    if (rest.n == 0 || tls->failed) return;
    bytes_make_room(&tls->held, &c->loop->bytes, rest.n, SIZE_MAX / 4); /* at most the one buffer that was read */
    memcpy(tls->held.p + tls->held.end, rest.p, rest.n);
    bytes_advance(&tls->held, rest.n);
}

void tls_take_more(struct conn *c) {
    if (c->tls->stalled) go_on(c);
}

/* ---- saying ---- */

bool tls_seal(struct conn *c) {
    struct tls_conn *tls = c->tls;
    size_t n = bytes_n(&c->out);
    if (n == 0) return true;
    if (tls->failed || !tls->open) return false;
    size_t written = 0;
    warm_up(&c->loop->warm, tls);
    forget_errors();
    bool good = SSL_write_ex(tls->ssl, bytes_front(&c->out), n, &written) == 1 && written == n;
    forget_errors();
    bytes_release(&c->out, &c->loop->bytes);
    return good;
}

void tls_end_output(struct conn *c) {
    if (c->tls->failed || !c->tls->open || (SSL_get_shutdown(c->tls->ssl) & SSL_SENT_SHUTDOWN)) return;
    forget_errors();
    SSL_shutdown(c->tls->ssl);
    forget_errors();
}

bool tls_speaks_http2(const struct tls_conn *tls) {
    const unsigned char *name = NULL;
    unsigned n = 0;
    SSL_get0_alpn_selected(tls->ssl, &name, &n);
    return n == 2 && memcmp(name, "h2", 2) == 0;
}
