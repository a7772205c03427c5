"""Records of the EU Clinical Trials Register, CTIS, ISRCTN and WHO ICTRP about trials of the made-up world.

Belongs here: one record each as its register writes it, as large as a real one. Does not belong here: which trials
have one (`world`). All numbers lie in ranges that no register has issued; the sample's generator makes none of these.
"""

import json
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from pipelines.sample import names
from tests.rehearsal.making import prose


class Entry(NamedTuple):
    """What a registration says of its trial. number: its own. nct: the number at ClinicalTrials.gov that it names, if
    any. start, end: days, ISO, empty where they are not known. place: counts up, for whatever is to differ."""

    number: str
    place: int
    nct: str
    title: str
    official_title: str
    code: str
    sponsor: str
    is_commercial: bool
    condition: str
    drug: str
    start: str
    end: str
    enrolment: int


COUNTRIES = (
    ("DE", "Germany", "Germany - BfArM"), ("FR", "France", "France - ANSM"), ("ES", "Spain", "Spain - AEMPS"),
    ("IT", "Italy", "Italy - Italian Medicines Agency"), ("NL", "Netherlands", "Netherlands - Competent Authority"),
    ("BE", "Belgium", "Belgium - FPS Health-DGM"), ("DK", "Denmark", "Denmark - DHMA"), ("SE", "Sweden", "Sweden - MPA"),
)  # fmt: skip
REGISTERS = {
    "ChiCTR": lambda i: f"ChiCTR2099{i:06d}",
    "CTRI": lambda i: f"CTRI/2099/{1 + i % 12:02d}/{i:06d}",
    "JPRN": lambda i: f"JPRN-UMIN{900_000 + i:09d}",
    "ANZCTR": lambda i: f"ACTRN12699{i:09d}",
    "IRCT": lambda i: f"IRCT20990101{i:06d}N1",
    "German Clinical Trials Register": lambda i: f"DRKS00{900_000 + i:06d}",
}
"""Registers that are read through ICTRP alone, as it spells them, and their numbers."""


PROTOCOL_HEAD = "This file contains full details on each clinical trial selected for download.\n\n"
PORTAL_COLUMNS = 63
QUOTE, EMPTY = '"', ',""'
ISRCTN_HEAD = '<?xml version="1.0" encoding="UTF-8"?><allTrials xmlns="http://www.67bricks.com/isrctn">'
ISRCTN_TAIL = "</allTrials>\n"


