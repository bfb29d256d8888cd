#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# OpenTelemetry for JavaScript writes a traceparent with three digits of flags, which it does not read itself.
#
# Seen 2026-11-30: @opentelemetry/core 2.12.1, @opentelemetry/api 1.9.1, Node 20.
# A good guess: a traceparent that was read is written again with the same flags, or with the one flag that is defined. Both
#   have two digits, as W3C Trace Context has them.
# What happens: a "0" is put in front of the flags, whatever they are. "03" stays "03", and "10" and above become three digits.
#   The same propagator finds no context in the result.
# Why it matters: a service without spans of its own passes the caller's context on, and breaks the trace there. No error
#   is raised. Set no flag but "sampled", and expect that a traceparent from others may be unreadable.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages @opentelemetry/core@2.12.1 @opentelemetry/api@1.9.1

cat >pass.mjs <<'END'
import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';

const propagator = new W3CTraceContextPropagator();
const read = (headers) => propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
const headers = {};
propagator.inject(read({ traceparent: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${process.argv[2]}` }), headers,
    defaultTextMapSetter);
console.log(headers.traceparent.split('-')[3], trace.getSpanContext(read(headers)) ? 'is read' : 'is not read');
END
seen "00" "00 is read" "$(node pass.mjs 00)"
seen "01" "01 is read" "$(node pass.mjs 01)"
seen "03" "03 is read" "$(node pass.mjs 03)"
seen "10" "010 is not read" "$(node pass.mjs 10)"
seen "ff" "0ff is not read" "$(node pass.mjs ff)"
finish
