# Die Wörter der eigenen Seiten, und was alle Seiten gemeinsam haben.

# Rahmen
nav-me = Ich
nav-admin = Verwaltung
nav-me-now = Jetzt
nav-profiles = Meine Profile
nav-appointments = Termine
nav-sharing = Wer mich sieht
nav-settings = Einstellungen
yes = Ja
no = Nein
profile-active = aktiv
actions = Aktionen
add = Hinzufügen
change = Ändern
save = Speichern
delete = Löschen
search = Suchen
delete-of = { $name } löschen
delete-sure = { $name } löschen? Das lässt sich nicht zurücknehmen.
as-table = Als Tabelle
list-before = Vorige Seite
list-after = Nächste Seite
list-pages = Seiten
move-up = { $name } nach oben
move-down = { $name } nach unten
seconds =
    { $count ->
        [one] { $count } Sekunde
       *[other] { $count } Sekunden
    }
seconds-help = Sekunden.
form-meanwhile = Jemand anderes hat das geändert, seit Sie die Seite geöffnet haben. Was jetzt gilt, steht neben Ihrer Eingabe; speichern Sie noch einmal, um es zu ersetzen.
form-now = Jetzt gilt: { $value }
refused-not-found = Diese Seite gibt es nicht
refused-forbidden = Das ist nicht für Sie
refused-other = Das ging nicht
somebody-help = Ein Name, eine Mailadresse oder eine Nebenstelle.
several-help = Eine Person je Zeile: Name, Mailadresse oder Nebenstelle.

# Was getan wurde
done-added = Hinzugefügt.
done-own-page = Die Einstellungen sind jetzt eigene; noch hat sich darin nichts geändert.
done-saved = Gespeichert und schon in Kraft.
done-deleted = Gelöscht.
done-ordered = Die Reihenfolge ist gespeichert.
done-chosen = Ihr Profil ist in Kraft.
done-automatic = Ihr Status folgt wieder dem, was Sie tun.
done-imported = Die Personen sind importiert.
done-synchronised = Das Verzeichnis ist abgeglichen.

# Gründe
reasons-caption = Gründe in der Reihenfolge der Regeln
reasons-rule = Regel
reasons-source = Quelle
reasons-says = Was sie sagt
reasons-verdict = Wirkung
rule-profile-1-own-do-not-disturb = 1: selbst gewähltes Nicht stören
rule-profile-2-appointment-in-do-not-disturb = 2: ein Termin mit Nicht stören
rule-profile-3-do-not-disturb-in-teams = 3: Nicht stören in Teams
rule-profile-4-call-in-teams = 4: ein Anruf in Teams
rule-profile-5-appointment = 5: ein Termin
rule-profile-6-own-choice = 6: ein von Hand gewähltes Profil
rule-profile-7-locked-screen = 7: der Bildschirm ist gesperrt
rule-profile-7-inactivity = 7: niemand an Tastatur oder Maus
rule-profile-7-no-client = 7: kein Programm von Offhook läuft
rule-profile-7-no-client-as-teams-shows = 7: kein Programm von Offhook läuft, also wie in Teams
rule-profile-8-own-choice-of-available = 8: von Hand gewähltes Verfügbar
rule-profile-8-at-rest = 8: nichts anderes gilt
rule-activity-call-on-the-telephone-system = Gespräch an der Telefonanlage
rule-activity-meeting = Besprechung
rule-activity-presenting-in-teams = Bildschirmfreigabe in Teams
rule-activity-call-in-teams = Anruf in Teams
rule-activity-program-at-the-microphone = Programm am Mikrofon
rule-activity-ringing = Es klingelt
rule-teams-what-it-shows = Was Teams zeigt
rule-teams-what-offhook-wrote = Was Offhook in Teams geschrieben hat
rule-teams-loop-breaker = Schleifenschutz: jemand antwortet auf das, was Offhook schreibt

