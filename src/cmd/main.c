/* grantd: finds the command and hands over. */
#include "cli.h"
#include "clock.h"
#include "command.h"
#include "help_text.h"
#include "log.h"
#include "random.h"
#include "suggest.h"

#include <stdio.h>
#include <unistd.h>

static const char *const migrate_takes[] = {"data", "store", "store_pooled", "store_deadline_s", "config", NULL};

static const char *const copy_takes[] = {"config", NULL};

static const struct command commands[] = {
    {"dev",
     "[--listen ADDR:PORT] [--data DIR] [--json] [OPTION ...]",
     "Run a server to try things on, with apps, an account and a person in it.",
     {{"--json", "Print one line of JSON when it is ready.", NULL},
      {"--no-auto-approve", "Do not answer authorization requests at once.", NULL}},
     cmd_dev,
     NULL},
    {"serve", "--data DIR --listen ADDR:PORT --issuer URL [OPTION ...]", "Run the server.", {{0}}, cmd_serve, NULL},
    {"upgrade",
     "--data DIR",
     "Put the program on disk in the place of the one that runs, without refusing a connection.",
     {{0}},
     cmd_upgrade,
     NULL},
    {"migrate",
     "[--status] [--json] (--data DIR | --store URL)",
     "Bring the schema of a store up to date. Nodes on the same database go on meanwhile.",
     {{"--status", "Change nothing; say which steps are done and which are missing.", NULL},
      {"--json", "Print JSON.", NULL}},
     cmd_migrate,
     migrate_takes},
    {"store copy",
     "--from URL --to URL [--live] [--json]",
     "Copy a whole store into an empty one: sqlite:DIR, sqlite:DIR/NAME.db or postgres://USER@HOST/DATABASE, either "
     "way.",
     {{"--from", "The store to copy. Its server is stopped, so that nothing is lost.", "URL"},
      {"--to", "The empty store to fill, whole or not at all.", "URL"},
      {"--live",
       "Copy the state of this moment while a server goes on; what it changes from then on is not in the copy.", NULL},
      {"--json", "Print JSON.", NULL}},
     cmd_store_copy,
     copy_takes},
    {"check-config",
     "[--json] [OPTION ...]",
     "Check the options for serve and print the ones in effect.",
     {{"--json", "Print JSON.", NULL}},
     cmd_check_config,
     NULL},
};
#define COMMANDS (sizeof commands / sizeof *commands)

int command_fail(struct rc rc) {
    fprintf(stderr, "grantd: %s\n", *rc_detail() ? rc_detail() : rc_text(rc));
    return COMMAND_FAILED;
}

static int print(struct buf *text) {
    bool whole = fwrite(text->p, 1, text->n, stdout) == text->n && fflush(stdout) == 0;
    buf_free(text);
    return whole ? COMMAND_DONE : command_fail(rc_fail(FAULT_IO, "the output could not be written: %m"));
}

/* ---- help ---- */

static const char *const admin_nouns[][2] = {
    {"app", "Apps and their secrets: create, list, show, update, disable, enable, delete, secret."},
    {"account", "Accounts into which apps are installed."},
    {"user", "People who install apps."},
    {"scope", "What apps may ask for."},
    {"grant", "Which app may act where, for whom: list, show, revoke."},
    {"key", "The key ring."},
    {"reload", "Read the options file and the certificates again, as SIGHUP does."},
    {"backup", "Copy the store while the server goes on."},
};

static int show_help(void) {
    struct buf out = buf_growing(1 << 16);
    buf_add(&out, S("grantd is an OAuth 2.1 authorization server.\n\nusage: grantd COMMAND ...\n\n"));
    for (size_t i = 0; i < COMMANDS; i++) buf_printf(&out, "  %-14s %s\n", commands[i].name, commands[i].doc);
    for (size_t i = 0; i < sizeof admin_nouns / sizeof *admin_nouns; i++)
        if (cli_has(admin_nouns[i][0])) buf_printf(&out, "  %-14s %s\n", admin_nouns[i][0], admin_nouns[i][1]);
    buf_add(&out,
            S("  version        Print the version.\n\ngrantd COMMAND --help tells more. To try it: grantd dev\n"));
    return print(&out);
}

