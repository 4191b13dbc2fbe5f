# Texte der Verwaltungsseiten.

nav-overview = Start
nav-group-people = Personen und Gruppen
nav-group-organisation = Organisation
nav-group-connections = Verbindungen
nav-group-access = Zugang
nav-group-operations = Betrieb
nav-people = Personen
nav-scopes = Standorte und Gruppen
nav-templates = Profilvorlagen
nav-microphone = Microphone Sync
nav-workgroups = Arbeitsgruppen
nav-tenants = Teams-Mandanten
nav-telephony = Telefonanlagen
nav-accounts = Konten
nav-keys = API-Schlüssel
nav-audit = Überwachungsprotokoll
nav-backup = Sicherung

# Überblick
health = Systemzustand
health-ok = Alle Systeme in Betrieb
health-problems =
    { $count ->
        [one] { $count } Problem
       *[other] { $count } Probleme
    }
health-none = Noch keine Verbindungen.
health-part = Komponente
health-state = Zustand
health-what = Problem
health-remedy = Abhilfe
part-ok = OK
part-problem = Problem
connected = Verbunden
not-connected = Problem: { $name }
overview-streams = Geöffnete Übersichten und API-Clients
overview-agents = Verbundene Desktop-Agenten
overview-writes = Ausstehende Schreibvorgänge in Teams
overview-statuses = Personen nach Status
overview-unmatched = Zu synchronisierende Personen ohne Teams-Konto
overview-all-matched = Alle zu synchronisierenden Personen haben ein Teams-Konto.
latency-pbx = Ereignis der Telefonanlage bis Anfrage an Teams
latency-teams = Antwort von Teams bis Übersicht
latency-write-wait = Schreiben in Teams: Zeit in der Warteschlange
latency-budget = Lesen aus Teams: Wartezeit wegen des Anfragelimits
latency-is = { $name }: { $value }
latency-percentiles = p50 { $count }, p99 { $value }
latency-none = { $name }: noch keine Daten
latency-bound = Bis zu
latency-count = Anzahl

# Personen
people-search = Name, E-Mail-Adresse oder Nebenstelle
people-none = Keine passenden Personen.
person-add = Person hinzufügen
accounts-search = Teams-Konten
accounts-search-about = Konten neuer Personen werden innerhalb von 10 Minuten gefunden. Suchen Sie jetzt, wenn Sie gerade eines in Microsoft 365 angelegt haben.
accounts-search-now = Jetzt nach neuen Konten suchen
accounts-search-running = Die Suche läuft noch. Suchen Sie erneut, um die restlichen Ergebnisse zu sehen.
accounts-found = Gefundene Konten
accounts-found-none = Keine neuen Konten.
accounts-without = Personen ohne Teams-Konto: { $count }
person-edit = Name, Adressen und Nebenstellen
person-mail = E-Mail-Adresse
person-upn = Microsoft-Anmeldename (UPN)
person-upn-help = Sieht meist wie eine E-Mail-Adresse aus. Das Teams-Konto wird anhand dieses Namens oder der E-Mail-Adresse gefunden.
person-lines = Nebenstellen
person-lines-help = Mehrere durch Kommas trennen.
person-identity-help = Nur Systemadministratoren können dies ändern: Damit werden Anmeldungen, Teams-Konten und Telefone der Person zugeordnet.
person-place = Standort und Gruppe
person-linked = verknüpft
person-unlinked = nicht verknüpft
person-object-id = Konto
person-link = Anderes Konto verbinden
person-link-help = Die Objekt-ID oder der Anmeldename, in Entra unter „Benutzer“. Für Personen, deren Konto weder ihre E-Mail-Adresse noch ihren Anmeldenamen hat.
person-sharing = Zugriffsstufen dieser Person
person-account-hidden = Das Teams-Konto sehen nur Systemadministratoren.
person-delete = Person löschen
person-delete-sure = { $name } und alle zugehörigen Daten löschen? Offhook entfernt zuerst die in Teams gesetzte Präsenz.
tenant = Mandant
teams-disconnect-sure = Dieses Konto trennen? Die Teams-Synchronisation endet dafür.
import-heading = Personen aus einer Tabelle importieren
import-file = CSV-Datei
import-file-help = CSV oder Text aus Excel, mit Kommas, Semikolons oder Tabulatoren. Zeichencodierung und Trennzeichen werden erkannt.
import-csv = Oder die Tabelle einfügen
import-csv-help = Fügen Sie aus Excel kopierte Zellen ein. Wählen Sie eine Datei oder fügen Sie eine Tabelle ein, nicht beides.
import-both = Sie haben eine Datei gewählt und eine Tabelle eingefügt. Verwenden Sie nur eines davon.
import-neither = Wählen Sie eine Datei oder fügen Sie eine Tabelle ein.
import-too-large = Die Datei hat mehr als { $count } Bytes. Teilen Sie die Tabelle oder führen Sie offhook import auf dem Server aus.
import-comments = { $count ->
    [one] Eine Zeile, die mit # beginnt, wurde als Kommentar übergangen.
   *[other] { $count } Zeilen, die mit # beginnen, wurden als Kommentare übergangen.
  }
