#include "crowd.h"

#include <stdlib.h>

#include "digest.h"
#include "must_alloc.h"

#define NET_BYTES 8 /* of an IPv6 address: /64 */

static struct peer place_of(const struct peer *peer) {
    struct peer place = *peer;
    if (!peer_is_v4(peer)) memset(place.ip + NET_BYTES, 0, sizeof place.ip - NET_BYTES);
    return place;
}

/* The link that points to the entry of a place, or to the end of its chain. */
static struct crowd_entry **find(struct crowd *crowd, const struct peer *place) {
    uint64_t hash = digest_short(crowd->key, (str){(const char *)place->ip, sizeof place->ip});
    struct crowd_entry **link = &crowd->buckets[hash % CROWD_BUCKETS];
    while (*link && memcmp((*link)->ip, place->ip, sizeof place->ip) != 0) link = &(*link)->next;
    return link;
}

unsigned crowd_enter(struct crowd *crowd, const struct peer *peer) {
    struct peer place = place_of(peer);
    struct crowd_entry **link = find(crowd, &place);
    if (!*link) {
        *link = must_alloc(sizeof **link);
        memcpy((*link)->ip, place.ip, sizeof place.ip);
    }
    return ++(*link)->n;
}

void crowd_leave(struct crowd *crowd, const struct peer *peer) {
    struct peer place = place_of(peer);
    struct crowd_entry **link = find(crowd, &place), *entry = *link;
    if (!entry || --entry->n) return;
    *link = entry->next;
    free(entry);
}
