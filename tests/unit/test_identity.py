"""Which records are one trial, through real readers and queries: what each kind of evidence does, and what a trial says.

The rules of the union by themselves are in `test_union.py`, ids over time in `test_ledger.py`.
"""

import csv
import io
import json
import re
from collections import defaultdict
from datetime import date
from itertools import combinations

import pytest

from pipelines import explain, validation
from pipelines.contracts import contracts
from pipelines.identity import ledger
from pipelines.identity.ledger import Event
from tests import worlds
from tests.worlds import AS_OF, article, article_set, put_file, put_studies, rows, tables

SHAPES = {
    "N": "NCT9{:0>7}", "E": "2090-0{:0>5}-17", "C": "2090-5{:0>5}-17", "I": "ISRCTN9{:0>7}", "D": "DRKS9{:0>7}",
    "A": "ACTRN126{:0>11}", "R": "RPCEC9{:0>7}", "Z": "ISRCTN12345678",
}  # fmt: skip
"""Numbers of the registers by the letter that stands for them in a case."""

REGISTERS = dict(I="ISRCTN", Z="ISRCTN", D="German Clinical Trials Register", A="ANZCTR", R="RPCEC")
"""As the portal names them."""

RESULTS_PAGE = (
    ",trial_id,global_end_of_trial_date,first_version_date,this_version_date,trial_countries,results_type,"
    "recruitment_countries,trial_start_date,error"
)


def number(case, label):
    """The number that stands behind a label, I1 or I2, in the case of that place."""
    if label[0] == "U":
        return f"U1111-9{case:03}-000{label[1]}"
    return SHAPES[label[0]].format(f"{case}{label[1]}")


def filled(case, text):
    """The text with the numbers in the place of their labels in braces, and the case's own number at {case}."""
    return re.sub(r"\{([A-Z]\d)\}", lambda match: number(case, match[1]), text.replace("{case}", str(case)))


class Put:
    """The records of all cases, gathered by the source that will read them."""

    def __init__(self):
        self.studies, self.portal, self.euctr, self.results, self.ctis, self.drks, self.articles = (
            [] for _ in range(7)
        )

    def record(self, case, label, says):
        """The letter of the label says which register's record it is (P: an article), `says` what is not as usual.

        Everywhere: names (numbers that the record states; on ClinicalTrials.gov also (number, type)), title, code, sponsor.
        ClinicalTrials.gov: aliases, text, what `worlds.study` takes. EUCTR: countries, results (end, day of posting), refreshed. CTIS:
        submissions, ended. Portal: start, registered, enrolment, status, shows_results. A DRKS record with its completion
        (day, whether it has come) is read from DRKS itself.
        """
        says = dict(says)
        says["names"] = [
            (filled(case, n[0]), n[1]) if isinstance(n, tuple) else (filled(case, n), "OTHER")
            for n in says.pop("names", ())
        ]
        says = {key: filled(case, value) if isinstance(value, str) else value for key, value in says.items()}
        kinds = {"N": self._study, "E": self._protocol, "C": self._application, "P": self._article}
        take = self._trial if "completion" in says else kinds.get(label[0], self._row)
        take(case, label, says)

    def _study(self, case, label, says):
        ids = {"secondaryIdInfos": [{"id": n, "type": kind} for n, kind in says.pop("names")]}
        ids["orgStudyIdInfo"] = {"id": says.pop("code", f"EX-{case}-{label}")}
        ids["nctIdAliases"] = [number(case, a) for a in says.pop("aliases", ())]
        ids["briefTitle"] = says.pop("title", "Invented study")
        texts = {"identificationModule": ids, "descriptionModule": {"detailedDescription": says.pop("text", None)}}
        told = int(number(case, label)[4:])
        self.studies.append(worlds.study(told, extra={"protocolSection": texts}, **says))

    def _protocol(self, case, label, says):
        for country in says.get("countries", ("DE",)):
            self.euctr.append(self._text(number(case, label), country, says))
        if "refreshed" in says:  # the portal passes the record on as well
            self.portal.append({
                "TrialID": f"EUCTR{number(case, label)}-DE", "Source Register": "EU Clinical Trials Register",
                "Last Refreshed on": says["refreshed"],
            })  # fmt: skip
        if "results" in says:
            end, posted = says["results"]
            self.results.append(f"0,{number(case, label)},{end},{posted},{posted},['DE'],Tabular,{{'Germany': 20}},,")

    def _text(self, eudract, country, says):
        others = "".join(f"A.5.4 Other Identifiers:\nName: other Number: {n}\n" for n, _ in says["names"])
        return (
            f"Summary\nEudraCT Number: {eudract}\nClinical Trial Type: EEA CTA\n"
            "Date on which this record was first entered in the EudraCT database: 2020-03-01\n"
            f"Link: https://www.clinicaltrialsregister.eu/ctr-search/trial/{eudract}/{country}/\n\n"
            f"A. Protocol Information\nA.2 EudraCT number: {eudract}\n"
            f"A.3 Full title of the trial: {says.get('title', 'Invented study')}\n"
            f"A.4.1 Sponsor's protocol code number: {says.get('code', f'{eudract}-{country}')}\n{others}\n"
            f"B. Sponsor Information\nB.1.1 Name of Sponsor: {says.get('sponsor', 'Example University')}\n\n"
            f"P. End of Trial\nP. End of Trial Status: {says.get('status', 'Ongoing')}\n\n"
        )

    def _application(self, case, label, says):
        stated = [n for n, _ in says["names"]]
        eudract = [n for n in stated if "-0" in n and n.startswith("2090")]
        part = {
            "sponsors": [{"primary": True, "organisation": {"name": says.get("sponsor", "Example University")}}],
            "trialDetails": {
                "clinicalTrialIdentifiers": {
                    "fullTitle": says.get("title", "Invented study"),
                    "secondaryIdentifyingNumbers": {
                        "additionalRegistries": [{"number": n} for n in stated if n not in eudract]
                    },
                }
            },
        }
        application = {"authorizedPartI": part, "eudraCt": {"eudraCtCode": "".join(eudract)}}
        for submission in says.get("submissions", ("00",)):
            found = {"ctNumber": f"{number(case, label)}-{submission}", "authorizedApplication": application}
            end = {"endDateEU": says["ended"], "lastUpdated": says["updated"]} if "ended" in says else {}
            self.ctis.append(found | end | {"ctPublicStatusCode": 8 if end else 5})

    def _row(self, case, label, says):
        self.portal.append({
            "TrialID": number(case, label),
            "Source Register": REGISTERS[label[0]],
            "Public title": says.get("title", "Invented study"),
            "Primary sponsor": says.get("sponsor", "Example University"),
            "Date registration3": says.get("registered", "20200201"),
            "Date enrollement": says.get("start", ""),
            "Target size": str(says.get("enrolment", "")),
            "Recruitment Status": says.get("status", "Recruiting"),
            "Secondary ID": ";".join([says.get("code", ""), *(n for n, _ in says["names"])]),
            "Last Refreshed on": says.get("updated", "1 June 2023"),
            "results yes no": says.get("shows_results", ""),
        })  # fmt: skip

    def _trial(self, case, label, says):
        day, has_come = says["completion"]
        recruitment = {"status": "PENDING", "plannedParticipants": says.get("enrolment")}
        recruitment["actualCompletionDate" if has_come else "scheduledCompletionDate"] = day
        stated = [{"value": n} for n, _ in says["names"]]
        self.drks.append(
            {"drksId": number(case, label), "lastUpdate": says["updated"], "recruitment": recruitment}
            | {"registrationDrks": says.get("registered"), "otherSecondaryIds": stated}
        )

    def _article(self, case, _, says):
        says = {key: [filled(case, n) for n in value] if key == "bank" else value for key, value in says.items()}
        del says["names"]
        self.articles.append(article(900000000 + case, **says))

    def into(self, data, day=AS_OF):
        if self.studies:
            put_studies(data, day, self.studies)
        if self.portal:
            out = io.StringIO()
            writer = csv.DictWriter(out, list(self.portal[0]))
            writer.writeheader()
            writer.writerows(self.portal)
            put_file(data, "ictrp", day, "portal.csv", out.getvalue())
        if self.euctr:
            put_file(data, "euctr", day, "protocols.txt", "".join(self.euctr))
        if self.results:
            put_file(data, "euctr", day, "results.csv", "\n".join([RESULTS_PAGE, *self.results, ""]))
        if self.drks:
            put_file(data, "drks", day, "trials.json", json.dumps(self.drks))
        if self.ctis:
            put_file(data, "ctis", day, "applications.json", json.dumps(self.ctis))
        if self.articles:
            put_file(data, "pubmed", day, "pubmed24n0001.xml", article_set(*self.articles), "full", baseline=True)