import-dry-run = Änderungen vorab anzeigen
import-dry-run-about = Es wurde noch nichts geändert.
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
import-missing = Fehlende Spalten: { $value }. Diese Werte bleiben unverändert.
import-added = { $count } neu
import-changed = { $count } geändert
import-unchanged = { $count } unverändert
import-conflicts = { $count ->
    [one] Eine Zeile steht im Konflikt mit vorhandenen Personen. Berichtigen Sie sie, um zu importieren.
   *[other] { $count } Zeilen stehen im Konflikt mit vorhandenen Personen. Berichtigen Sie sie, um zu importieren.
  }
changes-caption = Änderungen
changes-none = Keine Änderungen: Alle sind auf dem neuesten Stand.
change-what = Änderung
change-difference = Unterschied
change-reason = Grund
change-added = neu
change-updated = geändert
change-conflict = Konflikt
change-line = Zeile
change-gone = entfernt
change-unmatched = kein Konto
change-ambiguous = mehrere Treffer
change-refused = abgelehnt

# Standorte
scopes-about = Standorte erben Einstellungen von der Organisation, Konfigurationsgruppen von ihrem Standort. Beide können die Einstellungen einer Funktion überschreiben.
scope-add = Standort oder Gruppe hinzufügen
scope-new-location = Neuer Standort
scope-new-group = Neue Gruppe in { $name }
scope-kind = Art
kind-organisation = Organisation
kind-location = Standort
kind-group = Konfigurationsgruppe
scope-individual = Einstellungen hier überschreiben
scope-edit = Name
scope-tenant = Teams-Mandant
scope-tenant-help = Der Name des Mandanten in der Konfiguration; leer lassen für den Hauptmandanten.
scope-delete = Löschen
scope-delete-sure = { $name } und die zugehörigen Einstellungen löschen? Entfernen Sie zuerst Personen und Gruppen.
scope-functions = Funktionen
scope-function = Funktion
scope-decided-by = Einstellungen von
scope-page = { $name }: { $scope }
page-default = geerbt
page-individual = überschrieben
page-default-about = Diese Einstellungen sind von { $scope } geerbt. Überschreiben Sie sie, um sie nur hier zu ändern. Um sie für alle zu ändern, die sie erben, gehen Sie zu { $scope }.
page-affects =
    { $count ->
        [one] Überschrieben: { $count } Person hat diese Einstellungen.
       *[other] Überschrieben: { $count } Personen haben diese Einstellungen.
    }
page-to-individual = Einstellungen hier überschreiben
page-to-individual-now = Überschreiben und bearbeiten
page-to-default = Geerbte Einstellungen verwenden
page-to-default-now = Geerbte Einstellungen verwenden
page-values = Einstellungen
copy-label = Beginnen mit
copy-product = Produktvorgaben
copy-from = einer Kopie von { $scope }
user-may-change = Benutzer dürfen „{ $name }“ ändern
preview = Änderungen vorab anzeigen
preview-title = Vorschau der Änderungen
preview-about =
    { $count ->
        [0] Keine Personen sind betroffen. Noch ist nichts gespeichert.
        [one] { $count } Person ist betroffen. Noch ist nichts gespeichert.
       *[other] { $count } Personen sind betroffen. Noch ist nichts gespeichert.
    }
