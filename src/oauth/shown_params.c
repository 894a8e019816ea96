#include "shown_params.h"

static const struct param param_rows[] = {
    CLIENT_PARAM_ROWS(struct shown_params, client),
    PARAM(struct shown_params, token, 0, 0),
    PARAM_ALIAS(struct shown_params, "access_token", token, 0, 0),
    PARAM_ALIAS(struct shown_params, "refresh_token", token, 0, 0),
    PARAM(struct shown_params, token_type_hint, 0, 0),
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

bool shown_params_read(struct oauth_call *c, bool introspection, struct shown *out) {
    struct shown_params params = {.token = {NULL, 0}};
    struct client_auth auth = {.always_401 = introspection};
    if (!params_read(c, &params_table, &params)) return false;
    if (!client_identify(c, &params.client, &auth)) return false;
    if (introspection && app_has(c->app, APP_PUBLIC)) {
        client_refuse(c, &auth, REFUSAL_CLIENT_PUBLIC);
        return false;
    }
    if (!client_authenticate(c, &params.client, &auth)) return false;
    if (params.token.n == 0) {
        oauth_refuse(c, REFUSAL_TOKEN_MISSING);
        c->refused_parameter = S("token");
        return false;
    }
    shown_open(c, params.token, out);
    return true;
}
