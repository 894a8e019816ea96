/* Deadlines: one list per state, one timer per loop. A state has one time limit, so each list is in the order of its deadlines and only the
 * first ones matter. The timer is armed for a moment at which something may be due; it is not moved when that something is not
 * late after all. After a limit was shortened the first ones may hold back the next for the old limit. A loop without connections has no timer and no wake-ups. */
#include "loop.h"

static void note_earlier(int64_t *first_ms, int64_t at_ms) {
    if (!*first_ms || at_ms < *first_ms) *first_ms = at_ms;
}

static void on_timer(uv_timer_t *timer) {
    struct web_loop *loop = timer->data;
    int64_t now_ms = (int64_t)uv_now(&loop->uv);
    int64_t first_ms = 0;
    loop->armed_for_ms = 0;
    for (int state = 0; state < CONN_STATES; state++) {
        struct link *list = &loop->states[state];
        if (!loop->limit_ms[state]) continue;
        while (!list_is_empty(list) && ((struct conn *)list->next)->deadline_ms <= now_ms)
            conn_expire((struct conn *)list->next);
        if (list_is_empty(list)) continue;
        note_earlier(&first_ms, ((struct conn *)list->next)->deadline_ms);
    }
    for (int state = 0; state < STREAM_STATES; state++) {
        struct link *list = &loop->streams[state];
        while (!list_is_empty(list) && h2_deadline_ms(list->next) <= now_ms) h2_expire(list->next);
        if (!list_is_empty(list)) note_earlier(&first_ms, h2_deadline_ms(list->next));
    }
    if (first_ms) deadlines_arm(loop, first_ms);
    loop_flush(loop);
}

void deadlines_arm(struct web_loop *loop, int64_t at_ms) {
    if (loop->armed_for_ms && loop->armed_for_ms <= at_ms) return;
    int64_t now_ms = (int64_t)uv_now(&loop->uv);
    loop->armed_for_ms = at_ms;
    uv_timer_start(&loop->deadline_timer, on_timer, at_ms > now_ms ? (uint64_t)(at_ms - now_ms) : 0, 0);
}

void conn_enter(struct conn *c, enum conn_state state) {
    struct web_loop *loop = c->loop;
    struct link *list = &loop->states[state];
    c->link.prev->next = c->link.next;
    c->link.next->prev = c->link.prev;
    c->link.prev = list->prev;
    c->link.next = list;
    list->prev->next = &c->link;
    list->prev = &c->link;
    c->state = state;
    if (!loop->limit_ms[state]) return;
    c->deadline_ms = (int64_t)uv_now(&loop->uv) + loop->limit_ms[state];
    deadlines_arm(loop, c->deadline_ms);
}

void deadlines_set(struct web_loop *loop) {
    const struct web_options *o = &loop->options;
    loop->stream_limit_ms[STREAM_HEAD] = o->header_deadline_ms;
    loop->stream_limit_ms[STREAM_BODY] = o->body_deadline_ms;
    loop->stream_limit_ms[STREAM_ANSWERING] = o->answer_deadline_ms;
    loop->limit_ms[CONN_OPENING] = o->handshake_deadline_ms;
    loop->limit_ms[CONN_IDLE] = o->idle_deadline_ms;
    loop->limit_ms[CONN_HEAD] = o->header_deadline_ms;
    loop->limit_ms[CONN_BODY] = o->body_deadline_ms;
    loop->limit_ms[CONN_WRITING] = o->answer_deadline_ms;
    loop->limit_ms[CONN_PAUSED] = o->refused_pause_ms;
    loop->limit_ms[CONN_LINGER] = LINGER_MS;
}

void deadlines_open(struct web_loop *loop) {
    for (int state = 0; state < CONN_STATES; state++)
        loop->states[state] = (struct link){&loop->states[state], &loop->states[state]};
    for (int state = 0; state < STREAM_STATES; state++)
        loop->streams[state] = (struct link){&loop->streams[state], &loop->streams[state]};
    deadlines_set(loop);
    uv_timer_init(&loop->uv, &loop->deadline_timer);
    loop->deadline_timer.data = loop;
}
