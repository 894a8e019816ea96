#include "cors.h"

#include "redirect_uri.h"

#include <stdlib.h>

#define EXPOSED                                                                                                        \
    "x-hubspot-correlation-id, Retry-After, WWW-Authenticate, X-HubSpot-RateLimit-Max, "                               \
    "X-HubSpot-RateLimit-Remaining, X-HubSpot-RateLimit-Interval-Milliseconds"
#define REQUEST_HEADERS "Authorization, Content-Type, If-None-Match"
#define MAX_AGE_S       "7200" /* as long as any browser keeps it */

struct cors_origins {
    struct arena *arena;
    str *items; /* sorted, each once or more */
    size_t n;
};

/* ---- the set ---- */

/* Hosts have no case. */
static int compare(const void *a, const void *b) {
    const str *x = a, *y = b;
    for (size_t i = 0; i < x->n && i < y->n; i++) {
        int difference = char_lower(x->p[i]) - char_lower(y->p[i]);
        if (difference) return difference;
    }
    return x->n == y->n ? 0 : x->n < y->n ? -1 : 1;
}

static bool is_of_pages(const struct app *app) {
    return app_has(app, APP_PUBLIC) && !app_has(app, APP_DISABLED | APP_DELETED);
}

struct cors_origins *cors_origins_new(const struct registry *registry) {
    struct arena *arena = arena_new(1024);
    struct cors_origins *origins = ARENA_NEW(arena, struct cors_origins);
    size_t max = 0;
    origins->arena = arena;
    for (size_t i = 0; i < registry->n_apps; i++)
        if (is_of_pages(&registry->apps[i])) max += registry->apps[i].n_redirect_uris;
    origins->items = ARENA_ARRAY(arena, str, max + 1);
    for (size_t i = 0; i < registry->n_apps; i++) {
        const struct app *app = &registry->apps[i];
        for (size_t u = 0; is_of_pages(app) && u < app->n_redirect_uris; u++) {
            str origin = redirect_uri_origin(app->redirect_uris[u]);
            if (origin.n) origins->items[origins->n++] = arena_copy(arena, origin);
        }
    }
    if (origins->n) qsort(origins->items, origins->n, sizeof *origins->items, compare);
    return origins;
}

void cors_origins_free(struct cors_origins *origins) {
    if (origins) arena_free(origins->arena);
}

bool cors_origins_have(const struct cors_origins *origins, str origin) {
    str wanted = redirect_uri_origin(origin);
    str rest = str_from(origin, wanted.n);
    bool is_whole = rest.n == 0 || rest.p[0] == ':'; /* an origin has no path */
    if (wanted.n == 0 || !is_whole || str_find(rest, '/') < rest.n || str_find(rest, '?') < rest.n) return false;
    return origins->n && bsearch(&wanted, origins->items, origins->n, sizeof *origins->items, compare);
}

/* ---- the headers ---- */

static bool is_allowed(const struct cors_origins *origins, const struct cors_request *request) {
    if (request->policy == CORS_ANYBODY) return true;
    return request->policy == CORS_APPS && request->origin.n && cors_origins_have(origins, request->origin);
}

size_t cors_write_headers(const struct cors_origins *origins, const struct cors_request *request,
                          struct web_header out[CORS_HEADERS_MAX]) {
    size_t n = 0;
    if (request->policy == CORS_APPS) out[n++] = (struct web_header){S("Vary"), S("Origin")};
    if (!is_allowed(origins, request)) return n;
    str allowed = request->policy == CORS_ANYBODY ? S("*") : request->origin;
    out[n++] = (struct web_header){S("Access-Control-Allow-Origin"), allowed};
    out[n++] = (struct web_header){S("Access-Control-Expose-Headers"), S(EXPOSED)};
    return n;
}

size_t cors_write_preflight(const struct cors_origins *origins, const struct cors_request *request, str methods,
                            struct web_header out[CORS_PREFLIGHT_HEADERS_MAX]) {
    if (!is_allowed(origins, request)) return 0;
    out[0] = (struct web_header){S("Access-Control-Allow-Methods"), methods};
    out[1] = (struct web_header){S("Access-Control-Allow-Headers"), S(REQUEST_HEADERS)};
    out[2] = (struct web_header){S("Access-Control-Max-Age"), S(MAX_AGE_S)};
    return 3;
}
