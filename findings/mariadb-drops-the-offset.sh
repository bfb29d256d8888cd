#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# MariaDB takes no time of RFC 3339 into a DATETIME, not even one in UTC, and drops the offset where it compares.
#
# Seen 2026-11-30, Debian 12: mariadb-server 10.11.19, its default sql_mode (STRICT_TRANS_TABLES and three more), UTC.
# A good guess: a DATETIME takes '2026-11-30T10:00:00Z', since it is in UTC. Another offset is converted or refused, and no
#   statement leaves it out silently.
# What happens: INSERT refuses both "Z" and "+11:00". SELECT leaves both out: 10:00 in a column is equal to
#   '2026-11-30T10:00:00+11:00', and is not equal to the same moment in another offset. CAST does the same. There is a
#   warning for those who ask for it.
# Why it matters: the times in a sidecar's answers end in Z, and an ATS cannot store them as they are. A job that selects
#   what was completed since such a time takes too much or too little. Convert to UTC, and cut off the Z.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages mariadb-server=1:10.11 mariadb-client=1:10.11

mariadb-install-db --no-defaults --datadir="$PWD/data" --user="$(id -un)" --auth-root-authentication-method=normal >install.log 2>&1
in_background mariadbd --no-defaults --datadir="$PWD/data" --user="$(id -un)" --socket="$PWD/socket" --skip-networking \
    --default-time-zone=+00:00
ask() { mariadb --no-defaults --user=root --socket="$PWD/socket" --skip-column-names --batch "$@" 2>&1; }
for _ in $(seq 100); do
    ask --execute 'SELECT 1' >/dev/null && break
    sleep 0.2
done
ask --execute 'CREATE DATABASE ats; CREATE TABLE ats.application (completed DATETIME)'
# insert TEXT: what INSERT says of it
insert() {
    local said
    said=$(ask --execute "INSERT INTO ats.application VALUES ('$1')" || true)
    grep -o 'Incorrect datetime value' <<<"$said" || echo taken
}
# same TEXT: how many rows have this time
same() { ask --execute "SELECT count(*) FROM ats.application WHERE completed = '$1'"; }

seen "sql_mode" STRICT_TRANS_TABLES "$(ask --execute 'SELECT @@sql_mode' | cut -d , -f 1)"
seen "INSERT, without an offset" taken "$(insert 2026-11-30T10:00:00)"
seen "INSERT, Z" "Incorrect datetime value" "$(insert 2026-11-30T10:00:00Z)"
seen "INSERT, +11:00" "Incorrect datetime value" "$(insert 2026-11-30T10:00:00+11:00)"
seen "WHERE, without an offset" 1 "$(same 2026-11-30T10:00:00)"
seen "WHERE, another time" 0 "$(same 2026-11-29T23:00:00)"
seen "WHERE, Z" 1 "$(same 2026-11-30T10:00:00Z)"
seen "WHERE, +11:00" 1 "$(same 2026-11-30T10:00:00+11:00)"
seen "WHERE, the same moment as 10:00 in UTC" 0 "$(same 2026-11-30T21:00:00+11:00)"
seen "CAST, +11:00" "2026-11-30 10:00:00" "$(ask --execute "SELECT CAST('2026-11-30T10:00:00+11:00' AS DATETIME)")"
seen "its warning" "Truncated incorrect datetime value: '2026-11-30T10:00:00+11:00'" \
    "$(ask --execute "SELECT CAST('2026-11-30T10:00:00+11:00' AS DATETIME); SHOW WARNINGS" | grep -o 'Truncated.*')"
finish
