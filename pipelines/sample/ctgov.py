"""Writes a trial's registrations as ClinicalTrials.gov's API v2 serves them.

Belongs here: the shape of a study in JSON with the irregularities of the real register, and the three served forms
(zip of one file a study, pages, array). Does not belong here: anything that decides a verdict (`world.py`).
"""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec import Raw

from pipelines.sample import names
from pipelines.sample.courses import RUNNING, Course, Earlier, Event
from pipelines.sample.days import FULL, SEARCH, UPDATE, Draw, Partial, later
from pipelines.sample.outcomes import outcome
from pipelines.sample.output import GzipFile, ZipFile, encode
from pipelines.sample.world import Trial, survivor_entry

Json = dict[str, Any]

PAGE: Final = 1000

_PHASES: Final = (
    ["PHASE1"],
    ["PHASE2"],
    ["PHASE1", "PHASE2"],
    ["PHASE3"],
    ["PHASE2", "PHASE3"],
    ["PHASE4"],
    ["NA"],
    ["EARLY_PHASE1"],
)
_PURPOSES: Final = (
    "TREATMENT",
    "TREATMENT",
    "PREVENTION",
    "DIAGNOSTIC",
    "SUPPORTIVE_CARE",
    "DEVICE_FEASIBILITY",
    "BASIC_SCIENCE",
)
_KINDS: Final = ("DRUG", "DRUG", "BIOLOGICAL", "DEVICE", "BEHAVIORAL", "PROCEDURE", "DIETARY_SUPPLEMENT")
_MASKINGS: Final = ("NONE", "SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE")
_CRITERIA: Final = (
    "Inclusion Criteria:\n\n* aged 18 years or older\n* diagnosis confirmed by a physician\n* able to give informed "
    "consent\n\nExclusion Criteria:\n\n* pregnancy or breast-feeding\n* severe renal or hepatic impairment\n"
    "* participation in another study within the last \\<30 days"
)
_STOPPED: Final = ("Slow accrual", "Sponsor's decision", "Lack of funding", "Drug supply ended; not for safety reasons")


def _once(part: Json) -> Raw:
    """A part of many studies, encoded once."""
    return Raw(encode(part))


_ELIGIBILITY: Final = _once(
    {
        "eligibilityCriteria": _CRITERIA,
        "healthyVolunteers": False,
        "sex": "ALL",
        "minimumAge": "18 Years",
        "stdAges": ["ADULT", "OLDER_ADULT"],
    }
)
_NO_ACCESS: Final = _once({"hasExpandedAccess": False})


# --- dates ---------------------------------------------------------------------------------------------------------


def _posted(day: date) -> Json:
    """A posting; before 2017 the register only estimated when it was."""
    return {"date": later(day, 4).isoformat(), "type": "ESTIMATED" if day.year < 2017 else "ACTUAL"}


def _partial(draw: Draw, when: Partial | None, junk: str | None, at: date) -> Json | None:
    text = when.text if when else junk
    if text is None:
        return None
    if draw.chance(0.08):
        return {"date": text}
    passed = when is None or when.last <= at
    return {"date": text, "type": "ACTUAL" if passed and not draw.chance(0.05) else "ESTIMATED"}


def _shifted(when: Partial | None, days: int) -> Partial | None:
    if when is None:
        return None
    first = later(when.first, days)
    return Partial(first.isoformat()[: len(when.text)], first, later(when.last, days))


# --- modules -------------------------------------------------------------------------------------------------------


