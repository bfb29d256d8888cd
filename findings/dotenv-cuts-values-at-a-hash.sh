#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# dotenv, Node's --env-file and ruby-dotenv cut an unquoted value at its first "#", without a blank before it.
#
# Seen 2026-11-30: dotenv 18.0.10 (npm), Node.js 20.20.2; python3-dotenv 0.21.0, ruby-dotenv 2.4.0, dash (Debian 12).
# A good guess: a line KEY=ab#cd of an env file gives the same value wherever it is read. "#" begins a comment only after a
#   blank, as in the shell, whose files these began as.
# What happens: dotenv, Node and ruby-dotenv say "ab". python-dotenv and the shell say "ab#cd". With "ab${cd}ef" there are
#   two camps too: dotenv and Node leave it, the others put the variable in, and python-dotenv does so in single quotes too.
#   None of them has a warning. In single quotes all five give a value with "#" whole.
# Why it matters: a generated key or secret has such characters. The caller sends the front part of its key and gets 401,
#   while the service was given the whole one by another reader of the same file. Make keys of letters and digits, or
#   keep each in a file of its own.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages dotenv@18.0.10
debian_packages python3-dotenv=0.21.0 ruby-dotenv=2.4.0 dash=0.5

# read_by READER LINE: the value of KEY
read_by() {
    printf '%s\n' "$2" >lines.env
    # shellcheck disable=SC2016 # the dollar sign of dash
    case $1 in
    dotenv) node -p 'require("dotenv").parse(require("fs").readFileSync("lines.env")).KEY' ;;
    Node) node --env-file=lines.env -p process.env.KEY ;;
    python-dotenv) /usr/bin/python3 -c 'import dotenv; print(dotenv.dotenv_values("lines.env")["KEY"])' ;;
    ruby-dotenv) ruby -rdotenv -e 'puts Dotenv::Parser.call(File.read("lines.env"))["KEY"]' ;;
    dash) dash -c '. ./lines.env && echo "$KEY"' ;;
    esac
}
seen "node" v20.20.2 "$(node --version)"
for reader in dotenv Node ruby-dotenv; do seen "$reader, ab#cd" ab "$(read_by "$reader" "KEY=ab#cd")"; done
for reader in python-dotenv dash; do seen "$reader, ab#cd" "ab#cd" "$(read_by "$reader" "KEY=ab#cd")"; done
# shellcheck disable=SC2016 # the file's own
for reader in dotenv Node; do seen "$reader, ab\${cd}ef" 'ab${cd}ef' "$(read_by "$reader" 'KEY=ab${cd}ef')"; done
# shellcheck disable=SC2016
for reader in python-dotenv ruby-dotenv dash; do seen "$reader, ab\${cd}ef" abef "$(read_by "$reader" 'KEY=ab${cd}ef')"; done
# shellcheck disable=SC2016
for reader in dotenv Node ruby-dotenv dash; do seen "$reader, '\${cd}'" 'ab${cd}ef' "$(read_by "$reader" "KEY='ab\${cd}ef'")"; done
seen "python-dotenv, '\${cd}'" abef "$(read_by python-dotenv "KEY='ab\${cd}ef'")"
for reader in dotenv Node ruby-dotenv python-dotenv dash; do seen "$reader, '#'" "ab#cd" "$(read_by "$reader" "KEY='ab#cd'")"; done
finish
