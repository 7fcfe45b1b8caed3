"""Clinical shorthand as training data: the teacher's notes are mostly dictated prose, while typed notes say "c/o SOB, h/o HTN".

Two ways, both only on train notes: an expansion in a note gives way to its abbreviation (`abbreviate`), its label with it; and
short lines are put together from patterns and the same tables (`made_up_lines`). Common abbreviations of English notes,
collected by hand; an abbreviation that stands for several things is given only where its context decides.
"""

import random
import re

SYMPTOMS = {
    "shortness of breath": "SOB", "chest pain": "CP", "headache": "HA", "headaches": "HAs", "dyspnea on exertion": "DOE",
    "nausea and vomiting": "N/V", "abdominal pain": "abd pain", "loss of consciousness": "LOC", "lower back pain": "LBP",
    "low back pain": "LBP", "dyspnea": "SOB", "paroxysmal nocturnal dyspnea": "PND", "shortness of breath on exertion": "DOE",
    "bright red blood per rectum": "BRBPR", "altered mental status": "AMS", "right upper quadrant pain": "RUQ pain",
    "left lower quadrant pain": "LLQ pain", "right lower quadrant pain": "RLQ pain",
    "jugular venous distention": "JVD", "costovertebral angle tenderness": "CVA tenderness", "lightheadedness": "LH",
    "nausea": "N", "vomiting": "V", "diarrhea": "D", "tenderness": "TTP", "tenderness to palpation": "TTP",
    "fever": "F", "chills": "C", "weight loss": "wt loss", "weight gain": "wt gain", "difficulty breathing": "DIB",
}  # fmt: skip
DISEASES = {
    "hypertension": "HTN", "diabetes mellitus": "DM", "diabetes": "DM", "type 2 diabetes mellitus": "T2DM", "type 2 diabetes": "DM2",
    "type ii diabetes mellitus": "DM II", "type 1 diabetes": "T1DM", "coronary artery disease": "CAD", "congestive heart failure": "CHF",
    "chronic obstructive pulmonary disease": "COPD", "hyperlipidemia": "HLD", "hypercholesterolemia": "HLD", "dyslipidemia": "HLD",
    "atrial fibrillation": "AF", "gastroesophageal reflux disease": "GERD", "gastroesophageal reflux": "GERD", "reflux": "GERD",
    "myocardial infarction": "MI", "cerebrovascular accident": "CVA", "stroke": "CVA", "transient ischemic attack": "TIA",
    "urinary tract infection": "UTI", "upper respiratory infection": "URI", "deep venous thrombosis": "DVT",
    "deep vein thrombosis": "DVT", "pulmonary embolism": "PE", "pneumonia": "PNA", "chronic kidney disease": "CKD",
    "end-stage renal disease": "ESRD", "end stage renal disease": "ESRD", "acute kidney injury": "AKI", "acute renal failure": "ARF",
    "benign prostatic hypertrophy": "BPH", "benign prostatic hyperplasia": "BPH", "peripheral vascular disease": "PVD",
    "peripheral arterial disease": "PAD", "osteoarthritis": "OA", "rheumatoid arthritis": "RA", "degenerative joint disease": "DJD",
    "degenerative disc disease": "DDD", "obstructive sleep apnea": "OSA", "sleep apnea": "OSA", "irritable bowel syndrome": "IBS",
    "multiple sclerosis": "MS", "systemic lupus erythematosus": "SLE", "small bowel obstruction": "SBO", "tuberculosis": "TB",
    "attention deficit hyperactivity disorder": "ADHD", "posttraumatic stress disorder": "PTSD", "major depressive disorder": "MDD",
    "traumatic brain injury": "TBI", "heart failure": "HF", "aortic stenosis": "AS", "mitral regurgitation": "MR",
    "polycystic ovarian syndrome": "PCOS", "carpal tunnel syndrome": "CTS", "squamous cell carcinoma": "SCC",
    "basal cell carcinoma": "BCC", "hepatocellular carcinoma": "HCC", "coronary disease": "CAD", "diabetic ketoacidosis": "DKA",
}  # fmt: skip
MEDICATIONS = {
    "aspirin": "ASA", "hydrochlorothiazide": "HCTZ", "acetaminophen": "APAP", "nitroglycerin": "NTG", "penicillin": "PCN",
    "intravenous fluids": "IVF", "iv fluids": "IVF", "antibiotics": "abx", "antibiotic": "abx", "levothyroxine": "LT4",
    "normal saline": "NS", "trimethoprim-sulfamethoxazole": "TMP-SMX", "vancomycin": "vanc", "ceftriaxone": "CTX",
    "proton pump inhibitor": "PPI", "beta blocker": "BB", "ace inhibitor": "ACEi", "calcium channel blocker": "CCB",
    "methotrexate": "MTX", "oral contraceptives": "OCPs", "multivitamin": "MVI", "metoprolol": "metop",
    "isosorbide mononitrate": "ISMN", "mycophenolate": "MMF", "prednisone": "pred", "total parenteral nutrition": "TPN",
    "warfarin": "warf", "non-steroidal anti-inflammatory drugs": "NSAIDs",
    "nonsteroidal anti-inflammatory": "NSAID", "unfractionated heparin": "UFH", "low molecular weight heparin": "LMWH",
}  # fmt: skip
TABLES = {"symptom": SYMPTOMS, "disease": DISEASES, "medication": MEDICATIONS}