def _secondary_ids(draw: Draw, trial: Trial) -> list[Json]:
    ids: list[Json] = []
    index = trial.index
    if trial.eudract:
        share = draw.random()
        if share < 0.75:
            ids.append({"id": trial.eudract, "type": "EUDRACT_NUMBER"})
        elif share < 0.9:
            ids.append({"id": f"EudraCT-No.:{trial.eudract}"})
        else:
            ids.append({"id": f"EudraCT Number: {trial.eudract}", "type": "OTHER", "domain": "EMA"})
    if trial.isrctn:
        ids.append({"id": trial.isrctn, "type": "REGISTRY", "domain": "ISRCTN"})
    share = draw.random()
    if share < 0.04:
        ids.append({"id": f"R01ZZ9{index:06d}", "type": "NIH", "link": f"https://grants.example.org/R01ZZ9{index:06d}"})
    elif share < 0.07:
        ids.append({"id": names.ctis(index), "type": "CTIS"})
    elif share < 0.15:
        ids.append({"id": f"{trial.sponsor.code}/{index}/B", "type": "OTHER", "domain": f"{trial.sponsor.place} IRB"})
    elif share < 0.19:
        ids.append({"id": f"{trial.sponsor.code}.{index}"})
    elif share < 0.21:
        ids.append({"id": f"G-{index}-{trial.sponsor.code}", "type": "OTHER_GRANT", "domain": "Fund for Fiction"})
    if index % 151 == 40:
        # Real records hold contact data where a number should stand.
        address = names.email(names.draw_person(draw))
        ids.append({"id": address if index % 2 else f"Ask {address}", "type": "OTHER", "domain": "contact"})
    return ids


def _identification(draw: Draw, trial: Trial, number: str) -> Json:
    index, sponsor = trial.index, trial.sponsor
    condition = names.CONDITIONS[trial.condition][0]
    org: Json = {"id": f"{sponsor.code}-{index}"}
    if sponsor.kind == "NIH":
        org = {"id": f"{sponsor.code}-{index}", "type": "NIH", "link": f"https://grants.example.org/{index}"}
    module: Json = {"nctId": number, "orgStudyIdInfo": org}
    if trial.survivor == number:
        module["nctIdAliases"] = [trial.number]
    if secondary := _secondary_ids(draw, trial):
        module["secondaryIdInfos"] = secondary
    module["organization"] = {"fullName": sponsor.name, "class": sponsor.kind}
    if trial.private == "marked":
        module["organization"] = {"fullName": trial.investigator, "class": "INDIV"}
    module["briefTitle"] = f"{trial.drug} in {condition}"
    if draw.chance(0.95):
        module["officialTitle"] = (
            f"A Randomised Study of {trial.drug} in Adults With {condition}, Study {sponsor.code}-{index}"
        )
    if draw.chance(0.2):
        module["acronym"] = f"{trial.drug[:4].upper()}-{index % 90 + 10}"
    return module


def _status(draw: Draw, trial: Trial, number: str, at: date, updated: date) -> Json:
    course, entry = trial.course, trial.entry
    module: Json = {"statusVerifiedDate": updated.isoformat()[:7]}
    if course.status:
        module["overallStatus"] = course.status
    if course.last_known:
        module["lastKnownStatus"] = course.last_known
    if course.status in ("WITHDRAWN", "TERMINATED", "SUSPENDED") and draw.chance(0.8):
        module["whyStopped"] = draw.pick(_STOPPED)
    module["expandedAccessInfo"] = _NO_ACCESS
    for name, when, junk in (
        ("startDateStruct", entry.start, entry.start_junk),
        ("primaryCompletionDateStruct", course.pcd, course.pcd_junk),
        ("completionDateStruct", course.cd, course.cd_junk),
    ):
        if struct := _partial(draw, when, junk, at):
            module[name] = struct
    if submitted := survivor_entry(entry) if number == trial.survivor else entry.submitted:
        module["studyFirstSubmitDate"] = submitted.isoformat()
        module["studyFirstSubmitQcDate"] = later(submitted, 2).isoformat()
        module["studyFirstPostDateStruct"] = _posted(submitted)
    if course.results:
        if day := course.results.submitted:
            module["resultsFirstSubmitDate"] = day.isoformat()
            module["resultsFirstSubmitQcDate"] = (later(day, 10) if draw.chance(0.4) else day).isoformat()
        if day := course.results.posted:
            kind = "ESTIMATED" if day.year < 2017 else "ACTUAL"
            module["resultsFirstPostDateStruct"] = {"date": day.isoformat(), "type": kind}
    if day := course.certificate:
        module["dispFirstSubmitDate"] = module["dispFirstSubmitQcDate"] = day.isoformat()
        module["dispFirstPostDateStruct"] = _posted(day)
    module["lastUpdateSubmitDate"] = later(updated, -2).isoformat()
    module["lastUpdatePostDateStruct"] = {
        "date": updated.isoformat(),
        "type": "ESTIMATED" if updated.year < 2017 else "ACTUAL",
    }
    return module


