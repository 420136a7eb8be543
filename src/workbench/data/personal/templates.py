"""Sentences into which invented values are put, by locale and type, and sentences without any personal data.

Written for this package. They are short and clean: what is measured on them is an upper end of what the scan does on
real notes.
"""

POSITIVE: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "email": (
            "Please write to {} before Friday.",
            "Contact: {}",
            "The form was sent from {}, twice.",
            "Her address ({}) bounced.",
        ),
        "url_user": ("The photos are at {} for now.", "See {}.", "Profile: {} (checked today)"),
        "phone": (
            "Call me on {} after six.",
            "Tel. {}",
            "The number {} was engaged all day.",
            "Daughter, {}, wants to be informed.",
        ),
        "iban": ("Please transfer the fee to {} today.", "IBAN: {}", "Account {} was closed."),
        "card": ("Paid with card {} at the desk.", "The number {} was declined.", "Card no. {}, valid until 09/29"),
        "date_of_birth": (
            "Patient born on {} in good general state.",
            "DOB: {}",
            "Date of birth {}, lives alone.",
            "She was born {} and moved later.",
        ),
        "medical_record": (
            "MRN {} was transferred to ward 4.",
            "Medical record number: {}",
            "Patient ID {} has no known allergies.",
            "Chart no. {} is missing.",
        ),
        "ip_address": ("The login came from {} at night.", "Host {} was blocked.", "IP {}"),
        "us_ssn": ("SSN {} on file.", "Her social security number is {}.", "Applicant {} was approved."),
        "gb_nhs": ("NHS number: {}", "NHS No. {} was confirmed by the surgery.", "Referred under NHS number {}."),
        "gb_nino": ("National Insurance number {} was given.", "NI: {}", "The form shows {} on page two."),
        "name": (
            "{} called about the results.",
            "Seen by {} on the ward.",
            "The letter is for {}, who moved.",
            "Discharged to the care of {}.",
        ),
        "titled": ("{} will see you now.", "The appointment with {} was moved.", "Referred by {} last week."),
    },
    "de": {
        "email": (
            "Bitte an {} schreiben.",
            "Kontakt: {}",
            "Die Anfrage kam von {}.",
            "Ihre Adresse ({}) ist veraltet.",
        ),
        "url_user": ("Die Bilder liegen unter {} bereit.", "Siehe {}.", "Profil: {} (heute geprüft)"),
        "phone": (
            "Bitte unter {} zurückrufen.",
            "Tel.: {}",
            "Die Nummer {} war besetzt.",
            "Tochter ist unter {} zu erreichen.",
        ),
        "iban": ("Bitte auf {} überweisen.", "IBAN: {}", "Das Konto {} wurde geschlossen."),
        "card": ("Mit der Karte {} bezahlt.", "Kartennummer {} wurde abgelehnt.", "Karte {}, gültig bis 09/29"),
        "date_of_birth": (
            "Patient, geboren am {}, in gutem Zustand.",
            "Geburtsdatum: {}",
            "geb. {}, lebt allein.",
            "Sie wurde am Sonntag geboren, {}.",
        ),
        "medical_record": (
            "Fallnummer {} wurde verlegt.",
            "Patientennummer: {}",
            "Patienten-ID {} ohne Allergien.",
            "Fall-Nr. {} fehlt.",
        ),
        "ip_address": ("Die Anmeldung kam von {} in der Nacht.", "Rechner {} ist gesperrt.", "IP {}"),
        "de_tax_id": ("Steuer-ID {} liegt vor.", "Die Identifikationsnummer lautet {}.", "Steuerliche ID: {}"),
        "de_kvnr": ("Versichertennummer {} geprüft.", "KVNR: {}", "Versichert unter {} seit Mai."),
        "name": (
            "{} rief wegen der Befunde an.",
            "Untersucht von {} auf Station.",
            "Der Brief ist für {}, sie ist umgezogen.",
            "Entlassen in die Obhut von {}.",
        ),
        "titled": ("{} kommt gleich.", "Der Termin bei {} wurde verschoben.", "Überwiesen von {} letzte Woche."),
    },
    "fr": {
        "email": (
            "Merci d'écrire à {} avant vendredi.",
            "Contact : {}",
            "Le formulaire vient de {}.",
            "Son adresse ({}) ne marche plus.",
        ),
        "url_user": ("Les photos sont sur {} pour le moment.", "Voir {}.", "Profil : {} (vérifié)"),
        "phone": (
            "Appelez-moi au {} après six heures.",
            "Tél. : {}",
            "Le numéro {} était occupé.",
            "Sa fille, {}, veut être informée.",
        ),
        "iban": ("Merci de virer la somme sur {} ce jour.", "IBAN : {}", "Le compte {} est fermé."),
        "card": (
            "Payé avec la carte {} à l'accueil.",
            "Le numéro {} a été refusé.",
            "Carte {}, valable jusqu'au 09/29",
        ),
        "date_of_birth": ("Patient né le {} en bon état général.", "Date de naissance : {}", "Née le {}, vit seule."),
        "medical_record": (
            "IPP {} transféré en salle 4.",
            "Numéro de dossier : {}",
            "Dossier médical n° {} à compléter.",
            "N° de dossier {} introuvable.",
        ),
        "ip_address": ("La connexion venait de {} la nuit.", "Le poste {} est bloqué.", "IP {}"),
        "fr_nir": ("Numéro de sécurité sociale : {}", "Le NIR {} est connu.", "Assuré sous le {} depuis mai."),
        "name": (
            "{} a appelé pour les résultats.",
            "Vu par {} dans le service.",
            "La lettre est pour {}, qui a déménagé.",
        ),
        "titled": ("{} va vous recevoir.", "Le rendez-vous avec {} est reporté.", "Adressé par {} la semaine passée."),
    },
    "es": {
        "email": (
            "Escriba a {} antes del viernes.",
            "Contacto: {}",
            "El formulario llegó de {}.",
            "Su dirección ({}) no funciona.",
        ),
        "url_user": ("Las fotos están en {} por ahora.", "Véase {}.", "Perfil: {} (comprobado)"),
        "phone": (
            "Llámeme al {} después de las seis.",
            "Tel.: {}",
            "El número {} comunicaba.",
            "Su hija, {}, quiere ser informada.",
        ),
        "iban": ("Transfiera el importe a {} hoy.", "IBAN: {}", "La cuenta {} fue cerrada."),
        "card": (
            "Pagado con la tarjeta {} en recepción.",
            "El número {} fue rechazado.",
            "Tarjeta {}, válida hasta 09/29",
        ),
        "date_of_birth": (
            "Paciente nacido el {} en buen estado.",
            "Fecha de nacimiento: {}",
            "Nacida el {}, vive sola.",
            "Nació el {} en casa.",
        ),
        "medical_record": (
            "Historia clínica {} trasladada a la sala 4.",
            "NHC: {}",
            "Número de paciente {} sin alergias.",
        ),
        "ip_address": ("La conexión vino de {} por la noche.", "El equipo {} está bloqueado.", "IP {}"),
        "es_dni": ("DNI {} comprobado.", "Con documento {} y domicilio conocido.", "NIE/DNI: {}"),
        "name": ("{} llamó por los resultados.", "Visto por {} en la planta.", "La carta es para {}, que se mudó."),
        "titled": ("{} le atenderá ahora.", "La cita con {} se aplazó.", "Enviado por {} la semana pasada."),
    },
    "it": {"it_codice_fiscale": ("Codice fiscale: {}", "Il paziente con codice {} è stato dimesso.")},
    "nl": {"nl_bsn": ("BSN: {}", "Het burgerservicenummer {} is bekend.")},
}
"""By locale and type; ``titled`` is a title with a surname, of type ``name``. The value stands at {}."""
NEGATIVE: dict[str, tuple[str, ...]] = {
    "en": (
        "Invoice ######## of 12 March 2021 was paid in full.",
        "Version 2.#.1#.3 fixes the login page.",
        "See section 4.#.2.1 of the guide for details.",
        "The order number is 4######000000017, shipped yesterday.",
        "Blood pressure 1#0/85, pulse 7#, temperature 36.#.",
        "The ward has 2# beds and ### visits a day.",
        "Take 250-500 mg every 6 hours, at most 4000 mg a day.",
        "The United States Department of Health published ISBN 978-3-16-14841#-1.",
        "Fracture of the left wrist, initial encounter, code S62.1##A.",
        "Opened 01/02/2019, closed 03/04/2019, reference AB-######.",
        "Follow-up on Monday at 10:## in Room ##, Building C.",
        "Please Read The Following Terms And Conditions Carefully.",
    ),
    "de": (
        "Die Rechnung ######## vom 12.03.2021 ist bezahlt.",
        "Fassung 2.#.1#.3 behebt den Fehler.",
        "Siehe Abschnitt 4.#.2.1 der Leitlinie.",
        "Die Bestellnummer ist 4######000000017.",
        "Blutdruck 1#0/85, Puls 7#, Temperatur 36,#.",
        "Die Station hat 2# Betten und ### Besuche am Tag.",
        "Fraktur des linken Handgelenks, Erstbehandlung, Schlüssel S62.1#.",
        "Eröffnet am 01.02.2019, geschlossen am 03.04.2019.",
        "Kontrolle am Montag um 10:## Uhr in Raum ##.",
        "Das Bundesministerium für Gesundheit hat neue Zahlen vorgelegt.",
    ),
    "fr": (
        "La facture ######## du 12/03/2021 est réglée.",
        "La version 2.#.1#.3 corrige la page.",
        "Voir la section 4.#.2.1 du guide.",
        "Le numéro de commande est 4######000000017.",
        "Tension 1#/8, pouls 7#, température 36,#.",
        "Le service compte 2# lits et ### visites par jour.",
        "Fracture du poignet gauche, premier passage, code S62.1#.",
        "Ouvert le 01/02/2019, fermé le 03/04/2019.",
        "Contrôle lundi à 10 h ## en salle ##.",
        "Le Ministère de la Santé a publié un rapport sur les Maladies Rares.",
    ),
    "es": (
        "La factura ######## del 12/03/2021 está pagada.",
        "La versión 2.#.1#.3 corrige la página.",
        "Véase el apartado 4.#.2.1 de la guía.",
        "El pedido es el 4######000000017.",
        "Tensión 1#/8, pulso 7#, temperatura 36,#.",
        "La planta tiene 2# camas y ### visitas al día.",
        "Fractura de la muñeca izquierda, primera visita, código S62.1#.",
        "Abierto el 01/02/2019, cerrado el 03/04/2019.",
        "Revisión el lunes a las 10:## en la sala ##.",
        "El Ministerio de Sanidad publicó un informe sobre Enfermedades Raras.",
    ),
}
"""Near misses without personal data; # is a digit."""
BEFORE = ("", "", "", "Note: ", "12.05.2020 - ", "(")
AFTER = ("", "", "", " OK.", " 14:30", ")")
"""What may stand before and after a sentence."""
