#include "systemd_load.h"

#include "library.h"
#include "str.h"

#include <unistd.h>

static struct systemd_library functions;
static bool loaded;

static bool is_for_us(str variable) {
    static const char *const beginnings[] = {"LISTEN_FDS=", "NOTIFY_SOCKET=", "WATCHDOG_USEC="};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (str_starts_with(variable, str_of(beginnings[i]))) return true;
    return false;
}

static bool is_wanted(void) {
    for (char *const *entry = environ; entry && *entry; entry++)
        if (is_for_us(str_of(*entry))) return true;
    return false;
}

RC systemd_load(void) {
    struct library libsystemd = {.name = "libsystemd", .file = "libsystemd.so.0", .package = "libsystemd0"};
    if (loaded || !is_wanted()) return RC_OK;
    TRY(library_open(&libsystemd));
#define F(name) library_find(&libsystemd, "sd_" #name, &functions.name);
    SYSTEMD_FUNCTIONS(F)
#undef F
    TRY(library_check(&libsystemd));
    loaded = true;
    return RC_OK;
}

const struct systemd_library *systemd_loaded(void) { return loaded ? &functions : NULL; }
