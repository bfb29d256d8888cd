#!/usr/bin/perl
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
# usage: perl.pl APPLICATION_ID SEEK_TOKEN      with SEEK_SIGNAL_API_KEY where the service asks for one
# Perl 5.22 or later; the HTTP::Tiny of an older one uses the proxy of the environment.
use strict;
use warnings;
use Encode 'decode';
use HTTP::Tiny;
use JSON::PP;

# Call it after the application is committed. Posting the same pair again does no harm. Both are strings of characters, not of bytes.
sub application_completed {
    my ($id, $token, $tries) = (@_, 8);
    my $http = HTTP::Tiny->new(timeout => 10, proxy => undef, http_proxy => undef); # whatever the environment says
    my $url = ($ENV{SEEK_SIGNAL} // 'http://127.0.0.1:8787') . '/v1/events';
    my $body = encode_json({applicationId => $id, token => $token});
    my %headers = ('Content-Type' => 'application/json');
    $headers{Authorization} = "Bearer $ENV{SEEK_SIGNAL_API_KEY}" if $ENV{SEEK_SIGNAL_API_KEY};
    for my $n (1 .. $tries) {
        my $answer = $http->post($url, {headers => \%headers, content => $body});
        my $stored = $answer->{success} && $answer->{content} =~ /"eventId":/ && eval { decode_json($answer->{content}) }; # a page of a proxy has none
        return $stored if $stored;
        return undef if $answer->{content} =~ /"code":"token_missing"/; # not from SEEK: there is nothing to send
        # 599 is HTTP::Tiny's own: refused, reset, timed out
        my $is_retryable = $answer->{status} =~ /^(2..|408|429|5..)$/;
        die "$answer->{status}: $answer->{content}\n" if !$is_retryable || $n == $tries;
        my ($backoff, $asked) = (0.125 * 2**$n, ($answer->{headers}{'retry-after'} // '') =~ /^(\d+)$/ ? $1 : 0);
        select undef, undef, undef, $backoff > $asked ? $backoff : $asked;
    }
}

print JSON::PP->new->utf8->allow_nonref->encode(application_completed(map { decode('UTF-8', $_) } @ARGV)), "\n";
