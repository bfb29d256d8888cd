/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/uuid.h"

#include <stdbool.h>
#include <stddef.h>

void uuid_write(const unsigned char random[16], char text[UUID_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 16; i++) {
        unsigned byte = random[i];
        if (i == 6)
            byte = 0x40U | (byte & 0x0fU);
        else if (i == 8)
            byte = 0x80U | (byte & 0x3fU);
        bool is_group_start = i == 4 || i == 6 || i == 8 || i == 10;
        if (is_group_start)
            *text++ = '-';
        *text++ = digits[byte >> 4];
        *text++ = digits[byte & 0x0f];
    }
    *text = '\0';
}
