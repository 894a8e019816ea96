/* web_tls: the certificates of this server and what its TLS listeners speak: TLS 1.2 and 1.3 with Mozilla's intermediate set of ciphers
 * (the ECDHE half of it). One object serves all loops; its files can be read anew while connections live. */
#ifndef GRANTD_WEB_TLS_H
#define GRANTD_WEB_TLS_H

#include "rc.h"
#include "str.h"

/* A certificate chain in PEM, its own certificate first, and its key. Beside the chain may lie FILE.ocsp, an OCSP response in DER that is
 * stapled while it is valid. */
struct web_tls_pair {
    const char *certificate, *key;
};

/* What seals the session tickets of one period. Whoever has it resumes sessions, so it is as secret as the key ring. */
struct web_ticket_key {
    uint8_t cipher[32], mac[32];
};

/* Fills in the key of a generation of the key ring for a period; generation 0 asks for the current one. Returns the generation's
 * number, 0 when there is none. Called from every loop thread, so it changes nothing; every node must give the same. */
typedef uint8_t web_ticket_keys(void *arg, uint8_t generation, int64_t period, struct web_ticket_key *out);

#define WEB_TICKET_PERIOD_S 43200 /* a ticket is taken in the period that made it and in the next one */

struct web_tls_options {
    const struct web_tls_pair *pairs; /* the first answers names that none of them has */
    size_t n_pairs;
    const char *client_ca;        /* PEM; which client certificates are called verified. NULL: none */
    bool http2;                   /* offered by ALPN, before http/1.1 */
    web_ticket_keys *ticket_keys; /* NULL: no session tickets */
    void *ticket_keys_arg;
};

struct web_tls;

/* Reads and checks the files. FAULT_CONFIG or FAULT_UNSAFE (a key that everybody can read) with file and reason. The options are copied,
 * the memory of the paths must live on. */
RC web_tls_open(const struct web_tls_options *options, struct web_tls **out);

/* Reads the files anew: those of the options, or (NULL) the same ones. New connections get what is in them; when something is wrong with one of them all stays as it was. From
 * one thread at a time, while loops run. */
RC web_tls_reload(struct web_tls *tls, const struct web_tls_options *options);

/* The days until the first of the certificates ends; negative: ended. */
int web_tls_days_left(struct web_tls *tls);

/* NULL is allowed. Connections that still live keep what they need. */
void web_tls_close(struct web_tls *tls);

#endif
