#include "page_asset.h"

#include <math.h>

#include "b64.h"
#include "digest.h"

/* A scheme's surfaces as style.css has them (page_asset_test.c compares), and where text colours move to gain contrast. */
struct scheme {
    uint32_t card, ground, towards, tint; /* tint: per cent of accent in --accent-soft */
};
static const struct scheme light = {0xFFFFFF, 0xF4F5F7, 0x000000, 10};
static const struct scheme dark = {0x191C23, 0x0F1116, 0xFFFFFF, 20};

#define TEXT_CONTRAST 4.5
#define EDGE_CONTRAST 3.0

static double channel_light(uint32_t value) {
    double c = value / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t c) {
    return 0.2126 * channel_light(c >> 16 & 255) + 0.7152 * channel_light(c >> 8 & 255) +
           0.0722 * channel_light(c & 255);
}

double page_colour_contrast(uint32_t a, uint32_t b) {
    double one = luminance(a), other = luminance(b);
    return (fmax(one, other) + 0.05) / (fmin(one, other) + 0.05);
}

/* share/100 of `b` in `a`. */
static uint32_t mix(uint32_t a, uint32_t b, uint32_t share) {
    uint32_t out = 0;
    for (unsigned shift = 0; shift <= 16; shift += 8) {
        uint32_t x = a >> shift & 255, y = b >> shift & 255;
        out |= (x * (100 - share) + y * share + 50) / 100 << shift;
    }
    return out;
}

/* The colour nearest to c, on its way to black or white, that has `ratio` against all of the surfaces. */
static uint32_t readable(uint32_t c, uint32_t towards, const uint32_t *surfaces, size_t n, double ratio) {
    for (uint32_t share = 0; share < 100; share++) {
        uint32_t tried = mix(c, towards, share);
        size_t good = 0;
        while (good < n && page_colour_contrast(tried, surfaces[good]) >= ratio) good++;
        if (good == n) return tried;
    }
    return towards;
}

static bool colour_read(str s, uint32_t *out) {
    uint8_t b[3];
    if (s.n == 7 && s.p[0] == '#' && hex_decode(str_from(s, 1), b, 3)) {
        *out = (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
        return true;
    }
    if (s.n != 4 || s.p[0] != '#') return false;
    char wide[7] = {'#', s.p[1], s.p[1], s.p[2], s.p[2], s.p[3], s.p[3]};
    return colour_read((str){wide, 7}, out);
}

/* A brand that is black on white is white on black: lightened black would look like a disabled button. */
static uint32_t accent_in(const struct scheme *s, uint32_t accent) {
    uint32_t r = accent >> 16 & 255, g = accent >> 8 & 255, b = accent & 255;
    uint32_t least = r < g ? (r < b ? r : b) : (g < b ? g : b), most = r > g ? (r > b ? r : b) : (g > b ? g : b);
    return s == &dark && most < 64 && most - least < 24 ? 0xECEEF3 : accent;
}

static void scheme_write(struct buf *out, uint32_t brand, const struct scheme *s) {
    uint32_t accent = accent_in(s, brand);
    uint32_t surfaces[] = {s->card, s->ground, mix(s->card, accent, s->tint)};
    /* A fill that would vanish on a dark card is lightened; on a light one its edge shows it. */
    uint32_t fill = s == &dark ? readable(accent, s->towards, surfaces, 1, EDGE_CONTRAST) : accent;
    bool white = page_colour_contrast(fill, 0xFFFFFF) >= TEXT_CONTRAST;
    uint32_t on = white ? 0xFFFFFF : 0x000000; /* one of the two always has 4.58 or more */
    buf_printf(out, ":root{--accent:#%06x;--accent-on:#%06x;--accent-hover:#%06x;", fill, on,
               mix(fill, on ^ 0xFFFFFF, 14));
    buf_printf(out, "--accent-edge:#%06x;--accent-ink:#%06x;--accent-soft:#%06x}",
               readable(fill, s->towards, surfaces, 2, EDGE_CONTRAST),
               readable(accent, s->towards, surfaces, 3, TEXT_CONTRAST), surfaces[2]);
}

bool page_accent_make(str colour, struct arena *arena, struct page_asset *out) {
    uint32_t accent;
    if (!colour_read(colour, &accent)) return false;
    char *text = arena_alloc(arena, 1024);
    struct buf css = buf_on(text, 1024);
    scheme_write(&css, accent, &light);
    buf_add(&css, S("@media (prefers-color-scheme:dark){"));
    scheme_write(&css, accent, &dark);
    buf_add(&css, S("}"));

    uint8_t hash[SHA256_BYTES];
    char hex[16];
    digest_sha256(buf_str(&css), hash);
    hex_encode(hash, sizeof(hex) / 2, hex);
    *out = (struct page_asset){
        .path = arena_printf(arena, "/oauth/assets/accent.%.16s.css", hex),
        .content_type = page_style.content_type,
        .etag = arena_printf(arena, "\"%.16s\"", hex),
        .body = buf_str(&css),
    };
    return true;
}
