#include "reload.h"

#include "admin_handlers.h"
#include "clock.h"
#include "config.h"
#include "log.h"

#include <stdio.h>

/* ---- reading ---- */

static RC read_options(const struct reload *r, struct arena *arena, struct options *out) {
    const struct options_source *source = r->source;
    struct option_words words = source->words;
    TRY(options_load(out, &words, source->environment, arena));
    if (source->complete) source->complete(out, source->arg);
    return RC_OK;
}

/* As they stand, and with what only a restart takes left out: both must be good, since one of them runs now and the other one next. */
static RC check(const struct reload *r, const struct options *fresh, const struct options *effective) {
    TRY(options_check(fresh, r->source->production));
    return options_check(effective, r->source->production);
}

/* ---- taking ---- */

static RC take_certificates(void *arg) {
    struct config *const *config = ((void **)arg)[1];
    return front_tls_reload(((void **)arg)[0], &(*config)->options);
}

static void take_rest(const struct reload *r, const struct config *config) {
    enum log_level level;
    const struct options *o = &config->options;
    if (log_level_parse(o->log_level, &level)) log_set_level(level);
    limiter_set_limits(r->limiter,
                       (struct limiter_limits){(uint32_t)o->limit_auth_failures, (uint32_t)o->limit_grant_failures});
}

/* The new options, or a fault and everything as it was. The arena of the options goes to the config. */
static RC take(const struct reload *r, const struct options *fresh, struct arena *owned) {
    struct instance *i = r->instance;
    struct options effective = *fresh;
    struct config *config = NULL;
    options_keep_fixed(&effective, &i->options);
    struct rc rc = check(r, fresh, &effective);
    if (!rc_ok(rc)) {
        arena_free(owned);
        return rc;
    }
    TRY(config_make(&effective, &i->settings, owned, &config));
    clock_stand_at(effective.clock_at_s * 1000); /* what is due by the new time is done with the rest */
    rc = instance_take_config(i, config, take_certificates, (void *[]){r->tls, &config});
    if (rc_ok(rc))
        take_rest(r, i->config);
    else
        clock_stand_at(i->options.clock_at_s * 1000);
    return rc;
}

/* ---- telling ---- */

static void log_changes(const struct reload_report *report, struct arena *arena) {
    for (size_t i = 0; i < report->n; i++) {
        const struct option_change *change = &report->changes[i];
        bool waits = change->row->reload & RESTART;
        enum event event = report->refused ? EVENT_OPTION_REFUSED : waits ? EVENT_OPTION_WAITS : EVENT_OPTION_CHANGED;
        LOG(event, NULL, change->row->name, arena_cstr(arena, change->before), arena_cstr(arena, change->after));
    }
    if (report->refused) LOG(EVENT_OPTIONS_REFUSED, NULL, arena_cstr(arena, report->reason));
}

static void log_certificates(const struct reload *r, struct rc rc, const char *detail) {
    char days[24];
    if (!r->tls) return;
    snprintf(days, sizeof days, "%d", front_tls_days_left(r->tls));
    if (rc_ok(rc))
        LOG(EVENT_TLS_RELOADED, NULL, days);
    else
        LOG(EVENT_TLS_REFUSED, NULL, rc_name(rc), detail, days);
}

/* ---- all of it ---- */

static void refuse(struct reload_report *out, struct arena *arena) {
    out->refused = true;
    out->reason = arena_copy(arena, str_of(rc_detail()));
}

/* Whether new options were taken, and the certificates with them. */
static bool reload_options(const struct reload *r, struct arena *arena, struct reload_report *out) {
    struct options fresh;
    struct arena *owned = arena_new(4096);
    struct rc rc = read_options(r, owned, &fresh);
    if (rc_ok(rc)) out->n = options_diff(&r->instance->options, &fresh, arena, out->changes);
    for (size_t i = 0; i < out->n; i++) {
        out->changes[i].before = arena_copy(arena, out->changes[i].before);
        out->changes[i].after = arena_copy(arena, out->changes[i].after);
    }
    if (rc_ok(rc) && out->n) {
        rc = take(r, &fresh, owned);
        if (!rc_ok(rc)) refuse(out, arena);
        return rc_ok(rc);
    }
    if (!rc_ok(rc)) refuse(out, arena);
    arena_free(owned);
    return false;
}

void reload_run(const struct reload *r, struct arena *arena, struct reload_report *out) {
    *out = (struct reload_report){.refused = false};
    bool taken = r->source && reload_options(r, arena, out);
    if (!taken) out->tls = front_tls_reload(r->tls, NULL);
    const char *detail = arena_cstr(arena, str_of(rc_detail()));
    log_changes(out, arena);
    log_certificates(r, out->tls, detail);
}

/* ---- the command ---- */

static void write_changes(struct json *j, const struct reload_report *report) {
    json_key(j, S("options"));
    json_open_array(j);
    for (size_t i = 0; i < report->n; i++) {
        const struct option_change *change = &report->changes[i];
        json_open(j);
        json_member_str(j, S("option"), str_of(change->row->name));
        json_member_str(j, S("before"), change->before);
        json_member_str(j, S("after"), change->after);
        json_member_str(j, S("taken"), change->row->reload & RESTART ? S("at the next start") : S("now"));
        json_close(j);
    }
    json_close_array(j);
}

RC admin_do_reload(struct admin_call *c) {
    struct reload_report report;
    if (!c->instance->reload) {
        admin_refuse(c, 409, "not_running", "no server runs on this data directory; the next start reads everything");
        return RC_OK;
    }
    reload_run(c->instance->reload, c->arena, &report);
    if (report.refused)
        admin_refuse(c, 400, "refused", "nothing was changed: %.*s", STR_ARG(report.reason));
    else if (!rc_ok(report.tls))
        admin_refuse(c, 400, "refused", "the certificates are not usable, the old ones stay: %s", rc_detail());
    write_changes(&c->json, &report);
    return RC_OK;
}
