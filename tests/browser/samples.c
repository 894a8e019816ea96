/* Writes every page in every language and state into a directory, as files that a browser shows without a server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "page_asset.h"
#include "page_lang.h"
#include "page_url.h"
#include "random.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define GRANTED_MS 1795312800000

/* A picture that an app might have: a white sail on blue. */
#define SAIL                                                                                                           \
    "data:image/"                                                                                                      \
    "svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA2NCA2NCI+"                  \
    "PHJlY3Qgd2lkdGg9IjY0IiBo"                                                                                         \
    "ZWlnaHQ9IjY0IiBmaWxsPSIjMGI3Mjg1Ii8+"                                                                             \
    "PHBhdGggZD0iTTMwIDEydjMwSDEyYzgtOCAxNC0xOCAxOC0zMFptNCA2YzggNiAxMyAxNCAxNSAyNEgzNFoiIGZpbGw9IiNm"                 \
    "ZmYiLz48cGF0aCBkPSJNMTAgNDZoNDRjLTQgNS05IDgtMTUgOEgyNWMtNiAwLTExLTMtMTUtOFoiIGZpbGw9IiM5OWU5ZjIiLz48L3N2Zz4="

static const struct page_app harbor = {S("Blue Harbor CRM"), S("Blue Harbor Software GmbH"),
                                       S("https://blueharbor.example/"), S(SAIL)};
static const struct page_app sheets = {
    .name = S("Quarterly"), .developer = S("Ledger & Sons"), .site_url = S("https://quarterly.example")};
static const struct page_account acme = {S("Acme Industries"), S("acme.example")};

static const struct page_scope required[] = {
    {S("crm.objects.contacts.read"), S("See contacts: names, e-mail addresses and phone numbers"), false},
    {S("crm.objects.deals.read"), S("See deals and their amounts"), false},
    {S("oauth"), {NULL, 0}, false},
};
static const struct page_scope optional[] = {
    {S("crm.objects.contacts.write"), S("Add and change contacts"), true},
    {S("files.read"), S("See files that you uploaded"), false},
};
static const struct page_api apis[] = {
    {S("Acme Billing"), S("https://billing.acme.example/v2")},
    {.uri = S("https://files.acme.example/")},
};
static const struct page_account_choice accounts[] = {
    {4711001, S("Acme Industries"), S("acme.example"), true},
    {4711002, S("Acme Labs"), S("labs.acme.example"), true},
    {4711003, S("Northwind Traders"), S("northwind.example"), false},
};
static struct page_connection connections[] = {
    {.scopes = required,
     .n_scopes = COUNT(required),
     .granted_ms = GRANTED_MS,
     .last_used_ms = GRANTED_MS + 86400000,
     .revoke_url = S("/oauth/connected-apps/1")},
    {.scopes = optional,
     .n_scopes = COUNT(optional),
     .granted_ms = GRANTED_MS - 90 * 86400000LL,
     .revoke_url = S("/oauth/connected-apps/2")},
};

