/* bench_sql: the statements that run while the server serves, a line each: name, text, the text for many (tabs between). */
#include <stdio.h>

#include "store.h"

int main(void) {
    for (size_t i = 0; i < store_sql_count; i++)
        printf("%s\t%s\t%s\n", store_sql[i].name, store_sql[i].text, store_sql[i].many ? store_sql[i].many : "");
    return 0;
}
