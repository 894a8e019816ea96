#include "server.h"

#include "admin_http.h"
#include "clock.h"
#include "follow.h"
#include "front_inherit.h"
#include "front_listen.h"
#include "front_notify.h"
#include "front_tls.h"
#include "front_upgrade.h"
#include "front_watchdog.h"
#include "health.h"
#include "log.h"
#include "random.h"
#include "reload.h"
#include "systemd_load.h"
#include "worker.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define ADDRESS_BYTES     300
#define SLOTS_MIN         256 /* sockets of one address: the program that we replace may have had more workers */
#define ADMIN_CONNECTIONS 256
#define ADMIN_DRAIN_MS    1000
#define PURGE_PERIOD_MS   60000
#define KEYS_LOOK_MS      60000
#define KEYS_PERIOD_MS    1000 /* keys whose time has come are used at most this much later */
#define PURGE_BATCHES_MAX 16   /* in one go, then others have their turn */
#define PURGE_ROUNDS_MAX  256

struct server {
    struct instance *instance;
    struct crew crew;
    size_t n_workers, n_addresses, n_ended;
    struct worker *workers;
    const struct front_address *addresses;
    struct front_tls *tls;
    struct reload reload;
    int *fds; /* address by address, n_slots each; -1: none */
    size_t n_slots;
    struct front_upgrade upgrade;
    bool takes_upgrades, handed_over;
    struct front_watchdog watchdog;
    struct web_loop **loops; /* of the workers */
    const struct metrics **metrics;
    bool keep_files; /* of Unix sockets: somebody else listens there */
    char (*names)[ADDRESS_BYTES];
    int admin_fd;
    char admin_name[ADDRESS_BYTES];
    struct web_loop *main_loop;
    struct health health;
    struct follow follow;
    struct admin_http admin;
    bool hurry;         /* a second signal came */
    char outdated[240]; /* why the program cannot go on with its store; empty: it can */
    unsigned purge_rounds;
    struct source *keys_alarm;
    int64_t begun_ms;
};

static void *must_calloc(size_t n, size_t size) {
    void *p = calloc(n, size);
    if (!p) abort();
    return p;
}

/* ---- addresses ---- */

static size_t count_threads(const struct options *o) {
    if (o->threads) return (size_t)o->threads;
    cpu_set_t cpus;
    int n = sched_getaffinity(0, sizeof cpus, &cpus) ? 1 : CPU_COUNT(&cpus);
    return n > 0 ? (size_t)n : 1;
}

/* What to do about an address that cannot be had. */
static RC explain_taken(struct rc rc) {
    char detail[200];
    snprintf(detail, sizeof detail, "%s", rc_detail());
    return rc_fail((enum fault)rc.fault, "%s; choose another one with --listen", detail);
}

/* A TCP address is bound once per worker, so that the kernel spreads connections over their queues; a Unix socket once for all. */
static RC bind_address(struct server *s, size_t a) {
    str address = s->addresses[a].text;
    bool is_unix = str_starts_with(address, S("unix:"));
    int *fds = s->fds + a * s->n_slots;
    size_t n = 0;
    while (n < s->n_slots && (fds[n] = front_inherit_take(address, s->names[a], ADDRESS_BYTES)) >= 0) n++;
    s->keep_files = s->keep_files || (n && front_inherit_pipe() < 0); /* they are systemd's */
    if (n) return RC_OK;
    for (size_t w = 0; w < (is_unix ? 1 : s->n_workers); w++) {
        str wanted = w ? str_of(s->names[a]) : address; /* port 0: the others take the port of the first */
        char name[ADDRESS_BYTES];
        struct rc rc = web_bind(wanted, !is_unix, &fds[w], w ? name : s->names[a], ADDRESS_BYTES);
        if (!rc_ok(rc)) return explain_taken(rc);
    }
    return RC_OK;
}

static RC bind_all(struct server *s) {
    const struct options *o = &s->instance->options;
    for (size_t a = 0; a < s->n_addresses; a++) TRY(bind_address(s, a));
    str admin = options_admin_address(o, s->instance->arena);
    s->admin_fd = front_inherit_take(admin, s->admin_name, sizeof s->admin_name);
    if (s->admin_fd < 0) TRY(web_bind(admin, false, &s->admin_fd, s->admin_name, sizeof s->admin_name));
    return front_inherit_check();
}

