#include "dev_print.h"

#include "json_write.h"
#include "percent.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES 65536

/* unix:PATH with an absolute path, or a URL. */
static str admin_text(const char *admin, struct arena *arena) {
    if (!str_starts_with(str_of(admin), S("unix:"))) return arena_printf(arena, "http://%s", admin);
    char path[PATH_MAX];
    return arena_printf(arena, "unix:%s", realpath(admin + 5, path) ? path : admin + 5);
}

/* ---- JSON ---- */

static void write_app(struct json *j, const struct dev_app *app) {
    json_key(j, str_of(app->key));
    json_open(j);
    json_member_int(j, S("app_id"), app->app_id);
    json_member_str(j, S("client_id"), app->client_id);
    if (app->client_secret.n) json_member_str(j, S("client_secret"), app->client_secret);
    if (app->redirect_uri.n) json_member_str(j, S("redirect_uri"), app->redirect_uri);
    json_key(j, S("scopes"));
    json_open_array(j);
    for (size_t i = 0; i < app->n_scopes; i++) json_str(j, app->scopes[i]);
    json_close_array(j);
    json_close(j);
}

static void write_people(struct json *j, const struct dev_seed *seed) {
    json_key(j, S("account"));
    json_open(j);
    json_member_int(j, S("hub_id"), seed->hub_id);
    json_member_str(j, S("domain"), seed->domain);
    json_close(j);
    json_key(j, S("user"));
    json_open(j);
    json_member_int(j, S("user_id"), seed->user_id);
    json_member_str(j, S("email"), seed->email);
    json_member_str(j, S("password"), seed->password);
    json_close(j);
}

static void write_line(struct buf *b, const struct dev_facts *facts, struct arena *arena) {
    struct json j = json_on(b);
    json_open(&j);
    json_member_str(&j, S("issuer"), facts->issuer);
    json_member_str(&j, S("admin"), admin_text(facts->admin, arena));
    json_member_int(&j, S("pid"), getpid());
    write_people(&j, facts->seed);
    json_key(&j, S("apps"));
    json_open(&j);
    for (size_t i = 0; i < DEV_APPS; i++) write_app(&j, &facts->seed->apps[i]);
    json_close(&j);
    json_close(&j);
    buf_add_char(b, '\n');
}

void dev_print_json(const struct dev_facts *facts, FILE *out) {
    struct arena *arena = arena_new(4096);
    struct buf b = buf_growing(LINE_MAX_BYTES);
    write_line(&b, facts, arena);
    fwrite(b.p, 1, b.n, out);
    fflush(out);
    buf_free(&b);
    arena_free(arena);
}

/* ---- text ---- */

static void add_authorize_url(struct buf *b, const struct dev_facts *facts, const struct dev_app *app) {
    buf_printf(b, "%.*s/oauth/authorize?client_id=%.*s&redirect_uri=", STR_ARG(facts->issuer), STR_ARG(app->client_id));
    percent_encode(b, app->redirect_uri);
    buf_add(b, S("&scope="));
    for (size_t i = 0; i < app->n_scopes; i++) {
        if (i) buf_add(b, S("%20"));
        percent_encode(b, app->scopes[i]);
    }
    buf_add(b, S("&state=anything"));
}

static void add_apps(struct buf *b, const struct dev_seed *seed) {
    for (size_t i = 0; i < DEV_APPS; i++) {
        const struct dev_app *app = &seed->apps[i];
        buf_printf(b, "\n  %s app (app id %d)\n    client_id      %.*s\n", app->key, (int)app->app_id,
                   STR_ARG(app->client_id));
        if (app->client_secret.n) buf_printf(b, "    client_secret  %.*s\n", STR_ARG(app->client_secret));
        if (app->redirect_uri.n) buf_printf(b, "    redirect_uri   %.*s\n", STR_ARG(app->redirect_uri));
        if (app->n_scopes) buf_add(b, S("    scopes        "));
        for (size_t s = 0; s < app->n_scopes; s++) buf_printf(b, " %.*s", STR_ARG(app->scopes[s]));
        if (app->n_scopes) buf_add_char(b, '\n');
    }
}

static void add_curl(struct buf *b, const struct dev_facts *facts, const char *path, const char *fields) {
    const struct dev_app *app = &facts->seed->apps[0];
    buf_printf(b, "  curl %.*s%s \\\n    -d client_id=%.*s \\\n    -d client_secret=%.*s \\\n    %s\n\n",
               STR_ARG(facts->issuer), path, STR_ARG(app->client_id), STR_ARG(app->client_secret), fields);
}

static void add_walk(struct buf *b, const struct dev_facts *facts) {
    const struct dev_app *app = &facts->seed->apps[0];
    struct buf redeem = buf_growing(LINE_MAX_BYTES);
    buf_add(b, S("\nTry it\n\n  A token for the app itself:\n"));
    add_curl(b, facts, "/oauth/v3/token", "-d grant_type=client_credentials -d scope=crm.objects.contacts.read");
    if (facts->auto_approve) {
        buf_add(b, S("  Install the app (the answer is a redirect with a code, good for a minute):\n  curl -si '"));
        add_authorize_url(b, facts, app);
        buf_add(b, S("'\n\n  Redeem the code:\n"));
        buf_printf(&redeem, "-d grant_type=authorization_code -d redirect_uri=%.*s -d code=CODE",
                   STR_ARG(app->redirect_uri));
        buf_add_char(&redeem, 0);
        add_curl(b, facts, "/oauth/v3/token", redeem.p);
    }
    buf_add(b, S("  Look into a token, or get a new one:\n"));
    add_curl(b, facts, "/oauth/v3/token/introspect", "-d token=TOKEN");
    add_curl(b, facts, "/oauth/v3/token", "-d grant_type=refresh_token -d refresh_token=REFRESH_TOKEN");
    buf_free(&redeem);
}

void dev_print_text(const struct dev_facts *facts, FILE *out) {
    struct arena *arena = arena_new(4096);
    struct buf b = buf_growing(LINE_MAX_BYTES);
    const struct dev_seed *seed = facts->seed;
    str admin = admin_text(facts->admin, arena);
    buf_printf(&b, "grantd %s answers at %.*s\n\n", GRANTD_VERSION, STR_ARG(facts->issuer));
    buf_printf(&b, "  account        %d (%.*s)\n", (int)seed->hub_id, STR_ARG(seed->domain));
    buf_printf(&b, "  person         %.*s, password %.*s\n", STR_ARG(seed->email), STR_ARG(seed->password));
    buf_printf(&b, "  administration %.*s (grantd app list --data %.*s)\n", STR_ARG(admin), STR_ARG(facts->data));
    if (facts->compat_v1) buf_add(&b, S("  /oauth/v1      is served as well\n"));
    add_apps(&b, seed);
    add_walk(&b, facts);
    buf_add(&b, S("Ctrl-C ends it.\n"));
    fwrite(b.p, 1, b.n, out);
    fflush(out);
    buf_free(&b);
    arena_free(arena);
}
