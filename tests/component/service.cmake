# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
specify(component supervision seek_service)
target_sources(supervision_test PRIVATE support/captured_log.c)
