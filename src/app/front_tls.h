/* front_tls: the TLS of this server as its options say. */
#ifndef GRANTD_FRONT_TLS_H
#define GRANTD_FRONT_TLS_H

#include "keyring.h"
#include "options.h"
#include "web_tls.h"

struct front_tls;

/* Reads the certificates. *out is NULL when no option asks for TLS. The tickets of sessions are sealed with keys of the ring, so that every
 * node of one store takes those of the others; the ring is read now and need not live on. */
RC front_tls_open(const struct options *o, const struct keyring *ring, struct front_tls **out);
struct web_tls *front_tls_web(const struct front_tls *tls); /* NULL for NULL */

/* Reads the files anew, those of `o` or (NULL) the same ones. When one is not usable all stays as it was. NULL is allowed. */
RC front_tls_reload(struct front_tls *tls, const struct options *o);

/* As web_tls_days_left. */
int front_tls_days_left(const struct front_tls *tls);

/* The ring has changed: tickets go with it. From any thread; NULL is allowed. */
void front_tls_set_ring(struct front_tls *tls, const struct keyring *ring);

/* NULL is allowed. */
void front_tls_close(struct front_tls *tls);

/* Whether front_tls_open would take the options; FAULT_CONFIG or FAULT_UNSAFE with a sentence that says what to do. */
RC front_tls_check(const struct options *o);

#endif