# Ich, jetzt
me-profile = Profil
me-why = Warum
me-choose = Ein Profil wählen
me-until = Wie lange
me-until-at = Bis
me-until-help = Nur bei „bis zu einem Zeitpunkt“.
me-automatic = „{ $profile }“ beenden und dem folgen, was ich tue
me-teams-connected = Verbunden.
me-teams-sign-in = Bekannt, aber Sie sind nicht angemeldet
until-changed = bis ich es ändere
until-30 = 30 Minuten
until-60 = eine Stunde
until-120 = zwei Stunden
until-today = bis zum Ende des Tages
until-at = bis zu einem Zeitpunkt

# Profile
profiles-about = Ziehen Sie die Zeilen, oder nehmen Sie die Pfeile: Das erste Profil eines Status ist gemeint, wo nur der Status genannt wird.
profiles-none = Es gibt noch keine Profile für Sie.
profile-add = Ein Profil anlegen
profile-edit = { $name } ändern
profile-name-help = Der Name bleibt für immer, wie er ist.
profile-forwarding = Anrufe
profile-target = Weiterleiten an
profile-target-help = Eine Nummer, eine SIP-Adresse oder voicemail.
profile-text = Text
profile-text-help = Steht neben Ihrem Status.
profile-origin = Von
profile-inactive = nicht aktiv
forwarding-off = werden nicht weitergeleitet
forwarding-all = werden alle weitergeleitet
forwarding-internal = interne werden weitergeleitet
forwarding-external = externe werden weitergeleitet
forwarding-do_not_disturb = werden abgewiesen

# Termine
appointments-none = Nichts in dieser Zeit.
appointment-add = Einen Termin eintragen
appointment-edit = Den Termin ändern
appointment-text = Worum es geht
appointment-start = Beginn
appointment-end = Ende
appointment-open = noch im Gange
appointment-zone = Zeitzone: { $zone }.
appointment-colour = Farbe
appointment-private = Privat
appointment-private-help = Andere sehen, dass Sie beschäftigt sind, aber nicht womit.
calendar-caption = Meine Termine
calendar-list = Als Liste
calendar-which = Welche Tage
calendar-before = Früher
calendar-today = Heute
calendar-after = Später
calendar-day = Ein Tag
calendar-week = Sieben Tage
weekday-1 = Mo
weekday-2 = Di
weekday-3 = Mi
weekday-4 = Do
weekday-5 = Fr
weekday-6 = Sa
weekday-7 = So
origin-manual = hier eingetragen
origin-calendar = Kalender
origin-teams = Teams

# Wer mich sieht
sharing-everybody = Alle anderen sind für Sie: { $level }. Was Sie von einzelnen Personen sagen, gilt, soweit Sie dürfen: { $policy }.
sharing-people = Personen, von denen ich etwas gesagt habe
sharing-none = Sie haben von keiner einzelnen Person etwas gesagt.
sharing-add = Von jemandem etwas sagen
sharing-viewer = Wer
sharing-level = Beziehung
sharing-own = Ich sagte
sharing-holds = Es gilt
sharing-of = Wer was von { $name } sieht
sharing-everybody-of = Alle anderen sind für diese Person: { $level }. Was hier von einzelnen Personen gesagt wird, gilt wie das eigene Wort der Person, soweit erlaubt ist: { $policy }.
sharing-people-of = Personen, von denen etwas gesagt ist
sharing-own-of = Gesagt
sharing-none-of = Von keiner einzelnen Person ist etwas gesagt.
levels-heading = Was jede Beziehung bedeutet
levels-caption = Beziehungen
levels-may = Darf
level-Blocked = Gesperrt
level-Unknown = Unbekannt
level-External = Extern
level-Employee = Mitarbeitende
level-TeamColleague = Team
level-Assistant = Assistenz
level-AssistantPlus = Assistenz plus
level-Blocked-may = Nichts sehen: Sie wirken offline
level-Unknown-may = Nichts sehen: Sie wirken offline
level-External-may = Den Status sehen, und den Namen eines selbst gewählten Profils
level-Employee-may = Auch Profil und Tätigkeit sehen, und dass es einen Termin gibt
level-TeamColleague-may = Auch das Programm am Mikrofon sehen und worum es in Terminen geht; Anrufe heranholen
level-Assistant-may = Auch private Termine sehen und wer am Apparat ist; Profile wählen
level-AssistantPlus-may = Auch Weiterleitung und Termine ändern
policy-extend_and_restrict = mehr oder weniger sehen lassen
policy-extend_only = mehr sehen lassen

