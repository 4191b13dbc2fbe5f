# Die Wörter der Verwaltungsseiten.

nav-overview = Überblick
nav-people = Personen
nav-scopes = Standorte und Gruppen
nav-templates = Profilvorlagen
nav-microphone = Microphone Sync
nav-workgroups = Arbeitsgruppen
nav-tenants = Teams-Mandanten
nav-telephony = Telefonanlagen
nav-accounts = Konten
nav-keys = API-Schlüssel
nav-audit = Änderungsprotokoll
nav-backup = Sicherung

# Überblick
health = Zustand
health-well = alles in Ordnung
health-ill =
    { $count ->
        [one] { $count } Teil ist gestört
       *[other] { $count } Teile sind gestört
    }
health-none = Noch ist nichts verbunden.
health-part = Teil
health-state = Zustand
health-what = Was nicht stimmt
health-remedy = Was zu tun ist
part-well = in Ordnung
part-ill = gestört
connected = Verbunden: alles antwortet
not-connected = In Schwierigkeiten: { $name }
overview-streams = Offene Tafeln und Programme
overview-agents = Verbundene Desktop-Agenten
overview-writes = Einträge, die auf Teams warten
overview-statuses = Personen nach Status
overview-unmatched = Personen, die abgeglichen werden sollen, aber kein Teams-Konto haben
overview-all-matched = Alle, die abgeglichen werden sollen, haben ein Teams-Konto.
latency-pbx = Vom Ereignis der Telefonanlage bis zur Anfrage an Teams
latency-teams = Von der Antwort von Teams bis zur Tafel
latency-write-wait = Schreiben in Teams: Wartezeit in der Warteschlange
latency-budget = Lesen aus Teams: Wartezeit wegen des Anfragelimits
latency-is = { $name }: { $value }
latency-percentiles = die Hälfte binnen { $count }, 99 von 100 binnen { $value }
latency-none = { $name }: noch nichts
latency-bound = Dauerte höchstens
latency-count = Wie oft

# Personen
people-search = Name, Mailadresse oder Nebenstelle
people-none = So heißt niemand.
person-add = Eine Person hinzufügen
accounts-search = Teams-Konten
accounts-search-about = Konten neuer Personen werden innerhalb von 10 Minuten gefunden. Suchen Sie jetzt, wenn Sie gerade eines in Microsoft 365 angelegt haben.
accounts-search-now = Jetzt nach neuen Konten suchen
accounts-search-running = Die Suche läuft noch. Suchen Sie erneut, um den Rest zu sehen.
accounts-found = Gefundene Konten
accounts-found-none = Keine neuen Konten.
accounts-without = Personen ohne Teams-Konto: { $count }
person-edit = Namen und Leitungen
person-mail = Mailadresse
person-upn = Anmeldename bei Microsoft
person-upn-help = Meist wie eine Mailadresse. Über ihn oder die Mailadresse wird das Teams-Konto gefunden.
person-lines = Nebenstellen
person-lines-help = Mehrere mit Kommas.
person-identity-help = Nur Systemadministratoren können dies ändern: Damit werden Anmeldung, Teams-Konto und Telefone der Person zugeordnet.
person-place = Standort und Gruppe
person-linked = verknüpft
person-unlinked = nicht verknüpft
person-object-id = Konto
person-link = Anderes Konto verbinden
person-link-help = Die Objekt-ID oder der Anmeldename, wie Entra sie unter „Benutzer“ zeigt. Für Personen, deren Konto weder ihre Mailadresse noch ihren Anmeldenamen hat.
person-sharing = Wer was von dieser Person sieht
person-account-hidden = Welches Teams-Konto das ist, sehen nur Systemverwalter.
person-delete = Die Person löschen
person-delete-sure = { $name } mit allem löschen, was dazugehört? Was Offhook in Teams geschrieben hat, wird vorher zurückgenommen.
tenant = Mandant
teams-disconnect-sure = Dieses Konto trennen? Zwischen Teams und Offhook geht dann nichts mehr hin und her.
import-heading = Personen aus einer Tabelle importieren
import-file = CSV-Datei
import-file-help = CSV oder Text aus Excel, mit Kommas, Semikolons oder Tabulatoren. Zeichencodierung und Trennzeichen werden erkannt.
import-csv = Oder die Tabelle einfügen
import-csv-help = In Excel kopierte Zellen lassen sich direkt einfügen. Wählen Sie eine Datei oder fügen Sie eine Tabelle ein, nicht beides.
import-both = Eine Datei ist gewählt und eine Tabelle eingefügt; wählen Sie eine Datei oder fügen Sie eine Tabelle ein, nicht beides.
import-neither = Keine Datei ist gewählt und keine Tabelle eingefügt; wählen Sie eine Datei oder fügen Sie eine Tabelle ein.
import-too-large = Die Datei hat mehr als { $count } Bytes; teilen Sie die Tabelle, oder rufen Sie auf dem Server offhook import auf.
import-comments = { $count ->
    [one] Eine Zeile, die mit # beginnt, wurde als Kommentar übergangen.
   *[other] { $count } Zeilen, die mit # beginnen, wurden als Kommentare übergangen.
  }
