/* The schema, in numbered steps. A step is never changed once it was released; the next one is added behind it. Type words and
 * what stands behind a table are those of db_dialect. */
#include "store.h"

#define NO_INDEX                                                                                                       \
    { NULL, NULL }
#define RECORD(version, readable_from)                                                                                 \
    "INSERT INTO schema_versions (version, readable_from) VALUES (" #version ", " #readable_from ");"

#define STEP_1                                                                                                         \
    "CREATE TABLE schema_versions (version BIGINT PRIMARY KEY) UNORDERED;"                                             \
    "CREATE TABLE meta (one INT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL) UNORDERED;"                      \
    "INSERT INTO meta (one, version) VALUES (1, 1);"                                                                   \
                                                                                                                       \
    "CREATE TABLE keys (number INT PRIMARY KEY CHECK (number BETWEEN 0 AND 255), created_ms BIGINT NOT NULL,"          \
    " sealed BYTES NOT NULL) UNORDERED;"                                                                               \
                                                                                                                       \
    "CREATE TABLE apps (app_id INT PRIMARY KEY CHECK (app_id BETWEEN 1 AND 2147483647),"                               \
    " client_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, developer TEXT NOT NULL, site_url TEXT NOT NULL,"            \
    " logo_url TEXT NOT NULL, flags BIGINT NOT NULL, grant_types BIGINT NOT NULL, redirect_uris TEXT NOT NULL,"        \
    " scopes BYTES NOT NULL, optional_scopes BYTES NOT NULL, code_ttl_s BIGINT NOT NULL,"                              \
    " access_ttl_s BIGINT NOT NULL, retry_window_s BIGINT NOT NULL, refresh_idle_s BIGINT NOT NULL,"                   \
    " refresh_absolute_s BIGINT NOT NULL, bound_hub_id INT NOT NULL, created_ms BIGINT NOT NULL,"                      \
    " updated_ms BIGINT NOT NULL) UNORDERED;"                                                                          \
    "CREATE TABLE app_secrets (secret_id INT PRIMARY KEY, app_id INT NOT NULL, key_number INT NOT NULL,"               \
    " hash BYTES NOT NULL, created_ms BIGINT NOT NULL, retired_ms BIGINT) UNORDERED;"                                  \
    "CREATE INDEX app_secrets_app ON app_secrets (app_id);"                                                            \
    "CREATE TABLE scopes (scope_id INT PRIMARY KEY CHECK (scope_id BETWEEN 1 AND 65535),"                              \
    " name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, hidden INT NOT NULL) UNORDERED;"                                 \
                                                                                                                       \
    "CREATE TABLE accounts (hub_id INT PRIMARY KEY CHECK (hub_id BETWEEN 1 AND 2147483647), domain TEXT NOT NULL,"     \
    " name TEXT NOT NULL, created_ms BIGINT NOT NULL, disabled_ms BIGINT NOT NULL) UNORDERED;"                         \
    "CREATE TABLE users (user_id INT PRIMARY KEY CHECK (user_id BETWEEN 1 AND 2147483647), email TEXT NOT NULL,"       \
    " email_key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password_hash TEXT NOT NULL, created_ms BIGINT NOT NULL,"    \
    " disabled_ms BIGINT NOT NULL) UNORDERED;"                                                                         \
    "CREATE TABLE members (user_id INT NOT NULL, hub_id INT NOT NULL, role INT NOT NULL,"                              \
    " PRIMARY KEY (user_id, hub_id)) KEY_ORDERED;"                                                                     \
    "CREATE INDEX members_account ON members (hub_id);"                                                                \
                                                                                                                       \
    "CREATE TABLE grants (id BYTES PRIMARY KEY NOT NULL, app_id INT NOT NULL, hub_id INT NOT NULL,"                    \
    " user_id INT NOT NULL, scopes BYTES NOT NULL, created_ms BIGINT NOT NULL, expires_ms BIGINT,"                     \
    " salt BYTES NOT NULL, generation BIGINT NOT NULL, rotated_ms BIGINT NOT NULL,"                                    \
    " access_not_before_ms BIGINT NOT NULL, revoked_ms BIGINT, last_used_day INT NOT NULL,"                            \
    " auth_time_ms BIGINT NOT NULL) KEY_ORDERED;"                                                                      \
    "CREATE INDEX grants_expiry ON grants (expires_ms) WHERE expires_ms IS NOT NULL;"                                  \
    "CREATE INDEX grants_account ON grants (hub_id, app_id);"                                                          \
    "CREATE INDEX grants_user ON grants (user_id);"                                                                    \
                                                                                                                       \
    "CREATE TABLE uninstalls (app_id INT NOT NULL, hub_id INT NOT NULL, uninstalled_ms BIGINT NOT NULL,"               \
    " PRIMARY KEY (app_id, hub_id)) KEY_ORDERED;"                                                                      \
    "CREATE INDEX uninstalls_time ON uninstalls (uninstalled_ms);"                                                     \
    "CREATE TABLE revoked_tokens (token_id BYTES PRIMARY KEY NOT NULL, expires_ms BIGINT NOT NULL) KEY_ORDERED;"       \
    "CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_ms);"                                               \
                                                                                                                       \
    "INSERT INTO schema_versions (version) VALUES (1);"