def protocol(entry: Entry, country: int, pieces: list[str]) -> str:
    """A country record of the EU register's full text; a real one has some 25,000 characters."""
    code, land, authority = COUNTRIES[country]
    year = entry.start[:4] or "2012"
    status = "Completed" if entry.end and entry.end < "2026" else "Ongoing"
    phase = (entry.place % 3) + 2
    products = "".join(_product(entry, number) for number in (1, 2, 3))
    return f"""Summary
EudraCT Number: {entry.number}
Sponsor's Protocol Code Number: {entry.code}
National Competent Authority: {authority}
Clinical Trial Type: EEA CTA
Trial Status: {status}
Date on which this record was first entered in the EudraCT database: {entry.start or year + "-03-01"}
Link: https://www.clinicaltrialsregister.eu/ctr-search/trial/{entry.number}/{code}/

A. Protocol Information
A.1 Member State Concerned: {authority}
A.2 EudraCT number: {entry.number}
A.3 Full title of the trial: {entry.official_title}
A.3.1 Title of the trial for lay people, in easily understood, i.e. non-technical, language: {entry.title}
A.3.2 Name or abbreviated title of the trial where available:
A.4.1 Sponsor's protocol code number: {entry.code}
A.5.2 US NCT (ClinicalTrials.gov registry) number: {entry.nct}
A.7 Trial is part of a Paediatric Investigation Plan: No

B. Sponsor Information
Sponsor 1
B.1.1 Name of Sponsor: {entry.sponsor}
B.1.3.4\tCountry: {land}
B.3.1 and B.3.2\tStatus of the sponsor: {"Commercial" if entry.is_commercial else "Non-Commercial"}
B.4 Source(s) of Monetary or Material Support for the clinical trial:
B.4.1 Name of organisation providing support: {entry.sponsor}
B.4.2 Country: {land}
B.5 Contact point designated by the sponsor for further information on the trial
B.5.1 Name of organisation: {entry.sponsor}
B.5.6 E-mail: contact@example.org

D. IMP Identification
{products}
D.8 Information on Placebo
D.8 Placebo: 1
D.8.1 Is a Placebo used in this Trial? Yes
D.8.3 Pharmaceutical form of the placebo: Tablet

E. General Information on the Trial
E.1 Medical condition or disease under investigation
E.1.1 Medical condition(s) being investigated: {entry.condition}
E.1.1.1 Medical condition in easily understood language: {entry.condition}
MedDRA Classification
E.1.2 Medical condition or disease under investigation:
E.1.2 Version: 20.0
E.1.2 Level: LLT
E.1.2 Classification code: 10000000
E.1.2 Term: {entry.condition}
E.1.2 System Organ Class: 100000000000
E.2.1 Main objective of the trial: {prose.text(pieces, entry.place, 1_500)}
E.2.2 Secondary objectives of the trial: {prose.text(pieces, entry.place + 1, 2_000)}
E.3 Principal inclusion criteria: {prose.text(pieces, entry.place + 2, 5_000)}
E.4 Principal exclusion criteria: {prose.text(pieces, entry.place + 3, 6_500)}
E.5 End points
E.5.1 Primary end point(s): {prose.text(pieces, entry.place + 4, 500)}
E.5.1.1 Timepoint(s) of evaluation of this end point: Week 12
E.5.2 Secondary end point(s): {prose.text(pieces, entry.place + 5, 2_500)}
E.7.1 Human pharmacology (Phase I): No
E.7.2 Therapeutic exploratory (Phase II): {"Yes" if phase == 2 else "No"}
E.7.3 Therapeutic confirmatory (Phase III): {"Yes" if phase == 3 else "No"}
E.7.4 Therapeutic use (Phase IV): {"Yes" if phase == 4 else "No"}
E.8.1 Controlled: Yes
E.8.1.1 Randomised: Yes
E.8.4.1 Number of sites anticipated in Member State concerned: 3
E.8.5 The trial involves multiple Member States: Yes
E.8.7 Trial has a data monitoring committee: Yes
E.8.9 Initial estimate of the duration of the trial
E.8.9.1 In the Member State concerned years: 1
E.8.9.1 In the Member State concerned months: 6
E.8.9.2 In all countries concerned by the trial years: 2

F. Population of Trial Subjects
F.1.1 Trial has subjects under 18: No
F.4.1 In the member state: {max(1, entry.enrolment // 4)}
F.4.2.2 In the whole clinical trial: {entry.enrolment}

N. Review by the Competent Authority or Ethics Committee in the country concerned
N. Competent Authority Decision: Authorised
N. Date of Competent Authority Decision: {entry.start}
N. Ethics Committee Opinion of the trial application: Favourable
N. Date of Ethics Committee Opinion: {entry.start}

P. End of Trial
P. End of Trial Status: {status}
P. Date of the global end of the trial: {entry.end if status == "Completed" else ""}

"""


def _product(entry: Entry, number: int) -> str:
    """One of the medicines, with the many questions of the form that are answered with no."""
    asked = "".join(f"D.3.11.{3 + ask // 9}.{1 + ask % 9} Is it a product of kind {ask}? No\n" for ask in range(30))
    return f"""D.IMP: {number}
D.1.2 and D.1.3 IMP Role: {"Test" if number == 1 else "Comparator"}
D.2.1.1.1 Trade name: {entry.drug} {number}
D.3.1 Product name: {entry.drug} {number * 5} mg
D.3.8 INN - Proposed INN: {entry.drug.upper()}
D.3.11.1 Active substance of chemical origin: Yes
D.3.11.2 Active substance of biological/ biotechnological origin (other than Advanced Therapy IMP (ATIMP): No
{asked}"""


