#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# ajv-formats takes times for `date-time` that RFC 3339 does not have, and zod refuses some that it has.
#
# Seen 2026-11-30: ajv 8.20.0 with ajv-formats 3.0.1, zod 4.6.7; typebox 1.4.3 beside them; Node 20.
# A good guess: `format: date-time` is the rule `date-time` of RFC 3339 §5.6 (JSON Schema, "Dates, Times, and Duration"), and
#   z.iso.datetime() takes no less than that. An offset has hours and minutes with a colon, letters may be small, and
#   23:59:60 is a time in UTC. That is how typebox does it.
# What happens: ajv-formats also takes the offsets "+10" and "+1030", and a blank instead of "T". zod takes no offset but Z,
#   no small letters and no leap second. With `offset: true` it takes offsets, and still neither of the other two.
# Why it matters: an event that was checked against the contract with ajv gets 422 for `completedAt`. An answer of somebody
#   else's that is right fails in zod. Write times with toISOString(), which all of them take.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages ajv@8.20.0 ajv-formats@3.0.1 zod@4.6.7 typebox@1.4.3

cat >check.mjs <<'END'
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import Format from 'typebox/format';
import * as z from 'zod';

const ajv = new Ajv();
addFormats(ajv);
const all = {
    ajv: ajv.compile({ type: 'string', format: 'date-time' }),
    zod: (time) => z.iso.datetime().safeParse(time).success,
    'zod with offset': (time) => z.iso.datetime({ offset: true }).safeParse(time).success,
    typebox: (time) => Format.Test('date-time', time),
};
console.log(Object.keys(all).filter((name) => all[name](process.argv[2])).join(', '));
END
taken() { seen "$1" "$2" "$(node check.mjs "$1")"; }
taken 2026-11-30T10:00:00.123Z "ajv, zod, zod with offset, typebox"
taken 2026-11-30T10:00:00 ""
taken 2026-11-30T10:00:00+10:30 "ajv, zod with offset, typebox"
taken 2026-11-30t10:00:00z "ajv, typebox"
taken 2016-12-31T23:59:60Z "ajv, typebox"
taken 2026-11-30T10:00:00+10 "ajv"
taken 2026-11-30T10:00:00+1030 "ajv"
taken "2026-11-30 10:00:00Z" "ajv"
finish
