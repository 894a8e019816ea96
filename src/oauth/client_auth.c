#include "client_auth.h"

#include "b64.h"
#include "client_assertion.h"
#include "client_certificate.h"
#include "percent.h"

/* The methods, in the order in which metadata names them. */
enum client_proof { PROOF_SECRET, PROOF_ASSERTION, PROOF_NAMED_CERTIFICATE, PROOF_OWN_CERTIFICATE, PROOF_NONE };
struct client_method {
    str name;
    enum client_proof proof; /* an app uses the methods of one kind alone */
    bool (*is_used)(const struct client_params *params, str basic);
};

static bool post_is_used(const struct client_params *params, str basic) {
    (void)basic;
    return params->client_secret.n > 0;
}

static bool basic_is_used(const struct client_params *params, str basic) {
    (void)params;
    return basic.p != NULL;
}

static bool assertion_is_used(const struct client_params *params, str basic) {
    (void)basic;
    return params->client_assertion.n > 0 || params->client_assertion_type.n > 0;
}

/* A certificate is no part of the request: what it proves is looked at when nothing else was sent. */
static bool never_used(const struct client_params *params, str basic) {
    (void)params, (void)basic;
    return false;
}

/* Used when no other one is. */
static bool none_is_used(const struct client_params *params, str basic) {
    return !post_is_used(params, basic) && !basic_is_used(params, basic) && !assertion_is_used(params, basic);
}

static const struct client_method methods[] = {
    {S("client_secret_post"), PROOF_SECRET, post_is_used},
    {S("client_secret_basic"), PROOF_SECRET, basic_is_used},
    {S("private_key_jwt"), PROOF_ASSERTION, assertion_is_used},
    {S("tls_client_auth"), PROOF_NAMED_CERTIFICATE, never_used},
    {S("self_signed_tls_client_auth"), PROOF_OWN_CERTIFICATE, never_used},
    {S("none"), PROOF_NONE, none_is_used},
};
#define METHOD_COUNT (sizeof methods / sizeof methods[0])

static bool is_offered(const struct settings *settings, enum client_proof proof, bool with_public) {
    switch (proof) {
    case PROOF_SECRET:
    case PROOF_ASSERTION: return true;
    case PROOF_NAMED_CERTIFICATE: return settings->mtls_chains;
    case PROOF_OWN_CERTIFICATE: return settings->mtls;
    case PROOF_NONE: return with_public;
    }
    return false;
}

size_t oauth_list_auth_methods(const struct settings *settings, bool with_public, str out[OAUTH_LIST_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < METHOD_COUNT; i++)
        if (is_offered(settings, methods[i].proof, with_public)) out[n++] = methods[i].name;
    return n;
}

/* NULL when more than one is used. */
static const struct client_method *method_in_use(const struct client_params *params, str basic) {
    const struct client_method *found = NULL;
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (!methods[i].is_used(params, basic)) continue;
        if (found) return NULL;
        found = &methods[i];
    }
    return found;
}

void client_refuse(struct oauth_call *c, const struct client_auth *auth, enum refusal refused) {
    oauth_refuse(c, refused);
    if (auth->basic || auth->always_401) c->http_override = 401;
    if (auth->basic) c->www_authenticate = S("Basic realm=\"grantd\", charset=\"UTF-8\"");
}

/* The credentials behind "Basic " (RFC 7617 s2; the scheme compares without case); p is NULL when the scheme is another one. */
static str basic_credentials(str authorization) {
    str none = {NULL, 0};
    if (!str_starts_with_nocase(authorization, S("basic"))) return none;
    str rest = str_from(authorization, 5);
    if (rest.n && rest.p[0] != ' ') return none;
    return str_trim(rest);
}

/* RFC 6749 s2.3.1: both halves are form-encoded before they are joined by a colon. */
static bool decode_basic(str credentials, struct arena *arena, str *id, str *secret) {
    size_t n = 0, id_n = 0, secret_n = 0;
    uint8_t *bytes = arena_alloc_secret(arena, credentials.n + 3);
    if (!b64_decode(credentials, bytes, &n)) return false;
    str pair = {(const char *)bytes, n};
    size_t colon = str_find(pair, ':');
    if (colon == pair.n) return false;
    char *room = arena_alloc_secret(arena, pair.n);
    if (!percent_decode(str_head(pair, colon), PERCENT_FORM, room, &id_n)) return false;
    if (!percent_decode(str_from(pair, colon + 1), PERCENT_FORM, room + id_n, &secret_n)) return false;
    *id = (str){room, id_n};
    *secret = (str){room + id_n, secret_n};
    return true;
}

void client_secret_hash(const struct ring_key *key, str secret, uint8_t out[MAC_BYTES]) {
    digest_mac(key->secret_hash, secret, out, MAC_BYTES);
}

static const struct ring_key *key_of_secret(const struct keyring *ring, const struct app *app, size_t i) {
    bool live = app && i < app->n_secrets && app->secrets[i].retired_ms == 0;
    return live ? ring->by_number[app->secrets[i].key_number] : NULL;
}

/* The key of which the app's secrets up to i need another hash; NULL: none. */
static const struct ring_key *new_key_of_secret(const struct keyring *ring, const struct app *app, size_t i) {
    const struct ring_key *key = key_of_secret(ring, app, i);
    for (size_t before = 0; key && before < i; before++)
        if (key_of_secret(ring, app, before) == key) return NULL;
    return key;
}