preview-caption = Betroffene Personen: { $count }
preview-none = Keine Personen betroffen.
preview-back = Zurück ohne Speichern
preview-locks = Benutzer können „{ $name }“ nicht mehr ändern ({ $count } haben diese Einstellungen).
preview-unlocks = Benutzer können „{ $name }“ ändern ({ $count } haben diese Einstellungen).

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
template-teams-do_not_disturb = Wird von „Bitte nicht stören“ und beim Präsentieren in Teams verwendet: { $scope }.
template-teams-do_not_disturb-people =
    { $count ->
        [one] Wird von „Bitte nicht stören“ und beim Präsentieren in Teams bei { $count } Person verwendet, der sie zugewiesen ist.
       *[other] Wird von „Bitte nicht stören“ und beim Präsentieren in Teams bei { $count } Personen verwendet, denen sie zugewiesen ist.
    }
template-no-settings = Keine Einstellung verwendet diese Vorlage: Sie können sie löschen oder deaktivieren. Teams verwendet dann das nächste passende Profil.
template-lost-uses = Diese Änderung ist noch nicht möglich: Für folgende Einstellungen gäbe es kein Profil dieses Namens mehr. Wählen Sie dort zuerst ein anderes: { $name }.
teams-call-takes = Teams-Anrufe verwenden das Profil „{ $name }“ von { $scope }.
teams-call-takes-none = Teams-Anrufe verwenden hier kein Profil: Weder „MS Teams“ noch „Appointment“ ist eine aktive Vorlage.
teams-do_not_disturb-takes = „Bitte nicht stören“ und das Präsentieren in Teams verwenden das Profil „{ $name }“ von { $scope }.
teams-do_not_disturb-takes-none = „Bitte nicht stören“ und das Präsentieren in Teams verwenden hier kein Profil: Anrufe klingeln.
teams-own-first = Zugewiesene Vorlagen, eigene Profile und die eigene Reihenfolge einer Person haben Vorrang.
template-delete = Vorlage löschen
template-uses = Verwendet von
template-use = Einstellung
template-use-elsewhere = eine Person eines anderen Standorts
template-no-uses = Nicht verwendet: Sie können diese Vorlage löschen oder deaktivieren.

# Arbeitsgruppen
workgroups-about = Mitglieder einer Arbeitsgruppe haben untereinander mindestens diese Zugriffsstufe.
workgroups-none = Noch keine Arbeitsgruppen.
workgroup-add = Arbeitsgruppe anlegen
workgroup-level = Zugriffsstufe zwischen Mitgliedern
workgroup-members = Mitglieder

