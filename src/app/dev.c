#include "dev.h"

#include "dev_print.h"
#include "server.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_LISTEN S("127.0.0.1:8080")

/* ---- the throw-away directory ---- */

static RC make_throw_away(const char *temp_dir, char out[PATH_MAX]) {
    int n = snprintf(out, PATH_MAX, "%s/grantd-dev-XXXXXX", temp_dir);
    if (n < 0 || n >= PATH_MAX || !mkdtemp(out))
        return rc_fail(FAULT_IO, "no throw-away directory can be made in %s: %m; give --data DIR", temp_dir);
    return RC_OK;
}

/* Our own files only; the directory holds no others. */
static void remove_throw_away(const char *path) {
    DIR *dir = opendir(path);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_type != DT_DIR) unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(path);
}

/* ---- options ---- */

/* What dev decides where nobody has decided anything. */
static void fill_defaults(struct options *o) {
    static const str listen = DEFAULT_LISTEN;
    if (o->listen.n == 0) o->listen = (struct strs){&listen, 1};
    if (o->source[OPTION_ROW_compat_v1] == SOURCE_DEFAULT) o->compat_v1 = true;
    if (o->source[OPTION_ROW_jwks_uri_loopback] == SOURCE_DEFAULT) o->jwks_uri_loopback = true;
}

/* The same when they are read again; what was thrown up at the start stays. */
static void complete(struct options *o, void *arg) {
    fill_defaults(o);
    if (o->data.n == 0) o->data = *(const str *)arg;
}

/* http:// and the address; a wildcard is reached by loopback, a Unix socket by whatever stands in front of it. */
static str issuer_of(const char *address, struct arena *arena) {
    str a = str_of(address);
    if (str_starts_with(a, S("unix:"))) return S("http://localhost");
    if (str_starts_with(a, S("0.0.0.0:"))) return arena_printf(arena, "http://127.0.0.1%s", address + 7);
    if (str_starts_with(a, S("[::]:"))) return arena_printf(arena, "http://[::1]%s", address + 4);
    return arena_printf(arena, "http://%s", address);
}

/* ---- the run ---- */

struct dev {
    struct instance *instance;
    struct server *server;
    struct dev_seed seed;
    const struct dev_request *request;
    struct options_source source;
};

static void on_ready(void *arg) {
    const struct dev *d = arg;
    struct dev_facts facts = {
        .issuer = d->instance->settings.issuer,
        .admin = server_admin_address(d->server),
        .data = d->instance->options.data,
        .seed = &d->seed,
        .compat_v1 = d->instance->settings.compat_v1,
        .auto_approve = d->instance->settings.auto_approve,
    };
    if (d->request->json)
        dev_print_json(&facts, stdout);
    else
        dev_print_text(&facts, stdout);
}

static RC serve(struct dev *d) {
    struct settings *settings = &d->instance->settings;
    TRY(server_bind(d->instance, &d->server));
    server_read_again(d->server, &d->source);
    if (settings->issuer.n == 0) settings->issuer = issuer_of(server_address(d->server, 0), d->instance->arena);
    TRY(dev_seed(d->instance, &d->seed));
    settings->auto_approve = !d->request->no_auto_approve;
    settings->auto_user_id = d->seed.user_id;
    settings->auto_hub_id = d->seed.hub_id;
    return server_run(d->server, on_ready, d);
}

static RC open_and_serve(const struct options *options, const struct dev_request *request) {
    struct dev d = {.request = request, .source = request->source};
    TRY(instance_open(options, false, &d.instance));
    d.source.complete = complete;
    d.source.arg = &d.instance->options.data;
    struct rc rc = serve(&d);
    server_close(d.server);
    instance_close(d.instance);
    return rc;
}

/* From here on a signal waits until the server can hear it, so that the throw-away directory is always removed. */
static void hold_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

RC dev_run(struct options *options, const struct dev_request *request) {
    char throw_away[PATH_MAX] = "";
    fill_defaults(options);
    TRY(options_check(options, false));
    if (options->data.n == 0) {
        hold_signals();
        TRY(make_throw_away(request->temp_dir, throw_away));
        options->data = str_of(throw_away);
    }
    struct rc rc = open_and_serve(options, request);
    if (*throw_away) remove_throw_away(throw_away);
    return rc;
}
