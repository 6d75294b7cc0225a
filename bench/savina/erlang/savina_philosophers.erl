-module(savina_philosophers).
-export([prepare/1, run/1]).

prepare([Philosophers, Meals]) ->
    Director = self(),
    Arbiter = spawn_link(fun() -> arbiter(erlang:make_tuple(Philosophers, free), 0) end),
    {Arbiter, [spawn_link(fun() -> receive start -> philosopher(Director, Arbiter, Seat, Meals) end end)
               || Seat <- lists:seq(1, Philosophers)]}.

run({Arbiter, Philosophers}) ->
    lists:foreach(fun(Philosopher) -> Philosopher ! start end, Philosophers),
    lists:foreach(fun(_) -> receive done -> ok end end, Philosophers),
    Arbiter ! {close, self()},
    receive {meals, Meals} -> Meals end.

philosopher(Director, _, _, 0) -> Director ! done;
philosopher(Director, Arbiter, Seat, Left) ->
    Arbiter ! {hungry, Seat, self()},
    receive
        eat -> Arbiter ! {sated, Seat}, philosopher(Director, Arbiter, Seat, Left - 1);
        denied -> philosopher(Director, Arbiter, Seat, Left)
    end.

arbiter(Forks, Meals) ->
    receive
        {hungry, Seat, From} ->
            Right = Seat rem tuple_size(Forks) + 1,
            case element(Seat, Forks) =:= free andalso element(Right, Forks) =:= free of
                true -> From ! eat, arbiter(setelement(Right, setelement(Seat, Forks, taken), taken), Meals);
                false -> From ! denied, arbiter(Forks, Meals)
            end;
        {sated, Seat} ->
            Right = Seat rem tuple_size(Forks) + 1,
            arbiter(setelement(Right, setelement(Seat, Forks, free), free), Meals + 1);
        {close, From} -> From ! {meals, Meals}
    end.
