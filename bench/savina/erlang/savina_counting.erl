-module(savina_counting).
-export([prepare/1, run/1]).

prepare([Increments]) -> {spawn_link(fun() -> counter(0) end), Increments}.

run({Counter, Increments}) ->
    produce(Counter, Increments),
    Counter ! {retrieve, self()},
    receive {counted, Count} -> Count end.

produce(_, 0) -> ok;
produce(Counter, Left) ->
    Counter ! increment,
    produce(Counter, Left - 1).

counter(Count) ->
    receive
        increment -> counter(Count + 1);
        {retrieve, From} -> From ! {counted, Count}
    end.
