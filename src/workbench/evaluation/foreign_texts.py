"""Texts that belong to no recipe: everyday English, other languages, noise. All written or generated here.

They are what a classifier may be handed by mistake. Plain on purpose: each is a whole phrase that a person would know
at once to be out of place. Refuses nothing; how many there are is what limits the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

EVERYDAY = (
    "the train to the coast leaves at half past eight",
    "we need two more chairs for the kitchen table",
    "she scored the winning goal in the last minute",
    "please water the tomatoes while we are away",
    "the cinema shows an old film on Thursday evening",
    "my brother bought a second-hand bicycle yesterday",
    "boil the pasta for nine minutes and add salt",
    "the bus was late because of the snow",
    "our team meets in the large room at noon",
    "he forgot his umbrella in the library again",
    "the museum is closed on Mondays in winter",
    "can you send me the photos from the picnic",
    "this novel has too many chapters about sailing",
    "they painted the garden fence dark green",
    "the price of apples went up again this week",
    "turn left after the bridge and then straight on",
    "her guitar needs new strings before the concert",
    "the hotel has a pool and serves breakfast until ten",
    "I would like a window seat on the morning flight",
    "the neighbours are having a party on Saturday",
    "bring warm gloves and a torch for the night walk",
    "the dog barked at the postman through the gate",
    "we watched the ferry come into the harbour",
    "the baker sells out of rye bread by nine",
    "a small theatre opened next to the town hall",
    "please print the tickets and keep the receipt",
    "the lake was frozen and children were skating",
    "our satellite channel shows football all weekend",
    "he is learning to play chess with his aunt",
    "the lawn has to be cut before the holidays",
)
LANGUAGES: dict[str, tuple[str, ...]] = {
    "German": (
        "der Zug fährt morgen früh um acht Uhr ab",
        "bitte schicken Sie uns die unterschriebenen Unterlagen",
        "starke Schmerzen im linken Knie seit dem Sturz",
        "die Nutzung ist nur mit schriftlicher Genehmigung erlaubt",
        "wir haben gestern im Garten gearbeitet",
        "der Patient hat seit drei Tagen Fieber und Husten",
        "die Rechnung ist innerhalb von vierzehn Tagen zu bezahlen",
        "unser Büro bleibt am Freitag geschlossen",
    ),
    "French": (
        "le train part demain matin à huit heures",
        "veuillez nous envoyer les documents signés",
        "douleur vive au genou gauche depuis la chute",
        "toute reproduction est interdite sans autorisation écrite",
        "nous avons travaillé hier dans le jardin",
        "le patient a de la fièvre et tousse depuis trois jours",
        "la facture est à régler sous quatorze jours",
        "notre bureau sera fermé vendredi prochain",
    ),
    "Spanish": (
        "el tren sale mañana a las ocho",
        "le rogamos que nos envíe los documentos firmados",
        "dolor fuerte en la rodilla izquierda desde la caída",
        "el uso está permitido solo con autorización escrita",
        "ayer trabajamos en el jardín",
        "el paciente tiene fiebre y tos desde hace tres días",
        "la factura debe pagarse en un plazo de catorce días",
        "nuestra oficina estará cerrada el viernes",
    ),
    "Polish": (
        "pociąg odjeżdża jutro rano o ósmej",
        "prosimy o przesłanie podpisanych dokumentów",
        "silny ból lewego kolana po upadku",
        "korzystanie wymaga pisemnej zgody właściciela",
        "wczoraj pracowaliśmy w ogrodzie",
        "pacjent od trzech dni ma gorączkę i kaszel",
        "fakturę należy zapłacić w ciągu czternastu dni",
        "nasze biuro będzie w piątek zamknięte",
    ),
    "Turkish": (
        "tren yarın sabah sekizde kalkıyor",
        "imzalı belgeleri bize göndermenizi rica ederiz",
        "düştüğünden beri sol dizinde şiddetli ağrı var",
        "yazılı izin olmadan kullanılması yasaktır",
        "dün bahçede birlikte çalıştık",
        "hastanın üç gündür ateşi ve öksürüğü var",
        "fatura on dört gün içinde ödenmelidir",
        "ofisimiz cuma günü kapalı olacak",
    ),
    "Russian": (
        "поезд отправляется завтра утром в восемь",
        "просим прислать нам подписанные документы",
        "сильная боль в левом колене после падения",
        "использование только с письменного разрешения",
        "вчера мы работали в саду",
        "у пациента третий день температура и кашель",
        "счёт следует оплатить в течение двух недель",
        "наш офис в пятницу будет закрыт",
    ),
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MARKS = "0123456789.,;:-/()#%"


def other_languages() -> list[str]:
    """The phrases of all languages, one after another."""
    return [phrase for phrases in LANGUAGES.values() for phrase in phrases]


def random_letters(texts: Sequence[str], generator: np.random.Generator) -> list[str]:
    """Every letter of some texts replaced by a random one; lengths and spaces stay."""
    return ["".join(LETTERS[generator.integers(26)] if one.isalpha() else one for one in text) for text in texts]


def shuffled_letters(texts: Sequence[str], generator: np.random.Generator) -> list[str]:
    """The letters of every word in another order: the right letters, the wrong spelling."""
    return [" ".join("".join(generator.permutation(list(word))) for word in text.split()) for text in texts]


def digits_and_marks(texts: Sequence[str], generator: np.random.Generator) -> list[str]:
    """Digits and marks alone, as long as some texts."""
    return ["".join(generator.choice(list(MARKS), max(1, min(len(text), 200)))) for text in texts]
