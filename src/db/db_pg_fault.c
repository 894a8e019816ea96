/* What the server says, as faults. */
#include "db_pg.h"

/* A prefix of an SQLSTATE and what it means; the first row that fits counts. */
static const struct {
    const char *prefix;
    enum fault fault;
    bool ends; /* the connection is of no more use */
} states[] = {
    {"25006", FAULT_DB_READONLY, true}, /* a standby, or a primary that was taken back */
    {"26000", FAULT_DB_IO, true},       /* our prepared statements are gone: a pooler gave us another connection */
    {"42P05", FAULT_DB_IO, true},       /* they are somebody else's: the same */
    {"0A000", FAULT_DB_SCHEMA, true},   /* a plan of before a migration */
    {"08", FAULT_DB_IO, true},          /* connection */
    {"57P", FAULT_DB_IO, true},         /* the server shuts down or starts */
    {"57014", FAULT_DB_BUSY, false},    /* statement_timeout */
    {"40", FAULT_DB_BUSY, false},       /* deadlock, serialization */
    {"55P03", FAULT_DB_BUSY, false},    /* a lock was not to be had */
    {"53100", FAULT_DB_FULL, false},    {"53", FAULT_DB_BUSY, false},   /* memory, connections */
    {"22", FAULT_DB_CONSTRAINT, false},                                 /* a value */
    {"23", FAULT_DB_CONSTRAINT, false}, {"42501", FAULT_CONFIG, false}, /* privileges */
    {"42", FAULT_DB_SCHEMA, false},     {"3D", FAULT_CONFIG, true},     /* no such database */
    {"28", FAULT_CONFIG, true},                                         /* the password */
    {"58", FAULT_DB_IO, false},                                         /* the server's own files */
    {"XX001", FAULT_DB_CORRUPT, false}, {"XX002", FAULT_DB_CORRUPT, false}, {"", FAULT_DB_IO, false},
};

static size_t find_state(const PGresult *result) {
    str state = str_of(result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL);
    size_t i = 0;
    while (!str_starts_with(state, str_of(states[i].prefix))) i++;
    return i;
}

/* The first line of a message: what follows quotes the statement. */
static str first_line(const char *text) {
    str s = str_of(text);
    return str_trim(str_head(s, str_find(s, '\n')));
}

struct rc pg_fault(const PGconn *pg, const PGresult *result, const char *what) {
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    str said = first_line(primary ? primary : PQerrorMessage(pg));
    if (!said.n) said = S("the connection to the database broke");
    return rc_fail(states[find_state(result)].fault, "%s: %.*s", what, STR_ARG(said));
}

bool pg_ends_connection(const PGresult *result) { return states[find_state(result)].ends; }