def _sponsors(draw: Draw, trial: Trial) -> Json:
    sponsor, person = trial.sponsor, trial.investigator
    lead: Json = {"name": sponsor.name, "class": sponsor.kind}
    party: Json = {"type": "SPONSOR"}
    share = draw.random()
    if trial.private:
        lead = {"name": person, "class": "INDIV" if trial.private == "marked" else "OTHER"}
    if trial.private == "party":
        party = {
            "type": "SPONSOR_INVESTIGATOR",
            "investigatorFullName": person,
            "investigatorTitle": "Principal Investigator",
            "investigatorAffiliation": person,
        }
    elif not trial.private and share < 0.4:
        party = {
            "type": "PRINCIPAL_INVESTIGATOR",
            "investigatorFullName": person,
            "investigatorTitle": "Professor",
            "investigatorAffiliation": sponsor.name,
        }
    elif share > 0.85:
        party = {"oldNameTitle": f"{person}, MD", "oldOrganization": sponsor.name} if share < 0.95 else {}
    module: Json = {"responsibleParty": party} if party else {}
    module["leadSponsor"] = lead
    if draw.chance(0.3):
        other = names.draw_sponsor(draw, 400)
        module["collaborators"] = [{"name": other.name, "class": other.kind}]
    return module


def _design(draw: Draw, course: Course) -> Json:
    module: Json = {}
    if course.study_type:
        module["studyType"] = course.study_type
    if course.study_type == "EXPANDED_ACCESS":
        module["expandedAccessTypes"] = {"intermediate": True}
    elif course.study_type == "OBSERVATIONAL":
        module["patientRegistry"] = draw.chance(0.2)
        module["designInfo"] = {"observationalModel": "COHORT", "timePerspective": "PROSPECTIVE"}
    else:
        if draw.chance(0.97):
            module["phases"] = draw.pick(_PHASES)
        module["designInfo"] = {
            "allocation": "RANDOMIZED",
            "interventionModel": "PARALLEL",
            "primaryPurpose": draw.pick(_PURPOSES),
            "maskingInfo": {"masking": draw.pick(_MASKINGS)},
        }
    if course.enrolled is not None and (course.enrolled == 0 or draw.chance(0.99)):
        enrolment: Json = {"count": course.enrolled}
        if course.enrolled == 0 or draw.chance(0.95):
            enrolment["type"] = "ACTUAL" if course.enrolled_actual else "ESTIMATED"
        module["enrollmentInfo"] = enrolment
    return module


def _arms(draw: Draw, drug: str) -> Json:
    """Interventions and arms. What is the same in every study is encoded once."""
    return {
        "armGroups": [
            {"label": drug, "type": "EXPERIMENTAL", "interventionNames": [f"Drug: {drug}"]},
            _CONTROL_ARM,
        ],
        "interventions": [
            {"type": draw.pick(_KINDS), "name": drug, "description": "Once daily.", "armGroupLabels": [drug]},
            _PLACEBO,
        ],
    }


_CONTROL_ARM: Final = _once({"label": "Control", "type": "PLACEBO_COMPARATOR", "interventionNames": ["Other: Placebo"]})
_PLACEBO: Final = _once({"type": "OTHER", "name": "Placebo", "armGroupLabels": ["Control"]})
_TIMES: Final = ("12 weeks", "6 months", "1 year", "Baseline and 24 weeks")


@cache
def _outcomes(condition: int, time: int, secondary: bool) -> Raw:
    module: Json = {
        "primaryOutcomes": [
            {
                "measure": f"Change in {names.CONDITIONS[condition][0]} severity score",
                "description": "Difference between baseline and the end of treatment, as rated by a blinded assessor.",
                "timeFrame": _TIMES[time],
            }
        ]
    }
    if secondary:
        module["secondaryOutcomes"] = [
            {"measure": "Quality of life", "timeFrame": "6 months"},
            {"measure": "Serious adverse events", "timeFrame": "Up to 2 years"},
        ]
    return _once(module)


