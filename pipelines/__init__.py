"""What is done: reading dumps, identity, rules, release. Plain Python and SQL; knows no Dagster."""