import-dry-run = Vorschau der Änderungen
import-dry-run-about = Noch ist nichts geändert.
import-now = Importieren
import-encoding = Die Datei wurde als { $value } gelesen.
separator-comma = Kommas trennen die Spalten.
separator-semicolon = Semikolons trennen die Spalten.
separator-tab = Tabulatoren trennen die Spalten.
separator-other = { $value } trennt die Spalten.
import-columns = Spalten der Tabelle
column-title = Spalte
column-use = Verwendet als
column-name = Name
column-mail = E-Mail-Adresse
column-upn = Anmeldename (UPN)
column-extension = Nebenstelle
column-objectid = Objekt-ID des Teams-Kontos
column-location = Standort
column-ignored = ignoriert
import-missing = Spalten, die der Tabelle fehlen: { $value }. Diese Werte bleiben, wie sie sind.
import-added = { $count } neu
import-changed = { $count } geändert
import-unchanged = { $count } unverändert
import-conflicts = { $count ->
    [one] Eine Zeile widerspricht vorhandenen Personen. Bis sie berichtigt ist, lässt sich nichts importieren.
   *[other] { $count } Zeilen widersprechen vorhandenen Personen. Bis sie berichtigt sind, lässt sich nichts importieren.
  }
deeds-caption = Was getan wurde oder würde
deeds-none = Nichts: Alle sind, wie sie sein sollen.
deed-what = Was
deed-difference = Unterschied
deed-reason = Warum
deed-added = neu
deed-updated = geändert
deed-conflict = Konflikt
deed-line = Zeile
deed-gone = weg
deed-unmatched = ohne Konto
deed-ambiguous = könnte mehreren gehören
deed-refused = abgelehnt

# Standorte
scopes-about = Einstellungen kommen von der Organisation; ein Standort, und darunter eine Konfigurationsgruppe, kann je Funktion eigene haben.
scope-add = Einen Standort oder eine Gruppe hinzufügen
scope-new-location = Neuer Standort
scope-new-group = Neue Gruppe in { $name }
scope-kind = Art
kind-organisation = Organisation
kind-location = Standort
kind-group = Konfigurationsgruppe
scope-individual = Eigene Einstellungen
scope-edit = Name
scope-tenant = Teams-Mandant
scope-tenant-help = Sein Name in der Konfiguration; leer für den wichtigsten.
scope-delete = Löschen
scope-delete-sure = { $name } löschen? Die Einstellungen gehen mit. Solange Personen oder Gruppen darin sind, wird nichts gelöscht.
scope-functions = Funktionen
scope-function = Funktion
scope-decided-by = Einstellungen von
scope-page = { $name } von { $scope }
page-default = Vorgabe
page-individual = individuell
page-default-about = Das sind die Einstellungen von { $scope }; sie gelten hier, solange es keine eigenen gibt. Um sie nur hier zu ändern, geben Sie eigene; um sie für alle zu ändern, die sie haben, gehen Sie zu { $scope }.
page-affects =
    { $count ->
        [one] Individuell: { $count } Person hat diese Einstellungen.
       *[other] Individuell: { $count } Personen haben diese Einstellungen.
    }
page-to-individual = Eigene Einstellungen geben
page-to-individual-now = Eigene geben und ändern
page-to-default = Eigene Einstellungen aufgeben
page-to-default-now = Zurück zur Vorgabe
page-values = Einstellungen
copy-label = Die eigenen beginnen mit
copy-product = den Vorgaben des Produkts
copy-from = einer Kopie von: { $scope }
user-may-change = Benutzer dürfen „{ $name }“ selbst ändern
preview = Wen betrifft es?
preview-title = Wen es betrifft
preview-about =
    { $count ->
        [0] Für niemanden würde etwas anders. Noch ist nichts gespeichert.
        [one] Für { $count } Person würde etwas anders. Noch ist nichts gespeichert.
       *[other] Für { $count } Personen würde etwas anders. Noch ist nichts gespeichert.
    }