#define ACTION .action = S("/oauth/sample")
static const struct page_sign_in sign_in[] = {
    {ACTION, .app = {S("Blue Harbor CRM"), {NULL, 0}, {NULL, 0}, S(SAIL)},
     .recovery_url = S("https://acme.example/reset"), .can_cancel = true},
    {ACTION, .problem = PAGE_SIGN_IN_PROBLEM_MISSING, .email_missing = true, .password_missing = true,
     .can_cancel = true},
    {ACTION, .problem = PAGE_SIGN_IN_PROBLEM_WRONG, .email = S("ada@acme.example"),
     .recovery_url = S("https://acme.example/reset"), .can_cancel = true},
    {ACTION, .problem = PAGE_SIGN_IN_PROBLEM_TOO_MANY, .email = S("ada@acme.example"), .wait_minutes = 4},
};
static struct page_choose_account choose_account[] = {
    {ACTION, .email = S("ada@acme.example"), .has_accounts = true, .accounts = accounts, .n_accounts = COUNT(accounts)},
    {ACTION, .email = S("ada@acme.example")},
    {ACTION, .email = S("ada@acme.example"), .has_accounts = true, .accounts = accounts, .n_accounts = COUNT(accounts),
     .can_find = true, .find = S("acme"), .can_turn = true, .earlier_url = S("/oauth/authorize?account_page=1"),
     .later_url = S("/oauth/authorize?account_page=3"), .all_url = S("/oauth/authorize")},
    {ACTION, .email = S("ada@acme.example"), .has_accounts = true, .can_find = true, .find = S("Zebra & Sons"),
     .all_url = S("/oauth/authorize")},
};
static struct page_consent consent[] = {
    {ACTION, .email = S("ada@acme.example"), .can_change_account = true, .required = required,
     .n_required = COUNT(required), .optional = optional, .n_optional = COUNT(optional),
     .redirect_uri = S("https://app.blueharbor.example/oauth/callback")},
    {ACTION, .email = S("ada@acme.example"), .required = required, .n_required = 2, .is_update = true,
     .redirect_uri = S("http://127.0.0.1:53682/")},
    {ACTION, .email = S("ada@acme.example"), .can_change_account = true,
     .redirect_uri = S("com.example.quarterly:/done")},
    {ACTION, .email = S("ada@acme.example"), .can_change_account = true, .required = required, .n_required = 2,
     .apis = apis, .n_apis = COUNT(apis), .redirect_uri = S("https://app.blueharbor.example/oauth/callback")},
};
static const struct page_error error[] = {
    {PAGE_ERROR_KIND_REQUEST, S("Blue Harbor CRM"), 400, S("invalid_request"), S("BAD_REDIRECT_URI"),
     S("the redirect URI is missing or is not registered for this app")},
    {.kind = PAGE_ERROR_KIND_EXPIRED, .http = 403},
    {.kind = PAGE_ERROR_KIND_NOT_FOUND, .http = 404},
    {.kind = PAGE_ERROR_KIND_BUSY,
     .http = 503,
     .error = S("temporarily_unavailable"),
     .status = S("UNAVAILABLE"),
     .description = S("the service is temporarily unavailable, try again later")},
    {.kind = PAGE_ERROR_KIND_FAULT, .http = 500},
};
static const struct page_sign_out sign_out[] = {
    {ACTION, .email = S("ada@acme.example")},
    {ACTION, .email = S("ada@acme.example"), .app_name = S("Blue Harbor CRM")},
};
static const struct page_signed_out signed_out[] = {{S("/oauth/sign-in")}};
static struct page_connected_apps connected_apps[] = {
    {.email = S("ada@acme.example"),
     .connections = connections,
     .n_connections = COUNT(connections),
     .older_url = S("/oauth/connected-apps?older=sample"),
     .sign_out_url = S("/oauth/sign-out")},
    {.email = S("ada@acme.example"), .removed_app = S("Quarterly"), .sign_out_url = S("/oauth/sign-out")},
};
static struct page_revoke revoke[] = {{ACTION, .connection = {.granted_ms = GRANTED_MS}}};
static const struct page_notice notice[] = {
    {.kind = PAGE_NOTICE_KIND_CANCELLED, .app_name = S("Blue Harbor CRM")},
    {.kind = PAGE_NOTICE_KIND_CONNECTED, .app_name = S("Blue Harbor CRM")},
    {.kind = PAGE_NOTICE_KIND_TEXT,
     .title = S("Welcome"),
     .text = S("Your server is ready."),
     .link_url = S("/oauth/connected-apps")},
};

/* One row per page: its states lie behind each other in memory. The macro ends in a declaration so that its use can end in a semicolon. */
#define PAGE(name)                                                                                                     \
    static void write_##name(struct buf *out, size_t state, const struct page_context *ctx) {                          \
        page_##name(out, &name[state], ctx);                                                                           \
    }                                                                                                                  \
    struct page_##name