LONG = "An invented drug against an invented disease no. {case}"
KNEE = dict(sponsor="Riverside Hospital", title="Knee exercise after falling")
FEVER = dict(sponsor="Vaccine Foundation Ltd", title="Malaria vaccine for infants")
GRANTS = ("NIH", "FDA", "VA", "CDC", "AHRQ", "SAMHSA", "OTHER_GRANT")

CASES = {
    # case -> (what each record says, trials of several records with the one that names them first, links)
    # --- numbers in fields
    "each names the other": (
        dict(N1=dict(names=["{I1}"]), I1=dict(names=["{N1}"])), ["N1 I1"], ["I1 N1 names_each_other merged"]),
    "one names the other": (dict(N1={}, I1=dict(names=["{N1}"])), ["N1 I1"], ["I1 N1 named merged"]),
    "a number with words around it": (
        dict(N1=dict(names=["ISRCTN-Register: {I1} (UK)"]), I1={}), ["N1 I1"], ["I1 N1 named merged"]),
    **{f"a number beside words of its register: {words}": (
        dict(N1={}, I1=dict(names=[words])), ["N1 I1"], ["I1 N1 named merged"])
       for words in ("ClinicalTrials.gov identifier: {N1}", "{N1} (United States)", "U.S. National Library of Medicine, no. {N1}",
                     "https://clinicaltrials.gov/study/{N1}")},
    **{f"a text in a field for numbers: {words}": (
        dict(N1={}, I1=dict(names=[words])), [], ["I1 N1 mentioned candidate free_text_alone"])
       for words in ("Sub-study of {N1}", "{N1} (parent study)", "see {N1}", "part of {N1}", "extension of the trial {N1}",
                     "{N1}, 2019-1")},
    "a text in a field for numbers and an equal title": (
        dict(N1=dict(title=f"The {LONG}"), I1=dict(names=["Same as {N1}"], title=LONG)), ["N1 I1"],
        ["I1 N1 mentioned_and_alike merged"]),
    "a text that names a universal number": (
        dict(N1=dict(names=["{U1}"]), I1=dict(names=["Sub-study of {U1}"])), [], []),
    "one register in two spellings": (
        dict(N1=dict(names=["{I1}", "isrctn {I1}", "{D1}", "{D1} (DRKS)"]), I1={}, D1={}), ["N1 D1 I1"],
        ["I1 N1 named merged", "D1 N1 named merged"]),
    "two numbers in one field": (dict(N1=dict(names=["{I1} / {D1}"]), I1={}, D1={}), [], []),
    "a record that names itself": (dict(N1=dict(names=["{N1}"]), I1=dict(names=["{I1}"])), [], []),
    "a number that is not loaded": (dict(N1=dict(names=["{I1}"]), D1=dict(names=["{I1}"])), [], []),
    "a grant is no number of a trial": (
        dict(N1=dict(names=[("{I1}", kind) for kind in GRANTS]), I1={}), [], []),
    "a register's number without its shape": (
        dict(N1=dict(names=[("IDF-RCB 2019-A01234-53", "REGISTRY")]), I1={}), [], []),
    "empty titles and no start": (
        dict(E1=dict(title="", names=["{I1}"]), I1=dict(title="", sponsor="")), ["I1 E1"], ["E1 I1 named merged"]),
    # --- two numbers of one register
    "two numbers of one register, nobody wins": (
        dict(N1={}, N2={}, I1=dict(names=["{N1}", "{N2}"])), [],
        ["I1 N1 named candidate two_ids_of_one_register", "I1 N2 named candidate two_ids_of_one_register"]),
    "the one that names back stands": (
        dict(N1={}, N2=dict(names=["{I1}"]), I1=dict(names=["{N1}", "{N2}"])), ["N2 I1"],
        ["I1 N1 named candidate two_ids_of_one_register", "I1 N2 names_each_other merged"]),
    "a parent in the same register": (
        dict(N1={}, N2=dict(names=["{N1}"])), [], ["N1 N2 named candidate same_register"]),
    "two that ran and name each other": (
        dict(N1=dict(names=["{N2}"]), N2=dict(names=["{N1}"])), [], ["N1 N2 names_each_other candidate same_register"]),
    "withdrawn and registered again": (
        dict(N1=dict(names=["{N2}"], status="WITHDRAWN"), N2=dict(names=["{N1}"])), ["N1 N2"],
        ["N1 N2 registered_again merged"]),
    "withdrawn, registered again, and elsewhere": (
        dict(N1=dict(names=["{N2}"], status="WITHDRAWN"), N2=dict(names=["{N1}"]), I1=dict(names=["{N1}", "{N2}"])),
        ["N1 I1 N2"], ["N1 N2 registered_again merged", "I1 N1 named merged", "I1 N2 named merged"]),
    "withdrawn and registered again years later": (
        dict(N1=dict(names=["{N2}"], status="WITHDRAWN", start="2012-01-01"), N2=dict(names=["{N1}"])), ["N1 N2"],
        ["N1 N2 registered_again merged"]),
    "both withdrawn": (
        dict(N1=dict(names=["{N2}"], status="WITHDRAWN"), N2=dict(names=["{N1}"], status="WITHDRAWN")), [],
        ["N1 N2 names_each_other candidate same_register"]),
    # --- aliases
    "an obsolete number that is loaded": (dict(N1={}, N2=dict(aliases=["N1"])), ["N1 N2"], ["N1 N2 alias merged"]),
    "an obsolete number greater than the new one": (
        dict(N1=dict(aliases=["N2"]), N2={}), ["N1 N2"], ["N1 N2 alias merged"]),
    "an obsolete number that is not loaded": (
        dict(N2=dict(aliases=["N1"]), I1=dict(names=["{N1}"])), ["N2 I1"], ["I1 N2 named merged"]),
    "an obsolete number listed twice": (
        dict(N2=dict(aliases=["N1", "N1"]), I1=dict(names=["{N1}"])), ["N2 I1"], ["I1 N2 named merged"]),
    "a number that replaces itself": (dict(N1=dict(aliases=["N1"])), [], []),
    "two numbers that replace each other": (
        dict(N1=dict(aliases=["N2"]), N2=dict(aliases=["N1"])), ["N1 N2"], ["N1 N2 alias merged"]),
    "an obsolete number that two replace": (
        dict(N2=dict(aliases=["N1"]), N3=dict(aliases=["N1"]), I1=dict(names=["{N1}"])), [], []),
    "what an obsolete record still names": (
        dict(N1=dict(names=["{I1}"]), N2=dict(aliases=["N1"]), I1={}), ["N1 I1 N2"],
        ["N1 N2 alias merged", "I1 N1 named merged"]),
    # --- one number, several records
    "country suffixes of the EU register": (
        dict(E1=dict(countries=("DE", "GB")), N1=dict(names=["EUCTR{E1}-GB"])), ["N1 E1"], ["E1 N1 named merged"]),
    "resubmissions in CTIS": (
        dict(C1=dict(submissions=("00", "01")), N1=dict(names=["{C1}-01"])), ["N1 C1"], ["C1 N1 named merged"]),
    "from the former EU register to the present one": (
        dict(E1={}, C1=dict(names=["{E1}"])), ["E1 C1"], ["C1 E1 transition merged"]),
    "from the present EU register to the former one": (
        dict(E1=dict(names=["{C1}"]), C1={}), ["E1 C1"], ["C1 E1 named merged"]),
    "from one to the other, and in ClinicalTrials.gov": (
        dict(E1={}, C1=dict(names=["{E1}"]), N1=dict(names=["{E1}", "{C1}"])), ["N1 C1 E1"],
        ["C1 E1 transition merged", "E1 N1 named merged", "C1 N1 named merged"]),
    # --- umbrellas
    "three trials name a number": (
        dict(I1={}, **{n: dict(names=["{I1}"]) for n in ("N1", "D1", "A1")}), ["N1 A1 D1 I1"],
        ["A1 I1 named merged", "D1 I1 named merged", "I1 N1 named merged"]),
    "four trials name a number": (
        dict(I1={}, **{f"N{n}": dict(names=["{I1}"]) for n in range(1, 5)}), [],
        [f"I1 N{n} named vetoed umbrella" for n in range(1, 5)]),
    "country rows name a number once": (
        dict(I1={}, E1=dict(names=["{I1}"], countries=("DE", "FR", "GB")), N1=dict(names=["{I1}"])), ["N1 E1 I1"],
        ["E1 I1 named merged", "I1 N1 named merged"]),
    "four registrations of three trials name a number": (
        dict(I1={}, E1=dict(names=["{I1}"]), C1=dict(names=["{I1}", "{E1}"]), N1=dict(names=["{I1}"]),
             D1=dict(names=["{I1}"])), ["N1 C1 D1 E1 I1"],
        ["C1 E1 transition merged", "E1 I1 named merged", "C1 I1 named merged", "I1 N1 named merged", "D1 I1 named merged"]),
    # --- filler
    "numbers of zeros": (
        dict(N1=dict(names=["ISRCTN00000000", "2090-000000-00", "00000000"], code="000000"),
             I1=dict(names=["NCT00000000", "00000000"], code="000000")), [], []),
    "filler that is a number of the register": (dict(N1=dict(names=["{Z1}"]), Z1={}), [], []),
    "a universal number of zeros": (
        dict(N1=dict(names=["U0000-0000-0000"]), I1=dict(names=["U0000-0000-0000"])), [],
        ["I1 N1 universal_number vetoed placeholder"]),
    # --- universal numbers
    "one universal number": (
        dict(N1=dict(names=["{U1}"]), I1=dict(names=["UTN: {U1}"])), ["N1 I1"], ["I1 N1 universal_number merged"]),
    "one universal number beside one of zeros": (
        dict(N1=dict(names=["{U1}", "U1111-1111-1111"]), I1=dict(names=["{U1}", "U1111-1111-1111"])), ["N1 I1"],
        ["I1 N1 universal_number merged"]),
    "a universal number in many registers": (
        dict(**{n: dict(names=["{U1}"]) for n in ("N1", "D1", "A1", "R1", "I1")}), ["N1 A1 D1 I1 R1"],
        [f"{a} {b} universal_number merged" for a, b in combinations(("A1", "D1", "I1", "N1", "R1"), 2)]),
    "a universal number of a programme": (
        dict(**{f"N{n}": dict(names=["{U1}"]) for n in range(1, 5)}, I1=dict(names=["{U1}"])), [],
        ["I1 N1 universal_number vetoed umbrella",
         *(f"N{n} N{n + 1} universal_number vetoed umbrella" for n in range(1, 4))]),
    # --- pairs that must not join
    "a mistyped number": (
        dict(N1=FEVER, I1=KNEE | dict(names=["{N1}"])), [], ["I1 N1 named vetoed dissimilar"]),
    "a mistyped number that the other record names too": (
        dict(N1=FEVER | dict(names=["{I1}"]), I1=KNEE | dict(names=["{N1}"])), ["N1 I1"],
        ["I1 N1 names_each_other merged"]),
    "a mistyped number that the other record's text names too": (
        dict(N1=FEVER | dict(text="Also {I1}."), I1=KNEE | dict(names=["{N1}"])), ["N1 I1"], ["I1 N1 named merged"]),
    "one word of the titles in common": (
        dict(N1=FEVER, I1=KNEE | dict(names=["{N1}"], title="Exercise for infants")), ["N1 I1"], ["I1 N1 named merged"]),
    "a sponsor of similar name": (
        dict(N1=FEVER, I1=KNEE | dict(names=["{N1}"], sponsor="The Vaccine Fund")), ["N1 I1"], ["I1 N1 named merged"]),
    "a title without a telling word": (
        dict(N1=FEVER, I1=KNEE | dict(names=["{N1}"], title="A safety study")), ["N1 I1"], ["I1 N1 named merged"]),
    "starts three years apart": (
        dict(N1=dict(start="2020-01-16"), I1=dict(start="2017-01-15", names=["{N1}"])), ["N1 I1"], ["I1 N1 named merged"]),
    "starts further apart": (
        dict(N1=dict(start="2020-01-16", names=["{I1}"]), I1=dict(start="2017-01-14", names=["{N1}"])), [],
        ["I1 N1 names_each_other vetoed start_dates_apart"]),
    **{f"an extension called {words}": (
        dict(N1=dict(names=["{I1}"]), I1=dict(names=["{N1}"], title=f"Invented study, {words}")), [],
        ["I1 N1 names_each_other vetoed extension"])
       for words in ("open-label extension", "rollover", "Roll-Over", "long-term follow-up", "LONG TERM FOLLOW UP",
                     "long\u2010term follow\u2011up", "long\u2013term follow\u2013up", "long-term followup")},
    "an extension in both titles": (
        dict(N1=dict(title="Invented extension study"), I1=dict(names=["{N1}"], title="Extension, invented")), ["N1 I1"],
        ["I1 N1 named merged"]),
    # --- numbers in texts
    "a number in a text": (
        dict(N1=dict(text="Follows {I1}."), I1={}), [], ["I1 N1 mentioned candidate free_text_alone"]),
    "a number in a text and starts three years apart": (
        dict(N1=dict(start="2020-01-16", text="Follows {I1}."), I1=dict(start="2017-01-15")), [],
        ["I1 N1 mentioned candidate free_text_alone"]),
    "a number in a text and starts further apart": (
        dict(N1=dict(start="2020-01-16", text="Follows {I1}."), I1=dict(start="2017-01-14")), [],
        ["I1 N1 mentioned vetoed start_dates_apart"]),
    "a number in a title": (
        dict(N1={}, I1=dict(title="Follow-on of {N1}")), [], ["I1 N1 mentioned candidate free_text_alone"]),
    "a number in a text and an equal title": (
        dict(N1=dict(text="Also {I1}.", title=f"The {LONG}"), I1=dict(title=f"{LONG}.")), ["N1 I1"],
        ["I1 N1 mentioned_and_alike merged"]),
    "a number in a text and one sponsor's code": (
        dict(N1=dict(text="Also {I1}.", code="AB-10 22"), I1=dict(code="ab1022")), ["N1 I1"],
        ["I1 N1 mentioned_and_alike merged"]),
    "a number in a text and another sponsor's code": (
        dict(N1=dict(text="Also {I1}.", code="AB-1023"), I1=dict(code="AB-1023", sponsor="Another University")), [],
        ["I1 N1 mentioned candidate free_text_alone"]),
    "a number of the same register in a text": (
        dict(N1=dict(text="Follows {N2}.", title=LONG), N2=dict(title=LONG)), [],
        ["N1 N2 mentioned candidate same_register"]),
    "a number in a text and in a field": (
        dict(N1=dict(text="Also {I1}."), I1=dict(names=["{N1}"])), ["N1 I1"], ["I1 N1 named merged"]),
    "an umbrella in a text": (
        dict(I1={}, N5=dict(text="Within {I1}."), **{f"N{n}": dict(names=["{I1}"]) for n in range(1, 5)}), [],
        [*(f"I1 N{n} named vetoed umbrella" for n in range(1, 5)), "I1 N5 mentioned vetoed umbrella"]),
    # --- candidates
    "one sponsor's code": (
        dict(N1=dict(code="AB-2001"), I1=dict(code="AB 2001")), [], ["I1 N1 shared_code candidate shared_code"]),
    "one code of two sponsors": (dict(N1=dict(code="AB-2002"), I1=dict(code="AB-2002", sponsor="Another University")), [], []),
    "a code within one register": (dict(N1=dict(code="AB-2003"), N2=dict(code="AB-2003")), [], []),
    "a code of a programme": (dict(**{n: dict(code="AB-2004") for n in ("N1", "I1", "D1", "A1", "R1")}), [], []),
    "a code too short to tell": (dict(N1=dict(code="A-1"), I1=dict(code="A-1")), [], []),
    "a code and starts apart": (
        dict(N1=dict(code="AB-2005"), I1=dict(code="AB-2005", start="2012-01-01")), [],
        ["I1 N1 shared_code vetoed start_dates_apart"]),
    "equal titles": (
        dict(N1=dict(title=LONG), I1=dict(title=f"{LONG}.")), [],
        ["I1 N1 equal_title candidate equal_title"]),
    "equal titles of trials that disagree": (
        dict(N1=dict(title=LONG), I1=dict(title=LONG, start="2018-01-01"),
             D1=dict(title=LONG, sponsor="Another University"),
             A1=dict(title=LONG, enrolment=70)), [],
        ["A1 I1 equal_title candidate equal_title"]),
    "equal titles within one register": (
        dict(N1=dict(title=LONG), N2=dict(title=LONG)), [], []),
    "one article names both": (
        dict(N1={}, I1={}, P1=dict(abstract="Registered as {N1} and {I1}.")), [],
        ["I1 N1 one_publication candidate one_publication"]),
    "one article names both in its data bank": (
        dict(N1={}, N2={}, P1=dict(bank=["{N1}", "{N2}"])), [], ["N1 N2 one_publication candidate one_publication"]),
    "one article names both in its reference list": (
        dict(N1={}, I1={}, P1=dict(bank=["{N1}"], cited_numbers="{I1}")), [], []),
    "one article names four": (
        dict(**{n: {} for n in ("N1", "I1", "D1", "A1")}, P1=dict(bank=["{N1}", "{I1}", "{D1}", "{A1}"])), [], []),
    "one article names what is one trial": (
        dict(N1={}, I1=dict(names=["{N1}"]), D1=dict(names=["{N1}"]), P1=dict(bank=["{D1}", "{I1}"])), ["N1 D1 I1"],
        ["I1 N1 named merged", "D1 N1 named merged"]),
    "one article names what another veto keeps apart": (
        dict(N1=dict(names=["{I1}"], start="2020-01-16"), I1=dict(start="2012-01-14"), P1=dict(bank=["{N1}", "{I1}"])), [],
        ["I1 N1 named vetoed start_dates_apart"]),
    "similar titles": (
        dict(N1=dict(title=f"{LONG}, in adults", enrolment=77, start="2020-01-15"),
             I1=dict(title=f"{LONG}, in adult", enrolment=77, start="2020-01-20")), [],
        ["I1 N1 similar_title candidate similar_title"]),
    "similar titles of trials that do not all say enough": (
        dict(N1=dict(title=f"{LONG}, in children", enrolment=78), I1=dict(title=f"{LONG}, in childrens", enrolment=78)),
        [], []),
}  # fmt: skip


