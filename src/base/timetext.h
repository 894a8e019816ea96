/* Times as text. Times in the program are int64_t milliseconds since 1970 UTC, named *_ms; durations *_s or *_ms. */
#ifndef GRANTD_TIMETEXT_H
#define GRANTD_TIMETEXT_H

#include "str.h"

#define TIMETEXT_HTTP_BYTES 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" and NUL */
#define TIMETEXT_ISO_BYTES  25 /* "1994-11-06T08:49:37.123Z" and NUL */

/* IMF-fixdate, RFC 9110 s5.6.7. */
void timetext_http(int64_t time_s, char out[TIMETEXT_HTTP_BYTES]);

/* RFC 3339 with milliseconds, UTC. */
void timetext_iso(int64_t time_ms, char out[TIMETEXT_ISO_BYTES]);

/* "90", "15m", "24h", "30d", "90s" -> seconds; false on anything else or above max_s. */
bool timetext_duration_s(str s, int64_t max_s, int64_t *out_s);

#endif
