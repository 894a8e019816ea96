#include "known_subjects.h"

_Static_assert(sizeof(struct known_subject) == 256, "four lines of the processor's cache");

/* Ids are given in a row, so neighbours must not meet: Knuth's multiplicative hash (The Art of Computer Programming 6.4). */
static size_t place_of(int32_t user_id, int32_t hub_id) {
    uint32_t hash = ((uint32_t)user_id * 2654435761U) ^ ((uint32_t)hub_id * 2246822519U);
    return (hash >> 16 ^ hash) & (KNOWN_SUBJECTS - 1);
}

static bool is_about(const struct known_subjects *known, const struct known_subject *s, const struct subject_key *key) {
    return s->era == known->era && s->key.version == key->version && s->key.user_id == key->user_id &&
           s->key.hub_id == key->hub_id && key->version > 0;
}

bool known_subjects_pay(const struct known_subjects *known) { return known->good > 0; }

bool known_subjects_has(const struct known_subjects *known, int32_t user_id, int32_t hub_id) {
    return is_about(known, &known->of[place_of(user_id, hub_id)],
                    &(struct subject_key){known->version, user_id, hub_id});
}

/* One that was not known costs two questions instead of one, which is more than one that was known saves. */
static void count(struct known_subjects *known, bool was_known) {
    int good = known->good + (was_known ? 1 : -2);
    if (good > KNOWN_SUBJECTS_GOOD_MAX) good = KNOWN_SUBJECTS_GOOD_MAX;
    if (good < -KNOWN_SUBJECTS_GOOD_MAX) good = -KNOWN_SUBJECTS_GOOD_MAX;
    known->good = good;
}

bool known_subjects_find(struct known_subjects *known, const struct subject_key *key, struct arena *arena,
                         struct subject *out) {
    const struct known_subject *s = &known->of[place_of(key->user_id, key->hub_id)];
    known->version = key->version;
    if (!is_about(known, s, key)) return false; /* counted when it is added */
    count(known, true);
    str text = arena_copy(arena, (str){s->text, (size_t)s->email_n + s->name_n + s->domain_n});
    *out = (struct subject){
        .user_found = s->user_found,
        .user_enabled = s->user_enabled,
        .account_found = s->account_found,
        .account_enabled = s->account_enabled,
        .member = s->member,
        .email = {text.p, s->email_n},
        .user_name = {text.p + s->email_n, s->name_n},
        .domain = {text.p + s->email_n + s->name_n, s->domain_n},
        .email_verified = s->email_verified,
        .user_updated_ms = s->user_updated_ms,
    };
    return true;
}

static char *put(char *p, str s) {
    if (s.n) memcpy(p, s.p, s.n);
    return p + s.n;
}

void known_subjects_add(struct known_subjects *known, const struct subject_key *key, const struct subject *subject) {
    struct known_subject *s = &known->of[place_of(key->user_id, key->hub_id)];
    known->version = key->version;
    count(known, is_about(known, s, key));
    if (subject->email.n + subject->user_name.n + subject->domain.n > sizeof s->text) return;
    s->key = *key;
    s->era = known->era;
    s->user_updated_ms = subject->user_updated_ms;
    s->email_n = (uint8_t)subject->email.n;
    s->name_n = (uint8_t)subject->user_name.n;
    s->domain_n = (uint8_t)subject->domain.n;
    s->user_found = subject->user_found;
    s->user_enabled = subject->user_enabled;
    s->email_verified = subject->email_verified;
    s->account_found = subject->account_found;
    s->account_enabled = subject->account_enabled;
    s->member = subject->member;
    put(put(put(s->text, subject->email), subject->user_name), subject->domain);
}

void known_subjects_forget(struct known_subjects *known) {
    known->era++;
    known->good = 0;
}