ENDED = dict(pcd="2021-03-10", cd="2021-06-10")
NO_END = dict(pcd=None, cd=None)
"""Of a study on ClinicalTrials.gov."""


def expected(day):
    return dict(pcd=(day, "ESTIMATED"), cd=(day, "ESTIMATED"))


MERGED = {
    # case -> (what each record says, what the trial says; a registration by its label)
    "the end by posted EU results": (
        dict(N1=ENDED | dict(names=["{E1}"], updated="2024-05-01"), E1=dict(results=("2021-12-31", "2022-05-22"))),
        dict(completion_from="E1", completion_raw="2021-12-31", primary_completion_from="N1", has_results=True,
             results_posted=date(2022, 5, 22), registered_from="N1")),
    "the end by the newest actual date": (
        dict(N1=ENDED | dict(updated="2023-01-01"), D1=dict(names=["{N1}"], completion=("2021-05-01", True), updated="2023-02-01")),
        dict(completion_from="D1", completion_raw="2021-05-01")),
    "the end by the actual date that was updated before": (
        dict(N1=ENDED | dict(updated="2023-03-01"), D1=dict(names=["{N1}"], completion=("2021-09-01", True), updated="2023-02-01")),
        dict(completion_from="N1", completion_raw="2021-06-10", completion_type="actual")),
    "an actual date before a newer one that is expected": (
        dict(N1=ENDED, D1=dict(names=["{N1}"], completion=("2027-05-01", False), updated="2024-02-01")),
        dict(completion_from="N1", completion_raw="2021-06-10")),
    "an actual date of another register, updated later": (
        dict(N1=ENDED | dict(names=["{C1}"]), C1=dict(ended="2024-01-31", updated="02/05/2024")),
        dict(completion_from="N1", completion_raw="2021-06-10")),
    "an actual date of another register alone": (
        dict(N1=expected("2027-03") | dict(names=["{C1}"]), C1=dict(ended="2024-01-31", updated="02/05/2024")),
        dict(completion_from="C1", completion_raw="2024-01-31", primary_completion_from="N1")),
    "the latest expected date": (
        dict(N1=expected("2027-03"), D1=dict(names=["{N1}"], completion=("2026-03-31", False), updated="2024-02-01")),
        dict(completion_from="N1", completion_raw="2027-03", completion_type="estimated")),
    "EU results without an end": (
        dict(N1=ENDED | dict(names=["{E1}"]), E1=dict(results=("", "2022-05-22"))),
        dict(completion_from="N1", has_results=True)),
    "the earliest registration": (
        dict(N1=dict(registered="2020-06-01", start="2020-03-10"), I1=dict(names=["{N1}"], registered="20200201", start="2020-03-10")),
        dict(registered=date(2020, 2, 1), registered_from="I1")),
    "the newest update speaks first": (
        dict(N1=dict(names=["{D1}"], updated="2023-01-01"), D1=dict(completion=("2021-05-01", True), updated="2023-06-01", enrolment=200)),
        dict(status_from="D1", enrolment=200, enrolment_from="D1", main_registration_id="D1")),
    "what the first one does not say": (
        dict(N1=dict(names=["{D1}"], updated="2023-01-01"), D1=dict(completion=("2021-05-01", True), updated="2023-06-01")),
        dict(enrolment=50, enrolment_from="N1", sponsor_from="N1", main_registration_id="D1")),
    "what another source passes on speaks later": (
        dict(N1=dict(names=["{I1}"], updated="2023-01-01"), I1=dict(updated="1 June 2023", enrolment=200)),
        dict(status="completed", status_from="N1", enrolment_from="N1", main_registration_id="N1")),
    "the day on which the portal took a record over is none of its register": (
        dict(N1=dict(names=["{E1}"], updated="2023-01-01"), E1=dict(refreshed="1 June 2024")),
        dict(status="completed", status_from="N1", main_registration_id="N1")),
    "the day of a page of results is none of the record": (
        dict(N1=dict(names=["{E1}"], updated="2023-01-01"), E1=dict(results=("2021-12-31", "2023-05-22"))),
        dict(status="completed", status_from="N1", main_registration_id="N1", results_posted=date(2023, 5, 22))),
    "a record that never ran speaks after one that ran": (
        dict(N1=dict(names=["{I1}"], status="WITHDRAWN", updated="2024-05-01"), I1=dict(updated="1 June 2023")),
        dict(status="recruiting", status_from="I1", main_registration_id="I1")),
    "a record that never ran says nothing of one that ran": (
        dict(N1=dict(names=["{E1}"], status="WITHDRAWN", enrolment=0), E1={}),
        dict(status="ongoing", enrolment=None, enrolment_from=None, completion_from=None, primary_completion_from=None,
             start_from=None)),
    "a withdrawn record alone": (
        dict(N1=dict(status="WITHDRAWN", enrolment=0)), dict(status="withdrawn", enrolment=0)),
    "two withdrawn records": (
        dict(N1=dict(names=["{I1}"], status="WITHDRAWN", enrolment=0), I1=dict(status="Withdrawn")),
        dict(status="withdrawn", enrolment=0)),
    "a withdrawn record and its re-registration": (
        dict(N1=dict(names=["{N2}"], status="WITHDRAWN", start="2018-05-01", registered="2018-04-01", updated="2024-05-01"),
             N2=dict(names=["{N1}"], start="2020-06-01", registered="2020-05-01")),
        dict(status_from="N2", start_from="N2", completion_from="N2", registered_from="N1")),
    "a replaced record": (
        dict(N1=dict(aliases=["N2"], **NO_END), N2=ENDED | dict(updated="2024-05-01", results=("2022-01-01", "2022-02-01"))),
        dict(main_registration_id="N1", completion_from=None, has_results=True, results_posted=date(2022, 2, 1))),
}  # fmt: skip

