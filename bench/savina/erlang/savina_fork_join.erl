-module(savina_fork_join).
-export([prepare/1, run/1]).

prepare([Workers, Rounds]) ->
    Self = self(),
    {[spawn_link(fun() -> worker(Self, Rounds, 0, 0.0) end) || _ <- lists:seq(1, Workers)], Rounds}.

run({Workers, Rounds}) ->
    fork(Workers, Rounds),
    lists:sum([receive {done, Count} -> Count end || _ <- Workers]).

fork(_, 0) -> ok;
fork(Workers, Left) ->
    lists:foreach(fun(Worker) -> Worker ! work end, Workers),
    fork(Workers, Left - 1).

worker(Director, Rounds, Rounds, _) -> Director ! {done, Rounds};
worker(Director, Rounds, Handled, Sum) ->
    receive
        work ->
            Sine = math:sin(37.2),
            worker(Director, Rounds, Handled + 1, Sum + Sine * Sine)
    end.
