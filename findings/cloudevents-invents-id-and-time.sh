#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# The CloudEvents SDK for JavaScript gives an event that lacks them an id and a time while it reads it.
#
# Seen 2026-11-29: cloudevents 10.0.0, HTTP.toEvent.
# A good guess: `id` is required, so that a structured event without it is refused, as a binary one is; `time` is
#   optional, and stays away where the sender left it out.
# What happens: the structured event gets a random id, a new one at every reading, and both kinds get the time of the
#   reading as `time`. The binary one without `ce-id` is indeed refused.
# Why it matters: a gateway with this SDK in front of a sidecar turns one repeated event into two with different ids,
#   so deduplication by id never catches them, and the time of completion becomes the time of the repetition. The
#   application id and the seek-token are what to compare; an event id of somebody else's making is a hint only.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages cloudevents@10.0.0

cat >read.mjs <<'END'
import { HTTP } from 'cloudevents';

const body = JSON.stringify({ specversion: '1.0', source: '/ats', type: 'application.completed' });
const read = () => HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body });
const first = read();
const second = read();
console.log('id:', first.id?.length ?? 'none', first.id === second.id ? 'same' : 'another');
console.log('time:', Math.abs(Date.parse(first.time) - Date.now()) < 10000 ? 'now' : first.time);

const binary = { 'ce-specversion': '1.0', 'ce-source': '/ats', 'ce-type': 'application.completed' };
try {
    HTTP.toEvent({ headers: binary, body: '' });
    console.log('binary without an id: read');
} catch (error) {
    console.log('binary without an id:', error.message);
}
END
node read.mjs >out
seen "the id of the same bytes read twice" "id: 36 another" "$(sed -n 1p out)"
seen "the time nobody sent" "time: now" "$(sed -n 2p out)"
seen "the other form" "binary without an id: no cloud event detected" "$(sed -n 3p out)"
finish