/* True when the secret is one of the app's live ones. As many hashes and comparisons for each app, and for one that is unknown (NULL), as the one app
 * needs that needs most: neither whether it is there nor the number of its secrets shows in the time. */
static bool secret_is_right(const struct oauth_env *env, const struct app *app, str secret) {
    static const uint8_t nobody[MAC_BYTES];
    bool right = false;
    size_t next = 0;
    for (size_t round = 0;; round++) {
        const struct ring_key *key = NULL;
        while (!key && next < SECRETS_PER_APP_MAX) key = new_key_of_secret(env->keyring, app, next++);
        if (!key && round >= env->registry->secret_keys) break;
        uint8_t hash[MAC_BYTES];
        client_secret_hash(key ? key : env->keyring->current, str_head(secret, CLIENT_SECRET_MAX), hash);
        for (size_t i = 0; i < SECRETS_PER_APP_MAX; i++) {
            bool usable = key && key_of_secret(env->keyring, app, i) == key;
            bool equal = secret_equal(hash, usable ? app->secrets[i].hash : nobody, MAC_BYTES);
            right |= usable & equal;
        }
    }
    return right && secret.n <= CLIENT_SECRET_MAX;
}

static const struct app *find_app(const struct registry *registry, str client_id) {
    const struct app *app = client_id.n <= CLIENT_ID_MAX ? registry_app_by_client_id(registry, client_id) : NULL;
    return app && !app_has(app, APP_DISABLED | APP_DELETED) ? app : NULL;
}

/* The client id and the secret of the one method in use. */
static enum refusal read_credentials(struct oauth_call *c, const struct client_params *params, str basic,
                                     struct client_auth *auth) {
    c->client_id = params->client_id;
    auth->secret = params->client_secret;
    auth->method = method_in_use(params, basic);
    if (!auth->method) return REFUSAL_CLIENT_AUTH_TWICE;
    if (auth->method->proof == PROOF_ASSERTION && c->client_id.n == 0) /* RFC 7523 s3: the subject is the client id */
        c->client_id = assertion_client_id(c->arena, params);
    if (auth->basic) {
        str id = {NULL, 0};
        if (!decode_basic(basic, c->arena, &id, &auth->secret)) return REFUSAL_CLIENT_ID_MISSING;
        if (params->client_id.n && !str_eq(params->client_id, id)) return REFUSAL_CLIENT_AUTH_TWICE;
        c->client_id = id;
    }
    return c->client_id.n ? REFUSAL_NONE : REFUSAL_CLIENT_ID_MISSING;
}

bool client_identify(struct oauth_call *c, const struct client_params *params, struct client_auth *auth) {
    str basic = basic_credentials(c->req.authorization);
    auth->basic = basic.p != NULL;
    enum refusal refused = read_credentials(c, params, basic, auth);
    if (refused == REFUSAL_CLIENT_AUTH_TWICE) {
        oauth_refuse(c, refused);
        return false;
    }
    if (refused == REFUSAL_NONE) {
        c->app = find_app(c->env.registry, c->client_id);
        if (c->app) return true;
        secret_is_right(&c->env, NULL, auth->secret);
        refused = REFUSAL_CLIENT_ID_UNKNOWN;
    }
    client_refuse(c, auth, refused);
    return false;
}

/* The one kind of proof that an app was registered with: whoever has keys cannot fall back to a secret (RFC 9700 s2.5, RFC 8725). */
static enum client_proof proof_of(const struct app *app) {
    if (app_has(app, APP_PUBLIC)) return PROOF_NONE;
    if (app->tls_auth.n) return PROOF_NAMED_CERTIFICATE;
    return app_has_keys(app) ? PROOF_ASSERTION : PROOF_SECRET;
}

/* Basic with an empty secret is how some clients spell "none" (RFC 6749 s2.3.1); a secret would prove nothing. */
static bool sends_nothing(const struct client_auth *auth) {
    return auth->secret.n == 0 && (auth->method->proof == PROOF_NONE || auth->basic);
}

static bool is_proven(struct oauth_call *c, const struct client_params *params, const struct client_auth *auth) {
    switch (proof_of(c->app)) {
    case PROOF_NONE: return sends_nothing(auth);
    case PROOF_NAMED_CERTIFICATE:
    case PROOF_OWN_CERTIFICATE: return sends_nothing(auth) && certificate_proves(c);
    case PROOF_ASSERTION: return auth->method->proof == PROOF_ASSERTION && assertion_proves(c, params);
    case PROOF_SECRET: break;
    }
    bool right = secret_is_right(&c->env, c->app, auth->secret);
    return right && auth->method->proof == PROOF_SECRET && auth->secret.n > 0;
}

static enum refusal refusal_of(enum client_proof proof) {
    if (proof == PROOF_ASSERTION) return REFUSAL_CLIENT_ASSERTION;
    return proof == PROOF_NAMED_CERTIFICATE ? REFUSAL_CLIENT_CERTIFICATE : REFUSAL_CLIENT_AUTH;
}

bool client_authenticate(struct oauth_call *c, const struct client_params *params, const struct client_auth *auth) {
    c->proof_401 = auth->always_401;
    if (is_proven(c, params, auth)) return true;
    client_refuse(c, auth, refusal_of(proof_of(c->app)));
    return false;
}

void oauth_proof_lost(struct oauth_call *c) {
    struct client_auth auth = {.always_401 = c->proof_401};
    client_refuse(c, &auth, REFUSAL_CLIENT_ASSERTION);
}
