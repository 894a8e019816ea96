/* info: what is said of a live token, by introspection (RFC 7662 s2.2 and HubSpot's members) and by the v1 paths. */
#ifndef GRANTD_INFO_H
#define GRANTD_INFO_H

#include "liveness.h"

enum info_style { INFO_V3, INFO_V1 };

/* Writes the answer for a token that shown_is_live said yes to. */
void info_answer(struct oauth_call *c, const struct shown *shown, enum info_style style);

#endif
