#include "page_asset.h"

#include "page_url.h"

const struct page_header page_headers[] = {
#define HEADER(name, value)                                                                                            \
    {                                                                                                                  \
        {(name), sizeof(name) - 1}, { (value), sizeof(value) - 1 }                                                     \
    }
    HEADER("X-Content-Type-Options", "nosniff"),
    HEADER("X-Frame-Options", "DENY"),        /* for browsers without frame-ancestors */
    HEADER("Referrer-Policy", "no-referrer"), /* addresses of these pages hold states and codes */
    HEADER("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
#undef HEADER
};
const size_t page_header_count = sizeof(page_headers) / sizeof(page_headers[0]);

/* One character of a host source or scheme source (CSP3 s2.3.1) that cannot end the directive. */
static bool is_source_text(str s) {
    for (size_t i = 0; i < s.n; i++)
        if (!str_is_all(str_head(str_from(s, i), 1), 'U') && !strchr(":+[]", s.p[i])) return false;
    return s.n > 0;
}

void page_policy_write(struct buf *out, str redirect_uri) {
    buf_add(
        out,
        S("default-src 'none'; style-src 'self'; img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'; "
          "form-action 'self'"));
    str host = page_url_host(redirect_uri);
    if (!is_source_text(host)) return;
    enum page_target target = page_url_target(redirect_uri);
    buf_add_char(out, ' ');
    if (target == PAGE_TARGET_APP) {
        buf_add(out, host);
        buf_add_char(out, ':');
        return;
    }
    buf_add(out, str_starts_with_nocase(redirect_uri, S("https:")) ? S("https://") : S("http://"));
    buf_add(out, host);
}
