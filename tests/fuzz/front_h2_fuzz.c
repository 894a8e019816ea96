/* HTTP/2 by prior knowledge as it comes from the socket, with the preface or without. What comes back is whole frames, SETTINGS first, and never
 * an answer for a stream that was not asked on. */
#include "front_kit.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAME_HEAD   9
#define FRAME_MAX    16384
#define KIND_HEADERS 1
#define KIND_RESET   3
#define KIND_SETTING 4

static uint32_t number(str s, size_t at, size_t n) {
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++) v = v << 8 | (uint8_t)s.p[at + i];
    return v;
}

/* The last frame may be cut: the connection can end before everything was taken. */
static void check_frames(str heard) {
    for (size_t k = 0; heard.n >= FRAME_HEAD; k++) {
        size_t n = number(heard, 0, 3);
        uint32_t kind = number(heard, 3, 1), stream = number(heard, 5, 4);
        front_must(n <= FRAME_MAX && stream < 1u << 31);
        front_must(k > 0 || (kind == KIND_SETTING && stream == 0));
        front_must(stream % 2 == 1 || stream == 0 || kind == KIND_RESET);
        front_must(kind != KIND_HEADERS || stream != 0);
        heard = str_from(heard, FRAME_HEAD + n < heard.n ? FRAME_HEAD + n : heard.n);
    }
}

static void converse(const struct front_listener *how, const struct front_input *input, bool cut) {
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    str heard = front_converse(how, input->bytes, input->cuts, cut ? input->n_cuts : 0);
    if (str_starts_with(input->bytes, str_of(preface))) check_frames(heard);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct front_listener at_once = {.http2 = true}, later = {.http2 = true, .later = true};
    struct front_input input = front_read_input(data, size);
    converse(&at_once, &input, false);
    converse(&at_once, &input, true);
    converse(&later, &input, true);
    return 0;
}
