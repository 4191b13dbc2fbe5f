# Die Worte der Seiten auf Deutsch. Dieselben Schlüssel wie in en.ftl: ein Test prüft es.

# Der Rahmen jeder Seite
nav-board = Übersicht
nav-my-teams = Mein Teams-Konto
nav-sign-out = Abmelden
nav-skip = Zum Inhalt springen
nav-language = Sprache
signed-in-as = Angemeldet als { $name }

# Status und Tätigkeiten
status-Available = Verfügbar
status-BeRightBack = Gleich zurück
status-Busy = Beschäftigt
status-DoNotDisturb = Nicht stören
status-Absent = Abwesend
status-Offline = Offline
activity-Ringing = Es klingelt
activity-OnThePhone = Im Gespräch
activity-OnThePhoneTeams = Im Gespräch (MS Teams)
activity-InMeeting = In einer Besprechung
activity-Presenting = Präsentiert
activity-UsingApp = { $app }
confidence-stale = seit einer Weile nichts gehört

# Übersicht
board-label = Anwesenheit aller
board-filter = Filter
board-people =
    { $count ->
        [one] { $count } Person
       *[other] { $count } Personen
    }
board-people-of = { $shown } von { $count } Personen
board-connecting = Verbindung wird hergestellt …
board-live = Aktuell
board-lost = Nicht aktuell: Verbindung verloren; neuer Versuch läuft
board-name = Name
board-status = Status
board-activity = Tätigkeit
board-text = Text
board-since = Seit
board-explanation = Erklärung
board-why = Warum?
board-why-of = Warum { $status }? { $name }
board-empty = Noch niemand. <code>offhook import personen.csv</code> holt Personen herein: eine Tabelle mit den Spalten name, mail, UPN und extension.
demo-about = Dies ist eine Vorführung mit erfundenen Personen, einer simulierten Telefonanlage und einem nachgebauten Teams-Mandanten.
demo-teams = Als Teams-Benutzer handeln
demo-pause = Den Tag anhalten
demo-go-on = Den Tag weitergehen lassen

# Karte
card-close = Schließen
card-profiles = Profile
card-appointments = Termine
card-automatic = Automatisch
card-title = { $name }: warum { $status }?
card-failed = Der Server konnte es nicht sagen; bitte gleich noch einmal versuchen.
card-with = mit { $party }
card-choose-for = { $profile } für { $name } wählen? Kollegen sehen es, und es heißt „von Hand gewählt“.
card-end-for = { $profile } für { $name } beenden?
card-since = seit { $time }
card-until = ohne Erneuerung bis { $time }
card-calls-to = Anrufe an { $target }
card-calls-refused = Anrufe werden abgewiesen
card-central = zentral
card-own = eigenes
card-now = jetzt
card-nothing = nichts
card-locked = vom Administrator festgelegt ({ $scope })
automatic-client_start = Wenn ein Programm startet
automatic-client_end = Wenn das letzte Programm endet
automatic-inactivity = Wenn niemand an der Tastatur ist
automatic-locked = Wenn der Bildschirm gesperrt ist

# Anmeldung
sign-in-title = Anmelden
sign-in-name = Name
sign-in-password = Kennwort
sign-in-button = Anmelden
sign-in-wrong = Name oder Kennwort sind falsch. Ein Administrator kann ein neues Kennwort setzen.
sign-in-wait = Zu viele Versuche. Bitte in { $seconds } Sekunden noch einmal.
sign-in-busy = Zu viele Anmeldungen gleichzeitig. Bitte in { $seconds } Sekunden noch einmal.
sign-in-open-id = Anmelden mit { $name }
sign-in-link = Oder einen Einmal-Link öffnen: <code>offhook link</code> gibt ihn auf dem Rechner aus, auf dem Offhook läuft (bei der Vorführung: Eingabetaste in ihrem Fenster).
sign-in-link-used = Dieser Link wurde schon benutzt, ist abgelaufen oder wurde nie angefordert.
sign-out-everywhere = Überall abmelden

# Mein Teams-Konto
teams-title = Mein Teams-Konto
teams-who = { $name }, Mandant { $tenant }
teams-code-before = Öffnen Sie
teams-code-after = und geben Sie ein:
teams-code-notice = Diese Seite merkt von selbst, wenn das geschehen ist.
teams-connected-remembered = Verbunden. Ihre Anmeldung ist gespeichert, verschlüsselt, und wird nur von Offhook benutzt.
teams-connected-once = Verbunden. Ihre Anmeldung ist nicht gespeichert: nach einem Neustart von Offhook melden Sie sich wieder an.
teams-connected-tenant = Verbunden. Ihr Administrator hat den ganzen Mandanten verbunden: Offhook braucht keine Anmeldung von Ihnen.
teams-known = Ihr Konto ist bekannt, aber Sie sind nicht angemeldet: bis dahin wird nichts zwischen Teams und Offhook ausgetauscht.
teams-not-connected = Nicht verbunden.
teams-linked = Konto: { $name }
teams-question = Ist { $name } Ihr Konto?
teams-question-why = Es ist nicht das Konto, das Offhook von Ihnen kennt. Verbunden wird erst, wenn Sie bestätigen.
teams-question-of = Das ist der Anmeldename von { $name }. Wenn Sie sich mit dem falschen Konto angemeldet haben, verwerfen Sie es.
teams-question-link = Dieses Konto verbinden
teams-question-discard = Verwerfen
teams-password = Sie melden sich bei Microsoft an; Offhook sieht Ihr Kennwort nie.
teams-remember = Anmeldedaten merken
teams-with-code = Mit einem Code anmelden
teams-in-browser = In diesem Browser anmelden
teams-in-browser-once = In diesem Browser anmelden, ohne es zu merken
teams-disconnect = Trennen

nav-password = Passwort
done-password = Das Passwort ist geändert. Alle anderen Sitzungen sind abgemeldet.
