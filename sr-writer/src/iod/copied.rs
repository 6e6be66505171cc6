//! What a result takes over from its source unchanged: the modules Patient, Clinical Trial Subject, General Study, Patient
//! Study and Clinical Trial Study (PS3.3 §C.7.1.1, §C.7.1.3, §C.7.2.1, §C.7.2.2, §C.7.2.3).

use dataset::{DataSet, Element, Value, Vr};
use domain::{StudyInstanceUid, Tag};

use crate::tags;

/// Type 2 of these modules: written empty when the source lacks them.
const TYPE_2: &[(Tag, Vr)] = &[
    (tags::PATIENT_NAME, Vr::PN),
    (tags::PATIENT_ID, Vr::LO),
    (tags::PATIENT_BIRTH_DATE, Vr::DA),
    (tags::PATIENT_SEX, Vr::CS),
    (tags::STUDY_DATE, Vr::DA),
    (tags::STUDY_TIME, Vr::TM),
    (tags::ACCESSION_NUMBER, Vr::SH),
    (tags::REFERRING_PHYSICIAN_NAME, Vr::PN),
    (tags::STUDY_ID, Vr::SH),
];

/// The attributes of these modules with their value representations. Retired ones are not among them.
const COPIED: &[(Tag, Vr)] = &[
    // Patient
    (tags::REFERENCED_PATIENT_SEQUENCE, Vr::SQ),
    (tags::PATIENT_NAME, Vr::PN),
    (tags::PATIENT_ID, Vr::LO),
    (tags::ISSUER_OF_PATIENT_ID, Vr::LO),
    (tags::TYPE_OF_PATIENT_ID, Vr::CS),
    (tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE, Vr::SQ),
    (tags::SOURCE_PATIENT_GROUP_IDENTIFICATION_SEQUENCE, Vr::SQ),
    (tags::GROUP_OF_PATIENTS_IDENTIFICATION_SEQUENCE, Vr::SQ),
    (tags::PATIENT_BIRTH_DATE, Vr::DA),
    (tags::PATIENT_BIRTH_TIME, Vr::TM),
    (tags::PATIENT_BIRTH_DATE_IN_ALTERNATIVE_CALENDAR, Vr::LO),
    (tags::PATIENT_DEATH_DATE_IN_ALTERNATIVE_CALENDAR, Vr::LO),
    (tags::PATIENT_ALTERNATIVE_CALENDAR, Vr::CS),
    (tags::PATIENT_SEX, Vr::CS),
    (tags::QUALITY_CONTROL_SUBJECT, Vr::CS),
    (tags::STRAIN_DESCRIPTION, Vr::UC),
    (tags::STRAIN_NOMENCLATURE, Vr::LO),
    (tags::STRAIN_STOCK_SEQUENCE, Vr::SQ),
    (tags::STRAIN_ADDITIONAL_INFORMATION, Vr::UT),
    (tags::STRAIN_CODE_SEQUENCE, Vr::SQ),
    (tags::GENETIC_MODIFICATIONS_SEQUENCE, Vr::SQ),
    (tags::OTHER_PATIENT_NAMES, Vr::PN),
    (tags::OTHER_PATIENT_I_DS_SEQUENCE, Vr::SQ),
    (tags::REFERENCED_PATIENT_PHOTO_SEQUENCE, Vr::SQ),
    (tags::ETHNIC_GROUP_CODE_SEQUENCE, Vr::SQ),
    (tags::PATIENT_SPECIES_DESCRIPTION, Vr::LO),
    (tags::PATIENT_SPECIES_CODE_SEQUENCE, Vr::SQ),
    (tags::PATIENT_BREED_DESCRIPTION, Vr::LO),
    (tags::PATIENT_BREED_CODE_SEQUENCE, Vr::SQ),
    (tags::BREED_REGISTRATION_SEQUENCE, Vr::SQ),
    (tags::RESPONSIBLE_PERSON, Vr::PN),
    (tags::RESPONSIBLE_PERSON_ROLE, Vr::CS),
    (tags::RESPONSIBLE_ORGANIZATION, Vr::LO),
    (tags::PATIENT_COMMENTS, Vr::LT),
    (tags::PATIENT_IDENTITY_REMOVED, Vr::CS),
    (tags::DEIDENTIFICATION_METHOD, Vr::LO),
    (tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE, Vr::SQ),
    // Clinical Trial Subject
    (tags::CLINICAL_TRIAL_SPONSOR_NAME, Vr::LO),
    (tags::CLINICAL_TRIAL_PROTOCOL_ID, Vr::LO),
    (tags::CLINICAL_TRIAL_PROTOCOL_NAME, Vr::LO),
    (tags::ISSUER_OF_CLINICAL_TRIAL_PROTOCOL_ID, Vr::LO),
    (tags::OTHER_CLINICAL_TRIAL_PROTOCOL_I_DS_SEQUENCE, Vr::SQ),
    (tags::CLINICAL_TRIAL_SITE_ID, Vr::LO),
    (tags::CLINICAL_TRIAL_SITE_NAME, Vr::LO),
    (tags::ISSUER_OF_CLINICAL_TRIAL_SITE_ID, Vr::LO),
    (tags::CLINICAL_TRIAL_SUBJECT_ID, Vr::LO),
    (tags::ISSUER_OF_CLINICAL_TRIAL_SUBJECT_ID, Vr::LO),
    (tags::CLINICAL_TRIAL_SUBJECT_READING_ID, Vr::LO),
    (tags::ISSUER_OF_CLINICAL_TRIAL_SUBJECT_READING_ID, Vr::LO),
    (tags::CLINICAL_TRIAL_PROTOCOL_ETHICS_COMMITTEE_NAME, Vr::LO),
    (tags::CLINICAL_TRIAL_PROTOCOL_ETHICS_COMMITTEE_APPROVAL_NUMBER, Vr::LO),
    // General Study
    (tags::STUDY_DATE, Vr::DA),
    (tags::STUDY_TIME, Vr::TM),
    (tags::ACCESSION_NUMBER, Vr::SH),
    (tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE, Vr::SQ),
    (tags::REFERRING_PHYSICIAN_NAME, Vr::PN),
    (tags::REFERRING_PHYSICIAN_IDENTIFICATION_SEQUENCE, Vr::SQ),
    (tags::CONSULTING_PHYSICIAN_NAME, Vr::PN),
    (tags::CONSULTING_PHYSICIAN_IDENTIFICATION_SEQUENCE, Vr::SQ),
    (tags::STUDY_DESCRIPTION, Vr::LO),
    (tags::PROCEDURE_CODE_SEQUENCE, Vr::SQ),
    (tags::PHYSICIANS_OF_RECORD, Vr::PN),
    (tags::PHYSICIANS_OF_RECORD_IDENTIFICATION_SEQUENCE, Vr::SQ),
    (tags::NAME_OF_PHYSICIANS_READING_STUDY, Vr::PN),
    (tags::PHYSICIANS_READING_STUDY_IDENTIFICATION_SEQUENCE, Vr::SQ),
    (tags::REFERENCED_STUDY_SEQUENCE, Vr::SQ),
    (tags::STUDY_ID, Vr::SH),
    (tags::REQUESTING_SERVICE, Vr::LO),
    (tags::REQUESTING_SERVICE_CODE_SEQUENCE, Vr::SQ),
    (tags::REASON_FOR_PERFORMED_PROCEDURE_CODE_SEQUENCE, Vr::SQ),
    // Patient Study
    (tags::ADMITTING_DIAGNOSES_DESCRIPTION, Vr::LO),
    (tags::ADMITTING_DIAGNOSES_CODE_SEQUENCE, Vr::SQ),
    (tags::PATIENT_AGE, Vr::AS),
    (tags::PATIENT_SIZE, Vr::DS),
    (tags::PATIENT_SIZE_CODE_SEQUENCE, Vr::SQ),
    (tags::PATIENT_BODY_MASS_INDEX, Vr::DS),
    (tags::MEASURED_AP_DIMENSION, Vr::DS),
    (tags::MEASURED_LATERAL_DIMENSION, Vr::DS),
    (tags::PATIENT_WEIGHT, Vr::DS),
    (tags::MEDICAL_ALERTS, Vr::LO),
    (tags::ALLERGIES, Vr::LO),
    (tags::OCCUPATION, Vr::SH),
    (tags::SMOKING_STATUS, Vr::CS),
    (tags::ADDITIONAL_PATIENT_HISTORY, Vr::LT),
    (tags::PREGNANCY_STATUS, Vr::US),
    (tags::LAST_MENSTRUAL_DATE, Vr::DA),
    (tags::PATIENT_SEX_NEUTERED, Vr::CS),
    (tags::REASON_FOR_VISIT, Vr::UT),
    (tags::REASON_FOR_VISIT_CODE_SEQUENCE, Vr::SQ),
    (tags::ADMISSION_ID, Vr::LO),
    (tags::ISSUER_OF_ADMISSION_ID_SEQUENCE, Vr::SQ),
    (tags::SERVICE_EPISODE_ID, Vr::LO),
    (tags::SERVICE_EPISODE_DESCRIPTION, Vr::LO),
    (tags::ISSUER_OF_SERVICE_EPISODE_ID_SEQUENCE, Vr::SQ),
    (tags::PATIENT_STATE, Vr::LO),
    // Clinical Trial Study
    (tags::CLINICAL_TRIAL_TIME_POINT_ID, Vr::LO),
    (tags::CLINICAL_TRIAL_TIME_POINT_DESCRIPTION, Vr::ST),
    (tags::LONGITUDINAL_TEMPORAL_OFFSET_FROM_EVENT, Vr::FD),
    (tags::LONGITUDINAL_TEMPORAL_EVENT_TYPE, Vr::CS),
    (tags::CLINICAL_TRIAL_TIME_POINT_TYPE_CODE_SEQUENCE, Vr::SQ),
    (tags::ISSUER_OF_CLINICAL_TRIAL_TIME_POINT_ID, Vr::LO),
    (tags::CONSENT_FOR_CLINICAL_TRIAL_USE_SEQUENCE, Vr::SQ),
];

