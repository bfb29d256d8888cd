# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
specify(unit config seek_service)
specify(unit config_tracing seek_service)
specify(unit config_secret seek_service)
target_compile_definitions(config_test PRIVATE SOURCE_DIRECTORY="${CMAKE_SOURCE_DIR}")
specify(unit command_arguments seek_service)
specify(unit figures seek_service)
specify(unit overview seek_service)
