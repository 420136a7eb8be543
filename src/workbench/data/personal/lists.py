"""Frequent first names and surnames of four locales, written for this package, and words that are no names.

A short list on purpose: it shows how far a list reaches. Nothing here belongs to a particular person. With the extra
``personal`` the US Census of 1990 is read from the package ``names`` beside it.
"""

FIRST = {
    "en": "James John Robert Michael William David Richard Joseph Thomas Charles Christopher Daniel Matthew Anthony "
    "Donald Steven Paul Andrew Joshua Kenneth Kevin Brian George Edward Ronald Timothy Jason Jeffrey Ryan Jacob "
    "Gary Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Frank Alexander "
    "Patrick Raymond Jack Dennis Jerry Tyler Aaron Oliver Harry Simon Graham Stuart Ian Nigel Colin Keith Neil "
    "Alan Alistair Rhys Owen Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa "
    "Nancy Betty Margaret Sandra Ashley Kimberly Emily Donna Michelle Carol Amanda Dorothy Melissa Deborah "
    "Stephanie Rebecca Sharon Laura Cynthia Kathleen Amy Angela Shirley Anna Brenda Pamela Emma Nicole Helen "
    "Samantha Katherine Christine Debra Rachel Carolyn Janet Catherine Maria Heather Diane Olivia Julie Joyce "
    "Virginia Kelly Joan Christina Lauren Fiona Gillian Imogen Sian",
    "de": "Peter Michael Thomas Andreas Wolfgang Klaus Jürgen Günter Stefan Christian Uwe Werner Horst Frank Dieter "
    "Manfred Gerhard Hans Bernd Matthias Torsten Helmut Walter Heinz Martin Jörg Rolf Jens Sven Ralf Karl "
    "Markus Tobias Sebastian Florian Lukas Felix Jonas Maximilian Moritz Niklas Philipp Johannes Friedrich "
    "Heinrich Otto Kurt Ernst Ulrich Rainer Norbert Ursula Karin Helga Sabine Ingrid Renate Monika Susanne "
    "Gisela Petra Birgit Andrea Anna Brigitte Claudia Erika Christa Elke Stefanie Gertrud Elisabeth Maria "
    "Angelika Heike Gabriele Katrin Ilse Nicole Anja Barbara Hildegard Martina Ingeborg Gerda Marion Jutta Ute "
    "Hannelore Irmgard Christine Inge Christina Silke Kerstin Marie Johanna Katharina Leonie Lena Hannah Sophie "
    "Franziska Greta Heidi Anneliese Waltraud",
    "fr": "Jean Pierre Michel André Philippe Alain Bernard Jacques Daniel Patrick François Nicolas Christophe Laurent "
    "Christian Thierry Éric Frédéric Stéphane Pascal Gérard Claude Julien Sébastien Olivier Thomas David Marc "
    "Antoine Vincent Guillaume Alexandre Louis Henri Maxime Hugo Lucas Mathieu Benoît Yves Gilles Didier Bruno "
    "Serge Franck Marie Nathalie Isabelle Sylvie Catherine Françoise Martine Christine Monique Valérie Sandrine "
    "Véronique Nicole Sophie Stéphanie Céline Chantal Brigitte Jacqueline Patricia Annie Aurélie Christelle "
    "Laurence Julie Hélène Dominique Émilie Caroline Claire Camille Élodie Léa Manon Chloé Pauline Mathilde "
    "Margaux Élise Agnès Corinne Odile Ghislaine Thérèse Madeleine Suzanne Simone Geneviève Jeanne Anne Lucie "
    "Juliette",
    "es": "Antonio Manuel José Francisco David Juan Javier Daniel Carlos Jesús Alejandro Miguel Rafael Pablo Pedro "
    "Ángel Sergio Fernando Jorge Luis Alberto Álvaro Diego Adrián Raúl Enrique Ramón Vicente Iván Rubén Óscar Andrés "
    "Joaquín Santiago Eduardo Víctor Roberto Jaime Mario Ignacio Alfonso Salvador Ricardo Marcos Emilio Julián "
    "Guillermo Gabriel María Carmen Ana Isabel Laura Cristina Marta Lucía Dolores Josefa Pilar Teresa Francisca "
    "Antonia Mercedes Elena Paula Raquel Sara Rosario Juana Manuela Beatriz Julia Rocío Patricia Irene "
    "Encarnación Montserrat Silvia Andrea Alba Concepción Nuria Mónica Yolanda Sonia Margarita Susana Sofía "
    "Inés Claudia Alicia Esther Inmaculada Verónica Consuelo Lourdes Amparo Ángela Gloria Eva",
}
"""First names by locale, of both sexes."""
LAST = {
    "en": "Smith Johnson Williams Brown Jones Davis Miller Wilson Moore Taylor Anderson Thomas Jackson Harris Thompson "
    "Robinson Clark Lewis Walker Hall Allen Wright Scott Hill Adams Nelson Carter Mitchell Roberts Turner "
    "Phillips Campbell Parker Evans Edwards Collins Stewart Morris Rogers Reed Morgan Cooper Peterson Bailey "
    "Kelly Howard Cox Richardson Watson Brooks Wood Bennett Hughes Patel Myers Foster Sanders Ross Jenkins "
    "Perry Powell Sullivan Russell Fisher Henderson Coleman Simmons Patterson Reynolds Hamilton Graham Wallace "
    "Murray Gibson Harrison Shaw Palmer Simpson Griffiths Davies Khan Begum O'Brien O'Connor O'Neill Murphy "
    "MacDonald McCarthy Fitzgerald Whitaker Ashworth",
    "de": "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein "
    "Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause "
    "Meier Lehmann Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang "
    "Scholz Möller Weiß Jung Hahn Schubert Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz "
    "Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger "
    "Otto Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Schulte Dietrich Ziegler Kuhn Kühn Pohl Engel "
    "Horn Busch Bergmann Yilmaz Nowak Kowalski",
    "fr": "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel Garcia "
    "David Bertrand Roux Vincent Fournier Morel Girard André Lefèvre Mercier Dupont Lambert Bonnet François "
    "Martinez Legrand Garnier Faure Rousseau Blanc Guérin Muller Henry Roussel Nicolas Perrin Morin Mathieu "
    "Clément Gauthier Dumont Lopez Fontaine Chevalier Robin Masson Sanchez Gérard Nguyen Boyer Denis Lemaire "
    "Duval Joly Gautier Roger Roche Roy Noël Meyer Lucas Meunier Jean Perez Marchand Dufour Blanchard Marie "
    "Barbier Brun Dumas Brunet Schmitt Leroux Colas Renard Arnaud Rolland Caron Aubert Giraud Leclerc Vidal "
    "Bourgeois Renaud Lemoine Picard Gaillard",
    "es": "García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Hernández Ruiz Díaz "
    "Moreno Muñoz Álvarez Romero Gutiérrez Alonso Navarro Torres Domínguez Ramos Vázquez Ramírez Gil Serrano "
    "Morales Molina Blanco Suárez Castro Ortega Delgado Ortiz Marín Rubio Núñez Medina Sanz Castillo Iglesias "
    "Cortés Garrido Santos Guerrero Lozano Cano Cruz Méndez Flores Prieto Herrera Peña León Márquez Cabrera "
    "Gallego Calvo Vidal Campos Reyes Vega Fuentes Carrasco Díez Aguilar Caballero Nieto Santana Vargas Pascual "
    "Giménez Herrero Hidalgo Montero Lorenzo Santiago Benítez Durán Ibáñez Arias Mora Ferrer Carmona Vicente "
    "Rojas Soto Crespo Román Pastor Velasco",
}
"""Surnames by locale."""
NO_NAMES = frozenset(
    "the and or of in to for from with by on at as is are was were be been an any all such this that these "
    "those your our their its his her not no nor if then may must shall will can".split()
)
"""Words that are no part of a name, whatever a list says."""
TITLE_FOLLOWERS = frozenset(
    "dr dra prof med mr mrs ms sir herr frau sr sra mme mlle "
    "president chairman chairperson speaker director doktor professor minister judge justice secretary mayor "
    "direktor kanzler bürgermeister burgermeister präsident prasident präsidentin prasidentin président "
    "presidente presidenta directora doctor doctora alcalde juez ministro ministra le la les il el".split()
)
"""Words after a title that are another one, or name an office."""
NO_FIRST = NO_NAMES | frozenset(
    "an art bank bill bo case cash chance china christian church city columbus cruz daily dale day do dong "
    "easter ed eve everett faith fair florida free general georgia glen golden grant ha han happy honey hong "
    "hope houston in india iron israel ivory japan jersey joy july june see so sun sung man many marks mercy "
    "merry my noble page paris piece power price prince rich rose royal section self son spring star storm "
    "summer sunday table temple thanks tiny true united violet washington west will winter wise worth young "
    "york long lane license major mac wiley white apache berry carry clear code cody column dot early jewel "
    "justice king lake lean light little lorem love lucky mable mariners media might mission modesto north "
    "northern number oak ok orlando pearl phoenix pierce port precious queen reed regard reason refer release "
    "right river rocky rusty santa sage saint sang science shall signs sol sole sonic source stone sterling "
    "title tod tool total tree troy unique usa user valentine velvet version wave wonder".split()
)
"""First names of the US Census that are words more often than names."""
NO_LAST = NO_NAMES | frozenset(
    "act add agreement an article authority bank below best binary board body book bound box branch bridge "
    "broad business case cash center change chapter charge church city clause clear code college common company "
    "contract copy core corporation cost council counter court covered cross data date day deal deed department "
    "derivative direct district do document down due east edition effect end english error even every exact "
    "exhibit express fact fair fee few field file final first fix fly follow font force form forward foundation "
    "four free front full fund general goes good grand grant group had half hand hard have head held here high "
    "him home house human image in inc include india institute island issue its journal key knowledge label "
    "land language large last later law laws legal less let letter level library license light limit line link "
    "list little load local long look lot low main major make man many map mark market marks master matter "
    "means media method might mine mission mode model module month moral more most mount name national need new "
    "news next north note notice number object off office one only open option order original other out over "
    "own owner page pages paper part party pass patch patent path people permit person phase place plan point "
    "pool port position post power present press price print prior private process product program project "
    "proof proper public publisher purpose put question quick read real reason record reed reference release "
    "remain report republic research reserve rest result return rich right rights road root round rule run safe "
    "said sale same save schedule school science sea second section see self sell sense service set several "
    "shall share ship short show side sign simple single site small so software some sort source south space "
    "special stand standard star start state states stock stop store story street strong study sub subject such "
    "suite sum sun support sure system table take tax term terms test text than thing think third three time "
    "times title to tool top total town trade tree true trust turn two type under union unit united university "
    "up use user van version very view void volume warrant water way web well west what whole whose wide will "
    "win wise within word work works world year yes you zip zone".split()
)
"""Surnames of the US Census that are words more often than names."""
