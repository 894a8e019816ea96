/* For tests of loops: a server in a thread of its own and socket clients. */
#ifndef GRANTD_LOOP_KIT_TEST_H
#define GRANTD_LOOP_KIT_TEST_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "rows_test.h"
#include "web.h"

#define HOST       "Host: a.example\r\n"
#define GET(path)  "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define PATIENCE_S 10
#define BIG_BYTES  (8u << 20)

struct kit_server {
    struct web_loop *loop;
    pthread_t thread;
    char name[128];
    pthread_mutex_t lock;
    struct web_exchange *held[64]; /* of /later, until someone lets them go; under lock */
    size_t n_held;
    char *big;
    atomic_int ticks, handled;
    sem_t gate; /* /gate waits for it, and the whole loop with it */
};
extern struct kit_server server;

#define SLOW_MS 25 /* longer than a round of the loop */

/* /gate and /slow keep the whole loop waiting, /later is held, /big answers BIG_BYTES, /inject tries to split headers, everything else answers "path|body|peer|is_unix|is_secure". */
void start(void);
void start_hasty(void);
void start_on(const struct web_options *options, const char *address);
/* `how` without handler and arg: they are the kit's. */
void start_as(const struct web_options *options, const char *address, struct web_listening how);
/* With deadlines that no test meets by being slow; the hasty ones are for tests of deadlines. */
struct web_options options_default(void);
struct web_options options_hasty(void);
void stop(void);
void stop_within(int64_t drain_ms);

/* In the loop's thread: answers everything that was held. It is what a wake-up does. */
void answer_held(void *arg);
void wait_for_held(size_t n);
void wait_for_connections(unsigned n);

void nap_ms(long ms);
int64_t clock_ms(void);

/* A connection; -1 when there is none to be had. */
int dial(void);
void say(int fd, const char *text);

/* Everything up to the end of the connection, or until `last` has come as the end of what is there (NULL: wait for the end). */
str hear(int fd, const char *last);
bool is_closed(int fd);

/* How often `what` stands in text. */
int count(str text, const char *what);

#define HEARD(fd, what) assert_non_null(strstr(hear(fd, NULL).p, what))

#endif
