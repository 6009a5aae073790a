"""Answers one question with DuckDB on cases of its own, as often as it is asked.

    month.py CASES MONTH [--threads N]

CASES is a CSV file of office, matter, state and day of acceptance. They are read into a table once. Each line of
standard input then runs the question; each answer is a line of JSON: seconds, and the cells on the first.
"""

import argparse
import json
import sys
import time

import duckdb

QUESTION = """
    select office_id, matter_type, count(*) from cases
     where state <> 'withdrawn' and accepted_on >= ?::date and accepted_on < ?::date + interval 1 month
     group by office_id, matter_type order by office_id, matter_type
"""


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("cases")
    arguments.add_argument("month")
    arguments.add_argument("--threads", type=int, default=2)
    options = arguments.parse_args()
    connection = duckdb.connect()
    connection.execute(f"set threads = {options.threads}")
    # In the order of days, which lets whole row groups be passed over: the best that a table can be stored.
    connection.execute(
        "create table cases as select * from read_csv(?, header = false, names = ['office_id', 'matter_type', 'state',"
        " 'accepted_on'], types = ['varchar', 'varchar', 'varchar', 'date']) order by accepted_on",
        [options.cases],
    )
    for _ in sys.stdin:
        started = time.perf_counter()
        cells = connection.execute(QUESTION, [options.month, options.month]).fetchall()
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "cells": cells}), flush=True)


if __name__ == "__main__":
    main()