static void add_option_help(struct buf *out, const struct option_row *row) {
    static const char *const values[] = {" TEXT", " ITEM", "", " N", " TIME"};
    char left[64], text[512];
    int n = snprintf(left, sizeof left, "%s%s", row->flag, values[row->type]);
    int m = snprintf(text, sizeof text, *row->def ? "%s [%s]" : "%s", row->doc, row->def);
    help_add_row(out, (str){left, (size_t)n}, str_head((str){text, (size_t)m}, sizeof text - 1));
}

static bool takes(const struct command *c, const struct option_row *row) {
    const char *const *name = c->takes;
    while (name && *name && !str_eq(str_of(*name), str_of(row->name))) name++;
    return !name || *name;
}

static int show_command_help(const struct command *c) {
    struct buf out = buf_growing(1 << 16);
    buf_printf(&out, "%s\n\nusage: grantd %s %s\n\n", c->doc, c->name, c->usage);
    for (size_t i = 0; i < COMMAND_FLAGS_MAX && c->flags[i].flag; i++) {
        char left[64];
        const char *value = c->flags[i].value;
        snprintf(left, sizeof left, "%s%s%s", c->flags[i].flag, value ? " " : "", value ? value : "");
        help_add_row(&out, str_of(left), str_of(c->flags[i].doc));
    }
    for (size_t i = 0; i < option_count; i++)
        if (takes(c, &option_rows[i])) add_option_help(&out, &option_rows[i]);
    buf_add(
        &out,
        S("\nEvery option can stand in an options file (--config) and in the environment (GRANTD_NAME) as well.\n"));
    return print(&out);
}

/* ---- a command line ---- */

static int wrong_usage(const char *command, str problem, const char *best) {
    fprintf(stderr, "grantd: %.*s", STR_ARG(problem));
    if (best) fprintf(stderr, "; did you mean %s?", best);
    fprintf(stderr, "; see: grantd %s%s--help\n", command, *command ? " " : "");
    return COMMAND_USAGE;
}

static int unknown_flag(const struct command *c, const char *arg, struct arena *arena) {
    struct suggestion s = suggest_for(str_head(str_of(arg), str_find(str_of(arg), '=')));
    for (size_t i = 0; i < COMMAND_FLAGS_MAX && c->flags[i].flag; i++) suggest_add(&s, c->flags[i].flag);
    for (size_t i = 0; i < option_count; i++)
        if (takes(c, &option_rows[i])) suggest_add(&s, option_rows[i].flag);
    const char *kind = arg[0] == '-' ? "there is no option" : "there is too much:";
    return wrong_usage(c->name, arena_printf(arena, "%s %.80s", kind, arg), s.best);
}

/* Takes --flag, --flag VALUE or --flag=VALUE at argv[*a]. */
static int read_flag(const struct command *c, int argc, char **argv, int *a, struct command_line *line) {
    str value = str_of(argv[*a]);
    str name = str_take(&value, '=');
    bool joined = name.n < strlen(argv[*a]);
    size_t i = 0;
    while (i < COMMAND_FLAGS_MAX && c->flags[i].flag && !str_eq(name, str_of(c->flags[i].flag))) i++;
    if (i == COMMAND_FLAGS_MAX || !c->flags[i].flag || (joined && !c->flags[i].value))
        return unknown_flag(c, argv[*a], line->arena);
    line->given[i] = true;
    if (!c->flags[i].value) return COMMAND_DONE;
    if (!joined && *a + 1 >= argc)
        return wrong_usage(c->name, arena_printf(line->arena, "%s needs a value", c->flags[i].flag), NULL);
    line->value[i] = joined ? value : str_of(argv[++*a]);
    return COMMAND_DONE;
}

