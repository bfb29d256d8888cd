# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
foreach(name notification standing webhook)
    specify(unit ${name} seek_notification)
endforeach()