# Mandanten
tenants-about = Verbindungen zu Microsoft-Teams-Mandanten.
tenants-none = Keine Mandanten verbunden.
tenant-linked = mit Teams-Konto
tenant-connect = Mandanten verbinden
tenant-connect-about = In fünf Schritten, die jeweils geprüft werden: App-Registrierung in Entra, Zertifikat oder geheimer Clientschlüssel, Berechtigungen, Personen, Synchronisation. Für weitere Mandanten wiederholen Sie die Schritte mit einem Abschnitt [[tenants]] statt [teams].
tenant-connect-now = Mandanten verbinden
connect-step = Schritt { $count } von 5: { $name }
connect-1-title = Anwendung registrieren
connect-1-about = Legen Sie auf entra.microsoft.com unter App-Registrierungen eine Registrierung mit dem Namen Offhook an, nur für Konten in diesem Verzeichnis, ohne Umleitungs-URI. Tragen Sie die beiden IDs aus der Übersicht hier ein.
connect-2-title = Zertifikat oder geheimer Clientschlüssel
connect-2-about = Erstellen Sie auf dem Rechner, auf dem Offhook läuft, ein Zertifikat, und laden Sie offhook.crt bei der Anwendung unter Zertifikate & Geheimnisse hoch. Fügen Sie den Abschnitt unten in die Konfigurationsdatei ein. Für einen geheimen Clientschlüssel ersetzen Sie die beiden Zertifikatszeilen durch client_secret_file = "secret.txt".
connect-3-title = Berechtigungen
connect-3-about = Fügen Sie bei der Anwendung unter API-Berechtigungen die Microsoft-Graph-Anwendungsberechtigungen Presence.ReadWrite.All und User.ReadBasic.All hinzu, und erteilen Sie die Administratorzustimmung.
connect-4-title = Personen
connect-4-about = Importieren Sie Personen aus einer Tabelle (name, mail, UPN, extension) auf der Seite „Personen“ oder der Befehlszeile, oder aus Entra (docs/connect-teams.md). Offhook findet ihre Teams-Konten anhand von Anmeldename und E-Mail-Adresse.
connect-5-title = Neu starten und einschalten
connect-5-about = Starten Sie Offhook neu, um die Konfigurationsdatei anzuwenden. Die Synchronisation ist aus, bis Sie sie für die Organisation, einen Standort, eine Gruppe oder eine Person einschalten.
connect-tenant = Verzeichnis-ID (Mandant)
connect-client = Anwendungs-ID (Client)
connect-id-help = Zum Beispiel 11111111-2222-4333-8444-555555555555.
connect-command = Befehl
connect-file = Konfigurationsdatei
connect-consent = Administratorzustimmung
connect-consent-now = Administratorzustimmung bei Microsoft erteilen
connect-switch = Synchronisation
connect-examine = Diesen Schritt prüfen
connect-complete = Dieser Schritt ist abgeschlossen
connect-incomplete = Dieser Schritt ist nicht abgeschlossen. Siehe unten, dann erneut prüfen.
connect-nothing = Noch nicht geprüft: Schließen Sie zuerst die vorherigen Schritte ab.
connect-ways = Schritte
connect-before = Zurück
connect-next = Nächster Schritt
directory-of = Personen aus Entra, Mandant { $tenant }
directory-dry-run = Änderungen vorab anzeigen
directory-now = Jetzt synchronisieren
directory-accounts =
    { $count ->
        [one] { $count } Konto wurde gelesen.
       *[other] { $count } Konten wurden gelesen.
    }

# Telefonanlagen
telephony-about = Verbindungen zu Telefonanlagen und aktuelle Leitungszustände. Die Tabellen werden alle 5 Sekunden aktualisiert.
telephony-none = Keine Telefonanlagen verbunden. Unten steht, wie Sie eine verbinden.
lines-search = Nebenstelle oder Name
lines-caption = { $count } Leitungen, aktive zuerst
lines-none = Keine Leitungen.
line = Nebenstelle
line-state = Leitungszustand
line-in-use = belegt
line-idle = frei
line-ringing = klingelt
line-held = gehalten
line-unknown = unbekannt
line-stale = { $status }, länger nicht bestätigt

# Konten
accounts-about = Mit einem Konto melden sich Personen an. Präsenz und Synchronisation funktionieren auch ohne Konto.
accounts-none = Noch keine Konten.
account-add = Konto hinzufügen
account-role = Rolle
account-whose = Person
account-person = Person
account-person-help = Die Person, die sich mit diesem Konto anmeldet; leer lassen für reine Administratoren.
account-location = Standort
account-location-help = Der Standort, den ein Standortadministrator verwaltet.
account-password-of = Neues Kennwort für { $name }
account-password-help = Mindestens { $count } Zeichen. Sitzungen mit dem alten Kennwort werden abgemeldet.
role-person = Benutzer
role-location_admin = Standortadministrator
role-system_admin = Systemadministrator

