#include "cli.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "admin_docs.h"
#include "admin_text.h"
#include "cli_args.h"
#include "cli_link.h"
#include "digest.h"
#include "options.h"
#include "suggest.h"

#define PAGE_ROWS      1000
#define BACKUP_STEP_MS 200
#define OUTPUT_MAX     ((size_t)1 << 30)

enum exit_status { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct cli {
    struct arena *arena;
    struct options options;
    struct cli_input in;
    struct cli_link *link;
    struct admin_answer *answer;
};

/* ---- what is said ---- */

/* One line on standard error. */
static int say(enum exit_status status, str message) {
    fprintf(stderr, "grantd: %.*s\n", STR_ARG(message));
    return (int)status;
}

static int say_fault(const struct cli *cli, struct rc rc) {
    str detail = str_of(rc_detail());
    return say(EXIT_REFUSED, detail.n ? detail : arena_printf(cli->arena, "%s", rc_text(rc)));
}

static int say_usage(const struct cli *cli, str problem, str words) {
    return say(EXIT_USAGE, arena_printf(cli->arena, "%.*s; see: grantd %.*s --help", STR_ARG(problem), STR_ARG(words)));
}

static int print(struct buf *text) {
    size_t written = fwrite(text->p, 1, text->n, stdout);
    bool ok = written == text->n && !buf_failed(text) && fflush(stdout) == 0;
    if (text->p) secret_wipe(text->p, text->n);
    buf_free(text);
    return ok ? EXIT_DONE : say(EXIT_REFUSED, S("the output could not be written whole"));
}

/* ---- help and documents ---- */

/* Commands that share their words are shown together. */
static int show_help(const struct cli *cli, str words) {
    struct buf out = buf_growing(OUTPUT_MAX);
    size_t shown = 0;
    for (size_t i = 0; i < admin_command_count && cli->in.command; i++) {
        if (!str_eq(str_of(admin_commands[i].words), str_of(cli->in.command->words))) continue;
        if (shown++) buf_add_char(&out, '\n');
        admin_write_help(&admin_commands[i], &out);
    }
    if (!shown) {
        buf_add(&out, S("usage: grantd NOUN VERB [--data DIR] [--json] ...\n\n"));
        admin_write_commands(words, &out);
    }
    return print(&out);
}

/* The words name no command: what was meant? */
static int say_unknown(const struct cli *cli, str words) {
    struct suggestion near = suggest_for(words);
    str noun = words;
    for (size_t i = 0; i < admin_command_count; i++) suggest_add(&near, admin_commands[i].words);
    if (!near.best || str_find(words, ' ') == words.n) return say_usage(cli, S("say what to do"), str_take(&noun, ' '));
    str problem = arena_printf(cli->arena, "there is no command %.*s; did you mean: %s", STR_ARG(words), near.best);
    return say_usage(cli, problem, str_take(&noun, ' '));
}

/* `grantd docs NAME`, for those who change grantd: pages that are written from the tables. */
static const struct {
    str name;
    void (*write)(struct buf *out);
} documents[] = {
    {S("admin"), admin_write_markdown},
    {S("admin-openapi"), admin_write_openapi},
};

static int write_document(str name) {
    struct buf out = buf_growing(OUTPUT_MAX);
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        if (!str_eq(name, documents[i].name)) continue;
        documents[i].write(&out);
        return print(&out);
    }
    return say(EXIT_USAGE, S("there is no such document: admin, admin-openapi"));
}

/* ---- a command ---- */

static int refuse(struct cli *cli, const struct cli_reply *reply) {
    str code = {NULL, 0}, message = {NULL, 0};
    if (!admin_error_read(reply->body, cli->arena, &code, &message))
        message = arena_printf(cli->arena, "the server answered %d", reply->status);
    return say(EXIT_REFUSED, message);
}

/* All pages, up to --limit. */
static int fetch(struct cli *cli) {
    int64_t limit = cli_args_number(&cli->in, ADMIN_ARG_limit);
    bool listing = cli->in.command->rows[0] != '\0';
    str next = {NULL, 0}, body = cli_args_body(&cli->in, cli->arena);
    do {
        struct cli_reply reply;
        int64_t left = limit ? limit - (int64_t)admin_answer_rows(cli->answer) : PAGE_ROWS;
        int64_t page = left > PAGE_ROWS ? PAGE_ROWS : left;
        bool paged = listing && cli_args_has(&cli->in, ADMIN_ARG_limit);
        str target = cli_args_target(&cli->in, paged ? page : 0, next, cli->arena);
        struct rc rc = cli_link_call(cli->link, cli->in.command->method, target, body, &reply);
        if (!rc_ok(rc)) return say_fault(cli, rc);
        if (reply.status >= 300) return refuse(cli, &reply);
        if (!admin_answer_add(cli->answer, reply.body, (size_t)limit, cli->arena, &next))
            return say(EXIT_REFUSED, S("the answer is not from a grantd of this version"));
    } while (next.n);
    return EXIT_DONE;
}