/* The flags of the command itself; options_load has left them in argv. */
static int read_flags(const struct command *c, int argc, char **argv, struct command_line *line) {
    int status = COMMAND_DONE;
    for (int a = 0; a < argc && status == COMMAND_DONE; a++) status = read_flag(c, argc, argv, &a, line);
    return status;
}

static bool wants_help(int argc, char **argv) {
    for (int i = 0; i < argc; i++)
        if (str_eq(str_of(argv[i]), S("--help")) || str_eq(str_of(argv[i]), S("-h"))) return true;
    return false;
}

static int read_and_run(const struct command *c, int argc, char **argv, struct command_line *line) {
    enum log_level level;
    struct option_words words = {.n = argc, .words = argv, .only = c->takes};
    line->source = (struct options_source){.words = words, .environment = environ};
    struct rc rc = options_load(&line->options, &words, environ, line->arena);
    if (!rc_ok(rc) && words.wrong) return wrong_usage(c->name, str_of(rc_detail()), NULL);
    if (!rc_ok(rc)) return command_fail(rc);
    int status = read_flags(c, words.n, words.words, line);
    if (status != COMMAND_DONE) return status;
    if (log_level_parse(line->options.log_level, &level)) log_set_level(level);
    clock_stand_at(line->options.clock_at_s * 1000);
    return c->run(line);
}

static int run_command(const struct command *c, int argc, char **argv) {
    if (wants_help(argc, argv)) return show_command_help(c);
    struct command_line line = {.arena = arena_new(4096)};
    int status = read_and_run(c, argc, argv, &line);
    arena_free(line.arena);
    return status;
}

/* ---- dispatch ---- */

static int show_version(void) {
    struct buf out = buf_growing(128);
    buf_printf(&out, "grantd %s\n", GRANTD_VERSION);
    return print(&out);
}

/* Hidden: docs/configuration.md is what this prints. */
static int show_options_page(void) {
    struct buf out = buf_growing(1 << 20);
    options_write_page(&out);
    return print(&out);
}

static int unknown_command(const char *word) {
    struct suggestion s = suggest_for(str_of(word));
    for (size_t i = 0; i < COMMANDS; i++) suggest_add(&s, commands[i].name);
    for (size_t i = 0; i < sizeof admin_nouns / sizeof *admin_nouns; i++) suggest_add(&s, admin_nouns[i][0]);
    suggest_add(&s, "version");
    char problem[128];
    snprintf(problem, sizeof problem, "there is no command %.80s", word);
    return wrong_usage("", str_of(problem), s.best);
}

static bool is_word(const char *word, const char *name, const char *flag) {
    return str_eq(str_of(word), str_of(name)) || str_eq(str_of(word), str_of(flag));
}

/* How many words at argv are the name of a command; 0: it is another one. */
static int words_of(const struct command *c, int argc, char **argv) {
    str name = str_of(c->name);
    int n = 0;
    for (; name.n; n++)
        if (n == argc || !str_eq(str_of(argv[n]), str_take(&name, ' '))) return 0;
    return n;
}

int main(int argc, char **argv) {
    if (!crypto_start()) return command_fail(rc_fail(FAULT_CRYPTO, "the crypto libraries do not start"));
    if (argc < 2) return wrong_usage("", S("say which command"), NULL);
    const char *word = argv[1];
    if (is_word(word, "version", "--version") && argc == 2) return show_version();
    if (is_word(word, "help", "--help") || is_word(word, "-h", "-h")) return show_help();
    if (argc == 3 && is_word(word, "docs", "docs") && is_word(argv[2], "options", "options"))
        return show_options_page();
    for (size_t i = 0; i < COMMANDS; i++) {
        int n = words_of(&commands[i], argc - 1, argv + 1);
        if (n) return run_command(&commands[i], argc - 1 - n, argv + 1 + n);
    }
    if (cli_has(word)) return cli_main(argc, argv);
    return unknown_command(word);
}