# Schlüssel
keys-about = Ein Programm verwendet die API mit einem Schlüssel. Er wird nur beim Anlegen angezeigt.
keys-none = Noch keine API-Schlüssel.
key-add = Schlüssel anlegen
key-name-help = Das Programm, das den Schlüssel verwendet.
key-scopes = Berechtigungen
key-scope-route = Anrufziele abfragen (für eine Telefonanlage)
key-scope-read = alle Daten lesen
key-scope-write = Daten ändern, die Personen ändern dürfen
key-scope-admin = Vollzugriff
key-made = API-Schlüssel
key-made-about = Kopieren Sie den Schlüssel jetzt. Er wird nicht noch einmal angezeigt.
key-delete-sure = { $name } löschen? Programme, die ihn verwenden, verlieren sofort den Zugriff.

# Änderungsprotokoll
audit-about = Alle Änderungen und Anmeldungen mit Urheber, Änderungen mit den Werten davor und danach. Änderungen von Personen oder ihrer Assistenz an eigenen Daten stehen ohne Werte.
audit-not-recorded = Nicht aufgezeichnet
audit-none = Keine passenden Einträge.
audit-at = Zeit
audit-who = Benutzer
audit-what = Aktion
audit-target = Ziel
audit-before = Vorher
audit-after = Nachher
audit-export = Als CSV exportieren (neueste 50.000)

# Sicherung
backup-about = Eine Sicherung ist eine Kopie der Datenbank in { $folder } auf dem Rechner, auf dem Offhook läuft, im laufenden Betrieb erstellt. Kopieren Sie sie auf einen anderen Rechner, um einen Festplattenausfall zu überstehen. Der Schlüssel für Geheimnisse (secrets.key) ist nicht enthalten.
backup-now = Sicherung erstellen
backup-none = Noch keine Sicherungen.
backup-size = Größe
backup-restore = Wiederherstellen
backup-restore-of = { $name } wiederherstellen
backup-restore-sure = { $name } wiederherstellen? Alle späteren Änderungen gehen verloren, auch Konten und Kennwörter. Die aktuelle Datenbank bleibt daneben erhalten.
backup-restore-about = Beim Wiederherstellen ersetzt die Sicherung die aktuellen Daten. Der Server startet binnen Sekunden neu, und die aktuelle Datenbank bleibt erhalten. Um eine Kopie von einem anderen Ort wiederherzustellen, führen Sie auf dem Rechner „offhook restore DATEI --force“ aus; der Server darf dabei laufen.
backup-restoring = Sicherung wird wiederhergestellt
backup-restoring-about = { $name } ist unbeschädigt. Der Server startet damit binnen Sekunden neu. Melden Sie sich mit einem Konto aus dieser Zeit an, oder führen Sie auf dem Rechner „offhook link“ aus.

# Microphone Sync
microphone-about = Solange eines dieser Programme das Mikrofon verwendet, sehen Teamkollegen „Beschäftigt“ und seinen Alias. Nicht aufgeführte oder nicht aktive Programme werden nie gemeldet.
microphone-for = Bereich
microphone-on = ein
microphone-off = aus: Es werden keine Programme angezeigt
programs = Programme
programs-none = Keine Programme aufgeführt: Es werden keine angezeigt.
programs-own = Diese Liste überschreibt die geerbte.
programs-default = Diese Liste ist von { $scope } geerbt. Ihre erste Änderung überschreibt sie hier.
programs-as-above = geerbte Liste verwenden
programs-again = Liste zurücksetzen
programs-again-now = Zurücksetzen
program-add = Programm hinzufügen
program-alias = Alias für Kollegen
microphone-off-about = Microphone Sync ist hier aus: Es werden keine Programme angezeigt, ob aktiv oder nicht.
microphone-enable = Einschalten
program-alias-help = Wird Kollegen angezeigt. Leer lassen, um den Prozessnamen anzuzeigen.
program-process = Prozess
program-process-help = Der Dateiname des Programms ohne .exe, zum Beispiel Zoom. Groß- und Kleinschreibung wird nicht unterschieden.
program-also = Weitere Namen
program-also-help = Mehrere durch Kommas trennen: Prozessnamen auf anderen Systemen, Bundle (macOS) oder Paket (Windows).
program-softphone = Softphone der Telefonanlage: nie anzeigen
program-is-softphone = Softphone
program-ignore = Ignorieren nach
program-ignore-help = In Stunden; leer: nie. Für Programme, die das Mikrofon ohne Besprechung belegen, etwa Webex (Raumerkennung per Ultraschall).
program-active = Aktiv: anzeigen
program-activate = Aktivieren
program-deactivate = Deaktivieren
program-activate-of = { $name } aktivieren
program-deactivate-of = { $name } deaktivieren
done-program-added = Programm hinzugefügt. Aktivieren Sie es, um es anzuzeigen.

