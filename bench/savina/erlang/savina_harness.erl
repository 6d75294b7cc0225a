%% Runs one program again and again on request and times it inside the virtual machine. One line of standard input is one run.
-module(savina_harness).
-export([main/1]).

%% Arguments: the module's name, then its parameters.
main([Module | Parameters]) ->
    loop(list_to_atom(Module), [list_to_integer(P) || P <- Parameters]).

loop(Module, Parameters) ->
    case io:get_line("") of
        "run\n" ->
            {Microseconds, Answer} = once(Module, Parameters),
            io:format("~w ~w~n", [Microseconds, Answer]),
            loop(Module, Parameters);
        _ ->
            halt(0)
    end.

%% A process of its own has a fresh heap and an empty mailbox. The processes of the program exist before the clock starts.
once(Module, Parameters) ->
    Self = self(),
    spawn_link(fun() ->
        State = Module:prepare(Parameters),
        Start = erlang:monotonic_time(microsecond),
        Answer = Module:run(State),
        End = erlang:monotonic_time(microsecond),
        Self ! {once, End - Start, Answer}
    end),
    receive {once, Elapsed, Answer} -> {Elapsed, Answer} end.
