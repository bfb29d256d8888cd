#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# mallinfo2 counts freed pieces that a thread keeps for itself as memory in use.
#
# Seen 2026-11-29, Debian 12: glibc 2.36.
# A good guess: `uordblks` is what was allocated and not freed, so that it is the same before and after a function that
#   frees all it took, and a test can find a leak with it.
# What happens: of each size up to about 1 KiB seven freed pieces stay in the thread's cache, and count as in use. With
#   glibc.malloc.tcache_count=0 the figure is what the guess says.
# Why it matters: a test for leaks by mallinfo2 reports some ten KiB that nobody holds, or is given a slack in which a
#   small leak hides. Run it with that tunable.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages libc6-dev=2.36 gcc=4:12

cat >freed.c <<'C'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    static void *pieces[60][7];
    setvbuf(stdout, NULL, _IONBF, 0);
    size_t before = mallinfo2().uordblks;
    for (int size = 0; size < 60; size++)
        for (int i = 0; i < 7; i++)
            pieces[size][i] = malloc(16 * (size_t)(size + 1));
    for (int size = 0; size < 60; size++)
        for (int i = 0; i < 7; i++)
            free(pieces[size][i]);
    printf("%s\n", mallinfo2().uordblks - before > 100000 ? "over 100 KB in use" : "nothing in use");
    return 0;
}
C
gcc -O0 -o freed freed.c
seen "after everything was freed" "over 100 KB in use" "$(./freed)"
seen "without the thread's cache" "nothing in use" "$(GLIBC_TUNABLES=glibc.malloc.tcache_count=0 ./freed)"
finish