RC server_bind(struct instance *i, struct server **out) {
    struct server *s = must_calloc(1, sizeof *s);
    s->instance = i;
    s->begun_ms = clock_now_ms();
    s->n_workers = count_threads(&i->options);
    s->n_addresses = front_addresses(&i->options, i->arena, &s->addresses);
    s->workers = must_calloc(s->n_workers, sizeof *s->workers);
    s->n_slots = s->n_workers > SLOTS_MIN ? s->n_workers : SLOTS_MIN;
    s->fds = must_calloc(s->n_slots * s->n_addresses + 1, sizeof *s->fds);
    s->names = must_calloc(s->n_addresses + 1, sizeof *s->names);
    s->admin_fd = -1;
    for (size_t n = 0; n < s->n_slots * s->n_addresses; n++) s->fds[n] = -1;
    pthread_mutex_init(&s->crew.lock, NULL);
    pthread_cond_init(&s->crew.changed, NULL);
    struct rc rc = bind_all(s);
    if (!rc_ok(rc)) {
        server_close(s);
        return rc;
    }
    *out = s;
    return RC_OK;
}

void server_take_upgrades(struct server *s) { s->takes_upgrades = true; }
void server_read_again(struct server *s, const struct options_source *source) { s->reload.source = source; }

const char *server_address(const struct server *s, size_t n) { return s->names[n]; }
const char *server_admin_address(const struct server *s) { return s->admin_name; }

/* ---- opening ---- */