PHRASES = {
    "complaining of": "c/o", "complains of": "c/o", "complaint of": "c/o", "history of": "h/o", "presented with": "p/w",
    "presents with": "p/w", "status post": "s/p", "secondary to": "2/2", "as needed": "prn", "twice a day": "bid",
    "three times a day": "tid", "by mouth": "po", "rule out": "r/o", "without": "w/o", "with": "w/", "follow up": "f/u",
    "patient": "pt", "diagnosed with": "dx w/", "treatment": "tx", "symptoms": "sx", "history": "hx", "every": "q",
    "past medical history": "PMH", "family history": "FHx", "negative for": "neg for", "positive for": "pos for",
}  # fmt: skip

LINE_PATTERNS = (
    "{age} c/o {S}", "{age} c/o {S}, {S} x {n}d", "{age} c/o {S} w/ {S}, h/o {D}", "{age} p/w {S} and {S} since {n} days",
    "{age} p/w {S}. PMH {D}, {D}.", "PMH: {D}, {D}, {D}", "PMHx: {D}; {D}; {D}", "PMH {D}/{D}/{D} s/p CABG", "h/o {D}, {D}",
    "hx of {D} and {D}", "denies {S}/{S}", "Denies {S}, {S}, {S}.", "neg {S}, neg {S}", "no {S}/{S}/{S}", "ROS: + {S}, - {S}",
    "ROS neg for {S}, {S}", "pt w/ {D} on {M}, {M}", "Meds: {M}, {M}, {M}", "cont {M} for {D}", "start {M} {n} mg po bid prn {S}",
    "{M} {n}0 mg po qd, {M} {n}5 mg bid", "d/c {M}", "r/o {D}", "r/o {D} vs {D}", "A/P: {D} - cont {M}", "1. {D}: {M}, {M}",
    "2. {D} 2/2 {D}", "{S} likely 2/2 {D}", "allergies: {M}, {M}", "FHx: {D} (mother), {D} (father)", "FHx +{D}, -{D}",
    "c/o {S} for {n} hrs, took {M} w/o relief", "{S} improved w/ {M}", "s/p {M} x {n}", "+{S} -{S} -{S}", "CC: {S}", "dx: {D}",
    "pt c/o {S} & {S}, no {S}", "w/ h/o {D} adm for {D}", "given {M} for {S} in ED", "imp: {D}, {D}, r/o {D}",
    "BP 1{n}0/80, HR 7{n}, no {S}", "labs: WBC 1{n}.2, Hgb 1{n}, Na 13{n}", "f/u in {n} wks", "VSS, NAD, A&O x3", "Rx {M} #{n}0",
    "{age} pmh {D} {D} {D} here w {S}", "tx w/ {M} for {D}", "{D} on {M}, stable", "{S} x{n}d, worse w/ exertion",
)  # fmt: skip
SLOTS = {"S": "symptom", "D": "disease", "M": "medication"}
LETTERS = frozenset({"N", "V", "D", "F", "C"})
"""Single letters stand for a complaint only in "N/V/D" and the like; never put them elsewhere."""


