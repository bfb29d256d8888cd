#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# cpack makes another .deb of the same files when it runs on another file system, also with SOURCE_DATE_EPOCH.
#
# Seen 2026-11-30, Debian 12: cmake 3.25.1; dpkg-dev 1.21.22 beside it. One folder on ext4, the other on tmpfs (/dev/shm).
# A good guess: Installed-Size says how much is installed. It depends on the files in the package, so a build that sets
#   SOURCE_DATE_EPOCH gives the same bytes wherever it runs.
# What happens: cpack adds up what stat says of each entry's size. A folder has 4,096 bytes on ext4 and some 60 on tmpfs,
#   so four folders and a file of 3,000 bytes are 19 KiB or 4 KiB. dpkg-gencontrol counts 1 KiB for each folder, and
#   says the same in both places.
# Why it matters: a reproducible build is compared by its bytes, and many containers and CI machines build on tmpfs or
#   overlays. Write Installed-Size yourself after cpack, by the rule of the Debian policy (5.6.20).
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages cmake=3.25.1 dpkg-dev=1.21.22 make=4.3

on_disk=$workshop
in_memory=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$in_memory"; leave' EXIT
for place in "$on_disk=ext2/ext3" "$in_memory=tmpfs"; do
    kind=$(stat -f -c %T "${place%=*}")
    if [ "$kind" != "${place#*=}" ]; then
        echo "This finding needs ext4 for temporary folders (TMPDIR) and tmpfs at /dev/shm; ${place%=*} is on $kind." >&2
        exit 1
    fi
done

umask 022
export SOURCE_DATE_EPOCH=1700000000
for place in "$on_disk" "$in_memory"; do
    mkdir -p "$place/source" "$place/by-dpkg/debian" "$place/by-dpkg/root/usr/share/sample/docs"
    head -c 3000 /dev/zero >"$place/source/data"
    touch -d "@$SOURCE_DATE_EPOCH" "$place/source/data"
    cat >"$place/source/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(sample VERSION 1.0 LANGUAGES NONE)
install(FILES data DESTINATION share/sample/docs)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "somebody@example.org")
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_PACKAGE_FILE_NAME sample)
include(CPack)
END
    cmake -S "$place/source" -B "$place/build" >>"$on_disk/cmake.log"
    (cd "$place/build" && cpack >>"$on_disk/cmake.log")

    cp "$place/source/data" "$place/by-dpkg/root/usr/share/sample/docs"
    cat >"$place/by-dpkg/debian/control" <<'END'
Source: sample
Section: misc
Maintainer: Somebody <somebody@example.org>

Package: sample
Architecture: all
Description: a file
END
    cat >"$place/by-dpkg/debian/changelog" <<'END'
sample (1.0) unstable; urgency=low

  * A file.

 -- Somebody <somebody@example.org>  Mon, 30 Nov 2026 00:00:00 +0000
END
    (cd "$place/by-dpkg" && dpkg-gencontrol -psample -Proot -Oout)
done

content() { dpkg-deb --fsys-tarfile "$1/build/sample.deb" | sha256sum; }
by_dpkg() { sed -n 's/^Installed-Size: //p' "$1/by-dpkg/out"; }
same() { [ "$1" = "$2" ] && echo same || echo different; }
seen "cpack on ext4, Installed-Size" 19 "$(dpkg-deb -f "$on_disk/build/sample.deb" Installed-Size)"
seen "cpack on tmpfs, Installed-Size" 4 "$(dpkg-deb -f "$in_memory/build/sample.deb" Installed-Size)"
seen "the files in them" same "$(same "$(content "$on_disk")" "$(content "$in_memory")")"
seen "the packages" different \
    "$(cmp -s "$on_disk/build/sample.deb" "$in_memory/build/sample.deb" && echo same || echo different)"
seen "dpkg-gencontrol on ext4" 8 "$(by_dpkg "$on_disk")"
seen "dpkg-gencontrol on tmpfs" 8 "$(by_dpkg "$in_memory")"
finish