/* Connections are files: take as many as the system lets us. */
static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Every socket has a worker, and every worker has a socket: of its own, or one that it shares (Unix sockets, systemd's). */
static bool is_mine(const struct server *s, const int *fds, size_t w, size_t k) {
    size_t n = 0;
    while (n < s->n_slots && fds[n] >= 0) n++;
    return k % s->n_workers == w || (w >= n && w % n == k);
}

static RC open_worker(struct server *s, size_t w, const struct web_options *web) {
    TRY(worker_open(&s->workers[w], &s->crew, web));
    for (size_t a = 0; a < s->n_addresses; a++) {
        const int *fds = s->fds + a * s->n_slots;
        struct web_listening how = {.ask_certificate = s->addresses[a].ask_certificate, .http2 = s->addresses[a].http2};
        if (s->addresses[a].tls) how.tls = front_tls_web(s->tls);
        for (size_t k = 0; k < s->n_slots && fds[k] >= 0; k++)
            if (is_mine(s, fds, w, k)) TRY(worker_listen(&s->workers[w], fds[k], &how));
    }
    return RC_OK;
}

static void on_terminate(void *arg);
static void on_interrupt(void *arg);
static void on_hangup(void *arg);
static void on_purge(void *arg);
static void on_keys(void *arg);
static void on_outdated(void *arg, struct rc rc);

/* The admin API. */
static void open_admin(struct server *s) {
    s->health.instance = s->instance;
    s->admin.instance = s->instance;
    s->admin.backup = admin_backup_new();
    s->admin.health = &s->health;
}

static RC open_main(struct server *s, const struct web_options *web) {
    struct web_options options = *web;
    options.connections_max = ADMIN_CONNECTIONS;
    options.authority = NULL;
    options.trusted_proxies = NULL;
    options.n_trusted_proxies = 0;
    options.n_proxy_protocol = 0;
    options.connections_per_address = options.requests_per_connection = options.exchanges_max = 0;
    options.turn_wait_max_ms = 0; /* what is limited here must not be what an administrator needs to repair it */
    open_admin(s);
    TRY(web_loop_open(&options, &s->main_loop));
    TRY(web_listen(s->main_loop, s->admin_fd, admin_http_handle, &s->admin));
    TRY(web_loop_on_signal(s->main_loop, SIGTERM, on_terminate, s));
    TRY(web_loop_on_signal(s->main_loop, SIGINT, on_interrupt, s));
    TRY(web_loop_on_signal(s->main_loop, SIGHUP, on_hangup, s));
    s->follow = (struct follow){.instance = s->instance, .loop = s->main_loop, .outdated = on_outdated, .arg = s};
    TRY(follow_start(&s->follow));
    s->keys_alarm = web_loop_alarm(s->main_loop, on_keys, s);
    web_alarm_set(s->keys_alarm, KEYS_PERIOD_MS); /* what became due while we were not there */
    return web_loop_every(s->main_loop, PURGE_PERIOD_MS, on_purge, s);
}

static struct limiter *new_limiter(const struct options *o) {
    uint8_t key[16];
    random_fill(key, sizeof key);
    struct limiter_limits limits = {(uint32_t)o->limit_auth_failures, (uint32_t)o->limit_grant_failures};
    return limiter_new(limits, key);
}

/* ---- while it runs ---- */

static void purge_some(struct server *s) {
    bool more = true;
    for (int i = 0; more && i < PURGE_BATCHES_MAX; i++) {
        struct arena *arena = arena_new(4096);
        struct rc rc = storage_purge(s->instance->admin, clock_now_ms(), arena, &more);
        arena_free(arena);
        if (rc_ok(rc)) continue;
        LOG(EVENT_PURGE_FAILED, NULL, rc_name(rc), rc_detail());
        return;
    }
    if (more && s->purge_rounds++ < PURGE_ROUNDS_MAX)
        web_loop_post(s->main_loop, on_purge, s);
    else
        s->purge_rounds = 0;
}

static void on_purge(void *arg) {
    struct server *s = arg;
    if (!s->health.draining) purge_some(s);
}

static void log_rotated(const struct keyset *keys) {
    char ring[24], signing[24];
    snprintf(ring, sizeof ring, "%zu", keys->ring.n);
    snprintf(signing, sizeof signing, "%zu", keys->signers.keys.n);
    LOG(EVENT_KEYS_ROTATED, NULL, ring, signing);
}

/* At the time that is known from the keys, and now and then besides: something may have failed, or the clock was set. */
static void set_keys_alarm(struct server *s) {
    int64_t in_ms = s->instance->snapshot->keys->next_change_ms - clock_now_ms();
    if (in_ms < KEYS_PERIOD_MS) in_ms = KEYS_PERIOD_MS;
    web_alarm_set(s->keys_alarm, in_ms < KEYS_LOOK_MS ? in_ms : KEYS_LOOK_MS);
}

static void on_keys(void *arg) {
    struct server *s = arg;
    if (s->health.draining) return;
    int64_t now_ms = clock_now_ms();
    const struct snapshot *before = s->instance->snapshot;
    struct rc rc = instance_keep_keys(s->instance, now_ms);
    if (s->instance->snapshot != before) log_rotated(s->instance->snapshot->keys);
    set_keys_alarm(s);
    if (rc_ok(rc)) return;
    web_alarm_set(s->keys_alarm, KEYS_LOOK_MS);
    LOG(EVENT_KEYS_FAILED, NULL, rc_name(rc), rc_detail());
}

/* The loops have their own handles. Ours are for a program that takes our place; when we leave for good the kernel must not go on taking
 * connections that nobody serves. */
static void close_sockets(struct server *s) {
    for (size_t n = 0; n < s->n_slots * s->n_addresses; n++) {
        if (s->fds[n] >= 0) close(s->fds[n]);
        s->fds[n] = -1;
    }
    if (s->admin_fd >= 0) close(s->admin_fd);
    s->admin_fd = -1;
}

/* The first signal drains, the second one ends at once. */
static void stop(struct server *s, const char *signal_name) {
    s->hurry = s->health.draining;
    int64_t drain_ms = s->hurry ? 0 : s->instance->options.drain_deadline_s * 1000;
    if (!s->hurry) LOG(EVENT_SERVER_DRAINING, NULL, signal_name);
    s->health.draining = true;
    close_sockets(s);
    for (size_t w = 0; w < s->n_workers; w++)
        (s->handed_over ? web_loop_hand_over : web_loop_stop)(s->workers[w].loop, drain_ms);
}

static void stop_for_good(struct server *s, const char *signal_name) {
    front_notify_stopping();
    stop(s, signal_name);
}

static void on_terminate(void *arg) { stop_for_good(arg, "SIGTERM"); }
static void on_interrupt(void *arg) { stop_for_good(arg, "SIGINT"); }

static void on_outdated(void *arg, struct rc rc) {
    struct server *s = arg;
    snprintf(s->outdated, sizeof s->outdated, "%s", rc_detail());
    LOG(EVENT_STORE_OUTDATED, NULL, rc_name(rc), s->outdated);
    if (!s->health.draining) stop_for_good(s, "none");
}

/* The new program has our sockets; what it still needs is that we go. */
static void on_prepared(void *arg) {
    struct server *s = arg;
    char pid[24];
    if (s->health.draining) return;
    snprintf(pid, sizeof pid, "%d", s->upgrade.pid);
    LOG(EVENT_UPGRADE_PREPARED, NULL, pid);
    front_notify_main_pid(s->upgrade.pid);
    s->keep_files = s->handed_over = true;
    stop(s, "SIGUSR2");
}

static void on_hangup(void *arg) {
    struct server *s = arg;
    struct reload_report report;
    struct arena *arena = arena_new(4096);
    front_notify_reloading();
    reload_run(&s->reload, arena, &report);
    front_notify_ready();
    arena_free(arena);
}

/* In the main loop: a worker has ended. */
static void count_ended(void *arg) {
    struct server *s = arg;
    if (++s->n_ended == s->n_workers) web_loop_stop(s->main_loop, s->hurry ? 0 : ADMIN_DRAIN_MS);
}

static void on_worker_ended(void *arg) {
    struct server *s = arg;
    web_loop_post(s->main_loop, count_ended, s);
}

static void publish(struct instance *i, void *arg) {
    struct server *s = arg;
    char version[24];
    for (size_t w = 0; w < s->n_workers; w++) worker_publish(&s->workers[w], i->snapshot);
    front_tls_set_ring(s->tls, &i->snapshot->keys->ring);
    set_keys_alarm(s);
    snprintf(version, sizeof version, "%lld", (long long)i->registry->version);
    LOG(EVENT_REGISTRY_PUBLISHED, NULL, version);
}

/* ---- the whole life ---- */

/* What the pages for people need. */
static RC open_people(struct server *s) {
    static const struct pwhash_cost cost = {.passes = 2, .memory_kib = 19456}; /* OWASP's first choice for Argon2id */
    const struct options *o = &s->instance->options;
    uint8_t key[16];
    random_fill(key, sizeof key);
    s->crew.throttle = throttle_new(key);
    s->crew.keys = key_fetch_new(o->jwks_uri_loopback);
    return pwpool_open(cost, (unsigned)o->password_threads, (unsigned)o->password_queue_max, &s->crew.passwords);
}

/* The options as they stand now; from here on they change only whole. */
static RC open_config(struct server *s) {
    struct instance *i = s->instance;
    struct config *config = NULL;
    TRY(config_make(&i->options, &i->settings, arena_new(1024), &config));
    TRY(instance_take_config(i, config, NULL, NULL));
    TRY(front_tls_open(&i->options, i->keyring, &s->tls));
    s->reload.instance = i;
    s->reload.tls = s->tls;
    s->reload.limiter = s->crew.limiter;
    i->reload = &s->reload;
    return RC_OK;
}

/* What the one who started us may want of us while we run. */
static RC open_service(struct server *s) {
    s->loops = must_calloc(s->n_workers, sizeof(struct web_loop *));
    s->metrics = must_calloc(s->n_workers, sizeof(struct metrics *));
    for (size_t w = 0; w < s->n_workers; w++) s->loops[w] = s->workers[w].loop;
    for (size_t w = 0; w < s->n_workers; w++) s->metrics[w] = s->workers[w].env.metrics;
    s->health.metrics = (struct metrics_source){
        .instance = s->instance,
        .loops = s->metrics,
        .web_loops = s->loops,
        .n_loops = s->n_workers,
        .begun_ms = s->begun_ms,
    };
    s->watchdog.loops = s->loops;
    s->watchdog.n = s->n_workers;
    TRY(front_watchdog_start(&s->watchdog, s->main_loop));
    if (!s->takes_upgrades) return RC_OK;
    s->upgrade.prepared = on_prepared;
    s->upgrade.arg = s;
    s->upgrade.fds = s->fds;
    s->upgrade.n_fds = s->n_slots * s->n_addresses;
    s->upgrade.admin_fd = s->admin_fd;
    return front_upgrade_open(&s->upgrade, s->main_loop);
}

static RC open_all(struct server *s) {
    raise_file_limit();
    s->crew.instance = s->instance;
    s->crew.limiter = new_limiter(&s->instance->options);
    s->crew.refuse_exposed = str_starts_with(s->instance->settings.issuer, S("https:"));
    s->crew.ended = on_worker_ended;
    s->crew.ended_arg = s;
    TRY(open_people(s));
    TRY(open_config(s));
    const struct web_options *web = &s->instance->config->web;
    TRY(open_main(s, web));
    for (size_t w = 0; w < s->n_workers; w++) TRY(open_worker(s, w, web));
    return open_service(s);
}

/* Signals that came while we were opening were held back; now the loop hears them. */
static void let_signals_in(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static RC start_workers(struct server *s) {
    for (size_t w = 0; w < s->n_workers; w++) TRY(worker_start(&s->workers[w]));
    return RC_OK;
}

static void log_ready(const struct server *s) {
    char threads[24], listen[ADDRESS_BYTES * 2];
    struct buf addresses = buf_on(listen, sizeof listen - 1);
    for (size_t a = 0; a < s->n_addresses; a++) buf_printf(&addresses, "%s%s", a ? " " : "", s->names[a]);
    listen[addresses.n] = 0;
    snprintf(threads, sizeof threads, "%zu", s->n_workers);
    const char *issuer = arena_cstr(s->instance->arena, s->instance->settings.issuer);
    LOG(EVENT_SERVER_READY, NULL, issuer, listen, s->admin_name, threads, GRANTD_VERSION);
}

RC server_run(struct server *s, void (*ready)(void *arg), void *arg) {
    TRY(systemd_load());
    TRY(open_all(s));
    TRY(log_start());
    s->instance->publish = publish;
    s->instance->publish_arg = s;
    struct rc rc = start_workers(s);
    let_signals_in();
    if (rc_ok(rc)) {
        log_ready(s);
        front_notify_ready();
        if (ready) ready(arg);
        web_loop_run(s->main_loop);
        LOG(EVENT_SERVER_STOPPED, NULL);
    }
    s->instance->publish = NULL;
    log_stop();
    return *s->outdated ? rc_fail(FAULT_DB_SCHEMA, "%s", s->outdated) : rc;
}

/* A socket file that stays behind would look as if somebody listened. */
static void unlink_socket(const char *name) {
    if (str_starts_with(str_of(name), S("unix:"))) unlink(name + 5);
}

void server_close(struct server *s) {
    if (!s) return;
    for (size_t w = 0; w < s->n_workers; w++)
        if (s->workers[w].loop) web_loop_stop(s->workers[w].loop, 0);
    for (size_t w = 0; w < s->n_workers; w++) worker_join(&s->workers[w]);
    pwpool_close(s->crew.passwords); /* it posts to the loops until it is done */
    key_fetch_close(s->crew.keys);   /* so does this */
    for (size_t w = 0; w < s->n_workers; w++) worker_close(&s->workers[w]);
    web_loop_close(s->main_loop);
    admin_backup_free(s->admin.backup);
    for (size_t a = 0; a < s->n_addresses && !s->keep_files; a++) unlink_socket(s->names[a]);
    if (!s->keep_files) unlink_socket(s->admin_name);
    close_sockets(s);
    front_upgrade_close(&s->upgrade);
    s->instance->reload = NULL;
    free(s->loops);
    free(s->metrics);
    front_tls_close(s->tls);
    limiter_free(s->crew.limiter);
    throttle_free(s->crew.throttle);
    pthread_mutex_destroy(&s->crew.lock);
    pthread_cond_destroy(&s->crew.changed);
    free(s->workers);
    free(s->fds);
    free(s->names);
    free(s);
}
