-module(savina_thread_ring).
-export([prepare/1, run/1]).

prepare([Members, Hops]) ->
    Self = self(),
    Pids = [spawn_link(fun() -> receive {next, Next} -> member(Self, Index, Next) end end)
            || Index <- lists:seq(0, Members - 1)],
    [First | Rest] = Pids,
    lists:foreach(fun({Pid, Next}) -> Pid ! {next, Next} end, lists:zip(Pids, Rest ++ [First])),
    {Pids, Hops}.

run({[First | _] = Pids, Hops}) ->
    First ! Hops,
    At = receive {ended, Index} -> Index end,
    lists:foreach(fun(Pid) -> Pid ! stop end, Pids),
    At.

member(Director, Index, Next) ->
    receive
        0 -> Director ! {ended, Index}, member(Director, Index, Next);
        stop -> ok;
        Left -> Next ! Left - 1, member(Director, Index, Next)
    end.
