/* For tests of TLS: certificates, a server that speaks TLS, and OpenSSL's client. */
#ifndef GRANTD_TLS_KIT_TEST_H
#define GRANTD_TLS_KIT_TEST_H

#include <openssl/ssl.h>
#include <sys/stat.h>

#include "loop_kit_test.h"

extern char folder[];          /* of the files */
extern uint8_t generations[2]; /* of the ring that seals tickets: the current one and the one before */
extern struct web_tls *tls;
extern SSL_CTX *client;
extern SSL_SESSION *kept; /* the last one that a server gave */

struct issued {
    X509 *certificate;
    EVP_PKEY *key;
};

/* The path of a file of the test; good until a few more were asked for. */
char *path_of(const char *name);
/* A certificate for a name; signed by itself when there is no issuer. */
struct issued issue(const char *name, bool rsa, long days, const struct issued *issuer);
void write_pair(const char *name, const struct issued *issued, mode_t key_mode);
void forget(struct issued *issued);
/* FILE.pem and FILE.key for a name. */
void make_pair(const char *file, const char *name, bool rsa);
/* The first n of the pairs a, b and c. */
struct web_tls_options tls_options(size_t n);
void start_tls_with(const struct web_tls_options *options, bool ask);
void start_tls(void);
void start_hasty_tls(void); /* for tests of deadlines */
void stop_tls(void);
/* NULL when the server does not want to. */
SSL *shake(int fd, const char *name, SSL_SESSION *session);
SSL *dial_tls(const char *name);
void hang_up(SSL *ssl);
void say_tls(SSL *ssl, const char *text);
str hear_tls(SSL *ssl, const char *last);
/* Clients from now on speak this version only; 0: any. */
void new_client(int version);

#endif