@cache
def _meshes(condition: int) -> Raw:
    term, mesh = names.CONDITIONS[condition]
    return _once({"meshes": [{"id": mesh, "term": term}]})


def _contact(draw: Draw, role: str) -> Json:
    person = names.draw_person(draw)
    return {"name": person, "role": role, "phone": names.phone(draw), "email": names.email(person)}


def _locations(draw: Draw, trial: Trial) -> Json:
    module: Json = {}
    if trial.course.status in RUNNING or trial.course.status == "NOT_YET_RECRUITING":
        module["centralContacts"] = [_contact(draw, "CONTACT")]
    if trial.private == "official" or draw.chance(0.9):
        title = "" if trial.private == "official" or draw.chance(0.3) else ", MD"
        official = {"name": trial.investigator + title, "affiliation": trial.sponsor.name}
        module["overallOfficials"] = [official | {"role": "PRINCIPAL_INVESTIGATOR"}]
    locations: list[Json] = []
    for _ in range(draw.below(4)):
        where = names.place(draw.below(3_000))
        site: Json = {
            "facility": f"{where} General Hospital",
            "city": where,
            "country": draw.pick(names.COUNTRIES),
            "geoPoint": {"lat": (draw.below(12_000) - 6_000) / 100, "lon": (draw.below(32_000) - 16_000) / 100},
        }
        if draw.chance(0.3):
            site["contacts"] = [_contact(draw, "PRINCIPAL_INVESTIGATOR")]
        locations.append(site)
    if locations:
        module["locations"] = locations
    return module


def _citation(draw: Draw, trial: Trial) -> str:
    journal = draw.pick(names.JOURNALS)
    surname = trial.investigator.split()[1]
    return f"{surname} A, et al. {trial.drug} for patients. {journal.short}. 2019;{trial.index % 90}:1-9."


def _references(draw: Draw, trial: Trial) -> list[Json]:
    found: list[Json] = []
    for reference in trial.plan.references:
        entry: Json = {"pmid": str(reference.pmid), "type": reference.kind, "citation": _citation(draw, trial)}
        if reference.retraction:
            entry["retractions"] = [{"pmid": str(reference.retraction), "source": "Fict Retract. 2026"}]
        found.append(entry)
    if draw.chance(0.2):
        found.append({"type": "BACKGROUND", "citation": _citation(draw, trial)})
    if draw.chance(0.1):
        # What a trial's background cites is mostly not about any trial.
        pmid = names.unloaded_pmid(trial.index, 1)
        found.append({"pmid": str(pmid), "type": "BACKGROUND", "citation": _citation(draw, trial)})
    if trial.plan.status and draw.chance(0.1) and trial.plan.status != "reported_late":
        # Only where a found article settles the matter: a result without a number names no article, and may be an
        # earlier one than a late one.
        found.append({"type": "RESULT", "citation": _citation(draw, trial)})
    return found


# --- sections ------------------------------------------------------------------------------------------------------


def _results_section(draw: Draw, trial: Trial) -> Json:
    person = names.draw_person(draw)
    groups = [{"id": "OG000", "title": trial.drug}, {"id": "OG001", "title": "Control"}]
    counts = [{"groupId": "OG000", "value": "30"}, {"groupId": "OG001", "value": "29"}]
    return {
        "participantFlowModule": {
            "groups": [{"id": "FG000", "title": trial.drug}, {"id": "FG001", "title": "Control"}],
            "periods": [
                {
                    "title": "Overall Study",
                    "milestones": [
                        {"type": "STARTED", "achievements": [{"groupId": "FG000", "numSubjects": "1,030"}]},
                        {"type": "COMPLETED", "achievements": [{"groupId": "FG000", "numSubjects": "28"}]},
                    ],
                }
            ],
        },
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                {
                    "type": "PRIMARY",
                    "title": "Severity score",
                    "reportingStatus": "POSTED",
                    "paramType": "MEAN",
                    "dispersionType": "STANDARD_DEVIATION",
                    "unitOfMeasure": "points",
                    "timeFrame": "12 weeks",
                    "groups": groups,
                    "denoms": [{"units": "Participants", "counts": counts}],
                    "classes": [
                        {"categories": [{"measurements": [{"groupId": "OG000", "value": "-4.1", "spread": "NA"}]}]}
                    ],
                    "analyses": outcome(trial.number, trial.plan.status is not None).analyses,
                }
            ]
        },
        "moreInfoModule": {
            "certainAgreement": {"piSponsorEmployee": False, "restrictiveAgreement": False},
            "pointOfContact": {
                "title": person,
                "organization": trial.sponsor.name,
                "email": names.email(person),
                "phone": names.phone(draw),
            },
        },
    }


