# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Run by cpack when it has made its packages (CPACK_POST_BUILD_SCRIPTS). It counts a folder by what the file system says of it,
# 4,096 bytes on ext4 and 60 on tmpfs, so that the same files give another Installed-Size, and other bytes, elsewhere. Here each is
# made again with the size that the Debian policy (5.6.20) and dpkg-gencontrol count: files in whole KiB, and one for all else.
foreach(deb IN LISTS CPACK_PACKAGE_FILES)
    set(content ${deb}.content)
    execute_process(COMMAND dpkg-deb --raw-extract ${deb} ${content} COMMAND_ERROR_IS_FATAL ANY)
    file(GLOB_RECURSE entries LIST_DIRECTORIES true ${content}/*)
    list(FILTER entries EXCLUDE REGEX "^${content}/DEBIAN(/|$)")
    set(kib 0)
    foreach(entry IN LISTS entries)
        set(size 1)
        if(NOT IS_SYMLINK ${entry} AND NOT IS_DIRECTORY ${entry})
            file(SIZE ${entry} bytes)
            math(EXPR size "(${bytes} + 1023) / 1024")
        endif()
        math(EXPR kib "${kib} + ${size}")
    endforeach()
    file(READ ${content}/DEBIAN/control control)
    string(REGEX REPLACE "Installed-Size: [0-9]+" "Installed-Size: ${kib}" control "${control}")
    file(WRITE ${content}/DEBIAN/control "${control}")
    execute_process(COMMAND dpkg-deb --root-owner-group -Zxz --threads-max=1 --build ${content} ${deb} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    file(REMOVE_RECURSE ${content})
endforeach()
