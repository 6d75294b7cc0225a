%% One order event at a time, there and back.
-module(shape_ping_pong).
-export([prepare/1, run/1]).

prepare([Rounds]) -> {spawn_link(fun answerer/0), Rounds}.

run({Answerer, Rounds}) ->
    Sum = ask(Answerer, 0, Rounds, 0),
    Answerer ! stop,
    Sum.

ask(_, Rounds, Rounds, Sum) -> Sum;
ask(Answerer, Number, Rounds, Sum) ->
    Answerer ! {event(Number), self()},
    receive #{type := order_event, number := Back} -> ask(Answerer, Number + 1, Rounds, Sum + Back) end.

event(Number) ->
    #{type => order_event, symbol => <<"BTC-PERP">>, side => case Number band 1 of 0 -> buy; 1 -> sell end,
      price_ticks => 6543210 + Number rem 1000, quantity_lots => 250, fee_micros => 1234567, number => Number,
      is_maker => true}.

answerer() ->
    receive
        {#{number := Number}, From} -> From ! event(Number), answerer();
        stop -> ok
    end.
