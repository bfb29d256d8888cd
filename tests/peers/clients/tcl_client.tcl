#!/usr/bin/tclsh
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
# usage: tclsh tcl_client.tcl http version|once|send|lines URL [COUNT]
# `lines` posts each line of the standard input, see python_clients.py.
package require http
lassign $argv library mode url count

# {status answer}; the status is 0 when there is no answer, which then says why.
proc post {to body timeout {is_kept 1}} {
    set options [expr {$timeout > 0 ? [list -timeout $timeout] : {}}]
    if {[catch {http::geturl $to -query $body -type application/json -keepalive $is_kept {*}$options} token]} {
        return [list 0 $token]
    }
    set status [http::status $token]
    set result [expr {$status eq "ok" && [http::ncode $token] ne "" ? [list [http::ncode $token] [http::data $token]] : [list 0 $status]}]
    http::cleanup $token
    return $result
}

switch $mode {
    version { puts "http [package present http] of Tcl [info patchlevel]" }
    once {
        for {set n 0} {$n < 2} {incr n} {
            lassign [post $url "{}" 0] status answer
            if {$status == 0} { puts $answer; break }
        }
    }
    lines {
        fconfigure stdout -buffering line
        while {[gets stdin line] >= 0} {
            set tab [string first \t $line]
            set began [clock microseconds]
            lassign [post $url[string range $line 0 $tab-1] [string range $line $tab+1 end] 5000] status answer
            puts "[expr {$status == 0 ? [string map {{ } _} $answer] : $status}] [expr {[clock microseconds] - $began}]"
        }
    }
    send {
        for {set n 0} {$n < $count} {incr n} {
            while 1 {
                lassign [post $url "{\"applicationId\":\"tcl-$n\",\"token\":\"token-tcl-$n\"}" 10000 0] status answer
                if {$status > 0 && $status < 400} break
                if {$status > 0 && ![string match {*"retryable":true*} $answer]} { error $answer }
                after 250
            }
            after 20
        }
    }
}