OWED = {
    # case -> (what each record says, verdict on summary results, verdict on registration before the start)
    "one register": (dict(N1={}), "overdue", "prospective"),
    "results on the other register": (
        dict(N1=dict(names=["{E1}"]), E1=dict(results=("2021-06-10", "2022-01-05"))), "reported_on_time", "prospective"),
    "late results on the other register": (
        dict(N1=dict(names=["{E1}"]), E1=dict(results=("2021-06-10", "2022-05-22"))), "reported_late", "prospective"),
    "a register that says nothing of results": (dict(N1=dict(names=["{E1}"]), E1={}), "reporting_unknown", "prospective"),
    "a register that was not read itself": (
        dict(N1=dict(names=["{I1}"]), I1=dict(shows_results="No")), "reporting_unknown", "prospective"),
    "withdrawn here, running there": (
        dict(N1=dict(names=["{E1}"], status="WITHDRAWN", enrolment=0, pcd=("2021-03-10", "ESTIMATED")), E1={}),
        "not_completed", "unknown"),
    "withdrawn and registered again": (
        dict(N1=dict(names=["{N2}"], status="WITHDRAWN", start="2018-05-01", registered="2018-06-01", enrolment=0),
             N2=dict(names=["{N1}"], start="2020-06-01", registered="2020-05-01")), "overdue", "prospective"),
    "registered late here": (dict(N1=dict(registered="2020-06-01")), "overdue", "retrospective"),
    "registered late here and in time there": (
        dict(N1=dict(registered="2020-06-01"), D1=dict(names=["{N1}"], completion=("2021-06-10", True), updated="2023-06-01",
             registered="2020-01-10")), "reporting_unknown", "prospective"),
}  # fmt: skip