PAGE(sign_in);
PAGE(choose_account);
PAGE(consent);
PAGE(error);
PAGE(sign_out);
PAGE(signed_out);
PAGE(connected_apps);
PAGE(revoke);
PAGE(notice);

static const struct {
    const char *name;
    size_t states;
    void (*write)(struct buf *out, size_t state, const struct page_context *ctx);
} pages[] = {
#define ROW(name)                                                                                                      \
    { #name, COUNT(name), write_##name }
    ROW(sign_in),    ROW(choose_account), ROW(consent), ROW(error),  ROW(sign_out),
    ROW(signed_out), ROW(connected_apps), ROW(revoke),  ROW(notice),
};

static void finish_samples(void) {
    choose_account[0].app = choose_account[2].app = choose_account[3].app = harbor;
    consent[0].app = consent[1].app = consent[3].app = harbor;
    consent[2].app = sheets;
    for (size_t i = 0; i < COUNT(consent); i++) {
        consent[i].account = acme;
        consent[i].target = page_url_target(consent[i].redirect_uri);
    }
    connections[0].app = revoke[0].connection.app = harbor;
    connections[1].app = sheets;
    connections[0].account = connections[1].account = revoke[0].connection.account = acme;
}

static int write_file(const char *directory, const char *name, str text) {
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path)) return -1;
    FILE *f = fopen(path, "w");
    if (!f) return -1;
    size_t n = fwrite(text.p, 1, text.n, f);
    return fclose(f) == 0 && n == text.n ? 0 : -1;
}

static int write_page(const char *directory, size_t page, size_t state, const struct page_context *ctx) {
    char name[128];
    struct buf out = buf_growing(1 << 20);
    pages[page].write(&out, state, ctx);
    snprintf(name, sizeof(name), "%s-%zu.%.*s.html", pages[page].name, state + 1, STR_ARG(page_langs[ctx->lang].tag));
    int failed = buf_failed(&out) || write_file(directory, name, buf_str(&out));
    buf_free(&out);
    return failed;
}

static int write_all(const char *directory, struct page_context *ctx) {
    int failed = write_file(directory, "style.css", page_style.body);
    for (size_t lang = 0; lang < PAGE_LANGS; lang++) {
        ctx->lang = (enum page_lang)lang;
        for (size_t page = 0; page < COUNT(pages); page++)
            for (size_t state = 0; state < pages[page].states; state++)
                failed |= write_page(directory, page, state, ctx);
    }
    return failed;
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3 || !crypto_start()) {
        fprintf(stderr, "usage: page_samples DIRECTORY [ACCENT]\n");
        return 2;
    }
    if (mkdir(argv[1], 0777) != 0 && errno != EEXIST) return 1;
    struct arena *arena = arena_new(4096);
    struct page_context ctx = {
        .brand = {.name = S("Acme"),
                  .help_url = S("https://acme.example/help"),
                  .privacy_url = S("https://acme.example/privacy"),
                  .terms_url = S("https://acme.example/terms")},
        .style_path = S("/style.css"),
        .csrf = S("sample-csrf"),
        .flow = S("sample-flow"),
        .correlation_id = S("7d0f3c1e-52a4-4b0e-9f6e-0c9d2f0a8b11"),
        .path = S("/oauth/authorize?client_id=sample&lang=en"),
    };
    struct page_asset accent;
    int failed = 0;
    if (argc == 3) {
        if (!page_accent_make(str_of(argv[2]), arena, &accent)) return 2;
        ctx.accent_path = S("/accent.css");
        failed = write_file(argv[1], "accent.css", accent.body);
    }
    finish_samples();
    failed |= write_all(argv[1], &ctx);
    arena_free(arena);
    if (failed) fprintf(stderr, "page_samples: cannot write into %s\n", argv[1]);
    return failed ? 1 : 0;
}
