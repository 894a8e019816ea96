/* grant_type=refresh_token: RFC 6749 s6, RFC 9700 s4.14. Presented number n against `generation`, the highest number that was ever used:
 *   n = generation + 1   first use; apps that rotate raise the generation and get number n + 1, the others get n again
 *   n = generation       a repeat (lost answer, two tabs): within the retry window the same successor again, nothing is written
 *   older                stolen, or a copy that went wrong: the grant is revoked
 *   newer                never issued (a store that was set back): refused, nothing changes */
#include "client_certificate.h"
#include "liveness.h"
#include "resources.h"
#include "scopes.h"
#include "token.h"

enum use { USE_FIRST, USE_REPEAT, USE_THEFT, USE_NEVER_ISSUED };

static bool retry_window_is_open(const struct oauth_call *c) {
    if (app_has(c->app, APP_RETRY_UNTIL_USED)) return true; /* the use of the successor closes it */
    return c->env.now_ms < c->facts.grant.rotated_ms + c->app->retry_window_s * 1000;
}

static enum use classify_use(const struct oauth_call *c, uint32_t n) {
    uint32_t generation = c->facts.grant.generation;
    if (n > generation) return n == generation + 1 ? USE_FIRST : USE_NEVER_ISSUED;
    return n == generation && retry_window_is_open(c) ? USE_REPEAT : USE_THEFT;
}

static void refuse(struct oauth_call *c, enum refusal refused) {
    oauth_refuse(c, refused);
    c->refused_parameter = S("refresh_token");
}

static void start(struct oauth_call *c, struct token_call *t) {
    if (t->params.refresh_token.n == 0) return refuse(c, REFUSAL_REFRESH_MISSING);
    if (!refresh_read(&c->env, t->params.refresh_token, &t->claim)) refuse(c, REFUSAL_REFRESH_INVALID);
}

static size_t ask(struct oauth_call *c, struct token_call *t, struct ask out[ASKS_MAX]) {
    (void)c;
    out[0] = (struct ask){.kind = ASK_GRANT};
    memcpy(out[0].grant_id.b, t->claim.grant_id, GRANT_ID_BYTES);
    return 1;
}

/* Genuine, ours, alive, and not superseded; of these only a superseded token changes anything. */
static bool check_token(struct oauth_call *c, const struct refresh_claim *claim, enum use *use) {
    const struct grant *g = &c->facts.grant;
    bool genuine = c->facts.grant_found && refresh_is_genuine(claim, g->salt);
    if (!genuine || g->app_id != c->app->app_id || !grant_row_is_live(c, c->app) || !certificate_fits_grant(c, g)) {
        refuse(c, REFUSAL_REFRESH_INVALID);
        return false;
    }
    *use = classify_use(c, claim->n);
    if (*use == USE_THEFT) change_revoke_grant(c, &g->id, REVOKED_AS_STOLEN);
    if (*use == USE_THEFT || *use == USE_NEVER_ISSUED) {
        refuse(c, REFUSAL_REFRESH_INVALID);
        return false;
    }
    enum life life = subject_life(&c->facts, g->created_ms);
    if (life != LIFE_LIVE) refuse(c, life == LIFE_HUB_GONE ? REFUSAL_HUB_GONE : REFUSAL_REFRESH_INVALID);
    return life == LIFE_LIVE;
}

/* RFC 6749 s6: at most what was granted; the refresh token itself keeps all of it. */
static bool read_scopes(struct oauth_call *c, str asked_for, struct scope_set *out) {
    struct scope_set granted;
    if (!scope_set_decode(c->facts.grant.scopes, &granted)) {
        oauth_refuse(c, REFUSAL_INTERNAL);
        return false;
    }
    if (asked_for.n) return scopes_read(c, asked_for, &granted, false, out);
    *out = granted;
    return true;
}

/* One write per rotation; for stable tokens none, or one a day where an idle limit must know of the use. */
static void note_use(struct oauth_call *c, bool rotating) {
    const struct grant *g = &c->facts.grant;
    int32_t today = day_of(c->env.now_ms);
    struct change change = {.grant_id = g->id, .now_ms = c->env.now_ms, .day = today};
    if (rotating) {
        change.kind = CHANGE_GRANT_ROTATE;
        change.generation = g->generation + 1;
    } else if (c->app->refresh_idle_s && g->last_used_day < today) {
        change.kind = CHANGE_GRANT_TOUCH;
    }
    c->change = change;
}

static void decide(struct oauth_call *c, struct token_call *t) {
    enum use use = USE_THEFT;
    struct token_part part;
    if (!check_token(c, &t->claim, &use) || !read_scopes(c, t->params.scope, &part.scopes)) return;
    if (!resources_narrow(c, &t->params.resource, c->facts.grant.resources, &part.resources)) return;
    bool rotating = app_has(c->app, APP_PUBLIC | APP_ROTATE);
    if (use == USE_FIRST) note_use(c, rotating);
    str next = use == USE_FIRST && !rotating ? t->params.refresh_token
                                             : refresh_make(&c->env, c->arena, &c->facts.grant, t->claim.n + 1);
    token_answer_grant(c, &c->facts.grant, &part, next, NULL);
}

/* Somebody else raised the generation or revoked the grant in between: look again, and decide on what is true now. */
static void lost(struct oauth_call *c, struct token_call *t) {
    (void)t;
    c->again = true;
}

const struct grant_rule grant_refresh = {S("refresh_token"), APP_GRANT_REFRESH, true, start, ask, decide, lost};