RECORDS = [records for cases in (CASES, MERGED, OWED) for records, *_ in cases.values()]


def place_of(case, cases):
    """Where the records of a case stand among all."""
    before = {id(CASES): 0, id(MERGED): len(CASES), id(OWED): len(CASES) + len(MERGED)}
    return before[id(cases)] + list(cases).index(case)


def put(*records):
    """The records of several worlds in one."""
    gathered = Put()
    for place, world in enumerate(records):
        for label, says in world.items():
            gathered.record(place, label, says)
    return gathered


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    data = tmp_path_factory.mktemp("identity") / "data"
    put(*RECORDS).into(data)
    with tables(data) as connection:
        assert rows(connection, "SELECT * FROM rejected_records") == []
        yield connection


@pytest.fixture(scope="module")
def found(made):
    """Of each place: trials as lists of labels by that of their id, and the links."""
    labels = {
        number(place, label): (place, label)
        for place, records in enumerate(RECORDS)
        for label in records
        if label[0] in SHAPES
    }
    trials, links = defaultdict(lambda: defaultdict(list)), defaultdict(list)
    for registration, trial_id in rows(made, "SELECT registration_id, trial_id FROM registrations"):
        place, label = labels[registration]
        trials[place][labels[trial_id][1]].append(label)
    for a, b, *said in rows(made, "SELECT registration_id, other_id, method, decision, reason FROM trial_links"):
        assert labels[a][0] == labels[b][0], "cases are no evidence for each other"
        pair = sorted((labels[a][1], labels[b][1]))
        links[labels[a][0]].append(" ".join([*pair, *filter(None, said)]))
    return trials, links