/// Patient and study of the source's header. Attributes that it lacks stay away, but for type 2.
pub(crate) fn put_patient_and_study(set: &mut DataSet, source: &DataSet, study: &StudyInstanceUid) {
    copy(set, source, COPIED);
    set.put_uid(tags::STUDY_INSTANCE_UID, study.as_str());
    for (tag, vr) in TYPE_2 {
        if !set.contains(*tag) {
            set.put_empty(*tag, *vr);
        }
    }
}

/// Copies attributes that `source` has, byte for byte; one that came as UN gets its true value representation back.
pub(crate) fn copy(set: &mut DataSet, source: &DataSet, attributes: &[(Tag, Vr)]) {
    for (tag, vr) in attributes {
        if let Some(element) = source.get(*tag) {
            set.insert(*tag, known(element, *vr));
        }
    }
}

fn known(element: &Element, vr: Vr) -> Element {
    let is_unknown = element.vr == Vr::UN && matches!(element.value, Value::Bytes(_));
    let vr = if is_unknown && vr != Vr::SQ { vr } else { element.vr };
    Element { vr, value: element.value.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_and_unknown_value_representations_restored() {
        let mut source = DataSet::new();
        let name = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B".to_vec();
        source.put_bytes(tags::PATIENT_NAME, Vr::PN, name.clone());
        source.put_bytes(tags::PATIENT_ID, Vr::UN, b"17".to_vec());
        let mut set = DataSet::new();
        let study = StudyInstanceUid::parse("1.1").unwrap();
        put_patient_and_study(&mut set, &source, &study);
        assert_eq!(set.text(tags::STUDY_INSTANCE_UID).as_deref(), Some("1.1"));
        assert_eq!(set.get(tags::PATIENT_NAME).unwrap().value, Value::Bytes(name));
        assert_eq!(set.get(tags::PATIENT_ID).unwrap().vr, Vr::LO);
        assert_eq!(set.get(tags::STUDY_ID).unwrap().value, Value::Bytes(vec![]));
        assert!(!set.contains(tags::PATIENT_AGE));
    }
}
