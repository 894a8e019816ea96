#include "store_sql.h"

const struct db_table store_tables[] = {
#define TABLE(name, key, columns) {#name, key, columns},
#include "tables.def"
#undef TABLE
};
const size_t store_table_count = sizeof store_tables / sizeof store_tables[0];
