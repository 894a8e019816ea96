/* The insides of TLS. Private to src/web.
 *
 * A tls_set is what one reading of the files gave: immutable, counted, shared by all loops. A tls_conn is the TLS of one connection:
 * ciphertext goes in and out of it through a BIO of our own that is nothing but these two buffers, so OpenSSL never sees a socket. */
#ifndef GRANTD_TLS_H
#define GRANTD_TLS_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "bytes.h"
#include "web_tls.h"

struct conn;
struct web_loop;

/* OpenSSL's buffers of a connection have 34 KB, and wiping them whenever they are given back costs more than all else that TLS does for a request.
 * So the connections of a loop that spoke last keep theirs, and those before them do not. */
#define TLS_WARM_MAX 128

/* One pair of files. */
struct tls_pair {
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    uint8_t *staple; /* DER, of OPENSSL_malloc; NULL: none */
    int staple_n;
    int64_t staple_until_s;
};

struct tls_set {
    atomic_uint holders;
    struct web_tls_options options;
    size_t n;
    struct tls_pair *pairs;
    SSL_CTX **contexts; /* one for each pair: it answers the names of that pair */
    X509_STORE *client_store;
    EVP_CIPHER *ticket_cipher;
};

struct web_tls {
    pthread_mutex_t lock;
    struct tls_set *now; /* under lock */
};

/* tls_files.c */
RC tls_pair_read(const struct web_tls_pair *files, struct tls_pair *out);
void tls_pair_wipe(struct tls_pair *pair);
RC tls_store_read(const char *path, X509_STORE **out_store, STACK_OF(X509_NAME) * *out_names);
bool tls_pair_covers(const struct tls_pair *pair, const char *name);
/* "what: the newest entry of OpenSSL's queue of errors"; empties the queue. */
struct rc tls_fault(enum fault fault, const char *path, const char *what);

/* tls_set.c */
RC tls_set_open(const struct web_tls_options *options, struct tls_set **out);
struct tls_set *tls_set_hold(struct web_tls *tls);
void tls_set_release(struct tls_set *set);

/* tls_tickets.c */
void tls_tickets_enable(SSL_CTX *context);
struct tls_set *tls_set_of(const SSL *ssl);

/* tls_conn.c */
struct tls_conn {
    struct tls_conn *warmer, *colder; /* of the loop's list; NULL at its ends */
    bool warm;                        /* in the list: OpenSSL may have buffers */
    SSL *ssl;
    struct tls_set *set;
    str feed;             /* ciphertext that was just read; taken before anything else happens */
    struct bytes held;    /* ciphertext that came while there was no room for what is in it */
    struct bytes out;     /* ciphertext to be sent */
    bool open;            /* the handshake is complete */
    bool stalled;         /* there was no room; more may be in OpenSSL or in `held` */
    bool failed;          /* nothing can be said or heard any more */
    bool verified;        /* the client's certificate leads to our client_ca */
    uint8_t *certificate; /* DER of the client's, of OPENSSL_malloc; NULL: none */
    int certificate_n;
};

/* The connections of a loop whose TLS may have buffers, the one that spoke last first. */
struct tls_warm {
    struct tls_conn *first, *last;
    size_t n;
};

/* Gives a connection of a TLS listener its c->tls. False when OpenSSL does not want to. */
bool tls_conn_open(struct conn *c);
/* A connection without one is allowed. */
void tls_conn_free(struct conn *c);

/* Ciphertext has come. What is in it goes to the end of c->in; marks c dirty when there is something to do. */
void tls_take(struct conn *c, str ciphertext);

/* Goes on where there was no room. */
void tls_take_more(struct conn *c);

/* Encrypts c->out. What is to be sent is in tls->out after it. False when the connection is dead. */
bool tls_seal(struct conn *c);

/* Says goodbye (close_notify), once. */
void tls_end_output(struct conn *c);

bool tls_speaks_http2(const struct tls_conn *tls);

#endif