@pytest.mark.parametrize("case", CASES)
def test_case(found, case):
    records, trials, links = CASES[case]
    got = found[0][place_of(case, CASES)]
    assert sorted(label for labels in got.values() for label in labels) == sorted(set(records) - {"P1"})
    named = [" ".join([first, *sorted(set(labels) - {first})]) for first, labels in got.items() if len(labels) > 1]
    assert sorted(named) == sorted(trials)
    assert sorted(found[1][place_of(case, CASES)]) == sorted(links)


@pytest.mark.parametrize("case", MERGED)
def test_what_the_trial_says(made, case):
    records, fields = MERGED[case]
    here = {number(place_of(case, MERGED), label): label for label in records}
    (got,) = made.execute(
        f"SELECT {', '.join(fields)} FROM trials WHERE main_registration_id IN (SELECT unnest(?))", [list(here)]
    ).fetchall()
    assert {name: here.get(value, value) for name, value in zip(fields, got, strict=True)} == fields


def test_every_completion_date_is_kept(made):
    place = place_of("the end by posted EU results", MERGED)
    ((dates,),) = rows(
        made, f"SELECT completion_dates FROM trials WHERE main_registration_id = '{number(place, 'N1')}'"
    )
    assert [tuple(d.values()) for d in dates] == [
        (number(place, "E1"), "completion", "2021-12-31", "actual"),
        (number(place, "N1"), "primary_completion", "2021-03-10", "actual"),
        (number(place, "N1"), "completion", "2021-06-10", "actual"),
    ]


