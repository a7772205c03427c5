"""What a field for other numbers says: the trial's own number, or something about one."""

import pytest

from pipelines.identity import stated

OWN = [
    # by former names of registers, by names in their own language, by who keeps them
    "www.clinicaltrials.gov NCT01234567",
    "clinicaltrial.gov NCT01234567",
    "registered on clinicaltrials.gov NCT01234567",
    "This trial is registered on ClinicalTrials.gov (NCT01234567)",
    "Also registered as NCT01234567",
    "Current Controlled Trials ISRCTN12345679",
    "Nederlands Trial Register NTR1234",
    "Dutch Trial Register: NL8498",
    "Trialregister.nl NTR1234",
    "Deutsches Register Klinischer Studien DRKS00012345",
    "Japic CTI: JapicCTI-205465",
    "Numero EudraCT 2010-012345-12",
    "N° EudraCT 2010-012345-12",
    "EudraCT n. 2010-012345-12",
    "EudraCT-nummer 2010-012345-12",
    "NCT Nummer: NCT01234567",
    "secondary ID: NCT01234567",
    "Study ID: NCT01234567",
    "FDA NCT01234567",
    "PRS NCT01234567",
    "NCT01234567 (registered 12 March 2014)",
    "NCT01234567 (registered in 2014)",
    "NCT01234567, registration date 12/03/2014",
    "NCT01234567 and NCT01234567",
    "ClinicalTrials.gov identifier: NCT01234567",
    "NCT01234567 (United States)",
    "U.S. National Library of Medicine, no. NCT01234567",
    "https://clinicaltrials.gov/study/NCT01234567",
    "ISRCTN-Register: ISRCTN12345679 (UK)",
    "https://clinicaltrials.gov/ct2/show/NCT01234567 (USA)",
    "Registered with ClinicalTrials.gov under number NCT01234567",
    "Universal Trial Number (UTN): U1111-1234-5678",
    "Registro Brasileiro de Ensaios Clínicos: RBR-2abcde",
    "Número de registro: NCT01234567",
    "Registrierungsnummer DRKS00012345",
    "Studie registriert unter NCT01234567",
    "Código EudraCT: 2010-012345-12",
    "Numéro d'enregistrement NCT01234567",
    "Nº EudraCT 2010-012345-12",
    "Clinical Trials.gov NCT01234567",
    "ClinicalTrials.gov ID NCT01234567 (2014-03-12)",
    "EU CT number 2023-512345-12-00",
    "Australian New Zealand Clinical Trials Registry ACTRN12612000001234",
    "previously registered as NCT01234567",
    "Japan Registry of Clinical Trials jRCT1234567890",
    "Other ID: NCT01234567",
    "Trial registration: ClinicalTrials.gov NCT01234567. Registered on 12 March 2014",
    "The study has been registered in the German Register of Clinical Trials with the number DRKS00012345",
    "Study reference NCT01234567",
    "Reference number: NCT01234567",
    "Trial registration: trial NCT01234567",
    "Cross-registered: NCT01234567",
    "Clinical trial USA: NCT01234567",
    "USA: clinical trial number NCT01234567",
    "US clinical trials registry NCT01234567",
    "United States trial registration NCT01234567",
    "Registry trial number NCT01234567",
    "www.trialregister.nl trial NTR1234",
    "ClinicalTrials.gov registry: trial NCT01234567",
    "WHO trial registration number: NCT01234567",
    "NIH clinical trials registry NCT01234567",
]
ABOUT = [
    # the number of another trial, or a text of which nobody can tell
    "Sub-study of NCT01234567",
    "NCT01234567 (parent study)",
    "see NCT01234567",
    "part of NCT01234567",
    "extension of the trial NCT01234567",
    "NCT01234567, 2019-1",
    "Trial with NCT01234567",
    "Study in NCT01234567",
    "Same as NCT01234567",
    "main study NCT01234567",
    "Follow-up of NCT01234567",
    "NCT01234567 extension",
    "Teilprojekt von NCT01234567",
    "Folgestudie NCT01234567",
    "Hauptstudie: NCT01234567",
    "estudio principal NCT01234567",
    "estudio de extensión NCT01234567",
    "étude ancillaire de NCT01234567",
    "étude principale NCT01234567",
    "studio principale NCT01234567",
    "sottostudio di NCT01234567",
    "subestudo de NCT01234567",
    "previous study: NCT01234567",
    "New trial NCT01234567",
    "German trial: NCT01234567",
    "other study NCT01234567",
    "secondary study: NCT01234567",
    "related to NCT01234567",
    "linked with NCT01234567",
    "long-term NCT01234567",
    "phase 2: NCT01234567",
    "pilot NCT01234567",
    "NCT01234567 core",
    "roll-over from NCT01234567",
    "NCT01234567-EXT",
    "NCT01234567 (not this trial)",
    "patients of NCT01234567",
    "at NCT01234567",
    "by NCT01234567",
    "trial of NCT01234567",
    "companion study number NCT01234567",
    "parent trial registration number NCT01234567",
    "trial in Germany: NCT01234567",
    "primary trial NCT01234567",
    "parent registered as NCT01234567",
    "NCT01234567 (nicht diese Studie)",
    "data drawn from NCT01234567",
    "new registration NCT01234567",
    "primary trial registration number NCT01234567",
    # words that elsewhere say whose number it is, and here which other trial
    "reference study NCT01234567",
    "Reference trial: NCT01234567",
    "NCT01234567 (reference study)",
    "cross-reference: NCT01234567",
    "Registration trial NCT01234567",
    "US trial: NCT01234567",
    "US study NCT01234567",
    "US-Studie: NCT01234567",
    "United States clinical trial NCT01234567",
    "Chinese trial NCT01234567",
    "the registration trial NCT01234567",
    "Registry study: NCT01234567",
    "register study NCT01234567",
    "WHO trial: ISRCTN12345679",
    "NIH study NCT01234567",
    "NL trial NTR1234",
]
NONE = ["no number", "NCT01234567 and NCT01234568", "ClinicalTrials.gov", ""]


@pytest.mark.parametrize("text", OWN)
def test_words_that_say_whose_number_it_is_leave_it_the_number(text):
    hit, is_number = stated.number_in(text)
    assert (hit is not None, is_number) == (True, True)


@pytest.mark.parametrize("text", ABOUT)
def test_any_other_word_makes_it_a_text_that_names_a_number(text):
    hit, is_number = stated.number_in(text)
    assert (hit is not None, is_number) == (True, False)


@pytest.mark.parametrize("text", NONE)
def test_no_number_and_two_numbers_are_none(text):
    assert stated.number_in(text) == (None, False)


def test_a_long_text_of_harmless_words_is_read_at_once():
    hit, is_number = stated.number_in("clinical trials register number " * 500 + "NCT01234567")
    assert (hit is not None, is_number) == (True, True)
