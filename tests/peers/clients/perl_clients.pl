#!/usr/bin/perl
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
# usage: perl_clients.pl HTTP::Tiny|LWP::UserAgent|Mojo::UserAgent version|once|send|lines URL [COUNT]
# `lines` posts each line of the standard input, see python_clients.py.
use strict;
use warnings;
use JSON::PP;
use Time::HiRes 'time';

my ($library, $mode, $url, $count) = @ARGV;
(my $file = "$library.pm") =~ s{::}{/}g;
require $file;

sub client {
    my ($is_default) = @_;
    return HTTP::Tiny->new(($is_default ? () : (timeout => 10)), proxy => undef, http_proxy => undef) if $library eq 'HTTP::Tiny';
    if ($library eq 'Mojo::UserAgent') {
        my $http = Mojo::UserAgent->new;
        $http->request_timeout(10) unless $is_default;
        return $http;
    }
    return LWP::UserAgent->new(keep_alive => 1, ($is_default ? () : (timeout => 10)));
}

# (status, answer); 599 or the client's own 500: refused, reset, timed out
sub post {
    my ($http, $body, $query) = @_;
    my ($to, $json) = ($url . ($query // ''), ref $body ? encode_json($body) : $body);
    if ($library eq 'HTTP::Tiny') {
        my $answer = $http->post($to, {headers => {'Content-Type' => 'application/json'}, content => $json});
        return ($answer->{status}, $answer->{content});
    }
    if ($library eq 'Mojo::UserAgent') {
        my $tx = $http->post($to => {'Content-Type' => 'application/json'} => $json);
        return ($tx->res->code ? ($tx->res->code, $tx->res->body) : (599, $tx->error->{message}));
    }
    my $answer = $http->post($to, 'Content-Type' => 'application/json', Content => $json);
    my $is_own = ($answer->header('Client-Warning') // '') eq 'Internal response';
    return ($is_own ? 599 : $answer->code, $answer->content);
}

if ($mode eq 'version') {
    print "$library ", $library eq 'Mojo::UserAgent' ? do { require Mojolicious; Mojolicious->VERSION } : $library->VERSION, "\n";
} elsif ($mode eq 'lines') {
    local $| = 1;
    my $http = client(0);
    $library eq 'Mojo::UserAgent' ? $http->request_timeout(60) : $http->timeout(60);
    while (my $line = <STDIN>) {
        chomp $line;
        my ($query, $body) = split /\t/, $line, 2;
        my $began = time;
        my ($status) = post($http, $body, $query);
        printf "%s %d\n", $status, (time - $began) * 1e6;
    }
} elsif ($mode eq 'once') {
    my $http = client(1);
    for (1 .. 2) {
        my ($status, $content) = post($http, {});
        if ($status == 599) { print((split /\n/, $content)[0], "\n"); last }
    }
} else {
    my $http = client(0);
    for my $n (0 .. $count - 1) {
        while (1) {
            my ($status, $content) = post($http, {applicationId => "$library-$n", token => "token-$library-$n"});
            last if $status < 400;
            die $content if $status != 599 && !decode_json($content)->{retryable};
            select undef, undef, undef, 0.25;
        }
        select undef, undef, undef, 0.02;
    }
}