preview-caption = Personen, für die etwas anders würde: { $count }
preview-nobody = Niemand.
preview-back = Zurück, ohne zu speichern
preview-locks = Benutzer können „{ $name }“ nicht mehr selbst ändern ({ $count } haben diese Einstellungen).
preview-unlocks = Benutzer können „{ $name }“ von da an selbst ändern ({ $count } haben diese Einstellungen).

# Vorlagen
templates-about = Vorlagen sind Profile für alle in der Organisation, an einem Standort oder in einer Gruppe. Bereiche können Vorlagen desselben Namens haben: Es gilt die nächste aktive. Wo eine Einstellung nur einen Status nennt, gilt die erste aktive Vorlage mit diesem Status.
templates-none = Noch keine Vorlagen.
template-add = Vorlage anlegen
template-edit = Vorlage bearbeiten
template-active = Aktiv
template-scope = Bereich
template-offers = Verfügbar für
template-everyone = alle im Bereich
template-for-everyone = Für alle im Bereich verfügbar
template-for-everyone-help = Deaktivieren, um die Vorlage nur den Personen darunter anzubieten.
template-people = Außerdem zugewiesen an
template-teams = Vorlage für Anrufe in Teams
template-teams-now = „MS Teams“ anlegen
template-teams-here = „MS Teams“ hier anlegen
template-teams-call = Wird von Teams-Anrufen verwendet: { $scope }.
template-teams-call-people =
    { $count ->
        [one] Wird von Teams-Anrufen von { $count } Person verwendet, der sie zugewiesen ist.
       *[other] Wird von Teams-Anrufen von { $count } Personen verwendet, denen sie zugewiesen ist.
    }
template-teams-do_not_disturb = Wird von „Nicht stören“ und beim Präsentieren in Teams verwendet: { $scope }.
template-teams-do_not_disturb-people =
    { $count ->
        [one] Wird von „Nicht stören“ und beim Präsentieren in Teams bei { $count } Person verwendet, der sie zugewiesen ist.
       *[other] Wird von „Nicht stören“ und beim Präsentieren in Teams bei { $count } Personen verwendet, denen sie zugewiesen ist.
    }
template-no-settings = Keine Einstellung verwendet diese Vorlage: Sie können sie löschen oder deaktivieren. Teams verwendet dann das nächste passende Profil.
template-lost-uses = Diese Änderung ist noch nicht möglich: Für folgende Einstellungen gäbe es kein Profil dieses Namens mehr. Wählen Sie dort zuerst ein anderes: { $name }.
teams-call-takes = Teams-Anrufe verwenden das Profil „{ $name }“ von { $scope }.
teams-call-takes-none = Teams-Anrufe verwenden hier kein Profil: Weder „MS Teams“ noch „Appointment“ ist eine aktive Vorlage.
teams-do_not_disturb-takes = „Nicht stören“ und das Präsentieren in Teams verwenden das Profil „{ $name }“ von { $scope }.
teams-do_not_disturb-takes-none = „Nicht stören“ und das Präsentieren in Teams verwenden hier kein Profil: Anrufe klingeln.
teams-own-first = Zugewiesene Vorlagen, eigene Profile und die eigene Reihenfolge einer Person haben Vorrang.
template-delete = Vorlage löschen
template-uses = Verwendet von
template-use = Einstellung
template-use-elsewhere = eine Person eines anderen Standorts
template-no-uses = Nicht verwendet: Sie können diese Vorlage löschen oder deaktivieren.

# Arbeitsgruppen
workgroups-about = Die Mitglieder einer Arbeitsgruppe sind füreinander, was die Gruppe sagt, wo das mehr ist als sonst.
workgroups-none = Es gibt noch keine Arbeitsgruppen.
workgroup-add = Eine Arbeitsgruppe anlegen
workgroup-level = Mitglieder sind füreinander
workgroup-members = Mitglieder

