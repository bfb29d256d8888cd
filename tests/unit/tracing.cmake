# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
foreach(name otlp pair_list sampler)
    specify(unit ${name} seek_tracing)
endforeach()
can_fail_allocations(otlp_test uuid_v4)
