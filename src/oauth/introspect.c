/* Introspection: RFC 7662. Anything that is not live, not ours, or not for the caller to see is {"active":false} and nothing else. It never
 * changes anything. */
#include "info.h"
#include "resources.h"
#include "shown_params.h"

static void start(struct oauth_call *c) {
    struct shown *shown = ARENA_NEW(c->arena, struct shown);
    c->state = shown;
    shown_params_read(c, true, shown);
}

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    return round == 0 ? shown_ask(c->state, out) : 0;
}

/* An app sees its own tokens, a resource server those of every app that are for an API of its (RFC 7662 s4). */
static bool caller_may_see(const struct oauth_call *c, const struct shown *shown) {
    int32_t app_id = 0;
    if (!shown_is_genuine(c, shown, &app_id)) return false;
    if (app_id == c->app->app_id) return true;
    struct resource_set resources = shown_resources(c, shown);
    return app_has(c->app, APP_RESOURCE_SERVER) && resources_are_of(c->env.registry, &resources, c->app);
}

static void decide(struct oauth_call *c) {
    const struct shown *shown = c->state;
    if (caller_may_see(c, shown) && shown_is_live(c, shown)) return info_answer(c, shown, INFO_V3);
    c->answer = (struct answer){.http = 200, .type = ANSWER_JSON, .body = S("{\"active\":false}"), .no_store = true};
}

const struct endpoint endpoint_introspect = {"introspect", start, ask, decide, NULL};
