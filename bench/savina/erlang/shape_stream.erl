%% Sources that each tell every sink order events, for the shapes one-to-one, three-to-one and fan-out.
-module(shape_stream).
-export([prepare/1, run/1]).

prepare([Sources, Sinks, EventsEach]) ->
    Director = self(),
    SinkPids = [spawn_link(fun() -> sink(Director, Sources * EventsEach, 0, 0) end) || _ <- lists:seq(1, Sinks)],
    [spawn_link(fun() -> receive start -> source(SinkPids, 0, EventsEach) end end) || _ <- lists:seq(1, Sources)]
        ++ [{sinks, Sinks}].

run(State) ->
    {Sources, [{sinks, Sinks}]} = lists:split(length(State) - 1, State),
    lists:foreach(fun(Source) -> Source ! start end, Sources),
    lists:sum([receive {told, Sum} -> Sum end || _ <- lists:seq(1, Sinks)]).

source(_, Events, Events) -> ok;
source(Sinks, Number, Events) ->
    Event = event(Number),
    lists:foreach(fun(Sink) -> Sink ! Event end, Sinks),
    source(Sinks, Number + 1, Events).

%% Built anew each time, as a user would.
event(Number) ->
    #{type => order_event, symbol => <<"BTC-PERP">>, side => case Number band 1 of 0 -> buy; 1 -> sell end,
      price_ticks => 6543210 + Number rem 1000, quantity_lots => 250, fee_micros => 1234567, number => Number,
      is_maker => true}.

sink(Director, Expected, Expected, Sum) -> Director ! {told, Sum};
sink(Director, Expected, Count, Sum) ->
    receive #{type := order_event, number := Number} -> sink(Director, Expected, Count + 1, Sum + Number) end.
