-module(savina_big).
-export([prepare/1, run/1]).

prepare([Peers, Rounds]) ->
    Self = self(),
    Pids = [spawn_link(fun() -> receive {peers, All} -> idle(Self, All, Rounds, Index) end end)
            || Index <- lists:seq(0, Peers - 1)],
    All = list_to_tuple(Pids),
    lists:foreach(fun(Pid) -> Pid ! {peers, All} end, Pids),
    Pids.

run(Pids) ->
    lists:foreach(fun(Pid) -> Pid ! start end, Pids),
    Pongs = lists:sum([receive {done, Count} -> Count end || _ <- Pids]),
    lists:foreach(fun(Pid) -> Pid ! stop end, Pids),
    Pongs.

%% Before its own start a peer already answers the others.
idle(Director, All, Rounds, Random) ->
    receive
        {ping, From} -> From ! pong, idle(Director, All, Rounds, Random);
        start -> next(Director, All, Rounds, 0, Random)
    end.

next(Director, All, Rounds, Rounds, _) ->
    Director ! {done, Rounds},
    answer_only(Director, All);
next(Director, All, Rounds, Pongs, Random) ->
    Next = (Random * 1309 + 13849) band 65535,
    element(Next rem tuple_size(All) + 1, All) ! {ping, self()},
    wait(Director, All, Rounds, Pongs, Next).

wait(Director, All, Rounds, Pongs, Random) ->
    receive
        {ping, From} -> From ! pong, wait(Director, All, Rounds, Pongs, Random);
        pong -> next(Director, All, Rounds, Pongs + 1, Random)
    end.

answer_only(Director, All) ->
    receive
        {ping, From} -> From ! pong, answer_only(Director, All);
        stop -> ok
    end.
