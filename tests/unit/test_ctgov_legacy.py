"""ClinicalTrials.gov's retired formats: every element of a planted record, both generations of names, broken files.

All records here are made up for the purpose.
"""

import json
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts import contracts
from pipelines.errors import PayloadError
from pipelines.formats import ctgov_legacy as legacy
from pipelines.sources import ctgov

DAY = date(2024, 6, 1)

FULL_XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<clinical_study rank="1">
  <!-- This xml conforms to an XML Schema at: an address -->
  <required_header>
    <download_date>ClinicalTrials.gov processed this data on May 02, 2023</download_date>
  </required_header>
  <id_info>
    <org_study_id>INV-7</org_study_id>
    <secondary_id>2010-012345-67</secondary_id>
    <secondary_id>OTHER-8</secondary_id>
    <nct_id>NCT90000001</nct_id>
    <nct_alias>NCT90000091</nct_alias>
    <nct_alias>NCT90000092</nct_alias>
  </id_info>
  <brief_title>Tea &amp; Sleep in G\xc3\xb6ttingen</brief_title>
  <acronym>TEA</acronym>
  <official_title>A Trial of Tea &lt;hot&gt;</official_title>
  <sponsors>
    <lead_sponsor>
      <agency>Invented Foundation</agency>
      <agency_class>Other</agency_class>
    </lead_sponsor>
    <collaborator>
      <agency>Invented Institute</agency>
      <agency_class>NIH</agency_class>
    </collaborator>
    <collaborator>
      <agency>Invented Agency</agency>
      <agency_class>U.S. Fed</agency_class>
    </collaborator>
  </sponsors>
  <source>Invented Foundation</source>
  <oversight_info>
    <has_dmc>Yes</has_dmc>
    <is_fda_regulated_drug>Yes</is_fda_regulated_drug>
    <is_fda_regulated_device>No</is_fda_regulated_device>
    <is_unapproved_device>Yes</is_unapproved_device>
    <is_ppsd>No</is_ppsd>
    <is_us_export>Yes</is_us_export>
  </oversight_info>
  <brief_summary>
    <textblock>
      Long-term follow-up of EudraCT 2019-
      009999-11.
    </textblock>
  </brief_summary>
  <detailed_description><textblock>As in NCT90000002.</textblock></detailed_description>
  <overall_status>Unknown status</overall_status>
  <last_known_status>Active, not recruiting</last_known_status>
  <why_stopped>
    Too little tea,
    and too late.
  </why_stopped>
  <start_date type="Actual">April 12, 2018</start_date>
  <completion_date type="Anticipated">June 2020</completion_date>
  <primary_completion_date type="Anticipated">May 2020</primary_completion_date>
  <phase>Phase 1/Phase 2</phase>
  <study_type>Interventional</study_type>
  <has_expanded_access>No</has_expanded_access>
  <study_design_info>
    <allocation>Randomized</allocation>
    <primary_purpose>Educational/Counseling/Training</primary_purpose>
  </study_design_info>
  <primary_outcome>
    <measure>Sleep</measure>
    <time_frame>1 week</time_frame>
    <description>Not read.</description>
  </primary_outcome>
  <secondary_outcome><measure>Dreams</measure><time_frame>2 weeks</time_frame></secondary_outcome>
  <other_outcome><measure>Mood</measure><time_frame>3 weeks</time_frame></other_outcome>
  <enrollment type="Anticipated">40</enrollment>
  <condition>Insomnia</condition>
  <condition>Thirst</condition>
  <intervention>
    <intervention_type>Dietary Supplement</intervention_type>
    <intervention_name>Tea</intervention_name>
    <other_name>Camellia</other_name>
    <other_name>Cha</other_name>
  </intervention>
  <overall_official>
    <last_name>Ada Invented, MD</last_name>
    <role>Principal Investigator</role>
    <affiliation>Invented Institute</affiliation>
  </overall_official>
  <overall_contact><last_name>Never Read</last_name><email>never@example.org</email></overall_contact>
  <location>
    <facility><address><city>G\xc3\xb6ttingen</city><country>Germany</country></address></facility>
    <contact><last_name>Never Read</last_name><phone>never</phone></contact>
  </location>
  <location><facility><address><country>Germany</country></address></facility></location>
  <location><facility><address><country>France</country></address></facility></location>
  <location><facility><name>A place without an address</name></facility></location>
  <location_countries><country>France</country><country>Germany</country></location_countries>
  <removed_countries><country>Spain</country></removed_countries>
  <reference><citation>Background. doi: 10.1000/b</citation><PMID>11</PMID></reference>
  <results_reference><citation>Result.</citation><PMID>12</PMID></results_reference>
  <verification_date>May 2019</verification_date>
  <study_first_submitted>March 1, 2018</study_first_submitted>
  <study_first_submitted_qc>March 2, 2018</study_first_submitted_qc>
  <study_first_posted type="Actual">March 3, 2018</study_first_posted>
  <results_first_submitted>January 4, 2022</results_first_submitted>
  <results_first_submitted_qc>January 5, 2022</results_first_submitted_qc>
  <results_first_posted type="Estimate">January 6, 2022</results_first_posted>
  <disposition_first_submitted>July 7, 2021</disposition_first_submitted>
  <disposition_first_posted type="Estimate">July 8, 2021</disposition_first_posted>
  <last_update_submitted>May 9, 2019</last_update_submitted>
  <last_update_submitted_qc>May 9, 2019</last_update_submitted_qc>
  <last_update_posted type="Actual">May 10, 2019</last_update_posted>
  <responsible_party>
    <responsible_party_type>Sponsor-Investigator</responsible_party_type>
    <investigator_full_name>Ada Invented</investigator_full_name>
    <name_title>Bob Invented, Director</name_title>
  </responsible_party>
  <keyword>tea</keyword>
  <condition_browse>
    <!-- CAUTION:  The following MeSH terms are assigned with an imperfect algorithm -->
    <mesh_term>Sleep Initiation and Maintenance Disorders</mesh_term>
  </condition_browse>
  <intervention_browse><mesh_term>Tea</mesh_term></intervention_browse>
  <provided_document_section>
    <provided_document>
      <document_type>Study Protocol and Statistical Analysis Plan</document_type>
      <document_has_protocol>Yes</document_has_protocol>
      <document_has_icf>No</document_has_icf>
      <document_has_sap>Yes</document_has_sap>
      <document_date>February 3, 2018</document_date>
      <document_url>https://ClinicalTrials.gov/ProvidedDocs/01/NCT90000001/Prot_SAP_000.pdf</document_url>
    </provided_document>
  </provided_document_section>
  <pending_results>
    <submitted>October 1, 2020</submitted>
    <returned>November 2, 2020</returned>
    <submission_canceled>Unknown</submission_canceled>
  </pending_results>
  <clinical_results>
    <participant_flow/>
    <outcome_list>
      <outcome>
        <type>Primary</type><title>Sleep</title>
        <analysis_list>
          <analysis>
            <non_inferiority_type>Non-Inferiority or Equivalence</non_inferiority_type>
            <p_value>&lt;0.001</p_value><method>ANCOVA</method>
            <param_type>Mean Difference (Net)</param_type><param_value>-1.5</param_value>
            <ci_percent>95</ci_percent><ci_n_sides>2-Sided</ci_n_sides>
            <ci_lower_limit>-2.0</ci_lower_limit><ci_upper_limit>-1.0</ci_upper_limit>
          </analysis>
        </analysis_list>
      </outcome>
      <outcome><type>Post-Hoc</type><title>Dreams</title></outcome>
    </outcome_list>
  </clinical_results>
