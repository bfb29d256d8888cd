# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# After outbound.cmake, whose peers this uses.
specify(component tracer seek_tracing fake_http)
target_sources(tracer_test PRIVATE support/captured_log.c)