# Einstellungen
settings-about = Was ein Schloss trägt, hat Ihre Verwaltung entschieden. Alles andere gehört Ihnen.
setting-given = Wie vorgegeben: { $value }
setting-given-none = Wie vorgegeben
page-presence = Status
page-teams = Teams
page-microphone = Microphone Sync
page-profiles = Profile
page-automatic = Automatische Aktivierung
page-calendar = Kalender
mode-none = nichts
mode-telephony_and_presence = Anrufe, und Nicht stören in beide Richtungen
mode-telephony_only = nur Telefonie (Anrufe)
setting-presence-relationship = Alle anderen sind
setting-presence-owner_policy = Die Personen selbst dürfen
setting-presence-history = Änderungen der letzten 24 Stunden auf der Platte behalten
setting-teams-mode = Was mit Teams abgeglichen wird
setting-teams-base_from_teams = Wer kein Programm von Offhook offen hat, zeigt, was Teams zeigt
setting-teams-renew_dnd = Nicht stören neu in Teams schreiben, wenn Microsoft es nach einem Tag fallen lässt
setting-microphone-enabled = Dem Team zeigen, welches Programm das Mikrofon benutzt
setting-microphone-on_after = Ein Programm wird nach so langer Zeit gezeigt
setting-microphone-off_after = Es wird nach seinem Ende noch so lange gezeigt
setting-microphone-history = Programme im Verlauf der letzten 24 Stunden merken
setting-profiles-personal = Personen dürfen eigene Profile anlegen
setting-automatic-client_start = Profil, solange ein Programm von Offhook offen ist
setting-automatic-client_end = Profil, wenn keines mehr offen ist
setting-automatic-client_end_after = So lange nach dem letzten
setting-automatic-inactivity = Profil, wenn niemand Tastatur oder Maus berührt
setting-automatic-inactivity_after = Nach so langer Zeit ohne Berührung
setting-automatic-locked = Profil, solange der Bildschirm gesperrt ist
setting-calendar-enabled = Termine ändern den Status
setting-calendar-feed = Adresse des Kalenders (iCalendar)
setting-calendar-feed-help = Eine https-Adresse, die Ihr Kalender herausgibt; sie wird alle fünf Minuten gelesen.
setting-calendar-tentative = Vorläufige Termine zählen auch
setting-calendar-busy = Profil für gebuchte Zeit
setting-calendar-out_of_office = Profil für Abwesenheit
setting-calendar-time_zone = Zeitzone von Terminen, die keine nennen
setting-calendar-time_zone-help = Zum Beispiel Europe/Berlin.
setting-calendar-texts = Übernehmen, worum es in Terminen geht
scope-product = die Vorgaben des Produkts
scope-organisation = Organisation

# Kolleginnen und Kollegen
person-call = Anrufen
person-relationship = Ich bin dort
person-more = Alles über { $name }
timeline-caption = Die letzten 24 Stunden
timeline-none = Nichts hat sich geändert.
board-favourites = Favoriten
board-everybody = Alle
board-favourite = Favorit: { $name }

# Meine Computer
nav-devices = Meine Computer
devices-about = Auf jedem Ihrer Computer kann ein kleines Programm Offhook sagen, welches Meeting-Programm das Mikrofon benutzt, damit Ihr Team es sieht. Es hört nie zu, meldet nur, was in der Liste der Administratoren steht, und Sie können es anhalten.
devices-none = Noch keiner Ihrer Computer ist verbunden.
device-pair = Einen Computer verbinden
device-pair-about = Installieren Sie auf diesem Computer den Offhook-Agenten und führen Sie diesen Befehl aus. Der Code gilt einmal.
device-code = Code anzeigen
device-code-is = Code
device-code-until = Gilt bis
device-command = Befehl
device-system = System
device-reports = Meldet über Sie
device-nothing = nichts
device-away = nicht verbunden
device-paused = angehalten
device-paused-until = Angehalten bis
device-hour = Eine Stunde anhalten
device-tomorrow = Bis morgen anhalten
device-resume = Weiter
device-does = { $name }: { $value }
