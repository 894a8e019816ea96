/* Uninstall: the bearer of an access token ends the installation of its app in its account; every grant of the two dies. */
#include "bearer.h"
#include "render.h"

static void start(struct oauth_call *c) {
    struct shown *shown = ARENA_NEW(c->arena, struct shown);
    c->state = shown;
    (void)bearer_open(c, bearer_of_header(c), shown);
}

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    return round == 0 ? shown_ask(c->state, out) : 0;
}

static void decide(struct oauth_call *c) {
    const struct shown *shown = c->state;
    if (!shown_is_live(c, shown)) return bearer_refuse(c, REFUSAL_BEARER_INVALID);
    /* consents that were given in the millisecond of the last uninstall carry the next one */
    int64_t until_ms = c->env.now_ms;
    if (until_ms <= c->facts.uninstalled_ms) until_ms = c->facts.uninstalled_ms + 1;
    if (until_ms < c->facts.grant.created_ms) until_ms = c->facts.grant.created_ms;
    c->change = (struct change){
        .kind = CHANGE_UNINSTALL,
        .app_id = shown->access.app_id,
        .hub_id = shown->access.hub_id,
        .now_ms = until_ms,
    };
    c->answer = render_empty(204);
}

const struct endpoint endpoint_uninstall = {"uninstall", start, ask, decide, NULL};
