#!/usr/bin/escript
%% SPDX-FileCopyrightText: seek-signal contributors
%% SPDX-License-Identifier: MIT
%% usage: escript erlang_client.escript httpc version|once|send|lines URL [COUNT]
%% `lines` posts each line of the standard input, see python_clients.py.

post(Url, Body, Options) ->
    case httpc:request(post, {Url, [], "application/json", Body}, Options, []) of
        {ok, {{_, Status, _}, _, Answer}} -> {Status, Answer};
        {error, Reason} -> {error, Reason}
    end.

send(_, Count, Count) -> ok;
send(Url, Count, N) ->
    Number = integer_to_list(N),
    Body = "{\"applicationId\":\"httpc-" ++ Number ++ "\",\"token\":\"token-httpc-" ++ Number ++ "\"}",
    case post(Url, Body, [{timeout, 10000}]) of
        {Status, _} when is_integer(Status), Status < 400 -> timer:sleep(20), send(Url, Count, N + 1);
        {error, _} -> timer:sleep(250), send(Url, Count, N);
        {_, Answer} ->
            true = string:find(Answer, "\"retryable\":true") =/= nomatch,
            timer:sleep(250), send(Url, Count, N)
    end.

name({Name, _}) -> name(Name);
name(Name) -> Name.

lines(Url) ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            [Query, Body] = string:split(string:trim(Line, trailing, "\n"), "\t"),
            Began = erlang:monotonic_time(microsecond),
            Result = case post(Url ++ Query, Body, [{timeout, 60000}]) of
                {error, Reason} -> name(Reason);
                {Status, _} -> Status
            end,
            io:format("~p ~p~n", [Result, erlang:monotonic_time(microsecond) - Began]),
            lines(Url)
    end.

main([_, "version" | _]) ->
    {ok, _} = application:ensure_all_started(inets),
    {ok, Version} = application:get_key(inets, vsn),
    io:format("httpc of inets ~s~n", [Version]);
main([_, Mode, Url | Rest]) ->
    {ok, _} = application:ensure_all_started(inets),
    case Mode of
        "once" ->
            case post(Url, "{}", []) of
                {error, First} -> io:format("~p~n", [name(First)]);
                _ -> case post(Url, "{}", []) of {error, Second} -> io:format("~p~n", [name(Second)]); _ -> ok end
            end;
        "lines" -> lines(Url);
        "send" -> send(Url, list_to_integer(hd(Rest)), 0)
    end.