def ctis(entry: Entry, pieces: list[str]) -> bytes:
    """A record of CTIS as its public interface serves it; a real one has some 90,000 bytes."""
    lands = [COUNTRIES[(entry.place + step) % len(COUNTRIES)][1] for step in range(3)]
    long = [prose.text(pieces, entry.place + step, 2_400) for step in range(24)]
    part: dict[str, Any] = {
        "sponsors": [{"primary": True, "commercial": "Commercial" if entry.is_commercial else "Non-Commercial",
                      "organisation": {"name": entry.sponsor, "type": "Hospital/Clinic/Other health care facility"},
                      "publicContacts": [{"functionalName": "Contact", "email": "contact@example.org"}]}],
        "products": [{"productName": entry.drug, "productDictionaryInfo": {
            "prodName": entry.drug, "activeSubstanceName": entry.drug.upper(),
            "productSubstances": [{"actSubstOrigin": "Chemical"}]}}],
        "medicalConditions": [{"medicalCondition": entry.condition}],
        "therapeuticAreas": [{"name": "Diseases [C] - Eye Diseases [C11]"}],
        "trialCategoryCode": "2", "isLowIntervention": False, "rowSubjectCount": 0,
        "trialDetails": {
            "clinicalTrialIdentifiers": {
                "fullTitle": entry.official_title, "publicTitle": entry.title, "shortTitle": entry.code,
                "secondaryIdentifyingNumbers": {"nctNumber": {"number": entry.nct}} if entry.nct else {},
            },
            "trialInformation": {
                "trialCategory": {"trialPhase": "4", "trialCategory": "2"},
                "trialObjective": {"mainObjective": long[0], "secondaryObjectives": [
                    {"number": at, "secondaryObjective": said} for at, said in enumerate(long[1:4])]},
                "eligibilityCriteria": {
                    "principalInclusionCriteria": [
                        {"number": at, "principalInclusionCriteria": said} for at, said in enumerate(long[4:10])],
                    "principalExclusionCriteria": [
                        {"number": at, "principalExclusionCriteria": said} for at, said in enumerate(long[10:20])]},
                "endPoint": {"primaryEndPoints": [{"endPoint": prose.text(pieces, entry.place, 300)}],
                             "secondaryEndPoints": [{"endPoint": said[:400]} for said in long[20:24]]},
                "trialDuration": {"estimatedRecruitmentStartDate": entry.start, "estimatedEndDate": entry.end},
                "sourceOfMonetarySupport": [{"organisationName": entry.sponsor}],
            },
        },
    }  # fmt: skip
    record: dict[str, Any] = {
        "ctNumber": entry.number, "ctStatus": "Ongoing", "ctPublicStatusCode": 5, "startDateEU": entry.start,
        "publishDate": "2026-05-03T03:32:46.650903775", "lastUpdated": "02/05/2026", "trialRegionCode": 1,
        "totalNumberEnrolled": str(entry.enrolment), "ageGroup": "18-64 years",
        "authorizedApplication": {
            "applicationInfo": [{"ctNumber": entry.number, "type": "INITIAL", "submissionDate": "2023-02-01"}],
            "authorizedPartI": part,
            "authorizedPartsII": [{"mscInfo": {"countryName": land}, "trialSites": [
                {"organisationAddressInfo": {"name": prose.text(pieces, entry.place + site, 150)}} for site in range(20)]}
                for land in lands],
            "memberStatesConcerned": [
                {"mscName": land, "mscPublicStatusCode": 5, "firstDecisionDate": "2023-05-03"} for land in lands],
        },
        "events": {"trialEvents": [{"mscName": lands[0], "events": [
            {"notificationType": "START_OF_TRIAL", "date": entry.start}]}]},
        "results": {"summaryResults": [], "laypersonResults": [], "clinicalStudyReports": []},
        "documents": [
            {"uuid": f"{entry.place:08x}-0000-4000-8000-{at:012x}", "documentType": "104", "title": said[:60],
             "documentTypeLabel": "Protocol (for publication)"} for at, said in enumerate(long)],
    }  # fmt: skip
    return json.dumps(record).encode()