def abbreviate(row: dict, rng: random.Random, share: float = 0.7) -> dict:
    """A copy of a note in which some mentions and phrases are abbreviated; its entities cover the same mentions."""
    edits = []
    for entity in row["entities"]:
        if overlaps_another(entity, row["entities"]):
            continue
        wanted = row["text"][entity["start"] : entity["end"]].lower()
        short = TABLES.get(entity["type"], {}).get(wanted)
        if short and short not in LETTERS and rng.random() < share:
            edits.append((entity["start"], entity["end"], short))
    taken = [(entity["start"], entity["end"]) for entity in row["entities"]]
    for match in PHRASE.finditer(row["text"]):
        free = all(match.end() <= start or match.start() >= end for start, end in taken)
        if free and rng.random() < share:
            edits.append((match.start(), match.end(), PHRASES[match.group().lower()]))
    return apply(row, edits)


PHRASE = re.compile(r"\b(" + "|".join(sorted(PHRASES, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def overlaps_another(entity: dict, entities: list[dict]) -> bool:
    """Whether another entity, of any task, shares a character with it: such a mention is left as it stands."""
    overlapping = (e for e in entities if e["start"] < entity["end"] and e["end"] > entity["start"])
    return sum(1 for _ in overlapping) > 1


def apply(row: dict, edits: list[tuple[int, int, str]]) -> dict:
    """Edits (start, end, replacement) that do not overlap; each replaces a whole entity or touches none."""
    text, at, moved, pieces = row["text"], 0, [], []
    for start, end, replacement in sorted(set(edits)):
        if start < at:
            continue
        pieces += [text[at:start], replacement]
        moved.append((start, end, len(replacement) - (end - start)))
        at = end

    def shift(offset: int) -> int:
        return offset + sum(by for _, end, by in moved if end <= offset)

    entities = [{**e, "start": shift(e["start"]), "end": shift(e["end"])} for e in row["entities"]]
    return {**row, "text": "".join(pieces) + text[at:], "entities": entities}


def made_up_lines(rows: list[dict], rng: random.Random, count: int) -> list[dict]:
    """Rows like the notes', each of a few lines; half of the mentions come from `rows`, where they have any of the kind, half are abbreviations."""
    seen = {task: sorted({m for row in rows for m in mentions(row, task)}) for task in TABLES}
    short = {task: [each for each in TABLES[task].values() if each not in LETTERS] for task in TABLES}
    made = []
    for number in range(count):
        text, entities = "", []
        for pattern in rng.sample(LINE_PATTERNS, rng.randint(1, 5)):
            for part in re.split(r"(\{\w+\})", pattern):
                kind = SLOTS.get(part[1:-1]) if part.startswith("{") else None
                if kind:
                    mention = rng.choice(short[kind] if rng.random() < 0.6 or not seen[kind] else seen[kind])
                    entities.append({"start": len(text), "end": len(text) + len(mention), "type": kind})
                    text += mention
                elif part == "{n}":
                    text += str(rng.randint(1, 9))
                elif part == "{age}":
                    text += f"{rng.randint(18, 95)}{rng.choice(['M', 'F', ' yo M', ' yo F', 'yo male', 'y/o F', ' year old female'])}"
                else:
                    text += part
            text += rng.choice(["\n", "\n", ". ", "; "])
        made.append({"id": f"shorthand-{number}", "split": "train", "text": text, "entities": entities})
    return made


def mentions(row: dict, task: str) -> list[str]:
    """Short ones on one line: what a person would type in shorthand."""
    found = [row["text"][e["start"] : e["end"]] for e in row["entities"] if e["type"] == task]
    return [each for each in found if len(each) <= 30 and "\n" not in each]
