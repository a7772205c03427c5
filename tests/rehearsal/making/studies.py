"""The generator's studies of ClinicalTrials.gov, filled up to the size of real ones, and what other registers repeat of
them.

The generator writes what the rules judge, a quarter of a real record's bytes. What is added is of kinds that readers
pass by or search for numbers: long texts, browse terms, adverse events. No verdict follows from it.
"""

import json
from datetime import date

import msgspec

from tests.rehearsal.making import prose
from tests.rehearsal.making.registers import Entry

DESCRIPTION, CRITERIA, BROWSED, EVENTS = 2_600, 1_100, 25, 60
"""Characters of the two texts; browse terms; adverse events of a study with results. Means of real records."""
MORE_OUTCOMES = 7


def filled(study: bytes, place: int, pieces: list[str]) -> bytes:
    """The same study with as much around it as a real one has."""

    def said(first: int, length: int) -> str:
        return prose.text(pieces, place + first, length)

    added = (
        (b'"briefSummary":"', f'"detailedDescription":"{said(0, DESCRIPTION)}",', True),
        (b'"eligibilityCriteria":"', f"{said(1, CRITERIA)}\\n\\n", False),
        (b'"secondaryOutcomes":[', _outcomes(place, pieces), False),
        (b'"derivedSection":{', f'"interventionBrowseModule":{_browsed(place)},', False),
        (b'"resultsSection":{', f'"adverseEventsModule":{_events(place, pieces)},', False),
    )
    for mark, more, is_before in added:
        text = more.encode()
        study = study.replace(mark, text + mark if is_before else mark + text, 1)
    return study


def _outcomes(place: int, pieces: list[str]) -> str:
    some = (
        {
            "measure": pieces[(place + step) % prose.PIECES][:80],
            "description": pieces[(place * 3 + step) % prose.PIECES][:140],
            "timeFrame": f"{step + 1} months",
        }
        for step in range(MORE_OUTCOMES)
    )
    return "".join(f"{json.dumps(one)}," for one in some)


def _browsed(place: int) -> str:
    def terms(kind: str) -> list[dict[str, str]]:
        return [{"id": f"{kind}{place % 9000 + step:09d}", "term": f"Invented Term {step}"} for step in range(BROWSED)]

    return json.dumps({"ancestors": terms("D"), "browseBranches": terms("B")}, separators=(",", ":"))


def _events(place: int, pieces: list[str]) -> str:
    events = [
        {
            "term": pieces[(place + step) % prose.PIECES][:24],
            "organSystem": "General disorders",
            "assessmentType": "SYSTEMATIC_ASSESSMENT",
            "stats": [
                {"groupId": f"EG{group:03d}", "numAffected": (place + step) % 9, "numAtRisk": 100} for group in (0, 1)
            ],
        }
        for step in range(EVENTS)
    ]
    return json.dumps({"frequencyThreshold": "5", "otherEvents": events}, separators=(",", ":"))


# --- what other registers repeat ------------------------------------------------------------------------------------


def entry(study: bytes, place: int) -> Entry:
    """What a register that names the study says of its trial; `number` is the study's own."""
    protocol = msgspec.json.decode(study)["protocolSection"]
    about, status = protocol["identificationModule"], protocol["statusModule"]
    sponsor = protocol["sponsorCollaboratorsModule"]["leadSponsor"]
    drugs = protocol.get("armsInterventionsModule", {}).get("interventions", [{"name": "Placebo"}])
    enrolment = protocol.get("designModule", {}).get("enrollmentInfo", {}).get("count")
    number = about["nctId"]
    title = about.get("briefTitle") or number
    return Entry(
        number=number,
        place=place,
        nct=number,
        title=title,
        official_title=about.get("officialTitle") or title,
        code=about.get("orgStudyIdInfo", {}).get("id") or number,
        sponsor=sponsor["name"],
        is_commercial=sponsor.get("class") == "INDUSTRY",
        condition=protocol.get("conditionsModule", {}).get("conditions", ["Asthma"])[0],
        drug=drugs[0]["name"],
        start=_day(status.get("startDateStruct")),
        end=_day(status.get("completionDateStruct")),
        enrolment=enrolment or 100,
    )


def _day(found: dict[str, str] | None) -> str:
    """The date where it is one to the day; empty for all others."""
    try:
        return date.fromisoformat((found or {}).get("date", "")).isoformat()
    except ValueError:
        return ""