</clinical_study>
"""

FULL_STUDY: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {
            "nctId": "NCT90000001",
            "nctIdAliases": ["NCT90000091", "NCT90000092"],
            "orgStudyIdInfo": {"id": "INV-7"},
            "secondaryIdInfos": [{"id": "2010-012345-67"}, {"id": "OTHER-8"}],
            "briefTitle": "Tea & Sleep in Göttingen",
            "officialTitle": "A Trial of Tea <hot>",
            "acronym": "TEA",
        },
        "statusModule": {
            "statusVerifiedDate": "2019-05",
            "overallStatus": "UNKNOWN",
            "lastKnownStatus": "ACTIVE_NOT_RECRUITING",
            "whyStopped": "Too little tea, and too late.",
            "startDateStruct": {"date": "2018-04-12", "type": "ACTUAL"},
            "primaryCompletionDateStruct": {"date": "2020-05", "type": "ESTIMATED"},
            "completionDateStruct": {"date": "2020-06", "type": "ESTIMATED"},
            "studyFirstSubmitDate": "2018-03-01",
            "studyFirstPostDateStruct": {"date": "2018-03-03"},
            "resultsFirstSubmitDate": "2022-01-04",
            "resultsFirstSubmitQcDate": "2022-01-05",
            "resultsFirstPostDateStruct": {"date": "2022-01-06", "type": "ESTIMATED"},
            "dispFirstSubmitDate": "2021-07-07",
            "dispFirstPostDateStruct": {"date": "2021-07-08"},
            "lastUpdateSubmitDate": "2019-05-09",
            "lastUpdatePostDateStruct": {"date": "2019-05-10"},
        },
        "sponsorCollaboratorsModule": {
            "responsibleParty": {
                "type": "SPONSOR_INVESTIGATOR",
                "investigatorFullName": "Ada Invented",
                "oldNameTitle": "Bob Invented, Director",
            },
            "leadSponsor": {"name": "Invented Foundation", "class": "OTHER"},
            "collaborators": [
                {"name": "Invented Institute", "class": "NIH"},
                {"name": "Invented Agency", "class": "FED"},
            ],
        },
        "oversightModule": {
            "isFdaRegulatedDrug": True,
            "isFdaRegulatedDevice": False,
            "isUnapprovedDevice": True,
            "isPpsd": False,
            "isUsExport": True,
        },
        "descriptionModule": {
            "briefSummary": "Long-term follow-up of EudraCT 2019- 009999-11.",
            "detailedDescription": "As in NCT90000002.",
        },
        "conditionsModule": {"conditions": ["Insomnia", "Thirst"], "keywords": ["tea"]},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE1", "PHASE2"],
            "designInfo": {"primaryPurpose": "ECT"},
            "enrollmentInfo": {"count": "40", "type": "ESTIMATED"},
        },
        "armsInterventionsModule": {
            "interventions": [{"type": "DIETARY_SUPPLEMENT", "name": "Tea", "otherNames": ["Camellia", "Cha"]}]
        },
        "outcomesModule": {
            "primaryOutcomes": [{"measure": "Sleep", "timeFrame": "1 week"}],
            "secondaryOutcomes": [{"measure": "Dreams", "timeFrame": "2 weeks"}],
            "otherOutcomes": [{"measure": "Mood", "timeFrame": "3 weeks"}],
        },
        "contactsLocationsModule": {
            "overallOfficials": [{"name": "Ada Invented, MD"}],
            "locations": [{"country": "Germany"}, {"country": "Germany"}, {"country": "France"}],
        },
        "referencesModule": {
            "references": [
                {"pmid": "11", "type": "BACKGROUND", "citation": "Background. doi: 10.1000/b"},
                {"pmid": "12", "type": "RESULT", "citation": "Result."},
            ]
        },
    },
    "annotationSection": {
        "annotationModule": {
            "unpostedAnnotation": {
                "unpostedEvents": [
                    {"type": "RELEASE", "date": "2020-10-01"},
                    {"type": "RESET", "date": "2020-11-02"},
                    {"type": "UNRELEASE", "dateUnknown": True},
                ]
            }
        }
    },
    "documentSection": {
        "largeDocumentModule": {
            "largeDocs": [
                {
                    "hasProtocol": True,
                    "hasSap": True,
                    "hasIcf": False,
                    "label": "Study Protocol and Statistical Analysis Plan",
                    "date": "2018-02-03",
                    "filename": "Prot_SAP_000.pdf",
                }
            ]
        }
    },
    "derivedSection": {
        "miscInfoModule": {"removedCountries": ["Spain"]},
        "conditionBrowseModule": {"meshes": [{"term": "Sleep Initiation and Maintenance Disorders"}]},
        "interventionBrowseModule": {"meshes": [{"term": "Tea"}]},
    },
    "resultsSection": {
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                {
                    "type": "PRIMARY",
                    "title": "Sleep",
                    "analyses": [
                        {
                            "pValue": "<0.001",
                            "nonInferiorityType": "NON_INFERIORITY_OR_EQUIVALENCE",
                            "statisticalMethod": "ANCOVA",
                            "paramType": "Mean Difference (Net)",
                            "paramValue": "-1.5",
                            "ciPctValue": "95",
                            "ciNumSides": "TWO_SIDED",
                            "ciLowerLimit": "-2.0",
                            "ciUpperLimit": "-1.0",
                        }
                    ],
                },
                {"type": "POST_HOC", "title": "Dreams"},
            ]
        }
    },
    "hasResults": True,
}

FULL_V1: dict[str, Any] = {
    "ProtocolSection": {
        "IdentificationModule": {
            "NCTId": "NCT90000001",
            "NCTIdAliasList": {"NCTIdAlias": ["NCT90000091", "NCT90000092"]},
            "OrgStudyIdInfo": {"OrgStudyId": "INV-7", "OrgStudyIdType": "U.S. NIH Grant/Contract"},
            "SecondaryIdInfoList": {
                "SecondaryIdInfo": [
                    {"SecondaryId": "2010-012345-67", "SecondaryIdType": "EudraCT Number"},
                    {
                        "SecondaryId": "OTHER-8",
                        "SecondaryIdType": "Registry Identifier",
                        "SecondaryIdDomain": "Invented Register",
                        "SecondaryIdLink": "https://example.org",
                    },
                ]
            },
            "Organization": {"OrgFullName": "Invented Foundation", "OrgClass": "OTHER"},
            "BriefTitle": "Tea & Sleep in Göttingen",
            "OfficialTitle": "A Trial of Tea <hot>",
            "Acronym": "TEA",
        },
        "StatusModule": {
            "StatusVerifiedDate": "May 2019",
            "OverallStatus": "Unknown status",
            "LastKnownStatus": "Active, not recruiting",
            "WhyStopped": "Too little tea, and too late.",
            "ExpandedAccessInfo": {"HasExpandedAccess": "No"},
            "StartDateStruct": {"StartDate": "April 12, 2018", "StartDateType": "Actual"},
            "PrimaryCompletionDateStruct": {
                "PrimaryCompletionDate": "May 2020",
                "PrimaryCompletionDateType": "Anticipated",
            },
            "CompletionDateStruct": {"CompletionDate": "June 2020", "CompletionDateType": "Anticipated"},
            "StudyFirstSubmitDate": "March 1, 2018",
            "StudyFirstSubmitQCDate": "March 2, 2018",
            "StudyFirstPostDateStruct": {"StudyFirstPostDate": "March 3, 2018", "StudyFirstPostDateType": "Actual"},
            "ResultsFirstSubmitDate": "January 4, 2022",
            "ResultsFirstSubmitQCDate": "January 5, 2022",
            "ResultsFirstPostDateStruct": {
                "ResultsFirstPostDate": "January 6, 2022",
                "ResultsFirstPostDateType": "Estimate",
            },
            "DispFirstSubmitDate": "July 7, 2021",
            "DispFirstPostDateStruct": {"DispFirstPostDate": "July 8, 2021", "DispFirstPostDateType": "Estimate"},
            "LastUpdateSubmitDate": "May 9, 2019",
            "LastUpdatePostDateStruct": {"LastUpdatePostDate": "May 10, 2019", "LastUpdatePostDateType": "Actual"},
        },
        "SponsorCollaboratorsModule": {
            "ResponsibleParty": {
                "ResponsiblePartyType": "Sponsor-Investigator",
                "ResponsiblePartyInvestigatorFullName": "Ada Invented",
                "ResponsiblePartyOldNameTitle": "Bob Invented, Director",
            },
            "LeadSponsor": {"LeadSponsorName": "Invented Foundation", "LeadSponsorClass": "OTHER"},
            "CollaboratorList": {
                "Collaborator": [
                    {"CollaboratorName": "Invented Institute", "CollaboratorClass": "NIH"},
                    {"CollaboratorName": "Invented Agency", "CollaboratorClass": "FED"},
                ]
            },
        },
        "OversightModule": {
            "OversightHasDMC": "Yes",
            "IsFDARegulatedDrug": "Yes",
            "IsFDARegulatedDevice": "No",
            "IsUnapprovedDevice": "Yes",
            "IsPPSD": "No",
            "IsUSExport": "Yes",
            "FDAAA801Violation": "Yes",
        },
        "DescriptionModule": {
            "BriefSummary": "Long-term follow-up of EudraCT 2019- 009999-11.",
            "DetailedDescription": "As in NCT90000002.",
        },
        "ConditionsModule": {
            "ConditionList": {"Condition": ["Insomnia", "Thirst"]},
            "KeywordList": {"Keyword": ["tea"]},
        },
        "DesignModule": {
            "StudyType": "Interventional",
            "PhaseList": {"Phase": ["Phase 1", "Phase 2"]},
            "DesignInfo": {"DesignPrimaryPurpose": "Educational/Counseling/Training"},
            "EnrollmentInfo": {"EnrollmentCount": "40", "EnrollmentType": "Anticipated"},
        },
        "ArmsInterventionsModule": {
            "InterventionList": {
                "Intervention": [
                    {
                        "InterventionType": "Dietary Supplement",
                        "InterventionName": "Tea",
                        "InterventionOtherNameList": {"InterventionOtherName": ["Camellia", "Cha"]},
                    }
                ]
            }
        },
        "OutcomesModule": {
            "PrimaryOutcomeList": {
                "PrimaryOutcome": [{"PrimaryOutcomeMeasure": "Sleep", "PrimaryOutcomeTimeFrame": "1 week"}]
            },
            "SecondaryOutcomeList": {
                "SecondaryOutcome": [{"SecondaryOutcomeMeasure": "Dreams", "SecondaryOutcomeTimeFrame": "2 weeks"}]
            },
            "OtherOutcomeList": {"OtherOutcome": [{"OtherOutcomeMeasure": "Mood", "OtherOutcomeTimeFrame": "3 weeks"}]},
        },
        "ContactsLocationsModule": {
            "CentralContactList": {"CentralContact": [{"CentralContactName": "Never Read"}]},
            "OverallOfficialList": {"OverallOfficial": [{"OverallOfficialName": "Ada Invented, MD"}]},
            "LocationList": {
                "Location": [
                    {"LocationCountry": "Germany"},
                    {"LocationCountry": "Germany"},
                    {"LocationCountry": "France"},
                ]
            },
        },
        "ReferencesModule": {
            "ReferenceList": {
                "Reference": [
                    {
                        "ReferencePMID": "11",
                        "ReferenceType": "background",
                        "ReferenceCitation": "Background. doi: 10.1000/b",
                    },
                    {"ReferencePMID": "12", "ReferenceType": "result", "ReferenceCitation": "Result."},
                ]
            }
        },
    },
    "ResultsSection": {
        "ParticipantFlowModule": {},
        "OutcomeMeasuresModule": {
            "OutcomeMeasureList": {
                "OutcomeMeasure": [
                    {
                        "OutcomeMeasureType": "Primary",
                        "OutcomeMeasureTitle": "Sleep",
                        "OutcomeAnalysisList": {
                            "OutcomeAnalysis": [
                                {
                                    "OutcomeAnalysisPValue": "<0.001",
                                    "OutcomeAnalysisNonInferiorityType": "Non-Inferiority or Equivalence",
                                    "OutcomeAnalysisStatisticalMethod": "ANCOVA",
                                    "OutcomeAnalysisParamType": "Mean Difference (Net)",
                                    "OutcomeAnalysisParamValue": "-1.5",
                                    "OutcomeAnalysisCIPctValue": "95",
                                    "OutcomeAnalysisCINumSides": "2-Sided",
                                    "OutcomeAnalysisCILowerLimit": "-2.0",
                                    "OutcomeAnalysisCIUpperLimit": "-1.0",
                                }
                            ]
                        },
                    },
                    {"OutcomeMeasureType": "Post-Hoc", "OutcomeMeasureTitle": "Dreams"},
                ]
            }
        },
    },
    "AnnotationSection": {
        "AnnotationModule": {
            "UnpostedAnnotation": {
                "UnpostedEventList": {
                    "UnpostedEvent": [
                        {"UnpostedEventType": "Release", "UnpostedEventDate": "October 1, 2020"},
                        {"UnpostedEventType": "Reset", "UnpostedEventDate": "November 2, 2020"},
                        {"UnpostedEventType": "Unrelease", "UnpostedEventDate": "Unknown"},
                    ]
                }
            }
        }
    },
    "DocumentSection": {
        "LargeDocumentModule": {
            "LargeDocList": {
                "LargeDoc": [
                    {
                        "LargeDocTypeAbbrev": "Prot_SAP",
                        "LargeDocHasProtocol": "Yes",
                        "LargeDocHasSAP": "Yes",
                        "LargeDocHasICF": "No",
                        "LargeDocLabel": "Study Protocol and Statistical Analysis Plan",
                        "LargeDocDate": "February 3, 2018",
                        "LargeDocUploadDate": "12/31/2021 12:32",
                        "LargeDocFilename": "Prot_SAP_000.pdf",
                    }
                ]
            }
        }
    },
    "DerivedSection": {
        "MiscInfoModule": {
            "VersionHolder": "March 03, 2021",
            "RemovedCountryList": {"RemovedCountry": ["Spain"]},
            "SubmissionTracking": {
                "EstimatedResultsFirstSubmitDate": "October 1, 2020",
                "SubmissionInfoList": {
                    "SubmissionInfo": [
                        {
                            "SubmissionReleaseDate": "October 1, 2020",
                            "SubmissionUnreleaseDate": "October 3, 2020",
                            "SubmissionResetDate": "November 2, 2020",
                        },
                        {"SubmissionUnreleaseDate": "Unknown"},
                    ]
                },
            },
        },
        "ConditionBrowseModule": {
            "ConditionMeshList": {
                "ConditionMesh": [
                    {
                        "ConditionMeshId": "D007319",
                        "ConditionMeshTerm": "Sleep Initiation and Maintenance Disorders",
                    }
                ]
            },
            "ConditionAncestorList": {
                "ConditionAncestor": [
                    {"ConditionAncestorId": "D012893", "ConditionAncestorTerm": "Sleep Wake Disorders"}
                ]
            },
        },
        "InterventionBrowseModule": {
            "InterventionMeshList": {
                "InterventionMesh": [{"InterventionMeshId": "D013662", "InterventionMeshTerm": "Tea"}]
            },
            "InterventionAncestorList": {
                "InterventionAncestor": [{"InterventionAncestorId": "D001628", "InterventionAncestorTerm": "Beverages"}]
            },
        },
    },
}

ONLY_V1 = {
    "protocolSection.identificationModule.orgStudyIdInfo.type",
    "protocolSection.identificationModule.secondaryIdInfos[].type",
    "protocolSection.identificationModule.secondaryIdInfos[].domain",
    "protocolSection.oversightModule.fdaaa801Violation",
    "documentSection.largeDocumentModule.largeDocs[].uploadDate",
    "derivedSection.miscInfoModule.versionHolder",
    "derivedSection.miscInfoModule.submissionTracking.estimatedResultsFirstSubmitDate",
    "derivedSection.miscInfoModule.submissionTracking.submissionInfos[].releaseDate",
    "derivedSection.miscInfoModule.submissionTracking.submissionInfos[].unreleaseDate",
    "derivedSection.miscInfoModule.submissionTracking.submissionInfos[].unreleaseDateUnknown",
    "derivedSection.miscInfoModule.submissionTracking.submissionInfos[].resetDate",
    "derivedSection.conditionBrowseModule.meshes[].id",
    "derivedSection.conditionBrowseModule.ancestors[].id",
    "derivedSection.conditionBrowseModule.ancestors[].term",
    "derivedSection.interventionBrowseModule.meshes[].id",
    "derivedSection.interventionBrowseModule.ancestors[].id",
    "derivedSection.interventionBrowseModule.ancestors[].term",
}
"""Paths that legacy XML has no element for."""
ONLY_V2 = {"protocolSection.statusModule.resultsWaived"}


def paths(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from paths(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from paths(item, f"{path}[]")
    else:
        yield path


def at(study: Any, path: str) -> Any:
    for name in path.split("."):
        study = study.get(name, {})
    return study or None


def xml(inside: str, number: str = "NCT90000002") -> bytes:
    return f"<clinical_study><id_info><nct_id>{number}</nct_id></id_info>{inside}</clinical_study>".encode()


def v1(number: str = "NCT90000002", **modules: Any) -> dict[str, Any]:
    return {"ProtocolSection": {"IdentificationModule": {"NCTId": number}} | modules}


def v1_page(*studies: dict[str, Any]) -> bytes:
    return json.dumps(
        {
            "FullStudiesResponse": {
                "APIVrs": "1.01.05",
                "Expression": "AREA[NCTId]NCT90000001 }",
                "NStudiesReturned": len(studies),
                "FullStudies": [{"Rank": rank, "Study": study} for rank, study in enumerate(studies, 1)],
            }
        },
        indent=2,
    ).encode()


# --- the whole record -----------------------------------------------------------------------------------------------


def test_every_element_of_legacy_xml():
    assert legacy.study_from_xml(FULL_XML) == FULL_STUDY


def test_every_member_of_api_v1():
    study = legacy.study_from_v1(FULL_V1)
    ids = study["protocolSection"]["identificationModule"]
    assert ids["orgStudyIdInfo"].pop("type") == "NIH"
    assert ids["secondaryIdInfos"][0].pop("type") == "EUDRACT_NUMBER"
    assert ids["secondaryIdInfos"][1] == {"id": "OTHER-8", "type": "REGISTRY", "domain": "Invented Register"}
    del ids["secondaryIdInfos"][1]["type"], ids["secondaryIdInfos"][1]["domain"]
    assert study["protocolSection"]["oversightModule"].pop("fdaaa801Violation") is True
    assert study["documentSection"]["largeDocumentModule"]["largeDocs"][0].pop("uploadDate") == "2021-12-31T12:32"
    misc = study["derivedSection"]["miscInfoModule"]
    assert misc.pop("versionHolder") == "2021-03-03"
    assert misc.pop("submissionTracking") == {
        "estimatedResultsFirstSubmitDate": "2020-10-01",
        "submissionInfos": [
            {"releaseDate": "2020-10-01", "unreleaseDate": "2020-10-03", "resetDate": "2020-11-02"},
            {"unreleaseDateUnknown": True},
        ],
    }
    conditions = study["derivedSection"]["conditionBrowseModule"]
    interventions = study["derivedSection"]["interventionBrowseModule"]
    assert conditions["meshes"][0].pop("id") == "D007319"
    assert interventions["meshes"][0].pop("id") == "D013662"
    assert conditions.pop("ancestors") == [{"id": "D012893", "term": "Sleep Wake Disorders"}]
    assert interventions.pop("ancestors") == [{"id": "D001628", "term": "Beverages"}]
    assert study == FULL_STUDY, "what both formats have, they say alike"


def test_the_planted_records_leave_no_path_out():
    fields = set(contracts().sources["ctgov"].fields)
    from_xml = set(paths(legacy.study_from_xml(FULL_XML)))
    from_v1 = set(paths(legacy.study_from_v1(FULL_V1)))
    flattened = {path.removesuffix("[]") for path in fields}
    flattened -= {path for path in flattened if path.startswith("history.")}  # no retired format came with its history
    assert {path.removesuffix("[]") for path in from_v1} == flattened - ONLY_V2
    assert {path.removesuffix("[]") for path in from_xml} == flattened - ONLY_V2 - ONLY_V1


@pytest.mark.parametrize(
    ("table", "field"),
    [
        (legacy.STATUS, "status"),
        (legacy.STUDY_TYPE, "study_type"),
        (legacy.AGENCY_CLASS, "sponsor_class"),
        (legacy.DATE_TYPE, "date_type"),
        (legacy.INTERVENTION_TYPE, "intervention_type"),
        (legacy.PRIMARY_PURPOSE, "primary_purpose"),
        (legacy.REFERENCE_TYPE, "reference_type"),
        (legacy.RESULT_EVENT, "result_event"),
        (legacy.HYPOTHESIS, "hypothesis"),
    ],
)
def test_every_word_leads_to_a_constant_of_api_v2(table, field):
    known = set(contracts().sources["ctgov"].words[field])
    assert {word for word in table.values() if word} <= known
    # XML has fewer classes than v2, for which v1 has the constants themselves.
    if field != "sponsor_class":
        assert known == {word for word in table.values() if word}


def test_every_phase_leads_to_phases_of_api_v2():
    known = contracts().sources["ctgov"].words["phase"]
    assert {"|".join(phases) for phases in legacy.PHASE.values()} == set(known)


# --- the older generation of names ----------------------------------------------------------------------------------


def test_the_older_names_of_dates():
    study = legacy.study_from_xml(
        xml(
            "<firstreceived_date>June 5, 2009</firstreceived_date>"
            "<firstreceived_results_date>July 6, 2010</firstreceived_results_date>"
            "<firstreceived_results_disposition_date>August 7, 2010</firstreceived_results_disposition_date>"
            "<lastchanged_date>September 8, 2011</lastchanged_date>"
        )
    )
    assert study["protocolSection"]["statusModule"] == {
        "studyFirstSubmitDate": "2009-06-05",
        "resultsFirstSubmitDate": "2010-07-06",
        "dispFirstSubmitDate": "2010-08-07",
        "lastUpdateSubmitDate": "2011-09-08",
    }


def test_the_newer_name_of_a_date_wins_where_both_stand():
    study = legacy.study_from_xml(
        xml(
            "<firstreceived_date>June 5, 2009</firstreceived_date>"
            "<study_first_submitted>June 6, 2009</study_first_submitted>"
        )
    )
    assert at(study, "protocolSection.statusModule.studyFirstSubmitDate") == "2009-06-06"


@pytest.mark.parametrize(
    ("design", "purpose"),
    [
        ("Allocation:  Randomized, Masking:  Open Label, Primary Purpose:  Treatment", "TREATMENT"),
        ("Primary Purpose: Health Services Research, Masking: Single", "HEALTH_SERVICES_RESEARCH"),
        ("Primary Purpose: Tea Time", "Tea Time"),
        ("Observational Model: Cohort, Time Perspective: Prospective", None),
    ],
)
def test_the_purpose_in_the_older_text_of_the_design(design, purpose):
    study = legacy.study_from_xml(xml(f"<study_design>{design}</study_design>"))
    assert at(study, "protocolSection.designModule.designInfo.primaryPurpose") == purpose


def test_an_official_whose_name_stands_in_parts():
    official = (
        "<overall_official><first_name>Ada</first_name><middle_name>B</middle_name>"
        "<last_name>Invented</last_name><degrees>MD</degrees></overall_official>"
    )
    study = legacy.study_from_xml(xml(official))
    assert at(study, "protocolSection.contactsLocationsModule.overallOfficials") == [{"name": "Ada B Invented, MD"}]


# --- single fields --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("April 12, 2020", "2020-04-12"),
        ("April 5, 2020", "2020-04-05"),
        ("April 05, 2020", "2020-04-05"),
        ("April 2020", "2020-04"),
        ("2020", "2020"),
        ("\n      April 2020\n    ", "2020-04"),
        ("February 29, 2020", "2020-02-29"),
        ("February 30, 2020", "February 30, 2020"),
        ("December 31, 2099", "2099-12-31"),
        ("April 1820", "April 1820"),
        ("Spring 2020", "Spring 2020"),
        ("2020-04-12", "2020-04-12"),
        ("12/04/2020", "12/04/2020"),
        ("", None),
    ],
)
def test_dates(text, expected):
    study = legacy.study_from_xml(xml(f"<start_date>{text}</start_date>"))
    assert at(study, "protocolSection.statusModule.startDateStruct.date") == expected
    if text.strip() == text:
        study = legacy.study_from_v1(v1(StatusModule={"StartDateStruct": {"StartDate": text}}))
        assert at(study, "protocolSection.statusModule.startDateStruct.date") == expected


@pytest.mark.parametrize(
    ("phase", "study_type", "expected"),
    [
        ("N/A", "Interventional", ["NA"]),
        ("N/A", "Observational", None),
        ("N/A", "Observational [Patient Registry]", None),
        ("N/A", "Expanded Access", None),
        ("Phase 0", "Interventional", ["EARLY_PHASE1"]),
        ("Early Phase 1", "Interventional", ["EARLY_PHASE1"]),
        ("Phase 2/Phase 3", "Interventional", ["PHASE2", "PHASE3"]),
        ("Phase 4", "Observational", ["PHASE4"]),
        ("Phase 5", "Interventional", ["Phase 5"]),
        ("phase 1", "Interventional", ["phase 1"]),
    ],
)
def test_phases(phase, study_type, expected):
    study = legacy.study_from_xml(xml(f"<phase>{phase}</phase><study_type>{study_type}</study_type>"))
    assert at(study, "protocolSection.designModule.phases") == expected


def test_the_register_says_that_a_withheld_record_has_no_study_type():
    study = legacy.study_from_xml(xml("<overall_status>Withheld</overall_status><study_type>N/A</study_type>"))
    assert study["protocolSection"]["statusModule"] == {"overallStatus": "WITHHELD"}
    assert "designModule" not in study["protocolSection"]


def test_unknown_words_and_flags_are_passed_on_as_written():
    study = legacy.study_from_xml(
        xml(
            "<overall_status>completed</overall_status><oversight_info><is_ppsd>Maybe</is_ppsd></oversight_info>"
            '<enrollment type="Guess">many</enrollment><pending_results><lost>May 1, 2020</lost></pending_results>'
            "<intervention><intervention_type>Tea</intervention_type></intervention>"
        )
    )
    protocol = study["protocolSection"]
    assert protocol["statusModule"] == {"overallStatus": "completed"}
    assert protocol["oversightModule"] == {"isPpsd": "Maybe"}
    assert protocol["designModule"] == {"enrollmentInfo": {"count": "many", "type": "Guess"}}
    assert protocol["armsInterventionsModule"] == {"interventions": [{"type": "Tea"}]}
    assert study["annotationSection"]["annotationModule"]["unpostedAnnotation"]["unpostedEvents"] == [
        {"type": "lost", "date": "2020-05-01"}
    ]


def test_results_are_there_only_with_their_section():
    dated = xml("<results_first_submitted>May 1, 2020</results_first_submitted>")
    assert legacy.study_from_xml(dated)["hasResults"] is False
    assert legacy.study_from_xml(xml("<clinical_results/>"))["hasResults"] is True
    assert legacy.study_from_v1(v1())["hasResults"] is False
    assert legacy.study_from_v1(v1() | {"ResultsSection": {}})["hasResults"] is True


def test_countries_without_sites_are_taken_from_their_own_list():
    study = legacy.study_from_xml(xml("<location_countries><country>Peru</country></location_countries>"))
    assert at(study, "protocolSection.contactsLocationsModule.locations") == [{"country": "Peru"}]


def test_a_record_with_nothing_but_its_number():
    assert legacy.study_from_xml(xml("")) == legacy.study_from_v1(v1())
    assert legacy.study_from_v1(v1()) == {
        "protocolSection": {"identificationModule": {"nctId": "NCT90000002"}},
        "hasResults": False,
    }


def test_wrong_shapes_in_api_v1_are_passed_on_or_empty():
    study = legacy.study_from_v1(
        v1(
            StatusModule={"OverallStatus": ["Completed"], "StartDateStruct": "May 2020", "WhyStopped": 7},
            ConditionsModule={"ConditionList": {"Condition": "Insomnia"}, "KeywordList": ["tea"]},
            DesignModule={"EnrollmentInfo": {"EnrollmentCount": 40}},
        )
        | {"DocumentSection": {"LargeDocumentModule": {"LargeDocList": {"LargeDoc": [{"LargeDocUploadDate": 5}, 6]}}}}
    )
    protocol = study["protocolSection"]
    assert protocol["statusModule"] == {"overallStatus": ["Completed"], "whyStopped": 7}
    assert protocol["conditionsModule"] == {"conditions": ["Insomnia"]}
    assert protocol["designModule"] == {"enrollmentInfo": {"count": 40}}
    assert at(study, "documentSection.largeDocumentModule.largeDocs") == [{"uploadDate": 5}, {}]


# --- what a payload is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "form"),
    [
        (b"<clinical_study>", legacy.XML),
        (
            b'\xef\xbb\xbf\r\n<?xml version="1.0"?>\r\n<!-- a <clinical_study> -->\n<clinical_study rank="3">',
            legacy.XML,
        ),
        (b'<!DOCTYPE clinical_study SYSTEM "public.dtd"><clinical_study\n>', legacy.XML),
        (b"<clinical_studies>", None),
        (b"<!-- <clinical_study> --><html>", None),
        (b"<html><clinical_study>", None),
        (b'{"FullStudiesResponse":{', legacy.V1),
        (b'\xef\xbb\xbf{\r\n  "FullStudy" : {', legacy.V1),
        (b'[{"Rank":1,', legacy.V1),
        (b'{"Study":', legacy.V1),
        (b'{"ProtocolSection":', legacy.V1),
        (b'{"protocolSection":', None),
        (b'{"study":', None),
        (b'{"studies":[{"FullStudy":', None),
        (b"", None),
    ],
)
def test_the_form_of_a_payload(start, form):
    assert legacy.form(start) == form
    assert (legacy.is_legacy_xml(start), legacy.is_v1(start)) == (form == legacy.XML, form == legacy.V1)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda one: {"FullStudiesResponse": {"FullStudies": [{"Rank": 1, "Study": one}, {"Rank": 2, "Study": v1()}]}},
        lambda one: [{"FullStudy": {"Rank": 1, "Study": one}}, {"Study": v1()}],
        lambda one: [one, v1()],
    ],
)
def test_wrappings_of_api_v1(wrap):
    expected = [legacy.study_from_v1(FULL_V1), legacy.study_from_v1(v1())]
    document = wrap(FULL_V1)
    assert list(legacy.studies_from_v1(document)) == expected
    assert [record.study for record in legacy.v1_records([json.dumps(document).encode()])] == expected


def test_a_search_without_a_hit_has_no_record():
    assert list(legacy.v1_records([b'{"FullStudiesResponse":{"Expression":"[","NStudiesReturned":0}}'])) == []


# --- records one by one ---------------------------------------------------------------------------------------------


def summary(pieces: list[bytes], form: str) -> list[tuple[str | None, str | None]]:
    """Number and fault of each record, and the fault of the payload."""
    found: list[tuple[str | None, str | None]] = []
    try:
        for record in legacy.records(pieces, form):
            number = at(record.study or {}, "protocolSection.identificationModule.nctId")
            found.append((number, record.fault))
    except PayloadError as error:
        found.append((None, f"payload: {error}"))
    return found


TWO_XML = FULL_XML + b"\n<!-- between -->\n<?xml version='1.0'?>" + xml("") + b"\n"
TWO_V1 = v1_page(FULL_V1, v1())
BOTH = [("NCT90000001", None), ("NCT90000002", None)]


@pytest.mark.parametrize(("text", "form"), [(TWO_XML, legacy.XML), (b"\xef\xbb\xbf" + TWO_V1, legacy.V1)])
@given(size=st.integers(1, 400))
def test_records_do_not_depend_on_where_the_pieces_are_cut(text, form, size):
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert summary(pieces, form) == BOTH
    assert list(legacy.records(pieces, form)) == list(legacy.records([text], form))


@pytest.mark.parametrize(("text", "form"), [(TWO_XML, legacy.XML), (TWO_V1, legacy.V1)])
def test_a_record_knows_its_bytes(text, form):
    for record in legacy.records([text], form):
        assert text[record.offset :].startswith(record.text)
        assert record.text[-1:] in b">}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            xml("<brief_title>broken</brief>", "NCT90000001") + xml(""),
            [(None, "the record is not well-formed XML"), BOTH[1]],
        ),
        (xml("")[:-17] + xml(""), [(None, "the record is broken off"), BOTH[1]]),
        (
            xml("") + xml("")[:-3],
            [BOTH[1], (None, "the record is cut off at the end of the file"), (None, "payload: the file is cut off")],
        ),
        (xml("") + b" and more " + xml(""), [BOTH[1], (None, "what stands here is no record"), BOTH[1]]),
        (xml("<brief_title>\xff</brief_title>").replace(b"\xc3", b""), [(None, "the record is not well-formed XML")]),
    ],
)
def test_what_is_broken_in_xml_is_named_and_the_rest_read(text, expected):
    assert_faults(summary([text], legacy.XML), expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"", b"", BOTH),
        (b'"Acronym": "TEA"', b'"Acronym": "TEA', [(None, "the record is not valid JSON"), BOTH[1]]),
        ("Göttingen".encode(), b"G\xf6ttingen", [(None, "the record is not valid JSON ('utf-8' codec"), BOTH[1]]),
        (
            b'"Rank": 2,\n        "Study": {\n          "ProtocolSection":',
            b'"Rank": 2,\n        "Study": {\n          "ProtocolSecti":',
            [BOTH[0], (None, "what stands here is no record")],
        ),
    ],
)
def test_what_is_broken_in_api_v1_is_named_and_the_rest_read(old, new, expected):
    assert_faults(summary([TWO_V1.replace(b"\\u00f6", "ö".encode()).replace(old, new)], legacy.V1), expected)


def assert_faults(found, expected):
    assert [(number, bool(fault)) for number, fault in found] == [(number, bool(fault)) for number, fault in expected]
    assert all((fault or "").startswith(start or "") for (_, fault), (_, start) in zip(found, expected, strict=True))


def test_a_page_of_api_v1_that_is_cut_off_between_two_records():
    cut = TWO_V1[: TWO_V1.index(b'"Rank": 2')]
    assert summary([cut], legacy.V1) == [
        BOTH[0],
        (None, "payload: the file is cut off: it ends before its last bracket is closed"),
    ]


@pytest.mark.parametrize(("text", "form"), [(TWO_XML, legacy.XML), (TWO_V1, legacy.V1)])
def test_damage_of_the_packing_is_raised_after_the_last_record(text, form):
    def pieces() -> Iterator[bytes]:
        yield text[: len(text) // 2]
        raise PayloadError("the file is damaged")

    found = summary(pieces(), form)
    assert found[0][1] is not None
    assert found[-1] == (None, "payload: the file is damaged")


@pytest.mark.parametrize("form", [legacy.XML, legacy.V1])
@given(data=st.data())
def test_no_damage_of_a_file_raises_anything_else(form, data):
    text = bytearray(TWO_XML if form == legacy.XML else TWO_V1)
    for _ in range(data.draw(st.integers(1, 6))):
        at_ = data.draw(st.integers(0, len(text) - 1))
        text[at_ : at_ + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=3))
    for _, fault in summary([bytes(text)], form):
        assert fault is None or fault


def test_nesting_without_end_is_a_fault():
    deep = b'{"ProtocolSection":' + b"[" * 200_000
    assert_faults(summary([deep], legacy.V1), [(None, "the record is nested too deeply")])


# --- what XML must not do -------------------------------------------------------------------------------------------


def test_no_entity_and_no_document_type_is_read(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for declared in (f'<!ENTITY x SYSTEM "file://{secret}">', '<!ENTITY x "expanded">'):
        text = b"<!DOCTYPE clinical_study [" + declared.encode() + b"]>" + xml("<brief_title>&x;</brief_title>")
        with pytest.raises(PayloadError, match="not well-formed"):
            legacy.study_from_xml(text)


def test_a_document_type_that_nobody_needs_does_no_harm():
    text = b'<!DOCTYPE clinical_study SYSTEM "http://example.org/public.dtd">' + xml("<acronym>TEA</acronym>")
    assert at(legacy.study_from_xml(text), "protocolSection.identificationModule.acronym") == "TEA"


@pytest.mark.parametrize("text", [b"", b"<html/>", b"{}", b"<clinical_studyx/>", "<clinical_study/>".encode("utf-16")])
def test_what_is_no_study_is_refused(text):
    with pytest.raises(PayloadError, match="no <clinical_study>"):
        legacy.study_from_xml(text)


def test_contact_data_are_left_out():
    assert "never" not in json.dumps([legacy.study_from_xml(FULL_XML), legacy.study_from_v1(FULL_V1)]).lower()


# --- through the reader ---------------------------------------------------------------------------------------------


def read(tmp_path, content: bytes, name: str = "payload"):
    payload, out = tmp_path / name, tmp_path / "out.parquet"
    payload.write_bytes(content)
    report = ctgov.read(payload, name, DAY, out)
    assert report.balance() == 0
    return report, pq.read_table(out).to_pylist()


DIFFERENT = {
    "payload",
    "content_hash",
    "data_version",
    "condition_mesh",
    "condition_mesh_above",
    "intervention_mesh",
    "intervention_mesh_above",
    "identifiers",
    "documents",
}


def test_the_three_formats_give_the_same_row(tmp_path):
    rows = []
    for content in (FULL_XML, v1_page(FULL_V1), json.dumps(FULL_STUDY).encode()):
        report, (row,) = read(tmp_path, content)
        assert (report.records_in, report.staged, report.rejects, row["rejects"]) == (1, 1, [], [])
        rows.append(row)
    from_xml, from_v1, from_v2 = rows
    assert from_xml == from_v2
    assert {c for c in from_v1 if from_v1[c] != from_v2[c]} <= DIFFERENT | {"has_fdaaa_violation", "result_events"}
    assert (from_xml["phase"], from_xml["status"], from_xml["start_raw"]) == ("phase1_phase2", "unknown", "2018-04-12")
    assert [event["event"] for event in from_xml["result_events"]] == ["cancelled", "returned", "submitted"]
    assert from_xml["countries"][1]["sites"] == 2
    assert from_xml["mentions"] == ["2019-009999-11", "NCT90000002"]


def test_what_the_register_does_not_know_is_rejected_and_named(tmp_path):
    inside = (
        "<overall_status>Sleeping</overall_status><start_date>Spring 2020</start_date>"
        "<completion_date>February 30, 2020</completion_date><oversight_info><is_ppsd>Maybe</is_ppsd></oversight_info>"
        "<last_update_submitted>May 2020</last_update_submitted>"
    )
    report, (row,) = read(tmp_path, xml(inside))
    assert report.rejected == 0
    assert {(fault["field"], fault["value"]) for fault in row["rejects"]} == {
        ("status", "Sleeping"),
        ("start", "Spring 2020"),
        ("completion", "February 30, 2020"),
        ("is_ppsd", "Maybe"),
        ("last_update_submitted", "2020-05"),
    }


def test_a_private_person_is_known_in_every_format(tmp_path):
    inside = (
        "<sponsors><lead_sponsor><agency>Ada Invented</agency><agency_class>Other</agency_class></lead_sponsor>"
        "</sponsors><overall_official><last_name>Ada Invented, MD</last_name></overall_official>"
    )
    _, (row,) = read(tmp_path, xml(inside))
    assert row["sponsor_is_person"] is True
    assert "Ada" not in str(row)


def test_a_zip_may_mix_the_formats(tmp_path):
    path = tmp_path / "mixed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("NCT9000xxxx/NCT90000001.xml", FULL_XML)
        archive.writestr("Contents.txt", "what is in here")
        archive.writestr("NCT90000002.json", json.dumps({"FullStudy": {"Rank": 1, "Study": v1()}}))
        archive.writestr("NCT90000003.json", json.dumps(FULL_STUDY).replace("NCT90000001", "NCT90000003"))
        archive.writestr("NCT90000004.xml", xml("<brief_title>")[:-3])
        archive.writestr("NCT90000005.xml", xml("", "NCT90000005"))
    report, rows = read(tmp_path, path.read_bytes(), "mixed.zip")
    assert [row["registration_id"] for row in rows] == ["NCT90000001", "NCT90000002", "NCT90000003", "NCT90000005"]
    assert (report.records_in, report.staged, report.rejected) == (5, 4, 1)
    assert [(r.scope, r.record.partition("!")[2]) for r in report.rejects] == [
        ("payload", "Contents.txt"),
        ("record", "NCT90000004.xml at byte 0"),
        ("payload", "NCT90000004.xml"),
    ]
    assert report.rejects[1].value == "NCT90000002"


def test_a_record_without_a_number_is_rejected(tmp_path):
    report, rows = read(tmp_path, xml("", "not a number") + xml(""))
    assert [row["registration_id"] for row in rows] == ["NCT90000002"]
    assert [(r.scope, r.record, r.reason) for r in report.rejects] == [
        ("record", "payload#1", "the record's NCT number is none")
    ]


def test_a_search_of_api_v1_without_a_hit_is_a_note(tmp_path):
    report, rows = read(tmp_path, b'{"FullStudiesResponse":{"APIVrs":"1.01.05","NStudiesReturned":0}}')
    assert (report.rejects, rows, report.notes) == ([], [], ["payload holds no study."])


def test_the_audit_passes_over_the_retired_formats(tmp_path):
    for content in (FULL_XML, v1_page(FULL_V1)):
        payload = tmp_path / "payload"
        payload.write_bytes(content)
        assert ctgov.audit(payload) == {}