# Mandanten
tenants-about = Wie es um die Verbindungen zu Teams steht.
tenants-none = Kein Mandant ist verbunden.
tenant-linked = mit Teams-Konto
tenant-connect = Einen Mandanten verbinden
tenant-connect-about = In fünf Schritten, von denen jeder geprüft wird: die Anwendung in Entra, ihr Zertifikat oder Geheimnis, ihre Berechtigungen, die Personen, der Schalter. Für einen weiteren Mandanten ebenso, mit einem Abschnitt [[tenants]] statt [teams].
tenant-connect-now = Einen Mandanten Schritt für Schritt verbinden
connect-step = Schritt { $count } von 5: { $name }
connect-1-title = die Anwendung registrieren
connect-1-about = Legen Sie auf entra.microsoft.com unter App-Registrierungen eine neue mit dem Namen Offhook an, nur für Konten in diesem Verzeichnis, ohne Umleitungsadresse. Ihre Übersicht zeigt zwei Kennungen; tragen Sie sie hier ein. Offhook sieht dann nach, ob es selbst bereit ist.
connect-2-title = Zertifikat oder Geheimnis
connect-2-about = Machen Sie auf dem Rechner, auf dem Offhook läuft, ein Zertifikat, und laden Sie offhook.crt bei der Anwendung unter Zertifikate & Geheimnisse hoch. Schreiben Sie den Abschnitt unten in die Konfigurationsdatei. Mit einem Geheimnis stattdessen: client_secret_file = "secret.txt" an Stelle der beiden Zeilen des Zertifikats.
connect-3-title = Berechtigungen
connect-3-about = Fügen Sie bei der Anwendung unter API-Berechtigungen die Anwendungsberechtigungen Presence.ReadWrite.All und User.ReadBasic.All von Microsoft Graph hinzu, und erteilen Sie die Zustimmung eines Administrators.
connect-4-title = Personen
connect-4-about = Personen kommen aus einer Tabelle (name, mail, UPN, extension), auf der Seite Personen oder auf der Kommandozeile, oder aus Entra (docs/connect-teams.md). Jede wird im Mandanten nach Anmeldename und E-Mail gesucht.
connect-5-title = neu starten und einschalten
connect-5-about = Was in der Konfigurationsdatei steht, gilt nach einem Neustart von Offhook. Die Synchronisation ist aus, bis Sie sie einschalten: für alle, einen Standort, eine Gruppe oder eine Person.
connect-tenant = Verzeichnis-ID (Mandant)
connect-client = Anwendungs-ID (Client)
connect-id-help = Wie 11111111-2222-4333-8444-555555555555.
connect-command = Befehl
connect-file = In der Konfigurationsdatei
connect-consent = Zustimmung
connect-consent-now = Bei Microsoft zustimmen, als Administrator des Mandanten
connect-switch = Der Schalter
connect-examine = Diesen Schritt prüfen
connect-well = Dieser Schritt ist getan
connect-ill = Etwas fehlt: siehe unten, und dann noch einmal prüfen
connect-nothing = Noch war nichts zu prüfen: erst die Schritte davor.
connect-ways = Schritte
connect-before = Zurück
connect-next = Nächster Schritt
directory-of = Personen aus Entra, Mandant { $tenant }
directory-dry-run = Ausprobieren: Was würde geschehen?
directory-now = Jetzt abgleichen
directory-accounts =
    { $count ->
        [one] { $count } Konto wurde gelesen.
       *[other] { $count } Konten wurden gelesen.
    }

# Telefonanlagen
telephony-about = Wie es um die Verbindungen steht und was die Leitungen jetzt tun. Die Tabellen werden alle fünf Sekunden neu gelesen.
telephony-none = Noch ist keine Telefonanlage verbunden; unten steht, wie.
lines-search = Nebenstelle oder Name
lines-caption = { $count } Leitungen, die belegten zuerst
lines-none = Keine Leitung.
line = Nebenstelle
line-state = Leitung
line-in-use = benutzt
line-idle = frei
line-ringing = klingelt
line-held = gehalten
line-unknown = unbekannt
line-stale = { $status }, nicht mehr bestätigt

# Konten
accounts-about = Mit einem Konto meldet man sich hier an. Auch wer keines hat, wird gezeigt und abgeglichen.
accounts-none = Es gibt noch keine Konten.
account-add = Ein Konto hinzufügen
account-role = Darf
account-whose = Von
account-person = Person
account-person-help = Wem es gehört; leer für eines, das nur verwaltet.
account-location = Standort
account-location-help = Was ein Standortverwalter verwaltet.
account-password-of = Neues Kennwort für { $name }
account-password-help = Mindestens { $count } Zeichen. Wer mit dem alten angemeldet ist, wird abgemeldet.
role-person = eigene Seiten haben
role-location_admin = einen Standort verwalten
role-system_admin = alles verwalten

