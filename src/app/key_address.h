/* key_address: where an app publishes its keys: which addresses may be fetched, and for how long the answer is good. Pure. */
#ifndef GRANTD_KEY_ADDRESS_H
#define GRANTD_KEY_ADDRESS_H

#include "str.h"

/* Whether an app may publish its keys there: https without user and fragment, not on loopback by its name; with `loopback` also http or https on
 * loopback. What the name leads to is looked at when it is read. */
bool key_address_is_good(str uri, bool loopback);

/* Whether an IP address (4 or 16 bytes) is one of the internet: not of this machine, its link, its site, its provider's inside, of
 * documentation, multicast, or one that hides another address (RFC 6890 and the IANA registries). */
bool ip_is_public(const uint8_t *bytes, size_t n);
bool ip_is_loopback(const uint8_t *bytes, size_t n);

/* Seconds that an answer is fresh by its Cache-Control (RFC 9111 s5.2), within what we keep; empty: no such header. */
#define KEYS_FRESH_MIN_S     60
#define KEYS_FRESH_DEFAULT_S 300
#define KEYS_FRESH_MAX_S     86400
int64_t key_freshness_s(str cache_control);

#endif
