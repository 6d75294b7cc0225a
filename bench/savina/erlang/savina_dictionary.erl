-module(savina_dictionary).
-export([prepare/1, run/1]).

prepare([Workers, Operations, WritePercent]) ->
    Director = self(),
    Dictionary = spawn_link(fun() -> dictionary(#{}, 0) end),
    Pids = [spawn_link(fun() -> receive start -> worker(Director, Dictionary, Operations, 0, WritePercent, Index) end end)
            || Index <- lists:seq(1, Workers)],
    {Dictionary, Pids}.

%% The answer counts what was done, how much of it wrote, and how many keys there are at the end.
run({Dictionary, Workers}) ->
    lists:foreach(fun(Worker) -> Worker ! start end, Workers),
    Done = lists:sum([receive {done, Count} -> Count end || _ <- Workers]),
    Dictionary ! {close, self()},
    receive {closed, Writes, Keys} -> Done + Writes + Keys end.

dictionary(Map, Writes) ->
    receive
        {write, Key, Value, From} -> From ! {result, Value}, dictionary(Map#{Key => Value}, Writes + 1);
        {read, Key, From} -> From ! {result, maps:get(Key, Map, 0)}, dictionary(Map, Writes);
        {close, From} -> From ! {closed, Writes, map_size(Map)}
    end.

worker(Director, _, 0, Done, _, _) -> Director ! {done, Done};
worker(Director, Dictionary, Left, Done, WritePercent, Random) ->
    Kind = next(Random),
    Key = next(Kind),
    case Kind rem 100 < WritePercent of
        true -> Dictionary ! {write, Key rem 512, Key, self()};
        false -> Dictionary ! {read, Key rem 512, self()}
    end,
    receive {result, _} -> worker(Director, Dictionary, Left - 1, Done + 1, WritePercent, Key) end.

next(Random) -> (Random * 1309 + 13849) band 65535.