# Schlüssel
keys-about = Mit einem Schlüssel benutzt ein Programm die API. Er wird einmal gezeigt, wenn er angelegt wird.
keys-none = Es gibt noch keine Schlüssel.
key-add = Einen Schlüssel anlegen
key-name-help = Was ihn benutzt.
key-scopes = Er darf
key-scope-route = fragen, wohin Anrufe gehen (für eine Telefonanlage)
key-scope-read = alles lesen
key-scope-write = ändern, was Personen ändern dürfen
key-scope-admin = alles
key-made = Der Schlüssel
key-made-about = Kopieren Sie ihn jetzt: Er wird nicht noch einmal gezeigt.
key-delete-sure = { $name } löschen? Was ihn benutzt, wird sofort abgewiesen.

# Änderungsprotokoll
audit-about = Jede Änderung: wer sie machte, was vorher war und was nachher. Von dem, was Personen oder ihre Assistenz an eigenen Dingen ändern, nur dass es geändert wurde.
audit-not-recorded = Nicht aufgezeichnet
audit-none = Nichts passt.
audit-at = Wann
audit-who = Wer
audit-what = Was
audit-target = Wen oder was
audit-before = Vorher
audit-after = Nachher
audit-export = Als CSV (die neuesten 50 000)

# Sicherung
backup-about = Eine Sicherung ist eine Kopie der Datenbank, gemacht, während alles weiterläuft, in { $folder } auf dem Rechner, auf dem Offhook läuft. Kopieren Sie sie anderswohin: Eine Platte, die ausfällt, nimmt beide mit. Der Schlüssel, der Geheimnisse versiegelt (secrets.key), ist nicht darin.
backup-now = Jetzt eine Sicherung machen
backup-none = Hier gibt es noch keine Sicherungen.
backup-size = Größe
backup-restore = Zurückspielen
backup-restore-of = { $name } zurückspielen
backup-restore-sure = Alles so zurückstellen, wie es in { $name } war? Was seither geändert wurde, geht zurück, auch Konten und Kennwörter. Die jetzige Datenbank bleibt daneben erhalten.
backup-restore-about = Das Zurückspielen stellt alles so her, wie es damals war; der Server beginnt binnen Sekunden neu, und die jetzige Datenbank bleibt neben der anderen erhalten. Eine Kopie, die anderswo liegt, wird auf dem Rechner zurückgespielt: „offhook restore DATEI --force“, ob der Server läuft oder nicht.
backup-restoring = Die Sicherung wird zurückgespielt
backup-restoring-about = { $name } ist heil. Der Server endet jetzt und beginnt binnen Sekunden damit neu. Melden Sie sich mit einem Konto an, das es damals gab; gibt es keines, macht „offhook link“ auf dem Rechner einen Zugang.

# Microphone Sync
microphone-about = Benutzt eines dieser Programme das Mikrofon, sieht das Team „Beschäftigt“ und seinen Namen. Was nicht aufgeführt oder nicht aktiv ist, wird nie gemeldet.
microphone-for = Für
microphone-on = eingeschaltet
microphone-off = ausgeschaltet: es wird nichts gezeigt, bis es hier eingeschaltet wird
programs = Programme
programs-none = Kein Programm ist aufgeführt: es wird nie etwas gezeigt.
programs-own = Das ist eine eigene Tabelle.
programs-default = Diese Tabelle kommt von: { $scope }. Die erste Änderung macht hier eine eigene daraus.
programs-as-above = immer wie darüber
programs-again = Die Tabelle neu beginnen
programs-again-now = Neu beginnen
program-add = Ein Programm hinzufügen
program-alias = Alias, den Kollegen sehen
microphone-off-about = Microphone Sync ist hier ausgeschaltet: Von keinem Programm wird etwas gezeigt, ob aktiv oder nicht.
microphone-enable = Einschalten
program-alias-help = Was das Team liest; leer: der Prozess selbst.
program-process = Prozess
program-process-help = Der Name der Programmdatei ohne .exe, zum Beispiel Zoom. Groß und klein ist gleich.
program-also = Weitere Namen
program-also-help = Mehrere zwischen Kommas: seines Prozesses auf anderen Systemen, seines Bundles (macOS) oder Pakets (Windows).
program-softphone = Es ist das Programm der Telefonanlage selbst: nie zeigen
program-is-softphone = Softphone
program-ignore = Übergehen nach
program-ignore-help = Stunden; leer: nie. Für Programme, die das Mikrofon ohne Besprechung behalten, wie Webex, um Räume per Ultraschall zu finden.
program-active = Aktiv: es wird gezeigt
program-activate = Aktivieren
program-deactivate = Abschalten
program-activate-of = { $name } aktivieren
program-deactivate-of = { $name } abschalten
done-program-added = Hinzugefügt. Gezeigt wird es, sobald Sie es aktivieren.

