-module(savina_chameneos).
-export([prepare/1, run/1]).

prepare([Creatures, Meetings]) ->
    Mall = self(),
    {[spawn_link(fun() -> receive start -> meet(Mall, Index rem 3, 0) end end) || Index <- lists:seq(0, Creatures - 1)],
     Meetings}.

run({Creatures, Meetings}) ->
    lists:foreach(fun(Creature) -> Creature ! start end, Creatures),
    mall(Meetings, none, length(Creatures), 0).

%% Brings creatures together in pairs; once all meetings took place everybody is sent home and counted.
mall(_, _, 0, Total) -> Total;
mall(Left, Waiting, Away, Total) ->
    receive
        {meet, _, From} when Left =:= 0 -> From ! exit, mall(0, none, Away, Total);
        {meet, _, From} when Waiting =:= none -> mall(Left, From, Away, Total);
        {meet, Color, From} -> Waiting ! {meet, Color, From}, mall(Left - 1, none, Away, Total);
        {counted, Meetings} -> mall(Left, Waiting, Away - 1, Total + Meetings)
    end.

meet(Mall, Color, Meetings) ->
    Mall ! {meet, Color, self()},
    receive
        {meet, Other, From} ->
            New = complement(Color, Other),
            From ! {change, New},
            meet(Mall, New, Meetings + 1);
        {change, New} -> meet(Mall, New, Meetings + 1);
        exit -> Mall ! {counted, Meetings}
    end.

%% The color neither of the two has; the same color stays.
complement(Color, Color) -> Color;
complement(Color, Other) -> 3 - Color - Other.
