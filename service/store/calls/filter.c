/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/filter.h"

#include "service/store/script_call.h"

void filter_add_time(struct script_call *call, int64_t time_ms)
{
    if (time_ms > 0)
        script_call_add_number(call, time_ms);
    else
        script_call_add_text(call, NULL);
}

void filter_add_beginnings(struct script_call *call, const struct store_filter *filter)
{
    script_call_add_text(call, filter->message);
    script_call_add_text(call, filter->id_prefix);
}

int64_t filter_latest_death_ms(const struct store_filter *filter, int64_t known_ms)
{
    return known_ms < 0 && filter->until_ms > 0 ? filter->until_ms - 1 : known_ms;
}
