#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Perl: whether a repeated key is an error depends on which JSON module happens to be installed.
#
# Seen 2026-11-29, Debian 12: libcpanel-json-xs-perl 4.35, libjson-xs-perl 4.040, JSON::PP 4.07 of perl 5.36.
# A good guess: a repeated key is taken and the last one counts, as JSON::PP and JSON::XS do, since Cpanel::JSON::XS is
#   their drop-in successor (JSON::MaybeXS prefers it).
# What happens: Cpanel::JSON::XS dies with "Duplicate keys not allowed". It also takes a byte order mark, which the other
#   two refuse.
# Why it matters: the same script reads the same answer on one machine and dies on the next, where somebody installed
#   one more package. A server must never write a key twice into an answer, nor begin it with a byte order mark.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages libcpanel-json-xs-perl=4.35 libjson-xs-perl=4.040 perl-base=5.36.0

cat >read.pl <<'END'
my ($module, $text) = @ARGV;
eval "require $module" or die $@;
my $value = eval { $module->new->utf8->canonical->decode($text) };
print $value ? JSON::PP->new->canonical->encode($value) : $@ =~ /^([a-z ]+[a-z])/i;
END
for case in 'JSON::PP|{"code":2}' 'JSON::XS|{"code":2}' 'Cpanel::JSON::XS|Duplicate keys not allowed'; do
    seen "${case%|*}, a key twice" "${case#*|}" "$(perl -MJSON::PP read.pl "${case%|*}" '{"code":1,"code":2}')"
done
mark=$(printf '\357\273\277')
for case in 'JSON::PP|malformed JSON string' 'JSON::XS|malformed JSON string' 'Cpanel::JSON::XS|{"code":1}'; do
    seen "${case%|*}, a byte order mark" "${case#*|}" "$(perl -MJSON::PP read.pl "${case%|*}" "$mark{\"code\":1}")"
done
finish