#define STEP_2                                                                                                         \
    "CREATE TABLE sessions (hash BYTES PRIMARY KEY NOT NULL, user_id INT NOT NULL, auth_time_ms BIGINT NOT NULL,"      \
    " created_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL) KEY_ORDERED;"                                            \
    "CREATE INDEX sessions_expiry ON sessions (expires_ms);"                                                           \
    "ALTER TABLE users ADD COLUMN sessions_not_before_ms BIGINT NOT NULL DEFAULT 0;"                                   \
    "INSERT INTO schema_versions (version) VALUES (2);"

#define STEP_3                                                                                                         \
    "ALTER TABLE keys ADD COLUMN used_ms BIGINT NOT NULL DEFAULT 0;"                                                   \
    "CREATE TABLE signing_keys (kid TEXT PRIMARY KEY NOT NULL, alg INT NOT NULL, created_ms BIGINT NOT NULL,"          \
    " used_ms BIGINT NOT NULL, sealed BYTES NOT NULL) UNORDERED;"                                                      \
    "CREATE INDEX signing_keys_use ON signing_keys (used_ms);"                                                         \
    "INSERT INTO schema_versions (version) VALUES (3);"

#define STEP_4                                                                                                         \
    "ALTER TABLE apps ADD COLUMN jwks TEXT NOT NULL DEFAULT '';"                                                       \
    "INSERT INTO schema_versions (version) VALUES (4);"

#define STEP_5                                                                                                         \
    "ALTER TABLE accounts ADD COLUMN without_scopes BYTES;"                                                            \
    "ALTER TABLE sessions ADD COLUMN hub_ids BYTES;"                                                                   \
    "INSERT INTO schema_versions (version) VALUES (5);"

#define STEP_6                                                                                                         \
    "CREATE TABLE resources (resource_id INT PRIMARY KEY CHECK (resource_id BETWEEN 1 AND 65535),"                     \
    " name TEXT NOT NULL, uris TEXT NOT NULL, flags BIGINT NOT NULL, token_format INT NOT NULL,"                       \
    " app_id INT NOT NULL, created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL) UNORDERED;"                         \
    "ALTER TABLE grants ADD COLUMN resources BYTES;"                                                                   \
    "ALTER TABLE apps ADD COLUMN jwks_uri TEXT NOT NULL DEFAULT '';"                                                   \
    "INSERT INTO schema_versions (version) VALUES (6);"

/* A step without a value there can be used by nobody who does not know it. */
#define STEP_7 "ALTER TABLE schema_versions ADD COLUMN readable_from BIGINT;" RECORD(7, 6)

#define STEP_8                                                                                                         \
    "ALTER TABLE apps ADD COLUMN post_logout_redirect_uris TEXT NOT NULL DEFAULT '';"                                  \
    "ALTER TABLE users ADD COLUMN email_verified INT NOT NULL DEFAULT 0;"                                              \
    "ALTER TABLE users ADD COLUMN updated_ms BIGINT NOT NULL DEFAULT 0;" RECORD(8, 6)

/* Programs that do not know the column would take a bound token from anybody. */
#define STEP_9                                                                                                         \
    "ALTER TABLE apps ADD COLUMN tls_auth TEXT NOT NULL DEFAULT '';"                                                   \
    "ALTER TABLE grants ADD COLUMN certificate BYTES;" RECORD(9, 9)

const struct store_migration store_migrations[] = {
    {1, "the first schema", STEP_1, 1, NO_INDEX},
    {2, "sessions of people", STEP_2, 1, NO_INDEX},
    {3, "keys that sign, and from when on a key is used", STEP_3, 2, NO_INDEX},
    {4, "the public keys of apps", STEP_4, 3, NO_INDEX},
    {5, "scopes that an account lacks, and the accounts that a sign-in is for", STEP_5, 5, NO_INDEX},
    {6, "resources that tokens are for, and where apps publish their keys", STEP_6, 6, NO_INDEX},
    {7, "which programs may go on behind a step", STEP_7, 6, NO_INDEX},
    {8, "what OpenID Connect needs of apps and people", STEP_8, 6, NO_INDEX},
    {9, "certificates by which apps are known, and that grants are bound to", STEP_9, 9, NO_INDEX},
};
const size_t store_migration_count = sizeof store_migrations / sizeof store_migrations[0];