@pytest.mark.parametrize("case", OWED)
def test_what_the_trial_owes(made, case):
    _, reporting, registration = OWED[case]
    of_trial = f"trial_id IN (SELECT trial_id FROM registrations WHERE registration_id = '{number(place_of(case, OWED), 'N1')}')"
    assert rows(made, f"SELECT status FROM reporting_status WHERE policy = 'who-summary' AND {of_trial}") == [
        (reporting,)
    ]
    assert rows(made, f"SELECT status FROM registration_status WHERE rule = 'strict-day' AND {of_trial}") == [
        (registration,)
    ]


NUMBERS = {
    # case -> (label, number as written, kind): how the resolver knows a number
    "a number that is not loaded": [("N1", "{I1}", "cross_registration")],
    "a grant is no number of a trial": [("N1", "{I1}", "grant")],
    "a register's number without its shape": [("N1", "IDF-RCB 2019-A01234-53", "other")],
    "two numbers in one field": [("N1", "{I1} / {D1}", "other")],
    "a record that names itself": [("N1", "{N1}", "same_register"), ("N1", "{N1}", "registration")],
    "an obsolete number that is not loaded": [("N2", "{N1}", "alias"), ("I1", "{N1}", "cross_registration")],
    "a number with words around it": [("N1", "ISRCTN-Register: {I1} (UK)", "cross_registration")],
    "a text in a field for numbers: Sub-study of {N1}": [("I1", "Sub-study of {N1}", "other")],
    "one sponsor's code": [("N1", "AB-2001", "sponsor_code"), ("I1", "AB 2001", "other")],
    "one universal number": [("I1", "UTN: {U1}", "cross_registration")],
}


