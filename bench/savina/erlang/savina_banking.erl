-module(savina_banking).
-export([prepare/1, run/1]).

-define(UNDER_WAY, 1000).

prepare([Accounts, Transfers]) ->
    {list_to_tuple([spawn_link(fun() -> account(1000000) end) || _ <- lists:seq(1, Accounts)]), Transfers}.

%% The answer weighs each account's balance at the end with its number.
run({Accounts, Transfers}) ->
    First = min(?UNDER_WAY, Transfers),
    Random = send(Accounts, First, 1),
    settle(Accounts, Transfers - First, Transfers, Random),
    Pids = tuple_to_list(Accounts),
    lists:foreach(fun({Number, Pid}) -> Pid ! {close, Number, self()} end, lists:zip(lists:seq(0, length(Pids) - 1), Pids)),
    lists:sum([receive {balance, Number, Balance} -> Number * Balance end || _ <- Pids]).

send(_, 0, Random) -> Random;
send(Accounts, Left, Random) -> send(Accounts, Left - 1, transfer(Accounts, Random)).

%% Money only flows to accounts with higher numbers: no two can wait for each other.
transfer(Accounts, Random) ->
    Size = tuple_size(Accounts),
    R1 = next(Random),
    R2 = next(R1),
    R3 = next(R2),
    Source = R1 rem (Size div 10 * 8),
    Target = Source + 1 + R2 rem (Size - Source - 1),
    element(Source + 1, Accounts) ! {transfer, R3 rem 100, element(Target + 1, Accounts), self()},
    R3.

settle(_, _, 0, _) -> ok;
settle(Accounts, 0, Unsettled, Random) ->
    receive transferred -> settle(Accounts, 0, Unsettled - 1, Random) end;
settle(Accounts, Unsent, Unsettled, Random) ->
    receive transferred -> settle(Accounts, Unsent - 1, Unsettled - 1, transfer(Accounts, Random)) end.

account(Balance) ->
    receive
        {transfer, Amount, Target, Teller} ->
            Target ! {deposit, Amount, self()},
            receive deposited -> Teller ! transferred end,
            account(Balance - Amount);
        {deposit, Amount, From} -> From ! deposited, account(Balance + Amount);
        {close, Number, From} -> From ! {balance, Number, Balance}
    end.

next(Random) -> (Random * 1309 + 13849) band 65535.
