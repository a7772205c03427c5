"""A tour of the dataset: `python docs/tour.py FOLDER`, where FOLDER holds a release (or `data/warehouse`).

Each cell (`# %%`) runs by itself in an editor or notebook that knows such cells. It needs DuckDB and nothing else.
"""

# %% Open it, read-only: one file holds all tables, with a description of each.
import sys
from pathlib import Path

import duckdb

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "data/warehouse")
release = duckdb.connect(str(folder / "alltrials.duckdb"), read_only=True)


def show(title: str, question: str) -> None:
    print(f"\n{title}\n")
    release.sql(question).show(max_width=150)


# %% What it rests on. Quote it with every figure.
show(
    "Sources, and how old they are",
    "SELECT source, snapshot, stale_days, state FROM sources WHERE snapshot IS NOT NULL",
)

# %% Where all trials stand: shares are of what is due, and the bounds are what cannot be judged.
show(
    "How many of the due trials are reported, under each policy?",
    """SELECT policy, due, reported, missing, cannot_judge, round(100 * reported_share) AS percent,
        round(100 * reported_share_low) AS at_least, round(100 * reported_share_high) AS at_most
    FROM reporting_summary ORDER BY policy""",
)

# %% One trial, all policies: a status, and the day by which results are due at the earliest and at the latest.
((trial,),) = release.sql(
    "SELECT min(trial_id) FROM reporting_status WHERE policy = 'alltrials-summary' AND status = 'overdue'"
).fetchall()
show(
    f"How is {trial} judged?",
    f"""SELECT policy, status, status_earliest, due_earliest, due_latest, decided_by
    FROM reporting_status WHERE trial_id = '{trial}' ORDER BY policy""",
)

# %% Why: every criterion with the value that was read, and where it was read. true, false, or empty: not known.
show(
    "Why?",
    f"""SELECT leg, outcome, value, registration_id, field FROM status_evidence
    WHERE trial_id = '{trial}' AND policy = 'alltrials-summary'""",
)

# %% A review's question. Empty is not no: a trial whose results could not be searched is not a trial without results.
show(
    "Trials of asthma that were completed, by what was found",
    """SELECT s.results, count(*) AS trials, sum(t.enrolment) FILTER (WHERE t.enrolment_type = 'actual') AS participants
    FROM find_trials('asthma', NULL) JOIN trial_standings AS s USING (trial_id) JOIN trials AS t USING (trial_id)
    WHERE s.completion = 'completed' GROUP BY ALL ORDER BY s.results""",
)

# %% Where trials of a condition are missing, and how many took part in them. Rows do not sum: a trial has several.
show(
    "Conditions with the most missing trials",
    """SELECT condition, due, missing, missing_none_found, none_found_actual AS participants FROM missing_by_condition
    WHERE policy = 'alltrials-summary' ORDER BY missing DESC, condition LIMIT 5""",
)

# %% And every table and column explains itself.
show(
    "What does `reporting_status.is_ambiguous` mean?",
    """SELECT comment FROM duckdb_columns()
    WHERE table_name = 'reporting_status' AND column_name = 'is_ambiguous'""",
)