static void show_progress(const struct cli *cli) {
    if (!isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\r%lld of %lld pages", (long long)admin_answer_number(cli->answer, "done_pages"),
            (long long)admin_answer_number(cli->answer, "total_pages"));
}

/* The backup goes on by itself; this looks until it has ended. */
static int wait_backup(struct cli *cli) {
    while (str_eq(admin_answer_text(cli->answer, "state", cli->arena), S("running"))) {
        struct timespec t = {0, BACKUP_STEP_MS * 1000000L};
        struct cli_reply reply;
        str next;
        show_progress(cli);
        nanosleep(&t, NULL);
        struct rc rc = cli_link_call(cli->link, HTTP_GET, str_of(cli->in.command->path), S(""), &reply);
        if (!rc_ok(rc)) return say_fault(cli, rc);
        if (reply.status >= 300) return refuse(cli, &reply);
        if (!admin_answer_add(cli->answer, reply.body, 0, cli->arena, &next)) return EXIT_REFUSED;
    }
    if (isatty(STDERR_FILENO)) fputc('\n', stderr);
    if (str_eq(admin_answer_text(cli->answer, "state", cli->arena), S("done"))) return EXIT_DONE;
    return say(EXIT_REFUSED, admin_answer_text(cli->answer, "problem", cli->arena));
}

static int run(struct cli *cli) {
    struct buf out = buf_growing(OUTPUT_MAX);
    cli->link = cli_link_new(&cli->options, cli->arena);
    cli->answer = admin_answer_new(cli->in.command);
    int status = fetch(cli);
    if (status == EXIT_DONE && str_eq(str_of(cli->in.command->words), S("backup"))) status = wait_backup(cli);
    if (status == EXIT_DONE) {
        (cli->in.json ? admin_answer_write_json : admin_answer_write_text)(cli->answer, &out);
        status = print(&out);
    }
    admin_answer_free(cli->answer);
    cli_link_free(cli->link);
    return status;
}

/* What of the options a command of administration needs; the others belong to the server. */
static const char *const options_taken[] = {"data", "store", "migrate", "config", "admin_listen", "admin_token_file",
                                            NULL};

static int read_and_run(struct cli *cli, int argc, char **argv) {
    str words = {NULL, 0};
    struct option_words given = {.n = argc, .words = argv, .only = options_taken};
    struct rc rc = options_load(&cli->options, &given, environ, cli->arena);
    if (!rc_ok(rc)) return say(given.wrong ? EXIT_USAGE : EXIT_REFUSED, str_of(rc_detail()));
    argc = given.n;
    argv = given.words;
    if (argc == 3 && str_eq(str_of(argv[1]), S("docs"))) return write_document(str_of(argv[2]));
    bool ok = cli_args_read(argc, argv, cli->arena, &cli->in, &words);
    if (cli->in.help) return show_help(cli, words);
    if (!cli->in.command) return say_unknown(cli, words);
    if (!ok) return say_usage(cli, cli->in.problem, str_of(cli->in.command->words));
    if (cli->options.data.n == 0 && cli->options.admin_listen.n == 0)
        return say(EXIT_USAGE, S("say which data directory: --data DIR, or GRANTD_DATA in the environment"));
    return run(cli);
}

bool cli_has(const char *word) {
    if (str_eq(str_of(word), S("docs"))) return true;
    for (size_t i = 0; i < admin_command_count; i++) {
        str words = str_of(admin_commands[i].words);
        if (str_eq(str_of(word), str_take(&words, ' '))) return true;
    }
    return false;
}

int cli_main(int argc, char **argv) {
    struct cli *cli = NULL;
    struct arena *arena = arena_new(16 << 10);
    cli = ARENA_NEW(arena, struct cli);
    cli->arena = arena;
    int status = read_and_run(cli, argc, argv);
    arena_free(arena);
    return status;
}
