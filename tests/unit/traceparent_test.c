/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/event.h"

#include "tests/support/specification.h"

#define IDS "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

static void judges_each_part(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected; /* NULL: ignored */
    } cases[] = {
        {"00-" IDS "-01", "00-" IDS "-01"},
        {"00-" IDS "-00", "00-" IDS "-00"},
        {"00-" IDS "-02", "00-" IDS "-02"},
        /* Flags that nobody has defined. */
        {"00-" IDS "-ff", "00-" IDS "-03"},
        {"00-" IDS "-1c", "00-" IDS "-00"},
        {"00-00000000000000000000000000000001-0000000000000001-01",
         "00-00000000000000000000000000000001-0000000000000001-01"},
        /* An id of zeros alone. */
        {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", NULL},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", NULL},
        /* Later versions, as far as version 00 knows them; ff is forbidden. */
        {"01-" IDS "-01", "00-" IDS "-01"},
        {"cc-" IDS "-03-what-the-future-will-be-like", "00-" IDS "-03"},
        {"cc-" IDS "-f2-", "00-" IDS "-02"},
        {"cc-" IDS "-01.what", NULL},
        {"ff-" IDS "-01", NULL},
        /* Upper case, another letter, another separator. */
        {"00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", NULL},
        {"0G-" IDS "-01", NULL},
        {"00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", NULL},
        {"00_" IDS "-01", NULL},
        {"00-" IDS "-0 ", NULL},
        /* One byte less, one more. */
        {"00-" IDS "-0", NULL},
        {"01-" IDS "-0", NULL},
        {"00-" IDS "-011", NULL},
        {"00-" IDS "-01-", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[TRACEPARENT_BYTES + 1] = "as before";
        bool is_read = traceparent_read(cases[i].text, out);
        assert_int_equal(is_read, cases[i].expected != NULL);
        assert_string_equal(out, is_read ? cases[i].expected : "as before");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("takes a traceparent of W3C Trace Context as one of version 00", judges_each_part),
    };
    return cmocka_run_group_tests_name("traceparent", tests, NULL, NULL);
}