@pytest.mark.parametrize("case", NUMBERS)
def test_a_number_is_known(made, case):
    place = place_of(case, CASES)
    for label, written, kind in NUMBERS[case]:
        got = made.execute(
            "SELECT kind FROM identifiers WHERE seen_in = ? AND written = ?",
            [number(place, label), filled(place, written)],
        ).fetchall()
        assert (kind,) in got


def test_a_link_says_what_stands_where(made):
    place = place_of("a number with words around it", CASES)
    (row,) = rows(
        made,
        f"""SELECT evidence_class, field, value, other_field, other_value, trial_id, other_trial_id FROM trial_links
        WHERE registration_id = '{number(place, "I1")}'""",
    )
    trial = number(place, "N1")
    assert row == ("E2", None, None, "identifiers", filled(place, "ISRCTN-Register: {I1} (UK)"), trial, trial)


@pytest.mark.parametrize(
    ("case", "old", "new"),
    [("an obsolete number that is loaded", "N1", "N2"), ("an obsolete number greater than the new one", "N2", "N1")],
)
def test_the_obsolete_record_is_the_replaced_one(made, case, old, new):
    here = [number(place_of(case, CASES), label) for label in (old, new)]
    assert made.execute(
        "SELECT registration_id, replaced_by FROM registrations WHERE registration_id IN (SELECT unnest(?))", [here]
    ).fetchall() in ([(here[0], here[1]), (here[1], None)], [(here[1], None), (here[0], here[1])])


@pytest.mark.parametrize(
    "table", ["trial_links", "trials", "registrations", "identifiers", "ledger", "adjudications", "discrepancies"]
)
def test_tables_pass_their_checks(made, table):
    results = validation.check_table(made, contracts().tables[table], contracts())
    assert [r for r in results if r.outcome == "failed"] == []


# --- ids over several builds ----------------------------------------------------------------------------------------


def built(data, as_of, adjudicated=()):
    """Builds and keeps the ledger: trial of each label, and the ids that each label's number is found by."""
    with tables(data, as_of, adjudicated) as connection:
        known = ledger.read(data, as_of)
        every = rows(connection, "SELECT * EXCLUDE (event_number) FROM ledger ORDER BY event_number")
        ledger.append(data, [Event(*e[:4], e[4] or "") for e in every[len(known) :]])
        trial_of = dict(rows(connection, "SELECT registration_id, trial_id FROM registrations"))
        return trial_of, {n: explain.find(connection, n) for n in trial_of}


def test_ids_through_a_merge_and_a_split(tmp_path):
    data = tmp_path / "data"
    days = [date(2024, 3, 1), date(2024, 4, 1), date(2024, 5, 1), date(2024, 6, 1)]
    i1, n1 = number(0, "I1"), number(0, "N1")
    put(dict(I1={})).into(data, days[0])
    assert built(data, days[0])[0] == {i1: i1}
    put(dict(N1={})).into(data, days[1])
    assert built(data, days[1])[0] == {i1: i1, n1: n1}
    put(dict(N1=dict(names=["{I1}"], updated="2024-04-20"))).into(data, days[2])
    assert built(data, days[2]) == ({i1: i1, n1: i1}, {i1: [i1], n1: [i1]})
    apart = f"a1,2024-05-20,separate,{i1},{n1},,,Two trials,protocol,reviewer"
    trial_of, found = built(data, days[3], [apart])
    assert trial_of == {i1: i1, n1: n1}
    assert found == {i1: [i1], n1: [n1]}
    told = [(e.as_of, e.event, e.number, e.trial_id) for e in ledger.read(data, days[3])]
    assert told == [
        (days[0], "founded", i1, i1),
        (days[1], "founded", n1, n1),
        (days[2], "merged_into", n1, i1),
        (days[2], "joined", n1, i1),
        (days[3], "split_from", n1, n1),
    ]


def test_an_id_whose_registration_stands_under_another_trial_still_resolves(tmp_path):
    """The id of a trial that was known by a number which its register later replaced."""
    data = tmp_path / "data"
    days = [date(2024, 3, 1), date(2024, 4, 1)]
    n1, n2, i1 = number(0, "N1"), number(0, "N2"), number(0, "I1")
    put(dict(N1={}, I1=dict(names=["{N1}"]))).into(data, days[0])
    assert built(data, days[0])[0] == {n1: n1, i1: n1}
    put(dict(N2=dict(aliases=["N1"], updated="2024-03-20"))).into(data, days[1])
    assert built(data, days[1]) == ({n1: n1, i1: n1, n2: n1}, {n1: [n1], i1: [n1], n2: [n1]})
