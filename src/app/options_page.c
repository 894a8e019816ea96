/* docs/configuration.md is written from the table of options; a test compares. */
#include "options.h"

static const char *const type_names[] = {"text", "list", "true or false", "number", "duration"};

static void write_environment_name(struct buf *out, const char *name) {
    buf_add(out, S("GRANTD_"));
    for (; *name; name++) buf_add_char(out, char_upper(*name));
}

static void write_row(struct buf *out, const struct option_row *row) {
    buf_printf(out, "### %s\n\n%s\n\n- flag: `%s%s`\n- environment: `", row->name, row->doc, row->flag,
               row->type == OPTION_BOOL ? "[=true|false]" : " VALUE");
    write_environment_name(out, row->name);
    buf_printf(out, "`\n- type: %s", type_names[row->type]);
    if (row->type == OPTION_INT || row->type == OPTION_DURATION_S)
        buf_printf(out, "%s, %lld to %lld", row->type == OPTION_DURATION_S ? " in seconds" : "", (long long)row->min,
                   (long long)row->max);
    buf_printf(out, "\n- default: %s%s%s\n- reload: %s\n\n", *row->def ? "`" : "", *row->def ? row->def : "none",
               *row->def ? "`" : "", row->reload & RESTART ? "no, a restart takes it" : "yes");
}

void options_write_page(struct buf *out) {
    buf_add(
        out,
        S("# Options\n\n"
          "<!-- Written by `grantd docs options` from src/app/options.def; do not edit. -->\n\n"
          "An option can stand in a file (`--config FILE`, section `[grantd]`), in the environment, and on the\n"
          "command line. The last of these three that names it wins. A list is begun anew by each of them; several\n"
          "items of a list are separated by commas, or the flag is given again. Durations are seconds, or take a "
          "unit:\n"
          "`90s`, `15m`, `24h`, `30d`. `grantd check-config` prints what is in effect.\n\n"
          "SIGHUP and `grantd reload` read the file again; environment and command line stay what they were. An option "
          "whose\n"
          "entry says `reload: yes` is taken at once. Any other keeps its value until the next start, and the log "
          "names it.\n"
          "When one value is bad nothing at all is taken. See operations.md.\n\n"
          "```ini\n[grantd]\ndata = /var/lib/grantd\nlisten = 127.0.0.1:8080\nissuer = "
          "https://login.example.com\n```\n\n"));
    for (size_t i = 0; i < option_count; i++) write_row(out, &option_rows[i]);
    out->n -= out->n && !buf_failed(out) ? 1 : 0; /* one newline at the end is enough */
}