def isrctn(entry: Entry, pieces: list[str]) -> str:
    """A record of ISRCTN's XML interface; a real one has some 9,000 characters."""
    digits = entry.number.removeprefix("ISRCTN")
    name, condition = escape(entry.sponsor), escape(entry.condition)
    return (
        f'<fullTrial><trial lastUpdated="2026-02-01T07:18:23.431Z" version="5" publicIdentifierCanonical="{entry.number}">'
        f'<isrctn dateAssigned="{entry.start or "2012-05-02"}T00:00:00.000Z">{digits}</isrctn>'
        f"<trialDescription><title>{escape(entry.title)}</title><scientificTitle>{escape(entry.official_title)}"
        f"</scientificTitle><acronym/><studyHypothesis>{prose.text(pieces, entry.place, 600)}</studyHypothesis>"
        f"<plainEnglishSummary>{prose.text(pieces, entry.place + 1, 3_000)}</plainEnglishSummary><primaryOutcomes>"
        f"<outcomeMeasure><variable>{pieces[entry.place % prose.PIECES][:120]}</variable><method>interview</method>"
        f"<timepoints>1 year</timepoints></outcomeMeasure></primaryOutcomes><secondaryOutcome>Cost</secondaryOutcome>"
        f"</trialDescription><externalRefs><doi>10.1186/{entry.number}</doi><eudraCTNumber/><irasNumber/>"
        f"<clinicalTrialsGovNumber>{entry.nct or 'Nil known'}</clinicalTrialsGovNumber>"
        f"<protocolSerialNumber>{escape(entry.code)}</protocolSerialNumber></externalRefs>"
        f"<trialDesign><primaryStudyDesign>Interventional</primaryStudyDesign><trialTypes><trialType>Treatment</trialType>"
        f"</trialTypes><studyDesign>{prose.text(pieces, entry.place + 2, 400)}</studyDesign>"
        f"<overallStartDate>{entry.start or '2012-05-02'}T00:00:00.000Z</overallStartDate>"
        + (f"<overallEndDate>{entry.end}T00:00:00.000Z</overallEndDate>" if entry.end else "<overallEndDate/>")
        + "<overallStatusOverride/><reasonAbandoned/></trialDesign><participants><recruitmentCountries>"
        f"<country>England</country></recruitmentCountries><inclusion>{prose.text(pieces, entry.place + 3, 1_500)}"
        f"</inclusion><exclusion>{prose.text(pieces, entry.place + 4, 1_500)}</exclusion>"
        f"<targetEnrolment>{entry.enrolment}</targetEnrolment></participants><conditions><condition>"
        f"<description>{condition}</description></condition></conditions><interventions><intervention>"
        f"<interventionType>Drug</interventionType><phase>Phase III</phase><drugNames>{entry.drug}</drugNames>"
        f"<description>{prose.text(pieces, entry.place + 5, 800)}</description></intervention></interventions>"
        "<results><publicationDetails/><basicReport/></results><outputs/><attachedFiles/></trial>"
        f"<sponsor><organisation>{name}</organisation><sponsorType>Hospital/treatment centre</sponsorType>"
        f"<commercialStatus>{'Commercial' if entry.is_commercial else 'Non-Commercial'}</commercialStatus></sponsor>"
        f"<funder><name>{name}</name></funder></fullTrial>\n"
    )


def portal_row(entry: Entry, pieces: list[str]) -> str:
    """A row of WHO's full export, which has no header; a real one has some 3,500 characters without its padding."""
    number = entry.place % prose.PIECES
    contact = (names.FORENAMES[entry.place % len(names.FORENAMES)], names.SURNAMES[entry.place % len(names.SURNAMES)],
               "1 Invented Road", "contact@example.org", "+1-201-555-0100", entry.sponsor)  # fmt: skip
    values = (
        entry.number, "2026-06-17", entry.nct, entry.title, entry.official_title,
        f"https://register.example.org/{entry.number}", *contact, *contact, "Interventional",
        "Randomised, controlled, parallel", "Phase 3", entry.start or "2012-05-02", entry.start, str(entry.enrolment),
        "Recruiting", entry.sponsor, "", entry.sponsor, "Germany;France", entry.condition,
        f"Drug: {entry.drug}, {pieces[number][:150]}", "18", "99", "Both", prose.text(pieces, entry.place, 700),
        prose.text(pieces, entry.place + 1, 500), pieces[number - 1][:120], f"{pieces[number - 2][:150]};Quality of life",
    )  # fmt: skip
    quoted = ",".join(f'"{value.replace(QUOTE, QUOTE * 2)}"' for value in values)
    return f"{quoted}{EMPTY * (PORTAL_COLUMNS - len(values))}\r\n"
