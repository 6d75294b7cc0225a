-module(savina_ping_pong).
-export([prepare/1, run/1]).

prepare([Rounds]) -> {spawn_link(fun ponger/0), Rounds}.

run({Ponger, Rounds}) ->
    Pongs = ping(Ponger, Rounds, 0),
    Ponger ! stop,
    Pongs.

ping(_, 0, Pongs) -> Pongs;
ping(Ponger, Left, Pongs) ->
    Ponger ! {ping, self()},
    receive pong -> ping(Ponger, Left - 1, Pongs + 1) end.

ponger() ->
    receive
        {ping, From} -> From ! pong, ponger();
        stop -> ok
    end.
