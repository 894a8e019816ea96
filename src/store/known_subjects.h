/* known_subjects: what a session remembers of people, accounts and who belongs where, so that a question about a grant is one about its own row. Only
 * administration changes these, and each of its changes raises meta.version in the same transaction. A question reads the version with whatever else it
 * reads, in one snapshot: what was read under that very version is what is there. Uninstalls and grants, which the rules change, are never remembered.
 * One thread at a time. */
#ifndef GRANTD_KNOWN_SUBJECTS_H
#define GRANTD_KNOWN_SUBJECTS_H

#include "arena.h"
#include "asks.h"

#define KNOWN_SUBJECTS          8192 /* a power of 2 */
#define KNOWN_SUBJECT_TEXT_MAX  216  /* e-mail, name and domain together; who needs more is asked for each time */
#define KNOWN_SUBJECTS_GOOD_MAX 64

/* Whom a question is about, and under which version it was answered. */
struct subject_key {
    int64_t version;
    int32_t user_id, hub_id;
};

struct known_subject {
    struct subject_key key;
    int64_t user_updated_ms;
    uint32_t era;
    uint8_t email_n, name_n, domain_n;
    bool user_found, user_enabled, email_verified, account_found, account_enabled, member;
    char text[KNOWN_SUBJECT_TEXT_MAX];
};

/* Zeroed: nothing is known. 2 MiB, of which memory is used as people come. Each has one place; who comes to it drives out who was there. */
struct known_subjects {
    uint32_t era;    /* of what counts: see known_subjects_forget */
    int good;        /* above 0: most of those asked for lately were known */
    int64_t version; /* the last one seen */
    struct known_subject of[KNOWN_SUBJECTS];
};

/* Whether it pays to ask without the subject when nobody knows yet whose grant it is. */
bool known_subjects_pay(const struct known_subjects *known);

/* Whether this one is known, unless something has changed since the last question. */
bool known_subjects_has(const struct known_subjects *known, int32_t user_id, int32_t hub_id);

/* What was read under key->version; false: not known. Texts are copied into the arena. */
bool known_subjects_find(struct known_subjects *known, const struct subject_key *key, struct arena *arena,
                         struct subject *out);

/* Remembers what was just read. */
void known_subjects_add(struct known_subjects *known, const struct subject_key *key, const struct subject *subject);

/* Versions have begun anew, as with a database that was put back to an earlier day: nothing is known any more. */
void known_subjects_forget(struct known_subjects *known);

#endif
