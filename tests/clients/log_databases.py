"""Runs the statements of docs/decision-log.md on the log in the current directory.

Usage: log_databases.py DOCUMENT duckdb|clickhouse

Prints a JSON object: for each query, its first line and its rows.
"""

import json
import re
import sys

document, database = sys.argv[1:]
HEADINGS = {"duckdb": "## With DuckDB", "clickhouse": "## With ClickHouse"}

with open(document, encoding="utf-8") as file:
    text = file.read()
section = text.split(HEADINGS[database], 1)[1].split("\n## ", 1)[0]
blocks = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
statements = [part.strip() for block in blocks for part in block.split(";\n") if part.strip()]
assert len(statements) >= 4, statements


def code(statement):
    """Returns a statement without the comments before it."""
    return re.sub(r"\A(--.*\n)+", "", statement).strip().rstrip(";")


def duckdb_rows():
    import duckdb

    connection = duckdb.connect()
    # The container may have more cores than the tests should use.
    connection.execute("SET threads = 2")
    for statement in statements:
        result = connection.execute(code(statement))
        names = [column[0] for column in result.description or []]
        yield statement, [dict(zip(names, row)) for row in result.fetchall()]


def clickhouse_rows():
    import os

    from chdb.session import Session

    session = Session()
    session.query("CREATE DATABASE test")
    session.query("USE test")
    for statement in statements:
        # Its files are those below its own directory.
        sql = code(statement).replace("file('decisions/", f"file('{os.getcwd()}/decisions/")
        if sql.startswith("SELECT"):
            lines = str(session.query(sql, "JSONEachRow")).splitlines()
            yield statement, [json.loads(line) for line in lines]
        else:
            session.query(sql)
            yield statement, []


rows = {"duckdb": duckdb_rows, "clickhouse": clickhouse_rows}[database]
print(json.dumps([{"query": statement.split("\n")[0], "rows": found} for statement, found in rows()], default=str))