def _unposted(trial: Trial, events: tuple[Event, ...]) -> Json:
    listed: list[Json] = []
    for event in events:
        listed.append(
            {"type": event.kind, "date": event.day.isoformat()}
            if event.day
            else {"type": event.kind, "dateUnknown": True}
        )
    return {
        "annotationModule": {
            "unpostedAnnotation": {"unpostedResponsibleParty": trial.sponsor.name, "unpostedEvents": listed}
        }
    }


def _tracking(events: tuple[Event, ...]) -> Json:
    """The same events in rounds, as the register derives them."""
    rounds: list[Json] = []
    for event in events:
        if event.kind == "RELEASE":
            assert event.day is not None
            rounds.append({"releaseDate": event.day.isoformat()})
        elif event.kind == "UNRELEASE":
            rounds[-1] |= {"unreleaseDate": event.day.isoformat()} if event.day else {"unreleaseDateUnknown": True}
        elif event.day:
            rounds[-1]["resetDate"] = event.day.isoformat()
    return {"estimatedResultsFirstSubmitDate": rounds[0]["releaseDate"], "submissionInfos": rounds}


def _documents(draw: Draw) -> Json:
    label, short = draw.pick(
        (("Study Protocol and Statistical Analysis Plan", "Prot_SAP"), ("Informed Consent Form", "ICF"))
    )
    return {
        "largeDocumentModule": {
            "largeDocs": [
                {
                    "typeAbbrev": short,
                    "hasProtocol": short != "ICF",
                    "hasSap": short != "ICF",
                    "hasIcf": short == "ICF",
                    "label": label,
                    "date": "2019-05-06",
                    "uploadDate": "2020-02-03T09:41",
                    "filename": f"{short}_000.pdf",
                    "size": 418204,
                }
            ]
        }
    }


def _protocol(draw: Draw, trial: Trial, number: str, at: date, updated: date) -> Json:
    course = trial.course
    condition = names.CONDITIONS[trial.condition][0]
    section: Json = {
        "identificationModule": _identification(draw, trial, number),
        "statusModule": _status(draw, trial, number, at, updated),
        "sponsorCollaboratorsModule": _sponsors(draw, trial),
    }
    if draw.chance(0.8):
        section["oversightModule"] = {"oversightHasDmc": draw.chance(0.4)}
        if draw.chance(0.5):
            section["oversightModule"] |= {"isFdaRegulatedDrug": draw.chance(0.2), "isFdaRegulatedDevice": False}
    section["descriptionModule"] = {
        "briefSummary": f"This study asks whether {trial.drug} helps people with {condition.lower()}. Participants are "
        f"assigned by chance to {trial.drug} or to a control and followed by {trial.sponsor.name}."
    }
    section["conditionsModule"] = {"conditions": [condition]}
    if draw.chance(0.4):
        section["conditionsModule"]["keywords"] = [trial.drug.lower(), "randomised"]
    if not course.bare:
        section["designModule"] = _design(draw, course)
    if draw.chance(0.96):
        section["armsInterventionsModule"] = _arms(draw, trial.drug)
    if draw.chance(0.97):
        section["outcomesModule"] = _outcomes(trial.condition, draw.below(len(_TIMES)), draw.chance(0.8))
    section["eligibilityModule"] = _ELIGIBILITY
    if trial.private == "official" or draw.chance(0.95):
        section["contactsLocationsModule"] = _locations(draw, trial)
    if references := _references(draw, trial):
        section["referencesModule"] = {"references": references}
    if draw.chance(0.1):
        person = names.draw_person(draw)
        section["ipdSharingStatementModule"] = {"ipdSharing": "YES", "accessCriteria": names.email(person)}
    return section


