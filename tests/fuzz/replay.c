/* Runs a fuzz target over its seeds without a fuzzer, so that every ordinary test run does: each seed whole, each beginning of it, and each
 * with one byte changed. The input is a heap copy of exactly its size: a sanitizer sees one byte too many. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX       65536
#define VARIED_AT_MOST 4096 /* of longer seeds only the beginning is varied */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_copy(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) abort();
    if (size) memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_variants(uint8_t *data, size_t size) {
    run_copy(data, size);
    for (size_t i = 0; i < size && i < VARIED_AT_MOST; i++) {
        static const uint8_t changes[] = {0x01, 0x20, 0x80, 0xff};
        run_copy(data, i);
        for (size_t c = 0; c < sizeof changes; c++) {
            data[i] ^= changes[c];
            run_copy(data, size);
            data[i] ^= changes[c];
        }
    }
}

static int run_file(const char *folder, const char *name) {
    static uint8_t data[SEED_MAX];
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = n > 0 && (size_t)n < sizeof path ? fopen(path, "rb") : NULL;
    if (!file) return 0;
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    run_variants(data, size);
    return 1;
}

int main(int argc, char **argv) {
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    int ran = 0;
    if (!folder) return fprintf(stderr, "usage: %s FOLDER_OF_SEEDS\n", argv[0]), 2;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (entry->d_name[0] != '.') ran += run_file(argv[1], entry->d_name);
    closedir(folder);
    printf("%d seeds\n", ran);
    return ran > 0 ? 0 : 1;
}
