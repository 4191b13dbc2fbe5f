# Deutsche Texte der Seiten. Dieselben Schlüssel wie in en.ftl: ein Test prüft es.

# Layout jeder Seite
nav-board = Personen
nav-my-teams = Mein Teams-Konto
nav-sign-out = Abmelden
nav-skip = Zum Inhalt springen
nav-label = Navigation
nav-short-label = Wichtigste Seiten
nav-menu = Menü
account-pages = Mein Konto
find-label = Personen, Nummern, Gruppen suchen
nav-language = Sprache
signed-in-as = Angemeldet als { $name }

# Status und Aktivitäten
status-Available = Verfügbar
status-BeRightBack = Bin gleich zurück
status-Busy = Beschäftigt
status-DoNotDisturb = Bitte nicht stören
status-Absent = Abwesend
status-Offline = Offline
activity-Ringing = Es klingelt
activity-OnThePhone = Am Telefon
activity-OnThePhoneTeams = Am Telefon (MS Teams)
activity-InMeeting = In einer Besprechung
activity-Presenting = Präsentiert
activity-UsingApp = { $app }
confidence-stale = länger nicht aktualisiert

# Übersicht
board-label = Präsenz aller Personen
board-people =
    { $count ->
        [one] { $count } Person
       *[other] { $count } Personen
    }
board-people-of = { $shown } von { $count } Personen
board-connecting = Verbindung wird hergestellt …
board-live = Live
board-lost = Verbindung unterbrochen. Wird wiederhergestellt …
board-name = Name
board-status = Status
board-activity = Aktivität
board-text = Text
board-since = Seit
board-explanation = Erklärung
board-why = Warum?
board-why-of = Warum { $status }? { $name }
board-empty = Noch keine Personen. <code>offhook import personen.csv</code> importiert eine Tabelle mit den Spalten name, mail, UPN und extension.
demo-about = Dies ist eine Demo mit Beispielpersonen, einer simulierten Telefonanlage und einem simulierten Teams-Mandanten.
demo-teams = Als Teams-Benutzer handeln
demo-pause = Tagesablauf anhalten
demo-resume = Tagesablauf fortsetzen

# Karte
card-close = Schließen
card-profiles = Profile
card-appointments = Termine
card-automatic = Automatisch
card-title = { $name }: warum { $status }?
card-failed = Die Erklärung konnte nicht geladen werden. Versuchen Sie es gleich noch einmal.
card-with = mit { $party }
card-choose-for = { $profile } für { $name } festlegen? Kollegen sehen die Änderung; in der Erklärung steht „von Hand gewählt“.
card-end-for = { $profile } für { $name } beenden?
card-since = seit { $time }
card-until = bis { $time }, falls nicht erneuert
card-calls-to = Anrufe an { $target }
card-calls-refused = Anrufe werden abgewiesen
card-central = Vorlage
card-own = persönlich
card-now = jetzt
card-nothing = nichts
card-locked = vom Administrator festgelegt ({ $scope })
automatic-client_start = Wenn ein Client gestartet wird
automatic-client_end = Wenn der letzte Client geschlossen wird
automatic-inactivity = Bei Inaktivität von Tastatur und Maus
automatic-locked = Wenn der Bildschirm gesperrt ist

# Anmeldung
sign-in-title = Anmelden
sign-in-name = Name
sign-in-password = Kennwort
sign-in-button = Anmelden
sign-in-wrong = Name oder Kennwort ist falsch. Ein Administrator kann ein neues Kennwort festlegen.
sign-in-wait = Zu viele Versuche. Versuchen Sie es in { $seconds } Sekunden noch einmal.
sign-in-busy = Zu viele gleichzeitige Anmeldungen. Versuchen Sie es in { $seconds } Sekunden noch einmal.
sign-in-open-id = Anmelden mit { $name }
sign-in-link = Oder einen Einmal-Link öffnen: <code>offhook link</code> auf dem Rechner ausführen, auf dem Offhook läuft (in der Demo: Eingabetaste im Terminal drücken).
sign-in-link-used = Dieser Link wurde bereits verwendet, ist abgelaufen oder ungültig.
sign-out-everywhere = Überall abmelden

# Mein Teams-Konto
teams-title = Mein Teams-Konto
teams-who = { $name }, Mandant { $tenant }
teams-code-before = Öffnen Sie
teams-code-after = und geben Sie ein:
teams-code-notice = Diese Seite aktualisiert sich, sobald Sie angemeldet sind.
teams-connected-remembered = Verbunden. Ihre Anmeldung ist verschlüsselt gespeichert und wird nur von Offhook verwendet.
teams-connected-once = Verbunden. Ihre Anmeldung ist nicht gespeichert: Melden Sie sich nach einem Neustart von Offhook erneut an.
teams-connected-tenant = Verbunden. Ihr Administrator hat den gesamten Mandanten verbunden; Sie müssen sich nicht anmelden.
teams-known = Ihr Konto ist bekannt, aber Sie sind nicht angemeldet. Bis zur Anmeldung wird nichts mit Teams synchronisiert.
teams-not-connected = Nicht verbunden.
teams-linked = Konto: { $name }
teams-question = Ist { $name } Ihr Konto?
teams-question-why = Es ist nicht das Konto, das Offhook für Sie kennt. Verbunden wird erst nach Ihrer Bestätigung.
teams-question-of = Das ist der Anmeldename von { $name }. Wenn Sie sich mit dem falschen Konto angemeldet haben, verwerfen Sie es.
teams-question-link = Dieses Konto verbinden
teams-question-discard = Verwerfen
teams-password = Sie melden sich bei Microsoft an; Offhook sieht Ihr Kennwort nie.
teams-remember = Angemeldet bleiben (verschlüsselt gespeichert)
teams-with-code = Mit einem Code anmelden
teams-in-browser = In diesem Browser anmelden
teams-in-browser-once = In diesem Browser anmelden, ohne angemeldet zu bleiben
teams-disconnect = Trennen

nav-password = Kennwort
done-password = Kennwort geändert. Alle anderen Sitzungen sind abgemeldet.
