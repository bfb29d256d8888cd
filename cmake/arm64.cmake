# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Toolchain of the preset arm64: builds for arm64 on a Debian of another architecture, with its packages of both
# (cmake/install-packages arm64), and runs what it has built with qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
# Archives of LTO objects have no index without the compiler's plugin.
find_program(CMAKE_AR aarch64-linux-gnu-gcc-ar REQUIRED)
find_program(CMAKE_RANLIB aarch64-linux-gnu-gcc-ranlib REQUIRED)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
set(SEEK_SIGNAL_DEBIAN_ARCHITECTURE arm64)
