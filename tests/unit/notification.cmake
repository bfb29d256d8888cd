# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
foreach(name notification standing tellings webhook)
    specify(unit ${name} seek_notification)
endforeach()
