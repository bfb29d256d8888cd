#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# R's jsonlite keeps both of two equal keys, and `$` finds the first.
#
# Seen 2026-11-29, Debian 12: r-cran-jsonlite 1.8.4, R 4.2.2.
# A good guess: the last one counts, as in JavaScript, Python, PHP, Ruby, Go and most others.
# What happens: the list has two members of one name; `answer$code` is the first one. Written again, the second is
#   renamed to `code.1`.
# Why it matters: two readers of one answer see two values, without an error on either side. Whoever merges JSON by
#   gluing texts together (extra members behind a ready object) must not repeat a key.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages r-cran-jsonlite=1.8.4 r-base-core=4.2.2

text='{"code":"first","code":"last"}'
seen "jsonlite" "first" "$(Rscript -e "cat(jsonlite::fromJSON('$text')\$code)")"
seen "its members" "code code" "$(Rscript -e "cat(names(jsonlite::fromJSON('$text')))")"
seen "written again" '{"code":"first","code.1":"last"}' \
    "$(Rscript -e "cat(jsonlite::toJSON(jsonlite::fromJSON('$text'), auto_unbox = TRUE))")"
seen "Python" "last" "$(/usr/bin/python3 -c "import json; print(json.loads('$text')['code'])")"
finish
