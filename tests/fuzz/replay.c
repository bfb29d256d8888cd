/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over the files of the directory named on the command line: the committed
 * corpus, with any compiler. Exit status 1 when there is nothing to replay.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz_target.h"

enum { INPUT_BYTES_MAX = 1 << 20 };

/* The input is given in an allocation of its size, so that ASan sees a read past its end. */
static int run_file(const char *path)
{
    static uint8_t content[INPUT_BYTES_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    size_t size = fread(content, 1, sizeof content, file);
    (void)fclose(file);
    uint8_t *input = malloc(size > 0 ? size : 1);
    if (input == NULL)
        return -1;
    memcpy(input, content, size);
    (void)LLVMFuzzerTestOneInput(input, size);
    free(input);
    return 0;
}

static int run_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        perror(path);
        return -1;
    }
    int count = 0;
    const struct dirent *entry;
    while (count >= 0 && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        char file[PATH_MAX];
        (void)snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        count = run_file(file) == 0 ? count + 1 : -1;
    }
    (void)closedir(directory);
    return count;
}

int main(int argument_count, char *arguments[])
{
    int count = argument_count == 2 ? run_directory(arguments[1]) : 0;
    (void)printf("%d inputs replayed\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