def _study(draw: Draw, trial: Trial, number: str, served: date, updated: date) -> Json:
    """A registration as it stands when served."""
    course = trial.course
    study: Json = {"protocolSection": _protocol(draw, trial, number, served, updated)}
    if course.results:
        study["resultsSection"] = _results_section(draw, trial)
    if course.events:
        study["annotationSection"] = _unposted(trial, course.events)
    if draw.chance(0.3 if course.results else 0.03):
        study["documentSection"] = _documents(draw)
    misc: Json = {"versionHolder": served.isoformat()}
    if course.events:
        misc["submissionTracking"] = _tracking(course.events)
    elif course.results and course.results.submitted and draw.chance(0.1):
        misc["submissionTracking"] = {"firstMcpInfo": {"postDateStruct": _posted(course.results.submitted)}}
    study["derivedSection"] = {"miscInfoModule": misc}
    if draw.chance(0.85):
        study["derivedSection"]["conditionBrowseModule"] = _meshes(trial.condition)
    study["hasResults"] = course.results is not None
    return study


def _forget_results(study: Json) -> None:
    for section in ("resultsSection", "annotationSection"):
        study.pop(section, None)
    status = study["protocolSection"]["statusModule"]
    for field in [field for field in status if field.startswith("resultsFirst")]:
        del status[field]
    study["derivedSection"]["miscInfoModule"].pop("submissionTracking", None)
    study["hasResults"] = False


def _redated(study: Json, served: date, updated: date) -> Json:
    """A copy of a study, dated as an older version of it."""
    protocol = dict(study["protocolSection"])
    status = dict(protocol["statusModule"])
    status["statusVerifiedDate"] = updated.isoformat()[:7]
    status["lastUpdateSubmitDate"] = later(updated, -2).isoformat()
    status["lastUpdatePostDateStruct"] = {
        "date": updated.isoformat(),
        "type": "ESTIMATED" if updated.year < 2017 else "ACTUAL",
    }
    protocol["statusModule"] = status
    derived = dict(study["derivedSection"])
    derived["miscInfoModule"] = dict(derived["miscInfoModule"], versionHolder=served.isoformat())
    return dict(study, protocolSection=protocol, derivedSection=derived)


def _older(draw: Draw, trial: Trial, study: Json, served: date) -> Json:
    """An earlier version: the trial still ran, nothing was reported, some dates and the title were others."""
    older = _redated(study, served, trial.updated_before)
    protocol, course = older["protocolSection"], trial.course
    status = protocol["statusModule"]
    if course.earlier is not Earlier.RESULTS:
        _forget_results(older)
        status["overallStatus"] = "RECRUITING"
        status.pop("lastKnownStatus", None)
        status.pop("whyStopped", None)
    protocol.pop("referencesModule", None)
    protocol["identificationModule"] = dict(
        protocol["identificationModule"], briefTitle=f"{trial.drug} Versus Control (Working Title)"
    )
    for name, when in (("primaryCompletionDateStruct", course.pcd), ("completionDateStruct", course.cd)):
        if moved := _shifted(when, 200):
            status[name] = {"date": moved.text, "type": "ESTIMATED"}
    if course.earlier is Earlier.DATES:
        ended = later(trial.entry.start.last, 400) if trial.entry.start else date(2015, 5, 5)
        status["primaryCompletionDateStruct"] = status["completionDateStruct"] = {
            "date": ended.isoformat(),
            "type": "ACTUAL",
        }
    if draw.chance(0.25) and (start := _shifted(trial.entry.start, -35)):
        status["startDateStruct"] = {"date": start.text, "type": "ESTIMATED"}
    if design := protocol.get("designModule"):
        design = protocol["designModule"] = dict(design)
        if course.earlier is Earlier.IN_SCOPE:
            design |= {"studyType": "INTERVENTIONAL", "phases": ["PHASE2"]}
        elif course.study_type == "INTERVENTIONAL" and not course.outside and draw.chance(0.1):
            design["studyType"] = "OBSERVATIONAL"
        if course.enrolled is not None:
            design["enrollmentInfo"] = {"count": 120, "type": "ESTIMATED"}
    return older


