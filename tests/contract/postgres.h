/* Ways past the driver, for what only PostgreSQL has. */
#ifndef GRANTD_POSTGRES_H
#define GRANTD_POSTGRES_H

#include "contract.h"

#include <libpq-fe.h>

/* The URL of the database of a store's directory. */
void postgres_url(const char *dir, char *out, size_t room);
PGconn *postgres_connect(const char *url);
void postgres_run(PGconn *pg, const char *sql);
int64_t postgres_number(PGconn *pg, const char *sql);

#endif
