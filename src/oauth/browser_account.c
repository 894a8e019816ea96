/* Choosing the account: the browser goes on to the same request with the account in its path, or to a page of the accounts that were searched for. What
 * may be chosen is judged there. */
#include "browser.h"

struct account_params {
    str csrf, flow, hub_id, action, find;
};
static const struct param param_rows[] = {
    PARAM(struct account_params, csrf, 0, 0),   PARAM(struct account_params, flow, 0, 0),
    PARAM(struct account_params, hub_id, 0, 0), PARAM(struct account_params, action, 0, 0),
    PARAM(struct account_params, find, 0, 0),
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

static void go_on(struct oauth_call *c, const struct ticket *ticket, const struct account_params *p) {
    struct authorize_request request;
    uint64_t hub_id = 0;
    if (!ticket_request(c, ticket, &request)) return;
    if (str_eq(p->action, S("cancel"))) return oauth_refuse(c, REFUSAL_ACCESS_DENIED);
    if (str_eq(p->action, S("find")))
        return answer_see_other(c, authorize_request_accounts_url(c, &request, p->find, 0));
    if (str_eq(p->action, S("switch_user"))) {
        request.prompts |= PROMPT_LOGIN;
        return answer_see_other(c, authorize_request_url(c, &request, ~0U, ticket->hub_id));
    }
    if (!str_to_u64(p->hub_id, ID_MAX, &hub_id) || hub_id == 0) {
        (void)browser_refuse_form(c);
        return;
    }
    answer_see_other(
        c, authorize_request_url(c, &request, ~(unsigned)(PROMPT_LOGIN | PROMPT_SELECT_ACCOUNT), (int32_t)hub_id));
}

static void start(struct oauth_call *c) {
    struct account_params params = {0};
    struct browser browser;
    struct ticket ticket;
    c->form = FORM_PAGE;
    if (!params_read(c, &params_table, &params)) return;
    browser_read(c, (str){NULL, 0}, &browser);
    if (ticket_open(c, &browser, TICKET_ACCOUNT, (struct sealed_form){params.csrf, params.flow}, &ticket))
        go_on(c, &ticket, &params);
}

const struct endpoint endpoint_choose_account = {"choose_account", start, NULL, NULL, NULL};
