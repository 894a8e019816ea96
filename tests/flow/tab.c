#include "tab.h"

static void keep_cookie(struct tab *t, str value) {
    str name = str_take(&value, '=');
    size_t i = 0;
    while (i < TAB_COOKIES && t->names[i].n && !str_eq(t->names[i], name)) i++;
    assert_true(i < TAB_COOKIES);
    t->names[i] = name;
    t->values[i] = str_take(&value, ';');
    assert_true(str_find(value, 'S') < value.n); /* SameSite */
}

static str keep(struct tab *t, str response) {
    str rest = response;
    while (rest.n) {
        str value = str_take(&rest, '\n');
        if (value.n == 0) break;
        if (str_eq_nocase(str_take(&value, ':'), S("set-cookie"))) keep_cookie(t, str_trim(value));
    }
    if (run_text_header(response, S("Location")).n == 0) t->page = response;
    return response;
}

static str jar(const struct tab *t) {
    str text = S("Cookie: none=1");
    for (size_t i = 0; i < TAB_COOKIES && t->names[i].n; i++)
        text = arena_printf(t->f->arena, "%.*s; %.*s=%.*s", STR_ARG(text), STR_ARG(t->names[i]), STR_ARG(t->values[i]));
    return text;
}

str tab_get(struct tab *t, str path) {
    return keep(t, flow_send(t->f, "GET %.*s\n%.*s\n\n", STR_ARG(path), STR_ARG(jar(t))));
}

/* The value of a hidden field of the page. */
str tab_field(const struct tab *t, const char *name) {
    str mark = arena_printf(t->f->arena, "name=\"%s\" value=\"", name);
    for (str rest = t->page; rest.n > mark.n; rest = str_from(rest, 1))
        if (str_starts_with(rest, mark)) return str_head(str_from(rest, mark.n), str_find(str_from(rest, mark.n), '"'));
    return (str){NULL, 0};
}

bool tab_shows(const struct tab *t, str text) {
    for (str rest = t->page; rest.n >= text.n; rest = str_from(rest, 1))
        if (str_starts_with(rest, text)) return true;
    return false;
}

str tab_post_from(struct tab *t, const char *path, const char *origin, str csrf, const char *more) {
    str request =
        arena_printf(t->f->arena, "POST %s\n%.*s\nOrigin: %s\nContent-Type: application/x-www-form-urlencoded\n\n",
                     path, STR_ARG(jar(t)), origin);
    return keep(t, flow_send(t->f, "%.*scsrf=%.*s&flow=%.*s&%s", STR_ARG(request), STR_ARG(csrf),
                             STR_ARG(tab_field(t, "flow")), more));
}

str tab_post(struct tab *t, const char *path, const char *more) {
    return tab_post_from(t, path, "https://auth.example", tab_field(t, "csrf"), more);
}

void tab_open(struct tab *t, struct flow *f) {
    memset(t, 0, sizeof *t);
    t->f = f;
    flow_open(f);
    f->instance.settings.auto_approve = false;
}

str tab_sign_in(struct tab *t) {
    const struct dev_seed *seed = &t->f->seed;
    str form = arena_printf(t->f->arena, "action=sign_in&email=%.*s&password=%.*s", STR_ARG(seed->email),
                            STR_ARG(seed->password));
    return tab_post(t, "/oauth/sign-in", arena_cstr(t->f->arena, form));
}

void tab_must_go_back(struct tab *t, str response, const char *error) {
    str redirect = t->f->seed.apps[FLOW_CONFIDENTIAL].redirect_uri;
    if (!str_starts_with(run_text_header(response, S("Location")), redirect)) fail_msg("%.*s", STR_ARG(response));
    assert_true(str_eq(flow_location_param(t->f, response, "error"), str_of(error)));
    assert_true(str_eq(flow_location_param(t->f, response, "state"), S("st")));
    assert_true(str_eq(flow_location_param(t->f, response, "iss"), S("https://auth.example")));
    assert_int_equal(flow_location_param(t->f, response, "code").n > 0, *error == '\0');
}
