/** What counts as a mention of each task: the rules that the tagger's own training labels follow, so that teacher and tagger agree. */
export interface Guideline {
  readonly definition: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** A made-up note and its mentions, in order of first appearance. */
  readonly example: { readonly note: string; readonly mentions: readonly string[] };
}

export const GUIDELINES = {
  medication: {
    definition: 'A medication is a drug or other substance given to treat, prevent or diagnose.',
    include: [
      'drug names, generic, brand or abbreviated (ASA, HCTZ)',
      'drug classes and purposes ("antibiotics", "beta blocker", "pain medication", "chemotherapy" as drug treatment)',
      'vitamins, supplements, vaccines, insulin, anaesthetic agents, IV fluids, saline, TPN, contrast agents, topical preparations',
      'the drug in a drug allergy',
    ],
    exclude: [
      'dose, strength, form, route and frequency',
      'bare "medication", "drug" or "prescription"; "NKDA" and "no known drug allergies"',
      'oxygen, blood products, food, devices; alcohol, tobacco and illicit drugs as habits',
      'laboratory analytes ("potassium 4.1" is a test; "potassium chloride 20 mEq daily" is a medication)',
      'general or local anesthesia without an agent',
    ],
    example: {
      note: 'Continue lisinopril 10 mg daily and ASA. No antibiotics for now. Allergic to penicillin. Potassium 4.1.',
      mentions: ['lisinopril', 'ASA', 'antibiotics', 'penicillin'],
    },
  },
  disease: {
    definition: 'A disease is a diagnosis: a disorder, injury or abnormal structure that has a name.',
    include: [
      'diseases, disorders, syndromes, infections, neoplasms, mental disorders, congenital anomalies',
      'injuries (fractures, lacerations, burns) and abnormal structural findings that carry a diagnosis ("meniscal tear", "L4-L5 disc herniation", "gallstones", "obesity")',
      'named conditions found by laboratory or imaging (leukocytosis, anemia, hyponatremia, cardiomegaly, pleural effusion, atelectasis, stenosis, hernia)',
      'a mass, lesion or lump in imaging, pathology or a diagnosis list; allergies to other things than drugs ("peanut allergy")',
      'a disease word inside a procedure or test name: in "hernia repair", "hernia"',
      'anxiety, depression and seizures in a history or list of diagnoses',
    ],
    exclude: [
      'bare "disease", "disorder", "condition" or "injury" that does not say which',
      'complaints, signs and manifestations: those are symptoms',
      'procedures, organisms on their own, normal findings, pregnancy',
      'results that are only a number, or like "low TSH"',
    ],
    example: {
      note: 'History of type 2 diabetes mellitus and hernia repair. Denies chest pain. CT: no pulmonary embolism, small pleural effusion.',
      mentions: ['type 2 diabetes mellitus', 'hernia', 'pulmonary embolism', 'pleural effusion'],
    },
  },
  symptom: {
    definition:
      'A symptom is what the patient feels or shows: a complaint, a sign, or an abnormal finding of the examination named in words.',
    include: [
      'complaints ("chest pain", "shortness of breath", "nausea", "trouble sleeping", "weight loss")',
      'signs and abnormal findings ("fever", "edema", "tenderness to palpation", "tachycardia", "rash", "murmur", "elevated blood pressure")',
      'electrocardiographic and functional findings in words (ST depression, hypokinesis, reduced ejection fraction)',
      'a mass, lesion or lump found on examination',
      'anxiety, depression and seizures in a review of systems',
    ],
    exclude: [
      'diagnoses: those are diseases',
      'normal findings ("clear to auscultation"; but in "no acute distress", "distress" is a mention)',
      'numbers and tests; bare "symptom", "symptoms" or "complaints"',
    ],
    example: {
      note: 'Pneumonia with severe cough; no fever. Nausea, vomiting and abdominal pain since Monday. BP 150/90. Lungs clear.',
      mentions: ['cough', 'fever', 'Nausea', 'vomiting', 'abdominal pain'],
    },
  },
} as const satisfies Record<string, Guideline>;

/** Rules on where a mention begins and ends, for every task. */
export const SPAN_RULES: readonly string[] = [
  'Mark every mention, whatever is said of it: negated ("denies fever"), uncertain, historical, planned, or of a relative.',
  'Take the whole natural phrase, without articles and possessives ("the", "his"), without negation or uncertainty in front ("no", "possible"), and without severity, course or time ("severe", "worsening"); "chronic", "acute" or "type 2" only where it is part of the name ("chronic kidney disease").',
  'Include the body site when it makes one noun phrase with the mention ("left knee pain", "carcinoma of the breast").',
  'Members of a list are mentions of their own: "pain and swelling of the knee" gives "pain" and "swelling of the knee". So is an abbreviation in brackets after its name.',
];
