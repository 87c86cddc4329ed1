"""The engine: what every stream shares. It knows no API, and this is its map.

The rooms, each of which imports from those in front of it alone (`tests/engine/test_rooms.py`):

    errors, secrets, threads
                      what can go wrong, what must not be shown, what may not be to be had
    values/           times, cursors, making rows fit their schema, JSON
    output/           messages, progress, report
    http/             one request: authenticated, within its budget, answered, tried again
    pages/            one list: its pages asked for ahead, in order, proven to be all
    (this folder)     what is declared: `api`, `stream`, `catalog`, `schemas`, `accounts`, and
                      where the SDK is touched: `sdk`, `hooks`, `choices`
    run/              one run: which lists, which rows of them, what of it the state remembers

A page's trip:

     1. `tap` makes a `run.Run` of an `Access` for every account and calls `read(roots)`.
     2. A `Reading` is one stream in this run: the window that its bookmark leaves, its tally.
     3. `Sync` opens a `Listing` for each list of the stream, and later for each parent's row.
     4. `Listing` puts a `ListReader` into the `Lane` of the API, whose threads serve all lists.
     5. The lane's next thread takes a token from the reader that is needed first.
     6. `ListSource.fetch` lets the stream build the request: `get_http_request`.
     7. `Client.fetch` waits for leave from the `Budget`; `Sender` adds the authenticator's headers,
        sends within the time limit and returns an `Answer`, a response whose body is read.
     8. `validate_response` and `read_page` of the stream judge it, whose records are decoded into
        their schema's types where nothing else is made of them; a failure that may pass is
        tried again by the `RetryPolicy`, in the time that the budget leaves.
     9. The `Page` (records, signals about the whole list) is delivered to the `ListReader`,
        and its `Judge` says whether it fits to those before it and whether the list has ended.
    10. The thread that writes takes pages in order from the lane, however they arrived.
    11. `RowMaker` completes them (`post_process`), conforms them to the schema, keys them.
    12. A stream that is read oldest first puts its rows into a `Spool`, which orders them.
    13. `Sync` writes lines to the `Outlet`, a parent's row first, then its children's lists.
    14. `Bookmark` moves with each row that is complete; `Checkpoints` says so, now and then.
    15. At the end `Reading.finish` says what became of the stream, in its `Tally`, and
        `Run` sends ACTIVATE_VERSION where all rows are sure to have come.

What the state remembers stands at `run.bookmarks.Entry`. What is promised, where that is kept and
which test fails without it stands in INVARIANTS.md beside this file.
"""
