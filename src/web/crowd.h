/* crowd: how many connections each address has. IPv6 counts by /64, which is what one customer has. Private to src/web. */
#ifndef GRANTD_CROWD_H
#define GRANTD_CROWD_H

#include "peer.h"

#define CROWD_BUCKETS 1024

struct crowd_entry {
    struct crowd_entry *next;
    uint8_t ip[16];
    unsigned n;
};

struct crowd {
    uint8_t key[16]; /* strangers choose the addresses */
    struct crowd_entry *buckets[CROWD_BUCKETS];
};

/* One more of this address; returns how many there are now. */
unsigned crowd_enter(struct crowd *crowd, const struct peer *peer);
void crowd_leave(struct crowd *crowd, const struct peer *peer);

#endif
