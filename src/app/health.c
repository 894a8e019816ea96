#include "health.h"

#include "clock.h"

static void answer(struct web_exchange *x, int status, str body) {
    struct web_response response = {
        .status = status,
        .content_type = S("application/json;charset=utf-8"),
        .body = body,
        .no_store = true,
    };
    web_respond(x, &response);
}

static bool store_reads(const struct health *health, struct arena *arena) {
    struct listing listing = {.kind = LISTING_VERSION};
    struct listed rows;
    return rc_ok(storage_list(health->instance->admin, &listing, arena, &rows));
}

static void answer_ready(struct web_exchange *x, const struct web_request *req, const struct health *health) {
    if (health->draining)
        answer(x, 503, S("{\"status\":\"draining\"}"));
    else if (!store_reads(health, req->arena))
        answer(x, 503, S("{\"status\":\"store unavailable\"}"));
    else
        answer(x, 200, S("{\"status\":\"ready\"}"));
}

static void answer_metrics(struct web_exchange *x, const struct web_request *req, const struct health *health) {
    struct metrics_source source = health->metrics;
    source.draining = health->draining;
    source.now_ms = clock_now_ms();
    struct web_response response = {
        .status = 200,
        .content_type = S(METRICS_CONTENT_TYPE),
        .body = metrics_page(&source, req->arena),
        .no_store = true,
    };
    web_respond(x, &response);
}

bool health_handle(struct web_exchange *x, const struct web_request *req, const struct health *health) {
    bool live = str_eq(req->head->path, S("/health/live")), ready = str_eq(req->head->path, S("/health/ready"));
    bool metrics = str_eq(req->head->path, S("/metrics"));
    if (!live && !ready && !metrics) return false;
    if (req->head->method != HTTP_GET && req->head->method != HTTP_HEAD)
        web_respond(x, &(struct web_response){
                           .status = 405, .headers = &(struct web_header){S("Allow"), S("GET, HEAD")}, .n_headers = 1});
    else if (live)
        answer(x, 200, S("{\"status\":\"live\"}"));
    else if (metrics)
        answer_metrics(x, req, health);
    else
        answer_ready(x, req, health);
    return true;
}
