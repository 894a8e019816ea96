/* grantd dev */
#include "command.h"
#include "dev.h"
#include "log.h"

#include <unistd.h>

enum { FLAG_JSON, FLAG_NO_AUTO_APPROVE };

static const char *temp_dir(void) {
    for (char *const *entry = environ; entry && *entry; entry++) {
        str value = str_of(*entry);
        if (str_eq(str_take(&value, '='), S("TMPDIR")) && value.n) return value.p;
    }
    return "/tmp";
}

int cmd_dev(struct command_line *line) {
    struct dev_request request = {line->given[FLAG_JSON], line->given[FLAG_NO_AUTO_APPROVE], temp_dir(), line->source};
    struct rc rc = dev_run(&line->options, &request);
    return rc_ok(rc) ? COMMAND_DONE : command_fail(rc);
}
