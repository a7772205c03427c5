"""The command line: `python -m pipelines --help`. Arguments in, words out; no logic.

Exit codes: 0 done, 1 the data failed a check (the last good build is untouched), 2 wrong use, 3 done but a file or a
source was left out.
"""

import argparse
import contextlib
import csv
import io
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text

from pipelines import settings, store
from pipelines.contracts import contracts
from pipelines.errors import DataError, FetchError, UsageError
from pipelines.settings import Settings
from pipelines.web import Edge

DONE, FAILED, MISUSED, LEFT_OUT = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    parser = _parser()
    options, words = parser.parse_known_args(arguments)
    strange = [w for w in words if w.startswith("-")] if options.run is _import else words
    if strange:
        parser.error(f"these words mean nothing here: {' '.join(strange)}")
    options.words = words
    try:
        chosen = settings.from_environment(options.data)
        run: Callable[[argparse.Namespace, Settings], int] = options.run
        with _kept(chosen) if run in WRITING else contextlib.nullcontext():
            return run(options, chosen)
    except UsageError as error:
        print(f"Error: {error}", file=sys.stderr)
        return MISUSED
    except (DataError, FetchError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        return DONE
    except duckdb.Error as error:
        said = " ".join(str(error).split())
        print(f"Error: the database engine failed: {said}. {store.way_out(error)}".rstrip(), file=sys.stderr)
        return FAILED
    except OSError as error:
        said = f"{error.filename or 'the data folder'}: {error.strerror or error}."
        print(f"Error: {said} {store.way_out(error)}".rstrip(), file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines",
        description="From registry and PubMed dumps to a warehouse of registration and reporting status.",
    )
    parser.add_argument("--data", metavar="DIR", help="the data folder (default: data/ in the repository)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    # Words and options of an import stand in any order, which argparse cannot take: main() collects the words.
    command = commands.add_parser(
        "import",
        help="take dump files into the raw archive as a snapshot",
        usage="%(prog)s SOURCE --date YYYY-MM-DD [--scope partial|full] [--baseline] FILE... | --list CSV | --incoming",
        epilog="SOURCE is ctgov or pubmed; FILE... are dump files as the source served them.",
    )
    command.add_argument("--date", help="the day on which the source served the files, YYYY-MM-DD")
    command.add_argument("--scope", choices=("partial", "full"), default="partial",
                         help="full: what the files lack is gone; partial (default): they add and update")  # fmt: skip
    command.add_argument("--baseline", action="store_true",
                         help="pubmed: files of a yearly baseline; with --scope full: all of it")  # fmt: skip
    command.add_argument("--list", type=Path, metavar="CSV", help="import what a list names, as `sample` writes one")
    command.add_argument("--incoming", action="store_true",
                         help="take what was dropped into DIR/incoming/<source>/; see docs/operations.md")  # fmt: skip
    command.set_defaults(run=_import)

    command = commands.add_parser("fetch", help="fetch what a source has that the archive has not, as a snapshot")
    command.add_argument("source", help="a source that allows unattended access")
    command.add_argument("--full", action="store_true", help="all of it, not only what is new")
    command.add_argument("--history", nargs="+", default=(), metavar="NUMBER",
                         help="ctgov: every version of these records, instead")  # fmt: skip
    command.add_argument("--pmid", nargs="+", default=(), metavar="PMID", help="pubmed: these articles, instead")
    command.add_argument("--accept-drop", action="store_true",
                         help="take in a snapshot although it holds far fewer records than the last one")  # fmt: skip
    command.set_defaults(run=_fetch)

    command = commands.add_parser("build", help="build, check and switch in the warehouse of a day")
    command.add_argument("--as-of", required=True, metavar="YYYY-MM-DD")
    command.add_argument(
        "--profile",
        default="",
        metavar="NAME",
        help="judge by a published tracker's conventions, beside the warehouse; see docs/policies.md",
    )
    command.set_defaults(run=_build)

    command = commands.add_parser("night", help="fetch every source that can be, build, and switch the warehouse")
    command.add_argument("--as-of", metavar="YYYY-MM-DD",
                         help="the day to build for (default: today, on which the snapshots are dated)")  # fmt: skip
    command.set_defaults(run=_night)

    command = commands.add_parser("alert", help="send a trial alert wherever the settings name, to see that it arrives")
    command.set_defaults(run=_alert)

    command = commands.add_parser("prune", help="show, or with --yes remove, what the data folder does not need")
    command.add_argument("--keep", type=int, default=3, metavar="N", help="builds that stay besides the warehouse")
    command.add_argument("--keep-releases", type=int, default=60, metavar="N",
                         help="releases that stay besides the latest one and the first of each month")  # fmt: skip
    command.add_argument("--give-up-replaced-years", action="store_true",
                         help="also years of PubMed that later baselines replaced: accounts go too")  # fmt: skip
    command.add_argument("--snapshot", nargs="+", default=(), metavar="SOURCE/ID",
                         help="also these snapshots, which brought wrong data; see docs/operations.md")  # fmt: skip
    command.add_argument("--yes", action="store_true", help="remove it; without this nothing is touched")
    command.set_defaults(run=_prune)

    command = commands.add_parser("release", help="make the public dataset of the warehouse, and send it where set")
    command.set_defaults(run=_release)
    actions = command.add_subparsers(metavar="ACTION")
    action = actions.add_parser("verify", help="check a release that was made or downloaded: every file, key and row")
    action.add_argument("folder", type=Path, metavar="DIR")
    action.set_defaults(run=_release_verify)
    action = actions.add_parser("repeat", help="make a release again, aside, and say which files came out otherwise")
    action.add_argument("name", metavar="DATE")
    action.set_defaults(run=_release_repeat)
    action = actions.add_parser("point", help="make an earlier release the latest one, and send the pointer where set")
    action.add_argument("name", metavar="DATE")
    action.set_defaults(run=_release_point)

    command = commands.add_parser("store", help="bring or send what lies durably at ALLTRIALS_STORE")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    action = actions.add_parser("bring", help="bring what the data folder lacks; commands that write do so first")
    action.set_defaults(run=_store_bring)
    action = actions.add_parser("send", help="send what the store lacks; commands that write do so at their end")
    action.set_defaults(run=_store_send)

    command = commands.add_parser("site", help="make the web page of a release and switch it in")
    command.add_argument("--release", default="latest", metavar="DATE", help="of which release (default: the latest)")
    command.add_argument("--out", type=Path, metavar="DIR", help="where it goes (default: site in the data folder)")
    command.set_defaults(run=_site)

    command = commands.add_parser("serve", help="serve the web page and the releases on this machine")
    command.add_argument("--port", type=int, default=8000, metavar="N", help="0 takes any that is free")
    command.set_defaults(run=_serve)

    command = commands.add_parser("query", help="run SQL on the warehouse or on a release, read-only")
    command.add_argument("sql")
    command.add_argument("--release", metavar="DATE", help="on a release: its date, or `latest`")
    command.add_argument("--format", choices=("table", "csv", "json"), default="table")
    command.set_defaults(run=_query)

    command = commands.add_parser("explain", help="explain one trial or article, by any of its numbers in any spelling")
    command.add_argument("number")
    command.set_defaults(run=_explain)

    command = commands.add_parser(
        "review", help="write the trials of a condition and intervention, with results and missing, as CSV and Markdown"
    )
    command.add_argument("condition", nargs="?", default="", help="in words: a MeSH term or any other")
    command.add_argument("--intervention", default="", metavar="WORDS")
    command.add_argument("--match", type=Path, metavar="CSV",
                         help="your own list: registration numbers, DOIs or PMIDs in any of its columns")  # fmt: skip
    command.add_argument("--policy", default="alltrials-summary", metavar="ID", help="whose due dates count")
    command.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="where the two files go (default: here)"
    )
    command.set_defaults(run=_review)

    command = commands.add_parser("sample", help="write the synthetic sample world in the sources' own formats")
    command.add_argument("--trials", type=int, default=2000, metavar="N")
    command.add_argument("--out", type=Path, required=True, metavar="DIR")
    command.add_argument("--seed", type=int, default=1, metavar="S")
    command.set_defaults(run=_sample)

    command = commands.add_parser("audit", help="report fields of dump files that no contract knows")
    command.add_argument("source")
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    command.set_defaults(run=_audit)

    command = commands.add_parser("docs", help="write the generated documents")
    command.add_argument("--check", action="store_true", help="only check that they are current")
    command.set_defaults(run=_docs)
    return parser


def _import(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import importing, snapshots, summary

    if options.incoming:
        dropped = importing.drop_in(chosen.data, datetime.now(UTC))
        for line in summary.dropped_lines(dropped):
            print(line)
        return LEFT_OUT if dropped.left else DONE
    if options.list:
        wanted = importing.read_list(options.list)
    elif options.words and options.date:
        source, *files = options.words
        day = importing.parse_day(options.date)
        wanted = [importing.Import(source, day, tuple(map(Path, files)), options.scope, options.baseline)]
    else:
        raise UsageError("Say what to import: SOURCE --date YYYY-MM-DD FILE..., or --list CSV, or --incoming.")
    for item in wanted:
        snapshot, is_new = importing.take(chosen.data, item)
        what = snapshots.sentence(snapshot)
        print(f"imported {what}" if is_new else f"already imported, nothing changed: {what}")
    return DONE


def _fetch(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import fetching

    if (options.history and options.source != "ctgov") or (options.pmid and options.source != "pubmed"):
        raise UsageError("--history is for ctgov, --pmid for pubmed.")
    wish = fetching.Wish(options.full, (*options.history, *options.pmid), options.accept_drop)
    came = 0
    with _progress() as say:
        for taken in fetching.fetch(chosen, options.source, _edge(), say, wish):
            came += 1
            print(fetching.sentence(taken))
    if not came:
        print(f"nothing new of {options.source}")
    return DONE


def _night(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import alerts, cluster, importing, nights, progress, summary, working_copy

    edge = _edge()
    as_of = importing.parse_day(options.as_of) if options.as_of else edge.now().date()
    subject = f"the night of {as_of} failed"
    with _progress() as say, alerts.on_failure(chosen, subject, say), working_copy.kept(chosen, say):
        told = progress.watch(say, time.monotonic)
        night = nights.night(chosen, as_of, edge, say, told, cluster.spread(chosen))
    for line in summary.night_lines(night):
        print(line)
    if not (troubles := summary.troubles(night)):
        return DONE
    alerts.send(chosen, f"the night of {as_of} is incomplete", troubles, _complain)
    return LEFT_OUT


def _alert(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import alerts

    if not (chosen.alert_webhook or chosen.alert_mail):
        raise UsageError("Nobody is alerted: set ALLTRIALS_ALERT_WEBHOOK or ALLTRIALS_ALERT_MAIL.")
    has_gone = alerts.send(
        chosen, "a trial alert", ["Nothing has happened: somebody tried whether alerts arrive."], _complain
    )
    return DONE if has_gone else FAILED


def _complain(text: str) -> None:
    print(f"Error: {text}", file=sys.stderr)


def _prune(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import pruning, working_copy

    if options.keep < 0 or options.keep_releases < 0:
        raise UsageError("--keep is a number of builds, --keep-releases one of releases, 0 or more.")
    with _kept(chosen) if options.yes else contextlib.nullcontext():
        elsewhere = working_copy.builds_elsewhere(chosen, options.keep)  # before what is here goes
        going = pruning.prune(
            chosen.data,
            _edge().now().date(),
            keep=options.keep,
            keep_releases=options.keep_releases,
            gives_up_years=options.give_up_replaced_years,
            wrong=options.snapshot,
            is_meant=options.yes,
        )
        if options.yes:
            working_copy.send(chosen, print, gone=[*(one.path for one in going), *elsewhere])
    verb = "removed" if options.yes else "would remove"
    for path in elsewhere:
        print(f"{verb} {path.relative_to(chosen.data)}, which only the store has")
    for one in going:
        print(f"{verb} {one.path.relative_to(chosen.data)} ({one.bytes:,} bytes): {one.why}")
    if any(one.is_given_up for one in going):
        print(pruning.GIVEN_UP)
    total = f"{len(going):,} item(s), {sum(one.bytes for one in going):,} bytes"
    print(f"Removed: {total}." if options.yes else f"Nothing was removed: {total} would go. Add --yes to remove them.")
    return DONE


def _release(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import working_copy
    from pipelines.release import making, publishing

    released = making.release(chosen, _edge().now())
    print(making.sentence(released))
    working_copy.send(chosen, print)  # what is published is kept first
    if chosen.releases_to:
        publishing.publish(chosen, print)
    return DONE


def _release_verify(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines.release import verifying

    found = verifying.troubles(options.folder, chosen)
    for line in found:
        _complain(line)
    if not found:
        print(f"{options.folder}: every file, row, key and reference is as released.")
    return FAILED if found else DONE


def _release_repeat(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines.release import making

    others = making.repeat(chosen, options.name)
    if others:
        raise DataError(
            f"Release {options.name} came out otherwise in {', '.join(others)}: was the program another one?"
        )
    print(f"Release {options.name} came out the same, byte for byte.")
    return DONE


def _release_point(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import working_copy
    from pipelines.release import making, publishing

    making.point(chosen, options.name)
    print(f"The latest release is {options.name}.")
    working_copy.send(chosen, print)
    if chosen.releases_to:
        publishing.publish(chosen, print)
    return DONE


def _site(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines.site import making

    print(f"made the web page in {making.place(chosen, options.release, options.out)}")
    return DONE


def _serve(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import serving, site

    if not (chosen.data / site.FOLDER).exists():
        raise UsageError(f"There is no web page in {chosen.data}: make it with `site` first.")
    with serving.server(chosen.data, options.port) as running, contextlib.suppress(KeyboardInterrupt):
        print(f"http://{serving.LOOPBACK}:{running.server_address[1]}/  (Ctrl-C ends it)", flush=True)
        running.serve_forever()
    return DONE


def _store_bring(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import working_copy

    _check_store(chosen)
    if not working_copy.bring(chosen, print):
        raise UsageError(
            "Nothing is there: ALLTRIALS_STORE holds no current.json. Look whether the address is the right one; where "
            "it is, `store send` begins the store."
        )
    print(f"{chosen.data} is a working copy of the store.")
    return DONE


def _store_send(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import working_copy

    _check_store(chosen)
    working_copy.send(chosen, print)
    print(f"The store holds all of {chosen.data} that is kept.")
    return DONE


def _check_store(chosen: Settings) -> None:
    if not chosen.store:
        raise UsageError("There is no store: set ALLTRIALS_STORE to a folder or to s3://bucket/prefix.")


def _kept(chosen: Settings) -> contextlib.AbstractContextManager[None]:
    """What a command that writes stands between: the store's state before it, what is new to the store after it."""
    if not chosen.store:
        return contextlib.nullcontext()
    from pipelines import working_copy

    return working_copy.kept(chosen, lambda text: print(text, file=sys.stderr, flush=True))


def _edge() -> Edge:
    return Edge(now=lambda: datetime.now(UTC), sleep=time.sleep, random=random.random)


def _build(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import build, cluster, importing, progress, summary

    as_of = importing.parse_day(options.as_of)
    with _progress() as say:
        told = progress.watch(say, time.monotonic)
        built = build.build(chosen, as_of, say=say, told=told, profile=options.profile, spread=cluster.spread(chosen))
    for line in summary.lines(built):
        print(line)
    return LEFT_OUT if built.left_out else DONE


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A live line on a terminal; elsewhere one plain line per step."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: print(text, file=sys.stderr, flush=True)
        return
    with console.status("starting") as status:

        def say(text: str) -> None:
            status.update(text)
            if text.startswith(("read ", "could not read ")):
                console.log(text, _stack_offset=2)

        yield say


def _query(options: argparse.Namespace, chosen: Settings) -> int:
    with _database(options, chosen) as connection:
        connection.execute("SET enable_external_access = false")
        try:
            cursor = connection.execute(options.sql)
            if cursor is None:
                raise UsageError("The query is empty.")
            names = [column[0] for column in cursor.description or ()]
            if options.format == "table":
                _print_table(names, cursor.fetchall())
            elif options.format == "csv":
                _print_csv(names, cursor.fetchall())
            elif len(set(names)) < len(names):
                raise UsageError("Two columns have the same name, which JSON cannot hold: name them apart with AS.")
            else:
                rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
                print(json.dumps(rows, default=str, ensure_ascii=False, indent=1))
        except duckdb.Error as error:
            raise UsageError(f"The query failed: {' '.join(str(error).split())}") from None
    return DONE


def _database(
    options: argparse.Namespace, chosen: Settings
) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
    if not options.release:
        return store.open_warehouse(chosen.data)
    from pipelines import build
    from pipelines.release import shelf

    return store.open_database(shelf.named(chosen.data, options.release) / build.DATABASE)


def _print_csv(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    for row in (names, *rows):
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow(row)  # so that a lone carriage return in a text is quoted too
        sys.stdout.write(line.getvalue().removesuffix("\r\n") + "\n")


def _print_table(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 200)
    table = RichTable(*map(escape, names))
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    console.print(table)
    console.print(f"{len(rows):,} row(s)")


def _explain(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import explain

    with store.open_warehouse(chosen.data) as connection:
        trials = explain.find(connection, options.number)
        articles = [] if trials else explain.find_articles(connection, options.number)
        if not trials and not articles:
            raise UsageError(f"No trial in the warehouse is known by the number {options.number!r}, and no article.")
        for trial_id in trials:
            for line in explain.explain(connection, trial_id):
                print(line)
        for pmid in articles:
            for line in explain.explain_article(connection, pmid):
                print(line)
    return DONE


def _review(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import review

    with store.open_warehouse(chosen.data) as connection:
        told = review.review(connection, options.condition, options.intervention, options.policy, options.match)
    options.out.mkdir(parents=True, exist_ok=True)
    for suffix, text in (("csv", review.as_csv(told)), ("md", review.as_markdown(told))):
        path = options.out / f"{told.name}.{suffix}"
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    for line in review.counts(told):
        print(line)
    return DONE


def _sample(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import sample

    if options.trials < 1:
        raise UsageError("--trials is at least 1.")
    made = sample.write_sample(options.out, options.trials, options.seed)
    print(f"wrote {made.trials:,} trials, {made.articles:,} articles in {made.files:,} files to {options.out}")
    print(f"next: python -m pipelines import --list {options.out / 'imports.csv'}")
    print(f"then: python -m pipelines build --as-of {made.as_of}")
    return DONE


def _audit(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import staging

    if options.source not in contracts().sources:
        raise UsageError(f"There is no source {options.source!r}; the sources are {', '.join(contracts().sources)}.")
    audit = getattr(staging.module(options.source), "audit", None)
    if audit is None:
        raise UsageError(f"There is no audit of {options.source}: its format lets every field be unknown.")
    for file in options.files:
        unknown = audit(file)
        print(f"{file.name}: {len(unknown)} field(s) that no contract knows")
        for path, records in unknown.items():
            print(f"  {path}  in {records:,} record(s)")
    return DONE


def _docs(options: argparse.Namespace, chosen: Settings) -> int:
    from pipelines import docs

    if options.check:
        stale = docs.stale()
        if stale:
            names = ", ".join(docs.relative(p) for p in stale)
            raise DataError(f"{names} is not what the contracts say: run `python -m pipelines docs`.")
        return DONE
    for path in docs.write():
        print(f"wrote {docs.relative(path)}")
    return DONE


WRITING = (_import, _fetch, _build, _release, _release_point)
"""Commands that change what the data folder holds. A night sees to its store itself, so that somebody is alerted;
so does `prune`, which changes nothing unless told to."""


if __name__ == "__main__":
    sys.exit(main())
