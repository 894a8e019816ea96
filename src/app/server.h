/* server: an instance on the wire. N loop threads answer requests, each with its own listening sockets, store session and lease of the
 * registry; the thread that calls server_run keeps the admin listener, the signals and the purge. */
#ifndef GRANTD_SERVER_H
#define GRANTD_SERVER_H

#include "instance.h"

struct server;

/* Binds the addresses of i->options.listen for every loop, and the admin address. `i` stays the caller's and outlives the server. Nothing is
 * served yet: the caller may still set i->settings, for example the issuer after a port that was bound. */
RC server_bind(struct instance *i, struct server **out);

/* The addresses that were bound, as "ADDR:PORT" or "unix:PATH" (port 0 has become a real one). */
const char *server_address(const struct server *s, size_t n);
const char *server_admin_address(const struct server *s);

/* From now on SIGUSR2 puts the program on disk in this one's place (front_upgrade.h). Before server_run. */
void server_take_upgrades(struct server *s);

/* From where SIGHUP and `grantd reload` read the options again; the source outlives the server. Before server_run; without it only certificates are. */
void server_read_again(struct server *s, const struct options_source *source);

/* Serves until SIGTERM or SIGINT has ended it; `ready` (may be NULL) is called once when requests are answered. */
RC server_run(struct server *s, void (*ready)(void *arg), void *arg);

/* NULL is allowed. */
void server_close(struct server *s);

#endif