# Doktor
doctor = Die Installation untersuchen
doctor-now = Jetzt untersuchen
doctor-about = So ist die Konfigurationsdatei jetzt. Was Sie darin ändern, lässt sich gleich untersuchen; in Kraft ist es nach einem Neustart.
doctor-findings = Was gefunden wurde, das Dringende zuerst
doctor-what = Was gefunden wurde
doctor-means = Was das bedeutet
doctor-back = Zurück
verdict-fine = in Ordnung
verdict-warning = geht, aber
verdict-failed = muss behoben werden
verdict-skipped = nicht angesehen
telephony-connect = Eine Telefonanlage verbinden
telephony-steps = Geben Sie Offhook dort ein Konto, das die Leitungen abonnieren darf, und schreiben Sie Server, Domäne und Konto in einen Abschnitt [[pbx]] der Konfigurationsdatei (docs/connect-pbx.md zeigt es für jede Anlage). Untersuchen Sie dann, bis nichts mehr behoben werden muss, und starten Sie Offhook neu.

# Wer an einem Standort oder in einer Gruppe ist
scope-members =
    { $count ->
        [one] { $count } Person ist hier
       *[other] { $count } Personen sind hier
    }
scope-nobody = Hier ist noch niemand.
scope-put = Jemanden hierher setzen
scope-put-now = Hierher setzen
scope-take = Herausnehmen
scope-take-of = { $name } aus { $scope } herausnehmen
scope-take-sure = herausnehmen? Dann gelten die Einstellungen von { $scope }.
scope-move = { $name } umsetzen?
scope-move-now = Umsetzen
scope-move-about = Von { $scope } nach { $target }: Dann gelten die dortigen Einstellungen. Jemand ist an einem Standort und dort in höchstens einer Gruppe.

# Überblick, mehr
overview-rhythm = Alle von { $tenant } werden gelesen alle
overview-budget = Anfragen an { $tenant } in den letzten 30 Sekunden
overview-budget-spent = { $count } ({ $value } dessen, was Microsoft erlaubt)
overview-backlog = Schreibvorgänge, die auf das Anfragelimit von { $tenant } warten
overview-backlog-age = { $count }, der älteste seit { $value }
overview-pauses = Schreibpausen, weil jemand auf das antwortete, was Offhook schrieb
overview-silent = Personen, über die eine Quelle schweigt
overview-nobody-silent = Jede Quelle hat kürzlich über alle gesprochen.

# Vorgänge
nav-work = Vorgänge
work-about = Was lange dauert, läuft weiter, während Sie anderes tun: Importe, Abgleiche mit Verzeichnissen, Sicherungen. Ein Neustart des Servers vergisst die Liste.
work-goes-on = Das läuft weiter, wenn Sie die Seite verlassen. Wird es abgebrochen, bleibt alles, wie es war.
work-cancel = Abbrechen
work-what = Vorgang
work-progress = Erledigt
work-who = Begonnen von
work-begun = Seit
work-none = Nichts ist im Gange.
work-on = Wo es weitergeht
work-import = Import von Personen
work-directory = Abgleich mit einem Verzeichnis
work-backup = Sicherung
work-state-running = läuft
work-state-done = fertig
work-state-failed = gescheitert
work-state-cancelled = abgebrochen
done-step = Dieser Schritt ist getan; weiter zum nächsten.
done-begun = Es hat begonnen.
done-cancelled = Es endet gleich.

# Übersicht: Zeitzone der Organisation
zone-question = Zeitzone der Organisation
zone-question-label = Zeitzone
zone-question-help = Kalender ohne eigene Zeitzone werden in dieser gelesen. Bis zur Auswahl gilt die Zeitzone des Servers.