def _obsolete(trial: Trial, study: Json) -> Json:
    """The first registration of a trial that was later merged into a second one: same dates, nothing reported."""
    old = _redated(study, SEARCH, trial.updated_before)
    protocol = old["protocolSection"]
    identification = dict(protocol["identificationModule"], nctId=trial.number)
    del identification["nctIdAliases"]
    protocol["identificationModule"] = identification
    status, submitted = protocol["statusModule"], trial.entry.submitted
    assert submitted is not None
    status["studyFirstSubmitDate"] = submitted.isoformat()
    status["studyFirstSubmitQcDate"] = later(submitted, 2).isoformat()
    status["studyFirstPostDateStruct"] = _posted(submitted)
    protocol.pop("referencesModule", None)
    _forget_results(old)
    return old


# --- files ---------------------------------------------------------------------------------------------------------


class _Pages:
    """The full register as pages: only the last one has no token, so a page waits for the next study before it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: GzipFile | None = None
        self._held = 0
        self.names: list[str] = []

    def add(self, study: bytes) -> None:
        if self._file is None or self._held == PAGE:
            self._turn()
        assert self._file is not None
        self._file.write(b",\n" + study if self._held else study)
        self._held += 1

    def _turn(self) -> None:
        number = len(self.names) + 1
        if self._file is not None:
            token = hashlib.sha256(f"page {number}".encode()).hexdigest()[:32]
            self._file.write(f'\n],"nextPageToken":"{token}"}}'.encode())
            self._file.close()
        name = f"studies-{FULL.isoformat()}.page-{number:04d}.json.gz"
        self.names.append(name)
        self._file = GzipFile(self._folder / name)
        self._file.write(b'{"studies":[\n')
        self._held = 0

    def close(self) -> None:
        if self._file is None:
            self._turn()
        assert self._file is not None
        self._file.write(b"\n]}")
        self._file.close()

    def abandon(self) -> None:
        if self._file is not None:
            self._file.abandon()


class CtgovWriter:
    """Writes the older search download, the full register and its update, study by study."""

    def __init__(self, folder: Path) -> None:
        self.search = f"search-{SEARCH.isoformat()}.studies.zip"
        self.update = f"update-{UPDATE.isoformat()}.json"
        self.registrations = 0
        self._zip = ZipFile(folder / self.search, (SEARCH.year, SEARCH.month, SEARCH.day))
        self._pages = _Pages(folder)
        self._update = (folder / self.update).open("wb")
        self._updates = 0

    @property
    def pages(self) -> list[str]:
        return self._pages.names

    def _search_has(self, study: Json) -> None:
        number = study["protocolSection"]["identificationModule"]["nctId"]
        self._zip.add(f"{number}.json", encode(study))

    def _update_has(self, study: bytes) -> None:
        self._update.write((b",\n" if self._updates else b"[\n") + study)
        self._updates += 1

    def add(self, draw: Draw, trial: Trial) -> None:
        self.registrations += 2 if trial.survivor else 1
        history = trial.history
        if history == "vanished":
            self._search_has(_study(draw, trial, trial.number, SEARCH, trial.updated))
            return
        if history == "update":
            newest = _study(draw, trial, trial.number, UPDATE, trial.updated)
            self._pages.add(encode(_older(draw, trial, newest, FULL)))
            self._update_has(encode(newest))
            return
        study = _study(draw, trial, trial.survivor or trial.number, FULL, trial.updated)
        packed = encode(study)
        self._pages.add(packed)
        if history == "earlier":
            self._search_has(_older(draw, trial, study, SEARCH))
        elif history == "same_day":
            # Only what the register itself derives has changed since, so the update date has not.
            earlier = _redated(study, SEARCH, trial.updated)
            if not trial.course.results:
                _forget_results(earlier)
            earlier["protocolSection"].pop("referencesModule", None)
            self._search_has(earlier)
        elif history == "alias":
            self._search_has(_obsolete(trial, study))
        elif history == "repeat":
            self._update_has(packed)

    def close(self) -> None:
        self._pages.close()
        self._update.write(b"\n]\n" if self._updates else b"[]\n")
        self.abandon()

    def abandon(self) -> None:
        """Lets go of the files, whole or not."""
        self._pages.abandon()
        self._update.close()
        self._zip.__exit__(None, None, None)