# Prüfung der Installation
doctor = Installation prüfen
doctor-now = Jetzt prüfen
doctor-about = Das ist die aktuelle Konfigurationsdatei. Änderungen können Sie sofort prüfen; wirksam werden sie nach einem Neustart.
doctor-findings = Ergebnisse, dringende zuerst
doctor-what = Ergebnis
doctor-means = Bedeutung
doctor-back = Zurück
verdict-fine = OK
verdict-warning = Warnung
verdict-failed = Fehlgeschlagen
verdict-skipped = Nicht geprüft
telephony-connect = Telefonanlage verbinden
telephony-steps = Legen Sie auf der Telefonanlage ein Konto für Offhook an, das die Leitungen abonnieren darf, und tragen Sie Server, Domäne und Konto in einen Abschnitt [[pbx]] der Konfigurationsdatei ein (docs/connect-pbx.md beschreibt jede Anlage). Prüfen Sie, bis kein Ergebnis mehr fehlgeschlagen ist, und starten Sie Offhook neu.

# Mitglieder eines Standorts oder einer Gruppe
scope-members =
    { $count ->
        [one] { $count } Person
       *[other] { $count } Personen
    }
scope-empty = Noch keine Personen.
scope-add-person = Person zu diesem Bereich hinzufügen
scope-add-person-now = Hinzufügen
scope-remove = Entfernen
scope-remove-of = { $name } aus { $scope } entfernen
scope-remove-sure = Entfernen? Dann gelten die Einstellungen von { $scope }.
scope-move = { $name } verschieben?
scope-move-now = Verschieben
scope-move-about = Von { $scope } nach { $target }; dann gelten die dortigen Einstellungen. Eine Person gehört zu einem Standort und höchstens einer seiner Gruppen.

# Überblick: Teams
overview-polling-interval = Abfrageintervall ({ $tenant })
overview-budget = Anfragen in den letzten 30 Sekunden ({ $tenant })
overview-budget-spent = { $count } ({ $value } des Limits von Microsoft)
overview-backlog = Schreibvorgänge, die auf das Anfragelimit warten ({ $tenant })
overview-backlog-age = { $count }, ältester { $value }
overview-pauses = Schreibpausen (ein anderes Programm hat die Präsenz von Offhook überschrieben)
overview-silent = Personen ohne aktuelle Meldungen
overview-none-silent = Für alle Personen liegen aktuelle Meldungen vor.

# Aufträge
nav-work = Aufträge
work-about = Importe, Verzeichnisabgleiche und Sicherungen laufen im Hintergrund. Ein Neustart des Servers leert die Liste.
work-goes-on = Sie können diese Seite verlassen; der Auftrag läuft weiter. Wenn Sie ihn abbrechen, wird nichts geändert.
work-cancel = Abbrechen
work-what = Auftrag
work-progress = Fortschritt
work-who = Gestartet von
work-begun = Gestartet
work-none = Keine Aufträge.
work-on = Weiter
work-import = Import von Personen
work-directory = Verzeichnisabgleich
work-backup = Sicherung
work-state-running = läuft
work-state-done = abgeschlossen
work-state-failed = fehlgeschlagen
work-state-cancelled = abgebrochen
done-step = Schritt abgeschlossen. Weiter mit dem nächsten.
done-begun = Gestartet.
done-cancelled = Wird abgebrochen.

# Übersicht: Zeitzone der Organisation
zone-question = Zeitzone der Organisation
zone-question-label = Zeitzone
zone-question-help = Kalender ohne eigene Zeitzone werden in dieser gelesen. Bis zur Auswahl gilt die Zeitzone des Servers.
