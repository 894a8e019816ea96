/* front_inherit: listening sockets that were open before this process was: systemd's, or those of the program that this one replaces. They stay
 * open all the time, so connections wait in the kernel and are never refused. Facts of the process: set once, before there are threads. */
#ifndef GRANTD_FRONT_INHERIT_H
#define GRANTD_FRONT_INHERIT_H

#include "rc.h"
#include "str.h"

/* Takes over what LISTEN_FDS names. FAULT_CONFIG when something there is no listening socket. */
RC front_inherit(void);

/* The pipe on which a replaced program waits for us; -1: there is none. */
int front_inherit_pipe(void);

/* The next inherited socket of an address that nobody has taken yet; -1: none. out_name gets the address as web_bind writes it. */
int front_inherit_take(str address, char *out_name, size_t name_bytes);

/* FAULT_CONFIG with the address of a socket that nobody has taken. */
RC front_inherit_check(void);

#define FRONT_PIPE_NAME "grantd-upgrade" /* among the LISTEN_FDNAMES */

#endif
