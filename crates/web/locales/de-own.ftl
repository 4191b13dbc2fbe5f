# Der eigene Status in der Leiste jeder Seite.

own-set = Meinen Status festlegen
own-length = Wie lange
own-changed = Ohne Ende
own-30 = 30 Min.
own-60 = 1 Stunde
own-today = Heute
own-at = Bis
own-automatic = Zurück zu automatisch
own-lost = Nicht gespeichert: keine Verbindung zum Server. Versuchen Sie es noch einmal.
own-appointment = Termin

own-teams-calls = Anrufe, während ich in einem Teams-Anruf bin
own-calls-ring = Klingeln lassen
own-calls-voicemail = An die Voicemail weiterleiten

own-hide = Vor jemandem verbergen
own-hide-help = Diese Person sieht Sie als offline und erfährt nichts davon. E-Mail-Adresse, Nebenstelle oder ein Teil des Namens.
own-hide-button = Verbergen

seen-title = Wie andere mich sehen
seen-viewer = Kollegin oder Kollege
seen-of = Wie { $name } mich sieht
seen-no-reasons = Diese Person sieht keine Gründe.
